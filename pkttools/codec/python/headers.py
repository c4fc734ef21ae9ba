"""Finds the headers of a frame, outermost first; twin of ../c/headers.c.

dpkt reads each header and knows the numbers; we decide where the next one stands. dpkt's own descent is not used: it
stops without a word at a truncated header and takes bytes behind the datagram for payload. Reading never judges: a
header is there when its fixed part was captured, whatever it says; what cannot be followed is data of the header above.
"""

from __future__ import annotations

import struct

import dpkt
from dpkt import ethernet, gre, icmp, icmp6, igmp, ip, ip6, loopback, sctp, sll, sll2, tcp, udp

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET
from . import unfollowed, wire
from .rows import checked, without_fcs

(UNKNOWN, LOOPBACK, LOOP, SLL, SLL2, PKTAP, PKTAP_BE, ETHERNET, VLAN, ARP, IP, IPV6, IPV6_OPTIONS, IPV6_ROUTING, IPV6_FRAGMENT,
 IPV6_AH, ICMP, IGMP, TCP, UDP, ICMPV6, SCTP, GRE, VXLAN) = range(24)  # the order of HEADERS in ...fields # fmt: skip

MAX_HEADERS = 16
RAW = (101, 12, 14)  # raw IP; 12 and 14 are DLT_RAW of some systems
PKTAP_SIZE = 108  # bytes of the older header
PKTAP_PACKET = 1  # the type of what follows
LINK_LAYERS = {1: ETHERNET, 0: LOOPBACK, 108: LOOP, 113: SLL, 276: SLL2, 258: PKTAP, 149: PKTAP}  # 149: as Apple writes it
KNOWN = {*LINK_LAYERS, *RAW, 228, 229}  # the link types whose headers are found
READERS = {
    ETHERNET: ethernet.Ethernet, LOOPBACK: loopback.Loopback, LOOP: loopback.Loopback, SLL: sll.SLL, SLL2: sll2.SLL2,
}  # fmt: skip
EXTENSIONS = {
    wire.PROTO_HOPOPT: IPV6_OPTIONS, wire.PROTO_IPV6_OPTS: IPV6_OPTIONS, wire.PROTO_MOBILITY: IPV6_OPTIONS,
    wire.PROTO_HIP: IPV6_OPTIONS, wire.PROTO_SHIM6: IPV6_OPTIONS, wire.PROTO_IPV6_ROUTE: IPV6_ROUTING,
    wire.PROTO_IPV6_FRAG: IPV6_FRAGMENT, wire.PROTO_AH: IPV6_AH,
}  # fmt: skip
MESSAGES = {  # (protocol, in IPv6): header kind and its reader
    (wire.PROTO_TCP, False): (TCP, tcp.TCP), (wire.PROTO_TCP, True): (TCP, tcp.TCP),
    (wire.PROTO_UDP, False): (UDP, udp.UDP), (wire.PROTO_UDP, True): (UDP, udp.UDP),
    (wire.PROTO_ICMP, False): (ICMP, icmp.ICMP), (wire.PROTO_IGMP, False): (IGMP, igmp.IGMP),
    (wire.PROTO_IPV6_ICMP, True): (ICMPV6, icmp6.ICMP6),
    (wire.PROTO_SCTP, False): (SCTP, sctp.SCTP), (wire.PROTO_SCTP, True): (SCTP, sctp.SCTP),
}  # fmt: skip


class Header:
    """A header of a frame; `struct header` in ../c/codec.h: start <= data <= end.

    kind: see above. start: offset in the frame. data: where bytes that no deeper header claims begin. end: where this header's own
    bytes and its data end.
    """

    __slots__ = ("kind", "start", "data", "end")

    def __init__(self, kind: int, start: int, data: int, end: int) -> None:
        self.kind, self.start, self.data, self.end = kind, start, data, end


