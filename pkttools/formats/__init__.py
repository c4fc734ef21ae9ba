"""Sources and sinks of packet streams; which format comes in is seen from its first bytes."""

from __future__ import annotations

from collections.abc import Iterator

from ..batch import Batch
from ..errors import PktError
from .files import Input

FOREIGN = {
    b"\x0a\x0d\x0d\x0a": "a pcapng file, which is not read yet: convert it with editcap -F pcap",
    b"\x1f\x8b": "compressed: put zcat in front",
    b"\x28\xb5\x2f\xfd": "compressed: put zstdcat in front",
    b"\xfd7zXZ": "compressed: put xzcat in front",
    b"BZh": "compressed: put bzcat in front",
}


def packets(source: Input) -> Iterator[Batch]:
    """The packets of a stream, text or pcap, batch by batch. Raises PktError at what cannot be read."""
    head = b""
    while len(head) < 4 and (chunk := source.read()):  # a pipe may bring less at first
        head += chunk
    for magic, what in FOREIGN.items():
        if head.startswith(magic):
            raise PktError(f"{source.name}: this is {what}")
    from . import pcap  # late, as text: only what is used

    if head[:4] in pcap.MAGICS:
        return pcap.packets(source, head)
    from . import text

    return text.packets(source, head)
