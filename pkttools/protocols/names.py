"""Names of values, used both ways: to read `IP.PROTOCOL==udp` and to write `LINKTYPE: 113 (Linux SLL)`."""

from __future__ import annotations

from ..batch import count_of, fcs_of, linktype_of

# IANA "IEEE 802 Numbers"
ETHERTYPE = {0x0800: "ip", 0x0806: "arp", 0x8100: "vlan", 0x86DD: "ipv6", 0x8847: "mpls", 0x88A8: "qinq", 0x88CC: "lldp"}

# IANA "Protocol Numbers"
PROTOCOL = {
    0: "hopopt", 1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipv6", 43: "routing", 44: "fragment",
    47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 59: "none", 60: "dstopts", 89: "ospf", 103: "pim", 112: "vrrp",
    132: "sctp",
}  # fmt: skip

# RFC 826; IANA "ARP Parameters"
ARP_OPERATION = {1: "request", 2: "reply", 3: "reverse-request", 4: "reverse-reply"}

# RFC 792; IANA "ICMP Type Numbers"
ICMP_TYPE = {
    0: "echo-reply", 3: "unreachable", 5: "redirect", 8: "echo-request", 9: "router-advertisement",
    10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem", 13: "timestamp", 14: "timestamp-reply",
}  # fmt: skip

# RFC 4443, RFC 4861; IANA "ICMPv6 Parameters"
ICMPV6_TYPE = {
    1: "unreachable", 2: "too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
    129: "echo-reply", 133: "router-solicitation", 134: "router-advertisement", 135: "neighbor-solicitation",
    136: "neighbor-advertisement", 137: "redirect", 143: "mld-report",
}  # fmt: skip

# RFC 2236, RFC 3376
IGMP_TYPE = {0x11: "query", 0x12: "v1-report", 0x16: "v2-report", 0x17: "leave", 0x22: "v3-report"}

# What follows a PKTAP header: Apple's xnu, bsd/net/pktap.h
PKTAP_NEXT = {0: "none", 1: "packet"}

# Link types as macOS numbers them, with the names of libpcap: https://www.tcpdump.org/linktypes.html
DLT = {
    0: "null", 1: "en10mb", 9: "ppp", 12: "raw", 105: "ieee802_11", 108: "loop", 127: "ieee802_11_radio",
    138: "apple_ip_over_ieee1394",
}  # fmt: skip

# Protocol families of macOS: xnu, bsd/sys/socket.h
PROTOCOL_FAMILY = {0: "unspec", 2: "inet", 30: "inet6"}

# What stands for a process id where there is no process: -1, xnu, bsd/net/pktap.c
PROCESS = {0xFFFFFFFF: "none"}

# SO_TC_* of xnu, bsd/sys/socket.h; none is -1
SERVICE_CLASS = {
    0: "be", 100: "bk-sys", 200: "bk", 300: "rd", 400: "oam", 500: "av", 600: "rv", 700: "vi", 800: "vo", 900: "ctl",
    0xFFFFFFFF: "none",
}  # fmt: skip

# Types of interfaces: xnu, bsd/net/if_types.h, after IANA "ifType definitions"
INTERFACE_TYPE = {
    1: "other", 6: "ether", 23: "ppp", 24: "loop", 55: "gif", 57: "stf", 144: "ieee1394", 209: "bridge", 255: "cellular",
}  # fmt: skip

