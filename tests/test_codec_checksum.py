"""Checksums, on both codecs: packets that are known to be right are broken and mended; tshark is the second judge."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
from samples import ethernet, extension, frames, icmp, ipv4, ipv6, row_of, tags, tcp, udp

from pkttools.batch import Batch
from pkttools.codec import ALL, CORRECTED, FRAGMENT, LENGTHS, MALFORMED, OBSCURE, TRANSPORT, TRUNCATED
from pkttools.formats.pcap import MAGICS
from pkttools.protocols.fields import HEADERS

CHECKSUM_AT = {"IP": 10, "ICMP": 2, "IGMP": 2, "TCP": 16, "UDP": 6, "ICMPV6": 2}
LENGTH_AT = {"IP": 2, "IPV6": 4, "UDP": 4}

# name: link type, where checksums stand, bytes. Computed by other means than ours, and found right by tshark 4.
GOOD = {
    "icmp": (1, [24, 36],
        "0200000000020200000000010800 45000023000700004001f6cfc0000201c0000202 08006684004d000161626364656667"),
    "igmp": (1, [24, 36],
        "0200000000020200000000010800 4500001c000700004002f6d5c0000201c0000202 160009f6e0000009"),
    "tcp": (1, [24, 50],
        "0200000000020200000000010800 45000031000700004006f6bcc0000201c0000202"
        "9c400050000000010000000260120200ab140000020405b4474554202f"),
    "udp, padded": (1, [24, 40],
        "0200000000020200000000010800 45000021000700004011f6c1c0000201c0000202 04000035000d33c968656c6c6f"
        "00000000000000000000000000"),
    "udp behind ip options": (1, [24, 48],
        "0200000000020200000000010800 47000029000700004011e9b2c0000201c00002020707040000000000"
        "04000035000d33c968656c6c6f"),
    "udp6": (1, [60],
        "02000000000202000000000186dd 60012345000d114020010db800000000000000000000000120010db8000000000000000000000002"
        "04000035000d5c5868656c6c6f"),
    "tcp6": (1, [70],
        "02000000000202000000000186dd 60012345001d064020010db800000000000000000000000120010db8000000000000000000000002"
        "9c400050000000010000000260120200d3a30000020405b4474554202f"),
    "icmpv6": (1, [56],
        "02000000000202000000000186dd 60012345000f3a4020010db800000000000000000000000120010db8000000000000000000000002"
        "800092c5004d000161626364656667"),
    "udp behind hop-by-hop": (1, [68],
        "02000000000202000000000186dd 600123450015004020010db800000000000000000000000120010db8000000000000000000000002"
        "1100010400000000 04000035000d5c5868656c6c6f"),
    "udp behind routing type 0": (1, [100],
        "02000000000202000000000186dd 6001234500352b4020010db800000000000000000000000120010db8000000000000000000000002"
        "110400020000000020010db800000000000000000000001120010db8000000000000000000000012 04000035000d5c4868656c6c6f"),
    "udp behind a finished route": (1, [100],
        "02000000000202000000000186dd 6001234500352b4020010db800000000000000000000000120010db8000000000000000000000002"
        "110400000000000020010db800000000000000000000001120010db8000000000000000000000012 04000035000d5c5868656c6c6f"),
    "icmpv6 behind routing type 2": (1, [80],
        "02000000000202000000000186dd 6001234500232b4020010db800000000000000000000000120010db8000000000000000000000002"
        "3a0202010000000020010db8000000000000000000000021 81005e75004d0001616263"),
    "tcp behind routing type 4": (1, [110],
        "02000000000202000000000186dd 6001234500452b4020010db800000000000000000000000120010db8000000000000000000000002"
        "060404010100000020010db800000000000000000000004120010db8000000000000000000000042"
        "9c400050000000010000000260120200d3640000020405b4474554202f"),
    "udp behind an atomic fragment": (1, [68],
        "02000000000202000000000186dd 6001234500152c4020010db800000000000000000000000120010db8000000000000000000000002"
        "1100000000000000 04000035000d5c5868656c6c6f"),
    "udp behind ah": (1, [84],
        "02000000000202000000000186dd 600123450025334020010db800000000000000000000000120010db8000000000000000000000002"
        "110400000000000000000000000000000000000000000000 04000035000d5c5868656c6c6f"),
    "vlan": (1, [28, 44],
        "0200000000020200000000018100 00010800 45000021000700004011f6c1c0000201c0000202 04000035000d33c968656c6c6f"),
    "qinq": (1, [68],
        "02000000000202000000000188a8 00018100 000286dd"
        "60012345000d114020010db800000000000000000000000120010db8000000000000000000000002 04000035000d5c5868656c6c6f"),
    "sll": (113, [26, 42],
        "00000001000602020202020202020800 45000021000700004011f6c1c0000201c0000202 04000035000d33c968656c6c6f"),
    "sll2": (276, [66],
        "86dd000000000003000104060202020202020202"
        "60012345000d114020010db800000000000000000000000120010db8000000000000000000000002 04000035000d5c5868656c6c6f"),
    "raw": (101, [10, 36],
        "45000031000700004006f6bcc0000201c0000202 9c400050000000010000000260120200ab140000020405b4474554202f"),
    "raw 6": (229, [46],
        "60012345000d114020010db800000000000000000000000120010db8000000000000000000000002 04000035000d5c5868656c6c6f"),
    "loopback, little-endian": (0, [14, 30],
        "02000000 45000021000700004011f6c1c0000201c0000202 04000035000d33c968656c6c6f"),
    "loopback, big-endian": (0, [50],
        "0000001e 60012345000d114020010db800000000000000000000000120010db8000000000000000000000002"
        "04000035000d5c5868656c6c6f"),
}  # fmt: skip


def correct(codec: ModuleType, linktype: int, frame: bytes, what: int = ALL, original: int | None = None) -> tuple[bytes, int]:
    """The frame afterwards, and the outcome; what lies around it in the batch stays as it is."""
    data = bytearray(b"\xa5" * 7 + frame + b"\xa5" * 7)
    size = len(frame) if original is None else original
    counts = codec.correct(data, struct.pack("=7q", 7, len(frame), size, 0, linktype, 0, 0), what)[:5]
    assert sum(counts) == 1
    assert data[:7] == data[7 + len(frame) :] == b"\xa5" * 7
    return bytes(data[7 : 7 + len(frame)]), counts.index(1)


def good(name: str) -> tuple[int, list[int], bytes]:
    linktype, places, text = GOOD[name]
    return linktype, places, bytes.fromhex(text)


def broken(frame: bytes, places: list[int], value: int) -> bytes:
    """The frame with other bytes where its checksums stand."""
    out = bytearray(frame)
    for at in places:
        out[at : at + 2] = value.to_bytes(2, "big")
    return bytes(out)


def patched(frame: bytes, at: int, new: bytes) -> bytes:
    return frame[:at] + new + frame[at + len(new) :]


@pytest.mark.parametrize("name", GOOD)
def test_broken_and_mended(codec, name):
    linktype, places, frame = good(name)
    for value in (0x0000, 0xFFFF, 0xA5A5, 0x0001):
        assert correct(codec, linktype, broken(frame, places, value)) == (frame, CORRECTED), value
    assert correct(codec, linktype, frame) == (frame, CORRECTED)
    assert correct(codec, linktype, frame, LENGTHS) == (frame, CORRECTED)


def added(data: bytes) -> int:
    """The 16-bit one's complement sum, 1 to 0xFFFF."""
    words = struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    return (sum(words) - 1) % 0xFFFF + 1 if any(words) else 0


