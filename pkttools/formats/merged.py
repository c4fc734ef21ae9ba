"""Several streams of packets merged to one, each of them by time."""

from __future__ import annotations

from .. import codec
from ..batch import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOM = 1 << 20  # bytes of a batch of merged packets, unless one of them is larger; and of its rows, more or less


def merged(streams: Sequence[Iterator[Batch]], lines: Sequence[bytes] = (), *, keyed: bool = False, prompt: bool = False,
           backwards: Callable[[int, int, int], None] | None = None) -> Iterator[Batch]:  # fmt: skip
    """The packets of several streams, by time; at equal times those of the first stream, and of each in its own order.

    Of each stream one batch is held, and asked for the next when that one is used up. lines: for each stream the line
    `IFACE: name` of packets that have none. keyed: by keys instead of times, see codec.key_rows. prompt: whether what is there is
    handed on before a stream is waited for. backwards: learns of times that go backwards within a stream: its number, of which of
    its packets first, from 1, and of how many.
    """
    table = codec.run_table(list(lines) or [b""] * len(streams), keyed)
    came = [0] * len(streams)

    def feed(which: int) -> None:
        batch = next((batch for batch in streams[which] if len(batch)), None)
        if batch is None:
            codec.feed(table, which, b"", b"")
            return
        back, first = codec.feed(table, which, batch.data, batch.rows)
        if back and backwards:
            backwards(which, came[which] + first + 1, back)
        came[which] += len(batch)

    for which in range(len(streams)):
        feed(which)
    out, rows, used = bytearray(ROOM), bytearray(), 0
    while True:
        more, used, waits = codec.merge_runs(table, out, used)
        rows += more
        if waits >= 0 and not prompt and len(rows) < len(out):
            feed(waits)
        elif rows:
            yield Batch(out, rows)
            rows, used = bytearray(), 0
            if waits >= 0:
                feed(waits)
        elif waits == codec.OUTPUT_FULL:
            out.extend(bytes(len(out)))
        if waits == codec.ALL_ENDED:
            return
