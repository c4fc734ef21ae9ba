"""Changes the times of packets, and puts them in order.

pkt-time --start now --scale 1/2 < packets.txt

TIME is 20ms, -1.5s, 2h: ns, us, ms, s, min, h, d; without a unit it is in seconds.
"""

from __future__ import annotations

from ..command_line.options import BUFFER, INPUT, OUTPUT, TEXT, Option, Values, general_briefly, pick_briefly
from ..errors import counted, need
from ..flow.guard import CONDITION, conditions
from ..flow.stage import Stage
from ..language.arguments import arguments
from ..language.times import duration, moment, ratio, span
from ..work.ordering import Ordered
from ..work.times import Retimer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..flow.stage import Work

OPTIONS = [
    Option("--shift", TEXT, "add TIME, or take it away: -1.5s", "TIME"),
    Option("--start", TEXT, "let the first be at WHEN: now, seconds, a date", "WHEN"),
    Option("--scale", TEXT, "multiply distances to the first: 0.5, 1/3, 200%", "FACTOR"),
    Option("--every", TEXT, "let each be TIME after the one before", "TIME"),
    Option("--least-gap", TEXT, "the same, but for those that are later already", "TIME"),
    Option("--sort-window", TEXT, "sort packets that are out of order by up to TIME", "TIME"),
    CONDITION,
    *INPUT,
    *OUTPUT,
    *pick_briefly(),
    *BUFFER,
    *general_briefly(),
]


def stage(values: Values) -> Stage:
    """Changes times, then sorts; where distances are set it sorts first."""
    changes = [values.shift, values.start, values.scale, values.interval, values.least_gap]
    need(any(change is not None for change in (*changes, values.sort_window)),
         "change what? One of --shift, --start, --scale, --every, --least-gap, --sort-window")  # fmt: skip
    need(values.shift is None or values.start is None, "only one of --shift and --start")
    need(values.interval is None or values.scale is None, "only one of --every and --scale")
    chosen, beside = conditions(values)
    retimer = Retimer(
        shift=0 if values.shift is None else duration("--shift", values.shift),
        start=None if values.start is None else moment("--start", values.start),
        scale=(1, 1) if values.scale is None else ratio("--scale", values.scale),
        every=None if values.interval is None else span("--every", values.interval),
        gap=None if values.least_gap is None else span("--least-gap", values.least_gap),
        chosen=chosen.verdicts if chosen else None,
    )  # fmt: skip
    work: list[Work] = [retimer]
    ordered = None if values.sort_window is None else Ordered(span("--sort-window", values.sort_window))
    if ordered:
        work.insert(0 if values.interval is not None or values.least_gap is not None else 1, ordered)

    def account() -> list[str]:
        said = retimer.said()
        if ordered and ordered.late:
            said.append(f"{counted(ordered.late, 'packet')} out of order by more than {values.sort_window}")
        return said

    return Stage(values, work, program=arguments(values, (), beside), account=account,
                 tallies=[retimer, ordered])  # fmt: skip
