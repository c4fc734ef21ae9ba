/* Puts headers in front of others, or takes them off, by shapes: what is to be done to packets that begin with the same headers.
 * Twin of ../python/wrapping.py.
 */
#include "protocols.h"
#include "fields.h"
#include "wrapping.h"

enum { HEAD = offsetof(struct reshape, kinds) / 8, PIECE = sizeof(struct shape_piece) / 8, STEP = sizeof(struct step) / 8 };
enum { MOST_PIECES = 8, MOST_STEPS = 64 };
enum { FIRST_PORT = 49152, PORTS = 16384 };     /* RFC 7348 section 5 */
enum { LINK_OCTETS = 14, MOST_LENGTH = 1500 };  /* IEEE 802.3 clauses 3.1.1, 3.2.6 */
enum { CAPABLE_1 = 1, CAPABLE_0 = 2, MARKED = 3 };      /* of two bits: RFC 3168 section 5 */

static const struct shape_piece *pieces_of(const struct reshape *s)
{
    return (const struct shape_piece *)(s->kinds + s->count);
}

static const struct step *steps_of(const struct reshape *s)
{
    return (const struct step *)(s->kinds + s->count + s->pieces * PIECE);
}

static bool between(int64_t value, int64_t low, int64_t high)
{
    return value >= low && value <= high;
}

static bool shape_sound(const struct reshape *s, const struct wrapping *w)
{
    bool fits = between(s->count, 1, MAX_HEADERS) && between(s->pieces, 0, MOST_PIECES) && between(s->steps, 0, MOST_STEPS)
        && s->size == HEAD + s->count + s->pieces * PIECE + s->steps * STEP && between(s->why, WRAPPED, UNSOUND)
        && between(s->plain, 0, s->count - 1)
        && between(s->first, 0, s->behind) && between(s->behind, 0, s->count) && between(s->made, 0, UINT32_MAX)
        && between(s->octets, 0, MOST_OCTETS) && between(s->at, 0, (int64_t)w->octets_size - s->octets);
    if (!fits)
        return false;
    int64_t last = s->count - (s->whole == 0), octets = 0;      /* behind all of them are bytes of no header */
    for (const struct shape_piece *p = pieces_of(s), *end = p + s->pieces; p < end; p++) {
        if (!between(p->header, 0, last) || !between(p->to_header, p->header, last) || !between(p->bytes, -MAX_READ, MAX_READ)
            || !between(p->to_bytes, -MAX_READ, MAX_READ) || !between(p->size, 0, s->octets - octets))
            return false;
        octets += p->size;
    }
    for (const struct step *t = steps_of(s), *end = t + s->steps; t < end; t++)
        if (!between(t->what, MOVE, STEPS - 1) || !between(t->header, 0, last) || !between(t->width, 1, 64)
            || (t->what != SET && !between(t->bit, -MAX_READ * 8, MAX_READ * 8)) || !between(t->to, 0, 8 * s->octets - t->width))
            return false;
    return octets == s->octets;
}

bool shapes_sound(struct wrapping *w)
{
    for (size_t at = 0; at < w->size;) {
        const struct reshape *s = (const struct reshape *)(w->shapes + at);
        if (w->size - at < HEAD || !between(s->size, HEAD, (int64_t)(w->size - at)) || !shape_sound(s, w))
            return false;
        if (w->most < (size_t)s->octets)
            w->most = (size_t)s->octets;
        at += (size_t)s->size;
    }
    return true;
}

/* Headers of the packet itself: what an error message quotes is another one. */
static size_t own_count(const struct walk *w)
{
    return least(w->count, w->quoted);
}

static bool is_like(const struct reshape *s, const struct walk *w, int64_t linktype)
{
    size_t own = own_count(w), count = (size_t)s->count;
    if (s->linktype != linktype || own < count || (s->whole != 0 && own > count))
        return false;
    for (size_t i = 0; i < count; i++)
        if (w->header[i].kind != s->kinds[i])
            return false;
    return true;
}

const struct reshape *shape_of(struct wrapping *w, const struct packet_view *p, int64_t linktype)
{
    if (w->last != NULL && is_like(w->last, &p->walk, linktype))
        return w->last;
    for (size_t at = 0; at < w->size; at += (size_t)w->shapes[at])
        if (is_like((const struct reshape *)(w->shapes + at), &p->walk, linktype))
            return w->last = (const struct reshape *)(w->shapes + at);
    return NULL;
}

/* A place in a frame; false: it is not there. */
static bool place(const struct packet_view *p, int64_t header, int64_t bytes, size_t *at)
{
    const struct header *h = p->walk.header;
    size_t count = own_count(&p->walk);
    int64_t start = (size_t)header < count ? h[header].start : h[count - 1].data;
    *at = (size_t)(start + bytes);
    return start + bytes >= 0 && *at <= p->frame.size;
}

