"""What no caller of ours does: arguments that cannot be are refused, by both codecs alike, and nothing is held afterwards."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import ModuleType

import pytest
from samples import batch, ethernet, ipv4, udp
from sections import enhanced, interface_of

from pkttools.language import assigning, expression
from pkttools.language.arguments import split_assignment

FRAME = ethernet(0x0800, ipv4(17, udp()))
BATCH = batch([(1, FRAME), (1, FRAME)])
TESTS = expression.compiled(expression.any_of(["IP"]))
PROGRAM = assigning.assignments([split_assignment("IP.TTL=9")])
VARIED = assigning.varied([split_assignment("IP.TTL=1..9")], seed=hash)[0]
INTERFACE = struct.pack("=6q", 1, 0, 6, 0, 0, 5)
BLOCK = enhanced(b"frame")
Call = Callable[[ModuleType, bytearray, bytes], object]

# What takes a batch, with arguments that are right otherwise.
TAKERS: dict[str, Call] = {
    "text_encode": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 16, False, 0),
    "pcap_encode": lambda codec, data, rows: codec.pcap_encode(data, rows, 0, False, False),
    "pcapng_encode": lambda codec, data, rows: codec.pcapng_encode(data, rows, 0, False, []),
    "walk": lambda codec, data, rows: codec.walk(data, rows),
    "select": lambda codec, data, rows: codec.select(data, rows, TESTS),
    "assign": lambda codec, data, rows: codec.assign(data, rows, PROGRAM, None, False),
    "spread": lambda codec, data, rows: codec.spread(data, rows, 0, 1, 0, 8, bytes(len(rows) // 7)),
    "correct": lambda codec, data, rows: codec.correct(data, rows, 0),
    "check": lambda codec, data, rows: codec.check(data, rows),
    "beyond": lambda codec, data, rows: codec.beyond(data, rows, {}),
    "verify": lambda codec, data, rows: codec.verify(data, rows),
    "forward": lambda codec, data, rows: codec.forward(data, rows, {}, 9, 0, 1, b"\1"),
}
# What else may be wrong: the call, and what is said.
WRONG: dict[str, tuple[Call, type[Exception], str]] = {
    f"{function}: {which}": (call, error, said)
    for function, said, error, calls in (
        ("text_encode", "first packet or width out of range", ValueError, {
            "before the first": lambda codec, data, rows: codec.text_encode(data, rows, -1, 1, 16, False, 0),
            "behind the last": lambda codec, data, rows: codec.text_encode(data, rows, 3, 1, 16, False, 0),
            "no width": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 0, False, 0),
            "too wide": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 262145, False, 0),
        }),
        ("pcap_encode", "first packet out of range", ValueError, {
            "before the first": lambda codec, data, rows: codec.pcap_encode(data, rows, -1, False, False),
            "behind the last": lambda codec, data, rows: codec.pcap_encode(data, rows, 3, False, False),
        }),
        ("pcapng_encode", "first packet out of range", ValueError, {
            "before the first": lambda codec, data, rows: codec.pcapng_encode(data, rows, -1, False, []),
            "behind the last": lambda codec, data, rows: codec.pcapng_encode(data, rows, 3, False, []),
        }),
        ("pcapng_encode", "interface out of range", ValueError, {
            "below 0": lambda codec, data, rows: codec.pcapng_encode(data, rows, 0, False, interface_of(data, rows, -1)),
            "beyond": lambda codec, data, rows: codec.pcapng_encode(data, rows, 0, False, interface_of(data, rows, 1 << 32)),
        }),
        ("text_decode", "range lies outside of the buffer", ValueError, {
            "before": lambda codec, data, rows: codec.text_decode(data, -1, 1, True, 1, 0, 7),
            "behind": lambda codec, data, rows: codec.text_decode(data, 0, len(data) + 1, True, 1, 0, 7),
            "backwards": lambda codec, data, rows: codec.text_decode(data, 2, 1, True, 1, 0, 7),
        }),
        ("pcap_decode", "range lies outside of the buffer", ValueError, {
            "before": lambda codec, data, rows: codec.pcap_decode(data, -1, 1, True, False, False, 16, 0, 1),
            "behind": lambda codec, data, rows: codec.pcap_decode(data, 0, len(data) + 1, True, False, False, 16, 0, 1),
            "backwards": lambda codec, data, rows: codec.pcap_decode(data, 2, 1, True, False, False, 16, 0, 1),
        }),
        ("pcap_decode", "record header or order of lengths out of range", ValueError, {
            "short header": lambda codec, data, rows: codec.pcap_decode(data, 0, 1, True, False, False, 15, 0, 1),
            "long header": lambda codec, data, rows: codec.pcap_decode(data, 0, 1, True, False, False, 65, 0, 1),
            "no order": lambda codec, data, rows: codec.pcap_decode(data, 0, 1, True, False, False, 16, -1, 1),
            "no such order": lambda codec, data, rows: codec.pcap_decode(data, 0, 1, True, False, False, 16, 3, 1),
        }),
        ("pcap_border", "range lies outside of the buffer", ValueError, {
            "before": lambda codec, data, rows: codec.pcap_border(data, -1, 1, False, False, 16, 0, 60, 0),
            "behind": lambda codec, data, rows: codec.pcap_border(data, 0, len(data) + 1, False, False, 16, 0, 60, 0),
            "backwards": lambda codec, data, rows: codec.pcap_border(data, 2, 1, False, False, 16, 0, 60, 0),
        }),
        ("pcap_border", "record header, order of lengths or size out of range", ValueError, {
            "short header": lambda codec, data, rows: codec.pcap_border(data, 0, 1, False, False, 15, 0, 60, 0),
            "no such order": lambda codec, data, rows: codec.pcap_border(data, 0, 1, False, False, 16, 3, 60, 0),
            "no size": lambda codec, data, rows: codec.pcap_border(data, 0, 1, False, False, 16, 0, -1, 0),
        }),
        ("pcapng_decode", "range lies outside of the buffer", ValueError, {
            "before": lambda codec, data, rows: codec.pcapng_decode(data, -1, 1, False, INTERFACE, b"eth0\n"),
            "behind": lambda codec, data, rows: codec.pcapng_decode(data, 0, len(data) + 1, False, INTERFACE, b"eth0\n"),
            "backwards": lambda codec, data, rows: codec.pcapng_decode(data, 2, 1, False, INTERFACE, b"eth0\n"),
        }),
        ("pcapng_decode", "interfaces are not whole", ValueError, {
            "half of one": lambda codec, data, rows: codec.pcapng_decode(data, 0, 1, False, INTERFACE[:24], b"eth0\n"),
        }),
        ("pcapng_decode", "the name of interface 0 lies outside of the names", ValueError, {
            "longer": lambda codec, data, rows: codec.pcapng_decode(BLOCK, 0, len(BLOCK), False, INTERFACE, b"eth0"),
            "behind": lambda codec, data, rows: codec.pcapng_decode(
                BLOCK, 0, len(BLOCK), False, struct.pack("=6q", 1, 0, 6, 0, 6, 0), b"eth0\n"
            ),
            "in front": lambda codec, data, rows: codec.pcapng_decode(
                BLOCK, 0, len(BLOCK), False, struct.pack("=6q", 1, 0, 6, 0, -1, 1), b"eth0\n"
            ),
        }),
        ("text_encode", "no such choice of fields", ValueError, {
            "fewer than none": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 16, False, -1),
            "more than all": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 16, False, 3),
            "none, decimal": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 16, False, 4),
            "more than all, decimal": lambda codec, data, rows: codec.text_encode(data, rows, 0, 1, 16, False, 7),
        }),
        ("assign", "values are not one a packet of each that takes some", ValueError, {
            "some for none": lambda codec, data, rows: codec.assign(data, rows, PROGRAM, bytes(16), False),
            "none for one": lambda codec, data, rows: codec.assign(data, rows, VARIED, None, False),
            "one less": lambda codec, data, rows: codec.assign(data, rows, VARIED, bytes(16), False),
            "a half more": lambda codec, data, rows: codec.assign(data, rows, VARIED, bytes(40), False),
        }),
        ("spread", "values are not one a packet", ValueError, {
            "one less": lambda codec, data, rows: codec.spread(data, rows, 0, 1, 0, 8, bytes(8)),
            "one more": lambda codec, data, rows: codec.spread(data, rows, 0, 1, 0, 8, bytes(24)),
        }),
        ("correct", "no such correction", ValueError, {
            "-1": lambda codec, data, rows: codec.correct(data, rows, -1),
            "3": lambda codec, data, rows: codec.correct(data, rows, 3),
        }),
        ("walk", "one row is walked at a time", ValueError, {
            "none": lambda codec, data, rows: codec.walk(data, b""), "two": lambda codec, data, rows: codec.walk(data, rows),
        }),
        ("verify", "one row is verified at a time", ValueError, {
            "none": lambda codec, data, rows: codec.verify(data, b""), "two": lambda codec, data, rows: codec.verify(data, rows),
        }),
        ("counts", "counts are a dict or None", TypeError, {
            "correct": lambda codec, data, rows: codec.correct(data, rows, 0, []),
            "check": lambda codec, data, rows: codec.check(data, rows, []),
            "assign": lambda codec, data, rows: codec.assign(data, rows, PROGRAM, None, False, []),
            "beyond": lambda codec, data, rows: codec.beyond(data, rows, []),
        }),
    )
    for which, call in calls.items()
}  # fmt: skip


def refused(codec: ModuleType, call: Call, error: type[Exception], said: str, rows: bytes) -> None:
    data = bytearray(BATCH.data)
    with pytest.raises(error) as raised:
        call(codec, data, rows)
    assert str(raised.value) == said
    assert data == BATCH.data
    data.append(0)  # BufferError if somebody still looked at it


@pytest.mark.parametrize("call", TAKERS.values(), ids=TAKERS)
def test_half_a_row(codec: ModuleType, call: Call) -> None:
    refused(codec, call, ValueError, "rows are not whole packets", bytes(BATCH.rows[:-8]))


@pytest.mark.parametrize(
    "column", [(0, -1), (0, len(BATCH.data)), (1, -1), (1, 262145), (5, -1), (5, 1 << 62), (6, -1), (6, 1 << 62)]
)
@pytest.mark.parametrize("call", TAKERS.values(), ids=TAKERS)
def test_a_packet_outside_of_its_batch(codec: ModuleType, call: Call, column: tuple[int, int]) -> None:
    """Where it begins, its size, and where its notes are."""
    place, value = column
    number = 0 if call in (TAKERS["walk"], TAKERS["verify"]) else 1
    values = list(struct.unpack("=7q", BATCH.rows[number * 56 :][:56]))
    values[place] = value
    rows = bytes(BATCH.rows[: number * 56]) + struct.pack("=7q", *values)
    refused(codec, call, ValueError, f"packet {number} lies outside of its batch", rows)


@pytest.mark.parametrize(("call", "error", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be(codec: ModuleType, call: Call, error: type[Exception], said: str) -> None:
    refused(codec, call, error, said, bytes(BATCH.rows))
