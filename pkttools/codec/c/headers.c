/* Finds the headers of a frame, outermost first. Reading never judges: a header is there when its fixed part was
 * captured, whatever it says; what cannot be followed is data of the header above it.
 */
#include "codec.h"

const char *const header_names[HEADER_KINDS] = {
    "UNKNOWN", "LOOPBACK", "LOOP", "SLL", "SLL2", "PKTAP", "PKTAP_BE", "ETHERNET", "VLAN", "ARP", "IP", "IPV6",
    "IPV6_OPTIONS", "IPV6_ROUTING", "IPV6_FRAGMENT", "IPV6_AH", "ICMP", "IGMP", "TCP", "UDP", "ICMPV6", "SCTP", "GRE", "VXLAN",
};

enum { LINKTYPE_NULL = 0, LINKTYPE_ETHERNET = 1, LINKTYPE_RAW = 101, LINKTYPE_LOOP = 108, LINKTYPE_SLL = 113,
       LINKTYPE_USER2 = 149, LINKTYPE_IPV4 = 228, LINKTYPE_IPV6 = 229, LINKTYPE_PKTAP = 258, LINKTYPE_SLL2 = 276 };
enum { DLT_RAW_12 = 12, DLT_RAW_14 = 14 };      /* raw IP on some systems */
enum { PKTAP_SIZE = 108, PKTAP_PACKET = 1 };    /* bytes of the older header; the type of what follows: a packet */

static bool is_raw(int64_t linktype)
{
    return linktype == LINKTYPE_RAW || linktype == DLT_RAW_12 || linktype == DLT_RAW_14;
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
    struct header *h = found(w, ETHERNET, at, ETHERNET_SIZE, limit);
    if (h == NULL)
        w->partial |= w->count > 0;
    else if (ethernet_type(f, at) == ETHERTYPE_IP)      /* most of all; a call less */
        h->data = walk_ip(w, f, at + ETHERNET_SIZE, limit);
    else {
        h->data = walk_type(w, f, ethernet_type(f, at), at + ETHERNET_SIZE, limit, false);
        if (h->data == at + ETHERNET_SIZE && ethernet_type(f, at) < LEAST_ETHERTYPE)
            w->beyond = beyond_llc(f, at + ETHERNET_SIZE);
    }
}

/* Generic routing encapsulation, RFC 2784 and RFC 2890. Version 1 (RFC 2637) and source routes (RFC 1701) are data. */
static void walk_gre(struct walk *w, const struct frame *f, size_t at, size_t end)
{
    struct header *h = found(w, GRE, at, GRE_SIZE, end);
    if (h == NULL)
        return;
    unsigned flags = gre_flags(f, at), type = gre_type(f, at);
    size_t size = GRE_SIZE + 4 * (((flags & GRE_CHECKSUM) != 0) + ((flags & GRE_KEY) != 0) + ((flags & GRE_SEQUENCE) != 0));
    if (!gre_plain(flags))
        w->beyond = beyond_gre(flags);
    if (!gre_plain(flags) || size > end - at)
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
    if (found(w, VXLAN, at, VXLAN_SIZE, end) != NULL && (get8(f, at) & 8) != 0)
        walk_ethernet(w, f, at + VXLAN_SIZE, end);
}

/* What an IP header carries. Gives where its bytes end, or `at` when there is none that 1.16 knew: the data of the IP
 * header, by its names, then go on to its end, over what a tunnel has in it. */
static size_t walk_message(struct walk *w, const struct frame *f, unsigned protocol, bool v6, size_t at, size_t end)
{
    struct header *h = NULL;
    if (protocol == PROTO_TCP)
        h = found(w, TCP, at, TCP_SIZE, end);
    else if (protocol == PROTO_UDP) {
        size_t size = udp_length(f, at);        /* 0: a jumbogram (RFC 2675 section 4); 1 to 7: nonsense */
        h = found(w, UDP, at, UDP_SIZE, size >= UDP_SIZE ? least(at + size, end) : end);
        if (h != NULL && udp_destination(f, at) == PORT_VXLAN)    /* RFC 7348 section 5 */
            walk_vxlan(w, f, at + UDP_SIZE, h->end);
        else if (h != NULL)
            w->beyond = beyond_udp(f, at, h->end);
    } else if (protocol == PROTO_ICMP && !v6) {
        h = found(w, ICMP, at, ICMP_SIZE, end);
        if (h != NULL)
            h->data = least(at + 28, end);      /* 1.16: behind the whole of BSD's struct icmp */
    } else if (protocol == PROTO_IGMP && !v6)
        h = found(w, IGMP, at, IGMP_SIZE, end);
    else if (protocol == PROTO_IPV6_ICMP && v6) {
        h = found(w, ICMPV6, at, ICMP_SIZE, end);
        if (h != NULL)
            h->data = end;                      /* 1.16: ICMPV6.DATA is a field of four bytes */
    } else if (protocol == PROTO_SCTP)
        found(w, SCTP, at, SCTP_SIZE, end);
    else if (protocol == PROTO_GRE)
        walk_gre(w, f, at, end);
    else if (protocol == PROTO_IPV4)            /* RFC 2003; in IPv6: RFC 2473 */
        walk_ip(w, f, at, end);
    else if (protocol == PROTO_IPV6)            /* RFC 4213; in IPv6: RFC 2473 */
        walk_ipv6(w, f, at, end);
    else if (at < end)
        w->beyond = beyond_protocol(f, protocol, at);
    return h != NULL ? h->end : at;
}

