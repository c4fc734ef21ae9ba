/* Finds the headers of a frame, outermost first. Reading never judges: a header is there when its fixed part was
 * captured, whatever it says; what cannot be followed is data of the header above it.
 */
#include "codec.h"

const char *const header_names[HEADER_KINDS] = {
    "UNKNOWN", "LOOPBACK", "LOOP", "SLL", "SLL2", "PKTAP", "PKTAP_BE", "ETHERNET", "VLAN", "ARP", "IP", "IPV6",
    "IPV6_OPTIONS", "IPV6_ROUTING", "IPV6_FRAGMENT", "IPV6_AH", "ICMP", "IGMP", "TCP", "UDP", "ICMPV6", "SCTP", "GRE", "VXLAN",
};

enum { ETHERTYPE_IP = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_BRIDGE = 0x6558, ETHERTYPE_IPV6 = 0x86DD };
enum { VXLAN_PORT = 4789 };                     /* RFC 7348 section 5 */
enum { LINKTYPE_NULL = 0, LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101, LINKTYPE_LOOP = 108, LINKTYPE_SLL = 113,
       LINKTYPE_USER2 = 149, LINKTYPE_IPV4 = 228, LINKTYPE_IPV6 = 229, LINKTYPE_PKTAP = 258, LINKTYPE_SLL2 = 276 };
enum { PKTAP_SIZE = 108, PKTAP_PACKET = 1 };    /* bytes of the older header; the type of what follows: a packet */

static bool is_raw(int64_t linktype)
{
    return linktype == LINKTYPE_RAW || linktype == 12 || linktype == 14;    /* 12, 14: DLT_RAW of some systems */
}

static bool is_pktap(int64_t linktype)
{
    return linktype == LINKTYPE_PKTAP || linktype == LINKTYPE_USER2;    /* as Apple writes it, a number for private use */
}

bool known_link(int64_t linktype)
{
    return linktype == LINKTYPE_NULL || linktype == LINKTYPE_ETHERNET || linktype == LINKTYPE_LOOP || linktype == LINKTYPE_SLL
        || linktype == LINKTYPE_SLL2 || linktype == LINKTYPE_IPV4 || linktype == LINKTYPE_IPV6 || is_raw(linktype)
        || is_pktap(linktype);
}

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* Adds a header of `fixed` bytes; its data begin behind them and go to `end`. NULL when it does not fit. */
static struct header *found(struct walk *w, enum header_kind kind, size_t start, size_t fixed, size_t end)
{
    if (w->count == MAX_HEADERS || end < start || end - start < fixed)
        return NULL;
    struct header *h = &w->header[w->count++];
    *h = (struct header){kind, start, start + fixed, end};
    return h;
}

static size_t walk_ip(struct walk *w, const struct frame *f, size_t at, size_t limit);
static size_t walk_ipv6(struct walk *w, const struct frame *f, size_t at, size_t limit);
static size_t walk_type(struct walk *w, const struct frame *f, unsigned type, size_t at, size_t limit, bool cooked);
static void walk_link(struct walk *w, const struct frame *f, int64_t linktype, size_t at);

/* A whole Ethernet frame, the outermost or one in a tunnel. */
static void walk_ethernet(struct walk *w, const struct frame *f, size_t at, size_t limit)
{
    struct header *h = found(w, ETHERNET, at, 14, limit);
    if (h == NULL)
        w->partial |= w->count > 0;
    else if (get16(f, at + 12) == ETHERTYPE_IP) /* most of all; a call less */
        h->data = walk_ip(w, f, at + 14, limit);
    else {
        h->data = walk_type(w, f, get16(f, at + 12), at + 14, limit, false);
        if (h->data == at + 14 && get16(f, at + 12) < 0x600)    /* a length, IEEE 802.3 clause 3.2.6 */
            w->beyond = beyond_llc(f, at + 14);
    }
}

