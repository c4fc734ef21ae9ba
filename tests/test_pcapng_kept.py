"""What pcapng says beside packets, from pcapng to pcapng: all of it where nothing changes, and what still holds elsewhere."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import shell
from sections import ORDERS, block, blocks_of, enhanced, flags, interface, obsolete, options, packet, section, simple
from test_pcapng import need, run

from pkttools.batch import CAPTURED, NOTES, NOTES_SIZE, TIME, Batch
from pkttools.formats import packets
from pkttools.formats.files import Input, Output
from pkttools.formats.pcapng_sink import PcapngSink
from pkttools.formats.sections import Sections
from pkttools.formats.turned import turned

SOME = bytes(range(60))


def number(size: int, value: int, order: str) -> bytes:
    return value.to_bytes(size, "big" if order == ">" else "little")


def custom(code: int, data: bytes, order: str) -> tuple[int, bytes]:
    return code, number(4, 32473, order) + data


def names(order: str = "<") -> bytes:
    return block(4, struct.pack(order + "HH", 1, 8) + bytes([10, 0, 0, 1]) + b"abc\0" + bytes(4), order)


def secrets(order: str = "<", data: bytes = b"CLIENT_R") -> bytes:
    return block(10, struct.pack(order + "II", 0x544C534B, len(data)) + data, order)


def statistics(count: int, which: int = 0, order: str = "<") -> bytes:
    return block(5, struct.pack(order + "III", which, 1, 2) + options(((4, number(8, count, order)),), order), order)


def everything(order: str) -> list[bytes]:
    """Blocks of every kind, with options of every kind: a packet of 60 octets with all of them, one of nanoseconds, one without."""
    file = ((1, b"one"), (1, b"two"), (2, b"hw"), (4, b"app"), custom(0xBAC, b"text", order), (999, b"of nobody"))
    eth0 = ((2, b"eth0"), (3, b"what"), (8, number(8, 10**9, order)), (9, b"\6"), (11, b"\0udp"), (1, b"comment"),
            (6, b"\1\2\3\4\5\6"), (10, number(4, 7, order)), (13, b"\x20"))  # fmt: skip
    full = (flags(1 | 4 | 15 << 16, order), (4, number(8, 5, order)), (1, b"c1"), (1, b"c2"), (3, b"\2" + number(4, 77, order)),
            (5, number(8, 1234, order)), (6, number(4, 3, order)), (7, b"\0abc"), custom(0xBAD, b"x", order),
            custom(0x4BAD, b"y", order), (500, b"unk"))  # fmt: skip
    return [
        section(order, given=file), names(order), interface(1, eth0, order, snaplen=96),
        interface(1, ((2, b"eth0"), (9, b"\x09")), order, snaplen=0), interface(101, ((2, b"unused"),), order), secrets(order),
        enhanced(SOME, 1_700_000_000_000_000, 0, full, order), block(0xBAD, custom(0, b"abcd", order)[1], order),
        block(0x40000BAD, custom(0, b"only here", order)[1] + bytes(3), order), block(0x777, b"what", order),
        block(9, b"JOURNAL\n", order),
        enhanced(SOME + b"more", 1_700_000_000_000_000_123, 1, (flags(2 | 4 << 5, order),), order),
        enhanced(SOME, 1_700_000_001_000_000, 0, (), order), statistics(2, 0, order),
    ]  # fmt: skip


# ---- by commands ----


@ORDERS
def test_what_is_passed_on_is_the_same(backend: str, order: str) -> None:
    """Files 11, 12, 20: to the octet, in its byte order, section by section; text pipes say what they cannot."""
    raw = b"".join(everything(order))
    assert run("pkt-txt2pcapng", raw * 2, backend=backend) == raw * 2
    text = shell("pkt-pipe 'change -u IP.TTL==9 IP.TTL=1 | correct'", raw, backend=backend)
    assert (text.returncode, blocks_of(text.stdout, order)[1:6]) == (0, everything(order)[1:6])  # it writes what it reads
    text = shell("pkt-pcapng2txt", raw, backend=backend)
    assert b"\0" not in text.stdout
    assert text.stderr == (
        b"pkt-pcapng2txt: <stdin>: not kept: 2 section comments, 1 name resolution, 1 interface comment, 1 decryption secrets, "
        b"8 packet options, 2 custom blocks, 1 type 0x777 block, 1 journal export, 1 interface statistics\n"
    )


def test_what_a_change_leaves(backend: str) -> None:
    """Files 11, 12, 18: the hash of a packet that is another one, what nobody knows and what is for this file alone are dropped
    with a word; all packets are there, so statistics stay, and without one of them they do not."""
    order, raw = "<", everything("<")
    done = shell("pkt-change -F pcapng ETHERNET.SRC_ADDR=1:2:3:4:5:6", b"".join(raw), backend=backend)
    assert done.stderr.endswith(
        b": not kept, since packets were changed, added or left out: 3 packet options, 1 custom block, 1 type 0x777 block\n"
    )
    there = blocks_of(done.stdout, order)
    assert [b for b in there if b[0] != 6] == [b for b in raw if b[0] != 6 and b[:4] not in (b"\xad\x0b\0\x40", b"\x77\7\0\0")]
    first = next(b for b in there if b[0] == 6)
    kept = ((2, b"\5\0\x0f\0"), (4, number(8, 5, order)), (1, b"c1"), (1, b"c2"),
            (5, number(8, 1234, order)), (6, number(4, 3, order)), (7, b"\0abc"), custom(0xBAD, b"x", order))  # fmt: skip
    assert first[28 + 60 : -4] == options(kept, order)
    done = shell(
        "pkt-filter -r -F pcapng --and IP 2> /dev/null | pkt-pipe 'txt2pcapng --no-secrets -s 1'", b"".join(raw), backend=backend
    )
    there = blocks_of(done.stdout, order)
    assert done.stderr == (
        b"pkt-pipe: txt2pcapng: not kept, since --no-secrets asks for it: 1 decryption secrets\n"
        b"pkt-pipe: txt2pcapng: not kept, since packets were changed, added or left out: 1 interface statistics\n"
    )
    assert [b[0] for b in there] == [10, 4, 1, 1, 1, 0xAD, 9, 6, 6]


def test_another_byte_order(backend: str) -> None:
    """Files 12: asked for, it costs what cannot be turned; interfaces can, flags, and what holds octets or known numbers."""
    done = shell("pkt-txt2pcapng -be", b"".join(everything("<")), backend=backend)
    assert done.stderr == (
        b"pkt-txt2pcapng: not kept, since the byte order is another one: 4 packet options, 2 custom blocks, 1 type 0x777 block\n"
    )
    there, wanted = blocks_of(done.stdout, ">"), everything(">")
    assert [*there[1:3], *there[4:6], *there[7:]] == [*wanted[1:2], wanted[2], *wanted[4:6], *wanted[10:]]
    assert there[6][28 + 60 : -4] == options((
        flags(5 | 15 << 16, ">"), (4, number(8, 5, ">")), (1, b"c1"), (1, b"c2"), (3, b"\2" + number(4, 77, "<")),
        (5, number(8, 1234, ">")), (6, number(4, 3, ">"))), ">")  # fmt: skip


@ORDERS
def test_options_in_the_other_byte_order(backend: str, order: str) -> None:
    """Files 12, 13: numbers of the size that they have, and texts; not what has another size, or is of a kind that nobody knows."""
    other, way = (">", "-be") if order == "<" else ("<", "-le")

    def kept(order: str) -> list[tuple[int, bytes]]:
        verdicts = [(7, bytes([by]) + number(8, 0x0102030405060708, order)) for by in (1, 2)]
        return [*verdicts, custom(0xBAC, b"text", order), custom(0xBAC, b"", order), (3, b"\3digest"), (5, number(8, 77, order))]

    dropped = [(7, b"\3" + bytes(8)), (7, b"\1" + bytes(4)), (7, b""), (6, bytes(8)), (5, bytes(4)), (0xBAC, b"abc"), (3, b""),
               custom(0xBAD, b"octets", order)]  # fmt: skip
    raw = section(order) + interface(order=order) + enhanced(b"x", given=(*kept(order), *dropped), order=order)
    done = shell(f"pkt-txt2pcapng {way}", raw, backend=backend)
    assert done.stdout == section(other) + interface(order=other) + enhanced(b"x", given=kept(other), order=other)
    assert done.stderr == b"pkt-txt2pcapng: not kept, since the byte order is another one: 8 packet options\n"


@ORDERS
def test_blocks_in_the_other_byte_order(order: str) -> None:
    """What frames octets is turned, and known numbers; not what nobody knows, nor what is not whole."""
    other = "<" if order == ">" else ">"

    def names_in(order: str, *more: tuple[int, bytes], given: tuple[tuple[int, bytes], ...] = ()) -> bytes:
        records = options(((1, bytes([10, 0, 0, 1]) + b"abc\0"), (2, bytes(16) + b"six\0"), *more), order)
        return block(4, records + options(given, order), order)

    def counted(order: str, *more: tuple[int, bytes]) -> bytes:
        times = (2, struct.pack(order + "II", 1, 2)), (3, struct.pack(order + "II", 3, 4))
        counts = tuple((code, number(8, code, order)) for code in range(4, 9))
        return block(5, struct.pack(order + "III", 7, 1, 2) + options((*times, *counts, (1, b"c"), *more), order), order)

    server = (2, b"ns"), (3, bytes(4)), (1, b"c")
    secret = struct.pack(order + "II", 1, 5) + b"abcde\0\0\0"
    for kind, raw, wanted, lost in (
        (4, names_in(order, given=server), names_in(other, given=server), (0, 0)),
        (4, names_in(order, (9, b"?"), given=((9, b"?"),)), names_in(other), (1, 1)),
        (4, block(4, b"", order), block(4, bytes(4), other), (0, 0)),
        (5, counted(order, (9, bytes(8)), (4, b"odd")), counted(other), (0, 2)),
        (9, block(9, b"A=b\n", order), block(9, b"A=b\n", other), (0, 0)),
        (10, block(10, secret + options(((1, b"c"),), order), order),
         block(10, struct.pack(other + "II", 1, 5) + secret[8:] + options(((1, b"c"),), other), other), (0, 0)),
        (4, block(4, struct.pack(order + "HH", 1, 8), order), b"", (0, 0)),
        (10, block(10, struct.pack(order + "II", 1, 9) + bytes(8), order), b"", (0, 0)),
        (10, block(10, secret + struct.pack(order + "HH", 1, 9), order), b"", (0, 0)),
        (10, block(10, bytes(4), order), b"", (0, 0)),
        (5, block(5, bytes(8), order), b"", (0, 0)),
        (0xBAD, block(0xBAD, bytes(8), order), b"", (0, 0)),
    ):  # fmt: skip
        assert turned(kind, raw, order, other) == (wanted, *lost), raw


def test_wireshark_reads_what_is_kept(tmp_path: Path) -> None:
    """Comments, interfaces and numbers of packets."""
    need("tshark", "capinfos")
    (tmp_path / "x.pcapng").write_bytes(
        run("pkt-time --shift 1s -F pcapng 2> /dev/null", b"".join(b for b in everything("<") if b[0] not in (0x77, 9)))
    )
    seen = shell(f"tshark -r '{tmp_path}/x.pcapng' -T fields -e frame.interface_id -e frame.comment -e frame.packet_id")
    lines = [line.split("\t") for line in seen.stdout.decode().splitlines()]
    assert [line[:2] for line in lines] == [
        ["0", "c1,c2"],
        ["", ""],
        ["1", ""],
        ["0", ""],
    ]  # a custom block counts there (files 15)
    assert int(lines[0][2], 0) == 1234
    assert b"Number of interfaces in file: 3" in shell(f"capinfos '{tmp_path}/x.pcapng'").stdout


# ---- by a sink ----


Change = Callable[[Iterator[Batch]], Iterator[Batch]]


@pytest.fixture
def copied(codec, monkeypatch, tmp_path):
    """Copies pcapng through a stage; gives what is written and what is said."""
    for name in ("pcapng_decode", "pcapng_encode"):
        monkeypatch.setattr(f"pkttools.codec.{name}", getattr(codec, name))

    def copy(raw: bytes, change: Change = iter, *, passes: bool = False, secrets: bool = True) -> tuple[bytes, list[str]]:
        (tmp_path / "in").write_bytes(raw)
        source = Input([str(tmp_path / "in")])
        sink = PcapngSink(Output(str(tmp_path / "out"), source), 1, None, False, secrets=secrets)
        sink.beside(source)
        assert source.sections
        copy.sections.append(source.sections)  # type: ignore[attr-defined]
        source.sections.passes = passes
        for batch in change(packets(source)):
            sink.write(batch)
        said = sink.close()
        return (tmp_path / "out").read_bytes(), said + source.said

    copy.sections = []  # type: ignore[attr-defined]
    return copy


CHANGED = "not kept, since packets were changed, added or left out: "


def test_interfaces(copied) -> None:
    """Files 6, 7, 16: times of another resolution or offset are written anew; what is longer than the snap length, has another link
    type or another name is of an interface like it."""
    odd = interface(1, ((2, b"a"), (9, b"\x83"), (14, number(8, 10, "<")), (3, b"d")), snaplen=4)
    raw = section() + odd + enhanced(b"abcd", 9) + enhanced(b"abcde", 9) + statistics(2)
    out, said = copied(raw)
    nano = ((2, b"a"), (9, b"\x09"), (3, b"d"))
    first = enhanced(b"abcd", 11_125_000_000)
    assert out == section() + interface(1, nano, snaplen=4) + first + interface(1, nano) + enhanced(b"abcde", 11_125_000_000, 1)
    assert said == ["not kept, since their interface is described twice: 1 interface statistics"]
    for head in (((9, b"\x83"),), ((14, number(8, 10, "<")),)):
        raw = section() + interface(1, head) + enhanced(b"abcd", 8) + statistics(1)
        assert copied(raw)[1] == [
            "not kept, since the times of their interface are of another resolution, or without its offset: 1 interface statistics"
        ]

    def other(stream: Iterator[Batch]) -> Iterator[Batch]:
        for batch in stream:
            batch.set_linktype(101)
            yield batch

    raw = section() + interface(1, ((2, b"a"),)) + interface(1, ((2, b"b"),)) + enhanced(b"x") + interface(113)
    assert copied(raw, other) == (
        section() + interface(101, ((2, b"a"),)) + interface(101, ((2, b"b"),)) + enhanced(b"x") + interface(113), []
    )  # fmt: skip

    def renamed(stream: Iterator[Batch]) -> Iterator[Batch]:
        for batch in stream:
            row = batch.columns()
            notes = bytes(batch.data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]]).replace(b"IFACE: a", b"IFACE: new")
            row[NOTES], row[NOTES_SIZE] = len(batch.data), len(notes)
            batch.data += notes
            yield batch

    raw = section() + interface(1, ((3, b"d"), (2, b"a"))) + enhanced(b"x")
    assert copied(raw, renamed)[0] == section() + interface(1, ((3, b"d"), (2, b"a"))) + interface(
        1, ((3, b"d"), (2, b"new"))
    ) + enhanced(b"x", 0, 1)


def test_no_interface_is_made_up(copied) -> None:
    """A section that describes none stays without, whatever else it says and wherever it stands."""
    alone = section(given=((1, b"c"),)) + names()
    for raw in (section(), alone, section() + interface() + enhanced(b"x") + alone):
        assert copied(raw) == (raw, [])


def test_interfaces_that_are_described_twice(copied) -> None:
    """Files 18: statistics are of neither of the two: packets that are longer than the snap length are of the second."""
    raw = section() + interface(snaplen=2) + enhanced(b"ab") + statistics(1) + enhanced(b"abcd") + statistics(2)
    out, said = copied(raw)
    assert said == ["not kept, since their interface is described twice: 1 interface statistics"]
    both = section() + interface(snaplen=2) + enhanced(b"ab") + statistics(1) + interface() + enhanced(b"abcd", number=1)
    assert out == both


def test_other_ways_of_saying_the_same(copied) -> None:
    """What is not to the octet where nothing is lost: the end of options where it is missing, section lengths, versions 1.x,
    the order of options, flags that say nothing or what the interface says, offsets of 0, padding."""
    head, body = section(), interface(1, ((2, b"eth0"), (13, b"\x20")))
    plain = head + body + enhanced(b"abc", given=(flags(1), (1, b"c")))
    open_ended = block(1, struct.pack("<HHI", 1, 0, 1 << 18) + options(((2, b"eth0"), (13, b"\x20")))[:-4])
    for raw in (
        head[:16] + bytes([251]) + head[17:] + body + enhanced(b"abc", given=((1, b"c"), flags(1))),
        head[:14] + b"\2" + head[15:] + open_ended + enhanced(b"abc", given=(flags(1 | 4 << 5), (1, b"c"))),
        head + interface(1, ((2, b"eth0"), (13, b"\x20"), (14, bytes(8)))) + enhanced(b"abc", given=(flags(1), (1, b"c"))),
        plain.replace(b"abc\0", b"abcX"),
    ):
        assert raw != plain
        assert copied(raw) == (plain, [])
    nothing = head + body + enhanced(b"abc", given=(flags(0),))
    assert copied(nothing) == (head + body + enhanced(b"abc"), [])


def test_what_stands_behind_the_end_of_options(copied) -> None:
    """It is of no list: not kept, which is said, unless it is zeros; in other blocks, which nobody takes apart, it stays."""
    ended = bytes(4) + options(((1, b"late"),))
    for more, said in ((ended, True), (bytes(8), False)):
        head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
        raw = block(0x0A0D0D0A, head + options(((1, b"c"),)) + more) + block(4, bytes(4) + more)
        raw += block(1, struct.pack("<HHI", 1, 0, 262144) + options(((2, b"a"),)) + more)
        raw += block(6, struct.pack("<IIIII", 0, 0, 0, 4, 4) + b"abcd" + options(((1, b"c"),)) + more)
        plain = (
            section(given=((1, b"c"),))
            + block(4, bytes(4) + more)
            + interface(1, ((2, b"a"),))
            + enhanced(b"abcd", given=((1, b"c"),))
        )
        out, lines = copied(raw)
        assert out == plain
        assert [line.partition(": ")[2] for line in lines] == [
            "not kept: 1 section option, 1 interface option, 1 packet option"
        ] * said
    assert turned(4, block(4, bytes(4) + ended), "<", ">") == (block(4, bytes(4), ">"), 0, 1)


def test_flags_say_a_check_sequence(copied) -> None:
    """It stays in the flags, where the interface says another one; and the other things that they say."""
    raw = section() + interface(1, ((13, b"\x10"),)) + enhanced(b"abcd", given=(flags(4 << 5 | 3),)) + enhanced(b"abcd")
    raw += enhanced(b"abcd", given=(flags(4 << 5 | 1 << 31),))
    assert copied(raw) == (raw, [])


def test_statistics(copied) -> None:
    """Files 18: only where they are true: of all packets, where they stand or at the end; of their interface's number here."""

    def held(stream: Iterator[Batch]) -> Iterator[Batch]:
        yield from [Batch(bytearray(batch.data), bytearray(batch.rows)) for batch in stream]

    raw = section() + interface() + enhanced(b"a") + statistics(1) + enhanced(b"b") + statistics(2)
    assert copied(raw) == (raw, [])
    assert copied(raw, held) == (section() + interface() + enhanced(b"a") + enhanced(b"b") + statistics(1) + statistics(2), [])
    assert copied(raw, lambda stream: (b.part(0, 0) for b in stream))[1] == [CHANGED + "2 interface statistics"]
    bad = section() + interface() + statistics(0, 7)
    assert copied(bad)[1] == [CHANGED + "1 interface statistics"]
    assert copied(bad, passes=True) == (bad, [])


