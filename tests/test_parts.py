"""The parts of packets that views show: each captured bit belongs to one part, on both codecs."""

from __future__ import annotations

import re
from zlib import crc32

import pytest
from backends import on_both
from captured import captured
from messages import SAMPLES
from samples import batch, ethernet, extension, frames, ipv4, ipv6, over_udp, tcp, udp, vxlan

from pkttools import codec
from pkttools.batch import link_of
from pkttools.codec.python.checksum import internet
from pkttools.protocols.model import READERS
from pkttools.views.parts import Header, Packet, items_of
from pkttools.views.problems import examined

pytest_generate_tests, chosen = on_both("walk", "items", "verify", "correct", "check", "tell")


def parts_of(frame: bytes, linktype: int = 1, original: int | None = None) -> Packet:
    return examined(batch([(linktype, frame)], original), 0)


def need_all_bits(packet: Packet) -> None:
    """Spans follow each other, without a gap, from the first bit to the last."""
    at = 0
    for _, _, (first, last) in packet.leaves():
        assert first == at < last
        at = last
    assert at == len(packet.frame) * 8


def fields(header: Header) -> dict[str, str]:
    return {field.name or f"- {field.bit - header.start * 8}": field.shown for field in header}


@pytest.mark.parametrize(("linktype", "frame"), frames(), ids=lambda one: one if isinstance(one, int) else None)
def test_every_bit_is_of_one_part(linktype: int, frame: bytes) -> None:
    """Of each kind of header, and however it is cut."""
    for size in sorted({*range(0, len(frame), 7), len(frame)}):
        need_all_bits(parts_of(frame[:size], linktype, len(frame)))


def test_captures() -> None:
    """All bits, and no text that is not to be printed."""
    for _, b in captured(5):
        for i in range(min(2, len(b))):
            packet = examined(b, i)
            need_all_bits(packet)
            for header in packet.everything():
                said = [header.title, header.source, *(field.shown + field.meaning + field.word for field in header)]
                assert all(text.isprintable() for text in (*said, *map(str, header.problems)))


def test_fields_have_parts() -> None:
    ip = parts_of(ethernet(0x0800, ipv4(17, udp(), fragment=0x4000))).headers[1]
    assert (ip.title, ip.name, ip.source.startswith("RFC 791"), ip.layer, ip.depth) == ("IP", "IP", True, 3, 0)
    fragment = ip.field("FRAGMENT")
    assert fragment is not None
    assert [(part.short, part.value, part.width) for part in fragment.parts] == [
        ("", 0, 1),
        ("DF", 1, 1),
        ("MF", 0, 1),
        ("OFFSET", 0, 13),
    ]
    assert fragment.spans == []
    assert (fragment.text, fragment.meaning) == ("0x4000", "flags and offset of a fragment")
    protocol = ip.field("PROTOCOL")
    assert protocol is not None
    assert (protocol.text, protocol.shown, protocol.word, protocol.bit) == ("0x11", "17", "udp", 14 * 8 + 72)


def test_options_are_items_and_no_data() -> None:
    """What an item says is none of TCP.DATA, where 1.16 has it."""
    options = bytes.fromhex("02 04 05b4 01 03 03 07 05 0a 00000001 00000002 00 00")
    header = parts_of(ethernet(0x0800, ipv4(6, tcp(b"bytes", options)))).headers[2]
    assert [(item.title, item.start - header.start) for item in header.items] == [
        ("mss", 20), ("nop", 24), ("wscale", 25), ("sack", 28), ("end", 38)
    ]  # fmt: skip
    sack = header.items[3]
    assert [(inner.title, *fields(inner).items()) for inner in sack.items] == [
        ("", ("TCP.OPT_SACK_LEFT", "1"), ("TCP.OPT_SACK_RIGHT", "2"))
    ]  # fmt: skip
    assert list(fields(sack)) == ["TCP.OPT_KIND", "TCP.OPT_SIZE"]  # the blocks are those of the piece
    assert sack.source == "RFC 2018 section 3"
    data = header.field("DATA")
    assert data is not None
    assert data.value == b"\0bytes"  # the zero that fills the options up, of which nobody says what it is


def test_a_header_inside_reads_what_its_own_fields_mean() -> None:
    """ICMP has ID and SEQ, of an echo; in an error message something else stands there."""
    quoted = ipv4(17, over_udp(9999, b"hello"))
    packet = parts_of(ethernet(0x0800, ipv4(1, bytes.fromhex("0304 0000 0000 05dc") + quoted)))
    names = [(header.name, header.quoted, header.depth) for header in packet.headers]
    assert names == [("ETHERNET", False, 0), ("IP", False, 0), ("ICMP", False, 0), ("ICMP_UNREACHABLE", False, 0),
                     ("IP", True, 1), ("UDP", True, 1)]  # fmt: skip
    overlaid = [field.name for field in packet.headers[2] if field.overlaid]
    assert overlaid == ["ICMP.ID", "ICMP.SEQ"]
    assert not any(header.problems for header in packet.headers if header.quoted)


