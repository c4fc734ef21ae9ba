"""Super-frames are cut as Linux cuts them: each test has its number of the rules that were tried on a kernel."""

from __future__ import annotations

import random
import struct
import time
from dataclasses import dataclass, field

import pytest
from backends import on_both
from conftest import shell
from samples import ethernet, gre, ipv4, ipv6, over_udp, tags, udp, vxlan

from pkttools import codec
from pkttools.batch import Packet, gathered
from pkttools.codec import CORRECTED
from pkttools.language.filters import Filter
from pkttools.work.segments import Merger, Segmenter

pytest_generate_tests, chosen = on_both("segment", "handshakes", "merge")

DATA = bytes(i * 7 % 251 for i in range(3001))
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = 1, 2, 4, 8, 16, 32, 64, 128, 256
STAMPS = b"\x01\x01\x08\x0a" + bytes(range(8))


def segment(data: bytes = DATA, flags: int = ACK | PSH, options: bytes = STAMPS, urgent: int = 0, sequence: int = 0xFFFFF800,
            ports: tuple[int, int] = (40000, 80)) -> bytes:  # fmt: skip
    word = (20 + len(options)) // 4 << 12 | flags
    return struct.pack("!HHIIHHHH", *ports, sequence, 7, word, 512, 0, urgent) + options + data


def big(following: int, payload: bytes, jumbo: int | None = None) -> bytes:
    """BIG TCP: a length of 0, and the header that says it in its stead, RFC 2675."""
    option = struct.pack("!BBBBI", following, 0, 0xC2, 4, 8 + len(payload) if jumbo is None else jumbo)
    whole = bytearray(ipv6(0, option + payload) if len(payload) < 60000 else ipv6(0, b"") + option + payload)
    whole[4:6] = bytes(2)
    return bytes(whole)


def mended(frame: bytes, linktype: int = 1) -> Packet:
    batch = gathered([Packet(frame, len(frame), 0, linktype)])
    codec.correct(batch.data, bytes(batch.rows), codec.ALL)
    return batch.packet(0)


@dataclass
class Done:
    """What became of packets: all of them; why some were not cut; what was not followed."""

    packets: list[Packet]
    passed: dict[str, int]
    segmenter: Segmenter
    frames: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.frames = [p.frame for p in self.packets]


def cut(*packets: Packet, mtu: int = 0, size: int = 0, same_ids: bool = False, keep: bool = False, apart: bool = False) -> Done:
    segmenter = Segmenter(mtu, size, same_ids=same_ids, keep=keep, apart=apart)
    made = [batch.packet(i) for batch in segmenter(iter([gathered(packets)])) for i in range(len(batch))]
    return Done(made, segmenter.passed, segmenter)


def outcomes(packets: list[Packet]) -> set[int]:
    batch = gathered(packets)
    return set(codec.check(batch.data, batch.rows))


def numbers(frames: list[bytes], at: int, size: int = 2) -> list[int]:
    return [int.from_bytes(frame[at : at + size], "big") for frame in frames]


AROUND = {  # link type, what is around, bytes in front of the segment, where IDs stand; of the outermost IP packet in front of it
    "IPv4": (1, lambda s: ethernet(0x0800, ipv4(6, s)), 34, [18], 14),
    "IPv6": (1, lambda s: ethernet(0x86DD, ipv6(6, s)), 54, [], 14),
    "raw": (101, lambda s: ipv4(6, s), 20, [4], 0),
    "VLAN, QinQ": (1, lambda s: ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, ipv4(6, s))), 42, [26], 22),
    "options": (1, lambda s: ethernet(0x0800, ipv4(6, s, b"\x07\x07\x04" + bytes(5))), 42, [18], 14),
    "extension": (1, lambda s: ethernet(0x86DD, ipv6(60, bytes([6, 0, 1, 4, 0, 0, 0, 0]) + s)), 62, [], 14),
    "VXLAN": (1, lambda s: ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, ipv4(6, s))))), 84, [18, 68], 14),
    "VXLAN with a sum": (1, lambda s: ethernet(0x0800, ipv4(17, over_udp(4789, b"\x08" + bytes(7) + ethernet(0x86DD, ipv6(6, s)),
                                                                          checksum=0xFFFF))), 104, [18], 14),
    "GRE": (1, lambda s: ethernet(0x0800, ipv4(47, gre(0x0800, ipv4(6, s), 0x8000))), 62, [18, 46], 14),
    "IPIP": (101, lambda s: ipv4(4, ipv4(6, s)), 40, [4, 24], 0),
    "6in4": (101, lambda s: ipv4(41, ipv6(6, s)), 60, [4], 0),
    "PPPoE": (1, lambda s: ethernet(0x8864, struct.pack("!BBHHH", 0x11, 0, 9, 2 + 20 + len(s), 0x21) + ipv4(6, s)), 42, [26], 22),
}  # fmt: skip


