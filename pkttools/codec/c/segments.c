/* Cuts super-frames into what a card would have sent: segments of TCP (TSO, GSO, and what GRO made), datagrams of UDP (USO). What they
 * carry is looked for in the innermost datagram; headers in front are those of each piece. Lengths around follow, and checksums:
 * what was right is right in each piece, and so is what was left to the card; what was wrong is wrong by the same difference (RFC
 * 1624). Twin of ../python/segments.py, which says what Linux does, and so do we.
 */
#include "segments.h"

#include <stdlib.h>

enum { FIXED = 20 };            /* bytes of a header of TCP, RFC 9293 section 3.1 */
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };                 /* section 3.2 */
enum { USUAL_4 = 536, USUAL_6 = 1220, LEAST_MSS = 48 };   /* section 3.7.1; and Linux's net.ipv4.tcp_min_snd_mss */
enum { USUAL_MTU = 1500, MOST_HANDSHAKES = 65536, BUCKETS = 16384 };

/* ---- what hosts said of the largest segment that they take ---- */

struct handshake {
    uint8_t key[KEY_SIZE];      /* of who may send so much */
    uint32_t mss, next;         /* next: one more than the place of another one in the bucket */
};

bool handshakes_begin(struct handshakes *t)
{
    *t = (struct handshakes){.buckets = calloc(BUCKETS, sizeof *t->buckets)};
    return t->buckets != NULL;
}

void handshakes_end(struct handshakes *t)
{
    free(t->buckets);
    free(t->entries);
}

static uint32_t *bucket_of(const struct handshakes *t, const uint8_t *key)
{
    return &t->buckets[hash_of(t, key, KEY_SIZE) % BUCKETS];
}

static struct handshake *handshake_of(const struct handshakes *t, const uint8_t *key)
{
    for (uint32_t i = *bucket_of(t, key); i != 0; i = t->entries[i - 1].next)
        if (memcmp(t->entries[i - 1].key, key, KEY_SIZE) == 0)
            return &t->entries[i - 1];
    return NULL;
}

static void forget(struct handshakes *t, uint32_t place)
{
    uint32_t *at = bucket_of(t, t->entries[place].key);
    while (*at != place + 1)
        at = &t->entries[*at - 1].next;
    *at = t->entries[place].next;
}

/* Remembers it, and forgets the oldest where they are too many. False: no memory. */
static bool remember(struct handshakes *t, const uint8_t *key, uint32_t mss)
{
    struct handshake *known = handshake_of(t, key);
    if (known != NULL) {
        known->mss = mss;
        return true;
    }
    if (t->count == t->room && t->room < MOST_HANDSHAKES) {
        uint32_t room = t->room == 0 ? 64 : t->room * 2;
        struct handshake *more = realloc(t->entries, room * sizeof *more);
        if (more == NULL)
            return false;
        t->entries = more;
        t->room = room;
    }
    uint32_t place = t->count < t->room ? t->count++ : t->oldest++ % MOST_HANDSHAKES;
    if (t->oldest > 0)
        forget(t, place);
    uint32_t *bucket = bucket_of(t, key);
    t->entries[place] = (struct handshake){.mss = mss, .next = *bucket};
    memcpy(t->entries[place].key, key, KEY_SIZE);
    *bucket = place + 1;
    return true;
}

/* Who sends to whom; `back`: the other way. */
void flow_key(const struct frame *f, const struct message *m, bool back, uint8_t key[KEY_SIZE])
{
    size_t size = m->v6 ? 16 : 4, source = back ? 16 : 0;
    memset(key, 0, KEY_SIZE);
    if (frame_has(f, m->source, size) && frame_has(f, m->destination, size)) {
        memcpy(key + source, frame_range(f, m->source, size), size);
        memcpy(key + 16 - source, frame_range(f, m->destination, size), size);
    }
    write16(key + 32 + source / 8, get16(f, m->at), true);
    write16(key + 34 - source / 8, get16(f, m->at + 2), true);
    key[36] = m->v6;
}

