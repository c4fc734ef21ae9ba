"""Packets, batch after batch: a template laid out many times, columns of values written into all of them at once.

What comes round soon enough is made once and handed out again and again.
"""

from __future__ import annotations

from array import array
from math import lcm

from .. import codec
from ..batch import CAPTURED, COLUMNS, LINKTYPE, NOTES, NOTES_SIZE, OFFSET, ORIGINAL, TIME, Batch
from ..errors import PktError, UsageError
from ..language.series import Drawn, Turns, least
from ..protocols.fields import DATA, FAMILY, HEADERS, LITTLE, TABLE, TEXT, Row
from ..protocols.values import field, rows_of
from .schedule import SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..protocols.values import Header
    from .schedule import Schedule

    Values = Turns | Drawn

AT_ONCE = 1024  # packets of a batch
MOST_KEPT, BYTES_KEPT = 1 << 16, 16 << 20  # packets and bytes of what is made only once
MOST_BATCH = 4 << 20  # bytes of a batch; longer packets come in shorter ones
MAGIC = 0xBE9BE955  # of the kernel's pktgen: net/core/pktgen.c, struct pktgen_hdr
OWN = {"ICMP": 8, "ICMPV6": 8, "ARP": 28}  # bytes of headers whose DATA of the table begin elsewhere, or that have none
STAMP = 16  # bytes: magic, sequence number, seconds, microseconds, 32 bits each, big-endian


def stamped(time: int) -> int:
    """A time in nanoseconds since 1970 as it stands in a stamp: seconds and microseconds, 32 bits each."""
    seconds, rest = divmod(time, SECOND)
    return (seconds & 0xFFFFFFFF) << 32 | rest // 1000


class Template:
    """A packet to begin with.

    original: its bytes before it was truncated. notes: its extension lines. headers: what the codec's walk finds in it.
    """

    def __init__(self, frame: bytes, linktype: int, time: int = 0, original: int | None = None, notes: bytes = b"") -> None:
        self.frame, self.linktype, self.time, self.notes = frame, linktype, time, notes
        self.original = len(frame) if original is None else original
        row = array("q", (0, len(frame), self.original, 0, linktype, 0, 0))
        self.headers: list[Header] = codec.walk(bytearray(frame), bytearray(row.tobytes()))

    @property
    def payload(self) -> int:
        """Where the data of the innermost header begin, in bytes."""
        kind, start, data, _ = self.headers[-1]
        if HEADERS[kind] == "TCP":  # behind its options
            return start + (self.frame[start + 12] >> 4) * 4 if start + 12 < len(self.frame) else data
        return start + OWN[HEADERS[kind]] if HEADERS[kind] in OWN else data

    @property
    def room(self) -> int:
        """Bytes from `payload` up to the end of what the headers say."""
        _, _, _, end = self.headers[-1]
        return end - self.payload

    def taking(self, columns: Sequence[Column]) -> Template:
        """The same with headers that fields before announce, as a port does, as long as some are nowhere: by their first values.

        What is drawn announces nothing.
        """
        template, known = self, set[Column]()
        while not all(column.parts(template) for column in columns):
            new = [column for column in columns if column not in known and column.values.period and column.parts(template)]
            if not new:
                break
            known.update(new)
            bits = int.from_bytes(template.frame, "big")
            for column in new:
                for bit, width, bits_of in column.parts(template):
                    mask, behind = (1 << width) - 1, 8 * len(template.frame) - bit - width
                    bits = bits & ~(mask << behind) | (bits_of(column.values.take(0, 1))[0] & mask) << behind
            frame = bits.to_bytes(len(template.frame), "big")
            template = Template(frame, self.linktype, self.time, self.original, self.notes)
        return template

    def place(self, indexes: list[int], occurrence: int) -> tuple[Row, int] | None:
        """Where a field is, counted from 1, or from the end when negative: its row, and its first bit in the frame."""
        found = []
        for kind, start, _, end in self.headers:
            for index in indexes:
                row = TABLE[index]
                if row.header == kind and row.kind != DATA and start * 8 + row.bit + row.width <= end * 8:
                    found.append((row, start * 8 + row.bit))
        at = occurrence - 1 if occurrence > 0 else occurrence
        return found[at] if -len(found) <= at < len(found) else None


