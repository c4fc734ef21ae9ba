"""Which packets of two streams belong to each other: by their order, by fields, or by an edit script; and how these differ.

What a stream brings is taken as it comes: memory is bounded, and what had no room is said.
"""

from __future__ import annotations

from .. import codec
from ..batch import LINKTYPE, ROW_BYTES, Batch, Packet, gathered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .differences import Difference
    from .ignoring import Ignored

    Passed = Callable[[Batch, int, int], None]
    Numbered = tuple[int, Packet]  # which one of its stream it is, from 1 on
MEMORY = 32 << 20  # bytes of packets that wait, or that an edit script is made of
OVERHEAD = 300  # bytes that a packet takes besides its own
MOST_GUESSED = 4096  # pairs of packets between which the most similar ones are looked for
SIMILAR = 0.5  # share of bytes that are the same, of packets that are taken for the same one, changed


def room(packet: Packet) -> int:
    """Bytes that a packet takes while it waits."""
    return len(packet.frame) + len(packet.notes) + OVERHEAD


class Found:
    """Two packets that differ, or one that the other side does not have.

    number_a, number_b: which ones of their streams, from 1 on; None: it is not there. a, b: the packets. differences: what differs;
    none of packets that only stand elsewhere. moved: whether the order is another one. again: the number of a packet of the same
    side that is the same as the one that has no other.
    """

    __slots__ = ("a", "again", "b", "differences", "moved", "number_a", "number_b")

    def __init__(self, number_a: int | None, a: Packet | None, number_b: int | None, b: Packet | None,
                 differences: list[Difference] | None = None, moved: bool = False, again: int | None = None) -> None:  # fmt: skip
        self.number_a, self.a, self.number_b, self.b = number_a, a, number_b, b
        self.differences, self.moved, self.again = differences or [], moved, again


class Side:
    """The packets of one stream as they come. batch: those in hand, from `at` on. number: that of the first of these, from 1 on."""

    def __init__(self, stream: Iterator[Batch]) -> None:
        self.stream = stream
        self.batch = Batch(bytearray(), bytearray())
        self.at, self.number = 0, 1

    @property
    def left(self) -> int:
        """How many are in hand; the next batch is asked for where none is. 0: the stream has ended."""
        while self.at == len(self.batch):
            batch = next(self.stream, None)
            if batch is None:
                return 0
            self.batch, self.at = batch, 0
        return len(self.batch) - self.at

    def skip(self, count: int) -> None:
        """Takes so many of those in hand."""
        self.at += count
        self.number += count

    def rest(self) -> Iterator[tuple[int, Packet]]:
        """All that are left, by number."""
        while self.left:
            yield self.number, self.batch.packet(self.at)
            self.skip(1)


class Pairing:
    """How the packets of two streams are compared. passed: is told which packets of the first stream are through, in order.

    bound: whether memory was not enough, and how that shows. same: how many pairs were.
    """

    def __init__(self, ignore: Ignored, passed: Passed | None = None) -> None:
        self.ignore, self.passed = ignore, passed
        self.told = ignore.told()
        self.bound, self.same = "", 0

    def found(self, a: Iterator[Batch], b: Iterator[Batch]) -> Iterator[Found]:
        """What differs."""
        raise NotImplementedError

    def pair(self, a: Numbered, b: Numbered, moved: bool) -> Iterator[Found]:
        """What there is to say of two packets. moved: whether they are in another order."""
        moved = moved and "ORDER" not in self.ignore.facts
        differing = self.compare(a[1], b[1])
        if differing or moved:
            yield Found(*a, *b, differing, moved)
            return
        self.same += 1
        if self.passed:
            self.passed(gathered((a[1],)), 0, 1)

    def compare(self, a: Packet, b: Packet) -> list[Difference]:
        """What differs between two packets."""
        if a.frame == b.frame and (a.original, a.time, a.linktype, a.notes) == (b.original, b.time, b.linktype, b.notes):
            return []
        one, other = gathered((a,)), gathered((b,))
        if not codec.unlike(one.data, one.rows, 0, other.data, other.rows, 0, 1, self.told):
            return []
        return self.differing(one, 0, other, 0)

    def differing(self, a: Batch, i: int, b: Batch, j: int) -> list[Difference]:
        """What differs between two packets of batches."""
        from .differences import differences  # late: equal streams need none of it

        rows = a.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES], b.rows[j * ROW_BYTES : (j + 1) * ROW_BYTES]
        return differences(a.data, bytes(rows[0]), b.data, bytes(rows[1]), self.ignore)

    def run(self, a: Batch, i: int, b: Batch, j: int, count: int, numbers: tuple[int, int]) -> Iterator[Found]:
        """What differs of so many pairs, from two places on; numbers: those of the first ones."""
        done = 0
        for k in codec.unlike(a.data, a.rows, i, b.data, b.rows, j, count, self.told):
            if found := self.differing(a, i + k, b, j + k):
                self.through(a, i + done, k - done)
                self.same += k - done
                yield Found(numbers[0] + k, a.packet(i + k), numbers[1] + k, b.packet(j + k), found)
                done = k + 1
        self.through(a, i + done, count - done)
        self.same += count - done

    def through(self, batch: Batch, first: int, count: int) -> None:
        """Tells that packets of the first stream are through, and the same."""
        if self.passed and count:
            self.passed(batch, first, count)


