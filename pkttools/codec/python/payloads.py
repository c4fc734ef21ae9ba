"""What packets carry: all that is no header that is kept, and none of its fields; twin of ../c/payloads.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET, ORIGINAL
from ...protocols.walking import FIRST_ITEM
from .. import FOLLOW, LOOK
from .headers import ByTables, Header, Walk, need_dict, note
from .lists import Items
from .protocols import known
from .rows import checked, without_fcs
from .signatures import Changed, signature_of
from .update import update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class _Frame(ByTables):
    """A frame, its headers, and what is kept of them."""

    def __init__(self, frame: bytes, linktype: int, kept: tuple[list[int], list[int]]) -> None:
        self.frame = frame
        self.walked = Walk(frame, linktype)
        self.kept = kept
        self.lost: list[bool] = []  # headers that are not kept, and those in them
        gone = 0  # where the last of those ends
        for header in self.walked.headers:
            self.lost.append(header.start < gone or self.unkept(header.kind))
            if self.lost[-1]:
                gone = max(gone, header.end)

    def unkept(self, kind: int) -> bool:
        """Whether nothing is kept of a kind of header."""
        return kind >= len(self.kept[0]) or self.kept[0][kind] < 0

    def kept_end(self, header: Header) -> int:
        """Where what is kept of a header ends, of which something is."""
        kept, said = divmod(self.kept[0][header.kind], 2)
        return min(header.end, header.start + max(kept, self.size(known().kinds[header.kind], header.start) if said else 0))

    def carried(self) -> Iterator[tuple[int, int, int]]:
        """The bytes that are carried, from where to where, and behind a header of which kind."""
        headers = self.walked.headers
        for lost, header, following in zip(self.lost, headers, [*headers[1:], None], strict=True):
            if not lost and following and following.start < header.end:
                continue  # it lies in this one: what is between them leads there
            at, end = header.start if lost else self.kept_end(header), following.start if following else len(self.frame)
            if at < end and any(self.frame[at:end]):
                yield at, end, header.kind

    def of_items(self) -> Iterator[tuple[int, int]]:
        """Where fields of items lie that are kept."""
        kept = self.kept[1]
        for index, item in Items(self.frame, self.walked.headers).all():
            if not self.lost[index] and item.kind - FIRST_ITEM < len(kept) and kept[item.kind - FIRST_ITEM] > 0:
                yield item.start, min(item.end, item.start + kept[item.kind - FIRST_ITEM])


def _wipe(f: _Frame) -> tuple[bytearray, int, int]:
    """A copy of a frame with zeros in place of what it carries; behind which kind of header that begins; what authenticates it."""
    out, first, end = bytearray(f.frame), -1, 0
    for at, stop, kind in f.carried():
        out[at:stop] = bytes(stop - at)
        first, end = kind if first < 0 else first, stop
    if first >= 0:
        for at, stop in f.of_items():
            out[at:stop] = f.frame[at:stop]
    return out, max(first, 0), signature_of(f.frame, f.walked, Changed(end)) if out != f.frame else 0


def wipe(data: bytearray, rows: bytes, headers: bytes, items: bytes, how: int,
         counts: dict[int, int] | None = None) -> tuple[tuple[int, ...], int, int]:  # fmt: skip
    """Makes zeros in `data` of what packets carry; how: LOOK, no zeros are made; FOLLOW, checksums follow, see update.py; KEEP.

    headers, items: four bytes for each kind, a number in native order. Twice the bytes that are kept of a header, from its start
    on, and one more where it is kept as far as it says to go, too; below 0: nothing of it is, nor of what lies in it. Items: the
    bytes that are kept of one in a header that is.
    Returns of each kind of header in how many packets something but zeros begins behind it, or with it; in how many packets a
    checksum could not follow, and in how many it is not known. Adds to `counts` what authenticates what was made zeros of.
    """
    values = checked(data, rows)
    if memoryview(headers).nbytes % 4 or memoryview(items).nbytes % 4:
        raise ValueError("what is kept is no table of numbers")
    kept = memoryview(headers).cast("B").cast("i").tolist(), memoryview(items).cast("B").cast("i").tolist()
    need_dict(counts)
    carrying, stale, unknown = [0] * len(known().kinds), 0, 0
    for i in range(0, len(values), COLUMNS):
        row = without_fcs(values[i : i + COLUMNS])
        offset, captured, linktype = row[OFFSET], row[CAPTURED], row[LINKTYPE]
        before = bytes(data[offset : offset + captured])
        after, kind, signature = _wipe(_Frame(before, linktype, kept))
        if after == before:
            continue
        carrying[kind] += 1
        if how == LOOK:
            continue
        note(counts, signature)
        if how == FOLLOW:
            left = update(before, after, row[ORIGINAL], linktype)
            stale, unknown = stale + left[0], unknown + left[1]
        data[offset : offset + captured] = after
    return tuple(carrying), stale, unknown
