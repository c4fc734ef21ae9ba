"""What tables of protocols cannot say; twin of ../c/exceptions.c.

Each is named by the line `exception` of a description, and has its reason here; nothing else of the codec names a protocol.

COOKED_TAGS: Linux's cooked sockets (SOCK_DGRAM) say what is behind all VLAN tags, take the outermost away, and show the others.
These have no EtherType in front, but one behind, and no version of IP: whether a tag stands there is a guess, from what would be
there if none did.

PADDED: frames of Ethernet are filled up to a least size, and may end in a check sequence that no header announces: lengths.py
weighs both.

DATAGRAM_4, DATAGRAM_6: the headers of IP. What they carry has a pseudo-header, whose parts are spread over the header, its options
and its extension headers; a size of 0 in them says several things, by what else is there; and a message may be one of several
fragments. To say that in tables would be to write this program in them.

ROUTE, FRAGMENT_HEADER, SEAL: the extension headers that take part in that: one has the last address of a route, by rules of its own
for each type; one says that a message is a fragment; one authenticates addresses, so that a sum cannot just follow them.

SEGMENTS: segments of TCP are followed: what their numbers count from, which octets came, and came again. That is the state of both
sides, in connections.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...protocols.walking import BY_SPACE, COUNTED, DATAGRAM_4, DATAGRAM_6, FRAGMENT_HEADER, ROUTE, SEAL
from .. import CORRECTED, FRAGMENT, MALFORMED
from . import wire
from .protocols import Space, Sum, exception, extends, has_rule, is_extension, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .headers import Header, Walk
    from .message import Packet

END_OF_OPTIONS, NO_OPERATION, LOOSE_ROUTE, STRICT_ROUTE = 0, 1, 131, 137  # RFC 791 section 3.1
PAD1, PADN, JUMBO_PAYLOAD, HOME_ADDRESS = 0, 1, 0xC2, 0xC9  # RFC 8200 section 4.2, RFC 2675 section 2, RFC 6275 section 6.3
SOURCE_ROUTE, HOME_ROUTE, RPL_ROUTE, SEGMENT_ROUTE = 0, 2, 3, 4  # IANA "IPv6 Routing Types"


IP_LEAST_MTU, IPV6_LEAST_MTU = 576, 1280  # RFC 791 section 3.1, RFC 8200 section 5

# ---- COOKED_TAGS ----


def whole_datagram(frame: bytes, version: int, at: int, limit: int) -> bool:
    """Whether a datagram stands here that is as long as it says, or shorter than what there is."""
    head = wire.IP_SIZE if version == 4 else wire.IPV6_SIZE
    if (
        limit - at < head
        or wire.ip_version(frame, at) != version
        or (version == 4 and wire.ip_header_size(frame, at) < wire.IP_SIZE)
    ):
        return False
    size = wire.ip_total(frame, at) if version == 4 else wire.ipv6_payload(frame, at) + wire.IPV6_SIZE
    return head <= size <= limit - at


def tag_stands(frame: bytes, kind: int, at: int, limit: int) -> bool:
    """Whether a tag stands where a type announces something else."""
    version = {wire.ETHERTYPE_IP: 4, wire.ETHERTYPE_IPV6: 6}.get(kind, 0)
    if not (version or kind == wire.ETHERTYPE_ARP) or limit - at < wire.TAG_SIZE:
        return False
    following = wire.tag_type(frame, at)
    if version and wire.ip_version(frame, at) == version:  # of a priority that looks like it
        return following == kind and not whole_datagram(frame, version, at, limit) and whole_datagram(frame, version, at + 4, limit)
    return following == kind or following in wire.TAGS


def cooked_tag(space: Space, frame: bytes, kind: int, at: int, limit: int) -> int:
    """The type of a tag where one stands that nothing announced: a type announces something else. Or that type."""
    stands = wire.ETHERTYPE_VLAN in space.entries and tag_stands(frame, kind, at, limit)
    return wire.ETHERTYPE_VLAN if stands else kind


# ---- DATAGRAM_4, DATAGRAM_6, ROUTE, FRAGMENT_HEADER, SEAL: messages ----


@dataclass(slots=True)
class Message:
    """What an IP header carries: its size by the IP header, places of the pseudo-header's addresses."""

    protocol: int
    v6: bool
    at: int
    size: int
    source: int
    destination: int
    head: int = 0  # where the first `shared` bytes of the destination stand instead, RFC 6554
    shared: int = 0
    obscure: bool = False  # the last address of its route is not known
    sealed: bool = False  # it is authenticated, with what covers the addresses
    # What its checksum covers, by the rules of descriptions, see sums.py:
    unknown: bool = False  # whether it has a checksum
    summed: bool = False  # whether it has one
    pseudo: bool = False  # whether the sum has a pseudo-header
    other: bool = False  # whether some compute it otherwise
    sound: bool = True  # whether its own sizes fit each other
    place: int = 0  # where in the message the checksum stands
    bytes: int = 0  # its bytes: 2, or 4 of a CRC
    covered: int = 0  # bytes of the message that it covers
    length: int = 0  # what the pseudo-header says
    rule: Sum | None = None


