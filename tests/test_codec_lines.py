"""Fields of packets as lines: their order, and how values are written."""

from __future__ import annotations

import random
import struct
from ipaddress import IPv6Address
from itertools import groupby
from types import ModuleType

import pytest
from samples import batch, ethernet, frames, ipv4, ipv6, over_udp, pktap, tcp, udp

from pkttools.batch import Batch
from pkttools.codec import DECIMAL
from pkttools.language.assigning import assignments
from pkttools.protocols.fields import FIELDS
from pkttools.protocols.values import parse_value, rows_of

OF_1_16, ALL = 1, 2


def lines(codec: ModuleType, linktype: int, frame: bytes, fields: int = ALL) -> list[str]:
    """The lines of the fields of a packet."""
    b = batch([(linktype, frame)])
    text, _ = codec.text_encode(b.data, bytes(b.rows), 0, 1, 262144, True, fields)
    found = bytes(text).decode("ascii").splitlines()
    return found[2 if frame else 1 : -1]


def test_the_order_is_that_of_1_16(codec: ModuleType) -> None:
    """In wire order, but the next header behind the addresses; then the data, the innermost first."""
    frame = (
        bytes.fromhex("60000000 000a 3c 40") + bytes(15) + b"\1" + bytes(15) + b"\2" + bytes.fromhex("3b 00 0104 00000000") + b"AB"
    )
    assert lines(codec, 229, frame + b"pad", OF_1_16) == [
        "IPV6.VERSION:\t\t0x6", "IPV6.FLOWID:\t\t0x0", "IPV6.PAYLOAD_SIZE:\t0xa", "IPV6.HOP_LIMIT:\t\t0x40",
        "IPV6.SRC_ADDR:\t\t::1", "IPV6.DST_ADDR:\t\t::2", "IPV6.NEXT_HEADER:\t0x3c", "IPV6.EXT_SIZE:\t\t0x8",
        "IPV6.EXT_DATA:\t\t01 04 00 00  00 00", "IPV6.NEXT_HEADER:\t0x3b", "IPV6.DATA:\t\t41 42",
    ]  # fmt: skip
    assert "IPV6.TRAFFIC_CLASS:\t0x0" in lines(codec, 229, frame)


def test_what_a_tunnel_carries_is_data_for_1_16(codec: ModuleType) -> None:
    inner = ethernet(0x0800, ipv4(17, udp(b"in")))
    frame = ethernet(0x0800, ipv4(17, over_udp(4789, bytes.fromhex("0800000000002a00") + inner)))
    found = lines(codec, 1, frame, OF_1_16)
    assert [line for line in found if line.startswith("ETHERNET.TYPE")] == ["ETHERNET.TYPE:\t\t0x800"]
    assert found[-1].startswith("UDP.DATA:\t\t")
    every = lines(codec, 1, frame)
    assert [line for line in every if line.startswith("ETHERNET.TYPE")] == ["ETHERNET.TYPE:\t\t0x800"] * 2
    assert "UDP.DATA[2]:\t\t69 6E" in every


def test_data_of_the_same_name_are_numbered(codec: ModuleType) -> None:
    frame = ethernet(0x0800, ipv4(4, ipv4(253, b"in")) + b"behind")
    assert [line for line in lines(codec, 1, frame) if "DATA" in line] == [
        "IP.DATA[2]:\t\t69 6E",
        "ETHERNET.DATA:\t\t62 65 68 69  6E 64",
    ]
    options = b"\xfd\x05\x01\x02\x03\xfd\x05\x09\x09\x0a\x01\x01"
    found = lines(codec, 1, ethernet(0x0800, ipv4(6, tcp(b"", options))))
    assert [line.partition("\t")[0] for line in found if "EXP_VALUE" in line] == ["TCP.OPT_EXP_VALUE[1]:", "TCP.OPT_EXP_VALUE[2]:"]


@pytest.mark.parametrize("digits", range(1, 9))
def test_numbers_have_as_many_digits_as_they_need(codec: ModuleType, digits: int) -> None:
    """The first and the last number of so many digits, and one with all kinds of them."""
    for number in (16 ** (digits - 1), 16**digits - 1, 0x9A8BF0C7 >> 32 - 4 * digits):
        segment = bytearray(tcp(b""))
        segment[4:8] = number.to_bytes(4, "big")
        assert f"TCP.SEQ_NUMBER:\t\t{number:#x}" in lines(codec, 1, ethernet(0x0800, ipv4(6, bytes(segment))))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 15, 16, 17, 31, 33, 511, 512, 513, 1500])