LEFT_TO_THE_CARD = [name for name in GOOD if name.startswith(("tcp", "udp", "vlan", "qinq", "sll", "raw", "loopback"))]


@pytest.mark.parametrize("name", LEFT_TO_THE_CARD)
def test_what_was_left_to_the_card_is_completed(codec, name):
    """The card adds what is there to what the field holds, from the transport's header on; the kernel has done IP's itself."""
    linktype, places, frame = good(name)
    frame = frame[:-13] if name == "udp, padded" else frame
    place = places[-1]
    start = place - (16 if "tcp" in name or name == "raw" else 6)
    rest = added(broken(frame[start:], [place - start], 0))
    left = broken(frame, places[:-1], 0x1234)
    for seed in (0x1234, 0xFFFE, (0xFFFF - int.from_bytes(frame[place : place + 2], "big") - rest) % 0xFFFF):
        wanted = 0xFFFF - added(struct.pack("!HH", seed, rest))
        got, outcome = correct(codec, linktype, broken(left, [place], seed), TRANSPORT)
        assert (got, outcome) == (broken(left, [place], wanted or 0xFFFF), CORRECTED)
    assert got[place:] == frame[place:]  # the last of these is what the kernel leaves there


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_was_not_left_to_the_card(codec, name):
    linktype, _, frame = good(name)
    assert correct(codec, linktype, frame, TRANSPORT) == (frame, CORRECTED)


