/* Lengths of datagrams, corrected; twin of ../python/lengths.py.
 *
 * What follows a datagram in its frame may be padding, a frame check sequence, a trailer, or payload that somebody added. A length
 * stays where the bytes behind it are known to be none of it: zeros that fill a frame up to Ethernet's least payload, or a right
 * FCS; or where the checksum of what is carried is right by that length. Where that checksum is wrong, bytes were changed, and what
 * there is counts. What is decided by neither of these is the smaller of the readings that agree with the lengths inside.
 */
#include "protocols.h"

enum { LEAST_PAYLOAD = 46 };    /* IEEE 802.3 clause 4A.4.2 */

struct room {                   /* what a datagram lies in */
    size_t size;                /* bytes from its start to the end of that, without an FCS that is right */
    bool frame, outer;          /* that is an Ethernet frame; no other datagram is around it */
    bool intact;                /* it had an FCS that is right: nothing was changed since it was sent */
};

uint32_t frame_crc(const uint8_t *at, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    uint32_t crc = 0xFFFFFFFF;
    for (; size > 0; at++, size--) {
        crc ^= *at;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* Whether a frame, with a header of `head` bytes, ends with its own check sequence. */
bool has_fcs(const struct frame *f, size_t start, size_t end, size_t head)
{
    return frame_has(f, start, end - start) && end - start > head + FCS
        && frame_crc(frame_range(f, start, end - start - FCS), end - start - FCS) == reversed(get32(f, end - FCS));
}

/* The header in front of the tags in front of a datagram; NULL: there is none. */
static const struct header *link_before(const struct packet_view *p, size_t index)
{
    while (index > 0 && is_tag_header(p->walk.header[index - 1].kind))
        index--;
    return index > 0 ? &p->walk.header[index - 1] : NULL;
}

static struct room room_of(const struct packet_view *p, size_t index)
{
    const struct header *h = p->walk.header, *link = link_before(p, index);
    size_t start = h[index].start, end = wire_end(p, index);
    struct room r = {end > start ? end - start : 0, link != NULL && link->exception == PADDED, true, false};
    for (size_t i = 0; i < index; i++)
        r.outer &= !carries_message(&h[i]);
    return r;
}

static void take_off_fcs(const struct packet_view *p, size_t index, struct room *r)
{
    const struct header *link = link_before(p, index);
    r->intact = r->frame && r->size > FCS && has_fcs(&p->frame, link->start, p->walk.header[index].start + r->size,
                                                                protocols->kinds[link->kind].fixed);
    if (r->intact)
        r->size -= FCS;
}

static bool zeros(const struct frame *f, size_t at, size_t end)
{
    while (at < end && frame_has(f, at, 1) && get8(f, at) == 0)
        at++;
    return at >= end;
}

/* Whether bytes behind a datagram fill an Ethernet frame up, with zeros, before an FCS also. Tags that were put in later do not count,
 * and nor does a link layer that Ethernet's was exchanged for. */
static bool padding(const struct frame *f, size_t start, size_t declared, const struct room *r)
{
    if (r->size <= LEAST_PAYLOAD)
        return zeros(f, start + declared, start + r->size);
    return r->size == LEAST_PAYLOAD + FCS && declared < LEAST_PAYLOAD && zeros(f, start + declared, start + LEAST_PAYLOAD);
}

/* Where a header says how long what it begins is. */
static size_t length_place(const struct header *h)
{
    return h->start + protocols->kinds[h->kind].length_at;
}

/* Bytes that such a number does not count. */
static size_t uncounted(const struct header *h)
{
    return (size_t)protocols->kinds[h->kind].end_bias;
}

/* Bytes of the largest datagram that the IP header at `index` can say. */
static size_t most(const struct packet_view *p, size_t index)
{
    return 0xFFFF + uncounted(&p->walk.header[index]);
}

/* Whether a header says how long the message is that it begins: a length that its checksum goes by, as that of UDP. */
static bool measures(const struct header *h)
{
    return protocols->kinds[h->kind].has_length && !carries_message(h);
}

static void look_again(struct packet_edit *e)
{
    walk_own(&e->view.walk, &e->view.frame, e->linktype);
}

static void declare(struct packet_edit *e, size_t index, size_t size)
{
    const struct header *h = &e->view.walk.header[index];
    put16(&e->frame, length_place(h), (unsigned)(size - uncounted(h)));
    look_again(e);                              /* with another length there may be more to see */
}

/* The header of the message that the IP header at `index` carries, if it says its length; NULL: it does not. */
static const struct header *measured(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index + 1], *end = &p->walk.header[p->walk.count];
    while (h < end && extends(h->kind))
        h++;
    return h < end && measures(h) ? h : NULL;
}

/* What the checksums of what the IP header at `index` carries say about the lengths. NOTHING: there are none. ELSEWHERE: some bytes
 * are in other packets, or were not captured. */
enum word { NOTHING, GOOD, BROKEN, ELSEWHERE, CONTRADICTED };

static enum word vouched(const struct packet_view *p, size_t index)
{
    for (size_t i = index; i < p->walk.count; i++) {
        const struct header *h = &p->walk.header[i];
        if (!carries_message(h))
            continue;
        struct message m;
        struct checksum c;
        enum outcome outcome = message_checksum(p, i, &m, &c);
        if (outcome == FRAGMENT || outcome == TRUNCATED || outcome == OBSCURE)
            return ELSEWHERE;
        if (outcome != CORRECTED)
            return CONTRADICTED;
        if (m.at + m.size > h->end)             /* past what holds it, or past what was captured */
            return within(p, m.at, m.size) ? CONTRADICTED : missing(p) == TRUNCATED ? ELSEWHERE : CONTRADICTED;
        enum verdict verdict = message_judged(&p->frame, &m, &c);
        if (c.size > 0 && verdict != NONE)
            return verdict == RIGHT || verdict == LEFT ? GOOD : BROKEN;
    }
    if (!p->walk.partial)
        return NOTHING;
    return p->walk.header[index].end == p->frame.size && missing(p) == TRUNCATED ? ELSEWHERE : CONTRADICTED;
}

/* What they say when the datagram has `size` bytes; and, with `inner`, when all that it carries goes to its end. */
static enum word vouched_with(struct packet_edit *e, size_t index, size_t size, bool inner)
{
    const struct packet_view *p = &e->view;
    const struct frame *f = &p->frame;
    size_t places[MAX_HEADERS], count = 0;
    unsigned before[MAX_HEADERS];
    if (size > most(p, index))
        return CONTRADICTED;
    for (size_t i = index; i < p->walk.count && (i == index || inner); i++) {
        const struct header *h = &p->walk.header[i];
        if (!protocols->kinds[h->kind].has_length)
            continue;
        size_t end = i == index ? h->start + size : wire_end(p, i), value = end - h->start - uncounted(h);
        if (end < h->start + protocols->kinds[h->kind].fixed || value > 0xFFFF)
            break;
        places[count] = length_place(h);
        before[count] = get16(f, places[count]);
        put16(&e->frame, places[count++], (unsigned)value);
        look_again(e);
    }
    enum word word = vouched(p, index);
    while (count-- > 0)
        put16(&e->frame, places[count], before[count]);
    look_again(e);
    return word;
}

static bool right_with(struct packet_edit *e, size_t index, size_t size, bool inner)
{
    return vouched_with(e, index, size, inner) == GOOD;
}

/* The size that follows from the lengths inside of a datagram, where it ends at the end of its room; 0: none is there. */
static size_t said_inside(struct packet_edit *e, size_t index, size_t room)
{
    const struct packet_view *p = &e->view;
    const struct frame *f = &p->frame;
    size_t start = p->walk.header[index].start, field = length_place(&p->walk.header[index]), size = 0;
    unsigned before = get16(f, field);
    if (room > most(p, index))
        return 0;
    declare(e, index, room);
    const struct header *h = measured(p, index);
    struct message m;
    size_t said = h != NULL ? get16(f, length_place(h)) + uncounted(h) : 0;
    if (h != NULL && said >= protocols->kinds[h->kind].fixed)
        size = h->start - start + said;
    else if (message_of(p, index, &m) == CORRECTED) {
        for (size_t i = index + 1; i < p->walk.count && p->walk.header[i].start <= m.at; i++) {
            h = &p->walk.header[i];             /* another datagram */
            if (h->start == m.at && carries_message(h) && datagram_size(f, h) >= protocols->kinds[h->kind].fixed)
                size = m.at - start + datagram_size(f, h);
        }
    }
    put16(&e->frame, field, before);
    look_again(e);
    return size <= room ? size : 0;
}

/* The size with which the checksum of a datagram is right that was filled up with zeros; 0: there is none. */
static size_t size_in_zeros(struct packet_edit *e, size_t index, size_t least_size, size_t room)
{
    const struct packet_view *p = &e->view;
    size_t start = p->walk.header[index].start, end = least(room, LEAST_PAYLOAD), size = end;
    while (size > least_size && get8(&p->frame, start + size - 1) == 0)
        size--;
    for (; room <= LEAST_PAYLOAD + FCS && size < end; size++)
        if (right_with(e, index, size, true))
            return size;
    return 0;
}

/* Bytes of the datagram at `index`, which does not end where its room ends. */
static size_t size_in(struct packet_edit *e, size_t index, size_t declared, size_t least_size, const struct room *r, enum doubt *doubt)
{
    const struct packet_view *p = &e->view;
    size_t start = p->walk.header[index].start, room = r->size;
    bool possible = declared >= least_size && declared < room;
    if (possible && padding(&p->frame, start, declared, r))
        return declared;
    enum word word = possible ? vouched(p, index) : CONTRADICTED;
    struct checksum own = header_checksum(p, index);
    if (word == NOTHING && own.size > 0 && checksum_read(&p->frame, &own) != own.value)
        word = BROKEN;                          /* then its own, of IPv4, covers the length */
    /* A frame that is too short for any wire has no trailer: somebody wrote it. */
    bool written = possible && room < LEAST_PAYLOAD;
    size_t inside = said_inside(e, index, room);
    if (word == GOOD) {
        *doubt = r->intact ? SURE : SHORTER;
        return declared;
    }
    bool filled = inside != 0 && padding(&p->frame, start, inside, r);
    if (word == NOTHING && written)
        return room;
    if ((word == NOTHING || word == ELSEWHERE) && (inside == 0 || inside >= declared)) {    /* nothing vouches for either */
        size_t size = inside > declared ? inside : declared;
        *doubt = size < room && !r->intact ? SHORTER : SURE;
        return size;
    }
    if (inside != 0 && inside != declared && right_with(e, index, inside, false)) {
        *doubt = inside < room && !filled ? SHORTER : SURE;
        return inside;
    }
    if (right_with(e, index, room, true)) {
        *doubt = zeros(&p->frame, start + room - 1, start + room) && room <= LEAST_PAYLOAD && !possible ? LONGER : SURE;
        return room;
    }
    if (possible && right_with(e, index, declared, true)) {
        *doubt = SHORTER;
        return declared;
    }
    size_t found = size_in_zeros(e, index, least_size, room);
    if (found != 0)
        return found;
    if (inside != 0 && !possible && vouched_with(e, index, inside, false) != CONTRADICTED) {
        *doubt = inside < room && !filled ? SHORTER : SURE;
        return inside;
    }
    if (possible && inside > declared)
        declared = inside;
    bool fcs = r->frame && r->outer && room > least_size + FCS;         /* of a frame that was changed since */
    if (!possible) {
        bool right = fcs && right_with(e, index, room - FCS, true);
        *doubt = right ? SHORTER : zeros(&p->frame, start + room - 1, start + room) && room <= LEAST_PAYLOAD ? LONGER : SURE;
        return right ? room - FCS : room;
    }
    bool least_frame = room == LEAST_PAYLOAD || room == LEAST_PAYLOAD + FCS;
    if (declared == room || written)
        return room;
    *doubt = (fcs && room - declared == FCS) || least_frame ? SHORTER : LONGER;
    return *doubt == SHORTER ? declared : room;
}

static bool set_datagram(struct packet_edit *e, size_t index, size_t least_size, enum doubt *doubt)
{
    const struct packet_view *p = &e->view;
    size_t declared = datagram_size(&p->frame, &p->walk.header[index]);
    struct room r = room_of(p, index);
    if (declared == r.size && declared >= least_size)
        return true;
    take_off_fcs(p, index, &r);
    if (declared == 0 && r.size > most(p, index)) {
        e->resized = true;
        set_jumbo(e, &p->walk.header[index], r.size);
        return true;
    }
    if (declared == r.size && declared >= least_size)
        return true;
    enum doubt found = SURE;
    size_t size = size_in(e, index, declared, least_size, &r, &found);
    if (size > most(p, index) || size < least_size)
        return size < least_size;
    e->resized |= size != declared;
    declare(e, index, size);
    if (*doubt == SURE)
        *doubt = found;
    return true;
}

/* The length of a message, which may say as well that it is a jumbogram. */
static void set_length(struct packet_edit *e, size_t index)
{
    const struct packet_view *p = &e->view;
    const struct frame *f = &p->frame;
    const struct header *h = &p->walk.header[index];
    const struct kind *k = &protocols->kinds[h->kind];
    size_t at = h->start, end = wire_end(p, index), size = end > at ? end - at : 0, outer = index, place = length_place(h);
    size_t declared = get16(f, place);
    while (outer > 0 && !carries_message(&p->walk.header[outer]))
        outer--;
    if (declared == size || (declared >= k->fixed && declared < size && vouched(p, outer) == GOOD))
        return;                                 /* a surplus area is no payload, RFC 9868 */
    if (size > 0xFFFF && p->walk.header[outer].exception == DATAGRAM_6 && k->sum->nothing == JUMBO_FOR_0)
        size = 0;                               /* RFC 2675 section 4 */
    else if (size < k->fixed || size > 0xFFFF)
        return;
    put16(&e->frame, place, (unsigned)size);
    e->resized = true;
    look_again(e);
}

bool correct_lengths(struct packet_edit *e, enum doubt *doubt)
{
    const struct packet_view *p = &e->view;
    *doubt = SURE;
    for (size_t i = 0; i < p->walk.count; i++) {    /* the outermost first: inner ones go by outer ones */
        const struct header *h = &p->walk.header[i];
        const struct kind *k = &protocols->kinds[h->kind];
        if (measures(h))
            set_length(e, i);
        if (!carries_message(h) || !k->has_length)
            continue;
        size_t head = datagram_head(&p->frame, h);
        bool whole = head >= k->fixed && within(p, h->start, head);     /* else it shows when checksums are computed */
        if (whole && !set_datagram(e, i, head, doubt))
            return false;
    }
    return true;
}
