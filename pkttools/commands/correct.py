"""Corrects checksums of IP, TCP, UDP, ICMP and more, in tunnels too.

What cannot be corrected, because the packet was truncated or is a fragment, passes as it is and is counted.
"""

from .. import codec
from ..batch import Batch
from ..command_line.options import FILTER, FLAG, Option, Values
from ..errors import counted, judged
from ..flow.stage import Stage, each

OPTIONS = [Option("-L --lengths", FLAG, "correct IP total length, IPv6 payload length and UDP length too"), *FILTER]


REASONS = ("truncated", "fragments", "malformed", "on an unknown route")


def stage(values: Values) -> Stage:
    """Corrects, and says what it could not correct; and what it has, where that is not what one expects."""
    beyond: dict[int, int] = {}
    counts = [0] * 9
    what = codec.LENGTHS if values.lengths else codec.ALL

    mended = None
    if values.verbose:
        from ..work.mended import Mended, frames_of  # late: only where it is to be said

        mended = Mended()

    def corrected(batch: Batch) -> Batch:
        before = frames_of(batch) if mended else []
        for i, count in enumerate(codec.correct(batch.data, batch.rows, what, beyond)):
            counts[i] += count
        if mended:
            mended.compare(before, batch)
        return batch

    def account() -> list[str]:
        failed, (wrong, unfinished, shorter, longer), said = counts[codec.TRUNCATED : codec.WRONG], counts[codec.WRONG :], []
        if unfinished or values.verbose:
            said.append(f"checksums corrected: {judged(wrong, unfinished)}")
        if mended and mended.packets:
            said.append(mended.said())
        parts = [f"{count} {reason}" for count, reason in zip(failed, REASONS, strict=True) if count]
        if parts:
            said.append(f"{counted(sum(failed), 'packet')} not corrected in full: {', '.join(parts)}")
        parts = [f"for {what} in {count}" for what, count in (("a trailer", shorter), ("payload", longer)) if count]
        if parts:
            undecided = counted(shorter + longer, "packet")
            said.append(f"{undecided} could not be decided: bytes behind a datagram were taken {', '.join(parts)}")
        return said

    made = Stage(values, [each(corrected)], account=account, beyond=beyond, apart=True, tallies=[counts, mended])
    made.corrects = None if mended else (what, counts)
    return made