/* Generic routing encapsulation, RFC 2784 and RFC 2890. Version 1 (RFC 2637) and source routes (RFC 1701) are data. */
static void walk_gre(struct walk *w, const struct frame *f, size_t at, size_t end)
{
    struct header *h = found(w, GRE, at, 4, end);
    if (h == NULL)
        return;
    unsigned flags = get16(f, at), type = get16(f, at + 2);
    size_t size = 4 + 4 * ((flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1));  /* checksum, key, sequence */
    if ((flags & 0x4007) != 0)
        w->beyond = beyond_gre(flags);
    if ((flags & 0x4007) != 0 || size > end - at)
        return;
    h->data = at + size;
    if (type == ETHERTYPE_BRIDGE)
        walk_ethernet(w, f, h->data, end);
    else
        walk_type(w, f, type, h->data, end, false);
}

/* A virtual LAN inside UDP, RFC 7348 section 5: a frame behind eight bytes, if a flag says that they count. */
static void walk_vxlan(struct walk *w, const struct frame *f, size_t at, size_t end)
{
    if (found(w, VXLAN, at, 8, end) != NULL && (get8(f, at) & 8) != 0)
        walk_ethernet(w, f, at + 8, end);
}

/* What an IP header carries. Gives where its bytes end, or `at` when there is none that 1.16 knew: the data of the IP
 * header, by its names, then go on to its end, over what a tunnel has in it. */
static size_t walk_message(struct walk *w, const struct frame *f, unsigned protocol, bool v6, size_t at, size_t end)
{
    struct header *h = NULL;
    if (protocol == 6)
        h = found(w, TCP, at, 20, end);
    else if (protocol == 17) {
        size_t size = get16(f, at + 4);         /* 0: a jumbogram (RFC 2675 section 4); 1 to 7: nonsense */
        h = found(w, UDP, at, 8, size >= 8 ? least(at + size, end) : end);
        if (h != NULL && get16(f, at + 2) == VXLAN_PORT)
            walk_vxlan(w, f, at + 8, h->end);
        else if (h != NULL)
            w->beyond = beyond_udp(f, at, h->end);
    } else if (protocol == 1 && !v6) {
        h = found(w, ICMP, at, 4, end);
        if (h != NULL)
            h->data = least(at + 28, end);      /* 1.16: behind the whole of BSD's struct icmp */
    } else if (protocol == 2 && !v6)
        h = found(w, IGMP, at, 8, end);
    else if (protocol == 58 && v6) {
        h = found(w, ICMPV6, at, 4, end);
        if (h != NULL)
            h->data = end;                      /* 1.16: ICMPV6.DATA is a field of four bytes */
    } else if (protocol == 132)
        found(w, SCTP, at, 12, end);
    else if (protocol == 47)
        walk_gre(w, f, at, end);
    else if (protocol == 4)                     /* RFC 2003; in IPv6: RFC 2473 */
        walk_ip(w, f, at, end);
    else if (protocol == 41)                    /* RFC 4213; in IPv6: RFC 2473 */
        walk_ipv6(w, f, at, end);
    else if (at < end)
        w->beyond = beyond_protocol(f, protocol, at);
    return h != NULL ? h->end : at;
}

static size_t walk_ip(struct walk *w, const struct frame *f, size_t at, size_t limit)
{
    size_t header_size = (get8(f, at) & 15) * 4, total = get16(f, at + 2);
    /* Total 0 is how segmentation offload shows a datagram beyond 65,535 bytes: it goes on to the end of the frame. */
    size_t end = total == 0 ? limit : least(at + total, limit);
    struct header *h = found(w, IP, at, 20, most(end, least(at + 20, limit)));
    if (h == NULL) {
        w->partial = true;
        return at;
    }
    size_t payload = at + header_size;
    if (header_size < 20)
        return h->end;
    h->data = least(payload, h->end);
    if (payload <= h->end && (get16(f, at + 6) & 0x3FFF) == 0)
        h->data = walk_message(w, f, get8(f, at + 9), false, payload, h->end);
    return h->end;
}

/* RFC 8200 section 4.1; 135, 139, 140 (mobility, HIP, shim6) are built like options. UNKNOWN is no extension header. */
enum header_kind extension(unsigned protocol)
{
    switch (protocol) {
    case 0: case 60: case 135: case 139: case 140: return IPV6_OPTIONS;
    case 43: return IPV6_ROUTING;
    case 44: return IPV6_FRAGMENT;
    case 51: return IPV6_AH;
    default: return UNKNOWN;
    }
}