def test_data_are_sixteen_bytes_a_line(codec: ModuleType, size: int) -> None:
    data = bytes(i * 7 & 255 for i in range(size))
    cut = [data[at : at + 16] for at in range(0, size, 16)]
    wanted = ["  ".join(part[i : i + 4].hex(" ").upper() for i in range(0, len(part), 4)) for part in cut]
    assert lines(codec, 147, data) == [f"UNKNOWN.DATA:\t\t{text}" for text in wanted]


def source_line(codec: ModuleType, source: bytes) -> str:
    """What is written of a source address."""
    found = lines(codec, 229, bytes.fromhex("60000000 0000 3b 40") + source + bytes(16))
    return next(line for line in found if line.startswith("IPV6.SRC_ADDR:")).split("\t")[-1]


@pytest.mark.parametrize("seed", range(2))
def test_addresses_are_written_as_the_library_does(codec: ModuleType, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(60):
        words = [dice.choice((0, 0, 0, 1, 0xF0, 0xABC, 0xFFFF, dice.randrange(65536))) for _ in range(8)]
        words[5] = 7 if words[:6] == [0, 0, 0, 0, 0, 0xFFFF] else words[5]  # these are written in another way
        source = struct.pack("!8H", *words)
        assert source_line(codec, source) == str(IPv6Address(source))
        found = lines(codec, 1, ethernet(0x0800, ipv4(253, b"")[:12] + source[:8]))
        assert f"IP.SRC_ADDR:\t\t{'.'.join(map(str, source[:4]))}" in found


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("0 0 0 0 0 0 1 2", "::1:2"),  # inet_ntop, tcpdump, tshark: ::0.1.0.2
        ("0 0 0 0 0 0 c000 201", "::c000:201"),
        ("0 0 0 0 0 ffff c000 201", "::ffff:192.0.2.1"),  # Python up to 3.12: ::ffff:c000:201
        ("0 0 0 0 0 ffff 0 0", "::ffff:0.0.0.0"),
        ("0 0 0 0 ffff 0 c000 201", "::ffff:0:c000:201"),
        ("64 ff9b 0 0 0 0 c000 201", "64:ff9b::192.0.2.1"),
        ("64 ff9b 0 0 0 0 0 0", "64:ff9b::0.0.0.0"),
        ("64 ff9b 1 0 0 0 c000 201", "64:ff9b:1::c000:201"),
        ("0 0 0 0 0 0 0 0", "::"),
        ("0 0 0 0 0 0 1 0", "::1:0"),
        ("1 0 0 2 0 0 3 4", "1::2:0:0:3:4"),  # the first of equals
        ("1 0 0 2 0 0 0 4", "1:0:0:2::4"),  # the longest
        ("1 0 2 3 4 5 6 7", "1:0:2:3:4:5:6:7"),  # not a single one
        ("2001 db8 0 1 0 0 0 AB", "2001:db8:0:1::ab"),
    ],
)
def test_addresses_as_rfc_5952_has_them(codec: ModuleType, words: str, written: str) -> None:
    """Sections 4 and 5: mixed notation where a prefix says that there is an IPv4 address. What is written is read again."""
    source = struct.pack("!8H", *(int(word, 16) for word in words.split()))
    assert source_line(codec, source) == written
    field = "IPV6.SRC_ADDR"
    assert parse_value(field, rows_of(FIELDS[field]), written) == int.from_bytes(source, "big")


@pytest.mark.parametrize("version", [4, 6])
def test_the_surplus_of_udp_is_not_its_data(codec: ModuleType, version: int) -> None:
    """RFC 768, RFC 9868: data end at UDP's own length, and the rest belongs to IP; padding of the frame to neither."""
    message = udp(b"hello", 8 + 5) + b"more"
    frame = ethernet(0x0800, ipv4(17, message)) if version == 4 else ethernet(0x86DD, ipv6(17, message))
    name = "IP" if version == 4 else "IPV6"
    found = [line.split("\t") for line in lines(codec, 1, frame + bytes(6)) if ".DATA:" in line]
    assert [(line[0], line[-1].replace(" ", "")) for line in found if line[0] != "ETHERNET.DATA:"] == [
        ("UDP.DATA:", "68656C6C6F"),
        (f"{name}.DATA:", "6D6F7265"),
    ]


