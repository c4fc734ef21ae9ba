"""Dividing and putting together in the codec: both backends say the same, step by step, and refuse the same."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import load
from samples import batch, ethernet, extension, frames, gre, ipv4, ipv6, tags, udp, vxlan
from sections import packets_of

from pkttools.batch import MAX_BATCH, Batch, Packet, gathered
from pkttools.codec.python.reassembly import TIMEOUT
from pkttools.formats.pcap import MAGICS
from pkttools.protocols.fields import HEADERS
from pkttools.work.reassembly import apart

IP, IPV6, UDP = map(HEADERS.index, ("IP", "IPV6", "UDP"))
LAYERS = [(0, 1), (IP, 2), (IP, -1), (IPV6, 1), (IPV6, -2), (IP, 0)]
APART = apart()


def both(name: str, *args: object) -> list[object]:
    """What a function gives on each backend; errors, too."""
    got: list[object] = []
    for backend in ("c", "python"):
        try:
            got.append(getattr(load(backend), name)(*args))
        except (ValueError, TypeError) as error:
            got.append((type(error), str(error)))
    return got


def plain(result: tuple) -> tuple:
    """A result with packets in place of data and rows: where these lie is a backend's own matter."""
    return tuple(
        packets_of(result[i], result[i + 1]) if isinstance(part, bytearray) and i + 1 < len(result) else part
        for i, part in enumerate(result)
        if not (isinstance(part, bytearray) and i and isinstance(result[i - 1], bytearray))
    )


def divided(whole: Batch, mtu: int, layer: tuple[int, int] = (0, 1), force: bool = False) -> Batch:
    """The fragments of packets; both backends make the same."""
    counts: list[dict[int, int]] = [{}, {}]
    c, python = (
        load(name).fragment(whole.data, bytes(whole.rows), 0, (mtu, mtu), force, 0xFFFFFFFE, layer, count)
        for name, count in zip(("c", "python"), counts, strict=True)
    )
    assert plain(c) == plain(python) and counts[0] == counts[1], (mtu, layer)
    assert c[0] == len(whole)
    return whole if c[1] is None else Batch(c[1], c[2])


class Tables:
    """A table of each backend, which are given the same."""

    def __init__(self, memory: int, layer: tuple[int, int]) -> None:
        self.tables = [load(name).datagrams(memory, layer, APART) for name in ("c", "python")]

    def take(self, given: Batch) -> list[tuple]:
        """What passes of a batch."""
        results = []
        for name, table in zip(("c", "python"), self.tables, strict=True):
            counts: dict[int, int] = {}
            results.append((plain(load(name).reassemble(table, given.data, bytes(given.rows), 0, counts)), counts))
        assert results[0] == results[1]
        (_, *made, _), _ = results[0]
        return packets_of(given.data, bytes(given.rows)) if made[0] is None else made[0]

    def rest(self) -> list[tuple]:
        """What is given up at the end."""
        found = []
        while True:
            c, python = (plain(load(name).reassemble_rest(table)) for name, table in zip(("c", "python"), self.tables, strict=True))
            assert c == python
            if not c[0]:
                return found
            found += c[0]


@pytest.mark.parametrize("layer", LAYERS)
def test_samples_cut_anywhere(layer: tuple[int, int]) -> None:
    """Every sample, whole and cut, with what it lies in."""
    for linktype, frame in frames():
        for original in (None, 1500):
            whole = batch([(linktype, frame[:size]) for size in range(28, len(frame) + 1, 5)] + [(linktype, frame)], original)
            tables = Tables(1 << 20, layer)
            for mtu in (28, 56, 72):
                tables.take(divided(whole, mtu, layer, mtu == 56))
            tables.rest()


