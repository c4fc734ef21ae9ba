"""What tables of protocols cannot say; twin of ../c/exceptions.c.

COOKED_TAGS: `tag_stands`. Linux's cooked sockets (SOCK_DGRAM) say what is behind all VLAN tags, take the outermost away, and show
the others. These have no EtherType in front, but one behind, and no version of IP: whether a tag stands there is a guess, from what
would be there if none did.
"""

from __future__ import annotations

from .wire import (
    ETHERTYPE_ARP,
    ETHERTYPE_IP,
    ETHERTYPE_IPV6,
    IP_SIZE,
    IPV6_SIZE,
    TAG_SIZE,
    TAGS,
    ip_header_size,
    ip_total,
    ip_version,
    ipv6_payload,
    tag_type,
)


def whole_datagram(frame: bytes, version: int, at: int, limit: int) -> bool:
    """Whether a datagram stands here that is as long as it says, or shorter than what there is."""
    head = IP_SIZE if version == 4 else IPV6_SIZE
    if limit - at < head or ip_version(frame, at) != version or (version == 4 and ip_header_size(frame, at) < IP_SIZE):
        return False
    size = ip_total(frame, at) if version == 4 else ipv6_payload(frame, at) + IPV6_SIZE
    return head <= size <= limit - at


def tag_stands(frame: bytes, kind: int, at: int, limit: int) -> bool:
    """Whether a tag stands where a type announces something else."""
    version = {ETHERTYPE_IP: 4, ETHERTYPE_IPV6: 6}.get(kind, 0)
    if not (version or kind == ETHERTYPE_ARP) or limit - at < TAG_SIZE:
        return False
    following = tag_type(frame, at)
    if version and ip_version(frame, at) == version:  # of a priority that looks like it
        return following == kind and not whole_datagram(frame, version, at, limit) and whole_datagram(frame, version, at + 4, limit)
    return following == kind or following in TAGS