def test_blocks_without_packets(copied) -> None:
    """What passes is written on, where no packet is: it is not gathered."""
    waiting = []

    def none(stream: Iterator[Batch]) -> Iterator[Batch]:
        for _ in stream:
            known = copied.sections[-1].latest
            waiting.append(len(known.passing))
        yield from ()

    many = [block(0xBAD, bytes(1 << 18)), enhanced(b"x")] * 20
    out, said = copied(section() + interface() + b"".join(many), none)
    assert (out, said) == (section() + interface() + many[0] * 20, [])
    assert max(waiting) < 6


def test_packets_that_are_held_back(copied) -> None:
    """Files 7: a packet that comes behind its section is of an interface that is described once more, in the other byte order."""

    def last_first(stream: Iterator[Batch]) -> Iterator[Batch]:
        yield from reversed([Batch(bytearray(batch.data), bytearray(batch.rows)) for batch in stream])

    speed = 10**9
    one = section(">") + interface(1, ((8, number(8, speed, ">")), (99, b"x"))[:1], ">")
    first = enhanced(b"a", order=">", given=((5, number(8, 7, ">")), (99, b"x")))
    out, said = copied(one + first + section() + interface(9) + enhanced(b"b"), last_first)
    assert out == one + section() + interface(9) + enhanced(b"b") + interface(1, ((8, number(8, speed, "<")),)) + enhanced(
        b"a", 0, 1, ((5, number(8, 7, "<")),)
    )
    assert said == ["not kept, since the byte order is another one: 1 packet option"]