@pytest.mark.parametrize("name", AROUND)
def test_each_piece_is_sound(name):
    """1, 3, 4, 7, 8: all headers in front of each, IDs one more each, sequence numbers over 2^32, full pieces and the rest."""
    linktype, around, head, ids, begins = AROUND[name]
    whole = mended(around(segment()), linktype)
    done = cut(whole, mtu=1000)
    assert done.passed == {}
    room = 1000 - (head + 32 - begins)
    assert [len(f) - head - 32 for f in done.frames] == [room] * (3001 // room) + [3001 % room]
    assert b"".join(f[head + 32 :] for f in done.frames) == DATA
    assert outcomes(done.packets) == {CORRECTED}
    assert numbers(done.frames, head + 4, 4) == [(0xFFFFF800 + i * room) % (1 << 32) for i in range(len(done.frames))]
    for at in ids:
        assert numbers(done.frames, at) == [7 + i for i in range(len(done.frames))]
    assert all(p.original == len(p.frame) and p.linktype == linktype for p in done.packets)
    assert {f[head + 20 : head + 32] for f in done.frames} == {STAMPS}
    for at in ids:
        assert set(numbers(cut(whole, mtu=1000, same_ids=True).frames, at)) == {7}


def test_ids_go_on_from_the_last_to_the_first():
    """1."""
    frame = bytearray(mended(AROUND["IPv4"][1](segment())).frame)
    frame[18:20] = b"\xff\xff"
    assert numbers(cut(mended(bytes(frame))).frames, 18) == [0xFFFF, 0, 1]


def test_flags():
    """2: FIN and PSH on the last, CWR on the first, all others on every one."""
    frames = cut(mended(ethernet(0x0800, ipv4(6, segment(flags=0xFFF))))).frames
    assert [n & 0xFFF for n in numbers(frames, 46)] == [0xFFF & ~(FIN | PSH), 0xFFF & ~(FIN | PSH | CWR), 0xFFF & ~CWR]


def test_an_urgent_pointer_is_copied_and_told():
    """3."""
    done = cut(mended(ethernet(0x0800, ipv4(6, segment(flags=ACK | URG, urgent=2000)))))
    assert numbers(done.frames, 52) == [2000] * 3
    assert done.segmenter.urgent == 1


def test_what_is_no_larger_passes():
    """4: up to the size it is as it was, with its ID; one byte more is two pieces."""
    for more, count in ((0, 1), (1, 2)):
        whole = mended(ethernet(0x0800, ipv4(6, segment(bytes(range(100)) * 2 + bytes(more)))))
        done = cut(whole, size=200)
        assert len(done.frames) == count
        assert done.frames[0] == whole.frame or count == 2


def test_the_size_is_of_data_the_mtu_of_packets():
    done = cut(mended(AROUND["VXLAN"][1](segment())), size=1000)
    assert [len(f) - 116 for f in done.frames] == [1000, 1000, 1000, 1]
    assert [len(f) - 116 for f in cut(mended(AROUND["VXLAN"][1](segment())), size=1400, mtu=1500).frames] == [1398, 1398, 205]


UDP_AROUND = {
    "IPv4": (lambda u: ethernet(0x0800, ipv4(17, u)), 34, [18]),
    "IPv6": (lambda u: ethernet(0x8100, tags([0x8100], 0x86DD, ipv6(17, u))), 58, []),
    "GRE": (lambda u: ethernet(0x0800, ipv4(47, gre(0x0800, ipv4(17, u)))), 58, [18, 42]),
}


@pytest.mark.parametrize("name", UDP_AROUND)
def test_datagrams(name):
    """5: each has its own header, length, sum and ID."""
    around, head, ids = UDP_AROUND[name]
    whole = mended(around(over_udp(9, DATA, checksum=0xFFFF)))
    done = cut(whole, size=1000)
    assert numbers(done.frames, head + 4) == [1008, 1008, 1008, 9]
    assert b"".join(f[head + 8 :] for f in done.frames) == DATA
    assert outcomes(done.packets) == {CORRECTED}
    for at in ids:
        assert numbers(done.frames, at) == [7, 8, 9, 10]


def test_a_datagram_without_checksum_passes():
    """5: it cannot be asked for."""
    whole = Packet(ethernet(0x0800, ipv4(17, udp(DATA))), 3043, 0, 1)
    done = cut(whole)
    assert done.frames == [whole.frame]
    assert done.passed == {"UDP without checksum": 1}


@pytest.mark.parametrize("name", UDP_AROUND)
def test_datagrams_become_fragments(name):
    """6: one ID, the size in eights, one sum over the whole, which is finished first; Don't Fragment goes."""
    around, head, ids = UDP_AROUND[name]
    right = mended(around(over_udp(9, DATA, checksum=0xFFFF))).frame
    frame = bytearray(right)
    if ids:
        frame[ids[-1] + 2 : ids[-1] + 4] = b"\x40\x00"
    left = pseudo(name, 3009)
    frame[head + 6 : head + 8] = struct.pack("!H", left)
    whole = bytearray(mended(bytes(frame)).frame)
    whole[head + 6 : head + 8] = struct.pack("!H", left)  # as the kernel leaves it to the card
    done = cut(Packet(bytes(whole), len(whole), 0, 1), mtu=1300, apart=True)
    more = 8 if name == "IPv6" else 0
    assert done.frames[0][head + more + 6 : head + more + 8] == right[head + 6 : head + 8]
    assert b"".join(f[head + more :] for f in done.frames)[8:] == DATA
    assert {len(f) - head - more for f in done.frames[:-1]} == {(1300 - (head - 14) + (4 if name == "IPv6" else 0) - more) // 8 * 8}
    for at in ids[-1:]:
        assert set(numbers(done.frames, at)) == {7}
        assert [n >> 13 for n in numbers(done.frames, at + 2)] == [1, 1, 0]


def pseudo(name: str, size: int) -> int:
    """The sum of the pseudo-header of a datagram of samples.py."""
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    if name == "IPv6":
        addresses = bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002")
    total = sum(struct.unpack(f"!{len(addresses) // 2}H", addresses)) + 17 + size
    return total % 0xFFFF


def test_no_sum_of_a_tunnel_stays_none():
    """7."""
    frames = cut(mended(AROUND["VXLAN"][1](segment()))).frames
    assert set(numbers(frames, 40)) == {0}
    assert set(numbers(frames, 34)) == {50000}  # and the port is one for all


@pytest.mark.parametrize("size", [40000, 100000])
def test_big_segments_of_ipv6(size):
    """9: the header with the size of a jumbogram is gone. Of 4 (Linux): a total of 0."""
    data = bytes(i % 253 for i in range(size))
    frame = mended(ethernet(0x86DD, big(6, segment(data)))).frame
    done = cut(Packet(frame, len(frame), 0, 1))
    assert b"".join(f[86:] for f in done.frames) == data
    assert outcomes(done.packets) == {CORRECTED}
    assert {f[20] for f in done.frames} == {6}
    assert numbers(done.frames, 18)[0] == 1460


def test_a_jumbogram_with_more_options_keeps_these():
    option = bytes([6, 1, 0xC2, 4]) + struct.pack("!I", 16 + 32 + 3001) + b"\x05\x02\0\0\x01\x02\0\0"
    frame = bytearray(ethernet(0x86DD, ipv6(0, option + segment())))
    frame[18:20] = bytes(2)
    done = cut(mended(bytes(frame)))
    assert {f[54:70] for f in done.frames} == {bytes([6, 1, 1, 4, 0, 0, 0, 0]) + b"\x05\x02\0\0\x01\x02\0\0"}
    assert outcomes(done.packets) == {CORRECTED}


def test_a_jumbogram_of_another_size_passes():
    frame = ethernet(0x86DD, big(6, segment(), 99))
    assert cut(Packet(frame, len(frame), 0, 1)).passed == {"truncated or malformed": 1}


def test_a_total_of_zero():
    """As BIG TCP over IPv4 has it, and Windows' large send offload; the checksum of the header was left, too."""
    frame = bytearray(mended(AROUND["IPv4"][1](segment())).frame)
    frame[16:18] = frame[24:26] = bytes(2)
    done = cut(Packet(bytes(frame), len(frame), 0, 1))
    assert outcomes(done.packets) == {CORRECTED}


def test_left_to_the_card():
    """With the length in the sum, as Linux leaves it, and without, as Windows does."""
    for size in (3033, 0):
        frame = bytearray(mended(AROUND["IPv4"][1](segment())).frame)
        frame[50:52] = struct.pack("!H", (pseudo("IPv4", size) - 17 + 6) % 0xFFFF)
        assert cut(Packet(bytes(frame), len(frame), 0, 1)).frames == cut(mended(AROUND["IPv4"][1](segment()))).frames


def test_left_to_the_card_in_a_tunnel():
    """The sum around it is as if it were finished."""
    right = mended(AROUND["VXLAN with a sum"][1](segment()))
    frame = bytearray(right.frame)
    addresses = bytes(frame[72:104])
    frame[120:122] = struct.pack("!H", (sum(struct.unpack("!16H", addresses)) + 6 + 3033) % 0xFFFF)
    assert cut(Packet(bytes(frame), len(frame), 0, 1)).frames == cut(right).frames


@pytest.mark.parametrize(("name", "at"), [("IPv4", 24), ("IPv4", 50), ("VXLAN with a sum", 40), ("VXLAN with a sum", 120),
                                          ("VXLAN", 24), ("VXLAN", 74), ("GRE", 38)])  # fmt: skip
def test_what_was_wrong_is_wrong_by_as_much(name, at):
    """RFC 1624: stored and right differ by the same number in each."""
    linktype, around, *_ = AROUND[name]
    right = mended(around(segment()), linktype)
    frame = bytearray(right.frame)
    before = int.from_bytes(frame[at : at + 2], "big")
    frame[at : at + 2] = struct.pack("!H", (before + 0x1234) % 0xFFFF)
    made, wanted = cut(Packet(bytes(frame), len(frame), 0, linktype)).frames, cut(right).frames
    for one, other in zip(made, wanted, strict=True):
        stored, value = numbers([one, other], at)
        assert (stored - value) % 0xFFFF == 0x1234
        assert sum(a != b for a, b in zip(one, other, strict=True)) <= (2 if name == "IPv4" or at in (24, 38, 40) else 4)


def test_keep():
    """Lengths and checksums are those of the super-frame; numbers and flags are not."""
    whole = mended(AROUND["IPv4"][1](segment()))
    frames = cut(whole, keep=True).frames
    assert {f[16:18] + f[24:26] + f[50:52] for f in frames} == {whole.frame[16:18] + whole.frame[24:26] + whole.frame[50:52]}
    assert numbers(frames, 38, 4) == [0xFFFFF800, 0xFFFFFDA8, 0x350]


def handshake(mss: int | None, ports: tuple[int, int], back: bool = False) -> Packet:
    options = b"" if mss is None else b"\x01\x02\x04" + struct.pack("!H", mss) + b"\x01\x01\x01"
    frame = ethernet(0x0800, ipv4(6, segment(b"", SYN | ACK * back, options, ports=ports)))
    if back:  # from the other one
        frame = frame[:26] + frame[30:34] + frame[26:30] + frame[34:]
    return mended(frame)


@pytest.mark.parametrize(("mss", "data"), [(1400, 1388), (9000, 3001), (None, 524), (10, 36)])
def test_the_handshake_says_how_much(mss, data):
    """RFC 9293 3.7.1: less the options; 536 where the other one says nothing; Linux sends no less than 48."""
    packets = [handshake(800, (40000, 80)), handshake(mss, (80, 40000), back=True), mended(AROUND["IPv4"][1](segment()))]
    made = cut(*packets).frames[2:]
    assert len(made[0]) - 66 == data
    assert len(cut(packets[0], packets[2]).frames[1]) - 66 == 1448  # the own one says nothing of it
    assert len(cut(*packets, mtu=1000).frames[2]) - 66 == min(data, 948)
    other = mended(AROUND["IPv4"][1](segment(ports=(40001, 80))))
    assert len(cut(*packets[:2], other).frames[2]) - 66 == 1448


def test_what_cannot_be_cut_is_counted():
    icmp = Packet(ethernet(0x0800, ipv4(1, bytes(2000))), 2034, 0, 1)
    fragment = Packet(ethernet(0x0800, ipv4(6, segment(), fragment=0x2000)), 3067, 0, 1)
    short = Packet(mended(AROUND["IPv4"][1](segment())).frame[:96], 3067, 0, 1)
    tunnel = Packet(ethernet(0x0800, ipv4(17, vxlan(ethernet(0x88B5, bytes(2000))))), 2064, 0, 1)
    done = cut(icmp, fragment, short, tunnel)
    assert done.passed == {"truncated or malformed": 1, "fragments": 1, "neither TCP nor UDP": 2}
    assert done.frames == [p.frame for p in (icmp, fragment, short, tunnel)]
    assert cut(mended(AROUND["IPv4"][1](segment())), mtu=52).passed == {"headers too large for the MTU": 1}


def test_padding_goes_and_a_trailer_stays():
    whole = mended(AROUND["VXLAN"][1](segment()) + bytes(6))
    assert cut(whole).frames == cut(mended(AROUND["VXLAN"][1](segment()))).frames
    inner = ethernet(0x88E5, b"\0\0\0\0\0\1\x08\0" + ipv4(6, segment()) + b"I" * 16)
    assert all(f.endswith(b"I" * 16) for f in cut(mended(inner)).frames)


def test_lines_go_with_each_and_losses_with_the_first():
    whole = mended(AROUND["IPv4"][1](segment()))
    whole.notes = b"IFACE: eth0\nLOST: 3\n"
    assert [p.notes for p in cut(whole).packets] == [whole.notes, b"IFACE: eth0\n", b"IFACE: eth0\n"]


def test_signatures_do_not_follow():
    digest = b"\x13\x12" + bytes(16) + b"\x01\x01"
    done = cut(mended(ethernet(0x0800, ipv4(6, segment(options=digest)))))
    assert len(done.frames) == 3
    assert sum(done.segmenter.beyond.values()) == 1


def merged(packets: list[Packet], each: int = 0, udp: bool = False) -> list[bytes]:
    """What becomes of packets; each: how many come at a time, 0: all. udp: those of UDP are merged, too."""
    parts = [packets[i : i + each] for i in range(0, len(packets), each)] if each else [packets]
    return [bytes(batch.frame(i)) for batch in Merger(datagrams=udp)(map(gathered, parts)) for i in range(len(batch))]


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("same_ids", [False, True])
def test_merged_again(name, same_ids):
    """10: PSH and FIN are in the last one, ECE and AE in all; IDs go up by one each, or are the same. No IPv4 options."""
    linktype, around, *_ = AROUND[name]
    whole = mended(around(segment(flags=ACK | PSH | FIN | ECE | AE)), linktype)
    pieces = cut(whole, size=500, same_ids=same_ids).packets
    assert merged(pieces) == ([p.frame for p in pieces] if name == "options" else [whole.frame])


def split(**more: object) -> list[Packet]:
    """Three full segments."""
    return cut(mended(AROUND["IPv4"][1](segment(bytes(range(250)) * 6, ACK))), size=500, **more).packets


def edited(packet: Packet, at: int, data: bytes, mend: bool = True) -> Packet:
    frame = packet.frame[:at] + data + packet.frame[at + len(data) :]
    return mended(frame) if mend else Packet(frame, len(frame), 0, 1)


OTHERWISE = {  # what is different in the second one of three: where, and what; how many there are then
    "MAC address": (5, b"\x09", 3), "DSCP": (15, b"\x20", 3), "ECN": (15, b"\x01", 3), "ID": (18, b"\0\x11", 3),
    "Don't Fragment": (20, b"\x40", 3), "TTL": (22, b"\x3f", 3), "ACK number": (45, b"\x08", 3), "window": (49, b"\1", 3),
    "options": (60, b"\x77", 3), "a gap": (41, b"\x77", 3), "AE": (46, b"\x81", 3), "ECE": (47, b"\x50", 3),
    "SYN": (47, b"\x12", 3), "URG": (47, b"\x30", 3), "CWR": (47, b"\x90", 3), "RST": (47, b"\x14", 3),
    "PSH": (47, b"\x18", 2), "FIN": (47, b"\x11", 2), "data": (100, b"\0", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_not_merged(name):
    """10."""
    at, data, count = OTHERWISE[name]
    first, second, third = split()
    made = merged([first, edited(second, at, data), third])
    assert len(made) == count
    assert outcomes([Packet(frame, len(frame), 0, 1) for frame in made]) == {CORRECTED}


@pytest.mark.parametrize("same_ids", [False, True])
def test_datagrams_merged_again(same_ids):
    """10: only when asked to. They are as large as the first, the last may be smaller, and each has a right checksum."""
    data = bytes(range(200)) * 7 + b"last"
    for carried in (lambda u: ethernet(0x0800, ipv4(17, u)), lambda u: ethernet(0x86DD, ipv6(17, u)),
                    lambda u: ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, ipv4(17, u)))))):  # fmt: skip
        whole = mended(carried(over_udp(9, data, 1000)))
        pieces = cut(whole, size=200, same_ids=same_ids).packets
        assert merged(pieces) == [p.frame for p in pieces]
        assert merged(pieces, udp=True) == [whole.frame]
        assert merged(pieces, 64, udp=True) == [whole.frame]


