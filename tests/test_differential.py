"""Both codecs say the same, errors included: every sample, every truncation of it, and seeded mutations."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import load
from samples import TEXT, batch, ethernet, frames, icmp, ipv4, ipv6, sctp, tags, tcp, udp
from sections import Record, batch_of, block, drops, enhanced, flags, interface_of, obsolete, simple

from pkttools.batch import Batch
from pkttools.formats.pcap import MAGICS
from pkttools.language import assigning, expression
from pkttools.views.fields import columns_of

C, PYTHON = "c", "python"

ASSIGN = [
    [("ETHERNET.TYPE", "=", "0x86dd"), ("IPV6.HOP_LIMIT", "-=", "3"), ("IPV6.DST_ADDR", "+=", "0xffff")],
    [("IP.HEADER_SIZE", "=", "24"), ("IP.DATA", "=", "61 62 63"), ("UDP.DST_PORT", "+=", "65535"), ("IP.OFFSET", "=", "16")],
    [("IPV6.NEXT_HEADER", "=", "0"), ("IPV6.NEXT_HEADER", "=", "17"), ("IPV6.EXT_SIZE", "=", "8"), ("IPV6.EXT_DATA", "=", "01")],
    [("LOOPBACK.FAMILY", "=", "2"), ("ETHERNET.VLAN_ID[-1]", "=", "4095"), ("ETHERNET.TYPE[2]", "=", "0x0800"),
     ("TCP.SYN", "-=", "1"), ("ICMPV6.DATA", "=", "7"), ("SLL.PROTOCOL", "=", "arp")],
    [("PKTAP.COMM", "=", "ssh"), ("PKTAP.IFUNIT", "-=", "1"), ("PKTAP.EPID", "+=", "2"), ("PKTAP.IN", "=", "1"),
     ("PKTAP.ECOMM", "=", ""), ("PKTAP.IFNAME[-1]", "=", "e" * 24), ("PKTAP.LENGTH", "+=", "14"), ("PKTAP.DLT", "=", "raw"),
     ("IP.TTL", "=", "9")],
]  # fmt: skip
FILTERS = [
    "UDP.DST_PORT in 1,50-60 and not IP.DST_ADDR==192.0.2.0/31",
    "ETHERNET.TYPE[2]==0x800 or IPV6.SRC_ADDR>=2001:db8::1 or IP.DATA>61 62",
    "not (TCP or ICMPV6) and IPV6.EXT_SIZE[-1]!=16",
    "LOOPBACK.FAMILY<=2 or UNKNOWN.DATA or VLAN or IP.OFFSET>0",
    'PKTAP.PID in 500-600 and PKTAP.COMM in ssh,"Google Chrome" or PKTAP.IFNAME<en or PKTAP.IFUNIT!=0 or PKTAP.OUT==0',
]

ASKED = columns_of("NUMBER,TIME_UTC,FRAME,IP.TTL,IP.SRC_ADDR[2],IP.DATA[-1],ETHERNET.TYPE[*],TCP.OPT_KIND,PKTAP.COMM,IPV6.EXT_DATA,"
                   "IFACE,WAY[-1],NOTE[*]")  # fmt: skip
CELLS = b"".join(column.code() for column in ASKED)


def outcome(function: object, *args: object) -> tuple:
    """What a call gives, or which error it raises."""
    try:
        return "result", function(*args)  # type: ignore[operator]
    except (ValueError, TypeError, IndexError) as error:
        return "error", type(error), str(error)


def packets_of(data: bytearray, rows: bytearray) -> list[tuple]:
    """The packets of a decoded text. Where they lie in the data is a codec's own matter."""
    b = Batch(data, rows)
    columns = b.columns().tolist()
    return [
        (bytes(b.frame(i)), *columns[7 * i + 2 : 7 * i + 5], bytes(data[columns[7 * i + 5] :][: columns[7 * i + 6]]))
        for i in range(len(b))
    ]


def assert_same(name: str, *args: object) -> None:
    """Calls a function of both codecs on copies of the same bytes: results, errors, changed bytes and counts are equal."""
    got = []
    for backend in (C, PYTHON):
        copies = [type(arg)(arg) if isinstance(arg, (bytearray, dict)) else arg for arg in args]
        result = outcome(getattr(load(backend), name), *copies)
        if name in ("text_decode", "pcapng_decode") and result[0] == "result":
            consumed, data, rows, *rest = result[1]
            result = (consumed, packets_of(data, rows), *rest)
        got.append((result, [c for c in copies if isinstance(c, (bytearray, dict))]))
    assert got[0] == got[1], (name, args)