/* Bytes of an extension header by its own fields, RFC 8200 section 4 and RFC 4302 section 2.2. */
static size_t extension_size(enum header_kind kind, unsigned length)
{
    return kind == IPV6_FRAGMENT ? 8 : kind == IPV6_AH ? (length + 2) * 4 : (length + 1) * 8;
}

static size_t walk_ipv6(struct walk *w, const struct frame *f, size_t at, size_t limit)
{
    size_t payload = get16(f, at + 4);
    size_t end = payload == 0 ? limit : least(at + 40 + payload, limit);
    struct header *h = found(w, IPV6, at, 40, most(end, least(at + 40, limit)));
    if (h == NULL) {
        w->partial = true;
        return at;
    }
    unsigned next = get8(f, at + 6);
    for (at += 40;;) {
        enum header_kind kind = extension(next);
        if (kind == UNKNOWN) {
            h->data = walk_message(w, f, next, true, at, h->end);
            return h->end;
        }
        size_t size = extension_size(kind, get8(f, at + 1));
        struct header *h6 = size > h->end - at ? NULL : found(w, kind, at, 8, at + size);
        h->data = at;
        if (h6 == NULL)
            return h->end;
        h6->data = at + 2;
        bool piece = kind == IPV6_FRAGMENT && (get16(f, at + 2) & 0xFFF9) != 0;
        next = get8(f, at);
        at += size;
        h->data = at;
        if (piece)                              /* RFC 6946: an atomic fragment is a whole datagram */
            return h->end;
    }
}

static bool is_tag(unsigned type) { return type == 0x8100 || type == 0x88A8 || type == 0x9100 || type == 0x9200; }

/* Whether a datagram stands here that is as long as it says, or shorter than what there is. */
static bool whole_datagram(const struct frame *f, unsigned version, size_t at, size_t limit)
{
    size_t head = version == 4 ? 20 : 40;
    if (limit < at || limit - at < head || get8(f, at) >> 4 != version || (version == 4 && (get8(f, at) & 15) < 5))
        return false;
    size_t size = version == 4 ? get16(f, at + 2) : get16(f, at + 4) + 40;
    return size >= head && size <= limit - at;
}

/* Whether a tag stands where a type announces something else. Linux's cooked sockets (SOCK_DGRAM) say what is behind all tags,
 * take the outermost away, and show the others: these have no EtherType in front, but one behind, and no version of IP. */
static bool unannounced_tag(const struct frame *f, unsigned type, size_t at, size_t limit)
{
    unsigned version = type == ETHERTYPE_IP ? 4 : type == ETHERTYPE_IPV6 ? 6 : 0, next = get16(f, at + 2);
    if ((version == 0 && type != ETHERTYPE_ARP) || limit < at || limit - at < 4)
        return false;
    if (version != 0 && get8(f, at) >> 4 == version)    /* of a priority that looks like it */
        return next == type && !whole_datagram(f, version, at, limit) && whole_datagram(f, version, at + 4, limit);
    return next == type || is_tag(next);
}

/* What an EtherType announces, behind any number of tags. Gives where it ends. cooked: of a Linux cooked capture. */
static size_t walk_type(struct walk *w, const struct frame *f, unsigned type, size_t at, size_t limit, bool cooked)
{
    while (is_tag(type) || (cooked && unannounced_tag(f, type, at, limit))) {
        if (found(w, VLAN, at, 4, least(at + 4, limit)) == NULL) {
            w->partial |= w->count == MAX_HEADERS;
            return at;
        }
        type = get16(f, at + 2);
        at += 4;
    }
    if (type == ETHERTYPE_IP)
        return walk_ip(w, f, at, limit);
    if (type == ETHERTYPE_IPV6)
        return walk_ipv6(w, f, at, limit);
    if (type == ETHERTYPE_ARP) {
        struct header *h = found(w, ARP, at, 28, least(at + 28, limit));
        return h != NULL ? h->end : at;
    }
    if (at < limit)
        w->beyond = beyond_type(type);
    return at;
}