def test_datagrams_that_are_not_merged():
    """10: another flow, a longer second, none with a wrong checksum or without one, or with another length than IP says."""
    first, second, third = cut(mended(ethernet(0x0800, ipv4(17, over_udp(9, bytes(600), 1000)))), size=200, same_ids=True).packets
    for at, change, mend, count in (
        (100, b"x", True, 1), (34, b"\x11\x11", True, 2), (22, b"\x3f", True, 3), (40, b"\0\0", False, 3), (100, b"x", False, 3),
        (38, b"\0\xcf", True, 3),
    ):  # fmt: skip
        assert len(merged([first, edited(second, at, change, mend), third], udp=True)) == count, (at, change)
    longer = cut(mended(ethernet(0x0800, ipv4(17, over_udp(9, bytes(600), 1000)))), size=300, same_ids=True).packets[1]
    assert [len(f) - 42 for f in merged([first, longer, third], udp=True)] == [200, 500]
    segments = split()
    assert len(merged([segments[0], first, segments[1], second, segments[2], third], udp=True)) == 2  # whatever the ports
    assert [len(f) - 42 for f in merged([first] * 66, udp=True)] == [64 * 200, 400]  # IDs are the same


def test_not_merged_either():
    """10: wrong sums, repeats, a longer second, padding, empty segments, what was cut; and what is behind a shorter one."""
    first, second, _ = split()
    longer = cut(mended(AROUND["IPv4"][1](segment(bytes(range(250)) * 6, ACK))), size=700).packets[1]
    longer = mended(edited(longer, 38, second.frame[38:42], False).frame)
    empty = mended(AROUND["IPv4"][1](segment(b"", ACK)))
    short = Packet(second.frame[:-1], len(second.frame), 0, 1)
    wrong = edited(second, 100, b"\0", False)
    for other in (wrong, first, longer, empty, short, Packet(second.frame + b"\0", len(second.frame) + 1, 0, 1)):
        assert len(merged([first, other])) == 2
    pieces = cut(mended(AROUND["IPv4"][1](segment(bytes(range(250)) * 6, ACK))), size=600).packets
    assert len(merged([*pieces, edited(first, 38, struct.pack("!I", (0xFFFFF800 + 1500) % (1 << 32)))])) == 2