class InOrder(Pairing):
    """The first with the first, the second with the second."""

    def found(self, a: Iterator[Batch], b: Iterator[Batch]) -> Iterator[Found]:
        """What differs."""
        one, other = Side(a), Side(b)
        while count := min(one.left, other.left):
            yield from self.run(one.batch, one.at, other.batch, other.at, count, (one.number, other.number))
            one.skip(count)
            other.skip(count)
        for number, packet in one.rest():
            yield Found(number, packet, None, None)
        for number, packet in other.rest():
            yield Found(None, None, number, packet)


class Waiting:
    """Packets of one side whose other one has not come, by key. last: of keys whose packets came, the number of the last one."""

    def __init__(self) -> None:
        self.by_key: dict[bytes, list[tuple[int, int, Packet]]] = {}
        self.last: dict[int, int] = {}
        self.held = 0

    def add(self, key: bytes, since: int, number: int, packet: Packet) -> None:
        """Lets a packet wait. since: how many had come on both sides."""
        self.by_key.setdefault(key, []).append((since, number, packet))
        self.held += room(packet)

    def take(self, key: bytes) -> Numbered | None:
        """The packet that has waited longest of those of a key; None: there is none."""
        several = self.by_key.get(key)
        if several is None:
            return None
        _, number, packet = several.pop(0)
        if not several:
            del self.by_key[key]
        self.held -= room(packet)
        return number, packet

    def longest(self) -> tuple[int, bytes] | None:
        """Since when the first key waits, and that key; None: there is none."""
        key = next(iter(self.by_key), None)
        return None if key is None else (self.by_key[key][0][0], key)

    def pair(self, key: bytes, number: int, most: int) -> None:
        """Keeps the number of a packet that was paired, of so many keys at most."""
        self.last[hash(key)] = number
        if len(self.last) > most:
            del self.last[next(iter(self.last))]


