"""Does to packets what networks do: loses, doubles, damages and delays them, by chance, and the same for the same seed.

The words are those of netem, tc-netem(8). A delay moves TIME; who sends, holds or sorts packets goes by that.
"""

from __future__ import annotations

from _random import Random as Twister  # Python's random without its distributions: it imports hashlib
from array import array
from struct import unpack

from ..batch import CAPTURED, COLUMNS, NOTES, NOTES_SIZE, OFFSET, ROW_BYTES, TIME, Batch
from ..errors import counted, passed
from ..language.times import MOST_TIME
from .times import set_times

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Share = tuple[int, int]  # of all: above and below a fraction's line

WORD = 64  # bits that are drawn at once
MILLISECOND = 1_000_000  # nanoseconds


class Chance:
    """Words that are drawn for one purpose: others that come and go change nothing about them."""

    def __init__(self, seed: int, purpose: str) -> None:
        self.random = Twister(int.from_bytes(f"{seed} {purpose}".encode(), "big"))

    def words(self, count: int) -> Sequence[int]:
        """The next ones, WORD bits each."""
        return unpack(f"<{count}Q", self.random.getrandbits(count * WORD).to_bytes(count * WORD // 8, "little"))

    def hits(self, share: Share, count: int) -> list[bool]:
        """For each of so many packets whether it is among that share of all."""
        below = limit(share)
        return [word < below for word in self.words(count)]


def limit(share: Share) -> int:
    """What a word is below where it hits, for a share of all words."""
    return (share[0] << WORD) // share[1]


class Bursts:
    """Loss that comes in bursts: the model of Gilbert and Elliott. The net is good or bad, and changes between packets.

    shares: of packets at which a good one becomes bad, at which a bad one becomes good, that get lost while it is bad, and while it
    is good: p, r, 1-h and 1-k of netem's gemodel. It is good in the beginning.
    """

    def __init__(self, seed: int, shares: Sequence[Share]) -> None:
        to_bad, to_good, in_bad, in_good = map(limit, shares)
        self.changes, self.losses = (to_bad, to_good), (in_good, in_bad)
        self.chances = Chance(seed, "state"), Chance(seed, "loss")
        self.bad = 0

    def lost(self, count: int) -> list[bool]:
        """For each of so many packets whether it gets lost, as the net is when it comes."""
        found = []
        bad, changes, losses = self.bad, self.changes, self.losses
        for change, loss in zip(*(chance.words(count) for chance in self.chances), strict=True):
            found.append(loss < losses[bad])
            bad ^= change < changes[bad]
        self.bad = bad
        return found


class States:
    """Loss by a chain of four states, as netem's `state` has it: each packet is lost or not by the state that it leads to.

    1: a gap, nothing is lost; 3: a burst, lost; 2: a burst, not lost; 4: lost alone, in a gap, to which it goes back.
    shares: of packets that lead from 1 to 3, from 3 to 1, from 3 to 2, from 2 to 3, and from 1 to 4; all others stay where they
    are. It is 1 in the beginning. Source: tc-netem(8).
    """

    def __init__(self, seed: int, shares: Sequence[Share]) -> None:
        p13, p31, p32, p23, p14 = map(limit, shares)
        # Of each state: words below the first number lead to the first state, else below the second to the second.
        self.ways = {1: (p14, 4, p14 + p13, 3), 2: (p23, 3, 0, 2), 3: (p32, 2, p32 + p31, 1), 4: (1 << WORD, 1, 0, 1)}
        self.chance, self.state = Chance(seed, "state"), 1

    def lost(self, count: int) -> list[bool]:
        """For each of so many packets whether it gets lost."""
        found = []
        state, ways = self.state, self.ways
        for word in self.chance.words(count):
            below, one, also_below, other = ways[state]
            state = one if word < below else other if word < also_below else state
            found.append(state > 2)
        self.state = state
        return found


class Independent:
    """Loss of each packet by itself."""

    def __init__(self, seed: int, share: Share) -> None:
        self.chance, self.share = Chance(seed, "loss"), share

    def lost(self, count: int) -> list[bool]:
        """For each of so many packets whether it gets lost."""
        return self.chance.hits(self.share, count)


class Impairment:
    """A stage of a flow.

    loss: which packets get lost; None: none. double, damage, ahead: the shares of those that come twice, in which one bit is
    wrong, and that are not delayed. delay: nanoseconds; jitter: how much more or less it is, all alike likely, never below 0.
    chosen: says which packets of a batch it is about; None: all.
    A packet that is lost is nothing else; a copy is damaged and delayed by itself.
    """

    def __init__(self, seed: int, *, loss: Bursts | States | Independent | None = None, double: Share = (0, 1),
                 damage: Share = (0, 1), ahead: Share = (0, 1), delay: int = 0, jitter: int = 0,
                 chosen: Callable[[Batch], Sequence[int]] | None = None) -> None:  # fmt: skip
        self.loss, self.double, self.damage, self.ahead = loss, double, damage, ahead
        self.delay, self.jitter, self.chosen = delay, jitter, chosen
        self.doubling, self.place = Chance(seed, "duplicate"), Chance(seed, "place")
        turns = ("", " of copies") if double[0] else ("",)
        self.damaging, self.overtaking, self.shaking = (
            [Chance(seed, purpose + turn) for turn in turns] for purpose in ("corrupt", "reorder", "jitter")
        )
        self.came = self.lost = self.bursts = self.longest = self.doubled = self.damaged = self.empty = self.early = 0
        self.delayed = self.beyond = 0
        self.least, self.most = delay + jitter, 0  # nanoseconds of delay
        self.burst = 0  # packets lost, one behind the other, until now

    @property
    def spread(self) -> int:
        """By how many nanoseconds the delays of two packets differ at most."""
        undelayed = self.chosen is not None or self.ahead[0] > 0
        return self.delay + self.jitter - (0 if undelayed else max(0, self.delay - self.jitter))

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes what is left."""
        for batch in stream:
            made = self.impaired(batch)
            if len(made):
                yield made

    def impaired(self, batch: Batch) -> Batch:
        """What becomes of a batch."""
        which = range(len(batch)) if self.chosen is None else [i for i, one in enumerate(self.chosen(batch)) if one]
        count = len(which)
        if not count:
            return batch
        self.came += count
        lost = self.loss.lost(count) if self.loss else [False] * count
        double = self.doubling.hits(self.double, count) if self.double[0] else [False] * count
        if self.loss:
            self.follow(lost)
        copies = [1] * len(batch)  # how many are made of each packet
        for i, gone, twice in zip(which, lost, double, strict=True):
            copies[i] = 0 if gone else 1 + twice
        self.doubled += copies.count(2)
        left = []  # of those chosen: place among all that are made, number among those chosen, and which of two it is
        at, numbers = 0, dict(zip(which, range(count), strict=True))
        for i, made in enumerate(copies):
            if i in numbers:
                left += [(at + turn, numbers[i], turn) for turn in range(made)]
            at += made
        batch = multiplied(batch, copies)
        if self.damage[0]:
            batch = self.with_errors(batch, left, count)
        if self.delay or self.jitter:
            self.postpone(batch, left, count)
        return batch

    def follow(self, lost: list[bool]) -> None:
        """Counts what was lost, and in how many bursts."""
        for gone in lost:
            if gone:
                self.bursts += not self.burst
                self.burst += 1
                self.longest = max(self.longest, self.burst)
                self.lost += 1
            else:
                self.burst = 0

    def with_errors(self, batch: Batch, left: list[tuple[int, int, int]], count: int) -> Batch:
        """The batch, in some of whose packets one bit is wrong."""
        hits = [chance.hits(self.damage, count) for chance in self.damaging]
        places = [at for at, number, turn in left if hits[turn][number]]
        if not places:
            return batch
        batch = owned(batch)
        columns = batch.columns()
        for at, word in zip(places, self.place.words(len(places)), strict=True):
            offset, size = columns[at * COLUMNS + OFFSET], columns[at * COLUMNS + CAPTURED]
            if size:
                octet, bit = divmod(word * 8 * size >> WORD, 8)
                batch.data[offset + octet] ^= 0x80 >> bit
                self.damaged += 1
            else:
                self.empty += 1
        return batch

    def postpone(self, batch: Batch, left: list[tuple[int, int, int]], count: int) -> None:
        """Delays the packets of a batch."""
        early = [chance.hits(self.ahead, count) for chance in self.overtaking] if self.ahead[0] else None
        words = [chance.words(count) for chance in self.shaking] if self.jitter else None
        times, width, first = batch.column(TIME), 2 * self.jitter + 1, self.delay - self.jitter
        for at, number, turn in left:
            if early and early[turn][number]:
                self.early += 1
                continue
            delay = max(0, first + (words[turn][number] * width >> WORD)) if words else self.delay
            if times[at] + delay > MOST_TIME:
                self.beyond += 1
                continue
            times[at] += delay
            self.delayed += 1
            self.least, self.most = min(self.least, delay), max(self.most, delay)
        set_times(batch, times)

    def said(self, behind: int) -> list[str]:
        """What was done. behind: how many packets came out behind one that had come later."""
        if not self.came:
            return []
        bursts = f" in {counted(self.bursts, 'burst')} of up to {self.longest}" if self.lost else ""
        said = [f"{self.lost} lost{bursts}"] if self.loss else []
        said += [f"{self.doubled} duplicated"] if self.double[0] else []
        said += [f"{self.damaged} corrupted"] if self.damage[0] else []
        said += [f"{self.empty} without a byte to corrupt"] if self.empty else []
        said += [f"{self.early} not delayed"] if self.ahead[0] else []
        said += [f"{self.delayed} delayed by {shown(self.least)} to {shown(self.most)}"] if self.delayed else []
        said += [f"{behind} overtaken"] if self.spread else []
        lines = [f"{counted(self.came, 'packet')}: {', '.join(said)}"]
        if self.beyond:
            lines.append(passed(self.beyond, "their times would be later than times go"))
        return lines


def shown(nanoseconds: int) -> str:
    """A delay for people, in milliseconds, with all digits that say something."""
    whole, rest = divmod(nanoseconds, MILLISECOND)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") + " ms"


def multiplied(batch: Batch, copies: Sequence[int]) -> Batch:
    """So many of each packet of a batch, 0, 1 or 2; each with bytes of its own."""
    if min(copies) == max(copies) == 1:
        return batch
    if max(copies) > 1:
        batch = owned(batch)
    data, rows = batch.data, bytearray()
    for i, count in enumerate(copies):
        if count:
            row = batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
            rows += row
            if count == 2:
                rows += copied(data, row)  # type: ignore[arg-type]  # it is ours
    return Batch(data, rows)


def copied(data: bytearray, row: bytearray) -> bytes:
    """The row of a copy of a packet, whose bytes are put behind all others."""
    columns = array("q", bytes(row))
    for place, size in ((OFFSET, columns[CAPTURED]), (NOTES, columns[NOTES_SIZE])):
        at, columns[place] = columns[place], len(data)
        data += data[at : at + size]
    return columns.tobytes()


def owned(batch: Batch) -> Batch:
    """The same packets, with bytes that are nobody else's."""
    offsets, sizes, notes, lengths = map(batch.column, (OFFSET, CAPTURED, NOTES, NOTES_SIZE))
    spans = [(at, at + size) for at, size in zip(offsets + notes, sizes + lengths, strict=True) if size]
    low, high = min((low for low, _ in spans), default=0), max((high for _, high in spans), default=0)
    made = Batch(bytearray(memoryview(batch.data)[low:high]), bytearray(batch.rows))
    for column, places, long in ((OFFSET, offsets, sizes), (NOTES, notes, lengths)):
        moved = array("q", [at - low if size else 0 for at, size in zip(places, long, strict=True)])
        made.columns()[column::COLUMNS] = memoryview(moved)
    return made