@pytest.mark.parametrize("name", GOOD)
def test_a_packet_that_was_cut_keeps_its_transport_checksum(codec, name):
    """Its IP header was captured, and is mended."""
    linktype, places, frame = good(name)
    if name == "udp, padded":
        frame = frame[:-13]
    cut = broken(frame, places, 0xA5A5)[:-1]
    mended = broken(frame, places[-1:], 0xA5A5)[:-1]
    assert correct(codec, linktype, cut, original=len(frame)) == (mended, TRUNCATED)
    assert correct(codec, linktype, cut, LENGTHS, original=len(frame)) == (mended, TRUNCATED)
    # Nothing is missing, it says: then the sizes in it are wrong.
    assert correct(codec, linktype, cut) == (mended, MALFORMED)


@pytest.mark.parametrize("name", GOOD)
def test_lengths(codec, name):
    """Wrong lengths make the transport unreachable; with -L they come first."""
    linktype, places, frame = good(name)
    if name == "udp, padded":
        frame = frame[:-13]
    at = next(at for at in range(len(frame)) if frame[at] in (0x45, 0x47, 0x60) and at in (0, 4, 14, 16, 18, 20, 22))
    sizes = [at + 2 if frame[at] >> 4 == 4 else at + 4]
    if "udp" in name or linktype != 1 or name in ("vlan", "qinq"):
        sizes += [places[-1] - 2] if name != "raw" else []
    for value in (1, 0xFFFF, len(frame) - at - 1):
        assert correct(codec, linktype, broken(frame, places + sizes, value), LENGTHS) == (frame, CORRECTED), value
    # Without -L no length is touched.
    got, _ = correct(codec, linktype, broken(frame, sizes, 0x0101))
    assert [got[at : at + 2] for at in sizes] == [b"\1\1"] * len(sizes)


def test_padding_of_the_least_frame_is_kept(codec):
    """A frame of 60 bytes has the right length already, and so has any other that is right by its checksum."""
    linktype, places, frame = good("udp, padded")
    assert len(frame) == 60
    assert correct(codec, linktype, broken(frame, places, 0), LENGTHS) == (frame, CORRECTED)
    for other in (frame[:-1] + b"!", frame + b"\0", frame + b"!"):
        assert correct(codec, linktype, other, LENGTHS) == (other, CORRECTED)


