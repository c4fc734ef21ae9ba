"""What filters may ask besides single fields, and values of assignments that packets differ in; on both codecs."""

from __future__ import annotations

import time
from types import ModuleType

import pytest
from backends import use
from conftest import shell
from samples import ARP, batch, ethernet, ipv4, ipv6, pktap, tcp, udp, vxlan

from pkttools.batch import COLUMNS, ORIGINAL, ROW_BYTES, Batch, Packet, gathered
from pkttools.errors import UsageError
from pkttools.language import patterns
from pkttools.language.arguments import split_assignment
from pkttools.language.assignments import Assignments
from pkttools.language.expression import any_of, compiled
from pkttools.language.filters import Filter
from pkttools.language.listing import listing

SECOND = 1_000_000_000
DAY = 1_793_491_200  # 2026-11-01, seconds since 1970
NOTES = b"IFACE: eth0\nWAY: in\nNOTE: first\nNOTE: a second one\n"


@pytest.fixture
def of(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A codec, which filters and assignments go by, too."""
    use(codec, monkeypatch, "select", "walk", "items", "assign")
    return codec


def few() -> Batch:
    """0 UDP to 53 in IPv4, 1 TCP, 2 UDP in IPv6, 3 ARP, 4 VXLAN with TCP; a second between them, two with notes."""
    inner = ethernet(0x0800, ipv4(6, tcp())[:12] + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + tcp())
    frames = [
        ethernet(0x0800, ipv4(17, udp())), ethernet(0x0800, ipv4(6, tcp())), ethernet(0x86DD, ipv6(17, udp(b"abc"))),
        ethernet(0x0806, ARP), ethernet(0x0800, ipv4(17, vxlan(inner))),
    ]  # fmt: skip
    notes = [NOTES, b"", b"IFACE: lo\nWAY: out", b"", b""]
    b = gathered(Packet(frame, len(frame), (DAY + i) * SECOND, 1, notes[i]) for i, frame in enumerate(frames))
    b.columns()[1 * COLUMNS + ORIGINAL] += 100
    return b


def passing(text: str, b: Batch | None = None, keep: Filter | None = None) -> list[int]:
    """The numbers of the packets that pass."""
    b = b or few()
    rows = b.rows
    kept = Batch(b.data, (keep or Filter([text])).select(b))
    places = [bytes(rows[i : i + COLUMNS * 8]) for i in range(0, len(rows), COLUMNS * 8)]
    return [places.index(bytes(kept.part(i, i + 1).rows)) for i in range(len(kept))]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        # facts of the packet
        ("TIME >= 2026-11-01T00:00:02Z", [2, 3, 4]), ("TIME < 2026-11-01T00:00:01.5Z", [0, 1]),
        ("time==2026-11-01T01:00+01:00", [0]),
        (f"TIME == {DAY + 3}", [3]), (f"TIME > {DAY + 2}.999999999", [3, 4]), ("TIME in 2026-10-31..2026-11-02", [0, 1, 2, 3, 4]),
        ("SIZE > CAPTURED", [1]), ("SIZE==CAPTURED", [0, 2, 3, 4]), ("CAPTURED in 1-50", [0, 3]), ("SIZE & 1", [0, 1, 2, 4]),
        ("SIZE & 3 == 3", [0, 1]),
        ("NUMBER==2", [1]), ("NUMBER in 2-3,5", [1, 2, 4]), ("not NUMBER gt 1", [0]), ("CAPTURED == IP.TOTAL_SIZE", []),
        ("IFACE==eth0", [0]), ("IFACE in lo,eth1", [2]), ("IFACE!=lo", [0]), ("WAY==in", [0]), ("WAY", [0, 2]), ("WAY==out", [2]),
        ('NOTE=="a second one"', []), ('NOTE[2]=="a second one"', [0]), ("NOTE[-1] contains second", [0]), ("NOTE[3]", []),
        ('any NOTE contains "second"', [0]), ("any NOTE==first", [0]), ("any NOTE!=first", []), ("any IFACE != eth0", [2]),
        # either end
        ("IP.ADDR==192.0.2.1", [0, 1, 4]), ("any IP.ADDR==10.0.0.2", [4]), ("IP.ADDR==10.0.0.2", []), ("IP.ADDR[2]==10.0.0.1", [4]),
        ("IP.ADDR!=192.0.2.1", []), ("IP.ADDR!=1.2.3.4", [0, 1, 4]), ("not IP.ADDR==192.0.2.1", [2, 3]),
        ("IP.ADDR==192.0.0.0/8", [0, 1, 4]), ("any IP.ADDR in 10.0.0.2-10.0.0.9", [4]), ("any IP.ADDR!=10.0.0.0/8", [0, 1]),
        ("PORT==53", [0, 2]), ("PORT!=53", [1, 4]), ("UDP.PORT in 4789", [4]), ("any PORT==80", [1, 4]), ("PORT", [0, 1, 2, 4]),
        ("ETHERNET.ADDR==02:00:00:00:00:01", [0, 1, 2, 3, 4]), ("IPV6.ADDR==2001:db8::/32", [2]),
        # any occurrence
        ("any ETHERNET.TYPE==0x800", [0, 1, 4]), ("any IP.PROTOCOL==tcp", [1, 4]), ("any IP.PROTOCOL!=tcp", [0]),
        ("any IP.PROTOCOL in 1-16", [1, 4]), ("any IP.TTL", [0, 1, 4]), ("any TCP.OPT_KIND==mss", [1, 4]),
        ("any IP.PROTOCOL & 1", [0, 4]),
        # masks, letters, services, words for operators
        ("TCP.FLAGS & 0x12 == 0x02", []), ("TCP.FLAGS&0x12==0x12", [1, 4]), ("TCP.FLAGS & S", [1, 4]), ("TCP.FLAGS & F", []),
        ("TCP.FLAGS==SA", [1, 4]), ("tcp.flags==s.", [1, 4]), ("TCP.FLAGS in S,SA", [1, 4]), ("TCP.FLAGS & SA != S", [1, 4]),
        ("ETHERNET.DST_ADDR & 01:00:00:00:00:00 == 00:00:00:00:00:00", [0, 1, 2, 3, 4]),
        ("IP.SRC_ADDR & 255.0.0.0 == 192.0.0.0", [0, 1, 4]),
        ("UDP.DST_PORT==domain", [0, 2]), ("UDP.DST_PORT==dns", [0, 2]), ("PORT in ssh,domain", [0, 2]), ("PORT in 50..60", [0, 2]),
        ("UDP.DST_PORT eq 53", [0, 2]), ("UDP.DST_PORT NE 53", [4]), ("IP.TTL ge 64 and IP.TTL le 64", [0, 1, 4]),
        ("IP.TTL lt 64", []),
        # two fields
        ("IP.SRC_ADDR==IP.DST_ADDR", []), ("IP.SRC_ADDR!=IP.DST_ADDR", [0, 1, 4]), ("UDP.SRC_PORT > UDP.DST_PORT", [0, 2, 4]),
        ("IP.TOTAL_SIZE < SIZE", [0, 1, 4]), ("any IP.SRC_ADDR == IP.SRC_ADDR[2]", [4]), ("IP.ADDR == IP.DST_ADDR", [0, 1, 4]),
        ("UDP.DST_PORT==TCP.DST_PORT", []), ("IP.TTL==IP.TTL[-1]", [0, 1, 4]),
        # octets
        ('UDP.DATA contains "ell"', [0]), ("UDP.DATA contains 65 6c", [0]), ("UDP.DATA contains 656C6C", [0]),
        ('UDP.DATA=="abc"', [2]),
        ('not UDP.DATA contains "abc"', [0, 1, 3, 4]), ('UDP.DATA contains ""', [0, 2, 4]),
        ("UDP.DATA contains UDP.DATA", [0, 2, 4]),
        ('UDP.DATA matches "^h.*o$"', [0]), ("UDP.DATA matches abc or ARP", [2, 3]), ('not UDP.DATA matches "bc"', [0, 1, 3, 4]),
        ('NUMBER gt 1 and UDP.DATA matches "bc|ll"', [2]), ('any NOTE matches "second"', [0]), ("NOTE matches second", []),
        ('UDP.DATA matches "x" or UDP.DATA matches "(?i)HELLO"', [0]), ('UDP.DATA matches "l" and not UDP.DATA matches "h"', []),
        ("(TCP or UDP.DATA matches hello) and NUMBER in 1-4", [0, 1]),
    ],
)  # fmt: skip
def test_filters(of: ModuleType, text: str, numbers: list[int]) -> None:
    assert passing(text) == numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TIME==yesterday", "TIME: 'yesterday'"), ("TIME > 2026-02-30", "TIME: '2026-02-30'"),
        ("TIME & 1", "TIME: a mask goes with numbers"),
        ("NUMBER==x", "NUMBER: 'x' is not a number"), ("SIZE[2]>1", "SIZE[2]: there is one of a packet"),
        ("any IP.TTL[2]==1", "any IP.TTL[2]: one occurrence, or any"), ("IP.ADR==1.2.3.4", "no field 'IP.ADR'"),
        ("ARP.ADDR==1", "no field 'ARP.ADDR'"), ("UDP.DST_PORT==nosuchservice", "neither a number nor a service that is known"),
        ("TCP.FLAGS==SX", "TCP.FLAGS: 'SX' is not a number"),
        ("IP.SRC_ADDR==UDP.SRC_PORT", "IP.SRC_ADDR is an IPv4 address, and UDP.SRC_PORT is a number"),
        ("IP.SRC_ADDR==IPV6.SRC_ADDR", "IPV6.SRC_ADDR is an IPv6 address"), ("IP.SRC_ADDR==any IP.DST_ADDR", "at the left"),
        ("UDP.DATA & 1", "UDP.DATA: a mask goes with numbers"), ("IP.TTL contains 1", "IP.TTL: contains is for data and text"),
        ("IP.TTL matches 1", "IP.TTL: matches is for data and text"), ('UDP.DATA matches "("', "is no regular expression"),
        ("UDP.DATA contains GET", "'GET' is not in hex; text stands in double quotes"),
        ("IP.TTL & 1 in 1,2", "a mask goes with comparisons"),
        ("IP.SRC_ADDR & 255.0.0.0 == 10.0.0.0/8", "a mask, or /bits"), ("any", "no layer 'ANY'"),
        ("TCP.FLAGS &", "a value expected"),
        ("NUMBER in 5-3", "NUMBER: 5-3: the range is empty"), ("IP.TTL gt", "a value expected, not the end"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        compiled(any_of([text]))
    assert said in str(caught.value)


@pytest.mark.parametrize("text", [
    "TCP.FLAGS & 18 == 2", "any IP.TTL in 3..4", "TIME >= 2026-01-01T00:00:00.5Z", 'NOTE contains "x y"', "SIZE > CAPTURED",
        "WAY != in",
    "IP.SRC_ADDR == 0.0.0.0/0", "IP.SRC_ADDR & 0.255.0.0 == 0.1.0.0", "IP.SRC_ADDR[2] == IP.DST_ADDR[-1]", 'UDP.DATA matches "x y"',
    "UDP.DATA contains 47 45", "any NOTE == first", "NUMBER & 3 == 1", "any UDP.DATA", "IP.TTL & 255 == IPV6.HOP_LIMIT",
])  # fmt: skip
def test_a_listing_can_be_read_again(text: str) -> None:
    program = compiled(any_of([text]))
    [line] = listing(program)
    assert line.partition(") ")[2].partition(" jt ")[0].strip() == text
    assert compiled(any_of([text])) == program


def test_dates_are_local_without_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    try:
        assert compiled(any_of(["TIME==2026-11-01"])) == compiled(any_of(["TIME==2026-11-01T05:00:00Z"]))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_numbers_go_on_from_batch_to_batch(of: ModuleType) -> None:
    keep = Filter(['NUMBER in 2,7 or NUMBER==10 and not UDP.DATA matches "x"'])
    assert [passing("", keep=keep), passing("", keep=keep)] == [[1], [1, 4]]


def test_patterns_are_tried_where_nothing_else_decides(of: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    verdicts = patterns.Patterns._verdicts
    monkeypatch.setattr(patterns.Patterns, "_verdicts", lambda self, data, row: tried.append(1) or verdicts(self, data, row))
    assert passing('IPV6 or UDP and CAPTURED < 60 and UDP.DATA matches "hel"') == [0, 2]
    assert len(tried) == 1
    assert passing('TCP.SRC_PORT==1 and UDP.DATA matches "hel"') == []
    assert len(tried) == 1


def test_the_same_of_pipes(backend: str) -> None:
    text = b"".join(b"TIME: %d\nIFACE: e%d\n00 01 02 03 04 05 06 07 08 09 0A 0B 08 00 45\n==\n-- 1 --\n" % (i, i) for i in range(4))
    command = "pkt-filter NUMBER gt 1 and IFACE ne e2 "
    command += "| pkt-change --if 'NUMBER==2' ETHERNET.TYPE=1 | pkt-filter -s 0 'any ETHERNET.TYPE==1'"
    done = shell(command, b"-- 1 --\n" + text + b"==\n", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line for line in done.stdout.split(b"\n") if line.startswith(b"IFACE")] == [b"IFACE: e3"]


# ---- assignments ----


def assigned(*texts: str, condition: str = "", seed: int | None = 5, rounds: int = 1) -> tuple[list[bytes], Assignments]:
    """The frames of the packets after assignments."""
    items = [split_assignment(text) for text in texts]
    done = Assignments(items, guard=Filter([condition]) if condition else None, seed=seed)  # type: ignore[arg-type]
    frames = []
    for _ in range(rounds):
        b = few()
        done.run(b)
        frames += [bytes(b.frame(i)) for i in range(len(b))]
    return frames, done


def test_the_value_of_another_field(of: ModuleType) -> None:
    frames, done = assigned("IP.SRC_ADDR=IP.DST_ADDR", "IP.ID=UDP.SRC_PORT", "IP.TTL=IP.ID", "IP.TOS=IP.TTL[2]")
    assert frames[0][26:30] == frames[0][30:34]
    assert frames[0][18:20] == frames[0][34:36]
    assert done.placed == [3, 2, 1, 1]  # a port is no TTL: it does not fit
    assert frames[0][22] == 64
    assert (frames[4][15], frames[1][15]) == (64, 0)


def test_data_that_lie_in_each_other(of: ModuleType) -> None:
    before = bytes(few().frame(4))
    frames, done = assigned("UDP.DATA=TCP.DATA")
    inner = before[42 + 8 + 14 + 20 + 20 :]
    assert frames[4] == before[:42] + inner + before[42 + len(inner) :]
    assert done.placed == [1]


@pytest.mark.parametrize(("text", "said"), [
    ("IP.ADDR=1.2.3.4", "IP.SRC_ADDR and IP.DST_ADDR can be set"),
    ("IP.SRC_ADDR=UDP.SRC_PORT", "IP.SRC_ADDR is an IPv4 address, and UDP.SRC_PORT is a number"),
    ("IP.SRC_ADDR=IP.ADDR", "it gets the value of one field"), ("IP.TTL=5..300", "300 does not fit"),
    ("IP.TTL=1,", "a value is missing"),
    ("UDP.DATA=IP.TTL", "UDP.DATA is octets, and IP.TTL is a number"),
    ("IP.TTL=ETHERNET.SRC_ADDR", "ETHERNET.SRC_ADDR is a MAC address"),
    ("IP.ID=TIME", "it gets the value of one field"),
    ("IP.TTL=random:", "a value is missing"),
])  # fmt: skip
def test_assignments_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        assigned(text)
    assert said in str(caught.value)


def test_values_take_turns_where_they_have_a_place(of: ModuleType) -> None:
    frames, done = assigned("IP.ID=1..", "UDP.SRC_PORT=7,8", "TCP.FLAGS=S,SA", rounds=2)
    assert [int.from_bytes(frame[18:20], "big") for frame in frames if frame[12:14] == b"\x08\0"] == [1, 2, 3, 4, 5, 6]
    assert [frames[i][34:36] for i in (0, 4, 5, 9)] == [b"\0\7", b"\0\7", b"\0\x08", b"\0\x08"]
    assert (frames[1][47], frames[6][47]) == (0x02, 0x02)  # the inner one is the second
    assert done.placed == [6, 6, 4]


def test_drawn_values_are_those_of_the_seed(of: ModuleType) -> None:
    first, done = assigned("IP.ID=random", "IP.SRC_ADDR=random:10.0.0.0/8", "IPV6.SRC_ADDR=random", rounds=3)
    assert first == assigned("IP.ID=random", "IP.SRC_ADDR=random:10.0.0.0/8", "IPV6.SRC_ADDR=random", rounds=3)[0]
    assert first != assigned("IP.ID=random", "IP.SRC_ADDR=random:10.0.0.0/8", "IPV6.SRC_ADDR=random", seed=6, rounds=3)[0]
    assert len({frame[18:20] for frame in first if frame[12:14] == b"\x08\0"}) > 6
    assert {frame[26] for frame in first if frame[12:14] == b"\x08\0"} == {10}
    assert len({frame[22:38] for frame in first if frame[12:14] == b"\x86\xdd"}) == 3
    assert done.drawn


def test_a_guard_with_numbers_and_patterns(of: ModuleType) -> None:
    frames, done = assigned("IP.TTL=1..", condition='NUMBER in 2-5 and not UDP.DATA matches "hello"', rounds=2)
    assert [frame[22] for frame in frames if frame[12:14] == b"\x08\0"] == [64, 1, 2, 64, 64, 64]
    assert done.met == 4


def test_packets_without_octets_are_told_apart(of: ModuleType) -> None:
    """They lie at the same place, and have other sizes."""
    b = gathered(Packet(b"", size, 0, 1) for size in (50, 100, 100, 50, 100))
    assert list(Filter(["SIZE==100"]).verdicts(b)) == [0, 1, 1, 0, 1]


def test_letters_and_texts_are_set(of: ModuleType) -> None:
    frames, _ = assigned("TCP.FLAGS=FPU", "TCP.DST_PORT=https", 'UDP.DATA="xy"')
    assert (frames[1][47], frames[1][36:38], frames[0][42:47]) == (0x29, b"\x01\xbb", b"xyllo")


def test_a_seed_on_the_command_line(backend: str) -> None:
    packet = b"-- 1 --\n" + bytes(12).hex(" ").encode() + b" 08 00 45 " + b"00 " * 19 + b"\n==\n"
    command = "pkt-change {} IP.ID=random | pkt-filter -a IP | grep IP.ID"
    texts = [
        shell(command.format(words), packet * 3, backend=backend).stdout for words in ("--seed 1", "--seed 1", "--seed 2", "-v")
    ]
    assert texts[0] == texts[1] != texts[2] != b""
    assert b"seed " in shell("pkt-change -v IP.ID=random", packet, backend=backend).stderr


def test_what_cannot_be_asked_somewhere_is_named() -> None:
    done = shell("pkt-switch run --filter 'WAY==in' lo")
    assert (done.returncode, b"--filter: WAY: frames in a switch come with no such line" in done.stderr) == (2, True)
    done = shell("pkt-gen check -i lo")
    assert (done.returncode, b"what pkt-recv -i has received, and takes no conditions" in done.stderr) == (2, True)
    for asked, names in (
        ("TIME > 2026-01-01 and IP.TTL==3", b"IP.TTL, TIME"), ("UDP.DATA contains 00 or NUMBER gt 5", b"NUMBER, UDP.DATA"),
        ("any VLAN", b"what pkt-filter knows"),
    ):  # fmt: skip
        done = shell(f"pkt-xdp -i lo '{asked}'")
        assert done.returncode in (1, 2)
        assert b"; %b cannot be asked in XDP" % names in done.stderr or b"libpcap" in done.stderr  # where there is none


@pytest.mark.parametrize(("text", "octets"), [
    ("über", b"\xc3\xbcber"), ("こん", b"\xe3\x81\x93\xe3\x82\x93"), ("\U0001f600", b"\xf0\x9f\x98\x80"),
    ("a\u202eb", b"a\xe2\x80\xaeb"), ("ü\\x41\\xff", b"\xc3\xbcA\xff"), ("a\udce3b", b"a\xe3b"),
])  # fmt: skip
def test_other_characters_are_their_octets_in_utf8(of: ModuleType, text: str, octets: bytes) -> None:
    """RFC 3629. In data, in fields of text, in notes; asked for, compared, set; in quotes or without.

    The last one has a byte of no UTF-8, as the system hands it over.
    """
    process = pktap(1, b"", comm=octets, ecomm=b"other")
    frames = [
        (1, ethernet(0x0800, ipv4(17, udp(b"-" + octets + b"-")))),
        (1, ethernet(0x0800, ipv4(17, udp(octets)))),
        (258, process),
    ]
    packets = batch(frames)
    for asked, found in (
        (f'UDP.DATA contains "{text}"', [0, 1]), (f'UDP.DATA=="{text}"', [1]), (f'UDP.DATA!="{text}"', [0]),
        (f"PKTAP.COMM=={text}", [2]), (f'PKTAP.COMM=="{text}"', [2]), (f'PKTAP.COMM in other,"{text}"', [2]),
        (f'PKTAP.COMM contains "{text}"', [2]), (f'UDP.DATA contains "-{text}-"', [0]), (f'UDP.DATA contains "{text}+"', []),
    ):  # fmt: skip
        program, rows = compiled(any_of([asked])), bytes(packets.rows)
        each = [rows[at : at + ROW_BYTES] for at in range(0, len(rows), ROW_BYTES)]
        assert [number for number, row in enumerate(each) if of.select(packets.data, row, program)] == found, asked
    noted = gathered([Packet(b"", 0, 0, 1, notes=b"NOTE: " + octets + b"\n"), Packet(b"", 0, 0, 1, notes=b"NOTE: b\n")])
    assert len(of.select(noted.data, bytes(noted.rows), compiled(any_of([f'NOTE contains "{text}"'])))) == ROW_BYTES
    changed = batch([(1, ethernet(0x0800, ipv4(17, udp(bytes(len(octets)))))), (258, pktap(1, b"", comm=b"", ecomm=b"other"))])
    Assignments([split_assignment(f'UDP.DATA="{text}"'), split_assignment(f"PKTAP.COMM={text}")]).run(changed)
    assert bytes(changed.frame(0)).endswith(octets) and changed.frame(1) == process


def test_notes_are_asked_for() -> None:
    assert Filter(["any IFACE==lo or not (TIME>5 and WAY==IFACE)"]).notes() == ["IFACE", "WAY"]
    assert Filter(['NOTE matches "x" and UDP']).notes() == ["NOTE"]
    assert Filter(["SIZE>5 or UDP.DATA contains 00"]).notes() == []


def test_room_for_texts(backend: str) -> None:
    packet = b"-- 1 --\n" + bytes(12).hex(" ").encode() + b" 08 00 45 00 00 1d 00 00 00 00 40 11" + b" 00" * 10
    packet += b" 00 01 00 02 00 09 00 00 61\n==\n"
    command = """pkt-change --grow 'UDP.DATA="four"' UDP.DST_PORT=UDP.SRC_PORT | pkt-filter 'UDP.DATA=="four" and PORT==1'"""
    done = shell(command, packet, backend=backend)
    assert (done.returncode, b"..four" in done.stdout) == (0, True), done.stderr
