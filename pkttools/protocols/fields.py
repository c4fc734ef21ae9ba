"""The field table: the one place that knows where a field lies.

A row is a field in one kind of header. A field whose header comes in several kinds (a type behind a VLAN tag, the next
header of an IPv6 extension) has a row in each. Names are those of pkttools 1.16; rows marked `new` are ours and are
printed by `-aa` only. Offsets and widths are in bits from the start of the header, in wire order.

DATA of a layer is what no deeper header that 1.16 knew claims of it: a payload, or the padding behind one. A tunnel is a
payload as a whole, whatever is found in it.
"""

from __future__ import annotations

from . import names

# Kinds of headers that the walk finds; `enum header_kind` in codec/c/codec.h.
HEADERS = (
    "UNKNOWN", "LOOPBACK", "LOOP", "SLL", "SLL2", "PKTAP", "PKTAP_BE", "ETHERNET", "VLAN", "ARP", "IP", "IPV6", "IPV6_OPTIONS",
    "IPV6_ROUTING", "IPV6_FRAGMENT", "IPV6_AH", "ICMP", "IGMP", "TCP", "UDP", "ICMPV6", "SCTP", "GRE", "VXLAN",
)  # fmt: skip

INT, MAC, IPV4, IPV6, DATA, FAMILY, LITTLE, TEXT = "int", "mac", "ipv4", "ipv6", "data", "family", "little", "text"


class Row:
    """A row of the table.

    header: index into HEADERS. bit, width: place and size in bits; DATA has no width of its own.
    kind: how the value is written: INT, MAC, IPV4, IPV6, DATA, FAMILY (an integer in its writer's byte order), LITTLE (a
    little-endian integer), or TEXT (characters up to a zero, or to the end of the field).
    bias, scale: the field's value is (the bits + bias) * scale, so that sizes are in bytes.
    shapes: whether the walk depends on it. new: not in 1.16. names: names of values, number to name.
    """

    __slots__ = ("name", "header", "bit", "width", "kind", "bias", "scale", "shapes", "new", "names")

    def __init__(self, name: str, header: str, bit: int, width: int, kind: str = INT, *, bias: int = 0, scale: int = 1,
                 shapes: bool = False, new: bool = False, names: dict[int, str] | None = None) -> None:  # fmt: skip
        self.name, self.header, self.bit, self.width, self.kind = name, HEADERS.index(header), bit, width, kind
        self.bias, self.scale, self.shapes, self.new, self.names = bias, scale, shapes, new, names


# The bits of PKTAP.FLAGS that say something of the packet: PTH_FLAG_* of xnu, bsd/net/pktap.h.
PKTAP_FLAGS = {
    0: "IN", 1: "OUT", 2: "PROC_DELEGATED", 3: "IF_DELEGATED", 14: "NEW_FLOW", 15: "REXMIT", 16: "KEEP_ALIVE", 17: "SOCKET",
    18: "NEXUS_CHAN",
}  # fmt: skip


def pktap(header: str, kind: str) -> list[Row]:
    """The rows of PKTAP, whose integers are of `kind`: INT in its big-endian form, else LITTLE.

    Apple's xnu, struct pktap_header of bsd/net/pktap.h; https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html.
    """

    def row(name: str, byte: int, size: int, kind: str = kind, *, shapes: bool = False, names: dict[int, str] | None = None) -> Row:
        return Row(f"PKTAP.{name}", header, 8 * byte, 8 * size, kind, shapes=shapes, new=True, names=names)

    def flag(name: str, bit: int) -> Row:
        return Row(f"PKTAP.{name}", header, 8 * 36 + (31 - bit if kind == INT else bit ^ 7), 1, new=True)

    return [
        row("LENGTH", 0, 4, shapes=True),
        row("NEXT_TYPE", 4, 4, shapes=True, names=names.PKTAP_NEXT),
        row("DLT", 8, 4, shapes=True, names=names.DLT),
        row("IFNAME", 12, 24, TEXT),
        row("FLAGS", 36, 4),
        *[flag(name, bit) for bit, name in PKTAP_FLAGS.items()],
        row("FAMILY", 40, 4, names=names.PROTOCOL_FAMILY),
        row("PRE_SIZE", 44, 4),
        row("POST_SIZE", 48, 4),
        row("PID", 52, 4, names=names.PROCESS),
        row("COMM", 56, 17, TEXT),
        row("SVC", 76, 4, names=names.SERVICE_CLASS),
        row("IFTYPE", 80, 2, names=names.INTERFACE_TYPE),
        row("IFUNIT", 82, 2),
        row("EPID", 84, 4, names=names.PROCESS),
        row("ECOMM", 88, 17, TEXT),
        Row("PKTAP.DATA", header, 8 * 108, 0, DATA, shapes=True, new=True),
    ]


