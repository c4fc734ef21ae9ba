"""Checksums that follow an edit (RFC 1624), on both codecs: what was right is right afterwards, and what was wrong is not."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from samples import ethernet, extension, frames, gre, icmp, ipv4, ipv6, row_of, sctp, tags, tcp, udp, vxlan

from pkttools.codec import ALL, CORRECTED, WRONG
from pkttools.language import assigning
from pkttools.language.arguments import split_assignment

EDITS = [
    ["IP.TTL=1"], ["IP.SRC_ADDR=10.1.2.3"], ["IP.DST_ADDR=255.255.255.255", "IP.TOS=0xff"], ["IPV6.DST_ADDR=2001:db8::7"],
    ["IPV6.SRC_ADDR+=1", "IPV6.HOP_LIMIT=3"], ["UDP.DST_PORT=9999"], ["UDP.SRC_PORT+=1", "IP.ID=0"], ["TCP.SEQ_NUMBER=0xffffffff"],
    ["TCP.FLAGS=0", "TCP.DST_PORT-=1"], ["ICMP.TYPE=8", "ICMP.SEQ=2"], ["ICMPV6.CODE=1"], ["IP.SRC_ADDR[2]=10.9.9.9"],
    ["UDP.DST_PORT[2]=77"], ["IPV6.SRC_ADDR[-1]=::1"], ["TCP.DATA=ff fe fd"], ["SCTP.TAG=5"], ["IGMP.CODE=9"], ["IP.TTL[-1]=9"],
    ["ETHERNET.DST_ADDR=ff:ff:ff:ff:ff:ff"], ["IP.DATA=00"], ["GRE.PROTOCOL=0x88be"],
]  # fmt: skip


def mended(codec: ModuleType, linktype: int, frame: bytes) -> tuple[bytes, bool]:
    """With right checksums; and whether all of them could be computed."""
    data = bytearray(frame)
    outcome = codec.correct(data, row_of(frame, linktype, None), ALL).index(1)
    return bytes(data), outcome == CORRECTED


def headers(codec: ModuleType, linktype: int, frame: bytes) -> int:
    """How many there are."""
    return len(codec.walk(bytearray(frame), row_of(frame, linktype, None)))


def edited(
    codec: ModuleType, linktype: int, frame: bytes, edit: list[str], original: int | None = None, follow: bool = True
) -> tuple[bytes, int]:
    """The frame after an edit, and whether a checksum could not follow."""
    program = assigning.assignments([split_assignment(text) for text in edit])
    data = bytearray(frame)
    *_, stale, _ = codec.assign(data, row_of(frame, linktype, original), program, None, follow)
    return bytes(data), stale


@pytest.mark.parametrize("number", range(len(frames())))
def test_right_stays_right(codec, number):
    """As if pkt-correct had come behind, for every edit that leaves the headers where they are."""
    linktype, frame = frames()[number]
    frame, whole = mended(codec, linktype, frame)
    for edit in EDITS:
        got, stale = edited(codec, linktype, frame, edit)
        wanted, whole_after = mended(codec, linktype, edited(codec, linktype, frame, edit, follow=False)[0])
        hidden = headers(codec, linktype, got) < headers(codec, linktype, frame)  # no VXLAN any more: its 0 stays all the same
        if whole and whole_after and not stale and not hidden:
            assert got == wanted, edit


def test_nothing_is_stale_where_nothing_is_edited(codec):
    for linktype, frame in frames():
        for original in (None, 5000):
            assert edited(codec, linktype, frame, [], original) == (frame, 0)


@pytest.mark.parametrize("number", range(len(frames())))
def test_wrong_stays_wrong(codec, number):
    """What the user set stays set: a checksum that is off by 0x1234 still is."""
    linktype, frame = frames()[number]
    frame, whole = mended(codec, linktype, frame)
    if not whole or codec.check(bytearray(frame), row_of(frame, linktype, None)) != bytes([CORRECTED]):
        return
    for name in ("UDP", "TCP", "ICMP", "ICMPV6", "SCTP"):
        broken, _ = edited(codec, linktype, frame, [f"{name}.CHECKSUM+=0x1234"], follow=False)
        if broken == frame:
            continue
        for edit in EDITS[:11]:
            got, _ = edited(codec, linktype, broken, edit)
            if len(codec.walk(bytearray(got), row_of(got, linktype, None))) < len(
                codec.walk(bytearray(broken), row_of(broken, linktype, None))
            ):
                continue  # another port: no VXLAN any more, and nobody looks inside
            assert codec.check(bytearray(got), row_of(got, linktype, None)) == bytes([WRONG]), (name, edit)


@pytest.mark.parametrize(
    ("linktype", "frame", "edits", "least"),
    [
        (1, ethernet(0x0800, ipv4(17, udp(b"x" * 1000))), [["IP.SRC_ADDR=10.0.0.9"], ["UDP.DST_PORT=7", "IP.TTL-=1"]], 42),
        (1, ethernet(0x0800, ipv4(6, tcp(b"x" * 999))), [["IP.DST_ADDR=10.0.0.9"], ["TCP.SEQ_NUMBER+=70000"]], 54),
        (101, ipv6(6, tcp(b"x" * 999)), [["IPV6.DST_ADDR=::5"], ["TCP.WINDOW=1"]], 60),
        (101, ipv6(58, icmp(128, b"x" * 555)), [["IPV6.SRC_ADDR=::5"], ["ICMPV6.SEQ=3"]], 48),
        (101, ipv6(0, extension(17, bytes(6)) + udp(b"y" * 300)), [["IPV6.DST_ADDR=::5", "UDP.SRC_PORT=1"]], 56),
        (101, ipv4(1, icmp(8, bytes(200))), [["ICMP.TYPE=0"]], 28),
        (101, ipv4(4, ipv4(17, udp(b"z" * 300))), [["IP.SRC_ADDR[2]=1.1.1.1", "UDP.DST_PORT=5"]], 48),
        (101, ipv4(47, gre(0x0800, ipv4(6, tcp(b"z" * 300)), 0x8000)), [["IP.SRC_ADDR[2]=1.1.1.1", "TCP.DST_PORT=5"]], 68),
        (1, ethernet(0x8100, tags([0x8100], 0x0800, ipv4(17, udp(b"z" * 300)))), [["IP.SRC_ADDR=1.1.1.1"]], 46),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_packet_that_was_cut(codec, linktype, frame, edits, least):
    """Its checksums are those that the whole packet would have: 1.16, tcprewrite and scapy need all of it."""
    whole, _ = mended(codec, linktype, frame)
    for edit in edits:
        wanted, _ = mended(codec, linktype, edited(codec, linktype, whole, edit, follow=False)[0])
        for size in range(least, len(whole), 13):
            assert edited(codec, linktype, whole[:size], edit, len(whole)) == (wanted[:size], 0), (edit, size)


def test_a_tunnel_that_was_cut(codec):
    """The outer UDP checksum covers what is changed inside."""
    whole, _ = mended(codec, 101, ipv4(17, vxlan(ethernet(0x0800, ipv4(17, udp(b"z" * 300))))))
    data = bytearray(whole)
    data[26:28] = data[26:28] if data[26:28] != b"\0\0" else b"\0\1"  # not 0, so that it is mended: VXLAN leaves 0 alone
    whole, _ = mended(codec, 101, bytes(data))
    assert whole[26:28] != b"\0\0"
    inner = 20 + 8 + 8 + 14
    data = bytearray(whole)
    data[inner + 26 : inner + 28] = b"\0\1"
    whole, _ = mended(codec, 101, bytes(data))
    edit = ["UDP.DST_PORT[2]=99", "IP.SRC_ADDR[2]=10.0.0.1", "IP.DST_ADDR=10.77.0.2"]
    wanted, _ = mended(codec, 101, edited(codec, 101, whole, edit, follow=False)[0])
    assert wanted[26:28] != whole[26:28]
    for size in range(inner + 28, len(whole), 11):
        assert edited(codec, 101, whole[:size], edit, len(whole)) == (wanted[:size], 0)


def test_an_edit_behind_the_checksum_of_a_cut_header(codec):
    """The checksum was not captured, or the bytes of another packet would be needed: counted, and left alone."""
    frame = ipv4(6, tcp(b"x" * 100))
    assert edited(codec, 101, frame[:30], ["TCP.SRC_PORT=5"], len(frame))[1] == 0  # TCP was not captured in full: no field
    frame = ipv4(132, sctp(bytes(100)))
    whole, _ = mended(codec, 101, frame)
    assert edited(codec, 101, whole[:60], ["SCTP.TAG=9"], len(whole))[1] == 1  # a CRC needs all of it
    assert edited(codec, 101, whole, ["SCTP.TAG=9"]) == (mended(codec, 101, edited(codec, 101, whole, ["SCTP.TAG=9"])[0])[0], 0)


def pieces(codec: ModuleType) -> tuple[bytes, list[bytes]]:
    """A UDP datagram with a right checksum, and the two fragments that carry it."""
    whole, _ = mended(codec, 101, ipv4(17, udp(bytes(range(200)))))
    payload = whole[20:]
    parts = [ipv4(17, payload[:104], fragment=0x2000), ipv4(17, payload[104:], fragment=104 // 8)]
    return whole, [mended(codec, 101, part)[0] for part in parts]


def test_fragments(codec):
    """The first fragment has the checksum of the datagram: it follows what changes in that fragment's headers."""
    whole, (first, second) = pieces(codec)
    edit = ["IP.SRC_ADDR=10.20.30.40", "IP.TTL=3"]
    wanted, _ = mended(codec, 101, edited(codec, 101, whole, edit, follow=False)[0])
    got_first, stale_first = edited(codec, 101, first, edit)
    got_second, stale_second = edited(codec, 101, second, edit)
    assert (stale_first, stale_second) == (0, 0)
    assert got_first[20:] + got_second[20:] == wanted[20:]
    for got in (got_first, got_second):
        assert mended(codec, 101, got)[0] == got  # the IP header's checksum is right