class Walk:
    """The headers of one frame."""

    def __init__(self, frame: bytes, linktype: int) -> None:
        self.frame = frame
        self.headers: list[Header] = []
        self.partial = False  # an IP header or an inner frame was announced, but not captured, or lies too deep
        self.beyond = 0  # what is not followed: a number, behind 32 bits the space that it is of; 0: nothing
        self.link(linktype, 0)
        if not self.headers:
            self.found(UNKNOWN, 0, 0, len(frame))

    def found(self, kind: int, start: int, fixed: int, end: int) -> Header | None:
        """Adds a header of `fixed` bytes; its data begin behind them and go to `end`. None when it does not fit."""
        if len(self.headers) == MAX_HEADERS or end - start < fixed:
            return None
        header = Header(kind, start, start + fixed, end)
        self.headers.append(header)
        return header

    def read(self, reader: type[dpkt.Packet], at: int) -> dpkt.Packet:
        """One header as dpkt reads it, without what follows."""
        header = object.__new__(reader)
        dpkt.Packet.unpack(header, self.frame[at : at + reader.__hdr_len__])
        return header

    def link(self, linktype: int, at: int) -> None:
        """A frame of a link type, the whole one or that of a capture in it. Nothing is found where the type is not known."""
        end, kind = len(self.frame), LINK_LAYERS.get(linktype)
        version = self.frame[at] >> 4 if at < end and linktype in RAW else 0
        if kind == ETHERNET:
            self.ethernet(at, end)
        elif kind == PKTAP:
            self.pktap(at, end)
        elif kind is not None:
            header = self.found(kind, at, READERS[kind].__hdr_len__, end)
            if header:
                start, following = header.data, self.link_type(kind, at)
                header.data = self.typed(following, start, end, kind in (SLL, SLL2))
                if kind in (SLL, SLL2) and following == 4:  # 802.2
                    self.beyond = unfollowed.llc(self.frame, start)
        elif linktype == 228 or version == 4:
            self.ip(at, end)
        elif linktype == 229 or version == 6:
            self.ip6(at, end)
        elif linktype not in RAW and at < end:
            self.beyond = unfollowed.link(linktype)

    def pktap(self, at: int, end: int) -> None:
        """What Apple puts in front of a frame: struct pktap_header of xnu, bsd/net/pktap.h.

        See also https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html. Its integers are in the byte order of the machine that
        captured: the little-endian one, unless the length fits in 16 bits only the other way round. All that need to know go
        by the kind.
        """
        length = self.frame[at : at + 4]
        big = int.from_bytes(length, "big") <= 0xFFFF < int.from_bytes(length, "little")
        header = self.found(PKTAP_BE if big else PKTAP, at, PKTAP_SIZE, end)
        if not header:
            return
        size, following, linktype = struct.unpack_from(">III" if big else "<III", self.frame, at)
        if not PKTAP_SIZE <= size <= end - at:
            self.partial = True
            return
        header.data = at + size
        if following == PKTAP_PACKET:
            count = len(self.headers)
            self.link(linktype, at + size)
            self.partial |= len(self.headers) == count and linktype in KNOWN

    def link_type(self, kind: int, at: int) -> int:
        """The EtherType of what the link layer at `at` carries."""
        if kind in (LOOPBACK, LOOP):
            family = int.from_bytes(self.frame[at : at + 4], "big")  # in the byte order of the machine that wrote it
            if family > 0xFFFF:
                family = int.from_bytes(self.frame[at : at + 4], "little")
            v6 = (10, 23, 24, 28, 30)  # Linux, Windows, the BSDs, macOS
            return wire.ETHERTYPE_IP if family == 2 else wire.ETHERTYPE_IPV6 if family in v6 else 0
        ethertype: int = self.read(READERS[kind], at).ethtype
        return ethertype

    def ethernet(self, at: int, limit: int) -> None:
        """A whole Ethernet frame, the outermost or one in a tunnel."""
        header = self.found(ETHERNET, at, wire.ETHERNET_SIZE, limit)
        if header:
            kind = self.read(ethernet.Ethernet, at).type
            header.data = self.typed(kind, at + wire.ETHERNET_SIZE, limit)
            if kind < wire.LEAST_ETHERTYPE and header.data == at + wire.ETHERNET_SIZE:
                self.beyond = unfollowed.llc(self.frame, at + wire.ETHERNET_SIZE)
        else:
            self.partial |= bool(self.headers)

    def typed(self, kind: int, at: int, limit: int, cooked: bool = False) -> int:
        """What an EtherType announces, behind any number of tags. Gives where it ends. cooked: of a Linux cooked capture."""
        while kind in wire.TAGS or (cooked and self.unannounced_tag(kind, at, limit)):
            if not self.found(VLAN, at, wire.TAG_SIZE, min(at + wire.TAG_SIZE, limit)):
                self.partial |= len(self.headers) == MAX_HEADERS
                return at
            kind = wire.tag_type(self.frame, at)
            at += wire.TAG_SIZE
        if kind == wire.ETHERTYPE_IP:
            return self.ip(at, limit)
        if kind == wire.ETHERTYPE_IPV6:
            return self.ip6(at, limit)
        if kind == wire.ETHERTYPE_ARP:
            header = self.found(ARP, at, wire.ARP_SIZE, min(at + wire.ARP_SIZE, limit))
            return header.end if header else at
        if at < limit:
            self.beyond = unfollowed.ethertype(kind)
        return at

    def unannounced_tag(self, kind: int, at: int, limit: int) -> bool:
        """Whether a tag stands where a type announces something else.

        Linux's cooked sockets (SOCK_DGRAM) say what is behind all tags, take the outermost away, and show the others: these have
        no EtherType in front, but one behind, and no version of IP.
        """
        version = {wire.ETHERTYPE_IP: 4, wire.ETHERTYPE_IPV6: 6}.get(kind, 0)
        if not (version or kind == wire.ETHERTYPE_ARP) or limit - at < wire.TAG_SIZE:
            return False
        following = wire.tag_type(self.frame, at)
        if version and wire.ip_version(self.frame, at) == version:  # of a priority that looks like it
            return following == kind and not self.whole(version, at, limit) and self.whole(version, at + wire.TAG_SIZE, limit)
        return following == kind or following in wire.TAGS

    def whole(self, version: int, at: int, limit: int) -> bool:
        """Whether a datagram stands here that is as long as it says, or shorter than what there is."""
        head, frame = wire.IP_SIZE if version == 4 else wire.IPV6_SIZE, self.frame
        if limit - at < head or wire.ip_version(frame, at) != version:
            return False
        if version == 4 and wire.ip_header_size(frame, at) < wire.IP_SIZE:
            return False
        size = wire.ip_total(frame, at) if version == 4 else wire.ipv6_payload(frame, at) + wire.IPV6_SIZE
        return head <= size <= limit - at

    def ip(self, at: int, limit: int) -> int:
        """An IPv4 datagram. Gives where it ends."""
        if limit - at < wire.IP_SIZE:
            self.partial = True
            return at
        read = self.read(ip.IP, at)
        # Total 0 is how segmentation offload shows a datagram beyond 65,535 bytes: it goes on to the end of the frame.
        end = limit if read.len == 0 else min(at + read.len, limit)
        header = self.found(IP, at, wire.IP_SIZE, max(end, at + wire.IP_SIZE))
        if not header:
            self.partial = True
            return at
        end, payload = header.end, at + read.hl * 4
        if read.hl < 5:
            return end
        header.data = min(payload, end)
        if payload <= end and not (read.mf or read.offset):
            header.data = self.message(read.p, False, payload, end)
        return end

    def ip6(self, at: int, limit: int) -> int:
        """An IPv6 datagram and its extension headers. Gives where it ends."""
        if limit - at < wire.IPV6_SIZE:
            self.partial = True
            return at
        read = self.read(ip6.IP6, at)
        end = limit if read.plen == 0 else min(at + wire.IPV6_SIZE + read.plen, limit)
        header = self.found(IPV6, at, wire.IPV6_SIZE, end)
        if not header:
            self.partial = True
            return at
        following = read.nxt
        at += wire.IPV6_SIZE
        while following in EXTENSIONS:
            kind = EXTENSIONS[following]
            length = wire.extension_length(self.frame, at) if end - at >= 2 else 0
            size = wire.EXTENSION_SIZE if kind == IPV6_FRAGMENT else (length + 2) * 4 if kind == IPV6_AH else (length + 1) * 8
            extension = self.found(kind, at, wire.EXTENSION_SIZE, at + size) if size <= end - at else None
            header.data = at
            if not extension:
                return end
            extension.data = at + 2
            fragment = kind == IPV6_FRAGMENT and wire.ipv6_is_fragment(self.frame, at)
            following = wire.extension_next(self.frame, at)
            at += size
            header.data = at
            if fragment:
                return end
        header.data = self.message(following, True, at, end)
        return end

    def message(self, protocol: int, v6: bool, at: int, end: int) -> int:
        """What an IP header carries. Gives where its bytes end, or `at` when it is none that 1.16 knew.

        The data of the IP header, by its names, then go on to its end, over what a tunnel has in it.
        """
        if protocol == wire.PROTO_GRE:
            self.gre(at, end)
        elif protocol == wire.PROTO_IPV4:  # RFC 2003; in IPv6: RFC 2473
            self.ip(at, end)
        elif protocol == wire.PROTO_IPV6:  # RFC 4213; in IPv6: RFC 2473
            self.ip6(at, end)
        kind, reader = MESSAGES.get((protocol, v6), (UNKNOWN, None))
        if reader is None and at < end and protocol not in (wire.PROTO_GRE, wire.PROTO_IPV4, wire.PROTO_IPV6):
            self.beyond = unfollowed.protocol(self.frame, protocol, at)
        if reader is None or end - at < reader.__hdr_len__:
            return at
        if kind == UDP:
            size = wire.udp_length(self.frame, at)  # 0: a jumbogram (RFC 2675 section 4); 1 to 7: nonsense
            end = min(at + size, end) if size >= wire.UDP_SIZE else end
        header = self.found(kind, at, reader.__hdr_len__, end)
        if not header:
            return at
        if kind == SCTP:
            return at
        if kind == UDP and wire.udp_destination(self.frame, at) == wire.PORT_VXLAN:  # RFC 7348 section 5
            self.vxlan(at + wire.UDP_SIZE, end)
        elif kind == UDP:
            self.beyond = unfollowed.udp(self.frame, at, end)
        elif kind == ICMP:
            header.data = min(at + 28, end)  # 1.16: behind the whole of BSD's struct icmp
        elif kind == ICMPV6:
            header.data = end  # 1.16: ICMPV6.DATA is a field of four bytes
        return end

    def gre(self, at: int, end: int) -> None:
        """Generic routing encapsulation, RFC 2784 and RFC 2890. Version 1 (RFC 2637) and source routes (RFC 1701) are data."""
        header = self.found(GRE, at, wire.GRE_SIZE, end)
        if not header:
            return
        read = self.read(gre.GRE, at)
        size = wire.GRE_SIZE + 4 * (read.flags & (wire.GRE_CHECKSUM | wire.GRE_KEY | wire.GRE_SEQUENCE)).bit_count()
        if not wire.gre_plain(read.flags):
            self.beyond = unfollowed.gre(read.flags)
        if not wire.gre_plain(read.flags) or size > end - at:
            return
        header.data = at + size
        if read.p == wire.ETHERTYPE_BRIDGE:
            self.ethernet(at + size, end)
        else:
            self.typed(read.p, at + size, end)

    def vxlan(self, at: int, end: int) -> None:
        """A virtual LAN inside UDP, RFC 7348 section 5: a frame behind eight bytes, if a flag says that they count."""
        if self.found(VXLAN, at, wire.VXLAN_SIZE, end) and self.frame[at] & 8:
            self.ethernet(at + wire.VXLAN_SIZE, end)


def count_beyond(data: bytearray, rows: bytes, counts: dict[int, int]) -> None:
    """Adds to `counts` what packets carry that is not followed."""
    values = without_fcs(checked(data, rows))
    need_dict(counts)
    for i in range(0, len(values), COLUMNS):
        frame = bytes(data[values[i + OFFSET] : values[i + OFFSET] + values[i + CAPTURED]])
        note(counts, Walk(frame, values[i + LINKTYPE]).beyond)


def need_dict(counts: object) -> None:
    """Raises TypeError where nothing can be counted in it."""
    if counts is not None and not isinstance(counts, dict):
        raise TypeError("counts are a dict or None")


def note(counts: dict[int, int] | None, code: int) -> None:
    """Counts a packet with something that is not followed."""
    if code and counts is not None:
        counts[code] = counts.get(code, 0) + 1


def walk(data: bytearray, row: bytes) -> list[tuple[int, int, int, int]]:
    """The headers of one packet, outermost first: kind, start, where its data begin, and where it ends."""
    values = without_fcs(checked(data, row))
    if len(values) != COLUMNS:
        raise ValueError("one row is walked at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    return [(h.kind, h.start, h.data, h.end) for h in Walk(frame, values[LINKTYPE]).headers]
