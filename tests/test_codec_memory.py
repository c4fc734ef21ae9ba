"""Want of memory in the C codec: MemoryError, wherever it comes, and the next call does what it always does."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT, load
from samples import TEXT, batch, ethernet, ipv4, row_of, udp
from sections import enhanced
from segments import A, B, batch_of, framed, in_gtp, segment
from segments import pieces as pieces_of
from segments import udp as udp_of

from pkttools.language import assigning, expression, program
from pkttools.language.arguments import split_assignment
from pkttools.protocols.ends import ends, keeping_apart
from pkttools.protocols.fields import HEADERS
from pkttools.protocols.payloads import kept
from pkttools.views.fields import columns_of

TRILL = ethernet(0x22F3, bytes(20))  # a header that is not followed: what is said of it is counted
FRAME = ethernet(0x0800, ipv4(17, udp()))
LINE = b"IFACE: eth0\n"
PCAPNG = b"".join(enhanced(FRAME, i, given=((1, b"a comment\n\x1b" * 40), (4, struct.pack("<Q", 3)))) for i in range(300))
PCAP = b"".join(struct.pack("<4I", i, i, len(FRAME), len(FRAME)) + FRAME for i in range(300))
INTERFACE = struct.pack("=6q", 1, 0, 6, 0, 0, len(LINE))
ASSIGNMENT = assigning.assignments([split_assignment("IP.TTL=9")])
BATCH = batch([(1, TRILL), (1, FRAME)] * 300)
ROWS = bytes(BATCH.rows)
ANSWER = (HEADERS.index("UDP"), expression.compiled(expression.any_of(["UDP"])), struct.pack("5q", 10, 8, 8, -1, 1), b"", 0)
COLUMN = columns_of("IP.TTL")[0].code()
LARGE = batch([(1, TRILL), *((1, ethernet(0x0800, ipv4(17, udp(bytes([i]) * 1400), b"\1" * i))) for i in range(0, 36, 4))])


GROWING = {
    "text",
    "rough text",
    "edited text",
    "text with fields",
    "json",
    "columns",
    "sort",
    "pcapng",
    "assign",
    "correct",
    "check",
    "beyond",
    "fragment",
    "segment",
    "merge",
    "splice",
    "reassemble",
    "merge runs",
    "answer",
    "wipe",
    "count",
    "conversations",
    "groups",
}  # with buffers of their own


def with_fields(codec: ModuleType) -> bytes:
    """A text with fields."""
    return b"LINKTYPE: 1\n" + bytes(codec.text_encode(BATCH.data, ROWS, 0, 1, 16, False, 2)[0])


def calls() -> dict[str, Callable[[], object]]:
    """What takes memory in the codec, by name; each gives the same in every run."""
    codec = load("c")
    edited = expression.compiled(expression.any_of(["IP"]))

    def assigned() -> object:
        data, counts = bytearray(BATCH.data), {}
        return codec.assign(data, ROWS, ASSIGNMENT, None, True, counts), data, counts

    def counted(function: Callable[..., object], *words: object) -> Callable[[], object]:
        def call() -> object:
            counts: dict[int, int] = {}
            return function(bytearray(BATCH.data), ROWS, *words, counts), counts

        return call

    sound = bytearray(BATCH.data)
    codec.correct(sound, ROWS, 0)

    def divided() -> object:
        counts: dict[int, int] = {}
        return codec.fragment(LARGE.data, bytes(LARGE.rows), 0, (576, 576), False, 1, (0, 1), counts), counts

    def cut() -> object:
        counts: dict[int, int] = {}
        table, rows = codec.handshakes(), bytes(spoken.rows)
        return codec.segment(table, spoken.data, rows, 0, (0, 1, False, False, False), 1, bytes([1]) * len(spoken), counts), counts

    def spliced() -> object:
        counts: dict[int, int] = {}
        put_in = struct.pack("=10q", 0, 20, 0, 0, 900, 1, 20, 2, 9, 40)
        return codec.splice(LARGE.data, bytes(LARGE.rows), 0, put_in, bytes(1000), -1, False, True, counts), counts

    _, pieces, rows, _ = codec.fragment(LARGE.data, bytes(LARGE.rows), 0, (576, 576), False, 1, (0, 1), None)

    def put_together() -> object:
        table = codec.datagrams(1 << 16, (0, 1), struct.pack("=4q", 7, 96, 16, 0))
        return codec.reassemble(table, pieces, rows[:-56], 0, {}), codec.reassemble_rest(table)

    def merged() -> object:
        table, out = codec.run_table([LINE, b""]), bytearray(1 << 20)
        codec.feed(table, 0, BATCH.data, ROWS)
        codec.feed(table, 1, LARGE.data, bytes(LARGE.rows))
        return codec.merge_runs(table, out, 0), out

    def counted_by() -> object:
        counters = codec.counters(7, (program.ROWS, struct.pack("=2q", 0, 1), b""), 1 << 20)
        codec.count(counters, LARGE.data, bytes(LARGE.rows))
        return codec.figures(counters), codec.largest(counters, 2, 0, False)

    said = [frame for n in range(200) for frame in (in_gtp(n, udp_of(A, B)), framed(segment((A[0], n), B, ".", 9, 9, 3)))]
    gaps = [framed(segment(A, B, ".", 9 * n, 9, 3)) for n in range(40)]
    spoken = batch_of([*enumerate([*said, *gaps, *pieces_of()[1:]])])
    spoken_rows, between, apart = bytes(spoken.rows), ends(), keeping_apart()

    def conversations() -> object:
        found = codec.conversation_table(3, 9999, 1 << 30, False, 1, between, apart)
        codec.follow(found, spoken.data, spoken_rows, False)
        return codec.conversation_rows(found, 1, 2), codec.conversation_totals(found)

    def in_groups() -> object:
        numbers = codec.conversation_numbers(
            codec.conversation_table(3, 9, 1 << 30, False, 1, between, apart), spoken.data, spoken_rows
        )
        return codec.group_rows(spoken_rows, numbers), codec.gather_rows(spoken.data, spoken_rows, 0, bytearray(90), 1)

    def sorted_by_keys() -> object:
        data, keyed, _ = codec.key_rows(BATCH.data, ROWS, 0, 1, COLUMN)
        return data, codec.sort_rows(data, keyed, True), keyed

    rough = b"".join(
        b"-- %d --\nNOTE: rough\nSIZE: 1200/1200\n%s\nIP.TTL: 9\n==\n" % (i, b"0a " * (i % 64 * 16)) for i in range(300)
    )
    edited_text = with_fields(codec).replace(b"IP.TTL:\t\t\t0x40", b"ip.ttl: 9\nIP.PROTOCOL: udp")
    return {
        "text": lambda: codec.text_decode(TEXT * 50, 0, len(TEXT) * 50, True, 1, 0, 7),
        "rough text": lambda: codec.text_decode(rough, 0, len(rough), True, 1, 0, 7),
        "edited text": lambda: codec.text_decode(edited_text, 0, len(edited_text), True, 1, 0, 7),
        "pcap": lambda: codec.pcap_decode(PCAP, 0, len(PCAP), True, False, False, 16, 0, 1),
        "pcapng": lambda: codec.pcapng_decode(PCAPNG, 0, len(PCAPNG), False, INTERFACE, LINE),
        "text from packets": lambda: codec.text_encode(BATCH.data, ROWS, 0, 1, 16, False, 0),
        "text with fields": lambda: codec.text_encode(BATCH.data, ROWS, 0, 1, 16, False, 2),
        "json": lambda: codec.json_encode(BATCH.data, ROWS, 0, 1),
        "sort": sorted_by_keys,
        "columns": lambda: codec.columns_encode(BATCH.data, ROWS, 0, 1, COLUMN, b"\0\n\0", 1),
        "pcap from packets": lambda: codec.pcap_encode(BATCH.data, ROWS, 0, False, False),
        "select": lambda: codec.select(BATCH.data, ROWS, edited),
        "assign": assigned,
        "correct": counted(codec.correct, 0),
        "check": counted(codec.check),
        "beyond": counted(codec.beyond),
        "wipe": counted(codec.wipe, *kept(), 1),
        "walk": lambda: codec.walk(bytearray(FRAME), row_of(FRAME)),
        "fragment": divided,
        "segment": cut,
        "merge": lambda: codec.merge(spoken.data, spoken_rows, False, None, None, True),
        "splice": spliced,
        "reassemble": put_together,
        "merge runs": merged,
        "answer": lambda: codec.answer(sound, ROWS, (ANSWER,), {}),
        "count": counted_by,
        "conversations": conversations,
        "groups": in_groups,
        "forward": lambda: codec.forward(BATCH.data, ROWS, {}, 9, 0, 1, b"\1\2"),
    }


def refused(call: Callable[[], object], arm: Callable[[int], object], disarm: Callable[[], object]) -> int:
    """Lets every allocation of a call fail, one after the other; gives by how many it did so.

    What it can do without the memory that it did not get, it does: then its result is the usual one.
    """
    wanted, turn, errors, well = call(), 0, 0, 0
    while well < 3:  # the call may be over, or do without
        arm(turn)
        try:
            result = call()
        except MemoryError:
            result = None
        disarm()
        assert result in (None, wanted)
        turn, errors, well = (turn + 1, errors + 1, 0) if result is None else (turn + 1, errors, well + 1)
        assert call() == wanted  # nothing is left of it
    return errors


def own() -> None:
    """The codec's own allocations, by the library in front of the system's."""
    library = ctypes.CDLL(None)
    for name, call in calls().items():
        print(name, refused(call, lambda turn: library.refuse(ctypes.c_long(turn)), lambda: library.refuse(ctypes.c_long(-1))))


def pythons() -> None:
    """Those that it lets Python make, by Python's own means."""
    import _testcapi

    for name, call in calls().items():
        print(name, refused(call, lambda turn: _testcapi.set_nomemory(turn + 1, turn + 2), _testcapi.remove_mem_hooks))