def test_an_ipv6_payload_of_zero_does_not_make_a_message_padding(codec):
    """It is taken to go on to the end of the frame, even when all of it is zero, checksum included: once mended, always mended.

    Without a next header there are no bytes, and what follows is padding.
    """
    frame = bytearray(ethernet(0x86DD, ipv6(58, bytes(4))))
    frame[18:20] = bytes(2)
    got, outcome = correct(codec, 1, bytes(frame), LENGTHS)
    assert (struct.unpack_from("!H", got, 18), outcome) == ((4,), CORRECTED)
    assert correct(codec, 1, got, LENGTHS) == (got, CORRECTED)
    nothing = ethernet(0x86DD, ipv6(59, b"")) + bytes(6)
    assert correct(codec, 1, nothing, LENGTHS) == (nothing, CORRECTED)
    assert correct(codec, 1, nothing[:-1] + b"!", LENGTHS) == (nothing[:-1] + b"!", CORRECTED)


@pytest.mark.parametrize(
    ("original", "total", "outcome"), [(1514, 1500, TRUNCATED), (60, 46, CORRECTED), (65549, 65535, TRUNCATED)]
)
def test_lengths_of_cut_packets_are_those_of_the_wire(codec, original, total, outcome):
    frame = ethernet(0x0800, ipv4(17, udp(b"x" * 18)))
    got, found = correct(codec, 1, broken(frame, [16, 38], 5), LENGTHS, original=original)
    assert (struct.unpack_from("!H", got, 16), struct.unpack_from("!H", got, 38)) == ((total,), (total - 20,))
    assert found == outcome


def test_lengths_that_no_header_can_say(codec):
    frame = broken(ethernet(0x0800, ipv4(17, udp())), [16, 38], 5)
    assert correct(codec, 1, frame, LENGTHS, original=65550) == (frame, MALFORMED)
    frame = broken(ethernet(0x86DD, ipv6(17, udp())), [18, 58], 5)
    assert correct(codec, 1, frame, LENGTHS, original=14 + 40 + 65536) == (frame, MALFORMED)


@pytest.mark.parametrize(("payload", "outcome"), [(65495, CORRECTED), (65496, CORRECTED), (65535, CORRECTED), (65536, MALFORMED)])
def test_the_largest_payload_of_ipv6(codec, payload, outcome):
    """40 bytes more than a datagram of IPv4 has in all: its header does not count (RFC 8200 section 3)."""
    frame = patched(ipv6(6, tcp(bytes(payload - 24))[:payload]) if payload < 65536 else
                    ipv6(6, b"") + tcp(bytes(payload - 24)), 4, b"\0\5")  # fmt: skip
    got, found = correct(codec, 101, frame, LENGTHS)
    assert found == outcome
    assert got == frame if outcome == MALFORMED else struct.unpack_from("!H", got, 4) == (payload,)


@pytest.mark.parametrize("size", [65535, 65536, 70_000])
@pytest.mark.parametrize("protocol", [6, 17], ids=["TCP", "UDP"])
def test_a_datagram_of_ipv4_that_says_no_length(codec, size, protocol):
    """Segmentation offload makes packets that none of its lengths can say: they go on to the end of what holds them."""
    # UDP's own 0 says that it goes on, too, where 16 bits could not say how far (RFC 2675 section 4)
    length = 0 if size - 20 > 65535 else size - 20
    message = {6: tcp(b"\xff" * (size - 44)), 17: udp(b"\xff" * (size - 28), length)}[protocol]
    got, outcome = correct(codec, 101, patched(ipv4(protocol, b""), 2, bytes(2)) + message)
    assert (outcome, len(got)) == (CORRECTED, size)
    message = got[20:] + bytes(len(got) % 2)
    total = sum(struct.unpack(f"!{len(message) // 2}H", message)) + sum(struct.unpack("!4H", got[12:20])) + protocol
    assert (total + (size - 20 >> 16) + (size - 20 & 0xFFFF)) % 0xFFFF == 0
    assert sum(struct.unpack("!10H", got[:20])) % 0xFFFF == 0