def check_frames(packets: list[tuple[int, bytes]], original: int | None = None) -> None:
    """Everything that looks into frames, over a batch of them."""
    b = batch(packets, original)
    for i in range(len(b)):
        assert_same("walk", b.data, bytes(b.part(i, i + 1).rows))
        assert_same("verify", b.data, bytes(b.part(i, i + 1).rows))
    assert_same("check", b.data, bytes(b.rows), {})
    for what in range(3):
        assert_same("correct", b.data, bytes(b.rows), what, {})
    for items in ASSIGN:
        program = assigning.assignments(items)
        assert_same("assign", b.data, bytes(b.rows), program, None, False, {})
        assert_same("assign", b.data, bytes(b.rows), program, None, True)
    for text in FILTERS:
        assert_same("select", b.data, bytes(b.rows), expression.compiled(expression.any_of([text])))
    assert_same("select", b.data, bytes(b.rows), expression.compiled(expression.any_of(["IP.TTL>64"])), 1, {})
    swap = assigning.assignments([], (("ETHERNET.SRC_ADDR", "ETHERNET.DST_ADDR"), ("IPV6.SRC_ADDR", "IPV6.DST_ADDR")))
    assert_same("assign", b.data, bytes(b.rows), swap, None, False)
    assert_same("assign", b.data, bytes(b.rows), swap, None, True, {})
    assert_same("json_encode", b.data, bytes(b.rows), 0, 1)
    for style in range(3):
        assert_same("columns_encode", b.data, bytes(b.rows), 0, 1, CELLS, b"\0" * (len(ASKED) + 1), style)
    assert_same("key_rows", b.data, bytes(b.rows), 0, 1, CELLS)
    for fields in range(3):
        assert_same("text_encode", b.data, bytes(b.rows), 0, 1, 16, False, fields)
        text, _ = load(C).text_encode(b.data, bytes(b.rows), 0, 1, 16, False, fields)
        assert_same("text_decode", bytearray(text), 0, len(text), True, int(b.columns()[4]), 0, 7)


@pytest.mark.parametrize("number", range(len(frames())))
def test_every_truncation(number: int) -> None:
    linktype, frame = frames()[number]
    check_frames([(linktype, frame[:size]) for size in range(len(frame) + 1)])
    check_frames([(linktype, frame[:size]) for size in range(0, len(frame) + 1, 3)], original=1500)


@pytest.mark.parametrize("seed", range(12))
def test_mutated_frames(seed: int) -> None:
    dice = random.Random(seed)
    packets = []
    for linktype, frame in frames() * 6:
        mutated = bytearray(frame)
        for _ in range(dice.randint(1, 4) if mutated else 0):
            mutated[dice.randrange(min(len(mutated), 90))] = dice.choice(
                (0, 1, 4, 5, 6, 17, 41, 43, 44, 51, 58, 255, dice.randrange(256))
            )
        packets.append((dice.choice((linktype, linktype, 1, 0, 101)), bytes(mutated) + bytes(dice.choice((0, 0, 5)))))
    check_frames(packets)


# Protocol, message, and where in it the checksum stands; 0: it is not of 16 bits, or not its own.
RIGHT = {
    "udp": (17, udp(b"hello!"), 6),
    "tcp": (6, tcp(b"abcd"), 16),
    "icmp": (1, icmp(8, b"abcdef"), 2),
    "icmpv6": (58, icmp(128, b"abcdef"), 2),
    "sctp": (132, sctp(), 0),
    "udplite": (136, udp(b"hello!", 14), 6),
    "ipip": (4, ipv4(17, udp(b"hello!")), 0),
}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", RIGHT)
def test_each_word_of_a_right_packet(kind: str, version: int) -> None:
    """What most packets are is looked at on a way of its own in C; every other byte has to lead off it. A sum of 0 as well."""
    protocol, message, at = RIGHT[kind]
    frame = ethernet(*((0x0800, ipv4(protocol, message)) if version == 4 else (0x86DD, ipv6(protocol, message))))
    place = len(frame) - len(message) + at
    addresses = int.from_bytes(frame[26:34] if version == 4 else frame[22:54], "big")
    card = [(addresses + protocol + size) % 0xFFFF for size in (0, len(message))]  # what the kernel leaves to it
    packets = []
    for _ in range(2):
        b = batch([(1, frame)])
        load(PYTHON).correct(b.data, bytes(b.rows), 0)
        right = bytes(b.data)
        for i in range(0, len(right) - 1, 2):
            word = int.from_bytes(right[i : i + 2], "big")
            for other in (0, 0xFFFF, word ^ 1, word ^ 0x8000, word + 256 & 0xFFFF, *card):
                packets.append((1, right[:i] + other.to_bytes(2, "big") + right[i + 2 :]))
        packets += [(1, right[:size]) for size in range(len(right))] + [(1, right + bytes(3)), (1, right + b"abc")]
        last = int.from_bytes(right[-2:], "big") + int.from_bytes(right[place : place + 2], "big")  # adds up to nothing then
        frame = right[:-2] + (last % 0xFFFF).to_bytes(2, "big")
    b = batch(packets)
    assert_same("check", b.data, bytes(b.rows))
    for what in range(3):
        assert_same("correct", b.data, bytes(b.rows), what)


