"""The keys of packets, by the statements `answers` of descriptions: a packet answers another one where both have a key in common.

The innermost header that asks makes the keys of a question, with the addresses and ports that are around it; of an answer each
header that answers does, these the other way round. Whoever asks a group, or has no address yet, is answered by anybody, and where
that is: such an end is left out of the key, which says so. Tags, labels and tunnels are passed over. What an error message
quotes is known by its addresses and the first octets that its network header carries: at least so many are quoted (RFC 792).
"""

from __future__ import annotations

import _operator as operator  # operator itself takes as long to import as all of this
import struct

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..protocols.answers import Ends, Rule, Test, ends, quoting, rules
from ..protocols.kinds import has
from ..protocols.lining import LINK, NETWORK
from ..protocols.walking import EXTENSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Key = bytes
    Recipe = tuple[bytes, tuple[tuple[bytes, bytes], ...]]  # as codec.octets_alike takes it
    Header = tuple[int, int, int, int]
    Headers = list[Header]  # as codec.walk gives them
    Shape = tuple[tuple[int, int], ...]  # kinds of headers, and where they begin

QUOTED = 8  # octets: RFC 792
FROM_ANY, FROM_GROUP, TO_ANY = 1, 2, 4  # ends that no address stands for
QUOTE = b"\xff\xff\0"  # in front of keys by what is quoted; of others: the rule's number, and which ends are left out
GROUPS, GROUPS_4 = 0xFF, 0xE0  # first octets of addresses from which on they may be those of several
MOST_PLANS = 1024  # that are kept
MOST_KEYS = 16  # that a recipe takes
TURN = 256  # packets that are looked at together, where they are shaped alike
COMPARED = operator.eq, operator.ne, operator.lt, operator.ge  # as lining.py numbers them


class Bits:
    """A number in frames, at a place."""

    def __init__(self, start: int, bit: int, width: int) -> None:
        first = start * 8 + bit
        self.first, self.stop = first // 8, (first + width + 7) // 8
        self.shift, self.mask = self.stop * 8 - first - width, (1 << width) - 1
        self.slice = slice(self.first, self.stop)
        self.whole = first % 8 == 0 and self.shift == 0
        self.size = (width + 7) // 8

    def of(self, frame: bytes) -> int:
        """What it is."""
        return int.from_bytes(frame[self.slice], "big") >> self.shift & self.mask

    def octets(self, frame: bytes) -> bytes:
        """The same, as octets."""
        return frame[self.slice] if self.whole else self.of(frame).to_bytes(self.size, "big")


class Between:
    """The two ends of a header at a place."""

    def __init__(self, start: int, of: Ends) -> None:
        _, source, destination, width, self.of_4 = of
        self.source, self.destination = (Bits(start, bit, width).slice for bit in (source, destination))

    def is_group(self, address: bytes) -> bool:
        """Whether an address is that of several: multicast, or broadcast: RFC 1112, RFC 919, RFC 4291 section 2.7."""
        return address[0] == 0xFF if not self.of_4 else 0xE0 <= address[0] < 0xF0 or address == b"\xff\xff\xff\xff"


class Around:
    """What is around a header: the station that it goes to, its network header's addresses and its ports; None: there are none."""

    def __init__(self) -> None:
        self.station: int | None = None
        self.addresses: Between | None = None
        self.ports: Between | None = None

    def enter(self, start: int, of: Ends) -> None:
        """What is behind a header that says between whom it goes."""
        if of[0] == LINK:
            self.station, self.addresses, self.ports = start + of[2] // 8, None, None
        elif of[0] == NETWORK:
            self.addresses, self.ports = Between(start, of), None
        else:
            self.ports = Between(start, of)

    def now(self) -> Around:
        """What is around the header in hand."""
        found = Around()
        found.station, found.addresses, found.ports = self.station, self.addresses, self.ports
        return found