def test_the_payload_of_a_later_fragment(codec):
    """Its checksum stands in another packet."""
    _, (first, second) = pieces(codec)
    assert edited(codec, 101, second, ["IP.DATA=ffff"])[1] == 1
    data = first[20 + 8 :]
    got, stale = edited(codec, 101, first, [f"IP.DATA={first[20:28].hex()}ffff"])
    assert stale == 0
    assert got[26:28] != first[26:28]
    assert got[30:] == data[2:]


def test_fragments6(codec):
    whole, _ = mended(codec, 101, ipv6(17, udp(bytes(range(200)))))
    first = ipv6(44, struct.pack("!BBHI", 17, 0, 1, 5) + whole[40:144])
    second = ipv6(44, struct.pack("!BBHI", 17, 0, 104, 5) + whole[144:])
    edit = ["IPV6.SRC_ADDR=2001:db8::99"]
    wanted, _ = mended(codec, 101, edited(codec, 101, whole, edit, follow=False)[0])
    (got, stale), (got_second, stale_second) = edited(codec, 101, first, edit), edited(codec, 101, second, edit)
    assert (stale, stale_second) == (0, 0)
    assert got[48:] + got_second[48:] == wanted[40:]


def test_udp_without_a_checksum_has_none_afterwards(codec):
    frame = ipv4(17, udp())
    got, stale = edited(codec, 101, frame, ["UDP.DST_PORT=9"])
    assert (got[26:28], stale) == (b"\0\0", 0)
    assert edited(codec, 101, frame, ["IP.SRC_ADDR=9.9.9.9"])[0][26:28] == b"\0\0"


