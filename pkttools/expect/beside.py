"""A command that runs beside what is received, and ends with it at the latest.

Between it and us stands a process of our own, which keeps the right to end it: we give up privileges once we receive.
"""

from __future__ import annotations

import os
import select
import signal

from ..errors import say

STEP = 0.01  # seconds between two looks
PATIENCE = 1.0  # seconds that a command has to end once it is told to
NOT_FOUND, BY_SIGNAL = 127, 128  # exit codes, as shells give them


class Beside:
    """A command. code: its exit code, once it has ended."""

    def __init__(self, command: list[str]) -> None:
        """Starts it; what it writes goes to standard error."""
        reading, self.alive = os.pipe()
        self.code: int | None = None
        self.keeper = os.fork()
        if not self.keeper:
            os.close(self.alive)
            keep(command, reading)
        os.close(reading)

    def ended(self) -> bool:
        """Whether it has."""
        if self.code is None:
            pid, status = os.waitpid(self.keeper, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def end(self) -> None:
        """Ends it."""
        os.close(self.alive)
        os.waitpid(self.keeper, 0)


def keep(command: list[str], alive: int) -> None:
    """Runs the command until it ends, or nobody has the other end of `alive` any more. Does not return."""
    from subprocess import Popen, TimeoutExpired  # late: slow to import, and few ask for it

    code = NOT_FOUND
    try:
        signal.set_wakeup_fd(-1)
        process = Popen(command, stdout=2)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # whoever sends them to all sends them to the command
            signal.signal(number, signal.SIG_IGN)
        while process.poll() is None and not select.select([alive], [], [], STEP)[0]:
            pass
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except TimeoutExpired:
                process.kill()
        code = process.wait()
        code = BY_SIGNAL - code if code < 0 else code
    except (OSError, ValueError) as error:
        say(f"pkt-expect: {command[0]}: {getattr(error, 'strerror', None) or error}")
    finally:
        os._exit(code)
