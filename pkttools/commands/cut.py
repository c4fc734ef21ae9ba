"""Cuts packets: at a size, in their middle, behind their end.

pkt-cut --strip-trailer < packets.txt    pkt-cut --bytes 14..17

Around octets that are taken out lengths and checksums follow; --snap keeps what was there in the original size.
"""

from __future__ import annotations

from ..batch import MAX_FRAME
from ..command_line.options import FLAG, OCTETS, TEXT, Option, Values, filter_briefly
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage
from ..work.cut import Cutter, ranges_of

OPTIONS = [
    CONDITION,
    Option("--snap", OCTETS, "keep the first N bytes, as a capture would have", "N", most=MAX_FRAME),
    Option("--fix-length", OCTETS, "make packets N bytes long: cut, or filled with zeros", "N", most=MAX_FRAME),
    Option("--pad", FLAG, "fill up what was cut off, and frames below 60 bytes"),
    Option("--strip-fcs", FLAG, "take a frame check sequence off"),
    Option("--add-fcs", FLAG, "add a right one to Ethernet frames"),
    Option("--strip-trailer", FLAG, "take off what stands behind the packet in a frame"),
    Option("--bytes", TEXT, "take bytes A to B out, from 0 on; -1 is the last", "A..B", several=True),
    Option("--keep", FLAG, "lengths and checksums stay"),
    *filter_briefly(),
]


def stage(values: Values) -> Stage:
    """Cuts, and says what it could not."""
    cutter = Cutter(values, ranges_of(values.bytes), condition(values))

    def account() -> list[str]:
        return cutter.passed.said() if cutter.steps else ["nothing was cut: --snap N, --bytes A..B and others say what is"]

    return Stage(values, [cutter], account=account, beyond=cutter.beyond, apart=True, tallies=[cutter])
