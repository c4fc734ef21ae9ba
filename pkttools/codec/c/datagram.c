/* Datagrams of IP as fragmentation sees them: IPv4 (RFC 791 section 3.2) and IPv6 (RFC 8200 section 4.5): the headers DATAGRAM_4,
 * DATAGRAM_6, ROUTE and FRAGMENT_HEADER, see exceptions.c. What is around them is around.c's. Twin of ../python/datagram.py.
 */
#include "protocols.h"
#include "wire.h"

enum { MORE = 0x2000, DONT = 0x4000, OF_THE_WHOLE = 0xC000 };   /* of IPv4's word of flags and offset; OF_THE_WHOLE: those that stay */
enum { IP_ID_AT = 4, IP_WORD_AT = 6, MORE6 = 1, FRAGMENT_PROTOCOL = 44 };
enum { COPIED = 0x80, END_OF_OPTIONS = 0, NO_OPERATION = 1 };   /* RFC 791 section 3.1 */

/* The outermost header of IP; false: there is none. */
bool outermost(const struct walk *w, size_t *index)
{
    for (*index = 0; *index < w->count; ++*index)
        if (carries_message(&w->header[*index]))
            return true;
    return false;
}

/* Whether it is of datagrams, or the outermost one. */
bool layer_sound(const struct layer *layer)
{
    int64_t kind = layer->kind;
    return kind == UNKNOWN || (kind > 0 && (uint64_t)kind < protocols->count && protocols->kinds[kind].exception >= DATAGRAM_4);
}

/* The header of the datagram that is meant: the outermost, or what is asked for. */
bool chosen(const struct walk *w, const struct layer *layer, size_t *index)
{
    if (layer->kind == UNKNOWN)
        return outermost(w, index);
    int64_t count = 0, wanted = layer->occurrence;
    for (size_t i = 0; i < w->count; i++)
        count += w->header[i].kind == layer->kind;
    wanted = wanted > 0 ? wanted : count + wanted + 1;
    for (*index = 0; *index < w->count; ++*index)
        if (w->header[*index].kind == layer->kind && --wanted == 0)
            return true;
    return false;
}

/* Whether one of the headers is that of a fragment. */
bool has_fragment(const struct packet_view *p)
{
    for (const struct header *h = p->walk.header; h < p->walk.header + p->walk.count; h++)
        if (h->exception == FRAGMENT_HEADER || (h->exception == DATAGRAM_4 && ip_is_fragment(&p->frame, h->start)))
            return true;
    return false;
}

static void read4(const struct frame *f, struct datagram *d)
{
    unsigned word = get16(f, d->start + IP_WORD_AT);
    d->head = d->payload = d->start + ip_header_size(f, d->start);
    d->end = d->start + ip_total(f, d->start);
    d->id = get16(f, d->start + IP_ID_AT);
    d->protocol = (uint8_t)ip_protocol(f, d->start);
    d->before = d->start + IP_PROTOCOL_AT;
    d->offset = (word & 0x1FFFu) * 8;
    d->more = (word & MORE) != 0;
    d->dont = (word & DONT) != 0;
    d->is_fragment = d->more || d->offset > 0;
}

static void read6(const struct packet_view *p, struct datagram *d)
{
    const struct frame *f = &p->frame;
    d->v6 = true;
    d->end = d->start + IPV6_SIZE + ipv6_payload(f, d->start);
    d->before = d->start + IPV6_NEXT_AT;
    d->head = d->start + IPV6_SIZE;
    size_t before = d->before;
    unsigned protocol = d->protocol = (uint8_t)ipv6_next(f, d->start);
    for (const struct header *h = &p->walk.header[d->index + 1]; h < p->walk.header + p->walk.count; h++) {
        if (h->exception == FRAGMENT_HEADER) {         /* all before it is in every fragment already */
            unsigned word = get16(f, h->start + 2);
            d->protocol = (uint8_t)get8(f, h->start);
            d->id = get32(f, h->start + 4);
            d->offset = word & 0xFFF8;
            d->more = (word & MORE6) != 0;
            d->is_fragment = true;
            d->before = before;
            d->head = h->start;
            d->payload = h->end;
            return;
        }
        bool options = extends(h->kind) && (protocol == PROTO_HOPOPT || protocol == PROTO_IPV6_OPTS);
        if (!options && h->exception != ROUTE)
            break;
        bool way = h->exception == ROUTE || protocol == PROTO_HOPOPT;   /* routes and such options are for those on the way */
        before = h->start;
        protocol = get8(f, h->start);
        if (way) {
            d->before = before;
            d->head = h->end;
            d->protocol = (uint8_t)protocol;
        }
    }
    d->payload = d->head;
}

/* The datagram of the IP header at `index`; false: sizes contradict each other, or bytes are missing. */
bool datagram_of(const struct packet_view *p, size_t index, struct datagram *d)
{
    const struct header *h = &p->walk.header[index];
    *d = (struct datagram){.index = index, .start = h->start};
    if (h->exception == DATAGRAM_6)
        read6(p, d);
    else
        read4(&p->frame, d);
    bool short_head = !d->v6 && d->head - d->start < IP_SIZE;
    return !short_head && d->payload <= d->end && d->end <= h->end;     /* where what it lies in ends */
}

