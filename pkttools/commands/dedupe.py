"""Passes no packet that came before: doubles, as of a mirror port.

pkt-dedupe --within 10ms --ignore routing < packets.txt

The same are link type, original size and bytes, on whatever interface; of packets
before, doubles count as well. --ignore takes sets, fields and headers, as pkt-diff.
"""

from __future__ import annotations

from ..command_line.options import FLAG, NUMBER, OCTETS, TEXT, Option, Values, filter_briefly
from ..compare.doubles import MEMORY, WINDOW, Doubles
from ..compare.ignoring import Ignored
from ..errors import need
from ..flow.stage import Stage

OPTIONS = [
    Option("--window", NUMBER, "compare with N packets before (default 5; 0: off)", "N", default=-1, least=0),
    Option("--within", TEXT, "compare with those of up to TIME before: 10ms", "TIME"),
    Option("--ignore", TEXT, "what may differ: routing, checksums, mac, IP.TTL", "LIST", several=True),
    Option("--same-interface", FLAG, "those of several interfaces are no doubles"),
    Option("--only-doubles", FLAG, "pass doubles, and nothing else"),
    Option("--memory", OCTETS, "bytes of packets to compare with (default 64 MiB)", "BYTES", default=MEMORY, least=1),
    *filter_briefly(),
]


def stage(values: Values) -> Stage:
    """Looks for doubles, and says how many there were. Raises UsageError."""
    within = None
    if values.within is not None:
        from ..language.times import span  # late: seldom

        within = span("--within", values.within)
    need(values.window != 0 or within is None, "--window 0 looks for no doubles, and --within for some")
    window = values.window if values.window >= 0 else None if within is not None else WINDOW
    doubles = Doubles(Ignored.of(",".join(values.ignore)), window, within, values.memory,
                      interfaces=bool(values.same_interface), only=bool(values.only_doubles))  # fmt: skip
    return Stage(values, [doubles], account=doubles.said, slip=True, tallies=[doubles])