def test_tags_of_old_types() -> None:
    """0x9100 and 0x9200, outside and inside, cut anywhere; 0x9300 is none."""
    for outer in (0x9100, 0x9200, 0x9300):
        for inner in (0x8100, 0x9100, 0x9200):
            frame = ethernet(outer, tags([outer, inner], 0x86DD, ipv6(17, udp())))
            check_frames([(1, frame[:size]) for size in range(12, len(frame) + 1, 2)])


def test_frames_above_64_kib() -> None:
    """Lengths of 16 bits say 0 or too little there; what is summed has more than 65,535 bytes."""
    for message in (tcp(bytes(range(256)) * 280), udp(b"\xff" * 70_001, 0), udp(b"\xff" * 65_520) + bytes(9)):
        for packet in (ipv4(17 if len(message) != 71_704 else 6, b""), ipv6(17, b"")):
            at = 2 if packet[0] >> 4 == 4 else 4
            for said in (0, 5, 65535):
                frame = packet[:at] + said.to_bytes(2, "big") + packet[at + 2 :] + message
                b = batch([(101, frame), (1, ethernet(0x86DD if at == 4 else 0x0800, frame))])
                for name, rest in (("correct", (0,)), ("correct", (1,)), ("correct", (2,)), ("check", ()), ("walk", ())):
                    for i in range(2):
                        assert_same(name, b.data, bytes(b.part(i, i + 1).rows), *rest)