def test_fragments_behind_extension_headers(codec: ModuleType) -> None:
    """RFC 8200 section 4.5: a later fragment begins with no header, whatever stands in front of its own; none is shown of it."""
    options = bytes([60, 0, 1, 4, 0, 0, 0, 0]), bytes([44, 0, 1, 4, 0, 0, 0, 0])
    for kind in (6, 17, 60, 135, 139, 140):  # TCP, UDP, options, Mobility, HIP, Shim6
        fragment = struct.pack("!BBHI", kind, 0, 1 << 3, 7) + tcp()
        found = lines(codec, 1, ethernet(0x86DD, ipv6(0, b"".join(options) + fragment)))
        assert [line for line in found if line.startswith(("TCP.", "UDP.", "HIP."))] == []
        assert sum(line.startswith("IPV6.NEXT_HEADER:") for line in found) == 4
    for kind in (135, 139, 140):  # and where they are whole, they are followed
        found = lines(codec, 1, ethernet(0x86DD, ipv6(kind, bytes([17, 0, 0, 0, 0, 0, 0, 0]) + udp())))
        assert "UDP.DST_PORT:\t\t0x35" in found


def test_text_is_written_as_filters_take_it(codec: ModuleType) -> None:
    for name, shown in (
        (b"ssh", "ssh"),
        (b"Google Chrome", '"Google Chrome"'),
        (b'a"\\\x01\xff', r"a\x22\x5c\x01\xff"),
        (b"", '""'),
    ):
        frame = bytearray(pktap(1, ethernet(0x0800, ipv4(17, udp()))))
        frame[56:76] = name.ljust(20, b"\0")
        assert f"PKTAP.COMM:\t\t{shown}" in lines(codec, 149, bytes(frame))


def test_the_frame_check_sequence_is_in_no_field(codec: ModuleType) -> None:
    b = batch([(147 | 5 << 32, b"datafour")])
    text, _ = codec.text_encode(b.data, bytes(b.rows), 0, 1, 16, True, ALL)
    assert b"\nUNKNOWN.DATA:\t\t64 61 74 61\n==" in bytes(text)


def test_what_is_left_of_a_header_is_what_was_captured(codec: ModuleType) -> None:
    frame = ethernet(0x0800, ipv4(17, udp()))
    every = lines(codec, 1, frame, OF_1_16)
    for size in range(len(frame)):
        found = lines(codec, 1, frame[:size], OF_1_16)
        assert len(found) <= len(every) and all(line in every for line in found if "DATA" not in line)


def test_every_kind_has_lines(codec: ModuleType) -> None:
    for linktype, frame in frames():
        for line in lines(codec, linktype, frame):
            name, _, value = line.partition(":")
            assert "." in name and value.startswith("\t") and value.strip(), line


def test_a_call_stops_after_a_megabyte_of_lines(codec: ModuleType) -> None:
    frame = ipv6(59, bytes(1000))
    b = batch([(229, frame)] * 600)
    text, stop = codec.text_encode(b.data, bytes(b.rows), 0, 1, 16, True, ALL)
    assert 100 < stop < 300 and text.count(b"==\n") == stop


def test_decimal_numbers(codec: ModuleType) -> None:
    """Only numbers are others: of each kind, as far as 128 bits go, and each is that of the hexadecimal line."""
    for linktype, frame in frames():
        for fields in (OF_1_16, ALL):
            plain, decimal = lines(codec, linktype, frame, fields), lines(codec, linktype, frame, fields | DECIMAL)
            for one, other in zip(plain, decimal, strict=True):
                label, value = one.rsplit("\t", 1)
                assert other == (f"{label}\t{int(value, 16)}" if value.startswith("0x") else one)
    frame = ethernet(0x0800, ipv4(17, udp()))
    assert {"IP.SRC_ADDR:\t\t192.0.2.1", "UDP.DST_PORT:\t\t53", "ETHERNET.TYPE:\t\t2048"} <= {
        *lines(codec, 1, frame, ALL | DECIMAL)
    }


@pytest.mark.parametrize("fields", [OF_1_16, ALL])
def test_decimal_numbers_are_read_back(codec: ModuleType, fields: int) -> None:
    packets = [(linktype, frame) for linktype, frame in frames() if frame]
    assert read(codec, with_lines(codec, packets, fields | DECIMAL)) == ([frame for _, frame in packets], 0, None)


# ---- lines that are read again ----


def with_lines(codec: ModuleType, packets: list[tuple[int, bytes]], fields: int) -> bytes:
    b = batch(packets)
    out, first = b"", 0
    while first < len(packets):
        out += b"LINKTYPE: %d\n" % b.columns()[7 * first + 4]
        text, first = codec.text_encode(b.data, bytes(b.rows), first, first + 1, 16, False, fields)
        out += bytes(text)
    return out