class Column:
    """A field in packet after packet. late: it is written again behind the checksums, being one itself."""

    def __init__(self, name: str, values: Values) -> None:
        self.name, self.indexes, occurrence = field(name)
        self.rows, self.occurrence, self.values = rows_of(self.indexes), occurrence or 1, values
        self.late = self.name.endswith(".CHECKSUM")
        if self.rows[0].kind in (DATA, TEXT):
            raise UsageError(f"{self.name}: {self.rows[0].kind} does not count")

    def parts(self, template: Template) -> list[tuple[int, int, Callable[[Sequence[int]], Sequence[int]]]]:
        """Where it goes in a template, up to 64 bits each: first bit, width, and what makes its bits of values; none: nowhere."""
        place = template.place(self.indexes, self.occurrence)
        if place is None:
            return []
        row, bit = place
        if row.width == 128:
            return [(bit, 64, lambda numbers: [n >> 64 for n in numbers]),
                    (bit + 64, 64, lambda numbers: [n & (1 << 64) - 1 for n in numbers])]  # fmt: skip
        if row.kind in (LITTLE, FAMILY):
            size = row.width // 8
            old = int.from_bytes(template.frame[bit // 8 : bit // 8 + size], "big")
            if row.kind == LITTLE or old == 0 or old > 0xFFFF:  # a FAMILY is in its writer's order: as assignments have it
                return [(bit, row.width, lambda numbers: [int.from_bytes(n.to_bytes(size, "little"), "big") for n in numbers])]
        if row.scale > 1 or row.bias:
            return [(bit, row.width, lambda numbers: [n // row.scale - row.bias for n in numbers])]
        return [(bit, row.width, lambda numbers: numbers)]


def last_set(columns: Sequence[Column], template: Template) -> tuple[int, int]:
    """The byte behind the last field that is set in a template; and behind the last mutable one, see `signed` of the codec."""
    found = {True: 0, False: 0}
    for column in columns:
        place = template.place(column.indexes, column.occurrence)
        if place:
            row, bit = place
            found[row.mutable] = max(found[row.mutable], -(-(bit + row.width) // 8))
    return found[False], found[True]


class Lengths:
    """Sizes of frames that are not all the same. places: bit and width of what says it, and how much less it says."""

    def __init__(self, values: Values, places: list[tuple[int, int, int]]) -> None:
        self.values, self.places = values, places


class Stream:
    """The packets. templates: they take turns. sizes: None where a packet is as long as its template.

    stamp: with sequence number and time in the payload. correct: checksums are computed. schedule, start: the times of packets, in
    nanoseconds since 1970; None: those of the templates. unit: nanoseconds; from `start` on times are multiples of it.
    """

    def __init__(self, templates: list[Template], columns: list[Column], sizes: Lengths | None = None, *, stamp: bool = False,
                 correct: bool = True, schedule: Schedule | None = None, start: int = 0, unit: int = 1) -> None:  # fmt: skip
        """Raises UsageError where a field is nowhere in a template, or the stamp does not fit."""
        self.templates, self.columns, self.sizes = templates, columns, sizes
        self.stamp, self.correct, self.schedule, self.start, self.unit = stamp, correct, schedule, start, unit
        self.parts = [[column.parts(template) for template in templates] for column in columns]
        for column, parts in zip(columns, self.parts, strict=True):
            if not any(parts):
                raise UsageError(f"{column.name}: the packet has no such field")
        self.stride = sum(len(template.frame) + len(template.notes) for template in templates)
        if stamp:
            shorter = self.longest - least(sizes.values) if sizes else 0
            if any(template.room - shorter < STAMP for template in templates):
                raise UsageError(f"--stamp takes {STAMP} bytes behind the headers, and there are fewer")
            if correct and any(column.late for column in columns):
                raise UsageError("--stamp lets checksums follow the time; to give one, add --raw-checksums")
        self.kept: dict[int, Batch] = {}
        self.join(AT_ONCE)

    @property
    def longest(self) -> int:
        """Bytes of the longest packet."""
        return max(len(template.frame) for template in self.templates)

    @property
    def period(self) -> int:
        """After how many packets all starts over; 0: never."""
        values = [column.values for column in self.columns] + ([self.sizes.values] if self.sizes else [])
        return lcm(len(self.templates), *[value.period for value in values])  # of 0 and anything it is 0

    def whole_round(self) -> int:
        """After how many packets all starts over, some rounds joined if they are short; 0: never, or not soon enough."""
        period = self.period
        if not 0 < period <= MOST_KEPT or period // len(self.templates) * self.stride > BYTES_KEPT:
            return 0
        return period * max(1, self.at_once // period)

    def join(self, packets: int) -> None:
        """Makes batches of so many packets, as far as they are not too long."""
        self.at_once = max(1, min(packets, MOST_BATCH * len(self.templates) // max(1, self.stride)))
        self.kept.clear()
        self.round = self.whole_round()

    def batches(self, count: int | None, lent: bool = False) -> Iterator[Batch]:
        """So many packets, or without end. lent: who gets them changes nothing, and gets the same memory again."""
        first = 0
        while count is None or first < count:
            number = self.at_once if count is None else min(self.at_once, count - first)
            batch = self.again(first, number, lent) if self.round else self.made(first, number)
            number = len(batch)
            if self.schedule is not None:
                times = [self.start + time - time % self.unit for time in self.schedule.times(first, number)]
                if times[-1] >= 1 << 63:
                    raise PktError("packets would be of times that have no room: they end in 2262")
                batch.columns()[TIME::COLUMNS] = array("q", times)
            if self.stamp:
                self.number(batch, first)
                if not lent:
                    self.clock(batch, first, array("Q", map(stamped, batch.column(TIME))))
            yield batch
            first += number

    def again(self, first: int, number: int, lent: bool) -> Batch:
        """Packets that come round, from number `first` on, as many as lie together."""
        at = first % self.round
        begin = at - at % self.at_once
        if begin not in self.kept:
            self.kept[begin] = self.made(begin, min(self.at_once, self.round - begin))
        batch, at = self.kept[begin], at - begin
        if at or number < len(batch):
            batch = batch.part(at, min(at + number, len(batch)))
        return batch if lent else Batch(bytearray(batch.data), bytearray(batch.rows))

    def made(self, first: int, number: int) -> Batch:
        """Packets from number `first` on, made now."""
        batch = self.laid_out(first, number)
        late = []
        if self.sizes:
            sizes = array("q", self.sizes.values.take(first, number))
            columns = batch.columns()
            columns[CAPTURED::COLUMNS] = columns[ORIGINAL::COLUMNS] = sizes
            for bit, width, less in self.sizes.places:
                codec.spread(batch.data, batch.rows, 0, 1, bit, width, array("Q", [size - less for size in sizes]))
        turns = len(self.templates)
        for column, parts in zip(self.columns, self.parts, strict=True):
            numbers = column.values.take(first, number)
            for which, places in enumerate(parts):
                for bit, width, bits_of in places:
                    call = ((which - first) % turns, turns, bit, width, array("Q", bits_of(numbers)))
                    codec.spread(batch.data, batch.rows, *call)
                    if column.late:
                        late.append(call)
        if self.stamp:
            self.into_payload(batch, first, 0, 32, array("Q", [MAGIC]) * number)
        elif self.correct:
            codec.correct(batch.data, batch.rows, codec.ALL)
            for call in late:
                codec.spread(batch.data, batch.rows, *call)
        return batch

    def number(self, batch: Batch, first: int) -> None:
        """Writes sequence numbers into packets, of which the first is number `first`, counted from 0."""
        self.into_payload(batch, first, 4, 32, array("Q", range(first + 1, first + 1 + len(batch))))

    def clock(self, batch: Batch, first: int, times: array[int]) -> None:
        """Writes times into packets, as `stamped` gives them, and computes their checksums."""
        self.into_payload(batch, first, 8, 64, times)
        if self.correct:
            codec.correct(batch.data, batch.rows, codec.ALL)

    def into_payload(self, batch: Batch, first: int, offset: int, width: int, values: array[int]) -> None:
        """Writes so many bits a packet, `offset` bytes behind the beginning of the payload; what does not fit into them is cut."""
        turns = len(self.templates)
        for which, template in enumerate(self.templates):
            codec.spread(batch.data, batch.rows, (which - first) % turns, turns, (template.payload + offset) * 8, width, values)

    def laid_out(self, first: int, number: int) -> Batch:
        """The templates, in turns, one behind the other."""
        turns = len(self.templates)
        order = [self.templates[n % turns] for n in range(first, first + number)]
        sizes = array("q", [len(template.frame) for template in order])
        offsets, notes, at = array("q"), array("q"), 0
        for template in order:
            offsets.append(at)
            notes.append(at + len(template.frame))
            at = notes[-1] + len(template.notes)
        data = b"".join([part for template in order for part in (template.frame, template.notes)])
        batch = Batch(bytearray(data), bytearray(number * COLUMNS * 8))
        columns = batch.columns()
        columns[OFFSET::COLUMNS] = offsets
        columns[NOTES::COLUMNS] = notes
        columns[NOTES_SIZE::COLUMNS] = array("q", [len(template.notes) for template in order])
        columns[CAPTURED::COLUMNS] = sizes
        columns[ORIGINAL::COLUMNS] = array("q", [template.original for template in order])
        columns[LINKTYPE::COLUMNS] = array("q", [template.linktype for template in order])
        columns[TIME::COLUMNS] = array("q", [template.time for template in order])
        return batch
