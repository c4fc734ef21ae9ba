"""Sends packets to an interface, at the times they were captured.

pkt-send -i eth0 < packets.txt

At the end it says what was sent, what failed and why, and how late packets were.
"""

from __future__ import annotations

import sys

from ..batch import Batch, Packet, gathered
from ..command_line.options import BUFFER, FLAG, INPUT, NUMBER, PICK, REAL, TEXT, USER, Option, Values, general_briefly
from ..command_line.signals import check, drain
from ..errors import PktError, need
from ..flow.stage import Source, Stage, each
from ..formats.files import Input, Output, Sink
from ..live.pace import Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..flow.stage import Work

PLACE = "last"
KEPT = 32 << 20  # bytes of packets that are kept in memory from one round to the next
ROUNDS_AT_ONCE = 4096  # packets: shorter rounds are joined up to it, but for the original timing
OPTIONS = [
    Option("-i --interface", TEXT, "send to IFACE", "IFACE"),
    Option("--libpcap", FLAG, "send by libpcap, as systems but Linux always do", unless="--xdp"),
    Option("-f --fast", FLAG, "send as fast as possible"),
    Option("-w --wait", NUMBER, "wait USEC more between packets", "USEC", default=0, unless="--xdp"),
    Option("-j --just-before", FLAG, "count gaps from when the packet before was sent", unless="--xdp"),
    Option("--speed", REAL, "X times the original speed", "X", least=1e-6, unless="--xdp"),
    Option("--pps", REAL, "send N packets a second", "N", least=1e-6, unless="--xdp"),
    Option("--mbps", REAL, "send N megabits a second", "N", least=1e-6, unless="--xdp"),
    Option("--busy-wait", NUMBER, "do not sleep the last USEC before a packet", "USEC", default=100, most=10_000, unless="--xdp"),
    Option("--loop", NUMBER, "send everything N times (-s, -l count in each)", "N", default=1, least=1, end="once"),
    Option("-c --complete", FLAG, "set the sender's MAC address to the interface's own"),
    Option("--xdp", FLAG, "send copies of one frame, by the kernel, at the rate of the driver"),
    Option("--receive", FLAG, "with --xdp: let IFACE receive them instead"),
    Option("--dry-run", FLAG, "say what would be sent, and when, and send nothing", unless="--xdp"),
    *INPUT,
    *(option.unshown() if option.attribute == "bpf_file" else option for option in PICK),
    *BUFFER,
    *USER,
    *general_briefly(),
]


def stage(values: Values) -> Stage:
    """Sends, and gives the account; exit code 1 if anything failed."""
    need(sum((values.fast, values.speed is not None, values.pps is not None, values.mbps is not None)) <= 1,
         "only one of -f, --speed, --pps and --mbps")  # fmt: skip
    if values.xdp:
        return copies(values)
    need(not values.receive, "--receive needs --xdp")
    pace = Pace(
        speed=values.speed or 1, pps=values.pps or 0, mbps=values.mbps or 0, fast=values.fast,
        after_previous=values.just_before, wait=values.wait * 1000, busy=values.busy_wait * 1000,
    )  # fmt: skip
    work: list[Work] = []

    def sink(before: Source) -> Sink:
        from ..live.sending import Rehearsal

        drain(False)
        if values.libpcap or sys.platform != "linux":
            from ..live.libpcap.interfaces import linktype
            from ..live.libpcap.send import Sender
        else:
            from ..live.linux.interface import linktype
            from ..live.linux.send import Sender  # type: ignore[assignment]  # of the same base
        if values.dry_run:
            takes = linktype(values.interface) if values.interface else None
            end: Sink = Rehearsal(pace, values.interface, takes)
        else:
            end = Sender(values.interface, pace)
            if values.complete:
                work.append(own_address(end.mac_address))
        if values.loop == 1:
            return end
        kept = before.kept = Kept(end)  # type: ignore[attr-defined]  # it is Rounds
        return kept

    return Stage(values, work, source=lambda: Rounds(values, pace), sink=sink)


