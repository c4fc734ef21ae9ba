"""pkt-dedupe, on both codecs: within a window of packets or of time, by all that is to be the same; editcap judges."""

from __future__ import annotations

import random
import shutil
import struct
from array import array

import pytest
from backends import on_both
from conftest import ROOT, shell
from samples import batch, ethernet, gre, icmp, ipv4, ipv6, tags, tcp, udp

from pkttools import codec
from pkttools.batch import ROW_BYTES, Batch, Packet, gathered
from pkttools.codec import A_DOUBLE, OUT_OF_ORDER
from pkttools.compare.differences import differences
from pkttools.compare.doubles import Doubles
from pkttools.compare.ignoring import Ignored
from pkttools.errors import UsageError

pytest_generate_tests, chosen = on_both("doubles_table", "find_doubles", "pick", "correct")

DATAGRAM = ipv4(17, udp())
S = 1_000_000_000


def stream(letters: str, times: list[int] | None = None) -> Batch:
    """A packet a letter, the same of the same one."""
    return gathered(Packet(letter.encode() * 60, 60, (times or [0] * 99)[i], 1) for i, letter in enumerate(letters))


def passed(
    letters: str, times: list[int] | None = None, memory: int = 1 << 20, each: int = 99, **how: object
) -> tuple[str, Doubles]:
    """The letters of what passes, given in batches of so many packets."""
    doubles = Doubles(Ignored(), memory=memory, **how)  # type: ignore[arg-type]
    whole = stream(letters, times)
    parts = (whole.part(i, i + each) for i in range(0, len(letters), each))
    found = [chr(part.frame(i)[0]) for part in doubles(parts) for i in range(len(part))]
    return "".join(found), doubles


@pytest.mark.parametrize(("letters", "times", "how", "found", "doubtful"), [
    ("AABACBA", None, {"window": 1}, "ABACBA", 0),
    ("ABCDA", None, {"window": 3}, "ABCDA", 0),
    ("ABCDA", None, {"window": 4}, "ABCD", 0),
    ("AABBBA", None, {"window": 4}, "AB", 0),  # a double stays in the window, and the latest one counts
    ("AxAyzA", None, {"window": 3}, "Axyz", 0),
    ("AABA", None, {"window": 0}, "AABA", 0),
    ("AABA", None, {"window": None}, "AB", 0),
    ("AABA", None, {"window": None, "only": True}, "AA", 0),
    ("AAA", [0, S, 2 * S], {"window": None, "within": S}, "A", 0),
    ("AAA", [0, S, 2 * S + 1], {"window": None, "within": S}, "AA", 0),
    ("AxA", [5, 5, 5], {"window": None, "within": 0}, "Ax", 0),  # the same time alone
    ("AxA", [5, 6, 5], {"window": None, "within": 0}, "AxA", 1),
    ("AxA", [5, 6, 7], {"window": None, "within": 2}, "Ax", 0),
    ("AxA", [5, 6, 7], {"window": 1, "within": 2}, "AxA", 0),  # both windows
    ("AxA", [9 * S, S, 9 * S + 1], {"window": None, "within": 5 * S}, "Ax", 0),  # a time that goes back hides nothing behind it
    ("AxyA", [10 * S, 30 * S, 9 * S, 9 * S], {"window": None, "within": 5 * S}, "AxyA", 2),  # what is not known any more is said
    ("AAx", [-(2**63), 2**63 - 1, 0], {"window": None, "within": 2**61}, "AAx", 0),
    ("AAx", [-(2**63), 2**63 - 1, 0], {"window": None, "within": 2**63}, "Ax", 0),  # as good as any
])  # fmt: skip
def test_windows(letters, times, how, found, doubtful):
    for each in (99, 2, 1):
        got, doubles = passed(letters, times, each=each, **how)
        assert (got, doubles.out_of_order) == (found, doubtful)
        assert doubles.doubles == (len(found) if how.get("only") else len(letters) - len(found))


