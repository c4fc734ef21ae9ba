"""Pipes, with what Python's os has."""

from __future__ import annotations

import os


def pipe_lend(fd: int, data: memoryview) -> int:
    """Writes to a pipe; gives how many bytes it took. Raises OSError. What was lent is copied here, so it may change at once."""
    return os.write(fd, data)