def test_udp_never_becomes_zero(codec):
    """The sum that would be written as 0 says 0xFFFF: 0 would mean that there is none."""
    frame, _ = mended(codec, 101, ipv4(17, udp(bytes(2))))
    for port in range(65536):
        got, _ = edited(codec, 101, frame, [f"UDP.SRC_PORT={port}"])
        if got[26:28] == b"\xff\xff":
            assert mended(codec, 101, got)[0] == got
            return
        assert got[26:28] != b"\0\0"
    raise AssertionError("no port gives that sum")


@pytest.mark.parametrize("extra", [0, 1, 2, 9])
@pytest.mark.parametrize("version", [4, 6])
def test_udp_that_says_eight_bytes_has_no_payload(codec, version, extra):
    """RFC 768: length 8 is the least, and what stands behind it in the datagram is nobody's; its checksum does not cover it."""
    message = udp(b"", 8) + b"surplus.."[:extra]
    frame, _ = mended(codec, 101, ipv4(17, message) if version == 4 else ipv6(17, message))
    at = 26 if version == 4 else 46
    assert frame[at : at + 2] != b"\0\0"
    for edit in (["UDP.DST_PORT=9"], ["IP.SRC_ADDR=10.9.9.9"], ["IPV6.SRC_ADDR=::9"]):
        got, stale = edited(codec, 101, frame, edit)
        assert (mended(codec, 101, got)[0], stale) == (got, 0), edit
    end = bytearray(frame)
    end[-extra:] = b"X" * extra if extra else end[-extra:]
    assert mended(codec, 101, bytes(end))[0] == bytes(end)  # right, whatever stands there


