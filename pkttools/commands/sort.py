"""Puts packets in order: by time, or by what they hold.

pkt-sort --by IP.SRC_ADDR,-TIME < packets.txt

Equal ones stay in the order in which they came; those without a field come last.
"""

from __future__ import annotations

from ..command_line.options import FILTER, OCTETS, TEXT, Option, Values, picks
from ..errors import need
from ..flow.foreseen import Foreseen
from ..flow.stage import Stage
from ..work.sorting import LEAST, MEMORY, Sorted, columns_of_keys

OPTIONS = [
    Option("--by", TEXT, "by these and not by time; -FIELD: largest first", "FIELD,..."),
    Option("--memory", OCTETS, "what packets may take (default 64 MiB); TMPDIR: more", "BYTES", default=MEMORY, least=LEAST),
    *FILTER,
]


def stage(values: Values) -> Stage:
    """Sorts."""
    need(
        bool(not values.reverse or values.arguments or picks(values)),
        "-r turns the filter around, and there is none; --by -TIME, or -FIELD, puts the largest first",
    )
    ordered = Sorted(values.memory, b"" if values.by is None else columns_of_keys(values.by))
    sorting = Stage(values, [ordered], source=lambda: Foreseen(values, ordered), slip=True,
                    account=lambda: ordered.said(values.verbose), fails=lambda: ordered.late > 0, tallies=[ordered])  # fmt: skip
    sorting.gathers = True
    sorting.fields = values.by or ""
    return sorting
