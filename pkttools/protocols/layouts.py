"""How kinds of headers are printed for people, as pkttools 1.16 laid them out.

A kind has a layout: its title, its layer, and its lines, each a label and a template of values. One without lines here
shows every field that the table has of it.
"""

from __future__ import annotations

from . import names
from .fields import BY_HEADER, DATA, HEADERS, Row

CAPTURE, LINK, NETWORK, TRANSPORT = range(1, 5)  # layers; the first is what the capture itself says of a packet


def aligned(label: str) -> str:
    """A label with tabs behind it, so that what follows stands 16 columns on."""
    return label + "\t" * max(1, 2 - len(label) // 8)


def line(label: str, values: str) -> str:
    """The template of a line. Lower-case names in `values` are attributes of analysis.Header, others fields."""
    return f"\t{aligned(label)}: {values}"


class Layout:
    """How a kind of header is printed.

    title: its name; without one its lines go on under the header before. lines: templates; none given: all its fields.
    brief: the template that stands for them where a header has one line, if that is not the first.
    """

    __slots__ = ("brief", "layer", "lines", "title")

    def __init__(self, title: str, layer: int, *lines: str, brief: str = "") -> None:
        self.title, self.layer, self.lines, self.brief = title, layer, lines, brief


SIZE = line("total size", "{size} bytes")
CHECKSUM = line("checksum", "{CHECKSUM:#06x} ({verdict})")
ADDRESSES = line("src/dst addr", "{SRC_ADDR} / {DST_ADDR}")
PORTS = line("src/dst port", "{SRC_PORT} / {DST_PORT}")
TYPE = line("type/code", "{TYPE} / {CODE}")
PROCESS = line("process", "{named[PID]} / {COMM}")
NEXT = line("next header", "{NEXT_HEADER}{extension}")
EXTENSION = line("exthdr size", "{EXT_SIZE} bytes")

PKTAP = Layout(
    "PKTAP", LINK,
    line("length/next", "{LENGTH} bytes / {named[NEXT_TYPE]}"),
    line("DLT/family", "{named[DLT]} / {named[FAMILY]}"),
    line("interface", "{IFNAME} (type: {named[IFTYPE]}) (unit: {IFUNIT})"),
    line("flags", "{FLAGS:#010x} ( {flags})"),
    line("pre/post size", "{PRE_SIZE} / {POST_SIZE} bytes"),
    PROCESS,
    line("effective", "{named[EPID]} / {ECOMM}"),
    line("service class", "{named[SVC]}"),
    brief=PROCESS,
)  # fmt: skip

LAYOUTS = {
    "UNKNOWN": Layout("Unknown", LINK),
    "LOOPBACK": Layout("Loopback", LINK),
    "LOOP": Layout("Loopback", LINK),
    "SLL": Layout("SLL", LINK),
    "SLL2": Layout("SLL2", LINK),
    "PKTAP": PKTAP,
    "PKTAP_BE": PKTAP,
    "ETHERNET": Layout("Ethernet", LINK, "\t{SRC_ADDR} -> {DST_ADDR}  {tags}(type: {type:#06x})"),
    "VLAN": Layout("VLAN", LINK),  # where it is not part of an Ethernet header's line
    "ARP": Layout(
        "ARP", NETWORK,
        line("operation", "{OPERATION}"),
        line("hrd/prt (size)", "{HARDWARE} / {PROTOCOL:#06x} ({HARDWARE_SIZE} / {PROTOCOL_SIZE})"),
        line("sender MAC/IP", "{SENDER_MACADDR}    \t/ {SENDER_IPADDR}"),
        line("target MAC/IP", "{TARGET_MACADDR}    \t/ {TARGET_IPADDR}"),
        brief=line("operation", "{OPERATION} ({SENDER_IPADDR} -> {TARGET_IPADDR})"),
    ),
    "IP": Layout(
        "IP", NETWORK,
        line("head/total size", "{HEADER_SIZE} / {TOTAL_SIZE} bytes"),
        line("ID/fragment", "{ID:#06x} / {FRAGMENT:#06x}"),
        line("TTL/protocol", "{TTL} / {PROTOCOL}"),
        CHECKSUM, ADDRESSES, brief=ADDRESSES,
    ),
    "IPV6": Layout(
        "IPv6", NETWORK, line("payload size", "{PAYLOAD_SIZE} bytes"), line("hop limit", "{HOP_LIMIT}"), ADDRESSES, NEXT,
        brief=ADDRESSES,
    ),
    "IPV6_OPTIONS": Layout("", NETWORK, EXTENSION, NEXT),
    "IPV6_ROUTING": Layout("", NETWORK, EXTENSION, NEXT),
    "IPV6_FRAGMENT": Layout(
        "", NETWORK, EXTENSION, line("offset", "{FRAGMENT:#06x}"), line("ident", "{FRAGMENT_ID:#010x}"), NEXT,
    ),
    "IPV6_AH": Layout("", NETWORK, EXTENSION, NEXT),
    "ICMP": Layout("ICMP", TRANSPORT, SIZE, TYPE, CHECKSUM, brief=TYPE),
    "IGMP": Layout("IGMP", TRANSPORT, SIZE, TYPE, CHECKSUM, line("group", "{GROUP}"), brief=TYPE),
    "TCP": Layout(
        "TCP", TRANSPORT, SIZE, PORTS,
        line("seq/ack number", "{SEQ_NUMBER} / {ACK_NUMBER}"),
        line("offset/window", "{OFFSET} / {WINDOW}"),
        line("checksum/flags", "{CHECKSUM:#06x} ({verdict}) / {FLAGS:#04x} ( {flags})"),
        brief=PORTS,
    ),
    "UDP": Layout(
        "UDP", TRANSPORT, SIZE, PORTS, line("length/checksum", "{SIZE} / {CHECKSUM:#06x} ({verdict})"), brief=PORTS,
    ),
    "ICMPV6": Layout("ICMPv6", TRANSPORT, SIZE, TYPE, CHECKSUM, brief=TYPE),
    "SCTP": Layout(
        "SCTP", TRANSPORT, SIZE, PORTS, line("tag", "{TAG:#010x}"), line("checksum", "{CHECKSUM:#010x} ({verdict})"), brief=PORTS,
    ),
    "GRE": Layout("GRE", TRANSPORT, line("flags/version", "{FLAGS:#06x} / {VERSION}"), line("protocol", "{PROTOCOL:#06x}")),
    "VXLAN": Layout("VXLAN", TRANSPORT, line("flags", "{FLAGS:#04x}"), line("VNI", "{VNI}"), brief=line("VNI", "{VNI}")),
}  # fmt: skip

PATTERNS = ("FLAGS", "VLAN_TAG")  # fields that are bits rather than numbers


def all_fields(rows: list[Row]) -> tuple[str, ...]:
    """A line for each field of a header, data aside."""
    lines = []
    for row in rows:
        name = row.name.partition(".")[2]
        bits = name == "CHECKSUM" or name in PATTERNS or row.names is names.ETHERTYPE
        value = f"{{{name}:#0{2 + (row.width + 3) // 4}x}}" if bits else f"{{{name}}}"
        if row.kind != DATA:
            lines.append(line(name.lower().replace("_", " "), value + (" ({verdict})" if name == "CHECKSUM" else "")))
    return tuple(lines)


def complete() -> list[Layout]:
    """The layout of each kind of header."""
    found = []
    for kind, name in enumerate(HEADERS):
        layout = LAYOUTS.get(name) or Layout(name, TRANSPORT)
        lines = layout.lines or all_fields(BY_HEADER[kind])
        found.append(Layout(layout.title, layout.layer, *lines, brief=layout.brief or "".join(lines[:1])))
    return found


LAYOUT = complete()  # by kind