def test_udp_never_says_zero(codec):
    """0 says that there is none, RFC 768; a sum of 0 is written as 0xFFFF."""
    frame = ethernet(0x0800, ipv4(17, udp(bytes(2))))
    got, _ = correct(codec, 1, frame)
    [value] = struct.unpack_from("!H", got, 40)  # with it as payload, the sum is 0
    got, outcome = correct(codec, 1, ethernet(0x0800, ipv4(17, udp(struct.pack("!H", value)))))
    assert (got[40:42], outcome) == (b"\xff\xff", CORRECTED)
    frame6 = ethernet(0x86DD, ipv6(17, udp(bytes(2))))
    value = correct(codec, 1, frame6)[0][60:62]
    assert correct(codec, 1, ethernet(0x86DD, ipv6(17, udp(value))))[0][60:62] == b"\xff\xff"


@pytest.mark.parametrize(("message", "at"), [(icmp(0), 2), (tcp(b"..."), 16)])
def test_others_do_say_zero(codec, message, at):
    """The same, for those that know no 'none': 0 stays 0."""
    value = correct(codec, 1, ethernet(0x0800, ipv4((message[0] and 6) or 1, message + b"\0\0")))[0][34 + at : 36 + at]
    odd = len(message) % 2
    tail = value[::-1] if odd else value  # the last two bytes stand across words
    got = correct(codec, 1, ethernet(0x0800, ipv4((message[0] and 6) or 1, message + tail)))[0]
    assert got[34 + at : 36 + at] == b"\0\0"


# The sums of bytes ff fe fd ..., one more each, as `ICMP` payload: by hand, an odd last byte is the high one.
@pytest.mark.parametrize(
    ("data", "checksum"),
    [(b"", "f7ff"), (b"\x01", "f6ff"), (b"\x00\x01", "f7fe"), (b"\xff\xff", "f7ff"), (b"\x08\x00", "efff"), (b"\xf7\xff", "0000"),
     (b"\x01\x02\x03", "f3fd"), (b"\xff" * 65000, "f7ff")],
)  # fmt: skip
def test_odd_and_even_sizes(codec, data, checksum):
    frame = ipv4(1, b"\x08\0\xa5\xa5" + data)
    assert correct(codec, 101, frame)[0][22:24].hex() == checksum