def test_many_files(codec, monkeypatch, tmp_path) -> None:
    """Files 9, 18: each file of a split begins with the section, its interfaces, names and secrets; what passes is in one."""
    for name in ("pcapng_decode", "pcapng_encode"):
        monkeypatch.setattr(f"pkttools.codec.{name}", getattr(codec, name))
    before = section(given=((1, b"c"),)) + names() + interface() + interface(9)
    passing = block(0xBAD, bytes(8))
    (tmp_path / "in").write_bytes(
        before + enhanced(b"a") + passing + enhanced(b"b") + secrets() + enhanced(b"c", number=1) + statistics(3)
    )
    source = Input([str(tmp_path / "in")])
    sink = PcapngSink(Output(str(tmp_path / "0"), source), 1, None, False)
    sink.beside(source)
    for i, batch in enumerate(packets(source)):
        if i:
            sink.end_output()
            sink.enter(Output(str(tmp_path / str(i)), source))
        sink.write(batch)
    assert sink.close() == [CHANGED + "1 interface statistics"]
    files = [(tmp_path / str(i)).read_bytes() for i in range(3)]
    assert files[0] == before + enhanced(b"a") + passing
    assert files[1] == before + enhanced(b"b") + secrets()
    assert files[2] == before + secrets() + enhanced(b"c", number=1)


