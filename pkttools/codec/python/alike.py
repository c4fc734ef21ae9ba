"""Whether packets are the same but for what may differ; twin of ../c/alike.c."""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME
from .. import LEFT, RIGHT
from .checksum import View
from .headers import Walk, is_tag
from .rows import checked, without_fcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .headers import Header

    Told = tuple[int, bool, bool, bytes, bytes]
MOST = 0xFFFFFFFF
MOST_TAKEN, NO_PLACES = 16, "what is to be taken is no table of places"


class Tolerance:
    """What may differ; see `unlike`. places: of each kind of header: first bit, how many, whether they are a checksum."""

    def __init__(self, told: Told) -> None:
        self.within, self.sizes, self.notes, first, places = told
        columns = memoryview(places).cast("B").cast("q").tolist() if len(places) % 24 == 0 else []
        begins = memoryview(first).cast("B").cast("q").tolist() if len(first) % 8 == 0 else []
        rows = [tuple(columns[i : i + 3]) for i in range(0, len(columns), 3)]
        sound = begins == sorted(begins) and all(0 <= at <= len(rows) for at in begins)
        sound &= all(0 <= bit <= MOST and 0 <= width <= MOST for bit, width, _ in rows)
        if not begins or len(places) % 24 or not sound:
            raise ValueError("what may differ is no table of places")
        self.places = [rows[begins[i] : begins[i + 1]] for i in range(len(begins) - 1)]
        self.any = bool(rows)

    def bits(self, walk: Walk, follows: bool) -> Iterator[tuple[int, int, int]]:
        """Where bits may differ, and in which header: first bit, and behind the last."""
        for i, header in enumerate(walk.headers):
            end = self._fields_end(walk.headers, i)
            for bit, width, is_sum in self.places[header.kind] if header.kind < len(self.places) else ():
                first, last = header.start * 8 + bit, min(header.start * 8 + bit + width, end * 8)
                if bool(is_sum) == follows and first < last:
                    yield first, last, i

    def alike(self, data: bytearray, row: list[int], other_data: bytearray, other: list[int]) -> bool:
        """Whether two packets are the same. False: they are not, or it takes more to tell."""
        if any(row[i] != other[i] for i in (LINKTYPE, CAPTURED)) or (self.sizes and row[ORIGINAL] != other[ORIGINAL]):
            return False
        if self.within >= 0 and abs(row[TIME] - other[TIME]) > self.within:
            return False
        notes, others = (bytes(of[r[NOTES] : r[NOTES] + r[NOTES_SIZE]]) for of, r in ((data, row), (other_data, other)))
        if self.notes and notes != others:
            return False
        a, b = (bytes(of[r[OFFSET] : r[OFFSET] + r[CAPTURED]]) for of, r in ((data, row), (other_data, other)))
        if a == b:
            return True
        bare, other_bare = without_fcs(list(row)), without_fcs(list(other))
        size = bare[CAPTURED]
        if not self.any or size != other_bare[CAPTURED] or a[size:] != b[size:]:
            return False
        return self.octets(a[:size], b[:size], bare[LINKTYPE], (bare[ORIGINAL], other_bare[ORIGINAL]))

    def octets(self, a: bytes, b: bytes, link: int, originals: tuple[int, int]) -> bool:
        """Whether bytes differ only where they may."""
        walks = Walk(a, link), Walk(b, link)
        places = [[(h.kind, h.start, h.data, h.end) for h in walk.headers] for walk in walks]
        if places[0] != places[1] or (walks[0].quoted, walks[0].resumed) != (walks[1].quoted, walks[1].resumed):
            return False
        size = len(a) * 8
        differ = int.from_bytes(a, "big") ^ int.from_bytes(b, "big")
        for first, last, _ in self.bits(walks[0], False):
            differ &= ~_mask(size, first, last)
        judged = set()
        for first, last, header in self.bits(walks[0], True):
            mask = _mask(size, first, last)
            if differ & mask:
                judged.add(header)
            differ &= ~mask
        if differ:
            return False
        if not judged:
            return True
        from .soundness import verdicts_of

        one, another = (verdicts_of(View(frame, wire, link, True)) for frame, wire in zip((a, b), originals, strict=True))
        return all(one[i] == another[i] and one[i] in (RIGHT, LEFT) for i in judged)

    def reduced(self, octets: bytes, original: int, link: int, padding: bool) -> tuple[bytes, int]:
        """Those octets of a packet that have to be the same; and of each checksum that is left out, as it follows, two bits.

        Packets are the same but for what may differ if these are. padding: what is behind all headers may differ, too. The two
        bits say what was to be said of the checksum: RIGHT or LEFT.
        """
        walk = Walk(octets, link)
        size, headers = len(octets) * 8, walk.headers
        number, follow = int.from_bytes(octets, "big"), 0
        ranges = [self._may_be_missing(headers, i) for i in range(len(headers))]
        for first, last, i in self.bits(walk, False):
            if not ranges[i]:
                number &= ~_mask(size, first, last)
        if self.any:
            from .soundness import verdicts_of

            verdicts = verdicts_of(View(octets, original, link, True))
            for first, last, i in self.bits(walk, True):
                if verdicts[i] in (RIGHT, LEFT) and not ranges[i]:
                    number &= ~_mask(size, first, last)
                    follow |= 1 << 2 * sum(not one for one in ranges[:i]) + (verdicts[i] == LEFT)
        whole, kept, at = number.to_bytes(len(octets), "big"), bytearray(), 0
        end = max(header.end for header in headers[1:]) if padding and len(headers) > 1 else len(octets)
        for missing in ranges:
            if missing and missing[0] >= at:
                kept += whole[at : missing[0]]
                at = missing[1]
        return bytes(kept + whole[at : max(at, end)]), follow

    def _may_be_missing(self, headers: Sequence[Header], i: int) -> tuple[int, int] | None:
        """From where to where the octets of a header lie that may be missing as a whole; None: it may not.

        A tag then takes the number with it that announces it, and leaves the one that it has.
        """
        places = self.places[headers[i].kind] if headers[i].kind < len(self.places) else []
        if not places or places[0][1] != MOST:
            return None
        first, last = headers[i].start, self._fields_end(headers, i)
        announced = 2 if is_tag(headers[i].kind) and first >= 2 and last - first >= 2 else 0
        return first - announced, last - announced

    @staticmethod
    def _fields_end(headers: Sequence[Header], i: int) -> int:
        """Where the fields of a header end: where the next one begins, or what it carries."""
        header = headers[i]
        end = header.data if header.data > header.start else header.end
        return min(end, headers[i + 1].start) if i + 1 < len(headers) else end


