"""Shows packets to people: their headers, whether checksums are right, and their data.

pkt-analyze -lv 2 'UDP.DST_PORT==53' < packets.txt

Layers: 1 size and time, 2 link, 3 network, 4 transport, 5 application (only with -lh 5, or -ll 5).
"""

from ..command_line.options import BUFFER, FLAG, INPUT, NUMBER, OUTPUT, PICK, UTC, Option, Values, general_briefly
from ..errors import need
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink, format_of

PLACE = "last"
SHOWN = ("--and", "--reverse", "--skip", "--limit", "--bpf")  # of PICK, on a help screen that has no room for all
OPTIONS = [
    Option("-lv --level", NUMBER, "1 names, 2 a line a header, 3 headers (default), 4 some data, 5 or 0 all", "LEVEL",
           default=3, most=5),
    Option("-ll --lowest-layer", NUMBER, "show no layer below LAYER", "LAYER", default=0, most=5),
    Option("-lh --highest-layer", NUMBER, "show no layer above LAYER; 5: applications, too", "LAYER", default=0, most=5),
    Option("-x --hex-dump", FLAG, "show the bytes of each frame in a box, behind the headers"),
    *INPUT,
    *(option for option in OUTPUT if "--out" in option.names),
    UTC.unshown(),
    *(option if option.names[-1] in SHOWN else option.unshown() for option in PICK),
    *BUFFER,
    *general_briefly(),
]  # fmt: skip


VIEWS: list[str] = []  # besides the listing: attributes of the options that ask for them, and modules of views/


def stage(values: Values) -> Stage:
    """Prints each packet."""
    lowest, highest = values.lowest_layer, values.highest_layer
    views = [name for name in VIEWS if getattr(values, name)]
    need(len(views) < 2, f"--{' and --'.join(views)}: one view at a time")
    need(not highest or lowest <= highest, "-ll above -lh leaves nothing")
    need(format_of(values.output) in (None, "text"), f"--out {values.output}: that is the name of a capture, and text is written")

    def sink(source: Source) -> Sink:
        from ..views import view

        return view(views[0] if views else "listing", values, Output(values.output, source.file))

    return Stage(values, sink=sink, slip=True)