def folded(data: bytes) -> int:
    """The checksum of RFC 1071, in the plainest words."""
    total = sum(data[i] << 8 | (data[i + 1] if i + 1 < len(data) else 0) for i in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@pytest.mark.parametrize("fill", [0, 1, 0x5A, 0xFF])
def test_sums_of_every_size(codec, fill):
    """Whatever is left behind whole words of any width, all zeros and all ones among them; what stood there is not in the sum."""
    messages = ((1, bytes((fill, fill, 0, 0))), (2, bytes(8)), (46, bytes(8)), (88, bytes(20)))
    for size in [*range(70), 1479, 1480, 65_515]:
        data = bytes(fill if fill in (0, 0xFF) else fill * (i + 3) * (i + 7) >> 2 & 0xFF for i in range(size))
        for protocol, message in messages:
            whole = (message + data)[: 65_535 - 20]
            stored = patched(whole, 2, b"\xa5\x5a")
            got = correct(codec, 101, ipv4(protocol, stored))[0][20:]
            assert got[2:4] == folded(whole).to_bytes(2, "big"), (protocol, size)


@pytest.mark.parametrize("fragment", [0x2000, 0x2001, 0x0001, 0x1FFF, 0x6000])
def test_fragments(codec, fragment):
    """The IP header is mended; the message is not whole, and is left alone."""
    frame = ipv4(17, udp(), fragment=fragment)
    got, outcome = correct(codec, 101, patched(frame, 26, b"\xa5\xa5"))
    assert outcome == FRAGMENT
    assert got[10:12] != frame[10:12]
    assert patched(got, 10, bytes(2)) == patched(frame, 26, b"\xa5\xa5")


def test_fragments_of_what_has_no_checksum_are_corrected(codec):
    assert correct(codec, 101, ipv4(89, b"ospf" * 8, fragment=0x2000))[1] == CORRECTED


@pytest.mark.parametrize("word", [1, 8, 0xFFF9])
def test_fragments6(codec, word):
    frame = ipv6(44, struct.pack("!BBHI", 17, 0, word, 5) + udp())
    assert correct(codec, 101, frame) == (frame, FRAGMENT)


@pytest.mark.parametrize(
    "frame",
    [
        ipv4(17, udp(size=0)), ipv4(17, udp(size=7)), ipv4(17, udp(size=14)), ipv4(17, b"short"), ipv4(6, tcp()[:19]),
        ipv4(1, b"abc"),
        ipv4(2, b"sevenby"), ipv6(17, udp(size=7)), ipv6(17, udp(size=14)), ipv6(58, b"abc"), ipv6(6, tcp()[:19]),
    ],
    ids=range(11),
)  # fmt: skip
def test_malformed_messages_are_left_alone(codec, frame):
    got, outcome = correct(codec, 101, frame)
    assert outcome == MALFORMED
    assert (patched(got, 10, bytes(2)) if frame[0] >> 4 == 4 else got) == frame


@pytest.mark.parametrize(("at", "value"), [(0, 0x44), (0, 0x40), (0, 0x4F), (3, 19), (3, 255)])
def test_malformed_ip_headers(codec, at, value):
    """Header too small or past the end; total too small or past the end."""
    frame = patched(ipv4(17, udp()), at, bytes([value]))
    got, outcome = correct(codec, 101, frame)
    assert outcome == MALFORMED
    assert patched(got, 10, bytes(2)) == frame


@pytest.mark.parametrize("chain", [b"\x11\x09" + bytes(6) + udp(), b"\x11", b""])
def test_malformed_chains(codec, chain):
    frame = ipv6(0, chain)
    assert correct(codec, 101, frame) == (frame, MALFORMED)


def test_a_chain_that_was_cut(codec):
    frame = ipv6(0, extension(17, bytes(22)) + udp())
    for size in (40, 41, 42, 63):
        assert correct(codec, 101, frame[:size], original=len(frame)) == (frame[:size], TRUNCATED)


@pytest.mark.parametrize("kind", [1, 5, 6, 253, 255])
def test_routes_of_unknown_types(codec, kind):
    """Where they end is not known: their checksum is not guessed. With no segments left it is plain."""

    def frame(left: int) -> bytes:
        return ipv6(43, extension(17, bytes([kind, left]) + bytes(20)) + udp())

    assert correct(codec, 101, frame(1)) == (frame(1), OBSCURE)
    got, outcome = correct(codec, 101, frame(0))
    assert (outcome, patched(got, 40 + 24 + 6, bytes(2))) == (CORRECTED, frame(0))


def test_segmentation_offload(codec):
    """Total 0 goes on to the end of the frame."""
    whole, _ = correct(codec, 101, ipv4(6, tcp()))
    got, outcome = correct(codec, 101, patched(ipv4(6, tcp()), 2, bytes(2)))
    assert (outcome, got[20:]) == (CORRECTED, whole[20:])


def test_big_packets(codec):
    """A jumbogram of 200,000 bytes; the sum is folded more than once."""
    message = tcp(b"\xff" * 200_000)
    frame = ipv6(6, b"")[:4] + bytes(2) + ipv6(6, b"")[6:] + message
    got, outcome = correct(codec, 101, frame)
    assert outcome == CORRECTED
    total = sum(struct.unpack(f"!{len(message) // 2}H", got[40:])) + sum(struct.unpack("!16H", got[8:40])) + 6
    total += (len(message) >> 16) + (len(message) & 0xFFFF)
    assert total % 0xFFFF == 0  # with its checksum, everything adds up to 0xFFFF in one's complement


def test_counts(codec):
    packets = [ipv4(17, udp()), ipv4(17, udp(), fragment=1), ipv4(17, udp(size=7)), b"", b"\x50rest", ipv6(17, udp())]
    data, rows = bytearray(b"".join(packets)), b""
    for i, packet in enumerate(packets):
        rows += struct.pack("=7q", len(b"".join(packets[:i])), len(packet), len(packet), 0, 101, 0, 0)
    assert codec.correct(data, rows, ALL)[:4] == (4, 0, 1, 1)


@pytest.mark.parametrize("what", [ALL, LENGTHS, TRANSPORT])
def test_nothing_but_checksums_and_lengths_changes(codec, what):
    """In every sample, all other bytes are as they were."""
    for linktype, frame in frames():
        after, _ = correct(codec, linktype, frame, what)
        changed = {at for at in range(len(frame)) if after[at] != frame[at]}
        allowed: set[int] = set()
        for kind, start, *_ in codec.walk(bytearray(frame), row_of(frame, linktype)):
            name = HEADERS[kind]
            places = [CHECKSUM_AT[name]] if name in CHECKSUM_AT and not (name == "IP" and what == TRANSPORT) else []
            places += [LENGTH_AT[name]] if name in LENGTH_AT and what == LENGTHS else []
            allowed |= {start + at + i for at in places for i in (0, 1)}
            allowed |= {start + 8 + i for i in range(4)} if name == "SCTP" else set()
            allowed |= {start + 4, start + 5} if name == "GRE" and frame[start] & 0x80 else set()
        assert changed <= allowed, (linktype, frame.hex())


def test_what_lies_too_deep_is_not_called_corrected(codec):
    """The walk follows 32 headers; what it did not reach it did not mend."""
    frame = ethernet(0x8100, tags([0x8100] * 36, 0x0800, ipv4(17, udp())))
    assert correct(codec, 1, frame) == (frame, MALFORMED)
    reached = ethernet(0x8100, tags([0x8100] * 29, 0x0800, ipv4(17, udp())))  # the 32nd header is UDP
    assert correct(codec, 1, reached)[1] == CORRECTED
    chain = ipv6(60, b"".join(extension(60, bytes(6)) for _ in range(36)) + extension(17, bytes(6)) + udp())
    assert correct(codec, 101, chain) == (chain, MALFORMED)


# ---- tshark as judge ----

JUDGED = (*CHECKSUM_AT, "SCTP", "GRE")
FIELDS = {f"{kind.lower()}.checksum.status": kind for kind in JUDGED}  # 0 bad, 1 good, 2 not checked
LINK_TYPES = (0, 1, 101, 108, 113, 228, 229, 276)  # those that tshark and we both look into


def verdicts(path: Path) -> list[list[str]]:
    """For each packet what tshark says of the checksums of each layer, the outermost first."""
    options = [f"-o{layer}.check_checksum:TRUE" for layer in ("ip", "tcp", "udp")]
    options += ["-osctp.checksum:CRC 32c"]
    # As if each packet stood alone: what is reassembled has no checksum of its own.
    options += ["-oip.defragment:FALSE", "-oipv6.defragment:FALSE", "-otcp.desegment_tcp_streams:FALSE"]
    done = subprocess.run(
        ["tshark", "-n", "-r", path, *options, "-Tfields", "-Eseparator=|", "-Eoccurrence=a", *(f"-e{name}" for name in FIELDS)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return [line.split("|") for line in done.stdout.splitlines()]


def judged(codec: ModuleType, packets: list[tuple[int, bytes, int]], folder: Path) -> tuple[list[str], Counter[str]]:
    """Breaks and mends packets, each of link type, bytes, original size; gives what tshark finds bad, and what it saw.

    Only of headers of the packet itself: packets quoted by ICMP are not ours to mend.
    """
    by_type: dict[int, list[tuple[bytes, int]]] = {}
    for linktype, frame, original in packets:
        if linktype in LINK_TYPES:
            by_type.setdefault(linktype, []).append((frame, original))
    wrong, seen = [], Counter()
    for linktype, frames_ in by_type.items():
        records, expected = b"", []
        for frame, original in frames_:
            found = checksums(codec, linktype, frame)
            mended, outcome = correct(
                codec, linktype, turned(frame, [at for places in found.values() for at in places]), original=original
            )
            expected.append({kind: len(places) for kind, places in found.items()} if outcome == CORRECTED else {})
            records += struct.pack("<IIII", 1, 0, len(mended), original) + mended
        path = folder / f"{linktype}.pcap"
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype) + records)
        lines = verdicts(path)
        assert len(lines) == len(expected), path.name
        for (frame, _), counts, line in zip(frames_, expected, lines, strict=True):
            verdict = dict(zip(FIELDS.values(), (word.split(",") for word in line), strict=True))
            seen.update(f"{kind} {i}" for kind, count in counts.items() for i in range(count) if verdict[kind][i : i + 1] == ["1"])
            if bad := [kind for kind, count in counts.items() if "0" in verdict[kind][:count]]:
                wrong.append(f"link type {linktype}, {bad}: {frame.hex()}")
    return wrong, seen


def checksums(codec: ModuleType, linktype: int, frame: bytes) -> dict[str, list[int]]:
    """Where the checksums of each kind of header stand, outermost first, of the headers of the packet itself."""
    found: dict[str, list[int]] = {}
    places = {**CHECKSUM_AT, "SCTP": 8}
    for kind, start, *_ in codec.walk(bytearray(frame), row_of(frame, linktype), True):
        name = HEADERS[kind]
        if name in places:
            found.setdefault(name, []).append(start + places[name])
        elif name == "GRE" and frame[start] & 0x80:
            found.setdefault(name, []).append(start + 4)
    return found


def turned(frame: bytes, places: Iterable[int]) -> bytes:
    """The frame with the bits of its checksums turned around."""
    out = bytearray(frame)
    for at in places:
        out[at] ^= 0xFF
        out[at + 1] ^= 0xFF
    return bytes(out)


needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


@needs_tshark
def test_tshark_finds_the_samples_right(codec, tmp_path):
    packets = [(linktype, frame, len(frame)) for linktype, frame in frames()]
    wrong, seen = judged(codec, packets, tmp_path)
    assert not wrong
    assert {key.split()[0] for key in seen} == set(JUDGED)
    assert {"IP 2", "UDP 1", "TCP 0", "ICMP 0", "SCTP 0", "GRE 0"} <= set(seen)  # also what tunnels carry


@needs_tshark
@pytest.mark.parametrize("folder", ["tcpdump", "handmade/pcap"])
def test_tshark_finds_captures_right(codec, shared, tmp_path, folder):
    """Up to 40 packets of each capture beside the project."""
    packets = []
    for path in sorted((shared / "captures" / folder).glob("*.pcap")):
        raw = bytearray(path.read_bytes())
        if bytes(raw[:4]) not in MAGICS or len(raw) < 24:
            continue
        big_endian, magic = MAGICS[bytes(raw[:4])]
        linktype = int.from_bytes(raw[20:24], "big" if big_endian else "little") & 0x03FFFFFF
        header = 24 if magic == 0xA1B2CD34 else 16
        _, rows, _ = codec.pcap_decode(raw, 24, len(raw), True, big_endian, False, header, 0, linktype)
        batch = Batch(raw, rows)
        for i in range(min(len(batch), 40)):
            packets.append((linktype, bytes(batch.frame(i)), batch.columns()[i * 7 + 2]))
    wrong, seen = judged(codec, packets, tmp_path)
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(line[:2000] for line in wrong[:40])
    assert sum(seen.values()) > 50
