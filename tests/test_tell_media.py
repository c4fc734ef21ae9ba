"""What is told of NTP, and of RTP and what shares its ports. What is said of tcpdump was noted from 4.99.3."""

from __future__ import annotations

import struct

import pytest
from told import tell

# ---- NTP ----


def ntp(
    mode: int = 4, stratum: int = 2, reference: bytes = b"\xc0\0\2\1", leap: int = 0, times: tuple[tuple[int, int], ...] = ()
) -> bytes:
    times = (times + ((0, 0),) * 4)[:4]
    head = bytes([leap << 6 | 4 << 3 | mode, stratum, 6, 0xE9]) + bytes(8) + reference
    return head + b"".join(struct.pack("!II", *time) for time in times)


@pytest.mark.parametrize(
    ("seconds", "fraction", "told"),
    [
        (3_976_214_400, 0, "2026-01-01T00:00:00.000000000Z"),
        (0xFFFFFFFF, 0, "2036-02-07T06:28:15.000000000Z"),
        (0, 1, "2036-02-07T06:28:16.000000000Z"),  # tcpdump: 1900
        (1, 0xFFFFFFFF, "2036-02-07T06:28:17.999999999Z"),  # cut, not rounded
        (0x7FFFFFFF, 1 << 31, "2104-02-26T09:42:23.500000000Z"),  # RFC 4330 section 3: the last of that era
        (0x80000000, 0, "1968-01-20T03:14:08.000000000Z"),
        (0x83AA7E80, 0, "1970-01-01T00:00:00.000000000Z"),
    ],
)  # fmt: skip
def test_times(seconds, fraction, told):
    """RFC 4330 section 3, RFC 5905 section 6; 0 is none."""
    assert tell("ntp", ntp(3, 0, bytes(4), times=((0, 0), (0, 0), (0, 0), (seconds, fraction)))) == f"v4 Client xmt {told}"


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (ntp(3, 0, bytes(4)), "v4 Client"),
        (ntp(), "v4 Server stratum 2 ref 192.0.2.1"),
        (ntp(4, 1, b"GPS\0"), "v4 Server stratum 1 ref GPS"),
        (ntp(4, 0, b"RATE", leap=3), "v4 Server unsynchronized kiss RATE"),
        (ntp(4, 0, b"\x1b[1m", leap=1), r"v4 Server leap+1s kiss \x1b[1m"),
        (ntp(5, 3, leap=2), "v4 Broadcast leap-1s stratum 3 ref 192.0.2.1"),
        (ntp(times=((1, 0), (3_976_214_400, 0), (3_976_214_401, 0)))[:44],
         "v4 Server stratum 2 ref 192.0.2.1 org 2026-01-01T00:00:00.000000000Z rec 2026-01-01T00:00:01.000000000Z [|]"),
        (bytes.fromhex("16 82 0001 0000 0007 0000 0000"), "v2 Control read-variables response seq 1 assoc 7 size 0"),
        (bytes.fromhex("16 e1 0001 0618 0000 0004 0010"),
         "v2 Control read-status error seq 1 status 0x0618 assoc 0 offset 4 size 16 more"),
        (bytes.fromhex("17 00 03 2a 0000 0000"), "v2 Private request implementation 3 code 42 items 0 x 0"),
        (bytes.fromhex("d7 00 03 2a 0006 0048"), "v2 Private response implementation 3 code 42 error 0 items 6 x 72 more"),
        (b"\x16\x02", "v2 Control [|]"),
    ],
)  # fmt: skip
def test_ntp(whole, told):
    assert tell("ntp", whole) == told


# ---- RTP, and others by the first octet ----


def rtp(first: int = 0x80, kind: int = 0, behind: bytes = bytes(160)) -> bytes:
    return bytes([first, kind]) + struct.pack("!HII", 7, 160, 0xDEADBEEF) + behind


def stun(kind: int, attributes: bytes = b"", cookie: int = 0x2112A442) -> bytes:
    return struct.pack("!HHI", kind, len(attributes), cookie) + bytes(range(12)) + attributes


