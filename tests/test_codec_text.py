"""The text format, byte for byte: every rule of the specification, on both codecs."""

from __future__ import annotations

import re
import struct
import time
from types import ModuleType
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkttools.batch import MAX_BATCH, MAX_FRAME, ROW_BYTES
from pkttools.errors import (
    BAD_FIELD,
    BAD_HEX,
    BAD_LINKTYPE,
    BAD_SIZE,
    BAD_TIME,
    INDENTED,
    NO_BLANK,
    NO_COLON,
    NO_END,
    NOT_ENDED,
    ODD_HEX,
    TOO_LONG,
)

NOW = 1_234_567_890_123_456_000
SECOND = 1_000_000_000


class Packet(NamedTuple):
    data: bytes
    original: int
    time: int = NOW
    linktype: int = 1
    notes: bytes = b""


def packets_of(data: bytes, rows: bytes) -> list[Packet]:
    found = []
    for offset, captured, original, stamp, linktype, notes, size in struct.iter_unpack("=7q", rows):
        found.append(Packet(bytes(data[offset : offset + captured]), original, stamp, linktype, bytes(data[notes : notes + size])))
    return found


class Result(NamedTuple):
    packets: list[Packet]
    linktype: int
    line: int
    error: tuple[int, int, bytes | int] | None  # kind, line, word or number
    consumed: int
    unplaced: int = 0  # field lines


def decode(codec: ModuleType, text: bytes, *, final: bool = True, linktype: int = 1, line: int = 0) -> Result:
    """One call, with everything that it says about the buffer looked up there."""
    buffer = bytearray(b"##" + text + b"##")  # what lies around the range is none of its business
    consumed, data, rows, linktype, line, error, passed_over = codec.text_decode(
        buffer, 2, 2 + len(text), final, linktype, line, NOW
    )  # fmt: skip
    if error:
        kind, at, word, size = error
        error = (kind, at, word if kind == NOT_ENDED else bytes(buffer[word : word + size]))
    return Result(packets_of(data, rows), linktype, line, error, consumed - 2, passed_over[3])


def one(codec: ModuleType, *lines: bytes) -> Packet:
    """The packet of some lines between `--` and `==`."""
    result = decode(codec, b"\n".join([b"-- 1 --", *lines, b"==\n"]))
    assert result.error is None
    [packet] = result.packets
    return packet


def failure(codec: ModuleType, text: bytes) -> tuple[int, int, bytes | int]:
    error = decode(codec, text).error
    assert error is not None
    return error


def canonical(time: bytes, size: bytes) -> bytes:
    """A packet as our writer lays it out, which both codecs read by a shorter way; long enough for that."""
    row = b"000000: " + b"41 42 43 44  " * 3 + b"41 42 43 44 : ABCDABCD ABCDABCD\n"
    return b"-- 1 --\nTIME: %s Thu May 15 15:24:40 2014\nSIZE: %s\n" % (time, size) + row * 2 + b"==\n"


# ---- reading ----


def test_example_of_the_specification(codec):
    text = b"""LINKTYPE: 1 (Ethernet)
-- 1 --
TIME: 1400167480.561500 Thu May 15 15:24:40 2014
SIZE: 36/98
000000: 00 11 22 33  44 55 00 AA  BB CC DD EE  08 00 45 00 : .."3DU.. ......E.
000010: 00 54 00 00  00 00 40 01  F7 55 C0 A8  01 01 C0 A8 : .T....@. .U......
000020: 36 37 38 39                                        : 6789\x20\x20\x20\x20 \x20\x20\x20\x20\x20\x20\x20\x20
==
"""
    data = bytes.fromhex("001122334455 00AABBCCDDEE 0800 4500 00540000 00004001 F755C0A8 0101C0A8 36373839")
    result = decode(codec, text)
    assert result.packets == [Packet(data, 98, 1400167480_561500000)]
    assert result[1:] == (1, 8, None, len(text), 0)


@pytest.mark.parametrize(
    ("begin", "end"), [(b"-- 1 --", b"=="), (b"--", b"=="), (b"-----", b"===== the end"), (b"-- x", b"==5"), (b"--7", b"==--")]
)
def test_borders_are_known_by_their_first_two_characters(codec, begin, end):
    assert decode(codec, begin + b"\n00 11\n" + end + b"\n").packets == [Packet(b"\x00\x11", 2)]


def test_outside_of_packets_everything_is_a_comment(codec):
    text = b"==\nTIME: x\nSIZE: x\n00 11 zz\nIP.TTL: 3\nNOTE: n\n\n -- 1 --\n-- 1 --\n07\n==\n99\n==\n"
    result = decode(codec, text)
    assert (result.packets, result.unplaced, result.error) == ([Packet(b"\x07", 1)], 0, None)


