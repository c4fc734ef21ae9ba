/* What tables of protocols cannot say. Each is named by the line `exception` of a description, and has its reason here; nothing else
 * of the codec names a protocol. Twin of ../python/exceptions.py.
 *
 * COOKED_TAGS: Linux's cooked sockets (SOCK_DGRAM) say what is behind all VLAN tags, take the outermost away, and show the others.
 * These have no EtherType in front, but one behind, and no version of IP: whether a tag stands there is a guess, from what would be
 * there if none did.
 *
 * PADDED: frames of Ethernet are filled up to a least size, and may end in a check sequence that no header announces: lengths.c
 * weighs both.
 *
 * DATAGRAM_4, DATAGRAM_6: the headers of IP. What they carry has a pseudo-header, whose parts are spread over the header, its options
 * and its extension headers; a size of 0 in them says several things, by what else is there; and a message may be one of several
 * fragments. To say that in tables would be to write this program in them.
 *
 * ROUTE, FRAGMENT_HEADER, SEAL: the extension headers that take part in that: one has the last address of a route, by rules of its
 * own for each type; one says that a message is a fragment; one authenticates addresses, so that a sum cannot just follow them.
 *
 * SEGMENTS: segments of TCP are followed: what their numbers count from, which octets came, and came again. That is the state of both
 * sides, in connections.c.
 */
#include "protocols.h"
#include "wire.h"
#include "words.h"

/* ---- COOKED_TAGS ---- */

/* Whether a datagram stands here that is as long as it says, or shorter than what there is. */
static bool whole_datagram(const struct frame *f, unsigned version, size_t at, size_t limit)
{
    size_t head = version == 4 ? IP_SIZE : IPV6_SIZE;
    if (limit < at || limit - at < head || ip_version(f, at) != version || (version == 4 && ip_header_size(f, at) < IP_SIZE))
        return false;
    size_t size = version == 4 ? ip_total(f, at) : ipv6_payload(f, at) + IPV6_SIZE;
    return size >= head && size <= limit - at;
}

static bool tag_stands(const struct frame *f, unsigned type, size_t at, size_t limit)
{
    unsigned version = type == ETHERTYPE_IP ? 4 : type == ETHERTYPE_IPV6 ? 6 : 0, next = tag_type(f, at);
    if ((version == 0 && type != ETHERTYPE_ARP) || limit < at || limit - at < TAG_SIZE)
        return false;
    if (version != 0 && ip_version(f, at) == version)   /* of a priority that looks like it */
        return next == type && !whole_datagram(f, version, at, limit) && whole_datagram(f, version, at + TAG_SIZE, limit);
    return next == type || is_tag(next);
}

/* The entry of a tag where one stands that nothing announced: a type announces something else. NULL: none does. */
const struct entry *cooked_tag(const struct space *types, const struct frame *f, unsigned type, size_t at, size_t limit)
{
    return tag_stands(f, type, at, limit) ? entry_of(types, ETHERTYPE_VLAN) : NULL;
}

/* ---- DATAGRAM_4, DATAGRAM_6, ROUTE, FRAGMENT_HEADER, SEAL: messages ---- */

/* What an extension header says that follows: the number that it asks first. */
unsigned extension_next(const struct frame *f, const struct header *h)
{
    const struct kind *k = &protocols->kinds[h->kind];
    return k->rules_count > 0 && k->rules->how == BY_SPACE ? read_number(&k->rules->read, f, h->start, h->end) & 0xFF : PROTO_IPV6_NONXT;
}

/* Whether a message says that it is none. */
bool is_nothing(const struct message *m)
{
    return m->protocol == PROTO_IPV6_NONXT;
}

enum { END_OF_OPTIONS = 0, NO_OPERATION = 1, LOOSE_ROUTE = 131, STRICT_ROUTE = 137 };   /* RFC 791 section 3.1 */
enum { PAD1 = 0, PADN = 1, JUMBO_PAYLOAD = 0xC2, HOME_ADDRESS = 0xC9 };   /* RFC 8200 section 4.2, RFC 2675 section 2, RFC 6275 section 6.3 */

