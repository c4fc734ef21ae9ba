"""Which packets are sound, and what is said of each checksum, on both codecs."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from samples import ARP, ethernet, extension, frames, gre, icmp, ipv4, ipv6, row_of, sctp, tags, tcp, tunnels, udp, vxlan

from pkttools.codec import ALL, BAD, CORRECTED, LENGTHS, MALFORMED, NONE, RIGHT, TRUNCATED, UNCERTAIN, WRONG
from pkttools.protocols.fields import HEADERS


def mended(codec: ModuleType, linktype: int, frame: bytes, what: int = ALL) -> bytes:
    data = bytearray(frame)
    codec.correct(data, row_of(frame, linktype), what)
    return bytes(data)


def check(codec: ModuleType, linktype: int, frame: bytes, original: int | None = None) -> int:
    return codec.check(bytearray(frame), row_of(frame, linktype, original))[0]


def verdicts(codec: ModuleType, linktype: int, frame: bytes, original: int | None = None) -> list[tuple[str, int]]:
    headers = codec.walk(bytearray(frame), row_of(frame, linktype, original))
    found = codec.verify(bytearray(frame), row_of(frame, linktype, original))
    return [(HEADERS[header[0]], verdict) for header, verdict in zip(headers, found, strict=True)]


def patched(frame: bytes, at: int, new: bytes) -> bytes:
    return frame[:at] + new + frame[at + len(new) :]


@pytest.mark.parametrize("number", range(len(frames())))
def test_what_was_mended_is_sound(codec, number):
    """And is not when a bit of what a checksum covers is turned."""
    linktype, frame = frames()[number]
    good = mended(codec, linktype, frame)
    found = check(codec, linktype, good)
    headers = codec.walk(bytearray(good), row_of(good, linktype))
    if len(good) == 0 or len(headers) == 32:  # nothing, or more headers than are followed
        assert found == MALFORMED
        return
    assert found == CORRECTED
    assert BAD not in codec.verify(bytearray(good), row_of(good, linktype))
    names = [HEADERS[kind] for kind, *_ in headers]
    if "IP" in names:
        at = headers[names.index("IP")][1]
        assert check(codec, linktype, patched(good, at + 8, bytes([good[at + 8] ^ 1]))) == WRONG  # the time to live
    assert check(codec, linktype, good, len(good) + 1) == TRUNCATED


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (1, b"\2" * 13), (1, ethernet(0x0800, ipv4(17, udp())[:19])), (1, ethernet(0x86DD, ipv6(17, b"")[:39])),
        (1, ethernet(0x0806, ARP[:27])), (1, ethernet(0x8100, b"\0\1\x08")), (101, b"\x50rest"), (101, b""),
        (113, bytes(15)), (276, bytes(19)), (0, b"\2\0\0"), (228, b"\x45"),
        (101, patched(ipv4(17, udp()), 0, b"\x44")),  # a header of 16 bytes
        (101, patched(ipv4(17, udp()), 0, b"\x4f")),  # one that goes past the end
        (101, patched(ipv4(17, udp()), 2, b"\0\x13")),  # a total below the header
        (101, patched(ipv4(17, udp()), 2, b"\0\xff")),  # and beyond the packet
        (228, patched(ipv4(17, udp()), 0, b"\x65")), (229, patched(ipv6(59, b""), 0, b"\x40")),  # the other version
        (101, patched(ipv6(17, udp()), 4, b"\0\xff")), (101, ipv6(0, b"\x11\x09" + bytes(6) + udp())),
        (101, ipv4(17, udp(size=7))), (101, ipv4(17, udp(size=14))), (101, ipv4(17, b"short")), (101, ipv4(6, tcp()[:19])),
        (101, patched(ipv4(6, tcp()), 32, b"\x40")), (101, patched(ipv4(6, tcp()), 32, b"\xf0")),  # TCP's own header size
        (101, ipv4(132, sctp()[:11])), (101, ipv4(1, b"abc")), (101, ipv6(58, b"abc")), (101, ipv4(4, ipv4(17, udp())[:19])),
        (101, ipv4(17, vxlan(bytes(13)))), (101, ipv4(47, gre(0x0800, b"half"))),
        (101, ipv4(4, patched(ipv4(17, udp()), 0, b"\x44"))),
        (1, ethernet(0x8100, tags([0x8100] * 36, 0x0800, ipv4(17, udp())))),
        (101, patched(ipv4(17, udp()), 2, b"\0\0")), (101, patched(ipv6(17, udp()), 4, b"\0\0")),  # as segmentation offload has it
        # What a link layer announces is there, whatever it is.
        (1, ethernet(0x8864, b"\x11\0\0")), (1, ethernet(0x8100, b"\0\1\x88\x47\0\1\1")), (113, bytes(14) + b"\x08\x06" + ARP[:7]),
        (276, b"\x88\x47" + bytes(18)), (104, b"\x0f\0\x88\x47\0"), (9, b"\xff\3\2\x81\0"),
    ],
    ids=range(41),
)  # fmt: skip
def test_malformed(codec, linktype, frame):
    assert check(codec, linktype, mended(codec, linktype, frame)) == MALFORMED
    assert check(codec, linktype, frame, len(frame) + 100) == TRUNCATED


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (147, b"whatever"), (147, b""), (1, ethernet(0x88CC, b"lldp")), (1, ethernet(46, b"llc")), (1, ethernet(0x0806, ARP)),
        (101, ipv4(17, udp(b"x" * 16), fragment=0x2000)), (101, ipv4(17, b"piece" * 8, fragment=0x0003)),
        (101, ipv6(44, struct.pack("!BBHI", 17, 0, 1, 5) + udp())), (101, ipv6(59, b"")), (101, ipv4(89, b"ospf")),
        (1, ethernet(0x0800, ipv4(17, udp())) + bytes(9)),  # padding
        (101, ipv4(17, udp())),  # UDP may say that it has no checksum
    ],
    ids=range(12),
)  # fmt: skip
def test_sound(codec, linktype, frame):
    data = bytearray(frame)
    if len(frame) > 20 and b"hello" in frame and linktype == 101:
        data[10:12] = mended(codec, linktype, frame)[10:12]
    else:
        data = bytearray(mended(codec, linktype, frame))
    assert check(codec, linktype, bytes(data)) == CORRECTED


def test_udp_over_ipv6_must_have_a_checksum(codec):
    """RFC 8200 section 8.1."""
    frame = mended(codec, 101, ipv6(17, udp()))
    assert check(codec, 101, patched(frame, 46, b"\0\0")) == WRONG


@pytest.mark.parametrize("value", [b"\0\0", b"\xff\xff"])
def test_both_zeros_of_ones_complement_are_right(codec, value):
    """Receivers add everything up, and get the same; but 0 in UDP says that there is none."""
    frame = ipv4(1, b"\x08\0\0\0\xf7\xff")
    assert mended(codec, 101, frame)[22:24] == b"\0\0"
    assert verdicts(codec, 101, patched(mended(codec, 101, frame), 22, value))[1] == ("ICMP", RIGHT)


def test_verdicts(codec):
    """One a header, inner ones too."""
    good = mended(codec, 101, tunnels()[7])
    names = ["IP", "IP", "GRE", "IP", "UDP", "VXLAN", "ETHERNET", "IPV6", "TCP"]
    outcome = [RIGHT, RIGHT, NONE, RIGHT, NONE, NONE, NONE, NONE, RIGHT]
    assert verdicts(codec, 101, good) == list(zip(names, outcome, strict=True))
    assert verdicts(codec, 101, good[:-1] + b"!")[-1] == ("TCP", BAD)
    assert verdicts(codec, 101, good[:-1], len(good))[-1] == ("TCP", UNCERTAIN)
    assert verdicts(codec, 101, patched(good, 10, b"\xa5\xa5"))[:2] == [("IP", BAD), ("IP", RIGHT)]
    gre_sum = mended(codec, 101, tunnels()[4])
    assert verdicts(codec, 101, gre_sum)[1] == ("GRE", RIGHT)
    assert verdicts(codec, 101, patched(gre_sum, 24, b"\xa5\xa5"))[1] == ("GRE", BAD)
    assert verdicts(codec, 101, ipv4(17, udp(), fragment=0x2000)) == [("IP", BAD)]
    assert verdicts(codec, 101, mended(codec, 101, ipv6(0, extension(58, bytes(6)) + icmp(128)))) == [
        ("IPV6", NONE), ("IPV6_OPTIONS", NONE), ("ICMPV6", RIGHT)]  # fmt: skip
    assert verdicts(codec, 101, patched(ipv4(17, udp()), 0, b"\x44"))[0] == ("IP", UNCERTAIN)
    assert verdicts(codec, 147, b"whatever") == [("UNKNOWN", NONE)]


def test_where_no_udp_checksum_was_sent_there_is_none_to_judge(codec):
    """RFC 768: whatever its length says, and however much was captured; the packet is malformed all the same. As tshark says it."""
    for size in (0, 7, 99):
        none = ipv4(17, udp(size=size))
        assert verdicts(codec, 101, none)[1] == ("UDP", NONE)
        assert check(codec, 101, none) == MALFORMED
        assert verdicts(codec, 101, patched(none, 26, b"\x12\x34"))[1] == ("UDP", UNCERTAIN)
    assert verdicts(codec, 101, ipv4(17, udp())[:-1], len(ipv4(17, udp())))[1] == ("UDP", NONE)
    assert verdicts(codec, 101, ipv6(17, udp(size=99)))[1] == ("UDP", UNCERTAIN)  # it must have one: RFC 8200 section 8.1
    assert verdicts(codec, 101, ipv4(136, udp(size=7)))[1] == ("UDPLITE", UNCERTAIN)


def test_a_crc_by_hand(codec):
    """CRC32c bit by bit, without a table; SCTP has it little-endian, RFC 9260 appendix A."""
    packet = ipv4(132, b"12345678" + bytes(4) + b"9")
    crc = 0xFFFFFFFF
    for byte in packet[20:]:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    assert mended(codec, 101, packet)[28:32] == struct.pack("<I", crc ^ 0xFFFFFFFF)


# ---- what a tunnel carries ----


def test_zero_of_udp_stays_in_a_tunnel(codec):
    """There 0 is no checksum over IPv4, and in the UDP that carries a tunnel over IPv6, too (RFC 6935)."""
    inner = ethernet(0x0800, ipv4(17, udp()))
    got = mended(codec, 101, ipv4(17, vxlan(inner)))
    assert (got[26:28], got[50 + 26 : 50 + 28]) == (b"\0\0", b"\0\0")
    assert mended(codec, 101, ipv4(4, ipv4(17, udp())))[46:48] == b"\0\0"
    assert mended(codec, 101, ipv4(17, udp()))[26:28] != b"\0\0"
    assert mended(codec, 101, ipv4(41, ipv6(17, udp())))[66:68] != b"\0\0"
    assert mended(codec, 101, ipv6(17, vxlan(inner)))[46:48] == b"\0\0"
    with_one = patched(ipv4(17, vxlan(inner)), 50 + 26, b"\0\1")
    assert mended(codec, 101, with_one)[50 + 26 : 50 + 28] not in (b"\0\0", b"\0\1")


def test_lengths_in_tunnels(codec):
    """The outermost first: what holds the others says how much there is. Of what is not followed nothing says so."""
    for frame in tunnels()[:-1]:
        good = mended(codec, 101, frame)
        headers = codec.walk(bytearray(good), row_of(good, 101))
        broken = bytearray(good)
        for kind, start, *_ in headers:
            at = {"IP": 2, "IPV6": 4, "UDP": 4}.get(HEADERS[kind])
            if at:
                broken[start + at : start + at + 2] = b"\0\x21" if HEADERS[kind] == "IP" else b"\0\x09"
        assert mended(codec, 101, bytes(broken), LENGTHS) == good


def test_tunnels_too_deep(codec):
    """A hundred tunnels: thirty-two headers are mended, and that it was not all is said."""
    frame = ipv4(17, udp())
    for _ in range(100):
        frame = ipv4(4, frame)
    data = bytearray(frame)
    assert codec.correct(data, row_of(frame, 101), ALL)[:4] == (0, 0, 0, 1)
    assert bytes(data[10:12]) != frame[10:12]
    assert bytes(data[20 * 31 + 10 : 20 * 31 + 12]) != b"\0\0"
    assert bytes(data[20 * 32 + 10 : 20 * 32 + 12]) == b"\0\0"
