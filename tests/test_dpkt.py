"""dpkt beside our tables: what its classes read in real packets is what our descriptions say, or the RFC says who is right.

A description names the class of dpkt that reads its header: `source RFC 9293; dpkt tcp.TCP`. Which of its attributes is which of
our fields, FIELDS says. REFUSED and DIFFERENCES are where the two do not say the same, and who is right by the RFC: the tables.
"""

from __future__ import annotations

import importlib
import re
import struct
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from operator import attrgetter
from typing import Any

import pytest
import test_protocols_tshark as samples_of
from dpkt.ethernet import Ethernet
from dpkt.ip6 import IP6
from dpkt.rtp import RTP
from dpkt.udp import UDP
from samples import ethernet, extension, ipv4, ipv6, over_udp, packets_of, row_of, tags, udp

import pkttools.codec.python as python_codec
from pkttools.protocols.compile import our_files
from pkttools.protocols.fields import HEADERS

Read = Callable[[Any], Any]
NAMED = re.compile(r"^protocol\s+(\w+) .*\nsource\s.*; dpkt (\w+\.\w+)$", re.MULTILINE)


def named() -> dict[str, str]:
    """The classes that descriptions name, of each header."""
    return {name: place for path in our_files() for name, place in NAMED.findall(path.read_text("utf-8"))}


def attributes(words: str, **more: Read) -> dict[str, Read]:
    """Our field, and dpkt's attribute: the same word in small letters, or what stands behind `=`."""
    pairs = [word.partition("=") for word in words.split()]
    return {ours: attrgetter(theirs or ours.lower()) for ours, _, theirs in pairs} | more


FIELDS: dict[str, dict[str, Read]] = {
    # the header: our fields, as attributes of dpkt's object
    "AH": attributes("NEXT_HEADER=nxt SPI SEQUENCE=seq", SIZE=lambda p: (p.len + 2) * 4),
    "ARP": attributes("HARDWARE=hrd PROTOCOL=pro HARDWARE_SIZE=hln PROTOCOL_SIZE=pln OPERATION=op SENDER_MACADDR=sha "
                      "SENDER_IPADDR=spa TARGET_MACADDR=tha TARGET_IPADDR=tpa"),
    "DHCP": attributes("OP HTYPE=hrd HLEN=hln HOPS XID SECS FLAGS MAGIC", CIADDR=lambda p: p.ciaddr, YIADDR=lambda p: p.yiaddr,
                       SIADDR=lambda p: p.siaddr, GIADDR=lambda p: p.giaddr),
    "DNS": attributes("ID QR AA TC RD RA RCODE OPCODE"),
    "ESP": attributes("SPI SEQUENCE=seq"),
    "ETHERNET": attributes("DST_ADDR=dst SRC_ADDR=src"),
    "GRE": attributes("FLAGS PROTOCOL=p VERSION=v"),
    "ICMP": attributes("TYPE CODE CHECKSUM=sum"),
    "ICMPV6": attributes("TYPE CODE CHECKSUM=sum"),
    "IGMP": attributes("TYPE CHECKSUM=sum"),
    "IP": attributes("VERSION=v TOS TOTAL_SIZE=len ID TTL PROTOCOL=p CHECKSUM=sum SRC_ADDR=src DST_ADDR=dst DF MF",
                     HEADER_SIZE=lambda p: p.hl * 4, OFFSET=lambda p: p.offset * 8),
    "IPV6": attributes("VERSION=v TRAFFIC_CLASS=fc FLOWID=flow PAYLOAD_SIZE=plen HOP_LIMIT=hlim SRC_ADDR=src DST_ADDR=dst"),
    "LLC": attributes("DSAP SSAP"),
    "NTP": attributes("LEAP=li VERSION=v MODE STRATUM POLL=interval PRECISION REFERENCE_ID=id"),
    "OSPF": attributes("VERSION=v TYPE LENGTH=len ROUTER AREA CHECKSUM=sum AUTH_TYPE=atype"),
    "PIM": attributes("VERSION=v TYPE CHECKSUM=sum"),
    "PPPOE": attributes("VERSION=v TYPE CODE SESSION LENGTH=len"),
    "RADIOTAP": attributes("VERSION LENGTH"),
    "RTP": attributes("VERSION PADDING=p EXTENSION=x CSRC_COUNT=cc MARKER=m PAYLOAD_TYPE=pt SEQ_NUMBER=seq TIMESTAMP=ts SSRC"),
    "SCTP": attributes("SRC_PORT=sport DST_PORT=dport TAG=vtag CHECKSUM=sum"),
    "SLL": attributes("PACKET_TYPE=type HARDWARE=hrd ADDR_SIZE=hlen PROTOCOL=ethtype"),
    "SLL2": attributes("PACKET_TYPE=type HARDWARE=hrd ADDR_SIZE=hlen PROTOCOL=ethtype IFINDEX=intindex"),
    "STP": attributes("VERSION=v TYPE FLAGS"),
    "TCP": attributes("SRC_PORT=sport DST_PORT=dport SEQ_NUMBER=seq ACK_NUMBER=ack WINDOW=win CHECKSUM=sum URGENT=urp",
                      OFFSET=lambda p: p.off * 4),
    "UDP": attributes("SRC_PORT=sport DST_PORT=dport SIZE=ulen CHECKSUM=sum"),
    "VRRP": attributes("VERSION=v TYPE VRID PRIORITY COUNT CHECKSUM=sum"),
    "WLAN": attributes("VERSION TYPE SUBTYPE"),
}  # fmt: skip