class Keyed:
    """A rule for a header at a place."""

    def __init__(self, number: int, start: int, rule: Rule, around: Around) -> None:
        """number: of the header, in its packet."""
        self.header, self.start, self.around = number, start, around
        number_of_rule, _, tests, parts = rule
        self.prefix = [struct.pack("!HB", number_of_rule, left_out) for left_out in range(FROM_GROUP + TO_ANY + 1)]
        self.tests = [self.test(start, test) for test in tests]
        self.parts = [(Bits(start, bit, width), more, self.size(start, terms)) for bit, width, more, terms in parts]
        self.need = max([bits.stop for bits, *_ in self.parts], default=start)
        self.plain = all(bits.whole and not more and not terms for bits, more, terms in self.parts)
        if around.addresses and around.ports:
            self.ends = [around.addresses.source, around.addresses.destination, around.ports.source, around.ports.destination]
        else:
            self.ends = [around.addresses.source, around.addresses.destination] if around.addresses else []
        numbers = [bits.slice for bits, *_ in self.parts] if self.plain else []
        self.forth, self.turned = [*self.ends, *numbers], [*turned(self.ends), *numbers]
        self.to, self.back = slices(self.forth), slices(self.turned)

    @staticmethod
    def test(start: int, test: Test) -> tuple[Bits, int, Callable[[int, int], bool], int]:
        """A test: a number, its bits that count, how they are compared, and with what."""
        bit, width, mask, comparison, value = test
        return Bits(start, bit, width), mask, COMPARED[comparison], value

    @staticmethod
    def size(start: int, terms: tuple[tuple[int, int, int, int], ...]) -> list[tuple[Bits, int, int]]:
        """The terms of the header's size."""
        return [(Bits(start, bit, width), bias, scale) for bit, width, bias, scale in terms]

    def holds(self, frame: bytes) -> bool:
        """Whether its tests hold."""
        return all(compare(bits.of(frame) & mask, value) for bits, mask, compare, value in self.tests)

    def values(self, frame: bytes, headers: Headers) -> list[bytes]:
        """The parts of its keys."""
        found = []
        for bits, more, terms in self.parts:
            if more or terms:
                size = sum((of.of(frame) + bias) * scale for of, bias, scale in terms)
                more += max(headers[self.header][3] - self.start - size, 0) if terms else 0
                found.append((bits.of(frame) + more & bits.mask).to_bytes(bits.size, "big"))
            else:
                found.append(bits.octets(frame))
        return found

    def key(self, left_out: int, parts: Iterable[bytes]) -> Key:
        """A key: number of the rule, which ends it is without, those that it has, and values."""
        return self.prefix[left_out] + b"".join(parts)

    def asks(self, frame: bytes, headers: Headers) -> list[Key]:
        """The keys of the answers to it."""
        around = self.around
        found = self.to(frame) if self.plain else (*self.to(frame), *self.values(frame, headers))
        if not around.addresses:
            return [self.key(0, found)]
        source, destination, *rest = found
        to_group = around.addresses.is_group(destination) or (around.station is not None and frame[around.station] & 1)
        anywhere = not any(source)
        if not to_group and not anywhere:
            return [self.key(0, found)]
        to, where = (TO_ANY, []) if to_group else (0, [destination])
        return [
            self.key(FROM_ANY | to, [*where, *rest]) if anywhere else self.key(to, [source, *where, *rest]),
            self.key(FROM_GROUP | to, [*where, *rest]),
        ]

    def answers(self, frame: bytes, headers: Headers) -> Iterator[Key]:
        """The keys of the questions that it may answer."""
        around = self.around
        found = self.back(frame) if self.plain else (*self.back(frame), *self.values(frame, headers))
        yield self.key(0, found)
        if not around.addresses:
            return
        there, here, *rest = found
        yield self.key(TO_ANY, [there, *rest])
        for source in (FROM_ANY, FROM_GROUP) if around.addresses.is_group(there) else (FROM_ANY,):
            yield self.key(source, [here, *rest])
            yield self.key(source | TO_ANY, rest)

    def plainly(self, frame: bytes) -> list[slice] | None:
        """Of a question whose key has both ends: the octets that have to be the same so that this is true of another one, too.

        None: it is not, or not for certain by these.
        """
        around = self.around
        if not around.addresses:
            return []
        source, destination = around.addresses.source, around.addresses.destination
        several = GROUPS_4 if around.addresses.of_4 else GROUPS
        station = frame[around.station] if around.station is not None else 0
        if not frame[source.start] or frame[destination.start] >= several or station & 1:
            return None
        at = [source.start, destination.start, *([around.station] if around.station is not None else [])]
        return [slice(place, place + 1) for place in at]