def decodings(text: bytes) -> None:
    """One text, whole, in two calls, and as the end of a stream."""
    buffer = bytearray(text)
    for final in (False, True):
        assert_same("text_decode", buffer, 0, len(buffer), final, 1, 0, 12345)
    assert_same("text_decode", buffer, min(7, len(buffer)), len(buffer) * 2 // 3, False, 1, 5, 0)


@pytest.mark.parametrize("part", range(4))
def test_every_truncation_of_text(part: int) -> None:
    for size in range(part, len(TEXT) + 1, 4):
        decodings(TEXT[:size])


@pytest.mark.parametrize("seed", range(12))
def test_mutated_text(seed: int) -> None:
    dice = random.Random(seed)
    words = [b"==\n", b"-- 9 --\n", b"TIME: ", b"SIZE: ", b"\n", b":", b"zz", b"\0", b"\xff",
             b"99999999999", b"A.B: ", b" ", b"\r", b"\x0b",
             b"IP.TTL[0]: ", b"-5", b"1/2/3", b"NOTE:", b"LINKTYPE: ", b"000000: "]  # fmt: skip
    for _ in range(250):
        text = bytearray(TEXT)
        for _ in range(dice.randint(1, 5)):
            at = dice.randrange(len(text))
            text[at : at + dice.choice((0, 0, 1, 3, 40))] = (
                dice.choice(words) if dice.random() < 0.7 else bytes([dice.randrange(256)])
            )
        decodings(bytes(text))


@pytest.fixture(params=range(3), ids=["portable", "ssse3", "avx512"])
def rows_in_c(request: pytest.FixtureRequest) -> Iterator[None]:
    """All ways in which the C codec reads and writes canonical rows, as far as the processor has them."""
    c = load(C)
    if c.use_rows(request.param) != request.param:
        c.use_rows(2)
        pytest.skip("this processor has no such vectors")
    yield
    c.use_rows(2)


@pytest.mark.usefixtures("rows_in_c")
@pytest.mark.parametrize("seed", range(6))
def test_mutated_canonical_rows(seed: int) -> None:
    """The fast path of the canonical row against the line by line reading: one byte changed, anywhere."""
    dice = random.Random(seed)
    text, _ = load(PYTHON).text_encode(*whole(batch([(1, bytes(range(200)))])), 0, 1, 16, False, 0)
    for _ in range(400):
        mutated = bytearray(text)
        mutated[dice.randrange(len(mutated))] = (
            dice.choice(b"0 :\n\rGg=-\x00\xff9afF") if dice.random() < 0.8 else dice.randrange(256)
        )
        decodings(bytes(mutated))


@pytest.mark.parametrize("widest", [False, True], ids=["usual", "avx2"])
def test_sums_by_vectors(widest: bool) -> None:
    """All lengths that vectors leave something of, at even and odd addresses, with many carries and with none."""
    c = load(C)
    if c.use_words(widest) != widest:
        pytest.skip("this processor has no such vectors")
    dice = random.Random(1)
    data, rows = bytearray(), array("q")
    for size in (*range(8, 420), 1479, 1480, 9001, 65515):
        for fill in (b"\xff", b"\0", None):
            data += bytes(dice.randrange(33))
            header = bytes.fromhex("4500") + (20 + size).to_bytes(2) + bytes.fromhex("000000004001 0000 c0000201c0000202")
            payload = dice.randbytes(size) if fill is None else fill * size
            rows.extend([len(data), 20 + size, 20 + size, 0, 101, 0, 0])
            data += header + payload
    try:
        assert_same("correct", data, bytes(rows), 0)
    finally:
        c.use_words(True)


def whole(b: Batch) -> tuple[bytearray, bytes]:
    return b.data, bytes(b.rows)


@pytest.mark.usefixtures("rows_in_c")
@pytest.mark.parametrize(("width", "data_only"), [(16, False), (16, True), (1, False), (7, False), (10, True), (300, False)])
def test_text_encode(width: int, data_only: bool) -> None:
    b = batch([(1, bytes(range(256))[:size]) for size in (0, 1, 3, 15, 16, 17, 31, 32, 33, 255, 256)] + [(9, b"ppp"), (9, b"")])
    for first in (0, 5, 11, 13):
        assert_same("text_encode", *whole(b), first, 99, width, data_only, 0)
        assert_same("text_encode", *whole(b), first, 99, width, data_only, 2)
    times = b.columns()
    for i, time in enumerate((0, 1, 999, 1000, 10**9 - 1, 10**9, 2**31 * 10**9, 4_294_967_295 * 10**9, 9_223_372_035_999_999_999)):
        times[i * 7 + 3] = time
    assert_same("text_encode", *whole(b), 0, 1, width, data_only, 0)


def test_every_day_is_written_alike() -> None:
    b = batch([(1, b"x")] * 366)
    times = b.columns()
    for day in range(366):
        times[day * 7 + 3] = (1_704_067_200 + day * 86_399) * 10**9 + day % 2 * 1001
    assert_same("text_encode", *whole(b), 0, 1, 16, False, 0)


@pytest.mark.parametrize("seed", range(4))
def test_canonical_text_with_numbers_at_the_limits(seed: int) -> None:
    """TIME and SIZE in their usual places, each digit of them changed: what one codec reads the fast way the other one does."""
    dice = random.Random(seed)
    numbers = ["0", "9", "10", "4294967295", "4294967296", "9223372035", "9223372036", "9999999999", "262144", "262145", "999999",
               "1000000", "00000000000000000001", "18446744073709551616"]  # fmt: skip
    fractions = ["000000", "999999", "999999999", "99999", "0", "0000000000", ""]
    for _ in range(300):
        pick = dice.choice
        head = f"TIME: {pick(numbers)}.{pick(fractions)} Thu May 15 15:24:40 2014\nSIZE: {pick(numbers[:3])}/{pick(numbers)}\n"
        if dice.random() < 0.3:
            head = head.replace(dice.choice(" ./:\n"), dice.choice(" ./:\n\rx"), 1)
        decodings(b"-- 1 --\n" + head.encode() + TEXT.splitlines(keepends=True)[6] * 3 + b"==\n")


@pytest.mark.parametrize("seed", range(8))
def test_pcap(seed: int) -> None:
    dice = random.Random(seed)
    for big_endian in (False, True):
        for nano in (False, True):
            for args in ((0, 1, 16), (5, 1, 16)):
                assert_same("pcap_encode", *whole(batch(frames())), args[0], big_endian, nano)
            records, _, _ = load(PYTHON).pcap_encode(
                *whole(batch([(1, bytes(dice.randrange(99))) for _ in range(9)])), 0, big_endian, nano
            )
            for _ in range(60):
                mutated = bytearray(records)
                for _ in range(dice.randint(0, 3)):
                    mutated[dice.randrange(len(mutated))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
                cut = dice.randrange(len(mutated))
                lengths = dice.randrange(3)
                for final in (False, True):
                    for header in (16, 24):
                        assert_same("pcap_decode", mutated, 0, len(mutated), final, big_endian, nano, header, lengths, 1)
                        assert_same("pcap_decode", mutated, 0, cut, final, big_endian, nano, header, lengths, 1)
                for most, since in ((16, 0), (60, 0), (116, 0), (116, 1 << 60), (1 << 25, 0)):
                    assert_same("pcap_border", mutated, cut // 3, len(mutated), big_endian, nano, 16, lengths, most, since)
                    assert_same("pcap_border", mutated, 0, cut, big_endian, nano, 24, 0, most, since)


INTERFACES = array("q", [1, 0, 6, 0, 0, 0, 113, 4, 9, 1 << 62, 0, 12, 101, 0, 0x89, -5, 6, 6, 1, 9, 255, 0, 12, 0])
NAMES = b"IFACE: eth0\n"


def blocks(order: str) -> bytes:
    """One of each kind, with options of each kind."""
    given = (flags(1 | 4 << 5 | 8, order), drops(7, order), (1, b"a\nb\\"), (3, b"hash"), (1, b""), (0xBAD, b"12345"))
    return (
        enhanced(b"abc", 2**40 + 1, 0, given, order) + obsolete(b"defgh", 2**33, 1, 5, given[2:], order) + simple(b"ijk", 9, order)
        + enhanced(b"", 2**63, 2, (), order) + enhanced(bytes(range(99)), 12345, 3, given[:1], order)
    )  # fmt: skip


def pcapng_decodings(raw: bytes) -> None:
    for big_endian in (False, True):
        assert_same("pcapng_decode", bytearray(raw), 0, len(raw), big_endian, INTERFACES, NAMES)
        assert_same("pcapng_decode", bytearray(raw), min(4, len(raw)), len(raw), big_endian, INTERFACES[:6], b"")
        assert_same("pcapng_decode", bytearray(raw), 0, len(raw), big_endian, INTERFACES, NAMES, True)


@pytest.mark.parametrize("order", [">", "<"], ids=["big", "little"])
def test_every_truncation_of_pcapng(order: str) -> None:
    raw = blocks(order)
    for size in range(len(raw) + 1):
        pcapng_decodings(raw[:size])


@pytest.mark.parametrize("seed", range(12))
def test_mutated_pcapng(seed: int) -> None:
    """Also within lengths, whose halves must agree to get any further, and in blocks that stand anywhere."""
    dice = random.Random(seed)
    for _ in range(400):
        order = dice.choice("<>")
        raw = bytearray(blocks(order))
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(raw))
            raw[at] = dice.choice((0, 1, 2, 3, 4, 6, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        if dice.random() < 0.3:
            at = dice.randrange(0, len(raw), 4)
            raw[at:at] = block(dice.choice((1, 2, 3, 6, 99)), dice.randbytes(4 * dice.randrange(20)), order)
        pcapng_decodings(bytes(raw))


@pytest.mark.parametrize("seed", range(8))
def test_random_packets_of_pcapng(seed: int) -> None:
    """Sound blocks of random bodies: they come further than mutated ones."""
    dice = random.Random(seed)
    for _ in range(400):
        order, raw = dice.choice("<>"), b""
        for _ in range(dice.randint(1, 4)):
            given = tuple((dice.choice((0, 1, 2, 3, 4, 5)), dice.randbytes(dice.choice((0, 1, 3, 4, 8, 9)))) for _ in range(3))
            ticks, number = dice.getrandbits(dice.choice((1, 31, 33, 62, 64))), dice.choice((0, 1, 2, 3))
            frame = dice.randbytes(dice.randrange(9))
            raw += dice.choice((
                enhanced(frame, ticks, number, given, order), obsolete(frame, ticks, number, dice.randrange(3), given, order),
                simple(frame, dice.choice((0, 1, 4, 5)), order),
            ))  # fmt: skip
        pcapng_decodings(raw)


def test_every_resolution() -> None:
    dice = random.Random(1)
    for resolution in [*range(256), -1, 256, 1 << 40]:
        for ticks in (0, 1, 10**9, 2**64 - 1, dice.getrandbits(64)):
            known = array("q", [1, 0, resolution, dice.choice((0, -(2**63), 2**63 - 1, 5)), 0, 0])
            assert_same("pcapng_decode", bytearray(enhanced(b"", ticks)), 0, 32, False, known, b"")


@pytest.mark.parametrize("seed", range(8))
def test_pcapng_encode(seed: int) -> None:
    dice = random.Random(seed)
    lines = ["IFACE: a", "IFACE:b", "WAY: in", "WAY:out", "WAY: up", "LOST: 5", "LOST: x", "LOST: 99999999999999999999",
             "NOTE: \\n\\x1b\\x41\\", "NOTE:", "NOTE:  \\x7f", "other", "", "NOTE", "IFACE: \\x0", "NOTE: \t\x80",
             "\0", "\0I1", "\0I2", "\0S", "\0S", "\0O" + "0" * 32, "\0O" + "0" * 32 + "0002000480000004" + "0005000812", "\0Oxyz",
             "\0Ocbf29ce484222325" + "0" * 16 + "00030001aa" + "02580002abcd" + "4bad0000" + "0bad0001ff"]  # fmt: skip
    for _ in range(60):
        packets = []
        for _ in range(dice.randint(0, 9)):
            notes = "".join(line + dice.choice("\n\n\n ") for line in dice.choices(lines, k=dice.choice((0, 0, 1, 2, 5))))
            time = dice.choice((0, 1000, 1001, 2**62, 9_223_372_035_999_999_999, -1))
            original = dice.choice((0, 3, 2**32 - 1, 2**32))
            packets.append(Record(dice.randbytes(dice.randrange(9)), original, time, dice.choice((1, 1, 113)), notes))
        for first in range(len(packets) + 1):
            for big_endian in (False, True):
                batch, number, nano = batch_of(*packets), dice.choice((0, 7, 2**32 - 1)), dice.random() < 0.7
                of_first = interface_of(*batch, number, nano, first=first)
                assert_same("pcapng_encode", *batch, first, big_endian, of_first)
                keep = dice.choice((0, 3, 262144)), dice.choice((0, 0, 4 << 5)), dice.randrange(3)
                several = interface_of(*batch, number, nano, *keep, first=first)
                several += [(b"IFACE: a\n", 113, 5, nano, *keep), (b"WAY: in\n", 1, 6, nano, *keep)]
                assert_same("pcapng_encode", *batch, first, big_endian, several)


def test_bad_calls() -> None:
    """Rows and programs that do not fit are refused with the same words, never followed."""
    b = batch(frames()[:2])
    for column, value in ((0, -1), (0, 10**6), (1, -5), (1, 300_000), (5, -1), (6, 10**7)):
        bad = batch(frames()[:2])
        bad.columns()[7 + column] = value
        for name, rest in (
            ("walk", ()),
            ("correct", (0,)),
            ("text_encode", (0, 1, 16, False, 0)),
            ("json_encode", (0, 1)),
            ("pcap_encode", (0, False, False)),
            ("pcapng_encode", (0, False, [])),
        ):
            assert_same(name, bad.data, bytes(bad.rows), *rest)
    assert_same("walk", b.data, bytes(b.rows))
    assert_same("walk", b.data, b"short")
    assert_same("correct", b.data, bytes(b.rows), 3)
    assert_same("text_encode", b.data, bytes(b.rows), 3, 1, 16, False, 0)
    assert_same("text_encode", b.data, bytes(b.rows), 0, 1, 0, False, 0)
    assert_same("text_decode", bytearray(b"=="), 0, 9, True, 1, 0, 0)
    assert_same("pcap_decode", bytearray(b"=="), 3, 1, True, False, False, 16, 0, 0)
    assert_same("pcap_decode", bytearray(b"=="), 0, 1, True, False, False, 8, 0, 0)
    assert_same("pcap_decode", bytearray(b"=="), 0, 1, True, False, False, 16, 3, 0)
    for header, lengths, most, stop in ((15, 0, 9, 2), (65, 0, 9, 2), (16, -1, 9, 2), (16, 3, 9, 2), (16, 0, -1, 2), (16, 0, 9, 3)):
        assert_same("pcap_border", bytearray(b"=="), 0, stop, False, False, header, lengths, most, 0)
    assert_same("pcap_decode", bytearray(b"=="), 0, 1, True, False, False, 16, -1, 0)
    for number in (-1, 2**32):
        assert_same("pcapng_encode", b.data, bytes(b.rows), 0, False, interface_of(b.data, b.rows, number))
    assert_same("pcapng_encode", b.data, bytes(b.rows), 0, False, interface_of(b.data, b.rows) * 66)
    assert_same("pcapng_encode", b.data, bytes(b.rows), 3, False, interface_of(b.data, b.rows))
    assert_same("pcapng_decode", bytearray(b"=="), 3, 1, False, b"", b"")
    raw = bytearray(enhanced(b"abc"))
    for known in (b"short", bytes(47), bytes(96)):
        assert_same("pcapng_decode", raw, 0, len(raw), False, known, b"")
    for name, size in ((-1, 0), (0, -1), (0, 13), (13, 0), (2**62, 2**62), (12, 1)):
        assert_same("pcapng_decode", raw, 0, len(raw), False, array("q", [1, 0, 6, 0, name, size]), NAMES)
    rows, code, constants = expression.compiled(expression.any_of(["UDP.DST_PORT==53 and UDP.DATA==61"]))
    assign_rows, assign_code, _ = assigning.assignments([("UDP.DATA", "=", "61")])
    bad_programs = [
        (rows, code, b""),
        (rows[:64], code, constants),
        (rows, code[:-8], constants),
        (rows, b"", constants),
        (rows, code[:72] + bytes(16), constants),
        (assign_rows, assign_code, b""),
        (b"", assign_code, b"a"),
    ]
    for program in bad_programs:
        assert_same("select", b.data, bytes(b.rows), program)
        assert_same("assign", b.data, bytes(b.rows), program, None, False)


def test_real_captures(shared: Path) -> None:
    """The frames of all captures beside the project, each whole and cut at a few places."""
    for path in sorted((shared / "captures" / "tcpdump").glob("*.pcap"))[::4]:
        raw = bytearray(path.read_bytes())
        if bytes(raw[:4]) not in MAGICS:
            continue
        big_endian, _ = MAGICS[bytes(raw[:4])]
        linktype = int.from_bytes(raw[20:24], "big" if big_endian else "little")
        _, rows, _ = load(PYTHON).pcap_decode(raw, 24, len(raw), True, big_endian, False, 16, 0, linktype)
        b = Batch(raw, rows)
        packets = [(b.columns()[i * 7 + 4], bytes(b.frame(i))) for i in range(min(len(b), 12))]
        check_frames([(linktype, frame[:cut]) for linktype, frame in packets for cut in (len(frame), len(frame) // 2, 37)])


def test_real_pcapng(shared: Path) -> None:
    """The blocks of all captures beside the project, whatever stands between them."""
    for path in sorted((shared / "captures").glob("*/*.pcapng")) + sorted((shared / "captures").glob("*/pcapng/*")):
        raw = path.read_bytes()
        for at in [0, *(i for i in range(4, min(len(raw), 600), 4))]:
            pcapng_decodings(raw[at:])


def test_no_packets() -> None:
    """A batch from which everything was filtered: its empty bytearrays may lie anywhere in memory."""
    for rows in (bytearray(), bytearray(56)[56:], b""):
        assert_same("assign", bytearray(), rows, assigning.assignments([("IP.TTL", "=", "9")]), None, False)
        assert_same("assign", bytearray(), rows, assigning.assignments([]), None, False)
        assert_same("select", bytearray(), rows, expression.compiled(expression.any_of(["IP"])))
        assert_same("correct", bytearray(), rows, 0)
        assert_same("text_encode", bytearray(), rows, 0, 1, 16, False, 0)
        assert_same("pcap_encode", bytearray(), rows, 0, False, False)
        assert_same("pcapng_encode", bytearray(), rows, 0, False, interface_of(b"", rows))
        assert_same("pcapng_decode", bytearray(), 0, 0, False, rows[:0], b"")