/* The largest segment that the sender of a SYN takes: what its option says. */
static uint32_t mss_said(const struct frame *f, const struct message *m, size_t end)
{
    for (size_t at = m->at + FIXED; at < end && get8(f, at) != OPTION_END;) {
        size_t size = get8(f, at) == OPTION_NOP ? 1 : get8(f, at + 1);
        if (get8(f, at) == OPTION_MSS && size == 4 && at + 4 <= end)
            return get16(f, at + 2);
        if (get8(f, at) != OPTION_NOP && size < 2)
            break;
        at += size;
    }
    return m->v6 ? USUAL_6 : USUAL_4;
}

/* ---- what is cut ---- */

/* The innermost header of a datagram; false: there is none. */
bool innermost(const struct walk *w, size_t *index)
{
    for (*index = w->count; (*index)-- > 0;)
        if (carries_message(&w->header[*index]))
            return true;
    return false;
}

/* The header that a message begins with; NULL: none is known. */
const struct header *beginning(const struct walk *w, size_t index, const struct message *m)
{
    for (const struct header *h = &w->header[index + 1]; h < w->header + w->count; h++)
        if (h->start == m->at)
            return h;
    return NULL;
}

/* Whether a header is that of messages that say how long they are, and may say that they have no checksum: UDP, which carries no tunnel. */
bool is_datagram(const struct frame *f, const struct header *h)
{
    const struct kind *k = &protocols->kinds[h->kind];
    return k->has_length && !carries_message(h) && k->sum != NULL && k->sum->zero == MISSING && !leads_to_tunnel(k, f, h->start);
}

/* Bytes of data of a segment by what hosts said of it; 0: nothing is known. */
static size_t size_agreed(const struct segmentation *how, const struct frame *f, const struct message *m, const struct super *s)
{
    uint8_t key[KEY_SIZE];
    if (how->seen->count == 0)
        return 0;
    flow_key(f, m, false, key);
    const struct handshake *known = handshake_of(how->seen, key);
    if (known == NULL)
        return 0;
    size_t options = s->payload - m->at - FIXED + s->options, mss = known->mss > LEAST_MSS ? known->mss : LEAST_MSS;
    return mss > options ? mss - options : 1;
}

static bool leave(struct segmentation *how, bool counts, enum left_uncut why)
{
    how->left[why] += counts;
    return false;
}

/* Whether a packet is a super-frame, which is to be cut; what should have been and cannot be is counted. Remembers what handshakes
 * say; `memory` is false where there is none for that. chosen: it may be cut; else that is all.
 */