def read(codec: ModuleType, text: bytes) -> tuple[list[bytes], int, object]:
    """The frames of a text, how many field lines have no place, and the error."""
    buffer = bytearray(text)
    _, data, rows, _, _, error, passed_over = codec.text_decode(buffer, 0, len(buffer), True, 1, 0, 7)
    b = Batch(data, rows)
    return [bytes(b.frame(i)) for i in range(len(b))], passed_over[3], error


@pytest.mark.parametrize("fields", [OF_1_16, ALL])
def test_lines_that_say_what_is_there_need_not_be_looked_at(codec: ModuleType, fields: int) -> None:
    packets = [(linktype, frame) for linktype, frame in frames() if frame]
    assert read(codec, with_lines(codec, packets, fields)) == ([frame for _, frame in packets], 0, None)


@pytest.mark.parametrize("fields", [OF_1_16, ALL])
@pytest.mark.parametrize("number", range(len(frames())))
def test_lines_that_say_what_is_there_would_change_nothing(codec: ModuleType, number: int, fields: int) -> None:
    linktype, frame = frames()[number]
    text = with_lines(codec, [(linktype, frame)], fields)
    assert read(codec, text.replace(b":\t", b": ")) == ([frame], 0, None)  # not as we write them: they are set
    said = [tuple(line.split(":", 1)) for line in lines(codec, linktype, frame, fields)]
    b = batch([(linktype, frame)])
    for name, run in groupby(said, key=lambda line: line[0]):  # nor does any of them
        values = [value for _, value in run]
        items = [(name, "=", " ".join(values))] if "DATA" in name or "VALUE" in name else [(name, "=", value) for value in values]
        if sum(other == name for other, _ in said) == len(items) == 1:
            codec.assign(b.data, bytes(b.rows), assignments(items), None, False)
            assert bytes(b.frame(0)) == frame


CHANGED = {
    "a value": (b"IP.TTL:\t\t\t0x40", b"IP.TTL: 64"), "a line less": (b"IP.TTL:\t\t\t0x40\n", b""),
    "a line more": (b"==\n", b"IP.TTL: 64\n==\n"), "a comment": (b"==\n", b"# so\n==\n"), "a line end": (b"0x40\n", b"0x40\r\n"),
    "data behind": (b"==\n", b"00\n==\n"), "time behind": (b"==\n", b"TIME: 5.0\n==\n"),
    "other data": (b"00 40 11", b"00 41 11"), "no end": (b"==\n", b""),
    "one byte less in SIZE": (b"SIZE: 47/47", b"SIZE: 46/46"), "one more": (b"SIZE: 47/47", b"SIZE: 48/48"),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGED)
def test_other_lines_are_looked_at(codec: ModuleType, what: str) -> None:
    frame = ethernet(0x0800, ipv4(17, udp()))
    before, after = CHANGED[what]
    text = with_lines(codec, [(1, frame)], ALL)
    changed = text.replace(before, after)
    assert changed != text
    wanted = {"one byte less in SIZE": [frame[:-1]], "one more": [frame + b"\0"], "no end": []}.get(what, [frame])
    found, unplaced, error = read(codec, changed)
    assert (found, unplaced, error is not None) == (wanted, 0, what == "no end")


def test_the_size_on_the_wire_and_lines_are_counted(codec: ModuleType) -> None:
    frame = ethernet(0x0800, ipv4(17, udp()))
    text = with_lines(codec, [(1, frame)], ALL).replace(b"SIZE: 47/47", b"SIZE: 47/1500")
    assert read(codec, text) == ([frame], 0, None)
    assert read(codec, text.replace(b"SIZE: 47/1500\n", b"")) == ([frame], 0, None)
    _, _, error = read(codec, text + b"-- 2 --\nTIME: x\n==\n")
    assert error[1] == text.count(b"\n") + 2  # type: ignore[index]  # it is there


def test_the_frame_check_sequence_is_not_compared(codec: ModuleType) -> None:
    b = batch([(1 | 5 << 32, ethernet(0x0800, ipv4(17, udp())) + b"four")])
    text, _ = codec.text_encode(b.data, bytes(b.rows), 0, 1, 16, False, ALL)
    frames_of, unplaced, error = read(codec, b"LINKTYPE: 1\nTRAILER: 4 (FCS)\n" + bytes(text))
    assert (frames_of, unplaced, error) == ([bytes(b.frame(0))], 0, None)