/* The address families that systems write in front of loopback packets: BSD, macOS, Linux. */
static unsigned family_type(uint32_t family)
{
    if (family > 0xFFFF)                        /* in the byte order of the machine that wrote it */
        family = reversed(family);
    return family == 2 ? ETHERTYPE_IP
        : family == 10 || family == 23 || family == 24 || family == 28 || family == 30 ? ETHERTYPE_IPV6 : 0;
}

/* What Apple puts in front of a frame: struct pktap_header of xnu, bsd/net/pktap.h, and
 * https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html. Its integers are in the byte order of the machine that captured: the
 * little-endian one, unless the length fits in 16 bits only the other way round. All that need to know go by the kind.
 */
static void walk_pktap(struct walk *w, const struct frame *f, size_t at)
{
    bool big = get32(f, at) <= 0xFFFF && reversed(get32(f, at)) > 0xFFFF;
    struct header *h = found(w, big ? PKTAP_BE : PKTAP, at, PKTAP_SIZE, f->size);
    if (h == NULL)
        return;
    uint32_t length = get32(f, at), next = get32(f, at + 4), link = get32(f, at + 8);
    if (!big) {
        length = reversed(length);
        next = reversed(next);
        link = reversed(link);
    }
    if (length < PKTAP_SIZE || length > f->size - at) {
        w->partial = true;
        return;
    }
    h->data = at + length;
    if (next == PKTAP_PACKET) {
        size_t count = w->count;
        walk_link(w, f, link, h->data);
        w->partial |= w->count == count && known_link(link);
    }
}

/* A frame of a link type, the whole one or that of a capture in it. Nothing is found where it is of no type that we know. */
static void walk_link(struct walk *w, const struct frame *f, int64_t linktype, size_t at)
{
    struct header *h = NULL;
    unsigned type = 0;
    if (linktype == LINKTYPE_ETHERNET)
        walk_ethernet(w, f, at, f->size);
    else if (linktype == LINKTYPE_NULL || linktype == LINKTYPE_LOOP) {
        h = found(w, linktype == LINKTYPE_NULL ? LOOPBACK : LOOP, at, 4, f->size);
        type = family_type(get32(f, at));
    } else if (linktype == LINKTYPE_SLL) {
        h = found(w, SLL, at, 16, f->size);
        type = get16(f, at + 14);
    } else if (linktype == LINKTYPE_SLL2) {
        h = found(w, SLL2, at, 20, f->size);
        type = get16(f, at);
    } else if (linktype == LINKTYPE_IPV4)
        walk_ip(w, f, at, f->size);
    else if (linktype == LINKTYPE_IPV6)
        walk_ipv6(w, f, at, f->size);
    else if (is_raw(linktype)) {
        if (get8(f, at) >> 4 == 4)
            walk_ip(w, f, at, f->size);
        else if (get8(f, at) >> 4 == 6)
            walk_ipv6(w, f, at, f->size);
    } else if (is_pktap(linktype))
        walk_pktap(w, f, at);
    else if (at < f->size)
        w->beyond = beyond_link(linktype);
    if (h != NULL) {
        size_t start = h->data;
        h->data = walk_type(w, f, type, start, f->size, h->kind == SLL || h->kind == SLL2);
        if ((h->kind == SLL || h->kind == SLL2) && type == 4)   /* 802.2 */
            w->beyond = beyond_llc(f, start);
    }
}

/* What is said at `struct header`. */
static inline bool in_order(const struct walk *w, const struct frame *f)
{
    bool holds = w->count > 0;
    for (const struct header *h = w->header; h < w->header + w->count; h++)
        holds &= h->start <= h->data && h->data <= h->end && h->end <= f->size && (h == w->header || h[-1].start < h->start);
    return holds;
}

void walk(struct walk *w, const struct frame *f, int64_t linktype)
{
    w->count = 0;
    w->partial = false;
    w->beyond = 0;
    if (linktype == LINKTYPE_ETHERNET)          /* most of all; a call less */
        walk_ethernet(w, f, 0, f->size);
    else
        walk_link(w, f, linktype, 0);
    if (w->count == 0)
        found(w, UNKNOWN, 0, 0, f->size);
    HOLDS(in_order(w, f));
}
