"""What packets carry, found and made zeros of, on both codecs: lengths and headers stay, and right checksums are right."""

from __future__ import annotations

import random
import struct
from types import ModuleType

import pytest
from samples import ethernet, frames, gre, icmp, ipv4, ipv6, over_udp, row_of, tags, tcp, vxlan

from pkttools.codec import ALL, CORRECTED, FOLLOW, KEEP, LOOK, WRONG
from pkttools.protocols.fields import HEADERS
from pkttools.protocols.payloads import kept

SECRET = b"secret words!"
NEIGHBOUR = struct.pack("!BBHI", 135, 0, 0, 0) + bytes(15) + b"\1"  # a solicitation
LINK_OPTION, NONCE = b"\1\1\2\2\2\2\2\2", b"\x0e\1secret"
DATAGRAM = over_udp(9999, SECRET, checksum=1)
DNS = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + b"\6secret\0\0\1\0\1"


def wiped(codec: ModuleType, frame: bytes, original: int | None = None, how: int = FOLLOW) -> tuple[bytes, list[str], int, int]:
    """The frame afterwards, behind which headers it carries something, and the two counts of checksums."""
    data = bytearray(frame)
    carrying, stale, unknown = codec.wipe(data, row_of(frame, 1, original), *kept(), how)
    return bytes(data), [name for name, count in zip(HEADERS, carrying, strict=False) if count], stale, unknown


def mended(codec: ModuleType, frame: bytes) -> bytes:
    data = bytearray(frame)
    codec.correct(data, row_of(frame), ALL)
    return bytes(data)


def wrong(codec: ModuleType, frame: bytes) -> bool:
    """Whether a checksum is."""
    done = codec.correct(bytearray(frame), row_of(frame), ALL)
    assert done[CORRECTED] == 1
    return bool(done[WRONG])


# What is in a packet, and in its place afterwards; behind which header it is.
CASES = {
    "udp": (ipv4(17, DATAGRAM), SECRET, "UDP"),
    "udp6": (ipv6(17, DATAGRAM), SECRET, "UDP"),
    "tcp, its options stay": (ipv4(6, tcp(SECRET)), SECRET, "TCP"),
    "an echo": (ipv4(1, icmp(8, SECRET)), SECRET, "ICMP"),
    "an echo reply, of which nothing but zeros is left": (ipv4(1, struct.pack("!BBHHH", 0, 0, 0, 0, 0) + SECRET), SECRET, "ICMP"),
    "an application, from its header on": (ipv4(17, over_udp(53, DNS, checksum=1)), DNS, "DNS"),
    "a protocol that nobody knows": (ipv4(253, SECRET), SECRET, "IP"),
    "inside VXLAN": (ipv4(17, vxlan(ethernet(0x0800, ipv4(17, DATAGRAM)))), SECRET, "UDP"),
    "inside IP in IP, in GRE": (ipv4(47, gre(0x0800, ipv4(4, ipv4(6, tcp(SECRET))))), SECRET, "TCP"),
    "what an error quotes": (ipv4(1, struct.pack("!BBHI", 3, 3, 0, 0) + ipv4(17, DATAGRAM)), SECRET, "UDP"),
    "a nonce; target and address stay": (ipv6(58, NEIGHBOUR + LINK_OPTION + NONCE), b"secret", "ND_NONCE"),
    "behind the packet": (ipv4(6, tcp(b"")) + b"trailer", b"trailer", "TCP"),
}