def _extension_next(packet: Packet, header: Header) -> int:
    """What an extension header says that follows: the number that it asks first."""
    rules = known().kinds[header.kind].rules
    how, read = (rules[0][0], rules[0][3]) if rules else (COUNTED, None)
    if not read or how != BY_SPACE:
        return wire.PROTO_IPV6_NONXT
    return packet.number(read, header.end if read[4] else header.start) & 0xFF


def is_nothing(message: Message) -> bool:
    """Whether a message says that it is none."""
    return message.protocol == wire.PROTO_IPV6_NONXT


def message_of(packet: Packet, index: int) -> tuple[int, Message | None]:
    """What the IP header at `index` carries; of fragments too: what a first one begins with."""
    of = _message_of_4 if exception(packet.headers[index].kind) == DATAGRAM_4 else _message_of_6
    return of(packet, index)


def _message_of_4(packet: Packet, index: int) -> tuple[int, Message | None]:
    frame, at = packet.frame, packet.headers[index].start
    header_size, total = wire.ip_header_size(frame, at), wire.ip_total(frame, at)
    if header_size < wire.IP_SIZE:
        return MALFORMED, None
    if not packet.within(at, header_size):
        return packet.missing(), None
    if total == 0:  # segmentation offload, see ip.protocol
        total = packet.wire_end(index) - at
    if total < header_size:
        return MALFORMED, None
    source, destination = at + wire.IP_SOURCE_AT, at + wire.IP_DESTINATION_AT
    message = Message(wire.ip_protocol(frame, at), False, at + header_size, total - header_size, source, destination)
    _source_route(packet, at + wire.IP_SIZE, at + header_size, message)
    for header in packet.headers[index + 1 :]:  # AH: RFC 4302 section 3.1
        if header.start != message.at or header.end > at + total or not extends(header.kind):
            break
        message.protocol, message.sealed = _extension_next(packet, header), True
        message.size, message.at = message.size - (header.end - message.at), header.end
    return FRAGMENT if wire.ip_is_fragment(frame, at) else CORRECTED, message


