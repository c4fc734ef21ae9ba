"""Counts packets and bytes: rates, sizes, protocols, talkers, groups by fields.

pkt-stat --by IP.SRC_ADDR,UDP.DST_PORT --sort bytes 'UDP' < packets.txt

Bytes are those of frames on the wire.
"""

from ..command_line.options import BUFFER, FLAG, INPUT, NUMBER, OUTPUT, PICK, REAL, TEXT, UTC, Option, Values, general_briefly
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink
from ..statistics.figures import MEMORY, SECTIONS, TOP, Figures, Snapshot, sections

PLACE = "last"
PICKED = ("--and", "--reverse", "--skip", "--limit", "--bpf")  # of PICK, on a help screen that has no room for all
SHORTEST_INTERVAL = 0.001  # seconds
OPTIONS = [
    Option("--show", TEXT, f"only these, of {','.join(SECTIONS)}", "WHAT,..."),
    Option("--by", TEXT, "group packets by fields: IP.DST_ADDR,TCP.DST_PORT", "FIELD,..."),
    Option("--sort", TEXT, "most first: packets (default) or bytes", "WHAT", default="packets", choices=("packets", "bytes")),
    Option("--top", NUMBER, f"rows of groups and talkers (default {TOP}); 0: all", "COUNT", default=TOP),
    Option("--memory", NUMBER, "what groups may take (default 1 GiB); the rest: others", "BYTES", default=MEMORY, least=1),
    Option("--every", REAL, "figures every SECONDS, too", "SECONDS", least=SHORTEST_INTERVAL),
    Option("--json", FLAG, "write an object of JSON a line"),
    *INPUT,
    *(option for option in OUTPUT if "--out" in option.names),
    UTC.unshown(),
    *(option if option.names[-1] in PICKED else option.unshown() for option in PICK),
    *BUFFER,
    *general_briefly(),
]  # fmt: skip


def stage(values: Values) -> Stage:
    """Counts, and writes figures. Raises UsageError."""
    shown = sections(values.show, values.by)
    figures = Figures(shown, values.by, values.memory, values.sort == "bytes")

    def text(found: Snapshot) -> str:
        if values.json:
            from ..statistics.records import record

            return record(found, shown, values.top)
        from ..statistics.tables import report

        return "".join(f"{line}\n" for line in report(found, shown, values.top))

    def sink(source: Source) -> Sink:
        from ..statistics.report import Report

        return Report(Output(values.output, source.file), figures, text, values.interval)

    return Stage(values, sink=sink, slip=True)
