"""Sends packets to an interface, at the times they were captured.

pkt-send -i eth0 < packets.txt

At the end it says what was sent, what failed and why, and how late packets were.
"""

from __future__ import annotations

import os
import sys

from ..batch import Batch, Packet, gathered
from ..command_line.options import (
    BUFFER,
    FLAG,
    INPUT,
    NUMBER,
    REAL,
    REPORT,
    TEXT,
    USER,
    XMIT,
    Option,
    Values,
    general_briefly,
    pick_briefly,
)
from ..command_line.signals import alarm, check, drain
from ..errors import PktError, need
from ..flow.stage import Source, Stage, each
from ..formats.files import Input, Output
from ..live.pace import Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..flow.stage import Work
    from ..formats.files import Sink
    from ..language.filters import Filter
    from ..live.relays import Kept
    from ..live.sending import Sender as End

PLACE = "last"
MOST = 255  # interfaces
TIMES = ("--wait", "--just-before", "--speed", "--pps", "--mbps", "--duration")
OPTIONS = [
    Option("-i --interface", TEXT, "send to IFACE", "IFACE"),
    Option("--via", TEXT, "send by IFACE what matches EXPR", "IFACE=EXPR", unless="--xdp", several=True),
    Option("--libpcap", FLAG, "send by libpcap, as systems but Linux always do", unless="--xdp"),
    XMIT,
    Option("-f --fast", FLAG, "send as fast as possible"),
    Option("-w --wait", NUMBER, "wait USEC more between packets", "USEC", default=0, unless="--xdp"),
    Option("-j --just-before", FLAG, "count gaps from when the packet before was sent", unless="--xdp", hidden=True),
    Option("--speed", REAL, "X times the original speed", "X", least=1e-6, unless="--xdp"),
    Option("--pps", REAL, "send N packets a second", "N", least=1e-6, unless="--xdp"),
    Option("--mbps", REAL, "send N megabits a second", "N", least=1e-6, unless="--xdp"),
    Option("--busy-wait", NUMBER, "do not sleep the last USEC before a packet", "USEC", default=100, most=10_000, unless="--xdp",
           hidden=True),
    Option("--loop", NUMBER, "send everything N times; 0: without end", "N", default=1, end="once"),
    Option("--loop-delay", REAL, "wait SECONDS more between these", "SECONDS", default=0, most=9e9, end="once", unless="--xdp"),
    Option("--preload", FLAG, "read everything before the first packet is sent", end="once", unless="--xdp"),
    Option("--duration", REAL, "end after SECONDS", "SECONDS", most=9e9),
    Option("--one-at-a-time", FLAG, "show each packet, and wait for a key; q ends", unless="--xdp"),
    Option("-c --complete", FLAG, "set the sender's MAC address to the interface's own"),
    Option("--xdp", FLAG, "send copies of one frame, which the kernel makes"),
    Option("--receive", FLAG, "with --xdp: let IFACE receive them instead", hidden=True),
    Option("--dry-run", FLAG, "say what would be sent, and when, and send nothing", unless="--xdp"),
    *INPUT,
    *pick_briefly(),
    *BUFFER,
    REPORT,
    *USER,
    *general_briefly(),
]  # fmt: skip


def stage(values: Values) -> Stage:
    """Sends, and gives the account; exit code 1 if anything failed."""
    need(sum((values.fast, values.speed is not None, values.pps is not None, values.mbps is not None)) <= 1,
         "only one of -f, --speed, --pps and --mbps")  # fmt: skip
    if values.xdp:
        return copies(values)
    need(not values.receive, "--receive needs --xdp")
    need(values.loop != 1 or not values.loop_delay, "--loop-delay is between the rounds of --loop")
    need(not values.one_at_a_time or values.fast or not timed(values), "--one-at-a-time goes by keys alone")
    pace = Pace(
        speed=values.speed or 1, pps=values.pps or 0, mbps=values.mbps or 0, fast=values.fast or values.one_at_a_time,
        after_previous=values.just_before, wait=values.wait * 1000, between=round(values.loop_delay * 1e9),
        busy=values.busy_wait * 1000,
    )  # fmt: skip
    names, filters = interfaces(values)
    work: list[Work] = []

    def sink(before: Source) -> Sink:
        drain(False)
        end = rehearsal(values, pace, names, filters) if values.dry_run else sender(values, pace, names, filters, work)
        if not values.loop:
            end.stopped = ""  # as it is meant to end
        if values.one_at_a_time:
            end = one_at_a_time(end)
        if not isinstance(before, Rounds):
            start_clock(values)
        elif values.loop != 1 or values.preload:
            from ..live.relays import Kept

            end = before.kept = Kept(end, values.preload)
        return end

    return Stage(values, work, source=lambda: Rounds(values, pace), sink=sink)


def timed(values: Values) -> bool:
    """Whether it is said when packets are sent."""
    return any(getattr(values, option.attribute) != option.default for option in OPTIONS if option.names[-1] in TIMES)


