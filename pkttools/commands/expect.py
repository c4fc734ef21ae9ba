"""Says whether the packets come that are expected.

pkt-expect -i eth0 --within 2s ICMP.TYPE==0 -- ping -c 1 192.0.2.1

Exit code 0: all came as expected; 1: they did not, and what came instead is said.
COUNT in front says how many: 'none: TCP.RST==1', '3: UDP', '2..: ARP'; else at least 1.
"""

from __future__ import annotations

import os

from ..command_line.options import FLAG, INPUT, TEXT, USER, Option, Values, general_briefly
from ..errors import PktError, UsageError, need
from ..flow.stage import Source, Stage
from ..formats.files import Sink
from . import find
from . import read as command_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..expect.expectation import Count, Expectation

OPTIONS = [
    Option("-i --interface", TEXT, "look at what IFACE receives; several: in one order", "IFACE", several=True),
    *INPUT,
    Option("--file", TEXT, "expectations of FILE: text, * and ranges for what varies", "FILE", several=True),
    Option("--within", TEXT, "wait so long: 2s, 500ms; else until the outcome is known", "TIME"),
    Option("--count", TEXT, "packets that match: 3 (no more), 3.., ..3, 1..3 (default 1..)", "COUNT"),
    Option("--none", FLAG, "none may match"),
    Option("--ordered", FLAG, "one after the other, as they are written"),
    Option("--only", FLAG, "nothing else may come"),
    Option("--ready", TEXT, "say to FD or FILE when it receives", "FD|FILE"),
    Option("-ro --receive-only", FLAG, "only packets that come in"),
    Option("-so --send-only", FLAG, "only packets that go out"),
    Option("--json", FLAG, "report as an object of JSON"),
    Option("--tap", FLAG, "report in the Test Anything Protocol"),
    Option("--junit", TEXT, "a report of JUnit, too, to FILE", "FILE", end="last"),
    *USER,
    *general_briefly(),
]
ARGUMENTS = "[[COUNT:] EXPR]... [-- COMMAND...]"
ARGUMENTS_HELP = "COMMAND is run once it receives"
LINGER = 0.1  # seconds after the end of a command without --within, for what is still on its way


def place(values: Values) -> str:
    """Where in a pipe it stands."""
    return "alone" if values.interface else "last"


def stage(values: Values) -> Stage:
    """Looks at packets until the outcome is known, and reports it. Raises UsageError, PktError."""
    from ..expect.judging import Judge
    from ..language.times import span

    need(not (values.json and values.tap), "--json and --tap: one report goes to standard output")
    need(values.junit != "-", "--junit: a file; standard output has the other report")
    need(not (values.receive_only and values.send_only), "-ro and -so leave nothing")
    need(not (values.interface and values.input), "-i and --in: packets come from one of them")
    command = values.arguments[values.dashes :] if values.dashes is not None else []
    need(values.dashes is None or bool(command), "wanted: -- COMMAND...")
    for name in ("ready", "receive_only", "send_only"):
        need(bool(values.interface) or not getattr(values, name), f"--{name.replace('_', '-')} is for -i")
    need(bool(values.interface) or not command, "a command is for -i: it is run once that receives")
    expectations = expected(values, values.arguments[: values.dashes])
    within = None if values.within is None else span("--within", values.within)
    endless = values.only or any(one.count.highest is not None for one in expectations)
    need(not (values.interface and endless and within is None and not command),
         "whether more comes is never known without an end: --within TIME")  # fmt: skip
    if values.junit is not None:
        from ..formats.guarded import guard  # late: seldom

        guard("--junit", values.junit, "a report")
    judge = Judge(expectations, ordered=bool(values.ordered), only=bool(values.only), within=within)
    values.limit, values.skip, values.link_type, values.output = None, 0, None, None  # what only filters have

    def sink(source: Source) -> Sink:
        from ..expect.report import Report, Shape

        if made.of_many:
            shape = Shape("remarks" if values.verbose else "failures")
        else:
            shape = Shape("json" if values.json else "tap" if values.tap else "text", values.junit)
        of_file = bool(source.file and source.file.are_files)
        return Report(judge, shape, None if of_file or within is None else within / 1e9, command, LINGER)

    source = (lambda: interface(values)) if values.interface else None
    made = Stage(values, [judge.watch], program=(None, None), source=source, sink=sink)
    made.asks_headers = any(condition.filter.asks_headers for one in expectations for condition in one.conditions)
    made.writes_nothing = True
    return made


def interface(values: Values) -> Source:
    """What is received. Raises UsageError, PktError."""
    from .recv import Interface

    words = [word for name in values.interface for word in ("-i", name)]
    words += ["-ro"] * bool(values.receive_only) + ["-so"] * bool(values.send_only) + ["-v"] * bool(values.verbose)
    words += [] if values.ready is None else ["--ready", values.ready]
    receiving = command_values(find("pkt-recv"), words)
    receiving.awaited = True
    return Interface(receiving, None, True)


def expected(values: Values, arguments: list[str]) -> list[Expectation]:
    """What the command line and its files expect, in this order. Raises UsageError, PktError."""
    from ..expect.written import in_file, on_command_line

    need(bool(arguments or values.file), "what is expected? Such as 'ICMP.TYPE==0', or --file FILE")
    usual = counted(values)
    found = []
    for text in arguments:
        try:
            found.append(on_command_line(text, usual))
        except UsageError as error:
            hint = f"; to read a file: --in {text}" if os.path.exists(text) else ""  # noqa: PTH110  pathlib is slow to import
            raise UsageError(f"{error}{hint}") from None
    for path in values.file:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  pathlib is slow to import
                found += in_file(path, file.read(), usual)
        except OSError as error:
            raise PktError(f"{path}: {error.strerror}") from None
    return found


def counted(values: Values) -> Count:
    """How many packets, where an expectation does not say it. Raises UsageError."""
    from ..expect.expectation import Count

    need(not (values.none and values.count is not None), "--none and --count: one of them")
    return Count(0, 0) if values.none else Count() if values.count is None else Count.of(values.count)