# https://www.tcpdump.org/linktypes.html. 0 and 1 are spelt as 1.16 spells them; readers ignore the name.
LINKTYPE = {
    0: "Loopback", 1: "Ethernet", 6: "Token Ring", 7: "ARCNET", 8: "SLIP", 9: "PPP", 10: "FDDI",
    50: "PPP HDLC", 51: "PPPoE", 100: "RFC 1483 ATM", 101: "Raw IP", 104: "Cisco HDLC", 105: "802.11",
    107: "Frame Relay", 108: "OpenBSD Loopback", 113: "Linux SLL", 117: "PF log", 119: "Prism", 122: "IP over FC",
    123: "SunATM", 127: "802.11 Radiotap", 129: "ARCNET Linux", 138: "Apple FireWire", 143: "DOCSIS",
    149: "PKTAP",  # of the numbers for private use, as Apple writes it
    182: "MFR", 187: "Bluetooth H4", 189: "USB Linux", 192: "PPI", 195: "802.15.4",
    209: "I2C Linux", 220: "USB Linux mmapped", 224: "Fibre Channel FC-2", 226: "Solaris IPNET", 227: "CAN",
    228: "Raw IPv4", 229: "Raw IPv6", 239: "NFLOG", 240: "netANALYZER", 242: "IP over InfiniBand",
    249: "USBPcap", 251: "Bluetooth LE", 253: "Netlink", 258: "PKTAP", 264: "ISO 14443", 271: "VSOCK",
    272: "Nordic BLE", 276: "Linux SLL2", 283: "802.15.4 TAP",
}  # fmt: skip


def link_lines(link: int) -> list[str]:
    """The lines that stand in front of packets of a link type, and with a frame check sequence (see batch.link_of)."""
    linktype, fcs, count = linktype_of(link), fcs_of(link), count_of(link)
    lines = [f"LINKTYPE: {linktype} ({linktype_name(linktype)})"]
    if fcs is not None:
        lines.append(f"TRAILER: {fcs} (FCS)" if count is None else f"TRAILER: {fcs}/{count} (FCS)")
    return lines


def linktype_name(linktype: int) -> str:
    """The name that stands in parentheses on a LINKTYPE line."""
    return LINKTYPE.get(linktype, "Unknown")


# What is not followed, by the spaces of numbers of codec/c/codec.h: IANA "IEEE 802 Numbers", "Protocol Numbers", "Port Numbers"
SPACES: dict[int, tuple[str, dict[int, str]]] = {
    1: ("EtherType 0x{:04X}", {
        0x8847: "MPLS", 0x8848: "MPLS", 0x8864: "PPPoE", 0x88E5: "MACsec", 0x88E7: "802.1ah", 0x894F: "NSH", 0x22F3: "TRILL",
        0x8903: "FabricPath", 0x8926: "VN-Tag", 0x893F: "802.1BR", 0x892F: "HSR", 0x88BE: "ERSPAN", 0x22EB: "ERSPAN III",
        0x880B: "PPP", 0x6558: "Ethernet", 0x8906: "FCoE", 0x8915: "RoCE", 0x8137: "IPX", 0x2001: "NHRP", 0x8947: "GeoNetworking",
        0x4305: "BATMAN",
    }),
    2: ("IP protocol {}", {
        51: "AH", 55: "minimal encapsulation", 94: "IPIP (94)", 97: "EtherIP", 98: "ENCAP", 103: "PIM Register", 115: "L2TPv3",
        137: "MPLS", 142: "ROHC", 143: "Ethernet", 144: "AGGFRAG", 145: "NSH",
    }),
    3: ("UDP port {}", {
        1701: "L2TP", 2152: "GTP-U", 3544: "Teredo", 4341: "LISP", 4790: "VXLAN-GPE", 5247: "CAPWAP", 6080: "GUE", 6081: "Geneve",
        6635: "MPLS over UDP", 8472: "VXLAN (port 8472)", 9899: "SCTP over UDP", 37008: "TZSP",
    }),
    4: ("LLC 0x{:04X}", {0xAAAA: "LLC/SNAP", 0x0606: "LLC (IP)"}),
    5: ("link type {}", {}),
    6: ("GRE version {}", {0: "GRE with a route"}),
}  # fmt: skip


def beyond_name(code: int) -> str:
    """What a code stands for that the codec counts: a number, behind 32 bits the space that it is of."""
    form, known = SPACES[code >> 32]
    number = code & 0xFFFFFFFF
    if code >> 32 == 5 and number in LINKTYPE:
        return f"{LINKTYPE[number]} (link type {number})"
    return known.get(number) or form.format(number)