class ByKey(Pairing):
    """Those whose fields say the same; of several the first with the first. columns: the fields, as columns_encode takes them."""

    def __init__(self, ignore: Ignored, columns: bytes, memory: int = MEMORY) -> None:
        super().__init__(ignore)
        self.columns, self.memory = columns, memory
        self.before = b"\0" + b"\t\0" * (len(columns) // 24 - 1) + b"\n\0"
        self.latest = (0, 0)  # numbers of the last pair that was in order

    def keys(self, batch: Batch) -> list[bytes]:
        """What the fields of each packet say."""
        keys: list[bytes] = []
        stop, rows = 0, bytes(batch.rows)
        while stop < len(batch):
            text, stop = codec.columns_encode(batch.data, rows, stop, stop + 1, self.columns, self.before, 0)
            keys += bytes(text).split(b"\n")[:-1]
        return keys

    def found(self, a: Iterator[Batch], b: Iterator[Batch]) -> Iterator[Found]:
        """What differs, as soon as it is known."""
        sides, waiting = (Side(a), Side(b)), (Waiting(), Waiting())
        while sides[0].left or sides[1].left:
            which = 0 if sides[0].left and (not sides[1].left or waiting[0].held <= waiting[1].held) else 1
            side, own, others = sides[which], waiting[which], waiting[1 - which]
            for i, key in enumerate(self.keys(side.batch)):
                number, packet, other = side.number + i, side.batch.packet(i), others.take(key)
                if other is None:
                    own.add(key, sides[0].number + sides[1].number + i, number, packet)
                    continue
                own.pair(key, number, self.memory >> 8)
                others.pair(key, other[0], self.memory >> 8)
                pair = ((number, packet), other) if which == 0 else (other, (number, packet))
                yield from self.paired(*pair)
            side.skip(len(side.batch))
            yield from self.given_up(waiting, self.memory)
        yield from self.given_up(waiting, 0)

    def paired(self, a: Numbered, b: Numbered) -> Iterator[Found]:
        """What there is to say of two packets of the same key."""
        in_order = a[0] > self.latest[0] and b[0] > self.latest[1]
        if in_order:
            self.latest = a[0], b[0]
        return self.pair(a, b, not in_order)

    def given_up(self, waiting: tuple[Waiting, Waiting], memory: int) -> Iterator[Found]:
        """Those that wait, the longest first, until the rest takes no more than some bytes."""
        given: list[Found] = []
        while sum(one.held for one in waiting) > memory:
            which, (_, key) = min(
                ((i, found) for i, one in enumerate(waiting) if (found := one.longest())), key=lambda pair: pair[1]
            )
            number, packet = waiting[which].take(key) or (0, None)
            again = waiting[which].last.get(hash(key))
            given.append(
                Found(number, packet, None, None, again=again) if which == 0 else Found(None, None, number, packet, again=again)
            )
            if memory:
                self.bound = "packets whose other one may come later were taken for missing"
        yield from sorted(given, key=lambda one: (one.number_a or one.number_b or 0, one.number_a is None))


class Window:
    """Packets of one side that an edit script is made of, and what stands for each of them: its bytes, but for what may differ."""

    def __init__(self, stream: Iterator[Batch], told: tuple[int, bool, bool, bytes, bytes]) -> None:
        self.stream, self.told = stream, told
        self.packets: list[Packet] = []
        self.marks: list[int] = []
        self.first, self.held, self.ended = 1, 0, False

    def fill(self, memory: int) -> None:
        """Takes packets until so many bytes are held, or the stream has ended."""
        while not self.ended and self.held < memory:
            batch = next(self.stream, None)
            if batch is None:
                self.ended = True
                return
            packets = [batch.packet(i) for i in range(len(batch))]
            self.packets += packets
            self.held += sum(map(room, packets))
            *_, places = self.told
            plain = batch
            if places:
                plain = Batch(bytearray(batch.data), batch.rows)
                codec.blank(plain.data, plain.rows, self.told)
            self.marks += [hash((bytes(plain.frame(i)), link)) for i, link in enumerate(batch.column(LINKTYPE))]

    def drop(self, count: int) -> None:
        """Takes the first ones away."""
        self.held -= sum(map(room, self.packets[:count]))
        del self.packets[:count], self.marks[:count]
        self.first += count

    def numbered(self, i: int) -> Numbered:
        """One of them, by its place here."""
        return self.first + i, self.packets[i]


class Aligned(Pairing):
    """By the edit script between their bytes: what is left over was changed, went elsewhere, or is only there once.

    moves: whether packets that went elsewhere are told as pairs.
    """

    def __init__(self, ignore: Ignored, passed: Passed | None = None, memory: int = MEMORY, moves: bool = True) -> None:
        super().__init__(ignore, passed)
        self.memory, self.moves = memory, moves

    def found(self, a: Iterator[Batch], b: Iterator[Batch]) -> Iterator[Found]:
        """What differs, in the order of the first stream, and of the second one between."""
        one, other = Window(a, self.told), Window(b, self.told)
        while True:
            for window in (one, other):
                window.fill(self.memory // 2)
            if not one.packets and not other.packets:
                return
            yield from self.window(one, other)

    def window(self, a: Window, b: Window) -> Iterator[Found]:
        """The script of what is held; of more to come up to the last pair that has much behind it."""
        from .script import kept

        pairs = kept(a.marks, b.marks)
        stop = len(a.packets), len(b.packets)
        if not (a.ended and b.ended):
            within = [(i, j) for i, j in pairs if i < len(a.packets) * 3 // 4 and j < len(b.packets) * 3 // 4]
            within = within or pairs
            if within:
                stop = within[-1][0] + 1, within[-1][1] + 1
                pairs = pairs[: len(within)]
            if len(pairs) < max(stop):
                self.bound = "edit scripts were made of parts of the streams"
        yield from self.told_of(a, b, pairs, stop)
        a.drop(stop[0])
        b.drop(stop[1])

    def told_of(self, a: Window, b: Window, pairs: list[tuple[int, int]], stop: tuple[int, int]) -> Iterator[Found]:
        """What the pairs say, and what stands between them."""
        left_a, left_b = set(range(stop[0])), set(range(stop[1]))
        left_a.difference_update(i for i, _ in pairs)
        left_b.difference_update(j for _, j in pairs)
        moved = self.moved(a, b, left_a, left_b) if self.moves and left_a and left_b else {}
        gone = set(moved.values())
        again_a = {a.marks[i]: a.first + i for i, _ in pairs} if left_a else {}
        again_b = {b.marks[j]: b.first + j for _, j in pairs} if left_b else {}
        i = j = 0
        for next_i, next_j in [*pairs, stop]:
            gap_b = [k for k in range(j, next_j) if k not in gone]
            gap_a = [k for k in range(i, next_i) if k not in moved]
            new_a = [k for k in gap_a if a.marks[k] not in again_a]  # what is there again was not changed
            new_b = [k for k in gap_b if b.marks[k] not in again_b]
            changed = dict(similar(a.packets, b.packets, new_a, new_b)) if new_a and new_b else {}
            yield from self.gap(a, b, (i, next_i), gap_b, changed, moved, (again_a, again_b))
            if (next_i, next_j) != stop:
                yield from self.pair(a.numbered(next_i), b.numbered(next_j), False)
            i, j = next_i + 1, next_j + 1

    def gap(self, a: Window, b: Window, of_a: tuple[int, int], of_b: list[int], changed: dict[int, int], moved: dict[int, int],
            again: tuple[dict[int, int], dict[int, int]]) -> Iterator[Found]:  # fmt: skip
        """What stands between two pairs."""
        at = 0
        for i in range(*of_a):
            if i in moved:
                yield from self.pair(a.numbered(i), b.numbered(moved[i]), True)
            elif i in changed:
                while of_b[at] != changed[i]:
                    yield self.only_b(b, of_b[at], again[1])
                    at += 1
                at += 1
                yield from self.pair(a.numbered(i), b.numbered(changed[i]), False)
            else:
                yield Found(*a.numbered(i), None, None, again=again[0].get(a.marks[i]))
        for j in of_b[at:]:
            yield self.only_b(b, j, again[1])

    def only_b(self, b: Window, j: int, again: dict[int, int]) -> Found:
        """A packet that only the second stream has."""
        return Found(None, None, *b.numbered(j), again=again.get(b.marks[j]))

    def moved(self, a: Window, b: Window, left_a: set[int], left_b: set[int]) -> dict[int, int]:
        """Of packets that are left over on either side those that are the same: each place, and the other one."""
        places: dict[int, list[int]] = {}
        for j in sorted(left_b, reverse=True):
            places.setdefault(b.marks[j], []).append(j)
        return {i: places[a.marks[i]].pop() for i in sorted(left_a) if places.get(a.marks[i])}


def similar(a: list[Packet], b: list[Packet], of_a: list[int], of_b: list[int]) -> Iterator[tuple[int, int]]:
    """Of packets between two pairs those that are most likely the same, changed, in their order: their places on either side.

    Where there are too many to compare them all, the first with the first.
    """
    if len(of_a) * len(of_b) > MOST_GUESSED:
        yield from ((i, j) for i, j in zip(of_a, of_b, strict=False) if likeness(a[i].frame, b[j].frame) >= SIMILAR)
        return
    best = [[0.0] * (len(of_b) + 1) for _ in range(len(of_a) + 1)]
    gain = [[likeness(a[i].frame, b[j].frame) for j in of_b] for i in of_a]
    for i in reversed(range(len(of_a))):
        for j in reversed(range(len(of_b))):
            paired = gain[i][j] + best[i + 1][j + 1] if gain[i][j] >= SIMILAR else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    i = j = 0
    while i < len(of_a) and j < len(of_b):
        if gain[i][j] >= SIMILAR and best[i][j] == gain[i][j] + best[i + 1][j + 1]:
            yield of_a[i], of_b[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


def likeness(a: bytes, b: bytes) -> float:
    """The share of bytes that are the same, at the same place from the start on."""
    size = min(len(a), len(b))
    differ = int.from_bytes(a[:size], "big") ^ int.from_bytes(b[:size], "big")
    return differ.to_bytes(size, "big").count(0) / max(len(a), len(b), 1)