TABLE = [
    Row("UNKNOWN.DATA", "UNKNOWN", 0, 0, DATA, shapes=True),

    # BSD loopback, https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html; LINKTYPE_LOOP is always big-endian
    Row("LOOPBACK.FAMILY", "LOOPBACK", 0, 32, FAMILY, shapes=True),
    Row("LOOPBACK.FAMILY", "LOOP", 0, 32, shapes=True),
    Row("LOOPBACK.DATA", "LOOPBACK", 32, 0, DATA, shapes=True),
    Row("LOOPBACK.DATA", "LOOP", 32, 0, DATA, shapes=True),

    # Linux cooked capture, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html
    Row("SLL.PACKET_TYPE", "SLL", 0, 16, new=True),
    Row("SLL.HARDWARE", "SLL", 16, 16, new=True),
    Row("SLL.ADDR_SIZE", "SLL", 32, 16, new=True),
    Row("SLL.SRC_ADDR", "SLL", 48, 48, MAC, new=True),
    Row("SLL.PROTOCOL", "SLL", 112, 16, shapes=True, new=True, names=names.ETHERTYPE),
    Row("SLL.DATA", "SLL", 128, 0, DATA, shapes=True, new=True),

    # Linux cooked capture 2, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html
    Row("SLL2.PROTOCOL", "SLL2", 0, 16, shapes=True, new=True, names=names.ETHERTYPE),
    Row("SLL2.IFINDEX", "SLL2", 32, 32, new=True),
    Row("SLL2.HARDWARE", "SLL2", 64, 16, new=True),
    Row("SLL2.PACKET_TYPE", "SLL2", 80, 8, new=True),
    Row("SLL2.ADDR_SIZE", "SLL2", 88, 8, new=True),
    Row("SLL2.SRC_ADDR", "SLL2", 96, 48, MAC, new=True),
    Row("SLL2.DATA", "SLL2", 160, 0, DATA, shapes=True, new=True),

    # Apple's PKTAP, in the byte order of the machine that captured
    *pktap("PKTAP", LITTLE),
    *pktap("PKTAP_BE", INT),

    # Ethernet II, RFC 894; tags: IEEE 802.1Q clause 9.6
    Row("ETHERNET.DST_ADDR", "ETHERNET", 0, 48, MAC),
    Row("ETHERNET.SRC_ADDR", "ETHERNET", 48, 48, MAC),
    Row("ETHERNET.TYPE", "ETHERNET", 96, 16, shapes=True, names=names.ETHERTYPE),
    Row("ETHERNET.VLAN_TAG", "VLAN", 0, 16),
    Row("ETHERNET.VLAN_PRIORITY", "VLAN", 0, 3, new=True),
    Row("ETHERNET.VLAN_ID", "VLAN", 4, 12, new=True),
    Row("ETHERNET.TYPE", "VLAN", 16, 16, shapes=True, names=names.ETHERTYPE),
    Row("ETHERNET.DATA", "ETHERNET", 112, 0, DATA, shapes=True),

    # ARP for Ethernet and IPv4, RFC 826
    Row("ARP.HARDWARE", "ARP", 0, 16),
    Row("ARP.PROTOCOL", "ARP", 16, 16, names=names.ETHERTYPE),
    Row("ARP.HARDWARE_SIZE", "ARP", 32, 8),
    Row("ARP.PROTOCOL_SIZE", "ARP", 40, 8),
    Row("ARP.OPERATION", "ARP", 48, 16, names=names.ARP_OPERATION),
    Row("ARP.SENDER_MACADDR", "ARP", 64, 48, MAC),
    Row("ARP.SENDER_IPADDR", "ARP", 112, 32, IPV4),
    Row("ARP.TARGET_MACADDR", "ARP", 144, 48, MAC),
    Row("ARP.TARGET_IPADDR", "ARP", 192, 32, IPV4),

    # IPv4, RFC 791 section 3.1; DSCP: RFC 2474; ECN: RFC 3168
    Row("IP.VERSION", "IP", 0, 4, shapes=True),
    Row("IP.HEADER_SIZE", "IP", 4, 4, scale=4, shapes=True),
    Row("IP.TOS", "IP", 8, 8),
    Row("IP.DSCP", "IP", 8, 6, new=True),
    Row("IP.ECN", "IP", 14, 2, new=True),
    Row("IP.TOTAL_SIZE", "IP", 16, 16, shapes=True),
    Row("IP.ID", "IP", 32, 16),
    Row("IP.FRAGMENT", "IP", 48, 16, shapes=True),
    Row("IP.DF", "IP", 49, 1, new=True),
    Row("IP.MF", "IP", 50, 1, shapes=True, new=True),
    Row("IP.OFFSET", "IP", 51, 13, scale=8, shapes=True, new=True),
    Row("IP.TTL", "IP", 64, 8),
    Row("IP.PROTOCOL", "IP", 72, 8, shapes=True, names=names.PROTOCOL),
    Row("IP.CHECKSUM", "IP", 80, 16),
    Row("IP.SRC_ADDR", "IP", 96, 32, IPV4),
    Row("IP.DST_ADDR", "IP", 128, 32, IPV4),
    Row("IP.DATA", "IP", 160, 0, DATA, shapes=True),

    # IPv6, RFC 8200 section 3
    Row("IPV6.VERSION", "IPV6", 0, 4, shapes=True),
    Row("IPV6.TRAFFIC_CLASS", "IPV6", 4, 8, new=True),
    Row("IPV6.FLOWID", "IPV6", 12, 20),
    Row("IPV6.PAYLOAD_SIZE", "IPV6", 32, 16, shapes=True),
    Row("IPV6.NEXT_HEADER", "IPV6", 48, 8, shapes=True, names=names.PROTOCOL),
    Row("IPV6.HOP_LIMIT", "IPV6", 56, 8),
    Row("IPV6.SRC_ADDR", "IPV6", 64, 128, IPV6),
    Row("IPV6.DST_ADDR", "IPV6", 192, 128, IPV6),
    Row("IPV6.DATA", "IPV6", 320, 0, DATA, shapes=True),

    # IPv6 extension headers, RFC 8200 section 4; authentication header, RFC 4302 section 2. A fragment header is always
    # eight bytes: its EXT_SIZE has no bits, only the bias.
    *[
        row
        for header, bias, scale, width in (
            ("IPV6_OPTIONS", 1, 8, 8), ("IPV6_ROUTING", 1, 8, 8), ("IPV6_FRAGMENT", 1, 8, 0), ("IPV6_AH", 2, 4, 8),
        )
        for row in (
            Row("IPV6.NEXT_HEADER", header, 0, 8, shapes=True, names=names.PROTOCOL),
            Row("IPV6.EXT_SIZE", header, 8, width, bias=bias, scale=scale, shapes=True),
            Row("IPV6.EXT_DATA", header, 16, 0, DATA, shapes=True),
        )
    ],
    # The fragment header, RFC 8200 section 4.5: the offset with its flag, and the identification
    Row("IPV6.FRAGMENT", "IPV6_FRAGMENT", 16, 16, shapes=True, new=True),
    Row("IPV6.FRAGMENT_ID", "IPV6_FRAGMENT", 32, 32, new=True),

    # ICMP, RFC 792. DATA begins behind the 28 bytes of BSD's struct icmp, as in 1.16.
    Row("ICMP.TYPE", "ICMP", 0, 8, names=names.ICMP_TYPE),
    Row("ICMP.CODE", "ICMP", 8, 8),
    Row("ICMP.CHECKSUM", "ICMP", 16, 16),
    Row("ICMP.ID", "ICMP", 32, 16, new=True),
    Row("ICMP.SEQ", "ICMP", 48, 16, new=True),
    Row("ICMP.DATA", "ICMP", 224, 0, DATA),

    # IGMP, RFC 2236 section 2
    Row("IGMP.TYPE", "IGMP", 0, 8, names=names.IGMP_TYPE),
    Row("IGMP.CODE", "IGMP", 8, 8),
    Row("IGMP.CHECKSUM", "IGMP", 16, 16),
    Row("IGMP.GROUP", "IGMP", 32, 32, IPV4),
    Row("IGMP.DATA", "IGMP", 64, 0, DATA),

    # TCP, RFC 9293 section 3.1; NS: RFC 7560. DATA begins behind 20 bytes, options included, as in 1.16.
    Row("TCP.SRC_PORT", "TCP", 0, 16),
    Row("TCP.DST_PORT", "TCP", 16, 16),
    Row("TCP.SEQ_NUMBER", "TCP", 32, 32),
    Row("TCP.ACK_NUMBER", "TCP", 64, 32),
    Row("TCP.OFFSET", "TCP", 96, 4, scale=4),
    Row("TCP.NS", "TCP", 103, 1, new=True),
    Row("TCP.FLAGS", "TCP", 104, 8),
    *[Row(f"TCP.{flag}", "TCP", 104 + i, 1, new=True)
      for i, flag in enumerate(("CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"))],
    Row("TCP.WINDOW", "TCP", 112, 16),
    Row("TCP.CHECKSUM", "TCP", 128, 16),
    Row("TCP.URGENT", "TCP", 144, 16),
    Row("TCP.DATA", "TCP", 160, 0, DATA),

    # UDP, RFC 768
    Row("UDP.SRC_PORT", "UDP", 0, 16),
    Row("UDP.DST_PORT", "UDP", 16, 16, shapes=True),
    Row("UDP.SIZE", "UDP", 32, 16, shapes=True),
    Row("UDP.CHECKSUM", "UDP", 48, 16),
    Row("UDP.DATA", "UDP", 64, 0, DATA, shapes=True),

    # ICMPv6, RFC 4443 section 2.1. DATA is the word behind the checksum, an integer, as in 1.16.
    Row("ICMPV6.TYPE", "ICMPV6", 0, 8, names=names.ICMPV6_TYPE),
    Row("ICMPV6.CODE", "ICMPV6", 8, 8),
    Row("ICMPV6.CHECKSUM", "ICMPV6", 16, 16),
    Row("ICMPV6.DATA", "ICMPV6", 32, 32),
    Row("ICMPV6.ID", "ICMPV6", 32, 16, new=True),
    Row("ICMPV6.SEQ", "ICMPV6", 48, 16, new=True),

    # SCTP, RFC 9260 section 3.1
    Row("SCTP.SRC_PORT", "SCTP", 0, 16, new=True),
    Row("SCTP.DST_PORT", "SCTP", 16, 16, new=True),
    Row("SCTP.TAG", "SCTP", 32, 32, new=True),
    Row("SCTP.CHECKSUM", "SCTP", 64, 32, new=True),
    Row("SCTP.DATA", "SCTP", 96, 0, DATA, new=True),

    # GRE, RFC 2784 section 2.1. DATA begins behind the optional words.
    Row("GRE.FLAGS", "GRE", 0, 16, shapes=True, new=True),
    Row("GRE.VERSION", "GRE", 13, 3, shapes=True, new=True),
    Row("GRE.PROTOCOL", "GRE", 16, 16, shapes=True, new=True, names=names.ETHERTYPE),
    Row("GRE.DATA", "GRE", 32, 0, DATA, shapes=True, new=True),

    # VXLAN, RFC 7348 section 5
    Row("VXLAN.FLAGS", "VXLAN", 0, 8, shapes=True, new=True),
    Row("VXLAN.VNI", "VXLAN", 32, 24, new=True),
    Row("VXLAN.DATA", "VXLAN", 64, 0, DATA, shapes=True, new=True),
]  # fmt: skip

# Field name to the indexes of its rows, in table order.
FIELDS: dict[str, list[int]] = {}
for _index, _row in enumerate(TABLE):
    FIELDS.setdefault(_row.name, []).append(_index)

# Kind of header to its rows, in table order.
BY_HEADER: dict[int, list[Row]] = {}
for _row in TABLE:
    BY_HEADER.setdefault(_row.header, []).append(_row)

# Layer name to the kinds of headers that show it is there. VLAN is a name of its own: is there a tag?
LAYERS: dict[str, set[int]] = {"VLAN": {HEADERS.index("VLAN")}}
for _row in TABLE:
    LAYERS.setdefault(_row.name.partition(".")[0], set()).add(_row.header)
