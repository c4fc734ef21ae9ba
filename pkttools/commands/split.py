"""Splits a stream into files.

pkt-split --by flow --out 'flow-{IP.SRC_ADDR}-{n}.pcap' < in.pcap

In names: {n} the file's number, {time} and {FIELD} of its first packet.
Unless a name's ending or -F says a format, it is the one that is read.
"""

from __future__ import annotations

from ..command_line.options import FLAG, NUMBER, OCTETS, TEXT, Option, Values, filter_briefly, format_option
from ..errors import need
from ..flow.stage import Source, Stage
from ..formats import named_format, sink_of
from ..formats.files import Output, Sink, compression_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..formats.pieces import Cut
    from ..split.keys import Keys

PLACE = "last"
MEMORY = 128 << 20  # bytes
LEAST = 1 << 20
OPTIONS = [
    Option("--count", NUMBER, "begin a new file after COUNT packets", "COUNT", least=1),
    Option("--size", OCTETS, "begin a new file after SIZE: 100M", "SIZE", least=1),
    Option("--span", TEXT, "begin a new file after TIME: 10min", "TIME"),
    Option("--by", TEXT, "a file for each flow, or each value of fields", "flow|FIELD,..."),
    Option("--between", TEXT, "of whom flows are: ports (default), network, link", "WHAT", default="ports",
           choices=("ports", "network", "link")),
    Option("--out", TEXT, "names of the files: 'part-{n}.pcap'", "TEMPLATE", end="last"),
    Option("--list", FLAG, "write packets and name of each file to standard output"),
    Option("--memory", OCTETS, "with --by, gather BYTES of packets (default 128 MiB)", "BYTES", default=MEMORY, least=LEAST),
    *(format_option("what is read") if "--format" in option.names else option
      for option in filter_briefly() if "--out" not in option.names),
]  # fmt: skip


class Parts:
    """What makes the sink that writes many files. form: in which, if it is said."""

    def __init__(self, values: Values) -> None:
        """Raises UsageError, PktError where what compresses is missing."""
        from ..split.names import Template, wrong_output

        given = [
            option.names[-1] for option in values.given(OPTIONS) if option.names[-1] in ("--count", "--size", "--span", "--by")
        ]
        need(
            len(given) == 1,
            f"one of --count, --size, --span and --by says where a file ends{': not ' * bool(given)}{' and '.join(given)}",
        )
        need(values.between == "ports" or values.by == "flow", "--between is for --by flow")
        need(values.memory == MEMORY or values.by is not None, "--memory is for --by")
        need(not values.decimal or values.fields or values.all_fields, "--decimal is for numbers that -a or -aa adds")
        wrong_output(values.output)
        self.values, self.template = values, Template(values.output)
        if how := compression_of(values.output, values.compress):
            from ..formats.compressed import imported

            imported(how)  # before a file is there, or one that was is emptied
        asked = next((option.form for option in values.given(OPTIONS) if option.form), None)
        self.form = values.format = named_format(values, None) or asked
        self.keys = keys_of(values) if values.by is not None else None
        self.cut = cut_of(values) if values.by is None else None

    def __call__(self, source: Source) -> Sink:
        """The sink."""
        from ..split.names import Names

        if source.file and self.form in (None, "pcapng"):
            from ..formats.sections import Sections

            source.file.sections = Sections(form="pcapng")

        def make(output: Output) -> Sink:
            sink = sink_of(self.values, output, self.form or source.form)
            if source.file:
                sink.beside(source.file)
            return sink

        names = Names(self.template, source.file)
        if self.keys:
            from ..split.beside import Beside

            return Beside(self.values, make, self.keys, names)
        from ..split.in_turn import InTurn

        return InTurn(self.values, make, lambda: self.cut(self.form or source.form), names)  # type: ignore[misc]  # there is one of both


def keys_of(values: Values) -> Keys:
    """What tells packets apart. Raises UsageError."""
    from ..split.keys import ByFields, ByFlow

    if values.by != "flow":
        return ByFields(values.by)
    from ..statistics.conversations import LEVELS

    return ByFlow(LEVELS[values.between])


def cut_of(values: Values) -> Callable[[str], Cut]:
    """What says where a file ends, once it is known in which format they are. Raises UsageError."""
    from ..formats.pieces import ByCount, BySize, BySpan

    if values.count is not None:
        return lambda form: ByCount(values.count)
    if values.size is not None:
        return lambda form: BySize(values.size, values, form)
    from ..language.times import duration

    span = duration("--span", values.span)
    need(span > 0, f"--span {values.span}: wanted is more than nothing")
    return lambda form: BySpan(span)


def stage(values: Values) -> Stage:
    """Writes files, and says which. Raises UsageError."""
    parts = Parts(values)
    splitting = Stage(values, sink=parts, slip=True)
    splitting.divides = True
    splitting.fields = ",".join((values.by or "", *(column.name for column in parts.template.columns)))
    return splitting