/* Source routes (RFC 791 section 3.1, RFC 1122 section 3.2.1.8): while one is not used up, its last address is the destination. */
static void source_route(const struct frame *f, size_t at, size_t end, struct message *m)
{
    while (at < end && get8(f, at) != END_OF_OPTIONS) {
        unsigned type = get8(f, at);
        size_t size = type == NO_OPERATION ? 1 : get8(f, at + 1);
        if (size > end - at || (size < 2 && type != NO_OPERATION))
            return;
        if (type == LOOSE_ROUTE || type == STRICT_ROUTE) {
            if (size >= 7 && get8(f, at + 2) <= size)
                m->destination = (uint32_t)(at + 3 + ((size - 3) / 4 - 1) * 4);
            return;
        }
        at += size;
    }
}

/* Where the data of an IPv6 option of `size` bytes stand, in the extension header from `at` to `end` (RFC 8200 section 4.2). */
static size_t option_data(const struct frame *f, size_t at, size_t end, unsigned wanted, size_t size)
{
    for (at += 2; at + 2 <= end;) {
        unsigned type = get8(f, at);
        if (type == wanted && get8(f, at + 1) == size && size <= end - at - 2)
            return at + 2;
        at += type == PAD1 ? 1 : 2 + get8(f, at + 1);
    }
    return 0;
}

/* Where the IPv6 header at `at` has the payload size of a jumbogram, in four bytes (RFC 2675 section 2); 0: it has none. */
static size_t jumbo_place(const struct frame *f, size_t at)
{
    if (ipv6_payload(f, at) != 0 || ipv6_next(f, at) != PROTO_HOPOPT)
        return 0;
    size_t start = at + IPV6_SIZE, end = start + ((size_t)extension_length(f, start) + 1) * 8;
    return end <= f->size ? option_data(f, start, end, JUMBO_PAYLOAD, 4) : 0;
}

enum { SOURCE_ROUTE = 0, HOME_ROUTE = 2, RPL_ROUTE = 3, SEGMENT_ROUTE = 4 };   /* IANA "IPv6 Routing Types" */

/* With segments left, the pseudo-header has the last address of the route (RFC 8200 section 8.1): of type 0 the last one of the
 * list (RFC 2460 4.4), of type 2 the only one (RFC 6275 6.4), of type 3 the last one, which leaves out what it has in common
 * with the header's destination (RFC 6554 section 3), of type 4 the first one (RFC 8754 section 2). False: there is none.
 */
static bool route_end(const struct frame *f, const struct header *h, struct message *m)
{
    unsigned type = route_type(f, h->start), left = route_left(f, h->start);
    size_t size = (size_t)extension_length(f, h->start) * 8, list = h->start + EXTENSION_SIZE, shared = 0, tail = 0;
    if (left == 0)                              /* whatever its type: RFC 8200 section 4.4 */
        return true;
    m->obscure = type != SOURCE_ROUTE && type != HOME_ROUTE && type != RPL_ROUTE && type != SEGMENT_ROUTE;
    if (m->obscure)
        return true;
    if (type == RPL_ROUTE) {
        shared = get8(f, h->start + 4) & 15;
        tail = get8(f, h->start + 5) >> 4;
    } else if (type == SOURCE_ROUTE)
        tail = size % 16;
    if (size < tail + 16 - shared || list + size > h->end)
        return false;
    m->shared = (uint8_t)shared;
    m->destination = (uint32_t)(type == HOME_ROUTE || type == SEGMENT_ROUTE ? list : list + size - tail - (16 - shared));
    return true;
}

static enum outcome message_of_ip(const struct packet_view *p, size_t index, struct message *m)
{
    const struct frame *f = &p->frame;
    size_t at = p->walk.header[index].start, header_size = ip_header_size(f, at), total = ip_total(f, at);
    if (header_size < IP_SIZE)
        return MALFORMED;
    if (!within(p, at, header_size))
        return missing(p);
    if (total == 0)                             /* segmentation offload, see ip.protocol */
        total = wire_end(p, index) - at;
    if (total < header_size)
        return MALFORMED;
    m->protocol = (uint8_t)ip_protocol(f, at);
    m->at = at + header_size;
    m->size = total - header_size;
    m->source = (uint32_t)at + IP_SOURCE_AT;
    m->destination = (uint32_t)at + IP_DESTINATION_AT;
    if (header_size > IP_SIZE)
        source_route(f, at + IP_SIZE, at + header_size, m);
    for (size_t i = index + 1; i < p->walk.count; i++) {    /* AH: RFC 4302 section 3.1 */
        const struct header *h = &p->walk.header[i];
        if (h->start != m->at || h->end > at + total || !extends(h->kind))
            break;
        m->protocol = (uint8_t)extension_next(f, h);
        m->size -= h->end - m->at;
        m->at = h->end;
        m->sealed = true;
    }
    return ip_is_fragment(f, at) ? FRAGMENT : CORRECTED;
}