def raised(which: str, **environment: str) -> dict[str, int]:
    """How many of the allocations of each call raised, in a process of its own."""
    load("c")
    folders = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests/support")]
    words = [sys.executable, "-c", f"import sys; sys.path[:0] = {folders}; import test_codec_memory as t; t.{which}()"]
    done = subprocess.run(words, capture_output=True, env={**os.environ, **environment}, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return {name: int(count) for name, _, count in (line.rpartition(" ") for line in done.stdout.decode().splitlines())}


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that refuses."""
    if not shutil.which("cc"):
        pytest.skip("cc is not installed")
    if "LD_PRELOAD" in os.environ:
        pytest.skip("LD_PRELOAD is taken: somebody else is watching memory")
    library = tmp_path_factory.mktemp("memory") / "no_memory.so"
    words = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", ROOT / "tests/no_memory.c", "-o", library, "-ldl"]
    subprocess.run(words, check=True)
    return library


def test_what_the_codec_asks_for_itself(preloaded: Path) -> None:
    found = raised("own", LD_PRELOAD=str(preloaded))
    assert set(found) == set(calls())
    assert {name for name, count in found.items() if count} == GROWING


def test_what_python_allocates_for_it() -> None:
    pytest.importorskip("_testcapi", reason="this Python is without its test modules")
    found = raised("pythons")
    assert set(found) == set(calls())
    assert all(found.values())
