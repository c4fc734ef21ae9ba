"""What the kernel takes its time for, while something else is done: packet sockets wait until no processor looks at them any more.

That is some 10 ms each time a ring is made, or given back, and each time such a socket is closed (synchronize_net() in
net/packet/af_packet.c).
"""

from __future__ import annotations

import _thread  # threading takes longer to import than this to run

from ...command_line.signals import elsewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Meanwhile:
    """Something that is made by a thread of its own, or at once where there can be none."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.made: Any = None
        self.error: BaseException | None = None
        self.done = _thread.allocate_lock()
        self.done.acquire()
        try:
            _thread.start_new_thread(self.work, (True,))
        except RuntimeError:
            self.work(False)

    def work(self, alone: bool) -> None:
        """What the thread does. alone: whether there is one."""
        if alone:
            elsewhere()
        try:
            self.made = self.make()
        except BaseException as error:  # for the one who waits
            self.error = error
        self.done.release()

    def get(self) -> Any:  # noqa: ANN401  whatever it is
        """What was made, once it is. Raises what making it raised."""
        self.done.acquire()
        self.done.release()
        if self.error:
            raise self.error
        return self.made
