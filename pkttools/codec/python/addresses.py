"""Replaces addresses, and other numbers that say who speaks to whom, in all headers, their items, and what errors quote.

Twin of ../c/addresses.c.
"""

from __future__ import annotations

from struct import calcsize, iter_unpack, pack
from zlib import crc32

from ...batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, MAX_LINKTYPE, OFFSET, ORIGINAL, ROW_BYTES
from ...protocols.walking import FIRST_ITEM, PADDED
from .. import FRAGMENT
from .checksum import FCS, View, has_fcs
from .exceptions import fragment_offset
from .headers import Header, Walk, is_tag, need_dict, note
from .lists import Items
from .protocols import carries_message, extends, known
from .rows import checked, without_fcs
from .signatures import Changed, signature_of
from .sums import message_of
from .update import update

MOST_SORTS, MOST_PLACES, MOST_COUNTS = 8, 65536, 4096
SOURCE, DESTINATION, NEITHER, ANYWHERE = 1, 2, 4, 7  # sides
REPLACE, ASK, REFUSE, ASKED = range(4)  # treatments
NOT_FOUND, MAPPED, REFUSED, WAITING = range(4)
PLACE, RULE, QUESTION, ENDS = "6q", "4q6Q", "q2Q", "2q4Q"
AS_WHOLE, INVERTED, IN_PART = range(3)  # how a number is written: all bits, their inverse; its first ones, as many as there are
WORD_BITS = 16
HALF = (1 << 64) - 1

Place = tuple[int, int, int, int, int]  # sort, side, bit, width, how
Rule = tuple[int, int, int, int]  # treatment, what the number becomes and what stays of it; sides