def test_packets_in_packets() -> None:
    inner = ethernet(0x0800, ipv4(4, ipv4(17, over_udp(9999, b"hello"))))
    packet = parts_of(ethernet(0x0800, ipv4(17, vxlan(inner))))
    assert [(header.name, header.depth) for header in packet.headers] == [
        ("ETHERNET", 0), ("IP", 0), ("UDP", 0), ("VXLAN", 0), ("ETHERNET", 1), ("IP", 1), ("IP", 2), ("UDP", 2)
    ]  # fmt: skip
    packet = parts_of(ethernet(0x86DD, ipv6(0, extension(6, b"\1\4\0\0\0\0") + tcp())))
    assert [(header.name, header.depth) for header in packet.headers][2:] == [("IPV6_OPTIONS", 0), ("TCP", 0)]


def texts(packet: Packet) -> list[tuple[str, bool]]:
    problems = [problem for header in packet.headers for problem in header.problems] + packet.problems
    return [(problem.text, problem.wrong) for problem in problems]


def right(protocol: int, payload: bytes, size: int = 0, fragment: int = 0) -> bytes:
    """A frame of IPv4 whose own checksum is right."""
    header = bytearray(ipv4(protocol, payload, fragment=fragment)[:20])
    header[2:4] = (size or 20 + len(payload)).to_bytes(2, "big")
    header[10:12] = internet(bytes(header)).to_bytes(2, "big")
    return ethernet(0x0800, bytes(header) + payload)


WRONG = "CHECKSUM is wrong: 0x0102, and should be 0x4d7b"
UNFINISHED = "CHECKSUM is unfinished: 0x8423 is the sum of the pseudo-header; the network card would make 0x4d7b of it"


@pytest.mark.parametrize(
    ("frame", "missing", "said"),
    [
        (right(17, over_udp(9999, b"hello!")), 0, []),
        (right(17, over_udp(9999, b"hello!", checksum=0x4D7B)), 0, []),
        (right(17, over_udp(9999, b"hello!", checksum=0x0102)), 0, [(WRONG, True)]),
        (right(17, over_udp(9999, b"hello!", checksum=0x8423)), 0, [(UNFINISHED, False)]),
        (right(17, over_udp(9999, b"hello!", checksum=0x0102), fragment=0x2000), 0, []),
        (right(17, over_udp(9999, b"hello!", checksum=0x4D7B))[:-2], 2,
         [("TOTAL_SIZE says 34 bytes, of which 32 were captured", False), ("CHECKSUM cannot be checked: 12 of 14 bytes that it "
          "covers were captured", False), ("SIZE says 14 bytes, of which 12 were captured", False),
          ("46 of 48 bytes were captured", False)]),
        (right(17, over_udp(9999, b"hello!"), 40), 0, [("TOTAL_SIZE is wrong: it says 40 bytes, and there are 34", True)]),
        (right(17, over_udp(9999, b"hello!", checksum=0x4D7B), 40), 0,
         [("TOTAL_SIZE is wrong: it says 40 bytes, and there are 34", True), ("CHECKSUM cannot be checked: the sizes of the packet "
          "contradict each other", False)]),
        (right(17, over_udp(9999, b"hello!"), 19), 0,
         [("TOTAL_SIZE is wrong: it says 19 bytes, and the header alone has 20", True)]),
        (right(17, over_udp(9999, b"hello!") + b"abc"), 0, [("SIZE says 14 bytes, and 3 more stand behind them", False)]),
        (right(17, over_udp(9999, b"hello!")) + bytes(12), 0, []),
        (right(17, over_udp(9999, b"hello!")) + b"x" * 12, 0, [("TOTAL_SIZE says 34 bytes, and 12 more stand behind them", False)]),
    ],
    ids=["without", "right", "wrong", "unfinished", "fragment", "cut", "beyond-without", "beyond", "too-small", "surplus",
         "padding", "trailer"],
)  # fmt: skip
def test_what_is_wrong(frame: bytes, missing: int, said: list[tuple[str, bool]]) -> None:
    assert texts(parts_of(frame, original=len(frame) + missing)) == said


OPTIONS = [
    ("02 01 05b4", [("the item at byte 54 of its list says 1 byte: its type and length are 2", True)]),
    ("02 05 05b4", [("the item at byte 54 of its list says 5 bytes: 4 bytes are there", True)]),
    ("01 01 01 02", [("the item at byte 57 of its list is cut: 1 byte of it is there", True)]),
    ("01 01 00 02", []),
]