def test_flows_between_each_other_and_packets_that_come_in_parts():
    """Each super-frame stands where its first segment stood; other packets of the same flow are not overtaken."""
    a, b = [cut(mended(AROUND["IPv4"][1](segment(DATA, ports=(port, 80)))), size=100).packets for port in (1, 2)]
    mixed = [packet for pair in zip(a, b, strict=True) for packet in pair]
    icmp = Packet(ethernet(0x0800, ipv4(1, bytes(20))), 54, 0, 1)
    made = merged([icmp, *mixed])
    assert made == merged([icmp, *mixed], 64)  # as many as are waited for
    assert made[0] == icmp.frame
    assert [len(frame) - 66 for frame in made] == [-12, 3001, 3001]
    pure = mended(AROUND["IPv4"][1](segment(b"", ACK, ports=(1, 80))))
    assert [len(f) - 66 for f in merged([a[0], pure, a[1], a[2]])] == [100, 0, 200]


@pytest.mark.parametrize("udp", [False, True])
def test_how_many_packets_come_at_a_time_changes_nothing(udp):
    """Flows between each other, ends within them, and gaps: a place counts, also where what stood there was merged before."""
    draw, flows, packets = random.Random(7), range(1, 5), []
    at = dict.fromkeys(flows, 0)
    for _ in range(300):
        port = draw.choice([1, 1, 1, 2, 2, draw.choice(flows)])
        size = 100 if draw.random() < 0.95 else draw.choice([0, 50])
        if udp:
            carries = ipv4(17, struct.pack("!HHHH", port, 80, 8 + size, 0) + bytes(size))
        else:
            carries = ipv4(6, segment(bytes(size), ACK | draw.choice([0] * 30 + [PSH]), sequence=at[port], ports=(port, 80)))
        at[port] += size
        packets.append(mended(ethernet(0x0800, carries)))
    made = merged(packets, udp=udp)
    assert 10 < len(made) < 400
    for each in (1, 7, 63, 64, 65, 130):
        assert merged(packets, each, udp) == made, each


