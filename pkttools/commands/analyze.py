"""Shows packets to people: their headers, whether checksums are right, and their data.

pkt-analyze -lv 2 'UDP.DST_PORT==53' < packets.txt

Layers: 1 size and time, 2 link, 3 network, 4 transport, 5 application (only with -lh 5, or -ll 5).
"""

from ..command_line.options import BUFFER, FLAG, GENERAL, INPUT, NUMBER, OUTPUT, PICK, UTC, Option, Values
from ..errors import need
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink, format_of

PLACE = "last"
OPTIONS = [
    Option("-lv --level", NUMBER, "1 names, 2 a line a header, 3 headers (default), 4 some data, 5 or 0 all", "LEVEL",
           default=3, most=5),
    Option("-ll --lowest-layer", NUMBER, "show no layer below LAYER", "LAYER", default=0, most=5),
    Option("-lh --highest-layer", NUMBER, "show no layer above LAYER; 5: applications, too", "LAYER", default=0, most=5),
    Option("-x --hex-dump", FLAG, "show the bytes of each frame in a box, behind the headers"),
    *INPUT,
    *(option for option in OUTPUT if "--out" in option.names),
    UTC,
    *PICK,
    *BUFFER,
    *GENERAL,
]  # fmt: skip


def stage(values: Values) -> Stage:
    """Prints each packet."""
    level, lowest, highest, dump = values.level, values.lowest_layer, values.highest_layer, bool(values.hex_dump)
    need(not highest or lowest <= highest, "-ll above -lh leaves nothing")
    need(format_of(values.output) in (None, "text"), f"--out {values.output}: that is the name of a capture, and text is written")

    def sink(source: Source) -> Sink:
        from ..formats.analysis import AnalysisSink

        return AnalysisSink(Output(values.output, source.file), level, lowest, highest, dump, bool(values.verbose))

    return Stage(values, sink=sink, slip=True)