def test_no_double_is_missed_in_silence():
    """Beside a comparison of all with all: what is found is a double, what is not is doubtful; in order, all are found."""
    draw = random.Random(3)
    missed = [0, 0]
    for turn in range(2000):
        steps = (0, 1, 5, 40) if turn % 2 else (0, 1, 5, 40, -1, -6, -30)
        time, times, letters = 100, [], "".join(draw.choices("ABC", k=12))
        for _ in letters:
            time = max(time + draw.choice(steps), 0)
            times.append(time)
        window, within = draw.choice((None, 3, 5)), draw.choice((0, 3, 10))
        doubles = Doubles(Ignored(), window, within)
        made = stream(letters, times)
        for i, found in enumerate(codec.find_doubles(doubles.table, made.data, bytes(made.rows))):
            before = range(0 if window is None else max(i - window, 0), i)
            is_one = any(letters[k] == letters[i] and abs(times[k] - times[i]) <= within for k in before)
            assert is_one or found != A_DOUBLE
            if is_one and found != A_DOUBLE:
                assert found == OUT_OF_ORDER, (letters, times, window, within, i)
                missed[turn % 2] += 1
            assert found != OUT_OF_ORDER or not turn % 2
    assert missed[0] > 50 and not missed[1]


@pytest.mark.parametrize("window", [70, 1000, 5000])
def test_windows_that_grow(window):
    """Beside a dictionary: packets that get longer, of which what is known of them moves, in tables with lines that are full."""
    draw = random.Random(window)
    numbers = [draw.randrange(3 * window) for _ in range(4 * window + 999)]
    doubles, known = Doubles(Ignored(), window), []
    for i in range(0, len(numbers), 500):
        frames = [b"%d," % number * (20 if number % 3 else i // 90 + 1) for number in numbers[i : i + 500]]
        known += [b"%d %d" % (number, len(frame)) for number, frame in zip(numbers[i:], frames, strict=False)]
        made = batch([(1, frame) for frame in frames])
        found = codec.find_doubles(doubles.table, made.data, bytes(made.rows))
        for k, is_one in enumerate(found, i):
            assert (is_one == A_DOUBLE) == (known[k] in known[max(k - window, 0) : k])


def test_memory_bounds_the_window_and_that_is_said():
    """Each packet counts for 60 bytes, 32 in front of them and 80 besides."""
    assert passed("ABCA", window=3, memory=4 * 172)[0] == "ABC"
    got, doubles = passed("ABCDA", window=4, memory=3 * 172)
    assert (got, doubles.without_memory) == ("ABCDA", 2)  # D, too: there is no A any more, that it is not known to be a double of
    assert doubles.said() == ["2 packets compared with less than the window, for want of --memory"]
    assert passed("AAB", window=2, memory=0)[0] == "AAB"
    assert (
        passed("ABAB", [1, 1, 9, 9], window=9, within=5, memory=172)[1].without_memory == 2
    )  # not the second A: it is too late for B


def mended(frame: bytes) -> bytes:
    """With right checksums."""
    made = batch([(1, frame)])
    codec.correct(made.data, bytes(made.rows), codec.ALL)
    return bytes(made.frame(0))


ROUTED = mended(ethernet(0x800, DATAGRAM))
HOP = mended(ROUTED[:22] + b"\x3f" + ROUTED[23:])  # one TTL less
BAD = ROUTED[:40] + b"\0\1" + ROUTED[42:]  # a wrong checksum of UDP
TAGGED = ROUTED[:12] + b"\x81\0" + tags([0x8100], 0x800, b"")[:2] + ROUTED[12:]
ICMP_ERROR, DATAGRAM_6 = icmp(11, DATAGRAM), ipv6(17, udp())
PAIRS = {  # what may differ, two frames, whether they are the same
    "all octets": ("", HOP, ROUTED, False),
    "a router": ("routing", ROUTED, b"\2\0\0\0\0\7\2\0\0\0\0\x08" + HOP[12:], True),
    "no router changes the TOS": ("routing", ROUTED, mended(ROUTED[:15] + b"\x20" + ROUTED[16:]), False),
    "nor a port": ("routing", ROUTED, ROUTED[:36] + b"\x10\x92" + ROUTED[38:], False),
    "a hop limit": ("routing", ethernet(0x86DD, DATAGRAM_6), ethernet(0x86DD, DATAGRAM_6[:7] + b"\x09" + DATAGRAM_6[8:]), True),
    "a tag": ("routing", ROUTED, TAGGED, True),
    "two tags": ("routing", TAGGED, ethernet(0x88A8, tags([0x88A8, 0x8100], 0x800, DATAGRAM)), False),  # its checksum is 0
    "two tags, and checksums": ("routing,checksums", TAGGED, ethernet(0x88A8, tags([0x88A8, 0x8100], 0x800, DATAGRAM)), True),
    "a tag of a priority": ("routing", TAGGED, TAGGED[:14] + b"\xe0\x00" + TAGGED[16:], True),
    "a tag, by all octets": ("", ROUTED, TAGGED, False),
    "padding": ("routing", ROUTED, ROUTED + bytes(13), True),
    "padding of something": ("routing", ROUTED + b"leak of old data", ROUTED + bytes(13), True),
    "padding counts": ("mac", ROUTED, ROUTED + bytes(13), False),
    "a checksum follows": ("IP.TTL", ROUTED, HOP, True),
    "but a wrong one does not": ("IP.TTL", ROUTED, ROUTED[:22] + b"\x3f" + ROUTED[23:], False),
    "a wrong checksum of UDP is no router's": ("routing", ROUTED, BAD, False),
    "it may be": ("routing,checksums", ROUTED, BAD, True),
    "headers": ("ETHERNET", ROUTED, bytes(12) + ROUTED[12:], True),
    "the source port": ("UDP.SRC_PORT", ROUTED, mended(ROUTED[:34] + b"\x77\x77" + ROUTED[36:]), True),
    "in a tunnel": ("IP.TTL", mended(ethernet(0x800, ipv4(47, gre(0x800, DATAGRAM)))),
                    mended(ethernet(0x800, ipv4(47, gre(0x800, DATAGRAM[:8] + b"\x09" + DATAGRAM[9:])))), True),
    "what is quoted": ("IP.TTL", mended(ethernet(0x800, ipv4(1, ICMP_ERROR))),
                       mended(ethernet(0x800, ipv4(1, ICMP_ERROR[:16] + b"\x09" + ICMP_ERROR[17:]))), True),
    "another length": ("routing", ROUTED, mended(ethernet(0x800, ipv4(17, udp(b"hello!")))), False),
    "nothing": ("routing", b"", b"", True),
    "cut short": ("routing", ROUTED[:20], ROUTED[:21], False),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_the_same(name):
    """And pkt-diff says the same of each pair, but for the size that was captured, which padding makes another one."""
    ignored, one, other, same = PAIRS[name]
    pair = batch([(1, one), (1, other)])
    ignore = Ignored.of(ignored)
    doubles = Doubles(ignore)
    list(doubles([Batch(bytearray(pair.data), pair.rows)]))
    assert doubles.doubles == same
    rows = (bytes(pair.rows[:ROW_BYTES]), bytes(pair.rows[ROW_BYTES:]))
    said = differences(pair.data, rows[0], pair.data, rows[1], Ignored.of(f"{ignored},TIME"))
    if same:
        assert [one.name for one in said if one.field != "CAPTURED"] == []
    else:
        assert said or name == "but a wrong one does not"  # its octets are those of the right one


@pytest.mark.parametrize(("column", "to", "ignored", "same"), [
    (4, 101, "", False), (4, 1 | 5 << 32, "", False), (2, 99, "", False), (2, 99, "SIZE", True), (3, 99, "", True),
    (6, 11, "", True),
])  # fmt: skip
def test_of_rows(column, to, ignored, same):
    """Link type, and what is known of a check sequence; the original size; no time, and no notes."""
    one = gathered([Packet(ROUTED, 47, 0, 1, b"IFACE: eth0\nNOTE: x\n")])
    rows = array("q", one.rows * 2)
    rows[7 + column] = to
    doubles = Doubles(Ignored.of(ignored))
    list(doubles([Batch(one.data, bytearray(rows.tobytes()))]))
    assert doubles.doubles == same


def test_interfaces():
    packets = [
        Packet(ROUTED, 47, 0, 1, notes) for notes in (b"IFACE: a\n", b"WAY: in\nIFACE:  a\nNOTE: IFACE: b\n", b"IFACE: b\n", b"")
    ]
    for apart, count in (False, 3), (True, 1):
        doubles = Doubles(Ignored(), interfaces=apart)
        list(doubles([gathered(packets)]))
        assert doubles.doubles == count


def test_both_codecs_and_the_comparison_agree(both):
    """Of all protocols, with octets that are others: what is found is the same, and pkt-diff sees no difference between doubles."""
    draw = random.Random(7)
    counts = [0, 0]
    for ignored in ("", "routing", "nat", "checksums,VLAN,IP.TTL,PADDING", "SIZE,mac,UDP"):
        ignore = Ignored.of(ignored)
        tables = [
            each.doubles_table(-1 if ignored == "" else 7, 5, 20_000, ignore.told(), "PADDING" in ignore.facts, True)
            for each in both
        ]
        for path in sorted((ROOT / "tests/data/protocols").glob("*.txt")):
            text = bytearray(path.read_bytes())
            _, data, rows, *_ = codec.text_decode(text, 0, len(text), True, 1, 0, 0)
            packets = []
            for i in range(min(len(rows) // ROW_BYTES, 12)):
                packet = Batch(data, rows).packet(i)
                for _ in range(4):
                    octets = bytearray(packet.frame)
                    if draw.random() < 0.6 and octets:
                        octets[draw.choice((8, 16, 22, 24, 25, draw.randrange(64), draw.randrange(1 << 16))) % len(octets)] ^= (
                            draw.choice((1, 2, 128))
                        )
                    size = draw.choice((packet.original, packet.original, packet.original + 1))
                    packets.append(
                        Packet(bytes(octets), size, draw.randrange(30), packet.linktype, draw.choice((b"", b"IFACE: a\n")))
                    )
            made = gathered(packets)
            found = [each.find_doubles(table, made.data, bytes(made.rows)) for each, table in zip(both, tables, strict=True)]
            assert found[0] == found[1], (path.name, ignored)
            same = both[0].doubles_table(1, -1, 1 << 20, ignore.told(), "PADDING" in ignore.facts, False)
            for i, one in enumerate(both[0].find_doubles(same, made.data, bytes(made.rows))[1:]):
                a, b = (bytes(made.rows[k * ROW_BYTES : (k + 1) * ROW_BYTES]) for k in (i, i + 1))
                said = differences(made.data, a, made.data, b, Ignored.of(f"{ignored},TIME"))
                hidden = ignored in ("nat", "SIZE,mac,UDP")  # ports and lengths that say what is in it
                assert one != A_DOUBLE or not said or hidden, (path.name, ignored, said)
                assert one == A_DOUBLE or said or ignored, (path.name, ignored, i)
                counts[one == A_DOUBLE] += 1
    assert min(counts) > 300


def test_hashes_are_not_trusted(both):
    """Of 400,000 packets some have a hash of 32 bits in common in C, as good as surely; none is a double for that."""
    codec, _ = both
    count = 400_000
    data = bytearray(struct.pack(f"<{count}Q", *range(count)))
    rows = array("q", [value for i in range(count) for value in (i * 8, 8, 8, 0, 1, 0, 0)])
    table = codec.doubles_table(-1, -1, 1 << 30, Ignored().told(), False, False)
    assert [codec.find_doubles(table, data, rows.tobytes()).count(A_DOUBLE) for _ in range(2)] == [0, count]


def test_what_no_caller_does(codec):
    with pytest.raises(ValueError, match="out of range"):
        codec.doubles_table(1, 2**61 + 1, 1, Ignored().told(), False, False)
    for told, message in (((-1, True, False, b"", b""), "no table of places"), (Ignored().told(), "memory")):
        with pytest.raises(ValueError, match=message):
            codec.doubles_table(1, 1, -1 if message == "memory" else 1, told, False, False)
    with pytest.raises(TypeError, match="no table of doubles"):
        codec.find_doubles(codec.handshakes(), bytearray(), b"")
    with pytest.raises(ValueError, match="lies outside of its batch"):
        codec.find_doubles(
            codec.doubles_table(1, 1, 1, Ignored().told(), False, False), bytearray(), struct.pack("=7q", 0, 9, 9, 0, 1, 0, 0)
        )


@pytest.mark.parametrize(
    ("ignored", "message"),
    [
        ("CAPTURED", "looked up by all their bytes"),
        ("ORDER", "doubles have none"),
        ("TCP.OPT_MSS", "fixed place"),
        ("IP.TLT", "did you mean"),
    ],
)
def test_what_cannot_be_left_out(ignored, message):
    with pytest.raises(UsageError, match=message):
        Doubles(Ignored.of(ignored))


def made_capture(count: int) -> bytes:
    """Packets of which many come again, near or far; as pcap."""
    draw = random.Random(5)
    recent: list[bytes] = []
    packets = []
    time = 0
    for i in range(count):
        if recent and draw.random() < 0.3:
            frame = recent[-min(len(recent), 1 + int(draw.expovariate(0.2)))]
        else:
            frame = ethernet(0x800, ipv4(6, tcp(i.to_bytes(4, "big") + draw.randbytes(draw.randrange(300)))))
        recent = [*recent[-50:], frame]
        time += draw.choice((0, 1000, 250_000, 3_000_000))
        packets.append(Packet(frame, len(frame), time, 1))
    made = gathered(packets)
    records, stop, _ = codec.pcap_encode(made.data, bytes(made.rows), 0, False, False)
    assert stop == count
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + bytes(records)


@pytest.mark.skipif(not shutil.which("editcap"), reason="editcap is not installed")
def test_as_editcap(tmp_path, backend):
    """With equal windows it drops the same packets; its window of packets counts the packet itself, too."""
    source = tmp_path / "all.pcap"
    source.write_bytes(made_capture(2000))
    for ours, theirs in (
        ("", "-D 6"),
        ("--window 1", "-D 2"),
        ("--window 40", "-D 41"),
        ("--within 2ms", "-w 0.002"),
        ("--within 1s", "-w 1"),
    ):
        for name, command in (
            ("ours", f"pkt-dedupe {ours} --in {source} -F pcap"),
            ("theirs", f"editcap -F pcap {theirs} {source} -"),
        ):
            done = shell(f"{command} > {tmp_path / name}", backend=backend)
            assert done.returncode == 0, done.stderr
        kept = [(tmp_path / name).read_bytes()[24:] for name in ("ours", "theirs")]
        assert kept[0] == kept[1] and 0 < len(kept[0]) < source.stat().st_size - 999, ours


def test_as_a_command(tmp_path, backend):
    """In a pipe, of text and pcapng; what it says, and what passes as it came."""
    text = b"".join(b"-- %d --\nTIME: %d.0\nIFACE: %s\nNOTE: it stays\n%s\n==\n" % (i, i, name, octets.hex().encode())
                    for i, (name, octets) in enumerate([(b"a", ROUTED), (b"b", ROUTED), (b"a", HOP), (b"a", BAD)]))  # fmt: skip
    (tmp_path / "x.txt").write_bytes(text)
    for words, count, said in (("", 3, "1 double"), ("--ignore routing", 2, "2 doubles"),
                               ("--ignore routing --ignore checksums", 1, "3 doubles"),
                               ("--same-interface", 4, ""), ("--only-doubles", 1, "1 double"), ("--within 500ms", 4, ""),
                               ("--window 0", 4, ""), ("--memory 1", 4, "for want of --memory")):  # fmt: skip
        commands = (
            f"pkt-dedupe {words} --in {tmp_path}/x.txt -F pcapng | pkt-pcapng2txt",
            f"pkt-pipe 'dedupe {words}' < {tmp_path}/x.txt",
        )
        for command in commands[: 2 if words == "" else 1]:
            done = shell(command, backend=backend)
            assert done.stdout.count(b"NOTE: it stays") == count and said in done.stderr.decode(), (command, done.stderr)
    for words, said in (
        ("--window 0 --within 1s", "--within for some"),
        ("--within -1", "goes back"),
        ("--ignore ORDER", "doubles have none"),
    ):
        done = shell(f"pkt-dedupe {words}", b"", backend=backend)
        assert done.returncode == 2 and said in done.stderr.decode()