bool is_super(struct segmentation *how, const struct packet_view *p, bool chosen, struct super *s, bool *memory)
{
    const struct frame *f = &p->frame;
    const struct walk *w = &p->walk;
    struct message m;
    size_t outer;
    if (!innermost(w, &s->index) || !outermost(w, &outer))
        return false;
    const struct header *carrier = &w->header[s->index];
    size_t mtu = how->mtu > 0 ? how->mtu : USUAL_MTU, begins = w->header[outer].start;
    enum outcome outcome = message_of(p, s->index, &m);
    if (outcome != CORRECTED && outcome != FRAGMENT)
        return leave(how, chosen && wire_end(p, s->index) - begins > mtu, UNUSABLE_FRAME);
    s->end = m.at + m.size;
    bool longer = s->end - begins > mtu;
    if (outcome == FRAGMENT)
        return leave(how, chosen && longer, A_FRAGMENT);
    const struct header *h = beginning(w, s->index, &m);
    if (h == NULL)
        return leave(how, chosen && longer, OTHER_MESSAGE);
    s->transport = (size_t)(h - w->header);
    s->numbered = h->exception == SEGMENTS;
    if (!s->numbered && !is_datagram(f, h))
        return leave(how, chosen && longer, OTHER_MESSAGE);
    int64_t head = header_size(&protocols->kinds[h->kind], f, m.at);
    if (head < protocols->kinds[h->kind].fixed || head > (int64_t)m.size || !frame_has(f, m.at, (size_t)head))
        return leave(how, chosen && longer, UNUSABLE_FRAME);
    s->payload = m.at + (size_t)head;
    s->dropped = how->keep ? 0 : oversize_header(f, carrier);
    s->options = m.at - carrier->start - protocols->kinds[carrier->kind].fixed - s->dropped;
    if (s->numbered && (get8(f, m.at + FLAGS_AT) & SYN) != 0) {
        uint8_t key[KEY_SIZE];
        flow_key(f, &m, true, key);
        *memory = remember(how->seen, key, mss_said(f, &m, s->payload));
    }
    if (!chosen)
        return false;
    around_of(p, s->index, &s->around);
    size_t agreed = s->numbered && how->size == 0 ? size_agreed(how, f, &m, s) : 0, trailer = 0;
    if (s->around.tail_at < w->header[outer].end)
        trailer = w->header[outer].end - s->around.tail_at;
    size_t before = s->payload - s->dropped - begins + trailer, room = mtu > before ? mtu - before : 0;
    if (how->mtu == 0)
        room = how->size > 0 ? how->size : agreed > 0 ? agreed : room;
    else if (how->size > 0 || agreed > 0)
        room = least(room, how->size > 0 ? how->size : agreed);
    s->size = room;
    if (s->end - s->payload <= room)
        return false;
    if (room == 0)
        return leave(how, true, NO_ROOM_FOR_DATA);
    if (s->end > carrier->end || !frame_has(f, s->payload, s->end - s->payload) || !datagram_sound(f, carrier) || has_fragment(p))
        return leave(how, true, UNUSABLE_FRAME);
    if (!s->numbered) {
        const struct checksum sum = {m.at + protocols->kinds[h->kind].sum->place, 2, 0, 0};
        size_t said = get16(f, h->start + protocols->kinds[h->kind].length_at);
        if (said != m.size && !(said == 0 && m.size > 0xFFFF))
            return leave(how, true, UNUSABLE_FRAME);
        if (checksum_read(f, &sum) == 0 && !how->apart)
            return leave(how, true, WITHOUT_SUM);
    }
    return true;
}

/* ---- pieces ---- */

/* Writes where a header ends, if it says that in whole bytes. */
void declare_end(const struct writable_frame *f, const struct header *h, size_t end)
{
    const struct kind *k = &protocols->kinds[h->kind];
    if (k->has_length)
        put16(f, h->start + k->length_at, (unsigned)(end - h->start - (size_t)k->end_bias));
}

/* What differs from piece to piece in the header of a message whose data begins `offset` bytes behind that of the first one. */
static void number(const struct writable_frame *f, size_t at, size_t offset, bool last)
{
    uint32_t sequence = get32(&f->view, at + SEQUENCE_AT) + (uint32_t)offset;
    unsigned flags = get8(&f->view, at + FLAGS_AT);
    if (!last)
        flags &= ~(unsigned)(FIN | PSH);
    if (offset > 0)
        flags &= ~(unsigned)CWR;
    put16(f, at + SEQUENCE_AT, sequence >> 16);
    put16(f, at + SEQUENCE_AT + 2, sequence & 0xFFFF);
    put8(f, at + FLAGS_AT, flags);
}

/* Adds the fragments of a datagram of UDP (UFO): its checksum is finished first, and Don't Fragment does not count. */
static bool divide_super(struct segmentation *how, const struct packet_view *p, const struct super *s, const uint8_t *data,
                         const struct packet *row, struct gathered *out)
{
    struct bytes copy = {0};
    struct packet_view whole = *p;
    struct datagram d;
    struct message m;
    struct checksum c;
    size_t outer;
    if (!bytes_add(&copy, p->frame.at, p->frame.size))
        return false;
    const struct writable_frame w = writable(copy.at, copy.size);
    whole.frame = w.view;
    if (sum_of(p, s->index, &m, &c) == CORRECTED && message_judged(&p->frame, &m, &c) == LEFT)
        checksum_write(&w, &c);
    bool sound = datagram_of(&whole, s->index, &d) && outermost(&p->walk, &outer);
    size_t before = sound ? d.start - p->walk.header[outer].start : 0, head = sound ? d.head - d.start + (d.v6 ? FRAGMENT_SIZE : 0) : 0;
    size_t mtu = how->size > 0 ? head + how->size : how->mtu > 0 ? how->mtu : USUAL_MTU;
    struct fragmentation by = {.force = true, .id = how->id};
    by.mtu4 = by.mtu6 = how->size > 0 ? mtu : mtu > before ? mtu - before : 0;
    bool room = sound && fragment_room(&d, by.mtu4) > 0, memory;
    if (room)
        memory = divide(&by, &whole, &d, data, row, out);
    else {
        memory = gather(out, data, row);
        how->left[sound ? NO_ROOM_FOR_DATA : UNUSABLE_FRAME]++;
    }
    how->left[UNUSABLE_FRAME] += by.left[UNUSABLE];
    how->id = by.id;
    bytes_free(&copy);
    return memory;
}

