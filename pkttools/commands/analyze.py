"""Shows packets to people: headers, checksums, data.

pkt-analyze -lv 2 'UDP.DST_PORT==53' < packets.txt

Layers: 1 size and time, 2 link, 3 network, 4 transport, 5 application (only with -lh 5, or -ll 5).
"""

from ..command_line.colour import COLOUR
from ..command_line.options import BUFFER, FLAG, INPUT, NUMBER, OUTPUT, TEXT, UTC, Option, Values, general_briefly, pick_briefly
from ..errors import need
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink

PLACE = "last"
OPTIONS = [
    Option("-lv --level", NUMBER, "1 names, 2 a line a header, 3 headers (default), 4 some data, 5 or 0 all", "LEVEL",
           default=3, most=5),
    Option("-ll --lowest-layer", NUMBER, "show no layer below LAYER", "LAYER", default=0, most=5),
    Option("-lh --highest-layer", NUMBER, "show no layer above LAYER; 5: applications, too", "LAYER", default=0, most=5),
    Option("-x --hex-dump", FLAG, "the bytes of each frame in a box, behind the rest"),
    Option("--tree", FLAG, "every field: value, its name, what is wrong"),
    Option("--explain", FLAG, "bytes beside fields, what they mean, and why"),
    Option("--diagram", FLAG, "headers as RFCs draw them, with values"),
    Option("-1 --line", FLAG, "a line a packet (times: --relative, --delta)"),
    Option("--relative", FLAG, "with --line: times since the first packet").unshown(),
    Option("--delta", FLAG, "with --line: times since the packet before").unshown(),
    Option("--ladder", FLAG, "a sequence diagram: arrows between hosts"),
    Option("--svg", TEXT, "write --ladder or --diagram as a picture to FILE", "FILE", end="last"),
    Option("--html", TEXT, "write a page for browsers: all of that, linked", "FILE", end="last"),
    COLOUR,
    Option("--json", FLAG, "JSON Lines: all fields, an object a packet"),
    Option("--fields", TEXT, "a table of NUMBER,IP.TTL...; -F csv, parquet", "LIST"),
    Option("-F --format", TEXT, "of that table: tsv (default), csv, jsonl or parquet", "FORMAT",
           choices=("tsv", "csv", "jsonl", "parquet"), end="last",
           hidden=True),
    *INPUT,
    *(option for option in OUTPUT if option.attribute in ("output", "compress")),
    UTC.unshown(),
    *pick_briefly(),
    *BUFFER,
    *general_briefly(),
]  # fmt: skip


# The views, modules of views/, and the options that say how they look; all but the listing have an option of their name.
VIEWS = {
    "listing": ("level", "lowest_layer", "highest_layer", "hex_dump", "color"),
    "tree": ("color",),
    "explain": ("color",),
    "diagram": ("svg", "color"),
    "line": ("relative", "delta", "color"),
    "ladder": ("svg", "color"),
    "json": (),
    "html": (),
    "fields": ("format",),
}


def view_of(values: Values) -> str:
    """The view that is asked for. Raises UsageError where there are several, or an option of another one."""
    asked = [name for name in VIEWS if getattr(values, name, None) not in (None, False)]
    need(len(asked) < 2, f"--{' and --'.join(asked)}: one view at a time")
    name = asked[0] if asked else "listing"
    for option in values.given(OPTIONS):
        takers = [view for view, options in VIEWS.items() if option.attribute in options]
        whose = " and ".join(f"--{view}" if hasattr(values, view) else f"the {view}" for view in takers)
        need(not takers or name in takers, f"{option.names[-1]} is for {whose}")
    return name


def stage(values: Values) -> Stage:
    """Prints each packet."""
    lowest, highest = values.lowest_layer, values.highest_layer
    shown = view_of(values)
    need(not (values.relative and values.delta), "--relative and --delta: one of them")
    need(not highest or lowest <= highest, "-ll above -lh leaves nothing")
    files = {name: path for name in ("html", "svg", "output") if (path := getattr(values, name))}
    need(len(files) < 2, "--html, --svg and --out: one file is written")
    name, path = next(iter(files.items()), ("output", None))
    option = "--out" if name == "output" else f"--{name}"
    if path is not None:
        from ..formats.guarded import guard  # late: most views go to standard output

        guard(option, path, {"html": "a page", "svg": "a picture"}.get(name, "text"))

    numbered = shown in ("line", "ladder", "json", "html")
    if shown == "fields":
        from ..views.fields import check, ready  # late: the others need no list of fields

        numbered = "NUMBER" in check(values)

    def sink(source: Source) -> Sink:
        from ..views import view

        if shown == "fields":
            ready(values)
        return view(shown, values, Output(getattr(values, name), source.file, compress=values.compress))

    made = Stage(values, sink=sink, slip=True, apart=True)
    made.numbers = numbered and bool(made.keep or values.skip)
    made.fields = values.fields or ""
    return made