static enum outcome message_of_ipv6(const struct packet_view *p, size_t index, struct message *m)
{
    const struct frame *f = &p->frame;
    size_t at = p->walk.header[index].start, payload = ipv6_payload(f, at);
    size_t end = payload == 0 ? wire_end(p, index) : at + IPV6_SIZE + payload;      /* 0: a jumbogram, or segmentation offload */
    bool fragment = false, last = false;
    m->protocol = (uint8_t)ipv6_next(f, at);
    m->v6 = true;
    m->at = at + IPV6_SIZE;
    m->source = (uint32_t)at + IPV6_SOURCE_AT;
    m->destination = m->head = (uint32_t)at + IPV6_DESTINATION_AT;
    size_t i = index + 1;
    for (; i < p->walk.count && !last; i++) {
        const struct header *h = &p->walk.header[i];
        if (!extends(h->kind))
            break;
        if (h->exception == ROUTE && !route_end(f, h, m))
            return MALFORMED;
        size_t home = m->protocol == PROTO_IPV6_OPTS ? option_data(f, h->start, h->end, HOME_ADDRESS, 16) : 0;
        if (home != 0)
            m->source = (uint32_t)home;
        fragment |= h->exception == FRAGMENT_HEADER && ipv6_is_fragment(f, h->start);
        m->sealed |= h->exception == SEAL;
        last = has_rule(h->kind) && extension_next(f, h) == PROTO_IPV6_NONXT;     /* with a checksum it is a message itself */
        if (!last) {
            m->protocol = (uint8_t)extension_next(f, h);
            m->at = h->end;
        }
    }
    bool deeper = i == p->walk.count && !fragment && !last && is_extension(m->protocol);    /* than the walk, which ended there */
    if (m->at > end || deeper)
        return missing(p);
    m->size = end - m->at;
    return fragment ? FRAGMENT : CORRECTED;
}

/* What the IP header at `index` carries. `m` is filled in for fragments too: what a first one begins with. */
enum outcome message_of(const struct packet_view *p, size_t index, struct message *m)
{
    *m = (struct message){0};
    return p->walk.header[index].exception == DATAGRAM_4 ? message_of_ip(p, index, m) : message_of_ipv6(p, index, m);
}

/* The rule for a message that stands behind an IP header without options, is whole and covered as a whole, and its bytes: nearly all
 * are such. NULL: it has to be looked at in full.
 */
static inline const struct sum_rule *plain_rule(const struct packet_view *p, const struct header *h, size_t *bytes)
{
    const struct frame *f = &p->frame;
    bool v6 = h->exception == DATAGRAM_6;
    size_t fixed = v6 ? IPV6_SIZE : IP_SIZE, size;
    if (!within(p, h->start, fixed))
        return NULL;
    const uint8_t *ip = frame_range(f, h->start, fixed);
    if (v6)
        size = number16(ip + IPV6_PAYLOAD_AT);
    else {
        size = number16(ip + IP_TOTAL_AT) - (size_t)IP_SIZE;
        if ((ip[0] & 0x0F) * 4 != IP_SIZE || (number16(ip + IP_FRAGMENT_AT) & IP_FRAGMENTED) != 0)
            return NULL;
    }
    const struct sum_rule *r = protocols->carried[v6][ip[v6 ? IPV6_NEXT_AT : IP_PROTOCOL_AT]].rule;
    size_t at = h->start + fixed;
    if (r == NULL || !r->plain || size < r->least || size > f->size - at || (r->over == SAID && read_near(&r->covered, f, at) != size))
        return NULL;
    *bytes = size;
    return r;
}

