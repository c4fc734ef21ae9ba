"""Sends packets to an interface, at the times they were captured.

pkt-send -i eth0 < packets.txt

At the end it says what was sent, what failed and why, and how late packets were.
"""

from __future__ import annotations

from ..batch import Batch
from ..flow import Source, Stage, each, need
from ..formats.files import Output, Sink
from ..options import BUFFER, FLAG, GENERAL, INPUT, NUMBER, PICK, REAL, TEXT, Option, Values
from ..pace import Pace
from ..signals import drain

TYPE_CHECKING = False  # typing's own is dear at start-up, as collections is
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..flow import Work

PLACE = "last"
OPTIONS = [
    Option("-i --interface", TEXT, "send to IFACE", "IFACE"),
    Option("-f --fast", FLAG, "send as fast as possible"),
    Option("-w --wait", NUMBER, "wait USEC more between packets", "USEC", default=0),
    Option("-j --just-before", FLAG, "count gaps from when the packet before was really sent"),
    Option("--speed", REAL, "X times the original speed", "X", least=1e-6),
    Option("--pps", REAL, "send N packets a second", "N", least=1e-6),
    Option("--mbps", REAL, "send N megabits a second", "N", least=1e-6),
    Option("--loop", NUMBER, "send everything N times (-s, -l count in each)", "N", default=1, least=1),
    Option("-c --complete", FLAG, "set the sender's MAC address to the interface's own"),
    Option("--dry-run", FLAG, "say what would be sent, and when, and send nothing"),
    *INPUT,
    *PICK,
    *BUFFER,
    *GENERAL,
]


def stage(values: Values) -> Stage:
    """Sends, and gives the account; exit code 1 if anything failed."""
    need(sum((values.fast, values.speed is not None, values.pps is not None, values.mbps is not None)) <= 1,
         "only one of -f, --speed, --pps and --mbps")  # fmt: skip
    pace = Pace(
        speed=values.speed or 1, pps=values.pps or 0, mbps=values.mbps or 0, fast=values.fast,
        after_previous=values.just_before, wait=values.wait * 1000,
    )  # fmt: skip
    work: list[Work] = []

    def sink(_source: Source) -> Sink:
        from ..linux.send import Rehearsal, Sender

        drain(False)
        if values.dry_run:
            return Rehearsal(values.interface, pace)
        sender = Sender(values.interface, pace)
        if values.complete:
            work.append(own_address(sender.mac_address))
        return sender

    return Stage(
        values, work, source=lambda: Rounds(values, pace), sink=sink,
        stopped="stopped by a signal: the rest was not attempted",
    )  # fmt: skip


class Rounds(Source):
    """What is read, as often as --loop says."""

    def __init__(self, values: Values, pace: Pace) -> None:
        super().__init__(values)
        self.count, self.pace = values.loop, pace

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """A stream a round."""
        if self.count > 1:
            self.file.keep()
        for round_ in range(self.count):
            if round_:
                self.file.rewind()
                self.pace.restart()
            yield from super().streams(output)


def own_address(address: str) -> Work:
    """The work that sets the sender's MAC address."""
    from .. import codec
    from ..expression import assignments

    program = assignments([("ETHERNET.SRC_ADDR", "=", address)])

    def sent_by_us(batch: Batch) -> Batch:
        codec.assign(batch.data, batch.rows, program, None, False)
        return batch

    return each(sent_by_us)