def test_no_larger_than_ip_says_and_no_further_behind():
    data = bytes(i % 251 for i in range(70_000))
    pieces = [
        mended(AROUND["IPv4"][1](segment(data[i : i + 1400], ACK, sequence=i))) for i in range(0, len(data), 1400)
    ]  # their IDs are the same
    assert [len(f) - 66 for f in merged(pieces)] == [46 * 1400, 4 * 1400]
    assert [len(f) - 66 for f in merged(pieces, 10)] == [46 * 1400, 4 * 1400]
    small = [mended(AROUND["IPv4"][1](segment(data[i : i + 10], ACK, sequence=i))) for i in range(0, 1000, 10)]
    assert [len(f) - 66 for f in merged(small)] == [640, 360]


def test_lines_that_say_something_else_are_kept():
    pieces = split()
    for packet, notes in zip(pieces, (b"IFACE: a\n", b"IFACE: a\n", b"IFACE: a\nLOST: 1\n"), strict=True):
        packet.notes = notes
    made = [batch.packet(i) for batch in Merger()(iter([gathered(pieces)])) for i in range(len(batch))]
    assert [(len(p.frame) - 66, p.notes) for p in made] == [(1000, b"IFACE: a\n"), (500, b"IFACE: a\nLOST: 1\n")]


