"""Counts packets and bytes: rates, sizes, protocols, conversations.

pkt-stat --by IP.SRC_ADDR,UDP.DST_PORT --sort bytes 'UDP' < packets.txt

Bytes are those of frames on the wire.
"""

from ..command_line.options import (
    BUFFER,
    FLAG,
    INPUT,
    NUMBER,
    OCTETS,
    OUTPUT,
    REAL,
    TEXT,
    UTC,
    Option,
    Values,
    general_briefly,
    pick_briefly,
)
from ..errors import need
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink
from ..statistics.figures import MEMORY, SECTIONS, TOP, Figures, Snapshot, sections

PLACE = "last"
SHORTEST_INTERVAL = 0.001  # seconds
OPTIONS = [
    Option("--show", TEXT, f"only these, of {','.join(SECTIONS)}", "WHAT,..."),
    Option("--by", TEXT, "group packets by fields: IP.DST_ADDR,TCP.DST_PORT", "FIELD,..."),
    Option("--sort", TEXT, "most first: packets (default), bytes, or handshake", "WHAT", default="packets",
           choices=("packets", "bytes", "handshake")),
    Option("--top", NUMBER, f"rows of talkers, conversations... (default {TOP}); 0: all", "COUNT", default=TOP),
    Option("--memory", OCTETS, "what groups may take (default 2 GiB); the rest: others", "BYTES", default=MEMORY, least=1),
    Option("--between", TEXT, "of whom conversations are: ports (default), network, link", "WHAT", default="ports",
           choices=("ports", "network", "link")),
    Option("--every", REAL, "figures every SECONDS, too", "SECONDS", least=SHORTEST_INTERVAL),
    Option("--plot", FLAG, "bars, too: packets and bytes over time, sizes, gaps"),
    Option("--svg", TEXT, "write these bars as a picture to FILE, and no text", "FILE", end="last"),
    Option("--json", FLAG, "write an object of JSON a line"),
    *INPUT,
    *(option for option in OUTPUT if option.attribute in ("output", "compress")),
    UTC.unshown(),
    *pick_briefly(),
    *BUFFER,
    *general_briefly(),
]  # fmt: skip


def stage(values: Values) -> Stage:
    """Counts, and writes figures. Raises UsageError."""
    need(values.svg is None or values.output is None, "--svg and --out: one file is written")
    need(values.svg is None or values.interval is None, "--svg is written once, at the end: not with --every")
    need(not values.json or (values.svg is None and not values.plot), "--json has no bars")
    need(not values.plot or values.svg is None, "--plot and --svg: one of them")
    path = values.svg or values.output
    if path is not None:
        from ..formats.guarded import guard  # late: most goes to standard output

        guard("--svg" if values.svg else "--out", path, "a picture" if values.svg else "text")
    shown = sections(values.show, values.by) if values.svg is None else set()
    need(values.sort != "handshake" or "conversations" in shown, "--sort handshake is for --show conversations")
    figures = Figures(shown, values.by, values.memory, values.sort, values.between)

    def text(found: Snapshot) -> bytes:
        if values.svg is not None:
            from ..statistics.charts import picture

            return picture(found)
        if values.json:
            from ..statistics.records import record

            return record(found, shown, values.top).encode()
        from ..statistics.tables import report

        return "".join(f"{line}\n" for line in report(found, shown, values.top, bool(values.plot))).encode()

    def sink(source: Source) -> Sink:
        from ..statistics.report import Report

        return Report(Output(values.svg or values.output, source.file, compress=values.compress), figures, text, values.interval)

    counting = Stage(values, sink=sink, slip=True)
    counting.fields = values.by or ""
    return counting