def start_clock(values: Values) -> None:
    """Lets --duration begin, for what waits in fact."""
    if values.duration is not None and not values.dry_run:
        alarm(values.duration)


def interfaces(values: Values) -> tuple[list[str | None], list[Filter]]:
    """The names of the interfaces, and which packets leave by all but the first one. Raises UsageError."""
    names: list[str | None] = [values.interface]
    filters: list[Filter] = []
    for way in values.via:
        from ..language.filters import Filter  # late: few packets have to be told apart

        name, equals, expression = way.partition("=")
        need(bool(name and equals and expression), f"--via '{way[:40]}': wanted is IFACE=EXPR, such as eth1=IP.SRC_ADDR==192.0.2.1")
        need(values.interface is not None, "--via needs -i, for what it does not match")
        need(name not in names, f"--via: {name} is given twice")
        names.append(name)
        filters.append(Filter([expression]))
    need(len(names) <= MOST, f"--via: at most {MOST - 1}")
    return names, filters


def by_libpcap(values: Values) -> bool:
    """Whether libpcap does the work."""
    return values.libpcap or sys.platform != "linux"


def rehearsal(values: Values, pace: Pace, names: list[str | None], filters: list[Filter]) -> Sink:
    """What says what would be sent. Raises PktError."""
    from ..live.sending import Rehearsal
    from ..live.several import Ways

    if by_libpcap(values):
        from ..live.libpcap.interfaces import linktype
    else:
        from ..live.linux.interface import linktype
    return Rehearsal(pace, [(name, linktype(name)) for name in names if name], Ways(filters), values.duration)


def sender(values: Values, pace: Pace, names: list[str | None], filters: list[Filter], work: list[Work]) -> Sink:
    """The interfaces. work: gets what is done to packets before. Raises UsageError, PktError."""
    if by_libpcap(values):
        from ..live.libpcap.send import Sender

        need(values.xmit == "queue", "--xmit is for Linux's own way of sending")
        ends: list[End] = [Sender(name, pace) for name in names]
    else:
        from ..live.linux.send import by_way

        ends = [by_way(name, pace, values.xmit) for name in names]
    if len(ends) == 1:
        if values.complete:
            work.append(each(own_address(ends[0].mac_address)))
        return ends[0]
    from ..live.several import Several, Ways

    several = Several(ends, Ways(filters), pace)
    if values.complete:
        several.change = [own_address(end.mac_address) for end in ends]
    return several


def one_at_a_time(sink: Sink) -> Sink:
    """Holds packets back until a key is pressed for each. Raises PktError."""
    from ..command_line.keys import Keys
    from ..live.relays import OneAtATime
    from ..views.line import LineSink

    return OneAtATime(sink, Keys(), LineSink(StandardError()))  # type: ignore[arg-type]  # it writes, and that is all it is for


class StandardError:
    """Where somebody reads who presses keys."""

    def write(self, data: bytes | bytearray, *_: object) -> None:
        """Writes all of it, as far as that is possible."""
        try:
            os.write(2, data)
        except OSError:
            pass  # the keys go on


def copies(values: Values) -> Stage:
    """Sends copies of one frame, without leaving the kernel."""
    need(sys.platform == "linux", "--xdp is Linux's")
    for option in values.given(OPTIONS):
        need(option.unless != "--xdp", f"{option.names[-1]} is not for --xdp")
    work: list[Work] = [] if values.limit == 1 else [single]

    def sink(_: Source) -> Sink:
        from ..live.linux.live_frames import LiveFrames

        drain(False)
        end = LiveFrames(values.interface, values.loop or sys.maxsize, values.receive)
        if not values.loop:
            end.stopped = ""
        if values.complete:
            work.append(each(own_address(end.mac_address)))
        start_clock(values)
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
        self.count, self.pace = values.loop or sys.maxsize, pace
        self.endless = not values.loop
        if self.count > 1 and not self.file.are_files:
            import tempfile  # noqa: F401  for `keep`, while we may read Python's folder in any case

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """A stream a round."""
        left = self.count - (not self.values.preload)
        if self.count > 1 and not self.values.preload:
            self.file.keep()
        if not self.values.preload:
            start_clock(self.values)
        yield from super().streams(output)
        if self.values.preload:
            start_clock(self.values)
        while left and self.kept.batches != [] and not (self.endless and self.kept.gone):
            check()
            self.pace.restart()
            if self.kept.batches is not None:
                left -= self.kept.again(1 if self.pace.apart else left)
            else:
                self.file.rewind()
                self.file.said.clear()  # every round says the same
                yield from super().streams(output)
                left -= 1


def own_address(address: str) -> Callable[[Batch], Batch]:
    """What sets the sender's MAC address."""
    from .. import codec
    from ..language.assigning import assignments

    program = assignments([("ETHERNET.SRC_ADDR", "=", address)])

    def sent_by_us(batch: Batch) -> Batch:
        codec.assign(batch.data, batch.rows, program, None, False)
        return batch

    return sent_by_us
