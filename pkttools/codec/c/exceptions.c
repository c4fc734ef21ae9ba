/* What tables of protocols cannot say. Twin of ../python/exceptions.py.
 *
 * COOKED_TAGS: Linux's cooked sockets (SOCK_DGRAM) say what is behind all VLAN tags, take the outermost away, and show the others.
 * These have no EtherType in front, but one behind, and no version of IP: whether a tag stands there is a guess, from what would be
 * there if none did.
 */
#include "protocols.h"

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
