"""Finds the headers of a frame, outermost first; twin of ../c/headers.c.

dpkt reads each header and knows the numbers; we decide where the next one stands. dpkt's own descent is not used: it
stops without a word at a truncated header and takes bytes behind the datagram for payload. Reading never judges: a
header is there when its fixed part was captured, whatever it says; what cannot be followed is data of the header above.
"""

from __future__ import annotations

import dpkt
from dpkt import arp, ethernet, icmp, icmp6, igmp, ip, ip6, loopback, sll, sll2, tcp, udp

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET
from .rows import checked

(UNKNOWN, LOOPBACK, LOOP, SLL, SLL2, ETHERNET, VLAN, ARP, IP, IPV6, IPV6_OPTIONS, IPV6_ROUTING, IPV6_FRAGMENT, IPV6_AH,
 ICMP, IGMP, TCP, UDP, ICMPV6) = range(19)  # the order of HEADERS in ...fields # fmt: skip

MAX_HEADERS = 16
LINK_LAYERS = {1: ETHERNET, 0: LOOPBACK, 108: LOOP, 113: SLL, 276: SLL2}
READERS = {
    ETHERNET: ethernet.Ethernet, LOOPBACK: loopback.Loopback, LOOP: loopback.Loopback, SLL: sll.SLL, SLL2: sll2.SLL2,
}  # fmt: skip
TAGS = {ethernet.ETH_TYPE_8021Q, ethernet.ETH_TYPE_8021AD, ethernet.ETH_TYPE_QINQ1, ethernet.ETH_TYPE_QINQ2}
EXTENSIONS = {
    ip.IP_PROTO_HOPOPTS: IPV6_OPTIONS, ip.IP_PROTO_DSTOPTS: IPV6_OPTIONS, 135: IPV6_OPTIONS, 139: IPV6_OPTIONS,
    140: IPV6_OPTIONS, ip.IP_PROTO_ROUTING: IPV6_ROUTING, ip.IP_PROTO_FRAGMENT: IPV6_FRAGMENT, ip.IP_PROTO_AH: IPV6_AH,
}  # fmt: skip
MESSAGES = {  # (protocol, in IPv6): header kind and its reader
    (ip.IP_PROTO_TCP, False): (TCP, tcp.TCP), (ip.IP_PROTO_TCP, True): (TCP, tcp.TCP),
    (ip.IP_PROTO_UDP, False): (UDP, udp.UDP), (ip.IP_PROTO_UDP, True): (UDP, udp.UDP),
    (ip.IP_PROTO_ICMP, False): (ICMP, icmp.ICMP), (ip.IP_PROTO_IGMP, False): (IGMP, igmp.IGMP),
    (ip.IP_PROTO_ICMP6, True): (ICMPV6, icmp6.ICMP6),
}  # fmt: skip

Header = list[int]  # kind, start, data, end


