"""What readers of messages tell, of both codecs at once, and that no line has in it what a terminal would act on."""

from __future__ import annotations

import re

from conftest import BACKENDS, load

from pkttools.codec import MOST_TOLD
from pkttools.protocols.model import READERS


def tell(reader: str, message: bytes, front: bytes = b"", end: int | None = None) -> str | None:
    """The line of a message that stands behind `front`, and ends where the frame does, or at `end`."""
    frame = front + message
    given = [
        load(backend).tell(READERS.index(reader), frame, len(front), len(frame) if end is None else end) for backend in BACKENDS
    ]
    assert given[0] == given[1]
    line: bytes | None = given[0]
    if line is None:
        return None
    assert len(line) <= MOST_TOLD
    assert re.fullmatch(rb"[ -~]+", line)
    return line.decode()