/* Who sends what to whom, in a number: of IP the addresses, the protocol, and the ports where they are in every packet; else of a frame
 * its beginning, with its addresses. */
static uint16_t flow_of(const struct wrapping *w, const struct packet_view *p, size_t first)
{
    const struct header *h = p->walk.header;
    const struct frame *f = &p->frame;
    size_t count = own_count(&p->walk), i = first;
    uint8_t key[37];
    while (i < count && !carries_message(&h[i]))
        i++;
    if (i == count)
        return (uint16_t)(FIRST_PORT + frame_crc(frame_range(f, 0, least(f->size, LINK_OCTETS)), least(f->size, LINK_OCTETS)) % PORTS);
    struct named by = named_by(&h[i]);
    size_t size = h[i].exception == DATAGRAM_6 ? 32 : 8;
    struct message m;
    enum outcome outcome = message_of(p, i, &m);
    for (size_t k = 0; k < size; k++)
        key[k] = (uint8_t)get8(f, by.ends + k);
    key[size++] = (uint8_t)(outcome == CORRECTED || outcome == FRAGMENT ? m.protocol : get8(f, by.carried));
    for (size_t k = i + 1; outcome == CORRECTED && k < count && h[k].start <= m.at; k++)
        for (size_t n = 0; n < w->ports_count && h[k].start == m.at; n++)
            if (w->ports[n] == h[k].kind)
                for (size_t b = 0; b < 4; b++)
                    key[size++] = (uint8_t)get8(f, m.at + b);
    return (uint16_t)(FIRST_PORT + frame_crc(key, size) % PORTS);
}

/* Bytes from a header up to where what it begins ends, and so many more; false: more than IEEE 802.3 has room for. */
static bool size_of(const struct packet_view *p, size_t index, int64_t more, uint64_t *size)
{
    const struct header *h = &p->walk.header[least(index, own_count(&p->walk) - 1)];
    size_t start, end = wire_end(p, (size_t)(h - p->walk.header));
    if (!place(p, (int64_t)index, 0, &start))
        return false;
    if (h->start == start && carries_message(h) && datagram_said(&p->frame, h) != 0)
        end = start + datagram_said(&p->frame, h);
    else if (h->start == start && (protocols->kinds[h->kind].flags & OWN_END) != 0)
        end = h->end;
    int64_t bytes = (end > start ? (int64_t)(end - start) : 0) + more;
    *size = (uint64_t)bytes;
    return between(bytes, 0, MOST_LENGTH);
}

/* Writes what a step says; WRAPPED, or why not. */
static enum left_unwrapped take_step(struct wrapping *w, const struct packet_view *p, const struct step *t, const struct writable_frame *octets)
{
    size_t at, bit = (size_t)t->to, width = (size_t)t->width;
    uint64_t value;
    switch ((enum step_kind)t->what) {
    case SET:
        value = (uint64_t)t->bit;
        break;
    case COUNT:
        value = w->number++;
        break;
    case SIZE:
        if (!size_of(p, (size_t)t->header, t->bit, &value))
            return TOO_LONG_FOR_IT;
        break;
    case FLOW:
        value = flow_of(w, p, (size_t)t->header);
        break;
    default:
        if (!place(p, t->header, 0, &at) || (int64_t)at * 8 + t->bit < 0)
            return CUT_OFF;
        at = (size_t)((int64_t)at * 8 + t->bit);
        if (!frame_has(&p->frame, at / 8, (at + width + 7) / 8 - at / 8))
            return CUT_OFF;
        value = read_bits(&p->frame, at, width);
    }
    if (t->what == ECN_LOWERED && value == MARKED)
        value = CAPABLE_0;
    if (t->what == ECN_JOINED) {
        uint64_t inner = read_bits(&octets->view, bit, width);
        if (value == MARKED && inner == 0)
            return CONGESTED;
        if (inner == 0 || (value != MARKED && (value != CAPABLE_1 || inner != CAPABLE_0)))
            value = inner;
    }
    place_value(octets, bit, width, value);
    return WRAPPED;
}

/* Whether a checksum of a header that goes away is wrong: then it is not what it looks like. */
static bool unsound(const struct packet_view *p, const struct reshape *s)
{
    struct checksum left = {0};
    for (size_t i = (size_t)s->first; i < (size_t)s->behind; i++) {
        struct message m;
        enum verdict verdict;
        if (!has_sum(p, i))
            continue;
        struct checksum c = header_checksum(p, i);
        if (c.size > 0 && judged(&p->frame, &c) == BAD)
            return true;
        if (sum_verdict(p, i, &m, &left, &verdict) != CORRECTED || !m.summed || verdict != BAD)
            continue;
        size_t to = (size_t)s->behind < own_count(&p->walk) ? p->walk.header[s->behind].start : p->frame.size;
        if (m.at < to)
            return true;
    }
    return false;
}