def test_a_filter_says_what_is_cut_and_merged():
    """Handshakes are seen in all packets; what is held back is asked once."""
    packets = [
        handshake(1000, (80, 40000), back=True),
        *(mended(AROUND["IPv4"][1](segment(ports=(p, 80)))) for p in (40000, 40001)),
    ]
    segmenter = Segmenter(guard=Filter(["TCP.SRC_PORT==40000"]))
    assert [len(batch) for batch in segmenter(iter([gathered(packets)]))] == [1 + 4 + 1]
    pieces = [cut(mended(AROUND["IPv4"][1](segment(ports=(port, 80)))), size=100).packets for port in (1, 2)]
    mixed = [packet for pair in zip(*pieces, strict=True) for packet in pair]
    for each in (64, 70, 99):
        parts = [gathered(mixed[i : i + each]) for i in range(0, len(mixed), each)]
        merger = Merger(Filter(["TCP.SRC_PORT==2 and NUMBER<=40"]))
        assert sum(len(batch) for batch in merger(iter(parts))) == len(mixed) - 19


def test_assignments_are_for_what_if_accepts(backend):
    """What --if does not accept passes as it came, not only uncut."""
    made = shell(
        "pkt-gen udp --count 4 IP.TTL=9 | pkt-segment --if 'NUMBER==2' IP.TTL=7 | pkt-analyze --fields IP.TTL", backend=backend
    )
    assert made.stdout.decode().split() == ["IP.TTL", "9", "7", "9", "9"]