/* Whether its checksum, and that of the header, are right beyond doubt: what else there may be to it, such as a 0 that says that
 * there is none, is not looked at. Where they are not, `sums` says more.
 */
bool right_plainly(const struct packet_view *p, size_t index, struct plain_sums *sums)
{
    const struct header *h = &p->walk.header[index];
    size_t size;
    const struct sum_rule *r = plain_rule(p, h, &size);
    if (r == NULL || r->bytes != 2) {
        *sums = (struct plain_sums){0};
        return false;
    }
    bool v6 = h->exception == DATAGRAM_6;
    size_t fixed = v6 ? IPV6_SIZE : IP_SIZE, source = v6 ? IPV6_SOURCE_AT : IP_SOURCE_AT;
    const uint8_t *ip = frame_range(&p->frame, h->start, fixed + size), *message = ip + fixed;
    bool header = v6 || sums_up(words(ip, IP_SIZE), ip + IP_CHECKSUM_AT);
    uint64_t total = words(message, size);
    if ((r->pseudo >> v6 & 1) != 0)
        total += words(ip + source, fixed - source) + words_of(size + ip[v6 ? IPV6_NEXT_AT : IP_PROTOCOL_AT]);
    bool right = sums_up(total, message + r->place);
    if (header && right)
        return true;
    *sums = (struct plain_sums){header, right, total - words_part(message, r->place)};
    return false;
}

/* The same as message_of and covering for such a message. False: it is none. */
bool plain_message(const struct packet_view *p, size_t index, struct message *m)
{
    const struct header *h = &p->walk.header[index];
    size_t size;
    const struct sum_rule *r = plain_rule(p, h, &size);
    if (r == NULL)
        return false;
    bool v6 = h->exception == DATAGRAM_6;
    uint32_t at = h->start;
    *m = (struct message){
        .at = at + (v6 ? IPV6_SIZE : IP_SIZE), .size = size, .covered = size, .length = size, .rule = r, .summed = true, .v6 = v6,
        .protocol = (uint8_t)(v6 ? ipv6_next(&p->frame, at) : ip_protocol(&p->frame, at)),
        .source = at + (v6 ? IPV6_SOURCE_AT : IP_SOURCE_AT), .destination = at + (v6 ? IPV6_DESTINATION_AT : IP_DESTINATION_AT),
        .head = v6 ? at + IPV6_DESTINATION_AT : 0, .pseudo = r->pseudo >> v6 & 1,
        .other = r->also == ALSO_MESSAGE || (r->also >> v6 & 1) != 0, .place = r->place, .bytes = r->bytes,
    };
    return r->zero != MISSING || get16(&p->frame, m->at + m->place) != 0;
}

/* Where in its datagram the fragment stands that the IP header at `index` begins, in the units of its header; 0: it is the first one. */
unsigned fragment_offset(const struct packet_view *p, size_t index)
{
    const struct header *h = &p->walk.header[index];
    if (h->exception == DATAGRAM_4)
        return ip_offset(&p->frame, h->start);
    while (h < &p->walk.header[p->walk.count - 1] && h->exception != FRAGMENT_HEADER)
        h++;
    return h->exception == FRAGMENT_HEADER ? ipv6_offset(&p->frame, h->start) : 0;
}

/* Where an IP header says what it carries, in a byte; and where the names of the ends begin, which go to the end of the header. */
struct named named_by(const struct header *h)
{
    bool v4 = h->exception == DATAGRAM_4;
    return (struct named){h->start + (v4 ? IP_PROTOCOL_AT : IPV6_NEXT_AT), h->start + (v4 ? IP_SOURCE_AT : IPV6_SOURCE_AT)};
}

/* ---- DATAGRAM_4, DATAGRAM_6: sizes ---- */

/* Bytes of an IP header, by what it says. */
size_t datagram_head(const struct frame *f, const struct header *h)
{
    return h->exception == DATAGRAM_4 ? ip_header_size(f, h->start) : IPV6_SIZE;
}