def test_one_section_of_several(codec, monkeypatch, tmp_path) -> None:
    """Files 7, 19: of several inputs one section is made, with the comments of all, each apart, and all interfaces."""
    for name in ("pcapng_decode", "pcapng_encode"):
        monkeypatch.setattr(f"pkttools.codec.{name}", getattr(codec, name))
    sections, sources = Sections(one=True), []
    for name, order in (("one", "<"), ("two", ">")):
        given = ((1, name.encode()), (2, b"machine"))
        (tmp_path / name).write_bytes(
            section(order, given=given) + names(order) + interface(order=order) + enhanced(b"x", order=order)
        )
        sources.append(Input([str(tmp_path / name)]))
        sources[-1].sections = sections
    sink = PcapngSink(Output(str(tmp_path / "out")), 1, None, False)
    sink.go_on(sections)
    for batch in [next(packets(source)) for source in sources]:
        sink.write(batch)
    assert sink.close() == []
    both = section(given=((1, b"one"), (2, b"machine"), (1, b"two"))) + names() + interface() + names() + interface()
    assert (tmp_path / "out").read_bytes() == both + enhanced(b"x") + enhanced(b"x", number=1)


def test_what_is_empty_in_front_takes_nothing_away(tmp_path: Path) -> None:
    """By `cat`, and as another input: a capture without packets is no reason to drop what the next one says."""
    raw = b"".join(everything("<"))
    pcap = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link) for link in (1, 105)]
    for name, front in zip("abcd", (b"", *pcap, section()), strict=True):
        (tmp_path / f"{name}.cap").write_bytes(front + raw)
        (tmp_path / f"{name}.front").write_bytes(front)
    (tmp_path / "e.cap").write_bytes(raw)
    done = shell(f"""cd {tmp_path} && for f in a b c d; do
        pkt-merge $f.cap --out $f.merged.pcapng && pkt-merge --in - --out $f.piped.pcapng < $f.cap &&
        pkt-split --count 9 --out "$f.{{n:1}}" --in $f.cap &&
        pkt-merge --in $f.front --in e.cap --no-iface --out $f.two.pcapng || exit; done""")
    assert done.returncode == 0, done.stderr
    for how in ("merged.pcapng", "piped.pcapng", "1", "two.pcapng"):
        wanted, *others = [(tmp_path / f"{name}.{how}").read_bytes() for name in "abcd"]
        assert {block[:4] for block in blocks_of(wanted, "<")} >= {block[:4] for block in (names(), secrets())}
        assert all(other.startswith(wanted) for other in others), how  # an interface of an input without packets comes behind