@cache
def packets() -> list[tuple[str, dict[str, list[str]], bytes, list[tuple[str, int, int]]]]:
    """All samples: of each packet its sample, our fields as they are printed, its bytes, and headers: name, begin, end."""
    found = []
    for sample, path in samples_of.SAMPLES.items():
        for ours, (linktype, frame) in zip(samples_of.ours("python")[sample], packets_of(path), strict=True):
            headers = [
                (HEADERS[kind], places[0], places[-1])
                for kind, *places in python_codec.walk(bytearray(frame), row_of(frame, linktype))
            ]
            found.append((sample, ours, frame, headers))
    return found


def read(place: str, data: bytes) -> Any:
    """dpkt's object of a header and what is behind it; None where it refuses them, with whatever error."""
    module, name = place.split(".")
    try:
        return getattr(importlib.import_module(f"dpkt.{module}"), name)(data)
    except Exception:  # dpkt.Error, and many that are not
        return None


def number_of(value: int | str | bytes) -> int:
    """A value of dpkt's, or of ours as it is printed, as a number."""
    if isinstance(value, bytes):
        return int.from_bytes(value, "big")
    if isinstance(value, int):
        return int(value)
    if re.search("[.:]", value) and not re.fullmatch("..(:..){5}", value):
        return int(ip_address(value))
    shown = samples_of.value_of(value)
    return shown if isinstance(shown, int) else int(shown.replace(":", ""), 16)


REFUSED = {  # by dpkt, in these samples; why it should not
    ("icmp-error", "TCP"): "a header that is quoted is of 8 bytes: RFC 792, page 5",
    ("icmpv6-error", "TCP"): "the same over IPv6",
    ("sctp-chunks", "SCTP"): "all chunks are padded, not those with data alone: RFC 9260 section 3.2",
    ("stp", "ETHERNET"): "for what is in it",
    ("stp", "LLC"): "for what is in it",
    ("stp", "STP"): "a notice of a change is of 4 bytes: IEEE 802.1D section 9.3.2",
}


def test_classes_are_named_where_they_are_compared():
    assert named().keys() == FIELDS.keys()