/* The pieces of a packet, and what they become, in `octets`. */
static enum left_unwrapped pieces_made(struct wrapping *w, const struct reshape *s, const struct packet_view *p, uint8_t octets[MOST_OCTETS + 1],
                                       struct piece pieces[MOST_PIECES])
{
    struct writable_frame written = writable(octets, (size_t)s->octets);
    memcpy(octets, w->octets + s->at, (size_t)s->octets);
    for (const struct step *t = steps_of(s), *end = t + s->steps; t < end; t++) {
        enum left_unwrapped why = take_step(w, p, t, &written);
        if (why != WRAPPED)
            return why;
    }
    size_t used = 0, before = 0;
    for (int64_t i = 0; i < s->pieces; i++) {
        const struct shape_piece *from = &pieces_of(s)[i];
        struct piece *to = &pieces[i];
        size_t end;
        if (!place(p, from->header, from->bytes, &to->at) || !place(p, from->to_header, from->to_bytes, &end) || to->at < before || end < to->at)
            return CUT_OFF;
        to->removed = end - to->at;
        to->octets = octets + used;
        to->size = (size_t)from->size;
        used += to->size;
        before = end;
    }
    return WRAPPED;
}

/* What a packet begins with, up to where its last piece ends, becomes what is put in front of the rest; false: it takes more. */
static bool front_made(struct wrapping *w, const struct reshape *s, const struct packet_view *p)
{
    struct front *front = &w->front;
    uint8_t octets[MOST_OCTETS + 1];
    struct piece pieces[MOST_PIECES];
    size_t at = 0;
    front->of = NULL;
    front->sure = false;
    if (s->pieces == 0 || pieces_made(w, s, p, octets, pieces) != WRAPPED)
        return false;
    const struct piece *last = &pieces[s->pieces - 1];
    front->from = last->at + last->removed;
    if (front->from > MOST_FRONT)
        return false;
    front->to = 0;
    for (const struct piece *one = pieces; one <= last; at = one->at + one->removed, one++) {
        memcpy(front->is + front->to, frame_range(&p->frame, at, one->at - at), one->at - at);
        memcpy(front->is + front->to + (one->at - at), one->octets, one->size);
        front->to += one->at - at + one->size;
    }
    for (const struct step *t = steps_of(s), *end = t + s->steps; t < end; t++)
        if (t->what != SET && (t->what != MOVE || p->walk.header[t->header].start * 8 + t->bit + t->width > (int64_t)front->from * 8))
            return true;                        /* it takes what is behind it, or is another one each time */
    memcpy(front->was, frame_range(&p->frame, 0, front->from), front->from);
    for (int64_t i = 0; i < s->count; i++)
        front->starts[i] = p->walk.header[i].start;
    front->of = s;
    front->datagram = p->walk.header[s->plain];
    front->sure = s->plain == s->count - 1 && front->datagram.start <= front->from
        && leads_surely(&p->walk, &p->frame, s->linktype, (size_t)s->plain);
    return true;
}

/* Whether a packet begins with the same bytes as the one that this was made of, and they are the same headers. */
static bool begins_alike(const struct front *front, const struct reshape *s, const struct packet_view *p)
{
    if (front->of != s || p->frame.size < front->from || memcmp(front->was, p->frame.at, front->from) != 0)
        return false;
    for (int64_t i = 0; i < s->count; i++)
        if (front->starts[i] != p->walk.header[i].start)
            return false;
    return true;
}

/* Whether a header's datagram is all of a packet, and room for what it becomes. */
static bool is_all(const struct reshape *s, const struct header *h, const struct frame *f, const struct packet *row)
{
    return row->original == row->captured && carries_message(h) && h->start + datagram_said(f, h) == f->size
        && f->size + (size_t)s->octets <= MAX_FRAME;
}

