"""Questions to an interface, and the answers to them, for programs: what pkt-ask does, in this process."""

from __future__ import annotations

import os

from ..command_line.signals import left_alone
from ..commands import find, read
from ..errors import need
from .stages import flow, words_of
from .stream import Packets, batches_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from .stream import Several


def ask(interface: str, packets: Several, *words: str, **options: object) -> Packets:
    """Sends packets as questions; gives the answer to each, and with `both=True` each question in front of its own.

    words: `FIELD=values`, as of pkt-gen: `IP.TTL=1..30` makes thirty questions of a packet. options: those of pkt-ask, such as
    `timeout=0.5`, `retries=2`. What is not answered within its time is left out, and `said` tells of it. Raises UsageError, and
    PktError where the interface cannot be opened.
    """
    command = find("pkt-ask")
    values = read(command, [f"--interface={interface}", *words_of(options), *words])
    need(not values.input and values.output is None and values.user is None, "in, out and user are for pkt-ask alone")
    values.input = [os.devnull]  # the questions come from here
    stage = command.stage(values)
    source = left_alone(stage.source)

    def start(stream: Packets) -> Iterator[Batch]:
        return flow(batches_of(packets), [stage], source.close, stream, judges=False)

    return Packets(start, once=True)