def test_obsolete_blocks(copied) -> None:
    """Their options are those of enhanced ones."""
    raw = section() + interface() + obsolete(b"abc", 5, 0, 7, (flags(1 | 4), (3, b"\2hash")))
    assert copied(raw) == (
        section() + interface() + enhanced(b"abc", 5, given=(flags(5), (4, number(8, 7, "<")), (3, b"\2hash"))),
        [],
    )


def test_simple_packets(copied) -> None:
    """Files 17: no time is not time 0: a simple packet block stays one where it says all of its packet, in either byte order."""
    for order in "<>":
        short = (
            section(order) + interface(1, ((2, b"eth0"),), order, snaplen=4) + simple(b"abcd", 9, order) + simple(b"ab", 2, order)
        )
        assert copied(short + enhanced(b"abcd", 7, order=order)) == (short + enhanced(b"abcd", 7, order=order), [])
    raw = section() + interface(snaplen=0) + simple(b"abcde")
    assert copied(raw + raw) == (raw + raw, [])
    for column, value, result, said in (
        (TIME, 7000, enhanced(b"abcde", 7), []),
        (CAPTURED, 4, enhanced(b"abcd", 0, original=5), ["times: 1 missing, taken for 0"]),
    ):

        def changed(stream: Iterator[Batch], column: int = column, value: int = value) -> Iterator[Batch]:
            for batch in stream:
                batch.columns()[column] = value
                yield batch

        assert copied(raw, changed) == (section() + interface(snaplen=0) + result, said), column