def copies(values: Values) -> Stage:
    """Sends copies of one frame, without leaving the kernel."""
    need(sys.platform == "linux", "--xdp is Linux's")
    for option in values.given(OPTIONS):
        need(option.unless != "--xdp", f"{option.names[-1]} is not for --xdp")
    work: list[Work] = [] if values.limit == 1 else [single]

    def sink(_: Source) -> Sink:
        from ..live.linux.live_frames import LiveFrames

        drain(False)
        end = LiveFrames(values.interface, values.loop, values.receive)
        if values.complete:
            work.append(own_address(end.mac_address))
        return end

    return Stage(values, work, sink=sink)


def single(stream: Iterator[Batch]) -> Iterator[Batch]:
    """The only packet, when it is known that there is no other one. Raises PktError else."""
    packets: list[Packet] = []
    for batch in stream:
        packets += map(batch.packet, range(min(2, len(batch))))
        if len(packets) > 1:
            raise PktError("--xdp sends copies of one packet, and here are more: -l 1 takes the first")
    if packets:
        yield gathered(packets)


class Rounds(Source):
    """What is read, as often as --loop says; what its sink has kept of the first round is not read again."""

    file: Input
    kept: Kept

    def __init__(self, values: Values, pace: Pace) -> None:
        super().__init__(values)
        self.count, self.pace = values.loop, pace
        if self.count > 1 and not self.file.are_files:
            import tempfile  # noqa: F401  for `keep`, while we may read Python's folder in any case

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """A stream a round."""
        left = self.count - 1
        if left:
            self.file.keep()
        yield from super().streams(output)
        while left and self.kept.batches != []:
            check()
            self.pace.restart()
            if self.kept.batches is not None:
                left -= self.kept.again(1 if self.pace.original else left)
            else:
                self.file.rewind()
                self.file.said.clear()  # every round says the same
                yield from super().streams(output)
                left -= 1


class Kept(Sink):
    """Hands batches on to a sink, and keeps copies of all of them as long as they are few: filtered and changed as they are.

    batches: the copies; None once they were too many.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink, self.room = sink, KEPT
        self.output, self.stopped, self.needs = sink.output, sink.stopped, sink.needs
        self.batches: list[Batch] | None = []
        self.stamp: int | None = None  # of the first packet that was read

    def origin(self, stamp: int) -> None:
        """Learns the time of the first packet of a round."""
        self.stamp = stamp
        self.sink.origin(stamp)

    def begin(self) -> None:
        """Learns that the first batch is through."""
        self.sink.begin()

    def write(self, batch: Batch) -> None:
        """Takes a batch, at once."""
        self.room -= len(batch.data) + len(batch.rows)
        if self.room < 0:
            self.batches = None
        if self.batches is not None:
            self.batches.append(Batch(bytearray(batch.data), bytearray(batch.rows)))  # its buffer serves the next one too
        self.sink.write(batch)

    def again(self, most: int) -> int:
        """Hands on all that was kept; gives how often, at most so many times: short rounds are joined."""
        kept = self.batches or []
        times = min(most, max(1, ROUNDS_AT_ONCE // max(1, len(kept[0])))) if len(kept) == 1 else 1
        self.sink.origin(self.stamp)  # type: ignore[arg-type]  # there was a first packet
        for batch in kept:
            self.sink.write(batch if times == 1 else Batch(batch.data, batch.rows * times))
        return times

    def close(self) -> list[str]:
        """Ends; gives what the sink says."""
        return self.sink.close()

    @property
    def failed(self) -> bool:
        """Whether something did not reach its end as it should."""
        return self.sink.failed


def own_address(address: str) -> Work:
    """The work that sets the sender's MAC address."""
    from .. import codec
    from ..language.expression import assignments

    program = assignments([("ETHERNET.SRC_ADDR", "=", address)])

    def sent_by_us(batch: Batch) -> Batch:
        codec.assign(batch.data, batch.rows, program, None, False)
        return batch

    return each(sent_by_us)