def _source_route(packet: Packet, at: int, end: int, message: Message) -> None:
    """Source routes (RFC 791 3.1, RFC 1122 3.2.1.8): while one is not used up, its last address is the destination."""
    while at < end and packet.frame[at] != END_OF_OPTIONS:
        kind = packet.frame[at]
        size = 1 if kind == NO_OPERATION else packet.get(at + 1, 1)
        if size > end - at or (size < 2 and kind != NO_OPERATION):
            return
        if kind in (LOOSE_ROUTE, STRICT_ROUTE):
            if size >= 7 and packet.frame[at + 2] <= size:
                message.destination = at + 3 + ((size - 3) // 4 - 1) * 4
            return
        at += size


def _option_data(packet: Packet, at: int, end: int, wanted: int, size: int) -> int:
    """Where the data of an IPv6 option of `size` bytes stand, in the extension header from `at` to `end` (RFC 8200 4.2)."""
    at += 2
    while at + 2 <= end:
        if packet.frame[at] == wanted and packet.frame[at + 1] == size <= end - at - 2:
            return at + 2
        at += 1 if packet.frame[at] == PAD1 else 2 + packet.frame[at + 1]
    return 0


def _jumbo_place(packet: Packet, at: int) -> int:
    """Where the IPv6 header at `at` has the payload size of a jumbogram, in four bytes (RFC 2675 2); 0: it has none."""
    if wire.ipv6_payload(packet.frame, at) or wire.ipv6_next(packet.frame, at) != wire.PROTO_HOPOPT:
        return 0
    start = at + wire.IPV6_SIZE
    end = start + (wire.extension_length(packet.frame, start) + 1) * 8
    return _option_data(packet, start, end, JUMBO_PAYLOAD, 4) if end <= len(packet.frame) else 0


def _message_of_6(packet: Packet, index: int) -> tuple[int, Message | None]:
    frame, at = packet.frame, packet.headers[index].start
    payload, behind = wire.ipv6_payload(frame, at), at + wire.IPV6_SIZE
    end = behind + payload if payload else packet.wire_end(index)  # 0: a jumbogram, or segmentation offload
    source, destination = at + wire.IPV6_SOURCE_AT, at + wire.IPV6_DESTINATION_AT
    message = Message(wire.ipv6_next(frame, at), True, behind, 0, source, destination, head=destination)
    fragment = last = deeper = False
    for header in packet.headers[index + 1 :]:
        kind, start = header.kind, header.start
        if last or not extends(kind):
            break
        if exception(kind) == ROUTE and not _route_end(packet, header, message):
            return MALFORMED, None
        options = message.protocol == wire.PROTO_IPV6_OPTS
        message.source = (_option_data(packet, start, header.end, HOME_ADDRESS, 16) if options else 0) or message.source
        fragment |= exception(kind) == FRAGMENT_HEADER and wire.ipv6_is_fragment(frame, start)
        message.sealed |= exception(kind) == SEAL
        following = _extension_next(packet, header)
        last = has_rule(kind) and following == wire.PROTO_IPV6_NONXT  # with a checksum it is a message itself
        if not last:
            message.protocol, message.at = following, header.end
    else:
        deeper = not (fragment or last) and is_extension(message.protocol)  # than the walk, which ended there
    if message.at > end or deeper:
        return packet.missing(), None
    message.size = end - message.at
    return FRAGMENT if fragment else CORRECTED, message


def _route_end(packet: Packet, header: Header, message: Message) -> bool:
    """Lets the pseudo-header have the last address of a route; False when there is none.

    RFC 8200 section 8.1: with segments left it is the destination. Of type 0 it is the last one of the list (RFC 2460
    4.4), of type 2 the only one (RFC 6275 6.4), of type 3 the last one, which leaves out what it has in common with the
    header's destination (RFC 6554 section 3), of type 4 the first one (RFC 8754 section 2).
    """
    start, kind = header.start, wire.route_type(packet.frame, header.start)
    size, addresses = wire.extension_length(packet.frame, start) * 8, start + wire.EXTENSION_SIZE
    if wire.route_left(packet.frame, start) == 0:  # whatever its type: RFC 8200 section 4.4
        return True
    message.obscure = kind not in (SOURCE_ROUTE, HOME_ROUTE, RPL_ROUTE, SEGMENT_ROUTE)
    if message.obscure:
        return True
    shared, tail = 0, size % 16 if kind == SOURCE_ROUTE else 0
    if kind == RPL_ROUTE:
        shared, tail = packet.frame[start + 4] & 15, packet.frame[start + 5] >> 4
    if size < tail + 16 - shared or addresses + size > header.end:
        return False
    message.shared = shared
    message.destination = addresses + (0 if kind in (HOME_ROUTE, SEGMENT_ROUTE) else size - tail - (16 - shared))
    return True


def _plain_sum(covered: bytes, more: int, stored: int) -> int:
    """A checksum as it should be by what there is, itself among it, and by numbers added to that. stored: what stands there.

    0: where it is one of the two numbers of that value, or the sum of all else is, more has to be known.
    """
    total = int.from_bytes(covered, "big") << 8 * (len(covered) % 2)  # a rest by 0xFFFF is a sum of words, and its carries
    rest = (total + more - stored) % 0xFFFF
    return 0xFFFF - rest if rest and stored not in (0, 0xFFFF) else 0


def _plain_sums_of(frame: bytes, at: int, v6: bool) -> list[tuple[int, int]] | None:
    """What plain_sums says of the header of IP at a place, and of what it carries."""
    behind = at + (wire.IPV6_SIZE if v6 else wire.IP_SIZE)
    if behind > len(frame):
        return None
    wrong: list[tuple[int, int]] = []
    if v6:
        source = at + wire.IPV6_SOURCE_AT
        size, protocol = wire.IPV6_SAYS.unpack_from(frame, at)
    else:
        source = at + wire.IP_SOURCE_AT
        first, total, part, protocol, stored = wire.IP_SAYS.unpack_from(frame, at)
        size, value = total - wire.IP_SIZE, _plain_sum(frame[at:behind], 0, stored)
        if (first & 0x0F) * 4 != wire.IP_SIZE or part & wire.IP_FRAGMENTED or not value:
            return None
        if value != stored:
            wrong.append((at + wire.IP_CHECKSUM_AT, value))
    rule = known().plain[v6].get(protocol)
    if rule is None or not rule.least <= size <= len(frame) - behind:
        return None
    if rule.read:
        start, stop, shift, mask, *_ = rule.read
        if int.from_bytes(frame[behind + start : behind + stop], "big") >> shift & mask != size:
            return None
    pseudo, place = rule.pseudo >> v6 & 1, behind + rule.at
    stored = frame[place] << 8 | frame[place + 1]
    value = _plain_sum(frame[source if pseudo else behind : behind + size], size + protocol if pseudo else 0, stored)
    if not value:
        return None
    if value != stored:
        if pseudo and (stored - protocol - int.from_bytes(frame[source:behind], "big")) % 0xFFFF in (0, size):
            return None  # it was left to the card
        wrong.append((place, value))
    return wrong


def plain_sums(frame: bytes, walked: Walk) -> list[tuple[int, int]] | None:
    """Where checksums stand that are wrong, and what they should be, of a frame whose headers of IP are plain, and whole.

    So are nearly all: they have no options, and the rule of what they carry is all there is to its checksum. None: it has to be
    looked at in full.
    """
    if walked.summing is None:
        return None
    wrong: list[tuple[int, int]] = []
    for index in walked.summing:
        header = walked.headers[index]
        found = _plain_sums_of(frame, header.start, exception(header.kind) == DATAGRAM_6)
        if found is None or (found and (walked.signing or len(walked.summing) > 1)):  # outer sums cover inner ones
            return None
        wrong += found
    return wrong


def fragment_offset(packet: Packet, index: int) -> int:
    """Where in its datagram the fragment stands that the IP header at `index` begins, in its units; 0: it is the first one."""
    frame, header = packet.frame, packet.headers[index]
    if exception(header.kind) == DATAGRAM_4:
        return wire.ip_offset(frame, header.start)
    fragments = [inner.start for inner in packet.headers[index:] if exception(inner.kind) == FRAGMENT_HEADER]
    return wire.ipv6_offset(frame, fragments[0]) if fragments else 0


def named_by(header: Header) -> tuple[int, int]:
    """Where an IP header says what it carries, in a byte; and where the names of the ends begin, up to the end of the header."""
    v4 = exception(header.kind) == DATAGRAM_4
    carried, ends = (wire.IP_PROTOCOL_AT, wire.IP_SOURCE_AT) if v4 else (wire.IPV6_NEXT_AT, wire.IPV6_SOURCE_AT)
    return header.start + carried, header.start + ends


# ---- DATAGRAM_4, DATAGRAM_6: sizes ----


def datagram_head(frame: bytes | bytearray, header: Header) -> int:
    """Bytes of an IP header, by what it says."""
    return wire.ip_header_size(frame, header.start) if exception(header.kind) == DATAGRAM_4 else wire.IPV6_SIZE


def datagram_said(frame: bytes | bytearray, header: Header) -> int:
    """Bytes of its datagram, by what it says; 0: it says none."""
    if exception(header.kind) == DATAGRAM_4:
        return wire.ip_total(frame, header.start)
    payload = wire.ipv6_payload(frame, header.start)
    return wire.IPV6_SIZE + payload if payload else 0


def datagram_size(frame: bytes | bytearray, header: Header) -> int:
    """The same; 0 says nothing, see ipv6.protocol, unless nothing follows, RFC 8200 section 4.7."""
    said = datagram_said(frame, header)
    if not said and exception(header.kind) == DATAGRAM_6 and wire.ipv6_next(frame, header.start) == wire.PROTO_IPV6_NONXT:
        return wire.IPV6_SIZE
    return said


def set_jumbo(packet: Packet, header: Header, size: int) -> None:
    """A datagram beyond what its header can say: 0 stays.

    Without the option that is segmentation offload, see ip.protocol, ipv6.protocol.
    """
    option = _jumbo_place(packet, header.start) if exception(header.kind) == DATAGRAM_6 else 0
    if option:
        packet.put(option, 4, size - wire.IPV6_SIZE)


def oversize_header(packet: Packet, header: Header) -> int:
    """Bytes of the extension header that says the size of a jumbogram, and that alone; 0: there is none such."""
    there = exception(header.kind) == DATAGRAM_6 and _jumbo_place(packet, header.start)
    alone = there and wire.extension_length(packet.frame, header.start + wire.IPV6_SIZE) == 0
    return wire.EXTENSION_SIZE if alone else 0


def leave_oversize(packet: Packet, header: Header) -> None:
    """Of the bytes in front of what is no jumbogram any more, takes away what says the size of one: that header, or the option."""
    place = _jumbo_place(packet, header.start) if exception(header.kind) == DATAGRAM_6 else 0
    at = header.start + wire.IPV6_SIZE
    if place and oversize_header(packet, header):
        packet.put(header.start + wire.IPV6_NEXT_AT, 1, packet.get(at, 1))
        del packet.frame[at : at + wire.EXTENSION_SIZE]  # type: ignore[union-attr]  # who writes has a bytearray
    elif place:
        packet.put(place - 2, 1, PADN)
        packet.put(place, 4, 0)


def size_apart(packet: Packet, header: Header) -> int:
    """Bytes of a datagram that has such an option, by what that says; 0: it has none."""
    option = _jumbo_place(packet, header.start) if exception(header.kind) == DATAGRAM_6 else 0
    return wire.IPV6_SIZE + int.from_bytes(packet.frame[option : option + 4], "big") if option else 0


def size_apart_legal(size: int) -> bool:
    """Whether a datagram of so many bytes may have one (RFC 2675 section 3)."""
    return 0xFFFF < size - wire.IPV6_SIZE <= 0xFFFFFFFF


def _zero_sound(packet: Packet, header: Header) -> bool:
    """Whether a size of 0 in an IP header may be.

    It is how segmentation offload shows what is too long to say, or what it has yet to cut: more than the least size that every
    link carries. In IPv6 it may also be a jumbogram that says its size (RFC 2675), or nothing.
    """
    size = header.end - header.start
    if exception(header.kind) == DATAGRAM_4:
        return size > IP_LEAST_MTU
    jumbo = _jumbo_place(packet, header.start)
    if jumbo:
        return packet.get(jumbo, 4) == size - wire.IPV6_SIZE
    return size > IPV6_LEAST_MTU or wire.ipv6_next(packet.frame, header.start) == wire.PROTO_IPV6_NONXT


def datagram_sound(packet: Packet, header: Header) -> bool:
    """Whether an IP header says what can be."""
    version = 4 if exception(header.kind) == DATAGRAM_4 else 6
    said = datagram_said(packet.frame, header) != 0
    return wire.ip_version(packet.frame, header.start) == version and (said or _zero_sound(packet, header))