class Walk:
    """The headers of one frame."""

    def __init__(self, frame: bytes, linktype: int) -> None:
        self.frame = frame
        self.headers: list[Header] = []
        self.type = 0  # the EtherType that the link layer and its tags announce; 0: none
        kind = LINK_LAYERS.get(linktype)
        if kind is not None:
            header = self.found(kind, 0, READERS[kind].__hdr_len__, len(frame))
            if header:
                header[2] = self.typed(self.link_type(kind), header[2])
        elif linktype in (101, 12, 14) and frame:  # raw IP; 12 and 14 are DLT_RAW of some systems
            self.typed({4: ethernet.ETH_TYPE_IP, 6: ethernet.ETH_TYPE_IP6}.get(frame[0] >> 4, 0), 0)
        elif linktype == 228:
            self.typed(ethernet.ETH_TYPE_IP, 0)
        elif linktype == 229:
            self.typed(ethernet.ETH_TYPE_IP6, 0)
        if not self.headers:
            self.found(UNKNOWN, 0, 0, len(frame))

    def found(self, kind: int, start: int, fixed: int, end: int) -> Header | None:
        """Adds a header of `fixed` bytes; its data begin behind them and go to `end`. None when it does not fit."""
        if len(self.headers) == MAX_HEADERS or end - start < fixed:
            return None
        self.headers.append([kind, start, start + fixed, end])
        return self.headers[-1]

    def read(self, reader: type[dpkt.Packet], at: int) -> dpkt.Packet:
        """One header as dpkt reads it, without what follows."""
        header = object.__new__(reader)
        dpkt.Packet.unpack(header, self.frame[at : at + reader.__hdr_len__])
        return header

    def link_type(self, kind: int) -> int:
        """The EtherType of what a link layer carries."""
        header = self.read(READERS[kind], 0)
        if kind in (LOOPBACK, LOOP):
            family = int.from_bytes(self.frame[:4], "big")  # in the byte order of the machine that wrote it
            if family > 0xFFFF:
                family = int.from_bytes(self.frame[:4], "little")
            v6 = (10, 23, 24, 28, 30)  # Linux, Windows, the BSDs, macOS
            return ethernet.ETH_TYPE_IP if family == 2 else ethernet.ETH_TYPE_IP6 if family in v6 else 0
        return header.ethtype if kind in (SLL, SLL2) else header.type

    def typed(self, kind: int, at: int) -> int:
        """What an EtherType announces, behind any number of tags. Gives where it ends."""
        size = len(self.frame)
        while kind in TAGS:
            if size - at < 4 or not self.found(VLAN, at, 4, at + 4):
                return at
            kind = self.read(ethernet.VLANtag8021Q, at).type
            at += 4
        self.type = kind
        if kind == ethernet.ETH_TYPE_IP:
            return self.ip(at, size)
        if kind == ethernet.ETH_TYPE_IP6:
            return self.ip6(at, size)
        if kind == ethernet.ETH_TYPE_ARP and size - at >= arp.ARP.__hdr_len__:
            header = self.found(ARP, at, 28, at + 28)
            return header[3] if header else at
        return at

    def ip(self, at: int, limit: int) -> int:
        """An IPv4 datagram. Gives where it ends."""
        if limit - at < 20:
            return at
        read = self.read(ip.IP, at)
        # Total 0 is how segmentation offload shows a datagram beyond 65,535 bytes: it goes on to the end of the frame.
        end = limit if read.len == 0 else min(at + read.len, limit)
        header = self.found(IP, at, 20, max(end, at + 20))
        if not header:
            return at
        end, payload = header[3], at + read.hl * 4
        if read.hl < 5:
            return end
        header[2] = min(payload, end)
        if payload <= end and not (read.mf or read.offset):
            header[2] = self.message(read.p, False, payload, end)
        return end

    def ip6(self, at: int, limit: int) -> int:
        """An IPv6 datagram and its extension headers. Gives where it ends."""
        if limit - at < 40:
            return at
        read = self.read(ip6.IP6, at)
        end = limit if read.plen == 0 else min(at + 40 + read.plen, limit)
        header = self.found(IPV6, at, 40, end)
        if not header:
            return at
        following = read.nxt
        at += 40
        while following in EXTENSIONS:
            kind = EXTENSIONS[following]
            length = self.frame[at + 1] if end - at >= 2 else 0
            size = 8 if kind == IPV6_FRAGMENT else (length + 2) * 4 if kind == IPV6_AH else (length + 1) * 8
            extension = self.found(kind, at, 8, at + size) if size <= end - at else None
            header[2] = at
            if not extension:
                return end
            extension[2] = at + 2
            fragment = kind == IPV6_FRAGMENT and self.read(ip6.IP6FragmentHeader, at)
            following = self.read(ip6.IP6OptsHeader, at).nxt
            at += size
            header[2] = at
            if fragment and (fragment.frag_off or fragment.m_flag):  # RFC 6946: an atomic one is a whole datagram
                return end
        header[2] = self.message(following, True, at, end)
        return end

    def message(self, protocol: int, v6: bool, at: int, end: int) -> int:
        """A message inside IP. Gives where its bytes end, or `at` when there is none that we know."""
        kind, reader = MESSAGES.get((protocol, v6), (UNKNOWN, None))
        if reader is None or end - at < reader.__hdr_len__:
            return at
        if kind == UDP:
            size = self.read(reader, at).ulen  # 0: a jumbogram (RFC 2675 section 4); 1 to 7: nonsense
            end = min(at + size, end) if size >= 8 else end
        header = self.found(kind, at, reader.__hdr_len__, end)
        if not header:
            return at
        if kind == ICMP:
            header[2] = min(at + 28, end)  # 1.16: behind the whole of BSD's struct icmp
        elif kind == ICMPV6:
            header[2] = end  # 1.16: ICMPV6.DATA is a field of four bytes
        return end


def walk(data: bytearray, row: bytes) -> list[tuple[int, int, int, int]]:
    """The headers of one packet, outermost first: kind, start, where its data begin, and where it ends."""
    values = checked(data, row)
    if len(values) != COLUMNS:
        raise ValueError("one row is walked at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    return [tuple(header) for header in Walk(frame, values[LINKTYPE]).headers]