def test_simple_packets_by_commands(backend: str, tmp_path: Path) -> None:
    """Files 17: kept where packets are passed on; of a second interface, and in text and pcap, their time is 0, which is said."""
    raw = section() + interface(9) + simple(b"xyzz")
    assert run("pkt-txt2pcapng", raw, backend=backend) == raw
    for name in "ab":
        (tmp_path / name).write_bytes(raw)
    done = shell(f"pkt-merge {tmp_path}/a {tmp_path}/b -F pcapng", backend=backend)
    assert done.stdout == section() + interface(9, ((2, b"a"),)) + interface(9, ((2, b"b"),)) + simple(b"xyzz") + enhanced(
        b"xyzz", 0, 1
    )
    assert b"pkt-merge: times: 1 missing, taken for 0\n" in done.stderr
    for command in ("pkt-pcapng2txt", "pkt-time -F pcap --shift 0s"):
        assert b"times: 1 missing, taken for 0" in shell(command, raw, backend=backend).stderr


def test_lines_of_ours_that_are_none(codec) -> None:
    """Whatever stands there is counted, and read no further than it goes."""
    from sections import batch_of, interface_of

    digest, time = b"%016x" % 0xE71FA2190541574B, b"%016x" % 0
    whole = b"\0O" + digest + time + b"00030001aa"
    for line, given, lost, outdated in (
        (whole, ((3, b"\xaa"),), 0, 0),
        (whole[:-1], (), 0, 0),
        (whole[:-1] + b"A", (), 0, 1),
        (whole[:33], (), 1, 0),
        (b"\0O" + digest[::-1] + time + b"00030001aa", (), 0, 1),
        (b"\0O" + digest + digest + b"00030001aa02580000", ((3, b"\xaa"),), 0, 1),
        (b"\0O" + digest + time + b"0002000400000008" + b"0002000100", (flags(8),), 0, 1),
        (b"\0", (), 1, 0), (b"\0X", (), 1, 0), (b"\0I5", (), 0, 0),
    ):  # fmt: skip
        batch = batch_of(packet(b"abc", notes=line.decode("latin-1") + "\n"))
        wanted = (enhanced(b"abc", given=given), 1, lost, outdated, 0)
        assert codec.pcapng_encode(*batch, 0, False, interface_of(*batch, snaplen=9, keeps=1)) == wanted, line
