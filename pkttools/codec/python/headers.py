"""Finds the headers of a frame, outermost first, by the tables of protocols; twin of ../c/headers.c.

Reading never judges: a header is there when its fixed part was captured, whatever it says; what cannot be followed is data of the
header above.
"""

from __future__ import annotations

from ...batch import CAPTURED, COLUMNS, LINKTYPE, OFFSET
from ...protocols.reading import Read, Reading
from ...protocols.walking import (
    BY_SPACE,
    COOKED_TAGS,
    COUNTED,
    CUT,
    CUT_INSIDE,
    DEEP,
    END_BEHIND,
    HIDDEN,
    IDLE,
    LINK_LAYER,
    LONG_DATA,
    MISSIZED,
    NEEDS_SIZE,
    OWN_END,
    PASSES,
    PROMISED,
    QUOTED,
    TAG,
    TUNNEL,
    UNFOLLOWED,
)
from .exceptions import cooked_tag
from .protocols import Kind, Protocols, Rule, Space, carries_message, known
from .rows import checked, without_fcs

UNKNOWN = 0  # the kind of header that a frame is of which nothing is known; the tables number all others
MAX_HEADERS = 32
MAX_HIDDEN = 64
MOST_KEPT = 4096  # walks


class Header:
    """A header of a frame; `struct header` in ../c/codec.h: start <= data <= end.

    kind: by the tables of protocols, or of an item. start: offset in the frame. data: where bytes that no deeper header claims
    begin. end: where this header's own bytes and its data end.
    """

    __slots__ = ("kind", "start", "data", "end")

    def __init__(self, kind: int, start: int, data: int, end: int) -> None:
        self.kind, self.start, self.data, self.end = kind, start, data, end


