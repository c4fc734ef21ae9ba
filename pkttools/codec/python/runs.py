"""Runs of packets, each by time, merged to one; twin of ../c/runs.c."""

from __future__ import annotations

from array import array
from heapq import heappop, heappush

from ...batch import CAPTURED, COLUMNS, NOTES, NOTES_SIZE, OFFSET, TIME
from .. import ALL_ENDED, OUTPUT_FULL
from .order import key_of, standing, told
from .rows import checked


class Run:
    """Packets in the order in which they are to stay, as they came up to now.

    line: what packets without a line IFACE are given. at: where the row of the next one begins among `values`.
    """

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.data = bytearray()
        self.values: list[int] = []
        self.at = 0
        self.last: int | None = None
        self.ended = False
        self.line_at: int | None = None  # where that line stands in the output


class Runs:
    """What `run_table` makes."""

    def __init__(self, lines: list[bytes], keyed: bool) -> None:
        self.keyed = keyed
        self.runs = [Run(line) for line in lines]
        self.heap: list[tuple[int | bytes, int]] = []  # time, or key, of the next packet, and the run that has it
        self.waiting = len(lines)

    def next(self, which: int) -> tuple[int | bytes, int]:
        """What stands in the heap for a run."""
        run = self.runs[which]
        row = run.values[run.at : run.at + COLUMNS]
        return key_of(run.data, row) if self.keyed else row[TIME], which


def run_table(lines: list[bytes], keyed: bool = False) -> object:
    """A table of runs of packets, for `feed` and `merge_runs`: each by time, and first those that are named first.

    lines: for each run the line `IFACE: name` that its packets are given where they have none; empty: they stay as they are.
    keyed: they are merged by keys instead, see order.py, which go along.
    """
    if not isinstance(lines, list) or not all(isinstance(line, bytes) for line in lines):
        raise TypeError("lines are a list of bytes")
    return Runs(lines, keyed)


def need_table(table: object) -> Runs:
    """Raises TypeError where it is none."""
    if not isinstance(table, Runs):
        raise TypeError("no table of runs")
    return table


def feed(table: object, run: int, data: bytearray, rows: bytes) -> tuple[int, int]:
    """Gives a run that waits its next packets, which stay as they are until it waits again; without any it has ended.

    In the beginning all wait. Returns how many of them are earlier than the one before, and which is the first of these.
    """
    known, values = need_table(table), checked(data, rows)
    one = known.runs[run] if 0 <= run < len(known.runs) else None
    if one is None or one.ended or one.at < len(one.values):
        raise ValueError("no such run waits")
    one.data, one.values, one.at, one.ended = data, values, 0, not values
    known.waiting -= 1
    if not values:
        return 0, 0
    times = values[TIME::COLUMNS]
    back = [i for i, (a, b) in enumerate(zip([times[0] if one.last is None else one.last, *times], times, strict=False)) if b < a]
    one.last = times[-1]
    heappush(known.heap, known.next(run))
    return len(back), back[0] if back else 0


def merge_runs(table: object, out: bytearray, used: int) -> tuple[bytearray, int, int]:
    """Copies packets to `out`, from `used` on: the earliest of the next ones of all runs, at equal times of the first run.

    With the record of a capture that stands in front of each, if there is one, and its lines; what is used from the front on, 0, is
    another output. Stops where a run waits. Returns their rows; what is used then; the run that waits, ALL_ENDED, or OUTPUT_FULL.
    """
    known = need_table(table)
    if not 0 <= used <= len(out):
        raise ValueError("range lies outside of the buffer")
    if known.waiting:
        raise ValueError("a run waits")
    rows, heap = array("q"), known.heap
    if not used:
        for run in known.runs:
            run.line_at = None
    while heap:
        which = heap[0][1]
        run = known.runs[which]
        row = run.values[run.at : run.at + COLUMNS]
        record = standing(run.data, row)
        frame = record + bytes(run.data[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
        notes = bytes(run.data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
        line = b"" if any(one.startswith(b"IFACE:") for one in notes.split(b"\n")) else run.line
        key = told(key_of(run.data, row)) if known.keyed else b""
        if len(frame) + len(line) + len(notes) + len(key) > len(out) - used:
            return bytearray(rows.tobytes()), used, OUTPUT_FULL
        heappop(heap)
        shared = bool(line) and not notes
        if shared and run.line_at is None:
            run.line_at, used = used, put(out, used, line)
        row[OFFSET] = used + len(record)
        used = put(out, used, frame)
        row[NOTES] = used
        if shared and run.line_at is not None:
            row[NOTES] = run.line_at
        else:
            used = put(out, used, line + notes)
        used = put(out, used, key)
        row[NOTES_SIZE] = len(line) + len(notes)
        rows.extend(row)
        run.at += COLUMNS
        if run.at == len(run.values):
            run.data = bytearray()
            known.waiting += 1
            return bytearray(rows.tobytes()), used, which
        heappush(heap, known.next(which))
    return bytearray(rows.tobytes()), used, ALL_ENDED


def put(out: bytearray, used: int, more: bytes) -> int:
    """Copies bytes there; gives where they end."""
    out[used : used + len(more)] = more
    return used + len(more)
