"""The keys that somebody presses at the terminal, whatever is read and written meanwhile."""

from __future__ import annotations

import os

from ..errors import PktError
from .signals import wait

try:
    import termios
except ImportError:  # Windows has none
    termios = None  # type: ignore[assignment]  # what it is for raises there

LOCAL = 3  # of a terminal's attributes: where the flags are that make lines of keys, and show them


class Keys:
    """The terminal that this process was started from."""

    def __init__(self) -> None:
        """Raises PktError where there is none."""
        try:
            self.fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except (OSError, AttributeError):
            raise PktError("no terminal: nobody is there to press a key") from None

    def pressed(self) -> bytes:
        """Waits for the next key; nothing where the terminal is gone. Raises Interrupted.

        Only while it waits does the terminal give each key by itself, and does not show it: whatever ends us finds it as it was.
        """
        try:
            before = termios.tcgetattr(self.fd)
            now = [*before]
            now[LOCAL] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self.fd, termios.TCSADRAIN, now)
        except termios.error:
            return b""
        try:
            wait([self.fd])
            return os.read(self.fd, 1)
        except OSError:
            return b""
        finally:
            try:
                termios.tcsetattr(self.fd, termios.TCSADRAIN, before)
            except termios.error:
                pass  # it is gone