def turned(ends: list[slice]) -> list[slice]:
    """The ends of an answer as those of its question: source and destination are exchanged, of addresses and of ports."""
    return [end for i in range(0, len(ends), 2) for end in (ends[i + 1], ends[i])]


def slices(of: list[slice]) -> Callable[[bytes], tuple[bytes, ...]]:
    """What takes these out of a frame."""
    if len(of) < 2:  # else it gives a tuple
        return lambda frame: tuple([frame[one] for one in of])
    return operator.itemgetter(*of)


class Plan:
    """What there is to look at in packets whose headers are of the same kinds at the same places.

    asking: rules, header by header, the innermost first. own, quoted: network headers: their ends, their number, that of the last
    one of their extensions, and whether a header is behind it.
    """

    def __init__(self, shape: Shape) -> None:
        self.asking: list[list[Keyed]] = []
        self.answering: list[Keyed] = []
        self.own: list[tuple[Between, int, int, bool]] = []
        self.quoted: list[tuple[Between, int, int, bool]] = []
        self.tested: list[slice] = []
        self.known: dict[bytes, tuple[list[Keyed], list[Keyed]]] = {}  # by the octets that tests ask for: what holds
        self.recipes: dict[tuple[bool, bytes, tuple[Header, ...]], Recipe | None] = {}
        around, inside = Around(), False
        for number, (kind, start) in enumerate(shape):
            of = ends().get(kind)
            if of and of[0] == NETWORK:
                last = extended(shape, number)
                (self.quoted if inside else self.own).append((Between(start, of), number, last, last + 1 < len(shape)))
            if inside:
                continue
            if of:
                around.enter(start, of)
            keyed = [(rule[1], Keyed(number, start, rule, around.now())) for rule in rules().get(kind, ())]
            self.answering += [one for asks, one in keyed if not asks]
            self.asking[:0] = [[one for asks, one in keyed if asks]]
            inside = kind in quoting()
        rules_of = [*self.answering, *(keyed for level in self.asking for keyed in level)]
        bits = [test[0] for keyed in rules_of for test in keyed.tests]
        self.tested = [slice(*ends) for ends in sorted({(one.first, one.stop) for one in bits})]

    def holding(self, frame: bytes) -> tuple[list[Keyed], list[Keyed]]:
        """The rules that hold: of the innermost header that asks, and of all that answer."""
        octets = b"".join([frame[of] for of in self.tested])
        found = self.known.get(octets)
        if found is None:
            asking = ([keyed for keyed in level if keyed.holds(frame)] for level in self.asking)
            found = next(filter(None, asking), []), [keyed for keyed in self.answering if keyed.holds(frame)]
            if len(self.known) < MOST_PLANS:
                self.known[octets] = found
        return found

    def asks(self, frame: bytes, headers: Headers) -> list[Key]:
        """The keys of answers to a packet: of the innermost header that asks; and of errors that quote it."""
        keys: list[Key] = []
        for keyed in self.holding(frame)[0]:
            if keyed.need <= headers[keyed.header][3]:
                keys += keyed.asks(frame, headers)
        return keys + [quote(frame, headers, *of) for of in self.own]

    def answers(self, frame: bytes, headers: Headers) -> Iterator[Key]:
        """The keys of what a packet may answer, the likely ones first."""
        if self.quoted:
            for of in self.quoted:
                yield quote(frame, headers, *of)
            return
        for keyed in self.holding(frame)[1]:
            if keyed.need <= headers[keyed.header][3]:
                yield from keyed.answers(frame, headers)

    def recipe(self, frame: bytes, headers: Headers, asks: bool) -> Recipe | None:
        """What takes the keys of packets that are shaped as this one out of them, of answers the likely ones; None: nothing."""
        octets = b"".join([frame[of] for of in self.tested])
        rules_of = self.holding(frame)[not asks] if asks or not self.quoted else []
        same = [*self.tested]
        if asks:
            for keyed in rules_of:
                more = keyed.plainly(frame)
                if more is None:
                    return None
                same += more
        known = asks, octets, tuple(headers)
        if known not in self.recipes:
            if len(self.recipes) >= MOST_PLANS:
                self.recipes.clear()
            self.recipes[known] = self.cooked(rules_of, same, headers, asks)
        return self.recipes[known]

    def cooked(self, rules_of: list[Keyed], same: list[slice], headers: Headers, asks: bool) -> Recipe | None:
        """A recipe for packets with these headers, of which these rules hold."""
        wanted = []
        for keyed in rules_of:
            if keyed.need <= headers[keyed.header][3]:
                if not keyed.plain:
                    return None
                wanted.append((keyed.prefix[0], places(keyed.forth if asks else keyed.turned)))
        wanted += [(QUOTE, places(quoted(headers, *of))) for of in (self.own if asks else self.quoted)]
        return (places(same), tuple(wanted)) if len(wanted) <= MOST_KEYS else None

    def likely(self, keys: tuple[Key, ...], batch: Batch, i: int, headers: Headers) -> Iterator[Key]:
        """The keys of what packet `i` of a batch may answer; keys: those that its recipe has taken."""
        yield from keys
        if not self.quoted:
            yield from self.answers(bytes(batch.frame(i)), headers)