def wholes(dice: random.Random) -> Iterator[Packet]:
    """Datagrams of all kinds, in frames of all kinds, some with lines."""
    for number in range(12):
        data = dice.randbytes(dice.choice((90, 400, 1800)))
        options = dice.choice((b"", b"\x83\x04\x04\x00" * 2, b"\x07\x03\x04\x01", dice.randbytes(8)))
        four, six = ipv4(17, udp(data), options), ipv6(17, udp(data))
        six_more = ipv6(0, extension(60, bytes(6)) + extension(17, bytes(14)) + udp(data))
        inner = dice.choice((four, six, six_more))
        kind = 0x0800 if inner is four else 0x86DD
        frame = dice.choice(
            (
                ethernet(kind, inner + bytes(dice.choice((0, 0, 3)))),
                ethernet(0x8100, tags([0x8100], kind, inner)),
                ethernet(0x8864, struct.pack("!BBHHH", 0x11, 0, 9, 2 + len(inner), 0x21 if kind == 0x0800 else 0x57) + inner),
                ethernet(0x0800, ipv4(47, gre(kind, inner))),
                ethernet(0x0800, ipv4(17, vxlan(ethernet(kind, inner), number))),
                dice.randbytes(12) + struct.pack("!H", 8 + len(inner)) + b"\xaa\xaa\3\0\0\0" + struct.pack("!H", kind) + inner,
            )
        )
        yield Packet(frame, len(frame), 0, 1, dice.choice((b"", b"NOTE: x\nLOST: 3\nIFACE: y\n", b"LOST: 1\n")))