TIMES = [
    (b"100", 100 * SECOND), (b"100.", 100 * SECOND), (b".5", SECOND // 2), (b"0", 0), (b"0.0", 0), (b"1.5", 1_500_000_000),
    (b"1400167480.561500", 1400167480_561500000), (b"1.000001", 1_000_001_000), (b"1.123456789", 1_123_456_789),
    (b"1.1234567891234", 1_123_456_789), (b"1.12", 1_120_000_000), (b"1.1234567", 1_123_456_700),
    (b"0000000000000000000005.25", 5_250_000_000), (b"4294967296.000001", 4_294_967_296_000_001_000),
    (b"9223372035.999999999", 9_223_372_035_999_999_999),
]  # fmt: skip


@pytest.mark.parametrize(("word", "nanoseconds"), TIMES)
@pytest.mark.parametrize("line", [b"TIME: %s", b"TIME:%s", b"TIME:\t %s Thu May 15 15:24:40 2014", b"TIME: %s\r"])
def test_time(codec, word, nanoseconds, line):
    assert one(codec, line % word).time == nanoseconds


@pytest.mark.parametrize(
    "word",
    [b"", b".", b"-1", b"+1", b"1e3", b"1,5", b"1.5.6", b"1.-5", b"0x10", b"now", b"9223372036", b"99999999999999999999", b"1.5x",
     b"1" * 5000],
)  # fmt: skip
def test_bad_time(codec, word):
    assert failure(codec, b"#\n-- 1 --\n00\nTIME: " + word + b"\n==\n") == (BAD_TIME, 4, word)


@pytest.mark.parametrize(
    ("word", "nanoseconds"),
    [(b"9223372035.999999", 9_223_372_035_999_999_000), (b"9223372035.999999999", 9_223_372_035_999_999_999),
     (b"0000000000.000001", 1_000), (b"9223372036.000000", None), (b"9999999999.999999", None), (b"9223372036.000000000", None)],
)  # fmt: skip
def test_the_limits_of_a_time_in_its_usual_place(codec, word, nanoseconds):
    if nanoseconds is None:
        assert failure(codec, canonical(word, b"32/32")) == (BAD_TIME, 2, word)
    else:
        assert decode(codec, canonical(word, b"32/32")).packets == [Packet(b"ABCD" * 8, 32, nanoseconds)]


@pytest.mark.parametrize(
    ("word", "captured", "original"),
    [(b"32/4294967295", 32, 4294967295), (b"32/4294967296", None, None), (b"32/9999999999", None, None),
     (b"32/1000000000", 32, 1000000000), (b"32/999999999", 32, 999999999), (b"262144/262144", MAX_FRAME, 262144),
     (b"262145/262145", None, None), (b"999999/999999", None, None), (b"32/00000000000000000032", 32, 32)],
)  # fmt: skip
def test_the_limits_of_a_size_in_its_usual_place(codec, word, captured, original):
    if captured is None:
        assert failure(codec, canonical(b"1400167480.561500", word)) == (BAD_SIZE, 3, word)
    else:
        [packet] = decode(codec, canonical(b"1400167480.561500", word)).packets
        assert (len(packet.data), packet.original) == (captured, original)


def test_the_longest_packet_of_usual_rows(codec):
    """One row too many is met by the way that reads many at once."""
    row = canonical(b"0.000000", b"0/0").splitlines(keepends=True)[3]
    assert decode(codec, b"-- 1 --\n" + row * (MAX_FRAME // 16) + b"==\n").packets == [
        Packet(b"ABCD" * (MAX_FRAME // 4), MAX_FRAME)
    ]
    kind, line, _ = failure(codec, b"-- 1 --\n" + row * (MAX_FRAME // 16 + 1) + b"==\n")
    assert (kind, line) == (TOO_LONG, MAX_FRAME // 16 + 2)


def test_missing_time_is_now(codec):
    assert one(codec, b"00").time == NOW


@pytest.mark.parametrize(
    ("word", "data", "original"),
    [(b"4/9", b"\1\2\3\4", 9), (b"4", b"\1\2\3\4", 4), (b"4/", b"\1\2\3\4", 0), (b"4/2", b"\1\2\3\4", 2), (b"3/3", b"\1\2\3", 3),
     (b"0/0", b"", 0), (b"0", b"", 0), (b"6/6", b"\1\2\3\4\0\0", 6), (b"6", b"\1\2\3\4\0\0", 6), (b"0004/0009", b"\1\2\3\4", 9),
     (b"4/4294967295", b"\1\2\3\4", 4294967295)],
)  # fmt: skip
@pytest.mark.parametrize("ending", [b"", b" ", b"\r", b" bytes"])
def test_size(codec, word, data, original, ending):
    size, rows = b"SIZE: " + word + ending, b"01 02 03 04"
    assert one(codec, size, rows) == one(codec, rows, size) == Packet(data, original)


def test_missing_size_is_what_was_given(codec):
    assert one(codec, b"00 11 22") == Packet(b"\x00\x11\x22", 3)
    assert one(codec) == Packet(b"", 0)


def test_size_alone_gives_zeros(codec):
    assert one(codec, b"SIZE: 1000") == Packet(bytes(1000), 1000)
    assert one(codec, b"SIZE: 262144/262144") == Packet(bytes(MAX_FRAME), MAX_FRAME)


@pytest.mark.parametrize(
    "word",
    [b"", b"/", b"/5", b"-1", b"x", b"1x", b"1/2/3", b"1/x", b"1/-2", b"262145", b"2000000000", b"262145/262145",
     b"1/4294967296", b"99999999999999999999", b"1/99999999999999999999", b"0x10"],
)  # fmt: skip
def test_bad_size(codec, word):
    assert failure(codec, b"-- 1 --\nSIZE: " + word + b"\n==\n") == (BAD_SIZE, 2, word)


DATA = [
    (b"00 11 22", "001122"), (b"0 1 F", "00010f"), (b"aB Cd", "abcd"), (b"FfFf", "ffff"), (b"123456", "123456"),
    (b"0 1 FFFF 12345678", "0001ffff12345678"), (b"4500 001c 0 1 0000\t4011", "4500001c000100004011"), (b"0000 00", "000000"),
    (b"0000", "0000"), (b"0000 \r", "0000"), (b"0001  11", "000111"), (b"00  11", "0011"),
    (b"00\n0000  11", "00000011"), (b"00 11\n0003  22", "0011000322"), (b"00 11\n0002: 22", "001122"),
    (b"00000000 00  11", "000000000011"), (b"000000000000  11", "00000000000011"), (b"0010  00", "001000"),
    (b"000000: 00 11", "0011"), (b"0:00", "00"), (b"fffffffffff: 11", "11"), (b"5:", ""), (b"5: : 11", ""),
    (b"00  11\t22 \t 33", "00112233"), (b"00 11 : 22", "0011"), (b"00 11 # 22", "0011"), (b"00 11 \xe9", "0011"),
    (b"00 11 .zz", "0011"), (b"00 11 : zz", "0011"), (b"00 11 :", "0011"), (b"00: 11 ::22", "11"),
    (b"00 11 : 22 1g 123", "0011"), (b"00 11\r", "0011"), (b"000000: 00 : .\r", "00"),
    (b"00 11 \xff 22", "0011"), (b"00 11 \0 22", "0011"), (b"#00 11", ""), (b" 00", ""),
    (b"  \t", ""), (b" 5:", ""), (b" 5: : 11", ""), (b"\t12345", ""), (b" 00 .", ""), (b" 00, 11", ""), (b" 3 apples", ""),
    (b" 12:30:05.5 IP 192.0.2.1", ""), (b" be it", ""), (b" : 00 11", ""), (b" .. 00 11", ""), (b"\v00 11", ""), (b"\r00 11", ""),
    (b" 0x00 11", ""), (b" 0x: 11", ""), (b"", ""), (b"\r", ""), (b"zz top", ""),
    (b"000010: 00 11\n000000: 22", "001122"), (b"00\n\n#\n11", "0011"), (b"000000: 41 42 43 : ABC DEF", "414243"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "data"), DATA)
def test_data(codec, lines, data):
    assert one(codec, lines).data == bytes.fromhex(data)


@pytest.mark.parametrize(
    ("line", "word"),
    [(b"00 11 zz", b"zz"), (b"00 1g 22", b"1g"), (b"000000: 00 0x11", b"0x11"), (b"00 11 and so on", b"and"), (b"5 G", b"G"),
     (b"000000: 00 _", b"_"), (b"Beware of the dog", b"Beware"), (b"00 fffZ99 : x", b"fffZ99"), (b"1g", b"1g"),
     (b"0x45", b"0x45"), (b"00 123g", b"123g"), (b"00 1g:22", b"1g"),
     (b"00 Hello, world", b"Hello")],
)  # fmt: skip
def test_bad_hex(codec, line, word):
    assert failure(codec, b"-- 1 --\n00\n" + line + b"\n==\n") == (BAD_HEX, 3, word)


@pytest.mark.parametrize(
    ("line", "word"),
    [(b"00 11: 22", b"11:"), (b"00 02:00", b"02:00"), (b"02:00:00:00:00:01", b"00:00:00:00:01"), (b"E..", b"E.."),
     (b"00,11", b"00,11"),
     (b"00 11.", b"11."), (b"00 1\xff", b"1\xff"), (b"00\0", b"00\0"), (b"00-11", b"00-11"), (b"0000:  4500 001c  E...", b"E..."),
     (b"17:30:40.995508 IP 192.0.2.1", b"30:40.995508"), (b"5: 4500|", b"4500|"), (b"00 11:\r", b"11:"), (b"ab#", b"ab#"),
     (b"00 1:g", b"1:g")],
)  # fmt: skip
def test_only_a_blank_stands_behind_a_byte(codec, line, word):
    assert failure(codec, b"-- 1 --\n00\n" + line + b"\n==\n") == (NO_BLANK, 3, word)


@pytest.mark.parametrize(
    ("line", "word"),
    [(b"FFF", b"FFF"), (b"12345", b"12345"), (b"00 123 00", b"123"), (b"000000: 4500 001", b"001"), (b"0: 123\r", b"123"),
     (b"4500 1" + b"0" * 100, b"1" + b"0" * 100), (b"000000000  11", b"000000000")],
)  # fmt: skip
def test_an_odd_number_of_hex_digits(codec, line, word):
    assert failure(codec, b"-- 1 --\n00\n" + line + b"\n==\n") == (ODD_HEX, 3, word)


@pytest.mark.parametrize(
    ("before", "line", "word"),
    [(b"", b"0000  02 00", b"0000"), (b"", b"00000000  02 00 |..|", b"00000000"), (b"", b"000000\t\t02", b"000000"),
     (b"", b"0000 \t0200 0000\r", b"0000"), (b"", b"0000  ", b"0000"), (b"", b"00000  11", b"00000"),
     (b"", b"0000000  zz", b"0000000"),
     (b"00 11", b"0002  22", b"0002"), (b"00" * 16, b"0010  22", b"0010"), (b"00 " * 16, b"00000010   22", b"00000010"),
     (b"000000: " + b"00 " * 171, b"00ab  1", b"00ab"), (b"0: " + b"00" * 43981, b"aBcD  1", b"aBcD"),
     (b"00\n# x\n01", b"0002  1", b"0002")],
)  # fmt: skip
def test_an_offset_without_its_colon(codec, before, line, word):
    error = (NO_COLON, 3 + before.count(b"\n"), word)
    assert failure(codec, b"-- 1 --\n" + before + b"\n" + line + b"\n==\n") == error
    canonical = b"000000: 00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00 : ........ ........\n"  # read by the fast path
    assert failure(codec, b"-- 1 --\n" + canonical + b"0010  22\n==\n") == (NO_COLON, 3, b"0010")


@pytest.mark.parametrize(
    "line",
    [b" 00 11", b"\t00 11", b"  0000  02 00", b" 000010: 00", b"\t0x0000:  4500 001c", b" 0X10:4500", b" \t ab\tcd",
     b" 4500 001c  E..", b" 0 1 zz",
     b" 5:11", b" 00 11\r", b" a bad"],
)  # fmt: skip
def test_an_indented_data_line(codec, line):
    word = line.strip(b" \t\r")
    assert failure(codec, b"-- 1 --\n00\n" + line + b"\n==\n") == (INDENTED, 3, word)
    assert failure(codec, b"-- 1 --\n00\n" + line + b"  \n00 zz\n==\n") == (INDENTED, 3, word)
    assert one(codec, b"#" + line).data == b""
    assert decode(codec, line + b"\n-- 1 --\n00\n==\n" + line).packets == [Packet(b"\0", 1)]  # outside of packets it is a comment


def test_carriage_returns_change_nothing(codec):
    text = b"LINKTYPE: 113\n-- 1 --\nTIME: .5\nSIZE: 3/4\nIP.TTL: 5\nNOTE: hi\n00: 01 02\n==\n#\n-- 2 --\nFF\n==\n"
    plain, dos = decode(codec, text), decode(codec, text.replace(b"\n", b"\r\n"))
    assert dos[:4] == plain[:4]
    assert dos.unplaced == plain.unplaced == 1
    assert plain.packets == [Packet(b"\1\2\0", 4, SECOND // 2, 113, b"NOTE: hi\n"), Packet(b"\xff", 1, NOW, 113)]


@pytest.mark.parametrize(
    "line", [b"DEAD.BEEF: 1 2  3", b"A.B: : x", b"_x.9: 1", b"IP.TTL: 256", b"ip.ttl:\t64 x", b"IP.TTL[0]: 1", b"IP.TTL:"]
)
@pytest.mark.parametrize("blanks", [b"", b" \t", b"\r", b" \r"])
def test_field_lines_that_say_nothing_are_reported(codec, line, blanks):
    text = b"-- 1 --\n00\n==\n-- 2 --\n00\nETHERNET.TYPE: 5\n" + line + blanks + b"\n01\n==\n"
    kind, at, word = decode(codec, text).error
    assert (kind, at, word.rstrip(b" \t\r")) == (BAD_FIELD, 7, line)
    assert [p.data for p in decode(codec, text).packets] == [b"\0"]
    assert failure(codec, text.replace(b"\n01\n", b"\n0z\n"))[:2] == (BAD_HEX, 8)  # the packet has to be complete


@pytest.mark.parametrize(
    "line",
    [b"IP.TTL = 64", b"IP TTL: 64", b"IP.: 64", b".TTL: 64", b"IP-X.TTL: 64", b"IP.TTL[x]: 1", b"IP.TTL[]: 1", b"x: IP.TTL: 1"],
)
def test_other_lines_are_comments(codec, line):
    result = decode(codec, b"-- 1 --\n" + line + b"\n==\n")
    assert (result.unplaced, result.error, result.packets) == (0, None, [Packet(b"", 0)])


def test_extension_lines_are_kept(codec):
    packet = one(
        codec, b"LOST: 5", b"IFACE: eth0", b"00", b"NOTE: two  words \r", b"WAY: in", b"NOTE:again", b"NOTES: no", b"note: no"
    )
    assert packet == Packet(b"\0", 1, notes=b"LOST: 5\nIFACE: eth0\nNOTE: two  words \nWAY: in\nNOTE:again\n")


def test_link_type_holds_until_the_next(codec):
    text = b"-- 1 --\n==\nLINKTYPE: 113 (Linux SLL)\n-- 2 --\n==\n-- 3 --\nLINKTYPE: 7\n==\n"
    text += b"LINKTYPE:0(x)\n-- 4 --\n==\nLINKTYPE: 0005\n"
    result = decode(codec, text)
    assert [p.linktype for p in result.packets] == [1, 113, 113, 0]
    assert result.linktype == 5
    assert [p.linktype for p in decode(codec, text, linktype=9).packets] == [9, 113, 113, 0]


@pytest.mark.parametrize(
    "word", [b"", b"x", b"-1", b"(1)", b"0x65", b"101x", b"1.5", b"101,", b"4294967296", b"99999999999999999999"]
)
def test_bad_link_type(codec, word):
    assert failure(codec, b"\n\nLINKTYPE: " + word + b"\n") == (BAD_LINKTYPE, 3, word)


@pytest.mark.parametrize(
    ("text", "error"),
    [(b"-- 1 --\n00\n-- 2 --\n00\n==\n", (NOT_ENDED, 3, 1)), (b"#\n-- 1 --\n--\n", (NOT_ENDED, 3, 2)),
     (b"-- 1 --\n00\n", (NO_END, 1, b"")), (b"#\n\n-- 1 --\n00", (NO_END, 3, b"")), (b"-- 1 --", (NO_END, 1, b"")),
     (b"-- 1 --\n00\n=", (NO_END, 1, b"")), (b"-- 1 --\nTIME: 1 date\nSIZE: 16/16\n", (NO_END, 1, b""))],
)  # fmt: skip
def test_packets_that_do_not_end(codec, text, error):
    assert failure(codec, text) == error


def test_an_open_packet_is_waited_for(codec):
    ready = b"#\n-- 1 --\n07\n==\n#\n"
    result = decode(codec, ready + b"-- 2 --\n08\n", final=False, line=50)
    assert (len(result.packets), result.error, result.line, result.consumed) == (1, None, 55, len(ready))


@pytest.mark.parametrize("bad", [b"00 zz\n==\n", b"TIME: x\n==\n", b"SIZE: x\n==\n", b"-- 3 --\n==\n", b""])
def test_packets_before_an_error_are_complete(codec, bad):
    good = b"-- 1 --\nNOTE: n\nIP.TTL: 1\n01\n==\n"
    result = decode(codec, good + b"-- 2 --\nIP.TTL: 2\nNOTE: m\n" + bad)
    assert result.error is not None
    assert (result.packets, result.unplaced) == ([Packet(b"\1", 1, notes=b"NOTE: n\n")], 1)


def test_the_last_line_needs_no_newline(codec):
    assert decode(codec, b"-- 1 --\n00\n==").packets == [Packet(b"\0", 1)]
    assert decode(codec, b"-- 1 --\n00\n==", final=False).packets == []


@pytest.mark.parametrize("width", [16, 1, 300_000])
def test_longest_packet(codec, width):
    rows = [b"AA " * min(width, MAX_FRAME - at) + b"\n" for at in range(0, MAX_FRAME, width)]
    text = b"-- 1 --\n" + b"".join(rows)
    assert decode(codec, text + b"==\n").packets == [Packet(b"\xaa" * MAX_FRAME, MAX_FRAME)]
    assert failure(codec, text + b"AA\n==\n") == (TOO_LONG, len(rows) + 2, b"")
    assert failure(codec, b"-- 1 --\nSIZE: 5/5\n" + b"".join(rows) + b"AA\n==\n") == (TOO_LONG, len(rows) + 3, b"")


@pytest.mark.parametrize(("size", "comment"), [(0, b""), (0, b"x\n"), (1504, b""), (1504, b"x\n")])
def test_a_call_gives_about_two_megabytes(codec, size, comment):
    rows = (b"000000: " + b"00 00 00 00  " * 4 + b": ........ ........\n").replace(b"  :", b" :") * (size // 16)
    packet = b"-- 1 --\nTIME: 1400167480.561500 x\nSIZE: %d/%d\n%s%s==\n" % (size, size, comment, rows)
    buffer = bytearray(packet * (9 * MAX_BATCH // 4 // max(size, ROW_BYTES)))
    at, count, calls = 0, 0, 0
    while at < len(buffer):
        at, data, rows, _, _, error, _ = codec.text_decode(buffer, at, len(buffer), True, 1, 0, 0)
        assert error is None
        assert len(data) < MAX_BATCH + MAX_FRAME
        assert len(rows) < MAX_BATCH + MAX_FRAME
        count, calls = count + len(rows) // ROW_BYTES, calls + 1
    assert count == len(buffer) // len(packet)
    assert calls > 1


# A stream with everything in it, in the layout of our writer and in others, with `\r\n`, fields and notes.
STREAM = b"""LINKTYPE: 113 (Linux SLL)
-- 1 --
TIME: 1400167480.561500 Thu May 15 15:24:40 2014
SIZE: 18/98
000000: 00 11 22 33  44 55 00 AA  BB CC DD EE  08 00 45 00 : .."3DU.. ......E.
000010: 00 54                                              : .T\x20\x20\x20\x20\x20\x20 \x20\x20\x20\x20\x20\x20\x20\x20
==
-- 2 --
TIME: 1400167480.561501 Thu May 15 15:24:40 2014
SIZE: 0/0
==
comment
-- 3 --\r
TIME: .5\r
0000: 0 1 FF 45 # x\r
NOTE: two words\r
IP.TTL:\t0x40\r
==\r
LINKTYPE: 1
-- 4 --
SIZE: 4/
IPV6.NEXT_HEADER[-1]: 6
==
"""


def feed(codec: ModuleType, pieces: list[bytes], error: tuple | None = None) -> tuple:
    """The stream in pieces, as a reader of a pipe feeds it, up to the error that is expected."""
    buffer, linktype, line = b"", 1, 0
    packets, unplaced = [], 0
    for i, piece in enumerate(pieces):
        buffer += piece
        result = decode(codec, buffer, final=i == len(pieces) - 1, linktype=linktype, line=line)
        unplaced += result.unplaced
        packets += result.packets
        if result.error:
            assert result.error == error
            return packets, unplaced
        buffer, linktype, line = buffer[result.consumed :], result.linktype, result.line
    assert error is None
    return packets, unplaced, linktype, line, buffer


def test_every_split(codec):
    whole = feed(codec, [STREAM])
    assert len(whole[0]) == 4
    assert whole[1] == 2
    assert whole[3:] == (23, b"")
    for at in range(len(STREAM) + 1):
        assert feed(codec, [STREAM[:at], STREAM[at:]]) == whole, at
    assert feed(codec, [STREAM[i : i + 1] for i in range(len(STREAM))]) == whole


BAD = {
    BAD_HEX: b"0x45 00", NO_BLANK: b"02 00:02", ODD_HEX: b"00 123", NO_COLON: b"0004  22", INDENTED: b"  000004: 22",
    BAD_TIME: b"TIME: x", BAD_SIZE: b"SIZE: x",
    NOT_ENDED: b"-- 3 --",
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_every_split_of_a_stream_with_an_error(codec, kind):
    text = STREAM + b"-- 5 --\n0000: 00 11 2 3 : 0x\n" + BAD[kind] + b"\n00\n==\n-- 6 --\n00\n==\n"
    whole = decode(codec, text)
    assert whole.error is not None
    assert whole.error[:2] == (kind, STREAM.count(b"\n") + 3)
    for pieces in ([text[:at], text[at:]] for at in range(len(STREAM), len(text))):
        assert feed(codec, pieces, whole.error) == feed(codec, [text], whole.error)
    assert feed(codec, [text[i : i + 1] for i in range(len(text))], whole.error) == feed(codec, [text], whole.error)


# ---- writing ----


def encode(codec: ModuleType, packets: list[Packet], *, number: int = 1, width: int = 16, data_only: bool = False,
           fields: int = 0) -> bytes:  # fmt: skip
    """All packets, with a LINKTYPE line before each change, as TextSink does it."""
    data, rows = bytearray(), bytearray()
    for p in packets:
        rows += struct.pack("=7q", len(data), len(p.data), p.original, p.time, p.linktype, len(data) + len(p.data), len(p.notes))
        data += p.data + p.notes
    out, first = b"", 0
    while first < len(packets):
        if not data_only:
            out += b"LINKTYPE: %d\n" % packets[first].linktype
        text, stop = codec.text_encode(data, bytes(rows), first, number + first, width, data_only, fields)
        assert first < stop <= len(packets)
        assert len({p.linktype for p in packets[first:stop]}) == 1
        out, first = out + bytes(text), stop
    return out


@pytest.fixture
def utc(codec, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    forget_dates(codec)
    yield
    monkeypatch.undo()
    time.tzset()
    forget_dates(codec)


def forget_dates(codec: ModuleType) -> None:
    """Writes some far apart times: codecs remember the last dates, for a process does not move to another zone."""
    encode(codec, [Packet(b"", 0, year * 31_000_000 * SECOND) for year in range(1, 20)])


HEAD = b"LINKTYPE: 1\n-- 1 --\nTIME: 1400167480.561500 Thu May 15 15:24:40 2014\nSIZE: %d/%d\n"
EIGHTEEN = bytes(range(0x1E, 0x30))

ROWS = [
    (16, EIGHTEEN[:0], b""),
    (16, EIGHTEEN[:1], b"000000: 1E" + b" " * 49 + b": .       " + b" " * 9 + b"\n"),
    (16, EIGHTEEN, b"000000: 1E 1F 20 21  22 23 24 25  26 27 28 29  2A 2B 2C 2D : .. !\"#$% &'()*+,-\n"
                   b"000010: 2E 2F                                              : ./      " + b" " * 9 + b"\n"),
    (10, EIGHTEEN, b"000000: 1E 1F 20 21  22 23 24 25  26 27 : .. !\"#$% &'\n"
                   b"00000A: 28 29 2A 2B  2C 2D 2E 2F        : ()*+,-./   \n"),
    (1, EIGHTEEN[:2], b"000000: 1E : .\n000001: 1F : .\n"),
    (3, EIGHTEEN[:4], b"000000: 1E 1F 20 : .. \n000003: 21       : !  \n"),
    (4, bytes([0x7E, 0x7F, 0x80, 0xFF]), b"000000: 7E 7F 80 FF : ~...\n"),
    (20, b"A" * 20, b"000000: 41 41 41 41  41 41 41 41  41 41 41 41  41 41 41 41  41 41 41 41 : AAAAAAAA AAAAAAAA AAAA\n"),
]  # fmt: skip


@pytest.mark.parametrize(("width", "data", "rows"), ROWS)
def test_rows(codec, utc, width, data, rows):
    packet = Packet(data, len(data) + 80, 1400167480_561500000)
    head = HEAD % (len(data), len(data) + 80)
    assert encode(codec, [packet], width=width) == head + rows + b"==\n"


@pytest.mark.parametrize(
    ("width", "rows"),
    [(16, b"1E 1F 20 21 22 23 24 25 26 27 28 29 2A 2B 2C 2D \n2E 2F " + b" " * 42 + b"\n"),
     (10, b"1E 1F 20 21 22 23 24 25 26 27 \n28 29 2A 2B 2C 2D 2E 2F       \n")],
)  # fmt: skip
def test_data_only(codec, width, rows):
    packets = [Packet(EIGHTEEN, 18, 5, 1), Packet(EIGHTEEN, 18, 5, 113, b"NOTE: n\n"), Packet(b"", 0)]
    text = b"-- 1 --\n" + rows + b"==\n-- 2 --\n" + rows + b"==\n-- 3 --\n==\n"
    assert encode(codec, packets, width=width, data_only=True) == text


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [(0, b"0.000000 Thu Jan  1 00:00:00 1970"), (1, b"0.000000001 Thu Jan  1 00:00:00 1970"),
     (1000, b"0.000001 Thu Jan  1 00:00:00 1970"),
     (999, b"0.000000999 Thu Jan  1 00:00:00 1970"), (2**31 * SECOND, b"2147483648.000000 Tue Jan 19 03:14:08 2038"),
     (2**32 * SECOND + 999_999_000, b"4294967296.999999 Sun Feb  7 06:28:16 2106"),
     (9_223_372_035_999_999_999, b"9223372035.999999999 Fri Apr 11 23:47:15 2262")],
)  # fmt: skip
def test_time_is_written(codec, utc, nanoseconds, shown):
    assert encode(codec, [Packet(b"", 0, nanoseconds)]) == b"LINKTYPE: 1\n-- 1 --\nTIME: %s\nSIZE: 0/0\n==\n" % shown


def test_every_day_of_a_year(codec, utc):
    """As ctime(3) has them: the day of the month takes two places."""
    times = [1_704_067_200 + day * 86_400 + day for day in range(366)]  # 2024, from its first second on
    written = encode(codec, [Packet(b"", 0, at * SECOND) for at in times])
    assert re.findall(rb"TIME: \S+ (.*)", written) == [time.ctime(at).encode() for at in times]


@pytest.mark.parametrize(("zone", "hour"), [("UTC", b"15:24:40"), ("EST5", b"10:24:40"), ("XXX-5:30", b"20:54:40")])
def test_the_date_is_local_time(codec, monkeypatch, zone, hour):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        forget_dates(codec)
        text = encode(codec, [Packet(b"", 0, 1400167480 * SECOND)])
    time.tzset()
    forget_dates(codec)
    assert b"TIME: 1400167480.000000 Thu May 15 " + hour + b" 2014\n" in text


def test_notes_and_fields_have_their_place(codec, utc):
    packets = [Packet(b"A", 1, 0, 147, b"IFACE: eth0\nWAY: in\n"), Packet(b"", 0, 0, 147), Packet(b"\0\2", 2, 0, 147)]
    head = b"-- %d --\nTIME: 0.000000 Thu Jan  1 00:00:00 1970\nSIZE: %d/%d\n"
    text = b"LINKTYPE: 147\n" + head % (7, 1, 1) + b"IFACE: eth0\nWAY: in\n000000: 41 : A\nUNKNOWN.DATA:\t\t41\n==\n"
    text += head % (8, 0, 0) + b"==\n" + head % (9, 2, 2) + b"000000: 00 : .\n000001: 02 : .\nUNKNOWN.DATA:\t\t00 02\n==\n"
    assert encode(codec, packets, number=7, width=1, fields=1) == text


def test_a_call_writes_one_link_type_and_about_a_megabyte_of_packets(codec):
    rows = b"".join(struct.pack("=7q", 0, 1500, 1500, 0, 1 + i // 1500, 0, 0) for i in range(1600))
    text, stop = codec.text_encode(bytearray(1500), rows, 0, 1, 16, False, 0)
    assert text.count(b"==\n") == stop < 1500
    text, stop = codec.text_encode(bytearray(1500), rows, 1499, 1, 16, False, 0)
    assert (text.count(b"==\n"), stop) == (1, 1500)
    assert codec.text_encode(bytearray(1500), rows, 1600, 1, 16, False, 0) == (b"", 1600)


PACKETS = st.lists(
    st.builds(
        Packet,
        st.binary(max_size=70) | st.binary(max_size=3).map(lambda data: data * 40),
        st.integers(0, 2**32 - 1),
        st.integers(0, 9_223_372_035) .map(lambda s: s * SECOND) | st.integers(0, 9_223_372_035_999_999_999),
        st.sampled_from([1, 1, 1, 0, 113, 2**26 - 1]),
        st.sampled_from([b"", b"", b"NOTE: a comment: \xff\x01 \nLOST: 3\n", b"WAY: out\n"]),
    ),
    max_size=6,
)  # fmt: skip


# The fixture gives a module, the same for all examples: nothing of it has to be set up again.
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=PACKETS, width=st.sampled_from([16, 16, 16, 1, 2, 7, 8, 15, 17, 100]))
def test_what_is_written_is_read_back(codec, packets, width):
    result = decode(codec, encode(codec, packets, width=width))
    assert (result.packets, result.error) == (packets, None)
    bare = decode(codec, encode(codec, packets, width=width, data_only=True))
    assert (bare.packets, bare.error) == ([Packet(p.data, len(p.data)) for p in packets], None)


@pytest.mark.parametrize(("width", "data_only"), [(262_144, False), (262_144, True), (10_000, False), (1, False), (16, False)])
def test_a_call_writes_some_megabytes_whatever_the_width(codec, width, data_only):
    packets = [Packet(bytes(60), 60)] * 300
    data, rows = bytearray(bytes(60)), b""
    for _ in packets:
        rows += struct.pack("=7q", 0, 60, 60, 0, 1, 60, 0)
    first, calls, sizes = 0, 0, []
    while first < len(packets):
        text, first = codec.text_encode(data, rows, first, 1, width, data_only, 0)
        sizes.append(len(text))
        calls += 1
    assert max(sizes) < (8 << 20) + 2 * 1_200_000
    assert calls == {262_144: 38, 10_000: 2, 1: 1, 16: 1}[width]
