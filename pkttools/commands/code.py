"""Writes packets as code: scapy, C, Python, trafgen, hping3...

pkt-code --as scapy -l 1 < ping.txt
"""

from ..command_line.options import BUFFER, INPUT, OUTPUT, TEXT, Option, Values, general_briefly, pick_briefly
from ..errors import UsageError
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink

PLACE = "last"
OPTIONS = [
    Option("--as", TEXT, "scapy (default), c, python, trafgen...; ?: a list", "TARGET", default="scapy"),
    *INPUT,
    *(option for option in OUTPUT if option.attribute in ("output", "compress")),
    *pick_briefly(),
    *BUFFER,
    *general_briefly(),
]


def instead(values: Values) -> list[str] | None:
    """The targets, where they are asked for."""
    if values.target != "?":
        return None
    from ..views.code import TARGETS

    return [f"{target.name:<12} {target.what}" for target in TARGETS.values()]


def stage(values: Values) -> Stage:
    """Writes each packet as code."""
    from ..views.code import TARGETS, CodeSink

    target = TARGETS.get(values.target)
    if target is None:
        raise UsageError(f"--as: '{values.target}' is not one of {', '.join(TARGETS)}")
    if values.output is not None:
        from ..formats.guarded import guard  # late: most goes to standard output

        guard("--out", values.output, "code")

    def sink(source: Source) -> Sink:
        return CodeSink(Output(values.output, source.file, compress=values.compress), target())

    return Stage(values, sink=sink, slip=True, apart=True)