static size_t walk_ip(struct walk *w, const struct frame *f, size_t at, size_t limit)
{
    size_t header_size = ip_header_size(f, at), total = ip_total(f, at);
    /* Total 0 is how segmentation offload shows a datagram beyond 65,535 bytes: it goes on to the end of the frame. */
    size_t end = total == 0 ? limit : least(at + total, limit);
    struct header *h = found(w, IP, at, IP_SIZE, most(end, least(at + IP_SIZE, limit)));
    if (h == NULL) {
        w->partial = true;
        return at;
    }
    size_t payload = at + header_size;
    if (header_size < IP_SIZE)
        return h->end;
    h->data = least(payload, h->end);
    if (payload <= h->end && !ip_is_fragment(f, at))
        h->data = walk_message(w, f, ip_protocol(f, at), false, payload, h->end);
    return h->end;
}

/* RFC 8200 section 4.1; Mobility Headers, HIP and Shim6 are built like options. UNKNOWN is no extension header. */
enum header_kind extension(unsigned protocol)
{
    switch (protocol) {
    case PROTO_HOPOPT: case PROTO_IPV6_OPTS: case PROTO_MOBILITY: case PROTO_HIP: case PROTO_SHIM6: return IPV6_OPTIONS;
    case PROTO_IPV6_ROUTE: return IPV6_ROUTING;
    case PROTO_IPV6_FRAG: return IPV6_FRAGMENT;
    case PROTO_AH: return IPV6_AH;
    default: return UNKNOWN;
    }
}

/* Bytes of an extension header by its own fields, RFC 8200 section 4 and RFC 4302 section 2.2. */
static size_t extension_size(enum header_kind kind, unsigned length)
{
    return kind == IPV6_FRAGMENT ? EXTENSION_SIZE : kind == IPV6_AH ? (length + 2) * 4 : (length + 1) * 8;
}

static size_t walk_ipv6(struct walk *w, const struct frame *f, size_t at, size_t limit)
{
    size_t payload = ipv6_payload(f, at);
    size_t end = payload == 0 ? limit : least(at + IPV6_SIZE + payload, limit);
    struct header *h = found(w, IPV6, at, IPV6_SIZE, most(end, least(at + IPV6_SIZE, limit)));
    if (h == NULL) {
        w->partial = true;
        return at;
    }
    unsigned next = ipv6_next(f, at);
    for (at += IPV6_SIZE;;) {
        enum header_kind kind = extension(next);
        if (kind == UNKNOWN) {
            h->data = walk_message(w, f, next, true, at, h->end);
            return h->end;
        }
        size_t size = extension_size(kind, extension_length(f, at));
        struct header *h6 = size > h->end - at ? NULL : found(w, kind, at, EXTENSION_SIZE, at + size);
        h->data = at;
        if (h6 == NULL)
            return h->end;
        h6->data = at + 2;
        bool fragment = kind == IPV6_FRAGMENT && ipv6_is_fragment(f, at);
        next = extension_next(f, at);
        at += size;
        h->data = at;
        if (fragment)
            return h->end;
    }
}

/* Whether a datagram stands here that is as long as it says, or shorter than what there is. */
static bool whole_datagram(const struct frame *f, unsigned version, size_t at, size_t limit)
{
    size_t head = version == 4 ? IP_SIZE : IPV6_SIZE;
    if (limit < at || limit - at < head || ip_version(f, at) != version || (version == 4 && ip_header_size(f, at) < IP_SIZE))
        return false;
    size_t size = version == 4 ? ip_total(f, at) : ipv6_payload(f, at) + IPV6_SIZE;
    return size >= head && size <= limit - at;
}

/* Whether a tag stands where a type announces something else. Linux's cooked sockets (SOCK_DGRAM) say what is behind all tags,
 * take the outermost away, and show the others: these have no EtherType in front, but one behind, and no version of IP. */
static bool unannounced_tag(const struct frame *f, unsigned type, size_t at, size_t limit)
{
    unsigned version = type == ETHERTYPE_IP ? 4 : type == ETHERTYPE_IPV6 ? 6 : 0, next = tag_type(f, at);
    if ((version == 0 && type != ETHERTYPE_ARP) || limit < at || limit - at < TAG_SIZE)
        return false;
    if (version != 0 && ip_version(f, at) == version)    /* of a priority that looks like it */
        return next == type && !whole_datagram(f, version, at, limit) && whole_datagram(f, version, at + TAG_SIZE, limit);
    return next == type || is_tag(next);
}

/* What an EtherType announces, behind any number of tags. Gives where it ends. cooked: of a Linux cooked capture. */
static size_t walk_type(struct walk *w, const struct frame *f, unsigned type, size_t at, size_t limit, bool cooked)
{
    while (is_tag(type) || (cooked && unannounced_tag(f, type, at, limit))) {
        if (found(w, VLAN, at, TAG_SIZE, least(at + TAG_SIZE, limit)) == NULL) {
            w->partial |= w->count == MAX_HEADERS;
            return at;
        }
        type = tag_type(f, at);
        at += TAG_SIZE;
    }
    if (type == ETHERTYPE_IP)
        return walk_ip(w, f, at, limit);
    if (type == ETHERTYPE_IPV6)
        return walk_ipv6(w, f, at, limit);
    if (type == ETHERTYPE_ARP) {
        struct header *h = found(w, ARP, at, ARP_SIZE, least(at + ARP_SIZE, limit));
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
        type = sll_type(f, at);
    } else if (linktype == LINKTYPE_SLL2) {
        h = found(w, SLL2, at, 20, f->size);
        type = sll2_type(f, at);
    } else if (linktype == LINKTYPE_IPV4)
        walk_ip(w, f, at, f->size);
    else if (linktype == LINKTYPE_IPV6)
        walk_ipv6(w, f, at, f->size);
    else if (is_raw(linktype)) {
        if (ip_version(f, at) == 4)
            walk_ip(w, f, at, f->size);
        else if (ip_version(f, at) == 6)
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