/* What fragments of one datagram have in common; in IPv6 the protocol is the first one's (RFC 8200 section 4.5). Returns its size. */
size_t datagram_names(const struct packet_view *p, const struct datagram *d, uint8_t out[48])
{
    size_t from = d->v6 ? IPV6_SOURCE_AT : IP_SOURCE_AT, size = d->v6 ? 32 : 8;
    memcpy(out, frame_range(&p->frame, d->start + from, size), size);
    write32(out + size, d->id, true);
    out[size + 4] = d->v6 ? 0 : d->protocol;
    return size + 5;
}

/* The ID of an IP header; 0: it has none. */
unsigned datagram_id(const struct frame *f, const struct header *h)
{
    return h->exception == DATAGRAM_4 ? get16(f, h->start + IP_ID_AT) : 0;
}

/* Counts the ID of an IP header up, if it has one. */
void renumber(const struct writable_frame *f, const struct header *h, size_t by)
{
    if (h->exception == DATAGRAM_4)
        put16(f, h->start + IP_ID_AT, (unsigned)(get16(&f->view, h->start + IP_ID_AT) + by) & 0xFFFF);
}

/* Bytes of payload that a fragment may have: all but the last a multiple of eight; 0: none. */
size_t fragment_room(const struct datagram *d, size_t mtu)
{
    size_t shared = d->head - d->start + (d->v6 ? FRAGMENT_SIZE : 0);
    return mtu > shared && mtu - shared >= 8 ? mtu - shared : 0;
}

/* The options that all fragments carry (RFC 791 section 3.1), filled up to words; returns their size. */
static size_t later_options(uint8_t *out, const struct frame *f, size_t at, size_t end)
{
    size_t kept = 0;
    while (at < end && get8(f, at) != END_OF_OPTIONS) {
        unsigned type = get8(f, at);
        size_t size = type == NO_OPERATION ? 1 : at + 1 < end ? get8(f, at + 1) : 0;
        if (size < 1 || (type != NO_OPERATION && size < 2))
            break;
        size_t there = least(size, end - at);
        if ((type & COPIED) != 0) {
            memcpy(out + kept, frame_range(f, at, there), there);
            kept += there;
        }
        at += there;
    }
    while (kept % 4 != 0)
        out[kept++] = 0;
    return kept;
}

/* The total of an IPv4 header that was made, its word of flags and offset, and its checksum. */
static void finish4(const struct packet_view *p, const struct datagram *d, uint8_t *out, size_t head, size_t size, unsigned word)
{
    struct packet_view made = {.frame = {out, head}};
    struct writable_frame f = writable(out, head);
    put16(&f, d->start + IP_TOTAL_AT, (unsigned)(head - d->start + size));
    put16(&f, d->start + IP_WORD_AT, word);
    made.walk.header[d->index] = p->walk.header[d->index];
    struct checksum c = header_checksum(&made, d->index);
    checksum_write(&f, &c);
}

/* All that is in front of the payload of a fragment, which is `size` bytes of the frame from `at` on. `out` has room for the head of
 * the datagram and FRAGMENT_SIZE; returns how much of that it takes.
 */
size_t fragment_head(uint8_t *out, const struct packet_view *p, const struct datagram *d, size_t at, size_t size, bool more, uint32_t id)
{
    size_t offset = d->offset + at - d->payload, head = d->head;
    memcpy(out, frame_range(&p->frame, 0, head), head);
    if (d->v6) {
        out[d->before] = FRAGMENT_PROTOCOL;
        write16(out + d->start + IPV6_PAYLOAD_AT, (unsigned)(head - d->start - IPV6_SIZE + FRAGMENT_SIZE + size), true);
        out[head] = d->protocol;
        out[head + 1] = 0;
        write16(out + head + 2, (unsigned)offset | (more ? MORE6 : 0), true);
        write32(out + head + 4, id, true);
        return head + FRAGMENT_SIZE;
    }
    if (at > d->payload && head - d->start > IP_SIZE) {
        head = d->start + IP_SIZE + later_options(out + d->start + IP_SIZE, &p->frame, d->start + IP_SIZE, d->head);
        out[d->start] = (uint8_t)((out[d->start] & 0xF0) | (head - d->start) / 4);
    }
    finish4(p, d, out, head, size, (unsigned)(offset / 8) | (more ? MORE : 0));
    return head;
}

/* The same of the whole datagram, whose first fragment is given; 0: `size` bytes of payload are more than its header can say. */
size_t whole_head(uint8_t *out, const struct packet_view *p, const struct datagram *d, size_t size)
{
    size_t total = d->head - d->start + size - (d->v6 ? IPV6_SIZE : 0);
    if (total > 0xFFFF)
        return 0;
    memcpy(out, frame_range(&p->frame, 0, d->head), d->head);
    if (d->v6) {
        out[d->before] = d->protocol;
        write16(out + d->start + IPV6_PAYLOAD_AT, (unsigned)total, true);
    } else
        finish4(p, d, out, d->head, size, get16(&p->frame, d->start + IP_WORD_AT) & OF_THE_WHOLE);
    return d->head;
}