class ByTables(Reading):
    """A frame whose headers are read as the tables of protocols say it."""

    def leads_to_tunnel(self, kind: Kind, at: int) -> bool:
        """Whether the number that a header of a kind asks first, such as a port, is one of tunnels."""
        how, _, space, read, *_ = kind.rules[0] if kind.rules else (COUNTED, None, None, None)
        return how == BY_SPACE and space is not None and read is not None and self.number(read, at) in space.tunnels

    def link_announces(self, header: Header) -> bool:
        """Whether what a header of a link layer, or a tag, asks first announces one that follows, by what is there of it."""
        kind = known().kinds[header.kind]
        nothing: Rule = (COUNTED, None, None, None, 0, (), 0)
        start, data, end = header.start, header.data, header.end
        asked = (rule for rule in kind.rules if rule[0] == BY_SPACE or self.hold(rule[5], start, data, end))
        how, _, space, read, _, tests, _ = next(asked, nothing)
        if how != BY_SPACE or not space or not read or not kind.flags & (LINK_LAYER | TAG):
            return False
        if not self.hold(tests, header.start, header.data):
            return False
        ways = space.entries.get(self.number(read, header.data if read[4] else header.start), [])
        found = next((found for found, only in ways if self.hold(only, header.data, header.data)), None)
        return bool(found and not found.flags & (HIDDEN | UNFOLLOWED))

    def size(self, kind: Kind, at: int) -> int:
        """Bytes of a header by what it says; they may be fewer than its fixed ones, and more than there are."""
        if not kind.terms:
            return kind.fixed
        size = 0
        for read, scale, bias, tests in kind.terms:
            if not tests or self.hold(tests, at, at):
                size += bias + (self.number(read, at) * scale if read and scale else 0)
        return size if size < 0 or kind.align == 1 else -(-size // kind.align) * kind.align

    def behind(self, kind: Kind, at: int, end: int) -> int:
        """Where what a header carries begins, which ends, with that, at `end`.

        Its fixed bytes count where it says what cannot be.
        """
        size = self.size(kind, at)
        if not kind.fixed <= size <= end - at:
            return at + min(kind.fixed, end - at)
        if not kind.until:
            return at + size
        stops = (self.frame.find(stop, at + size, end) for stop in set(kind.until))
        return min((stop for stop in stops if stop >= 0), default=end)


class Walk:
    """The headers of one frame; all, or without idle ones: those of which nothing is asked but their own fields.

    They follow from few of its bits. So walks are kept, and given again: a frame of the same size that has the same bits, and
    announces nothing where the other one did not, has the same headers. Nobody changes what is in one.
    """

    __slots__ = ("beyond", "headers", "partial", "quote_end", "quoted", "resumed", "signing", "summing", "unknown")

    headers: list[Header]
    partial: bool
    beyond: int
    unknown: list[Unknown]
    quoted: int
    resumed: int
    quote_end: int
    signing: bool  # whether there may be a signature in one of the headers
    summing: tuple[int, ...] | None  # headers that carry messages, the innermost first, where only these have checksums

    def __new__(cls, frame: bytes, linktype: int, all_of_them: bool = True) -> Walk:
        """One that is kept, or a new one."""
        tables = known()
        key = linktype, len(frame), all_of_them
        if (trails := tables.trails.get(key)) and (walked := _kept(frame, trails)):
            return walked
        found, walked = _Steps(frame, linktype, all_of_them), super().__new__(cls)
        walked.headers, walked.partial, walked.beyond, walked.unknown = found.headers, found.partial, found.beyond, found.unknown
        walked.quoted, walked.resumed, walked.quote_end = found.quoted, found.resumed, found.quote_end
        walked.signing = any(header.kind in tables.signing for header in found.headers)
        walked.summing = _summing(tables, walked)
        _keep(walked, found, key)
        return walked

    def own(self) -> list[Header]:
        """The headers without those of a packet that is quoted."""
        return self.headers[: self.quoted] + self.headers[self.resumed :]


# What was asked, up to which byte and which bits; what these were; and what was found.
Trails = dict[tuple[int, int], dict[int, Walk]]
Unknown = tuple[int, int, int, int, Space]  # where a number lies, how far it is shifted, its bits, and the space


def _summing(tables: Protocols, walked: Walk) -> tuple[int, ...] | None:
    """See Walk: what its headers say of checksums without a look at the frame."""
    if walked.partial or walked.quoted < MAX_HEADERS:
        return None
    carriers: list[int] = []
    for index, header in enumerate(walked.headers):
        if carries_message(header.kind):
            carriers.insert(0, index)
        elif tables.kinds[header.kind].sum is not None and not (carriers and carriers[0] == index - 1):
            return None
    return tuple(carriers)


def _kept(frame: bytes, trails: Trails) -> Walk | None:
    """A walk through a frame like this one."""
    for (stop, mask), ends in trails.items():
        found = ends.get(int.from_bytes(frame[:stop], "big") & mask)
        if found is not None and (not found.unknown or _announces_nothing(frame, found.unknown)):
            return found
    return None


def _announces_nothing(frame: bytes, unknown: list[Unknown]) -> bool:
    """Whether numbers announce nothing in this frame, either."""
    for first, last, shift, bits, space in unknown:
        number = int.from_bytes(frame[first:last], "big") >> shift & bits
        if number in space.entries or number >= space.counted:
            return False
    return True


def _keep(walked: Walk, steps: _Steps, key: tuple[int, int, bool]) -> None:
    """Keeps a walk by what its steps asked."""
    if not steps.repeatable:
        return
    tables = known()
    tables.kept += 1
    if tables.kept > MOST_KEPT:
        tables.kept = 0
        tables.trails.clear()
    stop, mask = max((stop for stop, _ in steps.asked), default=0), 0
    for end, bits in steps.asked:
        mask |= bits << 8 * (stop - end)
    trails = tables.trails.get(key, {})
    ends = trails.get((stop, mask))
    if ends is None:  # seldom: and another thread may be going through those that there were
        ends = {}
        tables.trails[key] = {**trails, (stop, mask): ends}
    ends[int.from_bytes(steps.frame[:stop], "big") & mask] = walked


class _Steps(ByTables):
    """A walk through one frame, step by step, and what it asked.

    asked: where numbers end, and which of the bits in front of that. unknown: numbers of a space that announced nothing.
    repeatable: nothing else was asked.
    """

    frame: bytes

    def __init__(self, frame: bytes, linktype: int, all_of_them: bool) -> None:
        self.frame, self.all = frame, all_of_them
        self.asked: list[tuple[int, int]] = []
        self.unknown: list[Unknown] = []
        self.repeatable = True
        self.headers: list[Header] = []
        self.partial = False  # a header that had to be there was announced, but not captured, or lies too deep
        self.beyond = 0  # what is not followed: a number, behind 32 bits what numbers; of none: a limit; 0: nothing
        # The first header of a packet that an error message quotes, and the first one behind it that is no part of that packet:
        self.quoted = self.resumed = MAX_HEADERS
        self.quote_end = 0  # where what is quoted ends
        self.then: tuple[Kind, int, int, bool] | None = None  # what stands behind an end, where, and whether it is quoted
        self.carrier: Header | None = None  # whose data what follows may claim; tags and extensions are none
        self.gives = self.exception = self.hidden = 0
        self.promised = self.ended = False
        self.at, self.limit = 0, len(frame)
        kind = self.looked_up(known().links, linktype & 0xFFFFFFFFFFFFFFFF, 0)
        while kind:
            kind = self.step(kind)
            if not kind:
                self.partial |= self.promised
                kind = self.go_on()
        self.end_quote()
        if not self.headers:
            self.headers.append(Header(UNKNOWN, 0, 0, len(frame)))

    @property
    def quoting(self) -> bool:
        """Whether the walk is in a packet that is quoted."""
        return self.quoted < MAX_HEADERS and self.resumed == MAX_HEADERS

    def end_quote(self) -> None:
        """A quoted packet is cut, as a rule, and nobody acts on it."""
        if self.quoting:
            self.resumed, self.partial, self.beyond = len(self.headers), False, 0

    def go_on(self) -> Kind | None:
        """What stands behind an end, when all that is in front of it was looked at."""
        if not self.then:
            return None
        kind, self.at, self.limit, quoted = self.then
        if not quoted:
            self.end_quote()
        self.then, self.promised, self.ended, self.gives, self.exception = None, False, False, 0, 0
        return kind

    def number(self, read: Read, at: int) -> int:
        """The same, remembered."""
        first, stop, shift, mask, _, order = read
        if at + first >= 0 and at + stop <= len(self.frame):  # else it is 0, in any frame of this size
            self.asked.append((at + stop, mask << shift if order == "big" else (1 << 8 * (stop - first)) - 1))
        return super().number(read, at)

    def announced(self, read: Read, at: int, space: Space) -> int:
        """A number of a space; of one that announces nothing no more than that is remembered."""
        value = super().number(read, at)
        first, stop, shift, mask, _, order = read
        there = at + first >= 0 and at + stop <= len(self.frame)
        if not there or order != "big" or value in space.entries or value >= space.counted:
            return self.number(read, at)
        self.unknown.append((at + first, at + stop, shift, mask, space))
        return value

    def end(self, kind: Kind, at: int) -> int:
        """Where its own bytes and its data end by what it says; never before its fixed bytes do."""
        end = self.limit
        if kind.end and self.hold(kind.end_tests, at, at):
            said = self.number(kind.end, at)
            size = said * kind.end_scale + kind.end_bias
            if said >= kind.end_least and size < end - at:
                end = at + max(size, kind.fixed)
        return end - min(kind.trailer, end - at - kind.fixed) if kind.trailer else end

    def step(self, kind: Kind) -> Kind | None:
        """A header, if it is there; gives the kind of what comes behind it."""
        at, flags = self.at, kind.flags
        if flags & IDLE and not self.all:
            return None
        if kind.shown:
            deep = len(self.headers) == MAX_HEADERS
        else:
            self.hidden += 1
            deep = self.hidden > MAX_HIDDEN
        if deep:
            self.partial |= bool(flags & DEEP)
            if at < self.limit:
                self.beyond = MAX_HEADERS
            return None
        there = self.limit - at >= kind.fixed
        if there:
            size, end = self.size(kind, at), self.end(kind, at)
            sized = kind.fixed <= size <= end - at
            if sized and kind.until:
                self.repeatable = False
                stops = (self.frame.find(stop, at + size, end) for stop in set(kind.until))
                size = min((stop for stop in stops if stop >= 0), default=end) - at
            there = sized or not flags & NEEDS_SIZE
        if not there and kind.shown and self.quoting and at < self.limit:  # of what is quoted a part is there, too
            self.add(kind, self.limit, self.limit, True, False)
            return None
        if not there:
            self.partial |= bool(flags & CUT or (flags & CUT_INSIDE and self.headers))
            return None
        behind = at + (size if sized else kind.fixed)
        if kind.shown:
            self.add(kind, behind, end, sized, size > kind.fixed)
        if not sized:
            self.partial |= bool(flags & MISSIZED)
            return None
        if kind.whole and not self.hold(kind.whole, at, at):
            return None
        if kind.then and end < self.limit and not self.then:
            self.then = kind.then, end, self.limit, self.quoting
        if not flags & OWN_END:
            self.limit = end
        return self.following(kind, behind)

    def add(self, kind: Kind, behind: int, end: int, sized: bool, long: bool) -> None:
        """Adds a header that ends at a place; sized: its size is possible, long: it is not nothing but its fixed bytes."""
        at, flags = self.at, kind.flags
        own = behind if flags & OWN_END and sized else end if flags & OWN_END else self.limit if flags & END_BEHIND else end
        data = min(at + kind.data, own) if kind.data >= 0 else own if not sized and long and flags & LONG_DATA else behind
        header = Header(kind.number, at, data, own)
        self.headers.append(header)
        if self.carrier and self.gives and (kind.claims > self.gives or flags & PASSES):
            self.carrier.data = own
        if not flags & PASSES:
            self.carrier, self.gives, self.exception = header, kind.gives, kind.exception
        self.promised = False

    def following(self, kind: Kind, behind: int) -> Kind | None:
        """What comes behind a header."""
        at, self.at = self.at, behind
        for how, to, space, read, flags, tests, code in kind.rules:
            if tests and not self.hold(tests, at, behind, self.limit):
                continue
            if how == COUNTED:
                if behind < self.limit:
                    self.beyond = code
                return None
            if how == BY_SPACE and space and read:
                value = self.announced(read, behind if read[4] else at, space)
                if self.exception == COOKED_TAGS:
                    self.repeatable = False
                    value = cooked_tag(space, self.frame, value, behind, self.limit)
                to = self.looked_up(space, value, behind)
            if to:
                self.promised |= bool(flags & PROMISED)
                if flags & QUOTED and self.quoted == MAX_HEADERS:
                    self.quoted, self.quote_end = len(self.headers), self.limit
                return to
            if self.ended:
                break
        return None

    def looked_up(self, space: Space, value: int, at: int) -> Kind | None:
        """The kind that a number announces. None: nothing does, or nothing that is followed; then the walk has ended."""
        ways = space.entries.get(value)
        if ways is None:
            if value >= space.counted and at < self.limit:
                self.beyond, self.ended = space.code | (value & 0xFFFFFFFF), True
            return None
        for kind, tests in ways:
            if tests and not self.hold(tests, at, at):
                continue
            if kind and not kind.flags & UNFOLLOWED:
                return kind
            if not kind or (self.limit - at >= kind.fixed and self.size(kind, at) <= self.limit - at):
                self.ended = True
                if kind:
                    self.beyond = space.code | value
                return None
        return None


def is_idle(kind: int) -> bool:
    """Whether headers of a kind are left out where nothing is asked but their own fields."""
    kinds = known().kinds
    return 0 <= kind < len(kinds) and bool(kinds[kind].flags & IDLE)


def is_tunnel(kind: int) -> bool:
    """Whether a packet is in headers of a kind."""
    return bool(known().kinds[kind].flags & TUNNEL)


def is_tag(kind: int) -> bool:
    """Whether a header of a kind is a tag: what is behind it is in what is in front of it."""
    return bool(known().kinds[kind].flags & TAG)


def known_link(linktype: int) -> bool:
    """Whether headers of a link type are found."""
    ways = known().links.entries.get(linktype)
    return bool(ways and ways[0][0])


def count_beyond(data: bytearray, rows: bytes, counts: dict[int, int]) -> None:
    """Adds to `counts` what packets carry that is not followed."""
    values = without_fcs(checked(data, rows))
    need_dict(counts)
    for i in range(0, len(values), COLUMNS):
        frame = bytes(data[values[i + OFFSET] : values[i + OFFSET] + values[i + CAPTURED]])
        note(counts, Walk(frame, values[i + LINKTYPE], False).beyond)


def need_dict(counts: object) -> None:
    """Raises TypeError where nothing can be counted in it."""
    if counts is not None and not isinstance(counts, dict):
        raise TypeError("counts are a dict or None")


def note(counts: dict[int, int] | None, code: int) -> None:
    """Counts a packet with something that is not followed."""
    if code and counts is not None:
        counts[code] = counts.get(code, 0) + 1


def walk(data: bytearray, row: bytes, own: bool = False) -> list[tuple[int, int, int, int]]:
    """The headers of one packet, outermost first: kind, start, where its data begin, and where it ends.

    own: without those of a packet that is quoted in it.
    """
    values = without_fcs(checked(data, row))
    if len(values) != COLUMNS:
        raise ValueError("one row is walked at a time")
    frame = bytes(data[values[OFFSET] : values[OFFSET] + values[CAPTURED]])
    walked = Walk(frame, values[LINKTYPE])
    return [(h.kind, h.start, h.data, h.end) for h in (walked.own() if own else walked.headers)]