@pytest.mark.parametrize("seed", range(8))
def test_fragments_that_are_lost_doubled_and_changed(seed: int) -> None:
    """In any order, at any time, with little memory or much; nothing is lost, and both backends say the same all the way."""
    dice = random.Random(seed)
    layer = dice.choice(LAYERS[:4])
    pieces = divided(gathered(wholes(dice)), dice.choice((68, 120, 576)), layer)
    came = [pieces.packet(i) for i in range(len(pieces)) if dice.random() > 0.02]
    came += dice.sample(came, len(came) // 20)
    came.sort(key=lambda _: dice.random() if seed % 2 else 0)
    for p in dice.sample(came, len(came) // 15):
        at, frame = dice.randrange(len(p.frame)), bytearray(p.frame)
        frame[at] ^= dice.choice((1, 0x20, 0xFF))
        p.frame = bytes(frame[: dice.choice((at, len(frame), len(frame)))])
    for number, p in enumerate(came):
        p.time = number * dice.choice((1, TIMEOUT // 40)) - dice.choice((0, 0, TIMEOUT))
    tables, passed = Tables(dice.choice((3000, 60_000, 1 << 22)), layer), []
    while came:
        size = dice.choice((1, 7, 100))
        passed += tables.take(gathered(came[:size]))
        del came[:size]
    assert passed + tables.rest()


def test_captures(shared: Path) -> None:
    """What real networks have, divided further, and put together."""
    paths = [*(shared / "captures").glob("*/pcap/*frag*.pcap"), *sorted((shared / "captures").glob("*/pcap/*.pcap"))[::9]]
    for path in {*paths, *(shared / "captures/tcpdump").glob("*frag*.pcap")}:
        raw = bytearray(path.read_bytes()[:60_000])
        if bytes(raw[:4]) not in MAGICS:
            continue
        big_endian, _ = MAGICS[bytes(raw[:4])]
        linktype = int.from_bytes(raw[20:24], "big" if big_endian else "little") & 0xFFFFFFF
        _, rows, _ = load("c").pcap_decode(raw, 24, len(raw), False, big_endian, False, 16, 0, linktype)
        whole = Batch(raw, rows).part(0, 200)
        tables = Tables(1 << 22, (0, 1))
        for given in (whole, divided(whole, 100)):
            tables.take(given)
        tables.rest()


def test_many_come_in_parts(codec) -> None:
    """A batch ends when it has two megabytes; the rest is another one."""
    whole = batch([(101, ipv4(17, udp(bytes([i]) * 60_000))) for i in range(40)])
    stop, number, made = 0, 1, []
    while stop < len(whole):
        stop, data, rows, (number, left) = codec.fragment(
            whole.data, bytes(whole.rows), stop, (576, 576), False, number, (0, 1), None
        )
        assert len(data) < MAX_BATCH + 70_000 and not any(left)
        made.append(Batch(data, rows))
    assert len(made) == 2
    table, got = codec.datagrams(1 << 22, (0, 1), b""), []
    for part in made:
        stop = 0
        while stop < len(part):
            stop, data, rows, totals = codec.reassemble(table, part.data, bytes(part.rows), stop, None)
            got += packets_of(data, rows)
    assert [p[0][20:] for p in got] == [bytes(whole.frame(i))[20:] for i in range(40)]
    assert totals == (40, *[0] * 7)


def test_what_is_too_long_for_a_batch_is_not_made(codec) -> None:
    """What is behind the trailer of a frame in a tunnel may be a quarter of a megabyte."""
    frames_ = []
    for word, padding in ((0x2000, 256_000), (500, 0)):
        secret = ethernet(0x88E5, b"\0\0\0\0\0\1\x08\0" + ipv4(17, bytes(4000), fragment=word) + bytes(16))  # MACsec
        frames_.append(ethernet(0x0800, ipv4(47, gre(0x6558, secret))) + bytes(padding))
    for size, count in ((256_000, 2), (100_000, 1)):
        table, got = codec.datagrams(1 << 22, (IP, 2), b""), []
        for frame in (frames_[0][: size + 4000], frames_[1]):
            _, data, rows, _ = codec.reassemble(table, *given([frame]), 0, None)
            got += packets_of(*given([frame])) if data is None else packets_of(data, rows)
        assert len(got) == count and all(len(p[0]) <= 262_144 for p in got)


def given(frames_: list[bytes]) -> tuple[bytearray, bytes]:
    """Data and rows of frames of Ethernet."""
    made = batch([(1, frame) for frame in frames_])
    return made.data, bytes(made.rows)  # type: ignore[return-value]


GOOD = (*given([ethernet(0x0800, ipv4(17, udp()))]), 0, (1500, 1280), False, 1, (0, 1), None)


@pytest.mark.parametrize(
    ("at", "value"),
    [(1, b"x"), (2, -1), (2, 2), (3, (0, 1280)), (3, (1500, -1)), (5, -1), (5, 1 << 32), (6, (UDP, 1)), (6, (-1, 1)), (7, ())],
)
def test_what_fragment_refuses(at: int, value: object) -> None:
    c, python = both("fragment", *GOOD[:at], value, *GOOD[at + 1 :])
    assert c == python and isinstance(c, tuple) and c[0] in (ValueError, TypeError)


@pytest.mark.parametrize(
    "args",
    [(-1, (0, 1), b""), (1, (UDP, 1), b""), (1, (999, 1), b""), (1, (0, 1), b"x"), (1, (0, 1), struct.pack("4q", 1, -1, 8, 0)),
     (1, (0, 1), struct.pack("4q", 1, 8, 0, 0)), (1, (0, 1), struct.pack("4q", 1, 8, 8, -1)),
     (1, (0, 1), struct.pack("4q", 1, 8, 8 * 262_144 + 1, 0))],
)  # fmt: skip
def test_what_a_table_refuses(args: tuple) -> None:
    c, python = both("datagrams", *args)
    assert c == python and c[0] is ValueError


def test_what_is_no_table(codec) -> None:
    for call in (lambda t: codec.reassemble(t, bytearray(), b"", 0, None), codec.reassemble_rest):
        for wrong in (None, object(), b""):
            with pytest.raises(TypeError, match="no table of datagrams"):
                call(wrong)
    table = codec.datagrams(1, (0, 1), b"")
    for at in (-1, 1):
        with pytest.raises(ValueError, match="first packet out of range"):
            codec.reassemble(table, bytearray(), b"", at, None)


def test_a_frame_check_sequence_is_no_part_of_a_datagram(codec) -> None:
    """Nor of its fragments, which have none; what is not divided keeps its own."""
    frame = ethernet(0x0800, ipv4(17, udp(bytes(100))))
    data = bytearray(frame + b"FCS!")
    rows = struct.pack("=7q", 0, len(data), len(data), 0, 1 | 5 << 32, len(data), 0)
    _, made, found, _ = codec.fragment(data, rows, 0, (68, 68), False, 1, (0, 1), None)
    assert b"".join(p[0][34:] for p in packets_of(made, found)) == frame[34:]
    assert codec.fragment(data, rows, 0, (500, 500), False, 1, (0, 1), None)[1] is None