def _mask(size: int, first: int, last: int) -> int:
    """Bits of a number that has so many: from one on, up to another."""
    return (1 << last - first) - 1 << size - last


def unlike(data: bytearray, rows: bytes, first: int, other_data: bytearray, other_rows: bytes, other_first: int, count: int,
           told: Told) -> list[int]:  # fmt: skip
    """Which of so many pairs of packets, from the first ones of two batches on, are not the same: their numbers, from 0 on.

    told: nanoseconds by which times may differ, below 0 they are not compared; whether sizes on the wire, and lines of notes, are;
    of each kind of header its first place, and how many places there are, each a number of eight bytes; places: bit, width, and
    whether they are a checksum, which may differ where it is right on either side. Those stand behind the others of their kind.
    Some that are named may be the same, where one has other headers, or padding, or was cut short: `differences` tells.
    """
    tolerance = Tolerance(told)
    a, b = checked(data, rows), checked(other_data, other_rows)
    if min(first, other_first, count) < 0 or (first + count) * COLUMNS > len(a) or (other_first + count) * COLUMNS > len(b):
        raise ValueError("no such packets in both batches")
    pairs = (((first + i) * COLUMNS, (other_first + i) * COLUMNS) for i in range(count))
    return [i for i, (at, other) in enumerate(pairs)
            if not tolerance.alike(data, a[at : at + COLUMNS], other_data, b[other : other + COLUMNS])]  # fmt: skip


def blank(data: bytearray, rows: bytes, told: Told) -> None:
    """Makes zeros in `data` of the bits of packets that may differ, those of checksums, too. told: see `unlike`."""
    tolerance = Tolerance(told)
    values = without_fcs(checked(data, rows))
    for i in range(0, len(values), COLUMNS):
        at, size = values[i + OFFSET], values[i + CAPTURED]
        walk = Walk(bytes(data[at : at + size]), values[i + LINKTYPE])
        number = int.from_bytes(data[at : at + size], "big")
        for follows in (False, True):
            for first, last, _ in tolerance.bits(walk, follows):
                number &= ~_mask(size * 8, first, last)
        data[at : at + size] = number.to_bytes(size, "big")


def octets_alike(data: bytearray, rows: bytes, first: int, same: bytes,
                 wanted: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, ...]]:  # fmt: skip
    """Octets of packets that are shaped as packet `first`: of it, and of those behind it, up to one that is not.

    Such packets have headers of the same kinds at the same places, as many captured octets, and at the places `same` the same
    ones. wanted: of each packet these octets: what stands in front, and the places of those that follow. Places are pairs of 8
    bytes: where octets begin, and where they end, as far as they were captured. Raises ValueError for what are none, or where
    there is no packet.
    """
    values = checked(data, rows)
    if not 0 <= first < len(values) // COLUMNS:
        raise ValueError("there is no such packet")
    if len(wanted) > MOST_TAKEN:
        raise ValueError(NO_PLACES)
    alike, *taken = (_spans(table) for table in (same, *(spans for _, spans in wanted)))
    without_fcs(values)
    model, found = None, []
    for i in range(first * COLUMNS, len(values), COLUMNS):
        at, size, linktype = values[i + OFFSET], values[i + CAPTURED], values[i + LINKTYPE]
        frame = bytes(data[at : at + size])
        shape = linktype, size, [frame[span] for span in alike]
        if model is not None and shape != model[0]:
            break
        walked = Walk(frame, linktype)
        headers = [(h.kind, h.start, h.data, h.end) for h in walked.headers]
        if model is not None and headers != model[1]:
            break
        model = model or (shape, headers)
        pairs = zip(wanted, taken, strict=True)
        found.append(tuple([b"".join([prefix, *(frame[span] for span in spans)]) for (prefix, _), spans in pairs]))
    return found


def _spans(table: bytes) -> list[slice]:
    """Places, as `octets_alike` takes them. Raises ValueError."""
    numbers = memoryview(table).cast("B").cast("q").tolist() if len(table) % 16 == 0 else [-1, -1]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not all(0 <= begin <= end for begin, end in pairs):
        raise ValueError(NO_PLACES)
    return [slice(*pair) for pair in pairs]