def capture(packets: list[Packet], seconds: int) -> bytes:
    """A pcap file of them, all of one time."""
    records = (struct.pack("<IIII", seconds, 0, len(p.frame), len(p.frame)) + p.frame for p in packets)
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + b"".join(records)


def test_neither_a_limit_nor_a_pipe_changes_what_is_merged(tmp_path, backend):
    """However many packets are read at a time; what is captured just now, and is there alone, is not waited for."""
    pieces = [mended(AROUND["IPv4"][1](segment(bytes(1400), ACK, sequence=i * 1400))) for i in range(100)]
    (tmp_path / "in").write_bytes(capture(pieces, 1000))
    whole = shell(f"pkt-segment --merge < '{tmp_path}/in'", backend=backend).stdout
    assert whole.count(b"\n==\n") == 3
    for command in ("dd bs=5000 status=none | pkt-segment --merge", "pkt-txt2txt | pkt-segment --merge",
                    "pkt-txt2txt | cat | pkt-segment --merge", "(head -c 9000; sleep 0.2; cat) | pkt-segment --merge"):  # fmt: skip
        assert shell(command, capture(pieces, 1000), backend=backend).stdout == whole, command
    other = b"".join(shell("pkt-gen udp --count 1", backend=backend).stdout for _ in range(2))
    for words, there in (("IP.PROTOCOL==6", 3), (f"-s {2 + 97}", 1)):  # of the first that are read none is left
        got = shell(f"(cat; sleep 0.2; pkt-txt2txt < '{tmp_path}/in') | pkt-segment --merge {words}", other, backend=backend)
        assert (got.returncode, got.stderr, got.stdout.count(b"\n==\n")) == (0, b"", there), words
    first = shell(f"pkt-segment --merge -l 1 < '{tmp_path}/in'", backend=backend).stdout
    assert whole.startswith(first) and first.count(b"\n==\n") == 1
    now = shell("(cat; sleep 2) | pkt-segment --merge | (head -n 3 >&2; date +%s)", capture(pieces[:3], begun := int(time.time())))
    assert now.stderr.startswith(b"LINKTYPE") and int(now.stdout) < begun + 2
