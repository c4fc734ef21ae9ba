"""Packets that come from an interface, until a signal or the end of the time."""

from __future__ import annotations

import sys

from ..batch import Batch
from ..command_line.signals import hold, install
from ..errors import warn
from ..formats.files import Output
from .stage import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..live.libpcap.receive import Receiver as ByLibpcap
    from ..live.linux.receive import Receiver
    from ..live.linux.xdp import Xdp


class Capture(Source):
    """Packets from an interface. receiver: gives batches until it has to end; what it receives is of its `linktype`."""

    file = None
    received = True
    needs: Sequence[int] = ()
    receiver: Receiver | ByLibpcap | Xdp

    def __init__(self) -> None:
        """What makes the receiver comes after this: signals that end it are waited for."""
        install(drain=False)

    def tell(self, verbose: bool) -> None:
        """Says that from now on everything is received: to who asked for more, or waits at a terminal."""
        if verbose or (sys.stderr is not None and sys.stderr.isatty()):
            warn(f"{self.receiver.name}: receiving")

    @property
    def linktype(self) -> int:  # type: ignore[override]  # nobody sets it
        """Of a stream without packets."""
        return self.receiver.linktype

    @property
    def ahead(self) -> Callable[[Callable[[Batch], int]], Iterator[int | None]]:  # type: ignore[override]  # the same
        """Counts what waits there."""
        return self.receiver.ahead

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """One round, until a signal comes or the time is over."""
        yield self.batches()

    def batches(self) -> Iterator[Batch]:
        """The batches; a signal ends the receiving and nothing else: what was received goes all the way."""
        for batch in self.receiver:
            hold(True)
            yield batch
            hold(False)
        hold(True)
