"""What headers carry, and where the packet in a frame ends; twin of ../c/contents.c."""

from __future__ import annotations

from struct import pack

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from ...protocols.walking import END_BEHIND, OWN_END
from .checksum import View
from .datagram import Layer, chosen
from .headers import UNKNOWN, Walk
from .protocols import known
from .rows import checked, without_fcs
from .splicing import all_headers, packet_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def _wanted(view: View, layer: Layer) -> int | None:
    """The innermost header whose payload is told apart, or one that is asked for; None: there is none."""
    if layer[0] != UNKNOWN:
        return chosen(view, layer)
    start = Walk(bytes(view.frame), view.linktype, False).headers[-1].start
    return next((i for i in reversed(range(len(view.headers))) if view.headers[i].start == start), None)


def _carried(view: View, layer: Layer) -> tuple[int, int, int, int, int]:
    """The kind of a header; where it, its data, and what it carries begin; where that ends. -1: there is none."""
    index = _wanted(view, layer)
    if index is None:
        return -1, -1, -1, -1, -1
    headers, kinds, limit = view.headers, known().kinds, len(view.frame)
    h = headers[index]
    for around in headers[:index]:
        if not kinds[around.kind].flags & (OWN_END | END_BEHIND) and around.end > h.start:
            limit = around.end
    kind = kinds[h.kind]
    end = limit if kind.flags & (OWN_END | END_BEHIND) and kind.rules else h.end
    claimed = h.data == h.end and index + 1 < len(headers) and headers[index + 1].start < h.end
    at = -1 if kind.flags & OWN_END and not kind.rules else view.behind(kind, h.start, end)  # -1: it is all there is to it
    return h.kind, h.start, -1 if claimed else h.data, at, end


def _views(data: bytearray, rows: bytes) -> Iterator[View]:
    values = without_fcs(checked(data, rows))
    for i in range(0, len(values), COLUMNS):
        at, size = values[i + OFFSET], values[i + CAPTURED]
        yield all_headers(bytes(data[at : at + size]), values[i + ORIGINAL], values[i + LINKTYPE])


def carried(data: bytearray, rows: bytes, layer: Layer) -> bytes:
    """What a header of each packet carries: five integers of 64 bits each.

    layer: the kind of the header, and its occurrence; UNKNOWN: the innermost one that is not of an application. They are its kind,
    where it begins, where its data do, or -1 where another header claims these, where what it carries begins, or -1 where it
    carries nothing, and where that ends; all are -1 where there is no such header.
    """
    kind, occurrence = layer
    if not 0 <= kind < len(known().kinds) or not -(1 << 62) < occurrence < 1 << 62:
        raise ValueError("no such kind of header")
    return b"".join(pack("=5q", *_carried(view, layer)) for view in _views(data, rows))


def ends(data: bytearray, rows: bytes) -> bytes:
    """Where the packet in each frame ends, on the wire, as far as a header says so: an integer of 64 bits each."""
    return b"".join(pack("=q", packet_end(view)) for view in _views(data, rows))