/* Adds what a packet becomes that begins so: what is there, and the rest of it. False: no memory. */
static bool put_front(struct wrapping *w, const struct frame *f, const uint8_t *data, const struct packet *row, struct gathered *out)
{
    const struct front *front = &w->front;
    struct gathered_record record;
    size_t rest = f->size - front->from, size = front->to + rest;
    if (!bytes_need(&out->data, RECORD + size + (size_t)row->notes_size) || !bytes_need(&out->rows, sizeof *row))
        return false;
    bool along = gather_record(out, data, row, &record);
    uint8_t *to = out->data.at + out->data.size;
    struct packet *now = (struct packet *)(void *)(out->rows.at + out->rows.size);
    *now = (struct packet){.offset = (int64_t)out->data.size, .captured = (int64_t)size, .original = (int64_t)size, .time = row->time,
                           .linktype = row->linktype, .notes = (int64_t)(out->data.size + size), .notes_size = row->notes_size};
    memcpy(to, front->is, front->to);
    memcpy(to + front->to, frame_range(f, front->from, rest), rest);
    if (along)
        gather_lengths(out, &record, now);
    out->data.size += size;
    out->rows.size += sizeof *now;
    w->counts[WRAPPED]++;
    return row->notes_size == 0 || bytes_add(&out->data, data + row->notes, (size_t)row->notes_size);
}

bool wrap_surely(struct wrapping *w, const struct frame *f, const uint8_t *data, const struct packet *row, struct gathered *out, bool *memory)
{
    const struct front *front = &w->front;
    if (!front->sure || row->linktype != front->of->linktype || f->size < front->from || memcmp(front->was, f->at, front->from) != 0
        || !stands_there(&front->datagram, f) || !is_all(front->of, &front->datagram, f, row))
        return false;
    *memory = put_front(w, f, data, row, out);
    return true;
}

bool wrap_plainly(struct wrapping *w, const struct packet_view *p, const uint8_t *data, const struct packet *row, struct gathered *out,
                  bool *memory)
{
    const struct reshape *s = w->last;
    if (s == NULL || s->plain == 0 || s->whole != 0 || !is_like(s, &p->walk, row->linktype)
        || !is_all(s, &p->walk.header[s->plain], &p->frame, row) || (!begins_alike(&w->front, s, p) && !front_made(w, s, p)))
        return false;
    *memory = put_front(w, &p->frame, data, row, out);
    return true;
}

/* Bytes that packets become at most, with their records: of as many as come to MAX_BATCH, whose number that is. */
size_t wrap_room(const struct wrapping *w, const struct packet *p, size_t count, size_t *room)
{
    size_t i = 0;
    for (*room = 0; i < count && *room < MAX_BATCH; i++)
        *room += RECORD + (size_t)p[i].captured + (size_t)p[i].notes_size + w->most + SPLICE_FILLS;
    return i;
}

/* Where the outermost header goes and none takes its place, nothing is behind the packet: padding, a trailer were the frame's. */
static size_t without_frame(const struct packet_view *p, struct piece pieces[MOST_PIECES + 1], size_t count)
{
    if (count == 0 || pieces[0].at > 0 || pieces[0].removed == 0 || pieces[0].size > 0)
        return count;
    size_t end = packet_end(p), size = p->frame.size;
    const struct piece *last = &pieces[count - 1];
    if (end >= size || end < last->at + last->removed)
        return count;
    pieces[count] = (struct piece){.at = end, .removed = size - end};
    return count + 1;
}

/* Adds what becomes of a packet; nothing where it is left as it is. */
static enum left_unwrapped make(struct wrapping *w, const struct reshape *s, const struct packet_view *p, const uint8_t *data,
                                const struct packet *row, struct gathered *out, bool *memory)
{
    uint8_t octets[MOST_OCTETS + 1];
    struct piece pieces[MOST_PIECES + 1];
    struct spliced made;
    if (s->why != WRAPPED)
        return (enum left_unwrapped)s->why;
    if (unsound(p, s))
        return UNSOUND;
    enum left_unwrapped why = pieces_made(w, s, p, octets, pieces);
    if (why != WRAPPED)
        return why;
    size_t count = without_frame(p, pieces, (size_t)s->pieces);
    struct splice how = {.pieces = pieces, .count = count, .linktype = s->made, .keep = w->keep, .anew = true};
    *memory = splice_packet(out, data, p, row, &how, &made);
    w->counts[NOT_SUMMED] += made.why == SPLICED && made.stale;
    return made.why == NOT_THERE ? CUT_OFF : made.why == OF_FRAGMENT ? IN_FRAGMENT : made.why == NO_LENGTH ? TOO_LONG_FOR_IT : WRAPPED;
}

bool wrap(struct wrapping *w, const struct reshape *shape, const struct packet_view *p, const uint8_t *data, const struct packet *row,
          struct gathered *out)
{
    uint16_t number = w->number;
    bool memory = true;
    enum left_unwrapped why = make(w, shape, p, data, row, out, &memory);
    if (!memory)
        return false;
    w->counts[why]++;
    if (why == WRAPPED)
        return true;
    w->number = number;
    return why == CONGESTED || gather(out, data, row);
}