class Addresses:
    """The table: places by kind of header, and rules by sort: for a length and sides, those by the numbers' first bits."""

    def __init__(self, places: list[tuple[int, ...]]) -> None:
        self.places: dict[int, list[Place]] = {}
        self.counts: dict[int, list[int]] = {}
        self.widths: dict[int, int] = {}
        self.counted = [0] * (max((side + 1 for _, _, side, _, width, _ in places if not width), default=0))
        for header, sort, side, bit, width, how in sorted(places, key=lambda place: (place[0], place[3])):
            if width:
                self.widths[sort] = width
                self.places.setdefault(header, []).append((sort, side, bit, width, how))
            else:
                self.counts.setdefault(header, []).append(side)
        self.rules: dict[int, list[tuple[int, int, dict[int, Rule]]]] = {}
        self.asked = bytearray()

    def add(self, sort: int, sides: int, length: int, number: int, rule: Rule) -> None:
        """Adds a rule, in place of the one for the same numbers: the longest first, and of those that are for fewer sides."""
        levels = self.rules.setdefault(sort, [])
        for one, other, by_number in levels:
            if (one, other) == (length, sides):
                by_number[number] = rule
                return
        levels.append((length, sides, {number: rule}))
        levels.sort(key=lambda level: (-level[0], level[1].bit_count()))

    def rule_for(self, sort: int, side: int, number: int) -> Rule | None:
        """The rule for a number that stands on a side: the one for the most of its first bits."""
        width = self.widths[sort]
        for length, sides, by_number in self.rules[sort]:
            if sides & side:
                rule = by_number.get(number >> (width - length) << (width - length))
                if rule:
                    return rule
        return None

    def ask(self, sort: int, number: int, rule: Rule) -> None:
        """Takes down a number that is asked for; it is asked once."""
        self.add(sort, ANYWHERE, self.widths[sort], number, (ASKED, *rule[1:]))
        self.asked += pack(QUESTION, sort, number >> 64, number & HALF)

    def search(self, frame: bytes, walk: Walk, first: list[tuple[int, Header]]) -> tuple[int, list[tuple[int, int, int]]]:
        """What comes of a packet, and the numbers that become others: their bit, width and what they become.

        first: what first fragments begin with, and the index of their IP header.
        """
        found: list[tuple[int, int, int]] = []
        outcome = NOT_FOUND
        items = Items(frame, walk.headers).all() if any(header.kind in known().holds for header in walk.headers) else ()
        for index, header in [*enumerate(walk.headers), *first, *items]:
            quoted = walk.quoted <= index < walk.resumed
            for sort, side, bit, width, how in self.places.get(header.kind, ()):
                at, rest = header.start * 8 + bit, 0
                if how == IN_PART:
                    rest = width - min(width, max(0, header.end * 8 - at) // WORD_BITS * WORD_BITS)
                    width -= rest
                if sort not in self.rules or not width or at + width > header.end * 8:
                    continue
                every = (1 << width) - 1 if how == INVERTED else 0
                was = (number_at(frame, at, width) ^ every) << rest
                if quoted and side != NEITHER:  # what is quoted went the other way
                    side ^= SOURCE | DESTINATION
                rule = self.rule_for(sort, side, was)
                if not rule:
                    continue
                treatment, to, keep, _ = rule
                if treatment != REPLACE:
                    outcome = max(outcome, REFUSED if treatment == REFUSE else WAITING)
                    if treatment == ASK:
                        self.ask(sort, was, rule)
                    continue
                now = to | was & keep
                if now >> rest != was >> rest:
                    outcome = max(outcome, MAPPED)
                    found.append((at, width, now >> rest ^ every))
        if outcome != WAITING:
            for header in walk.headers:
                for number in self.counts.get(header.kind, ()):
                    self.counted[number] += 1
        return outcome, found

    def map(self, data: bytearray, whole: list[int], follow: bool, counts: dict[int, int] | None) -> tuple[int, tuple[bool, bool]]:
        """Replaces what the rules say in a packet: what comes of it, and which checksums could not follow.

        Adds to `counts` what is not followed.
        """
        row = without_fcs([*whole])
        offset, captured, linktype = row[OFFSET], row[CAPTURED], row[LINKTYPE]
        before = bytes(data[offset : offset + captured])
        walk = Walk(before, linktype)
        outcome, found = self.search(before, walk, first_fragments(before, row[ORIGINAL], linktype, walk.headers))
        left = False, False
        if outcome != WAITING:
            note(counts, walk.beyond)
        if outcome == MAPPED:
            end = max((at + width + 7) // 8 for at, width, _ in found)
            note(counts, signature_of(before, walk, Changed(end)))
            frame = bytearray(before)
            for at, width, now in found:
                write(frame, at, width, now)
            fcs = right_fcs(data, whole, captured, walk.headers) if follow else 0
            if follow:
                left = update(before, frame, row[ORIGINAL], linktype)
            data[offset : offset + captured] = frame
            if fcs:
                data[offset + fcs : offset + fcs + FCS] = crc32(data[offset : offset + fcs]).to_bytes(FCS, "little")
        return outcome, left


def first_fragments(frame: bytes, original: int, linktype: int, headers: list[Header]) -> list[tuple[int, Header]]:
    """Headers of what was divided: the walk goes into no fragment, but in first ones they are there, with their ports."""
    found, view = [], None
    for index, header in enumerate(headers):
        if not carries_message(header.kind):
            continue
        inner = next((other for other in headers[index + 1 :] if not extends(other.kind)), None)
        if inner and inner.start < header.end:
            continue
        if not view:
            view = View(frame, original, linktype)
            view.headers = headers  # those of quoted packets, too
        outcome, m = message_of(view, index)
        if outcome == FRAGMENT and m and m.rule and m.at < len(view.frame) and fragment_offset(view, index) == 0:
            found.append((index, Header(m.rule.kind.number, m.at, m.at, min(len(view.frame), m.at + m.size))))
    return found


def number_at(frame: bytes, bit: int, width: int) -> int:
    """The bits of a frame as a number."""
    last = (bit + width + 7) // 8
    return int.from_bytes(frame[bit // 8 : last], "big") >> (last * 8 - bit - width) & (1 << width) - 1


def write(frame: bytearray, bit: int, width: int, value: int) -> None:
    """Writes a number into bits of a frame."""
    first, last = bit // 8, (bit + width + 7) // 8
    shift = last * 8 - bit - width
    rest = int.from_bytes(frame[first:last], "big") & ~((1 << width) - 1 << shift)
    frame[first:last] = (rest | value << shift).to_bytes(last - first, "big")


def right_fcs(data: bytearray, row: list[int], captured: int, headers: list[Header]) -> int:
    """Where a packet has its frame check sequence, if it is right: known to be there, or behind a datagram of Ethernet; 0: none."""
    at, size, offset = captured, row[CAPTURED], row[OFFSET]
    if row[LINKTYPE] <= MAX_LINKTYPE:
        at -= FCS
        if row[ORIGINAL] > size or known().kinds[headers[0].kind].exception != PADDED or at < 0:
            return 0
        inner = next((header for header in headers[1:] if not is_tag(header.kind)), None)
        if inner is None or inner.end > at:
            return 0
    if at <= 0 or size != at + FCS or row[ORIGINAL] > size:
        return 0
    return at if has_fcs(bytes(data[offset : offset + size])) else 0


def place_sound(place: tuple[int, ...], widths: dict[int, int]) -> bool:
    """Whether a place is one of a kind that there is, of the width that its sort has."""
    header, sort, side, bit, width, how = place
    item = header >= FIRST_ITEM
    if not 0 <= header < 2 * FIRST_ITEM or (not item and header >= len(known().kinds)) or not 0 <= sort < MOST_SORTS:
        return False
    if width == 0:
        return not item and 0 <= side < MOST_COUNTS
    alike = widths.setdefault(sort, width) == width
    sides = side in (SOURCE, DESTINATION, NEITHER) and AS_WHOLE <= how <= (IN_PART if width == 128 else INVERTED)
    return alike and 0 <= bit <= 8 * MAX_FRAME and (1 <= width <= 57 or width == 128) and sides


def address_table(places: bytes) -> Addresses:
    """A table without rules. places: PLACE each: kind of header or item, sort, side, bit, width, how it is written.

    Of width 0: headers of this kind are only counted, under the number in `side`. Raises ValueError when they are not sound.
    """
    rows = [*iter_unpack(PLACE, places)] if len(places) % calcsize(PLACE) == 0 else None
    widths: dict[int, int] = {}
    if rows is None or len(rows) > MOST_PLACES or not all(place_sound(place, widths) for place in rows):
        raise ValueError("places are not sound")
    return Addresses(rows)


def rule_sound(table: Addresses, rule: tuple[int, ...]) -> bool:
    """Whether a rule is of a sort that there is, and says only bits that such a number has."""
    sort, sides, length, treatment, *numbers = rule
    width = table.widths.get(sort, 0)
    if not width or not 1 <= sides <= ANYWHERE or not REPLACE <= treatment <= REFUSE or not 0 <= length <= width:
        return False
    number, to = numbers[0] << 64 | numbers[1], numbers[2] << 64 | numbers[3]
    return (treatment != ASK or sides == ANYWHERE) and number & (1 << width - length) - 1 == 0 and max(number, to) >> width == 0


def address_rules(table: object, rules: bytes) -> None:
    """Adds rules, RULE each: sort, sides, length, treatment, number, what it becomes, what of it stays.

    They are for numbers that begin with so many bits of that one; the longest rule for a number counts. Raises ValueError.
    """
    if not isinstance(table, Addresses):
        raise TypeError("no table of addresses")
    rows = [*iter_unpack(RULE, rules)] if len(rules) % calcsize(RULE) == 0 else None
    if rows is None or not all(rule_sound(table, rule) for rule in rows):
        raise ValueError("rules are not sound")
    for sort, sides, length, treatment, high, low, to_high, to_low, keep_high, keep_low in rows:
        table.add(sort, sides, length, high << 64 | low, (treatment, to_high << 64 | to_low, keep_high << 64 | keep_low, sides))


def map_addresses(data: bytearray, rows: bytes, table: object, keep: bool, counts: dict[int, int] | None = None) -> tuple[
        int, int, int, int, tuple[int, ...], bytes, bytearray]:  # fmt: skip
    """Replaces what the rules say in all packets; changes `data`. keep: checksums stay as they are; else they follow.

    Returns how many packets are others now, in how many is a number that cannot be mapped: these stay as they came; in how many a
    checksum could not follow, and in how many it is not known; how many headers are only counted, by number; the numbers that are
    asked for, QUESTION each: sort and number; and the rows of those packets that wait for these. Adds to `counts` what packets
    carry that is not followed, and signatures that do not follow.
    """
    if not isinstance(table, Addresses):
        raise TypeError("no table of addresses")
    values = checked(data, rows)
    table.asked, table.counted = bytearray(), [0] * len(table.counted)
    need_dict(counts)
    totals, waiting = [0, 0, 0, 0], bytearray()
    for i in range(0, len(values), COLUMNS):
        outcome, left = table.map(data, values[i : i + COLUMNS], not keep, counts)
        for number, more in enumerate((outcome == MAPPED, outcome == REFUSED, *left)):
            totals[number] += more
        if outcome == WAITING:
            first = i // COLUMNS * ROW_BYTES
            waiting += rows[first : first + ROW_BYTES]
    mapped, refused, stale, unknown = totals
    return mapped, refused, stale, unknown, tuple(table.counted), bytes(table.asked), waiting


def address_ends(data: bytearray, rows: bytes, table: object, sorts: int) -> bytearray:
    """Between whom packets go, ENDS each: the numbers of some sorts in the outermost header that has such; sorts: bits.

    The sort, -1 where there are none; on which sides there are; the source, and the destination. What is quoted is no part of it.
    """
    if not isinstance(table, Addresses):
        raise TypeError("no table of addresses")
    values = without_fcs(checked(data, rows))
    found = bytearray()
    for i in range(0, len(values), COLUMNS):
        frame = bytes(data[values[i + OFFSET] : values[i + OFFSET] + values[i + CAPTURED]])
        own, there = -1, dict[int, int]()
        for header in Walk(frame, values[i + LINKTYPE], False).own():
            for sort, side, bit, width, _ in table.places.get(header.kind, ()):
                at, wanted = header.start * 8 + bit, side != NEITHER and sorts >> sort & 1 and own in (-1, sort)
                if wanted and side not in there and at + width <= header.end * 8:
                    own, there[side] = sort, number_at(frame, at, width)
            if there:
                break
        ends = (part for side in (SOURCE, DESTINATION) for part in (there.get(side, 0) >> 64, there.get(side, 0) & HALF))
        found += pack(ENDS, own, sum(there), *ends)
    return found