def extended(shape: Shape, number: int) -> int:
    """The number of the last extension of a network header, or its own."""
    while number + 1 < len(shape) and has(shape[number + 1][0], EXTENSION):
        number += 1
    return number


def quoted(headers: Headers, between: Between, number: int, last: int, more: bool) -> list[slice]:
    """Where what is quoted of a packet tells it from others."""
    at = headers[last + 1][1] if more else headers[last][2]
    return [between.source, between.destination, slice(at, max(at, min(at + QUOTED, headers[number][3])))]


def quote(frame: bytes, headers: Headers, between: Between, number: int, last: int, more: bool) -> Key:
    """The key of a packet by what is quoted of it."""
    return QUOTE + b"".join([frame[of] for of in quoted(headers, between, number, last, more)])


def places(of: list[slice]) -> bytes:
    """Octets as the codec is told of them."""
    return b"".join([struct.pack("=2q", one.start, one.stop) for one in of])


_plans: dict[Shape, Plan] = {}


def plan_of(headers: Headers) -> Plan:
    """What there is to look at in a packet with these headers."""
    shape = tuple([header[:2] for header in headers])
    plan = _plans.get(shape)
    if plan is None:
        if len(_plans) >= MOST_PLANS:
            _plans.clear()
        plan = _plans[shape] = Plan(shape)
    return plan


def looked_at(batch: Batch, asks: bool) -> Iterator[tuple[Plan, int, Headers, list[tuple[Key, ...]] | None]]:
    """Runs of packets shaped alike: what there is to look at, the first one's number, headers, and keys, where a recipe takes them.

    Else it is a single packet.
    """
    rows, first = batch.rows, 0
    while first < len(batch):
        headers = codec.walk(batch.data, rows[first * ROW_BYTES : (first + 1) * ROW_BYTES])
        plan = plan_of(headers)
        recipe = plan.recipe(bytes(batch.frame(first)), headers, asks)
        if recipe is None:
            yield plan, first, headers, None
            first += 1
            continue
        taken = codec.octets_alike(batch.data, rows[first * ROW_BYTES : (first + TURN) * ROW_BYTES], 0, *recipe)
        yield plan, first, headers, taken
        first += len(taken)


def asked(batch: Batch) -> list[Sequence[Key]]:
    """The keys of answers to each packet of a batch."""
    found: list[Sequence[Key]] = []
    for plan, first, headers, taken in looked_at(batch, True):
        found += [plan.asks(bytes(batch.frame(first)), headers)] if taken is None else taken
    return found


def answered(batch: Batch) -> list[Iterator[Key]]:
    """The keys of what each packet of a batch may answer, made as they are asked for: as long as the batch is good."""
    found = []
    for plan, first, headers, taken in looked_at(batch, False):
        found += [plan.likely(keys, batch, i, headers) for i, keys in enumerate(taken or [()], first)]
    return found
