"""Sends packets as questions, and writes the answer to each.

pkt-gen icmp --src 192.0.2.1 --dst 192.0.2.7 --dst-mac 02:00:00:00:00:02 |
    pkt-ask -i eth0 -c IP.TTL=1..30 ICMP.SEQ=1..

Values are those of pkt-gen: a packet is as many questions as the longest list.
Exits with 0 if all were answered, 1 if any was not.
"""

from __future__ import annotations

import sys

from ..command_line.options import FLAG, NUMBER, REAL, REPORT, TEXT, USER, Option, Values, filter_briefly
from ..command_line.signals import Interrupted, drain
from ..errors import need
from ..flow.stage import Source, Stage, program_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ask.asker import Asker
    from ..batch import Batch
    from ..formats.files import Input, Output
    from ..language.assignments import Assignments

PLACE = "first"
OPTIONS = [
    Option("-i --interface", TEXT, "ask by IFACE", "IFACE"),
    Option("--in-flight", NUMBER, "wait for N answers at a time (default 64)", "N", default=64, least=1, most=65536),
    Option("--timeout", REAL, "wait SECONDS for an answer (default 1)", "SECONDS", default=1, least=0.001, most=86400),
    Option("--retries", NUMBER, "ask N times more (default 0)", "N", default=0, most=1000),
    Option("--count", NUMBER, "let each packet be N questions", "N", least=1),
    Option("--rate", REAL, "ask N times a second at most", "N", least=1e-6, most=1e9),
    Option("--interval", REAL, "ask every SECONDS; instead of --rate", "SECONDS", most=86400),
    Option("--both", FLAG, "write questions, too, each in front of its answer"),
    Option("-c --complete", FLAG, "set the sender's MAC address to the interface's own"),
    REPORT,
    *USER,
    *filter_briefly(),
]


class Asked(Source):
    """Questions, and the interface to ask by."""

    needs = ()
    hands_on = False

    def __init__(self, values: Values, asker: Asker) -> None:
        """Raises PktError, UsageError without an interface."""
        from ..ask.asker import Wire
        from ..live.linux.prompt import Prompt
        from ..live.linux.send import Sender
        from ..live.pace import Pace

        ring = Prompt(values.interface, 4 * values.in_flight)
        sender = Sender(values.interface, Pace(fast=True))
        asker.open(Wire(ring, sender))
        if values.complete:
            from .send import own_address

            asker.complete = own_address(sender.mac_address)
        super().__init__(values)
        self.asker = asker
        file: Input = self.file  # type: ignore[assignment]  # it has opened one
        asker.waits_for = lambda: [file.fd] if file.flows else []
        drain(False)

    def watched(self, stream: Iterator[Batch], output: Output | None) -> Iterator[Batch]:
        """The questions; a signal ends them, and not what is to be said of those that were asked."""
        try:
            yield from super().watched(stream, output)
        except Interrupted:
            self.asker.stop()


def longest(assignments: Assignments) -> int:
    """How many values the longest list of them has; those without end, `1..` and drawn ones, do not count."""
    lists = [series.values.period for which, series in assignments.series if not endless(assignments.items[which][2])]
    return max([1, *lists])


def endless(text: str) -> bool:
    """Whether values go on up to the largest that there is."""
    return any(item.partition("/")[0].strip().endswith("..") for item in text.split(","))


def stage(values: Values) -> Stage:
    """Asks, and says what was answered."""
    need(sys.platform == "linux", "it is for Linux")
    need(values.rate is None or values.interval is None, "only one of --rate and --interval")
    from ..ask.asker import Asker

    keep, assignments = program_of(values)
    times = values.count or 1
    if assignments:
        assignments.follow = True
        times = values.count or longest(assignments)
    interval = values.interval if values.rate is None else 1 / values.rate
    asker = Asker(
        in_flight=values.in_flight, retries=values.retries, timeout=values.timeout, interval=interval or 0, both=bool(values.both),
        times=times, change=assignments.run if assignments else None,
    )  # fmt: skip

    def account() -> list[str]:
        return (assignments.said(False) if assignments else []) + asker.account()

    return Stage(values, [asker], program=(keep, None), source=lambda: Asked(values, asker), account=account,
                 fails=lambda: asker.counts.failed or asker.stopped)  # fmt: skip