@pytest.mark.parametrize("header", FIELDS)
def test_dpkt_reads_what_we_read(header):
    compared, refused = 0, set()
    for sample, ours, frame, headers in packets():
        theirs = [read(named()[header], frame[begin:end]) for name, begin, end in headers if name == header]
        if None in theirs:
            refused.add((sample, header))
            continue
        for field, of in FIELDS[header].items() if theirs else ():
            found = [number_of(value) for value in ours.get(f"{header}.{field}", [])]
            assert found == [number_of(of(packet)) for packet in theirs], f"{sample}: {header}.{field}"
            compared += 1
    assert compared
    assert refused == {key for key in REFUSED if key[1] == header}


TAGS = ethernet(0x88A8, tags([0x88A8, 0x8100, 0x8100], 0x0800, ipv4(17, udp())))
LATER = ipv6(60, extension(44, bytes(6)) + bytes([17, 0, 0, 9, 0, 0, 0, 5]) + bytes(20))
SNAP = b"\xaa\xaa\3\0\0\0\x08\0" + ipv4(17, udp())
TAGGED_SNAP = ethernet(0x8100, struct.pack("!HH", 5, len(SNAP)) + SNAP)
LABELLED = ethernet(0x8847, struct.pack("!I", 16 << 12 | 0x140) + ipv4(17, udp(), b"\1\1\1\0"))
ARP_OF_IPV6 = struct.pack("!HHBBH", 1, 0x86DD, 6, 16, 1) + bytes(range(44))
EXTENDED = bytes.fromhex("90600001 00000001 00000002 BEDE0001 01020304") + b"media"

# what is right, by whom: (link type, frame, our headers, what dpkt has in a header, how to find it)
DIFFERENCES: dict[str, tuple[int, bytes, list[str], object, Read]] = {
    "three tags and more: IEEE 802.1Q clause 9; dpkt keeps the last": (
        1, TAGS, ["ETHERNET", "VLAN", "VLAN", "VLAN", "IP", "UDP"], [3], lambda f: [tag.id for tag in Ethernet(f).vlan_tags]),
    "behind a later fragment's headers are data: RFC 8200 section 4.5; dpkt reads UDP in them": (
        101, LATER, ["IPV6", "IPV6_OPTIONS", "IPV6_FRAGMENT"], UDP, lambda f: type(IP6(f).data)),
    "a length may stand behind a tag: IEEE 802.1Q clause 9.6.2; dpkt does not go on": (
        1, TAGGED_SNAP, ["ETHERNET", "VLAN", "LLC", "SNAP", "IP", "UDP"], bytes, lambda f: type(Ethernet(f).data)),
    "what is behind a label begins with its version: RFC 4928 section 3; dpkt wants an IPv4 header without options": (
        1, LABELLED, ["ETHERNET", "MPLS", "IP", "UDP"], Ethernet, lambda f: type(Ethernet(f).data)),
    "addresses of ARP are as long as it says: RFC 826; dpkt's are of 6 and 4 bytes": (
        1, ethernet(0x0806, ARP_OF_IPV6), ["ETHERNET", "ARP_SIZED"], bytes(range(16, 20)), lambda f: Ethernet(f).data.tpa),
    "media are behind the extension: RFC 3550 section 5.3.1; dpkt has it among them": (
        101, ipv4(17, over_udp(5004, EXTENDED)), ["IP", "UDP", "RTP", "RTP_EXTENSION"], EXTENDED[12:], lambda f: RTP(f[28:]).data),
}  # fmt: skip


@pytest.mark.parametrize("rule", DIFFERENCES)
def test_where_dpkt_is_wrong(codec, rule):
    """Whether it still is, too: else the rule goes."""
    linktype, frame, headers, theirs, of = DIFFERENCES[rule]
    assert [HEADERS[kind] for kind, *_ in codec.walk(bytearray(frame), row_of(frame, linktype))] == headers
    assert of(frame) == theirs


def test_data_of_udp_end_at_its_length(codec):
    """RFC 768; dpkt has what is behind it among them."""
    frame = ipv4(17, udp(b"hello", 10))
    *_, (kind, begin, size, end) = codec.walk(bytearray(frame), row_of(frame, 101))
    assert (HEADERS[kind], frame[size:end]) == ("UDP", b"he")
    assert UDP(frame[begin:]).data == b"hello"