/* Adds the pieces of a super-frame; or the packet as it is, where that cannot be. False: no memory. */
bool cut(struct segmentation *how, const struct packet_view *p, struct super *s, const uint8_t *data, const struct packet *row,
         struct gathered *out)
{
    const struct frame *f = &p->frame;
    struct judged kept;
    struct packet_view made;
    size_t tail = f->size - s->around.tail_at, data_before = out->data.size, rows_before = out->rows.size, walked = 0, count = 0;
    const struct header *h = &p->walk.header[s->transport];
    size_t head = s->payload - s->dropped, transport = s->transport - (s->dropped > 0), at_message = h->start - s->dropped;
    struct packet piece = {.time = row->time, .linktype = row->linktype};
    if (how->apart && !s->numbered)
        return divide_super(how, p, s, data, row, out);
    if (!how->keep && !judge_whole(p, s->index, &kept))
        goto as_it_is;
    for (size_t at = s->payload, size; at < s->end; at += size, count++) {
        size = least(s->size, s->end - at);
        size_t whole = head + size + tail;
        if (!bytes_need(&out->data, whole + s->dropped))
            return false;
        uint8_t *to = out->data.at + out->data.size;
        memcpy(to, frame_range(f, 0, s->payload), s->payload);
        if (!how->keep) {
            const struct writable_frame front = writable(to, s->payload);
            leave_oversize(&front, &p->walk.header[s->index]);
        }
        memcpy(to + head, frame_range(f, at, size), size);
        memcpy(to + head + size, frame_range(f, s->around.tail_at, tail), tail);
        struct writable_frame w = writable(to, whole);
        if (s->numbered)
            number(&w, at_message, at - s->payload, at + size == s->end);
        for (size_t i = 0; i <= s->index && !how->same_ids; i++)
            renumber(&w, &p->walk.header[i], count);
        if (!how->keep) {
            declare_end(&w, &p->walk.header[s->index], head + size);
            if (!s->numbered)
                declare_end(&w, &(struct header){.kind = h->kind, .start = (uint32_t)at_message}, head + size);
            if (!around_lengths(&s->around, &w, head + size))
                goto as_it_is;
            made.frame = w.view;
            made.original = (int64_t)whole;
            if (walked != whole) {              /* headers are where they are; only the last piece may end elsewhere */
                walk_own(&made.walk, &made.frame, row->linktype);
                walked = whole;
                if (made.walk.count <= transport || made.walk.header[transport].start != at_message)
                    goto as_it_is;
            }
            settle_piece(&made, &w, s->index, &kept);
        }
        piece.offset = (int64_t)out->data.size;
        piece.captured = piece.original = (int64_t)whole;
        out->data.size += whole;
        if (count < 2 && !gather_lines(out, data + row->notes, (size_t)row->notes_size, count == 0, &piece))
            return false;
        if (!gather_row(out, &piece))
            return false;
    }
    how->urgent += s->numbered && (get8(f, h->start + FLAGS_AT) & URG) != 0;
    return true;
as_it_is:
    out->data.size = data_before;
    out->rows.size = rows_before;
    how->left[UNUSABLE_FRAME]++;
    return gather(out, data, row);
}