/* Bytes of its datagram, by what it says; 0: it says none. */
size_t datagram_said(const struct frame *f, const struct header *h)
{
    if (h->exception == DATAGRAM_4)
        return ip_total(f, h->start);
    unsigned payload = ipv6_payload(f, h->start);
    return payload != 0 ? IPV6_SIZE + payload : 0;
}

/* The same; 0 says nothing, see ipv6.protocol, unless nothing follows, RFC 8200 section 4.7. */
size_t datagram_size(const struct frame *f, const struct header *h)
{
    size_t said = datagram_said(f, h);
    return said == 0 && h->exception == DATAGRAM_6 && ipv6_next(f, h->start) == PROTO_IPV6_NONXT ? IPV6_SIZE : said;
}

/* A datagram beyond what its header can say: 0 stays. Without the option that is segmentation offload, see ip.protocol,
 * ipv6.protocol. */
void set_jumbo(const struct packet_edit *e, const struct header *h, size_t size)
{
    size_t option = h->exception == DATAGRAM_6 ? jumbo_place(&e->view.frame, h->start) : 0;
    if (option == 0)
        return;
    put16(&e->frame, option, (unsigned)((size - IPV6_SIZE) >> 16));
    put16(&e->frame, option + 2, (size - IPV6_SIZE) & 0xFFFF);
}

/* Bytes of the extension header that says the size of a jumbogram, and that alone; 0: there is none such. */
size_t oversize_header(const struct frame *f, const struct header *h)
{
    bool alone = h->exception == DATAGRAM_6 && jumbo_place(f, h->start) != 0 && extension_length(f, h->start + IPV6_SIZE) == 0;
    return alone ? EXTENSION_SIZE : 0;
}

/* Of the bytes in front of what is no jumbogram any more, takes away what says the size of one: that header, or the option in it.
 * Returns how many are gone.
 */
size_t leave_oversize(const struct writable_frame *head, const struct header *h)
{
    size_t place = h->exception == DATAGRAM_6 ? jumbo_place(&head->view, h->start) : 0, at = h->start + IPV6_SIZE, behind = at + EXTENSION_SIZE;
    if (place == 0)
        return 0;
    if (oversize_header(&head->view, h) == 0) {
        put8(head, place - 2, PADN);
        put16(head, place, 0);
        put16(head, place + 2, 0);
        return 0;
    }
    put8(head, h->start + IPV6_NEXT_AT, get8(&head->view, at));
    memmove(writable_range(head, at, 0), frame_range(&head->view, behind, head->view.size - behind), head->view.size - behind);
    return EXTENSION_SIZE;
}

/* Bytes of a datagram that has such an option, by what that says; 0: it has none. */
size_t size_apart(const struct frame *f, const struct header *h)
{
    size_t option = h->exception == DATAGRAM_6 ? jumbo_place(f, h->start) : 0;
    return option != 0 ? (size_t)IPV6_SIZE + get32(f, option) : 0;
}

/* Whether a datagram of so many bytes may have one (RFC 2675 section 3). */
bool size_apart_legal(size_t size)
{
    return size > IPV6_SIZE + 0xFFFF && size <= IPV6_SIZE + (size_t)UINT32_MAX;
}

enum { IP_LEAST_MTU = 576, IPV6_LEAST_MTU = 1280 };     /* RFC 791 section 3.1, RFC 8200 section 5 */

/* A size of 0 in an IP header is how segmentation offload shows what is too long to say, or what it has yet to cut: more than
 * the least size that every link carries. In IPv6 it may also be a jumbogram that says its size (RFC 2675), or nothing.
 */
static bool zero_sound(const struct frame *f, const struct header *h)
{
    size_t size = h->end - h->start;
    if (h->exception == DATAGRAM_4)
        return size > IP_LEAST_MTU;
    size_t jumbo = jumbo_place(f, h->start);
    if (jumbo != 0)
        return get32(f, jumbo) == size - IPV6_SIZE;
    return size > IPV6_LEAST_MTU || ipv6_next(f, h->start) == PROTO_IPV6_NONXT;
}

/* Whether an IP header says what can be. */
bool datagram_sound(const struct frame *f, const struct header *h)
{
    return ip_version(f, h->start) == (h->exception == DATAGRAM_4 ? 4 : 6) && (datagram_said(f, h) != 0 || zero_sound(f, h));
}