def test_what_the_user_sets_stays(codec):
    frame, _ = mended(codec, 101, ipv4(17, udp()))
    got, stale = edited(codec, 101, frame, ["UDP.DST_PORT=9", "UDP.CHECKSUM=0x1234", "IP.CHECKSUM=0x5678", "IP.TTL=1"])
    assert (got[26:28], got[10:12], stale) == (b"\x12\x34", b"\x56\x78", 0)


def test_an_edit_that_makes_it_another_packet_is_counted(codec):
    frame, _ = mended(codec, 101, ipv4(17, udp(bytes(30))))
    got, stale = edited(codec, 101, frame, ["IP.PROTOCOL=6"])
    assert stale == 1
    assert mended(codec, 101, got)[0][10:12] == got[10:12]  # the header's own checksum follows all the same


def test_a_checksum_that_is_not_there_is_counted(codec):
    """Addresses that it covers change, and it was not captured, or stands in a later fragment."""
    whole, _ = mended(codec, 101, ipv4(6, tcp(bytes(60))))
    assert edited(codec, 101, whole[:30], ["IP.SRC_ADDR=9.9.9.9"], len(whole))[1] == 1
    assert edited(codec, 101, whole[:30], ["IP.TTL=9"], len(whole))[1] == 0
    first = mended(codec, 101, ipv4(6, whole[20:36], fragment=0x2000))[0]
    assert edited(codec, 101, first, ["IP.SRC_ADDR=9.9.9.9"])[1] == 1
    assert edited(codec, 101, first, ["IP.TTL=9"])[1] == 0


@pytest.mark.parametrize("version", [4, 6])
def test_a_checksum_that_is_not_there_may_fit_all_the_same(codec, version):
    """Other addresses with the same sum, which is one of one's complement: 0xffff more is no more."""
    tcp4, icmp6 = ipv4(6, b"\x08\0"), ipv6(58, b"\x80\0")
    packet = tcp4[:16] + bytes(4) + tcp4[20:] if version == 4 else icmp6[:8] + bytes(32) + icmp6[40:]
    field = "IP.DST_ADDR" if version == 4 else "IPV6.DST_ADDR"
    assert edited(codec, 101, packet, [f"{field}+=0xffff"], len(packet))[1] == 0
    assert edited(codec, 101, packet, [f"{field}+=0xfffe"], len(packet))[1] == 1


def test_headers_that_are_hidden_but_unchanged_are_not_counted(codec):
    whole, _ = mended(codec, 101, ipv4(17, vxlan(ethernet(0x0800, ipv4(6, tcp())))))
    assert edited(codec, 101, whole, ["UDP.DST_PORT=7"])[1] == 0
