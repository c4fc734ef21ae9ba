"""Packets from and to interfaces, for programs: what pkt-recv and pkt-send do, in this process.

It keeps its privileges, and its signals: who ends a loop by a condition of its own ends what is received with it.
"""

from __future__ import annotations

from ..command_line.signals import left_alone
from ..commands import find, read
from ..errors import PktError, need
from ..flow import announced
from ..flow.stage import Source
from .said import tell
from .stages import filled, flow, words_of
from .stream import Packets, batches_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from .stream import Several

PACE = ("speed", "pps", "mbps", "wait", "just_before", "fast")  # options of pkt-send that say when


def receive(interface: str, *expressions: str, **options: object) -> Packets:
    """Packets that an interface receives, and sends, from this call on, until a limit: `limit=10`, or `duration=2.5` seconds.

    options: those of pkt-recv about what is received, such as `receive_only=True`, `bpf="arp"`. What waits while nobody reads is
    kept by the kernel, 32 MiB of it (`buffer`). Raises UsageError, PktError where it cannot be opened.
    """
    command = find("pkt-recv")
    values = read(command, [f"--interface={interface}", *words_of(options), *expressions])
    need(values.output is None and values.ready is None and values.user is None, "out, ready and user are for pkt-recv alone")
    values.awaited = False  # it has no thread beside ours
    stage = command.stage(values)
    source = left_alone(stage.source)

    def start(stream: Packets) -> Iterator[Batch]:
        return flow(iter(source.receiver), [stage], source.close, stream)  # type: ignore[attr-defined]  # it is a Capture

    return Packets(start, once=True)


def send(interface: str, packets: Several, **options: object) -> int:
    """Sends packets, one after the other as fast as it goes; gives how many.

    options: those of pkt-send, such as `pps=1000`, `speed=1` for the times at which they were captured. Raises UsageError, and
    PktError where it cannot be opened, or one could not be sent, with the account.
    """
    command = find("pkt-send")
    values = read(command, [f"--interface={interface}", *paced(options)])
    need(values.loop == 1 and values.duration is None and values.user is None and not values.xdp,
         "loop, duration, user and xdp are for pkt-send alone")  # fmt: skip
    stage = command.stage(values)
    sink = stage.sink(Nothing())
    said: list[str] = []
    try:
        for batch in announced(stage.through(filled(batches_of(packets))), sink):
            sink.write(batch)
    finally:
        lines = sink.close()
    if sink.failed:
        raise PktError("; ".join(lines))
    tell([*lines, *stage.said([], [])], said)
    return stage.passed


def paced(options: dict[str, object]) -> list[str]:
    """The words of pkt-send's options: as fast as it goes, where none says when."""
    return words_of(options if any(name in options for name in PACE) else {"fast": True, **options})


class Nothing(Source):
    """Stands where what is read would, for what asks it."""

    file = None

    def __init__(self) -> None:
        """Reads nothing."""