@pytest.mark.parametrize("tagged", [False, True], ids=["plain", "tagged"])
@pytest.mark.parametrize("case", CASES)
def test_payload_becomes_zeros_and_checksums_stay_right(codec: ModuleType, case: str, tagged: bool) -> None:
    packet, secret, where = CASES[case]
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    frame = mended(codec, ethernet(0x88A8, tags([0x8100], kind, packet)) if tagged else ethernet(kind, packet))
    assert frame.count(secret) == 1
    after, carrying, stale, unknown = wiped(codec, frame)
    assert (carrying, stale, unknown) == ([where], 0, where == "IP")  # whose checksum, if it has one, is not known
    at = frame.index(secret)
    differing = [i for i in range(len(frame)) if after[i] != frame[i] and not at <= i < at + len(secret)]
    assert len(after) == len(frame) and after[at : at + len(secret)] == bytes(len(secret))
    assert mended(codec, after) == after and not wrong(codec, after)
    assert len(differing) <= 2 * 4  # checksums alone
    assert wiped(codec, frame, how=KEEP) == (frame.replace(secret, bytes(len(secret))), [where], 0, 0)
    again = bytearray(after)
    for i in differing:
        again[i] = frame[i]
    again[at : at + len(secret)] = secret
    assert again == frame
    assert wiped(codec, frame, how=LOOK) == (frame, [where], 0, 0)
    assert wiped(codec, after) == (after, [], 0, 0)  # zeros are nothing


def test_wrong_checksums_stay_wrong_and_cut_packets_come_out_right(codec: ModuleType) -> None:
    frame = bytearray(mended(codec, ethernet(0x0800, ipv4(17, DATAGRAM))))
    frame[40] ^= 1
    assert wrong(codec, wiped(codec, frame)[0])
    whole = mended(codec, ethernet(0x0800, ipv4(17, over_udp(9999, SECRET + bytes(64), checksum=1))))
    cut, _, stale, _ = wiped(codec, whole[:52], len(whole))
    assert (cut[42:], stale) == (bytes(10), 0) and not wrong(codec, cut + whole[52:])  # with what was cut off


def test_later_fragments_and_signatures_are_told(codec: ModuleType) -> None:
    assert wiped(codec, ethernet(0x0800, ipv4(17, SECRET, fragment=5)))[1:] == (["IP"], 1, 0)
    signed: dict[int, int] = {}
    frame = ethernet(0x0800, ipv4(6, tcp(SECRET, b"\x13\x12" + bytes(16) + b"\0\0")))
    codec.wipe(bytearray(frame), row_of(frame), *kept(), FOLLOW, signed)
    assert sum(signed.values()) == 1


def test_headers_alone_are_left_alone(codec: ModuleType) -> None:
    report = struct.pack("!BBHHHBBHI", 143, 0, 0, 0, 1, 1, 0, 1, 0xFF020000) + bytes(12) + bytes.fromhex("20010db8") + bytes(12)
    for packet in (ipv4(6, tcp(b"")), ipv6(58, report), ipv6(58, NEIGHBOUR + LINK_OPTION)):
        frame = mended(codec, ethernet(0x0800 if packet[0] >> 4 == 4 else 0x86DD, packet))
        assert wiped(codec, frame) == (frame, [], 0, 0)


def test_both_codecs_say_the_same(both: tuple[ModuleType, ModuleType]) -> None:
    """Of frames of every kind, whole and cut, with bytes that are others."""
    rng = random.Random(16)
    for linktype, frame in frames():
        for _ in range(6):
            data = bytearray(frame[: rng.randint(0, len(frame))] if rng.random() < 0.5 else frame)
            for _ in range(rng.randint(0, 3)):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
            row, how = row_of(data, linktype, len(frame)), rng.choice((LOOK, FOLLOW, FOLLOW, FOLLOW, KEEP))
            done = []
            for codec in both:
                packet, counts = bytearray(data), {}
                done.append((codec.wipe(packet, row, *kept(), how, counts), packet, counts))
            assert done[0] == done[1], data.hex()


@pytest.mark.parametrize("wrong", [(b"123", b""), (b"", b"12345")])
def test_tables_have_to_be_whole(codec: ModuleType, wrong: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="what is kept is no table of numbers"):
        codec.wipe(bytearray(20), row_of(bytes(20)), *wrong, FOLLOW)