@pytest.mark.parametrize(("options", "said"), OPTIONS, ids=["short", "long", "cut", "behind the end"])
def test_an_option_that_cannot_be_ends_its_list(options: str, said: list[tuple[str, bool]]) -> None:
    segment = bytearray(tcp(b"", bytes.fromhex(options)))
    data = bytes([192, 0, 2, 1, 192, 0, 2, 2, 0, 6, 0, len(segment)]) + segment
    segment[16:18] = internet(data).to_bytes(2, "big")
    assert texts(parts_of(right(6, bytes(segment)))) == said


def test_another_version() -> None:
    frame = bytearray(right(17, over_udp(9999, b"hello!")))
    frame[14] = 0x65
    assert texts(parts_of(bytes(frame)))[0] == ("VERSION is wrong: it says 6, in a header of version 4", True)
    frame = bytearray(ethernet(0x86DD, ipv6(59, b"")))
    frame[14] = 0x40
    assert texts(parts_of(bytes(frame)))[0] == ("VERSION is wrong: it says 4, in a header of version 6", True)


def need_steps(packet: Packet) -> int:
    """The steps of a checksum lead to the value that it should have, which is what pkt-correct writes."""
    found = 0
    for problem in (problem for header in packet.headers for problem in header.problems):
        value = re.search(r"(?:should be|would make) (0x[0-9a-f]+)", problem.text)
        steps = problem.steps()
        assert all(len(step) <= 76 for step in steps)
        if value and len(steps) > 2:
            last = [step for step in steps if step.startswith("inverted: ")][-1].removeprefix("inverted: ")
            assert last == value[1] or (value[1], last, "0 would say" in steps[-1]) == ("0xffff", "0x0000", True)
            found += 1
        elif value and problem.field and problem.field.width == 32 and steps:
            assert value[1] in steps
    return found


def test_steps_lead_to_the_right_value() -> None:
    """Of all kinds of checksums, in tunnels, too; and in real captures."""
    assert sum(need_steps(parts_of(frame, linktype)) for linktype, frame in frames()) > 20
    for _, b in captured(4):
        need_steps(examined(b, 0))


def test_steps() -> None:
    """As a student with pen and paper goes."""
    packet = parts_of(ethernet(0x86DD, ipv6(17, over_udp(9999, b"hello", checksum=1))))
    assert packet.headers[-1].problems[0].steps() == [
        "16-bit words are added up, the field itself as 0 (RFC 1071):",
        "pseudo-header:",
        "  2001 0db8 0000 0000 source 2001:db8::1",
        "  0000 0000 0000 0001",
        "  2001 0db8 0000 0000 destination 2001:db8::2",
        "  0000 0000 0000 0002",
        "  0000 000d           length 13",
        "  0000 0011           protocol 17",
        "  together 0x5b93",
        "13 bytes, from byte 54 on:",
        "    54: c350 270f 000d 0000 6865 6c6c 6f        = 0x22e3d",
        "the last byte is filled up with a zero",
        "0x5b93 + 0x22e3d = 0x289d0",
        "carries are added: 0x89d0 + 0x2 = 0x89d2",
        "inverted: 0x762d",
    ]


def test_what_messages_say() -> None:
    """In a tunnel, too; of what is only in part a message what there is."""
    for name, port, less in (("dns", 53, 9), ("ntp", 123, 0), ("dhcp", 67, 40)):
        message = bytes.fromhex(SAMPLES[name])
        for size in (len(message), len(message) - less):
            datagram = ipv4(17, over_udp(port, message[:size]))
            for frame in (ethernet(0x0800, datagram), ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, datagram))))):
                header = next(header for header in parts_of(frame).headers if header.name == name.upper())
                said = codec.tell(READERS.index(name), bytearray(message[:size]), 0, size) or b""
                assert header.says == said.decode("ascii")
                assert said


def test_nothing_is_there() -> None:
    packet = parts_of(b"")
    assert [(header.name, header.fields) for header in packet.headers] == [("UNKNOWN", [])]
    assert [*packet.leaves()] == []


def test_what_stands_behind_is_a_trailer() -> None:
    """A frame check sequence, which no header has."""
    frame = ethernet(0x0806, bytes(46)) + b"\1\2\3\4"
    trailer = parts_of(frame, link_of(1, 4)).headers[-1]
    assert [(field.name, field.value) for field in trailer.fields] == [("", b"\1\2\3\4")]
    assert (trailer.title, [*items_of(trailer)]) == ("frame check sequence", [])
    value = crc32(frame[:-4]).to_bytes(4, "little")
    wrong = f"the frame check sequence is wrong: 0x01020304, and should be 0x{value.hex()}"
    assert [problem.text for problem in trailer.problems] == [wrong]
    trailer = parts_of(frame[:-4] + value, link_of(1, 4)).headers[-1]
    assert (trailer.problems, trailer.fields[0].note) == ([], "right")
    assert parts_of(frame[:-4] + value, link_of(1, 4), len(frame) + 1).headers[-1].problems == []  # it was not captured in full
