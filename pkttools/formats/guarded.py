"""Files of packets are guarded: what is no packets, as a page or a picture, is not written over them, nor under their names."""

from __future__ import annotations

import os
import stat

from ..errors import PktError, UsageError
from . import CONVERTED, SOME, begun, capture_format, has_erf
from .files import Input, format_of
from .text import MARK


def guard(option: str, path: str, what: str) -> None:
    """Raises UsageError where a file is one of packets, by its name or by what it holds. what: is to be written there.

    Of --out everyone knows that it writes: what the file holds is not asked there.
    """
    if format_of(path) not in (None, "text"):
        raise UsageError(f"{option} {path}: that is the name of a capture, and {what} is written")
    if option != "--out" and path != "-" and holds_packets(path):
        raise UsageError(f"{option} {path}: {what} is written, and this file holds packets; files are read without an option")


def holds_packets(path: str) -> bool:
    """Whether the first bytes of a file are packet text's or a capture's; those of what it holds, if it is compressed."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  pathlib is slow to import
            return False
        source = Input([path])
        try:
            buffer = bytearray(SOME)
            used = begun(source, buffer, SOME)
        finally:
            source.close()
    except (PktError, OSError):
        return False  # it is not read as packets; whoever opens it to write will say what else is wrong
    head = bytes(buffer[:used])
    if capture_format(head, used) or head.startswith(tuple(CONVERTED)):
        return True
    if b"\0" in head:
        return has_erf(buffer[:used], used)
    return is_text(head)


def is_text(head: bytes) -> bool:
    """Whether packets stand in a text that begins so: a line LINKTYPE, or the one in front of a packet, `-- 1 --`."""
    lines = [] if head.lstrip()[:1] == b"<" else head.removeprefix(MARK).splitlines()
    return any(line.startswith(b"LINKTYPE:") or (line.startswith(b"--") and not line.strip(b"- 0123456789")) for line in lines)