def xor6() -> bytes:
    address = bytes.fromhex("20010db8") + bytes(11) + b"\1"
    return bytes(a ^ b for a, b in zip(address, b"\x21\x12\xa4\x42" + bytes(range(12)), strict=True))


def dtls(kind: int, body: bytes, epoch: int = 0) -> bytes:
    return bytes([kind, 0xFE, 0xFD]) + struct.pack("!H6sH", epoch, bytes(6), len(body)) + body


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (rtp(), "RTP PCMU seq 7 time 160 ssrc 0xdeadbeef size 160"),
        (rtp(kind=0x80 | 96), "RTP type 96 mark seq 7 time 160 ssrc 0xdeadbeef size 160"),
        # RFC 3550 sections 5.1 and 5.3.1: behind two sources and an extension, in front of padding
        (rtp(0xB2, 8, bytes(8) + b"\xbe\xde\0\1" + bytes(4) + b"hello" + b"\0\0\3"),
         "RTP PCMA seq 7 time 160 ssrc 0xdeadbeef size 5"),
        (rtp(0xA0, 0, b"hello\x63"), "RTP PCMU seq 7 time 160 ssrc 0xdeadbeef [bad length]"),
        (rtp(0xA0, 0, b"hello\0"), "RTP PCMU seq 7 time 160 ssrc 0xdeadbeef [bad length]"),
        (rtp(0x90, 0, b"\0\0\0\x09"), "RTP PCMU seq 7 time 160 ssrc 0xdeadbeef [bad length]"),
        (bytes.fromhex("80c80001 deadbeef 81ca0001 deadbeef 80cb0000"), "RTCP SR ssrc 0xdeadbeef, SDES, BYE"),
        (bytes.fromhex("80c80009 deadbeef"), "RTCP SR ssrc 0xdeadbeef [|]"),
        (stun(1), "STUN Binding request"),
        (stun(0x0101, b"\0\x20\0\x08\0\1" + struct.pack("!HI", 5000 ^ 0x2112, 0xC0000201 ^ 0x2112A442)),
         "STUN Binding success mapped 192.0.2.1:5000"),
        (stun(0x0101, b"\0\x20\0\x14\0\2" + struct.pack("!H", 5000 ^ 0x2112) + xor6()),
         "STUN Binding success mapped [2001:db8::1]:5000"),
        (stun(0x0101, b"\0\1\0\x08\0\1\x13\x88\xc0\0\2\1", 0), "STUN Binding success mapped 192.0.2.1:5000"),  # RFC 3489
        (stun(0x0113, b"\0\6\0\3a:b\0" + b"\0\x09\0\x08\0\0\4\1Auth"), 'STUN Allocate error user "a:b" 401 "Auth"'),
        (stun(0x0016), "STUN Send indication"),
        (stun(1, b"\0\x20\0\x04abcd"), "STUN Binding request mapped [bad length]"),
        (stun(1, bytes(8))[:-1], "STUN Binding request [|]"),
        (dtls(22, b"\1" + bytes(11)) + dtls(20, b"\1") + dtls(22, bytes(40), 1),
         "DTLS 1.2 ClientHello, ChangeCipherSpec, Encrypted Handshake"),
        (dtls(22, b"\3" + bytes(11))[:-1], "DTLS 1.2 HelloVerifyRequest [|]"),
        (b"\x2f\1\2\3", "DTLS 1.3 encrypted"),
        (b"\x10\0\0\7ZRTP\xde\xad\xbe\xefPZ\0\x1dHello   ", "ZRTP Hello seq 7 ssrc 0xdeadbeef"),
        (bytes.fromhex("40000004 01020304"), "TURN channel 0x4000 size 4"),
        (b"\x05hello", None),
        (b"\xc0hello", None),
        (b"\x10\0\0\7none" + bytes(16), None),
        (rtp()[:11], None),
    ],
)  # fmt: skip
def test_one_port(whole, told):
    """RFC 7983 section 7, RFC 5761 section 4: tcpdump -T rtp takes all of these for RTP."""
    assert tell("media", whole) == told
