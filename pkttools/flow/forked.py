"""Processes that work for this one: each is a copy of it, in which all stands ready, and says what became of what it was told.

They end with this one, whatever ends it, once they are through with what they are at, and leave signals to it.
"""

from __future__ import annotations

import marshal
import os
from itertools import pairwise
from struct import Struct

from ..command_line.signals import left_to_parent, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

SIZE = Struct("=q")  # in front of a message; or a number by itself
NOTHING = -1  # in place of a number
SIGKILL = 9


class Forked:
    """A process that works for this one, seen from here. results: what can be read once it says something."""

    def __init__(self, serve: Callable[[int, int], None], others: Iterable[Forked]) -> None:
        """serve: what it does with the descriptors that orders come from, and results go to. others: those that are there already.

        Raises OSError where there can be no more processes.
        """
        orders, self.orders = os.pipe()
        self.results, results = os.pipe()

        self.process = os.fork()
        if not self.process:
            try:
                left_to_parent()
                for one in (*others, self):  # else none of them would see that this side has ended
                    os.close(one.orders)
                    os.close(one.results)
                serve(orders, results)
                os._exit(0)
            finally:
                os._exit(1)
        os.close(orders)
        os.close(results)

    def tell(self, order: Any) -> None:  # noqa: ANN401  what can be sent
        """Gives an order. A process that has ended is noticed where its result is missing."""
        try:
            send(self.orders, order)
        except BrokenPipeError:
            pass

    def heard(self) -> Any:  # noqa: ANN401  the same
        """The next message that it sends, which is waited for; None: it has ended. Raises Interrupted."""
        wait([self.results])
        return received(self.results)

    def close(self) -> str:
        """Ends it, whatever it is doing; gives how it has ended, if it had."""
        os.close(self.orders)
        os.close(self.results)
        try:
            os.kill(self.process, SIGKILL)
        except ProcessLookupError:
            pass
        _, status = os.waitpid(self.process, 0)
        return f"by signal {status & 127}" if status & 127 else "too early"


def keep_only(*fds: int) -> None:
    """Closes all but the standard streams and these: a pipe whose writing end is open here, too, would have no end there."""
    for before, behind in pairwise(sorted({0, 1, 2, *fds, os.sysconf("SC_OPEN_MAX")})):
        os.closerange(before + 1, behind)


def cores() -> int:
    """On how many cores this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def send(fd: int, message: Any) -> None:  # noqa: ANN401  the same
    """Writes a message: of numbers, strings, bytes, and lists, tuples and dictionaries of them."""
    octets = marshal.dumps(message)
    rest = memoryview(SIZE.pack(len(octets)) + octets)
    while rest:
        rest = rest[os.write(fd, rest) :]


def received(fd: int) -> Any:  # noqa: ANN401  the same
    """The next message; None: the other side has ended."""
    head = octets(fd, SIZE.size)
    body = octets(fd, SIZE.unpack(head)[0]) if head else b""
    return marshal.loads(body) if body else None  # what this program has written itself


def send_number(fd: int, number: int) -> None:
    """Writes a number, which is not negative, or NOTHING: in one piece, as pipes take so few bytes."""
    os.write(fd, SIZE.pack(number))


def number(fd: int) -> int:
    """The next number; NOTHING, too, where the other side has ended."""
    found = octets(fd, SIZE.size)
    return SIZE.unpack(found)[0] if found else NOTHING


def octets(fd: int, size: int) -> bytes:
    """So many octets; none where they do not all come."""
    found = os.read(fd, size)
    while 0 < len(found) < size:
        more = os.read(fd, size - len(found))
        if not more:
            return b""
        found += more
    return found
