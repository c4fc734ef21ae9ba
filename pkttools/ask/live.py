"""Requests from an interface, and the answers to it."""

from __future__ import annotations

from ..flow.capture import Capture
from ..live.capture import CaptureOptions
from ..live.linux.receive import Receiver
from ..live.linux.send import Sender
from ..live.pace import Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values


class Requests(Capture):
    """What comes in at an interface, as the source of a flow."""

    def __init__(self, values: Values) -> None:
        """Raises UsageError, PktError."""
        super().__init__()
        options = CaptureOptions()
        options.direction, options.finish, options.prompt = "in", True, True
        options.promiscuous, options.seconds = True, values.duration
        self.receiver = Receiver(values.interface, options)
        self.tell(bool(values.verbose))

    def close(self) -> list[str]:
        """Returns what was received."""
        return [*self.receiver.close()]


def replies(name: str) -> Sender:
    """The interface, for answers: each is sent at once."""
    return Sender(name, Pace(fast=True))
