"""What was seen of connections of TCP (RFC 9293): what their numbers count from, which octets came, and which came again.

No table can say that: it is the one protocol whose state is followed, named by the exception SEGMENTS. Twin of
../c/connections.c. Octets decide, not times: of a segment it is said how many of its octets were seen before, how many fill a gap,
how many are missing in front of it. SYN and FIN count as octets, as they do in sequence numbers.
"""

from __future__ import annotations

from . import wire

SEQUENCE_AT, ACK_AT, OFFSET_AT, FLAGS_AT, WINDOW_AT, FIXED = 4, 8, 12, 13, 14, 20  # RFC 9293 section 3.1
FIN, SYN, RST, ACK = 1, 2, 4, 16
OPTION_END, OPTION_NOP, OPTION_SCALE, OPTION_SACK, MOST_SHIFT = 0, 1, 3, 5, 14  # RFC 7323 section 2, RFC 2018 section 3
MOST_HOLES = 64  # what came before is no longer known when there are more
WINDOW_MOST = 1 << 30  # octets: the largest window, RFC 7323 section 2.3
NUMBERS = 1 << 32

# What is said of a segment, as bits: `enum said_of` of ../c/conversations.h says what they mean.
(SEGMENT, FROM_SYN, ACK_FROM_SYN, NEW_CONNECTION, REPEATED, FILLS, GAP, UNSEEN, KEEP_ALIVE, PROBE, D_SACK, DUPLICATE_ACK, EARLIER,
 OUTSIDE, FAST_OPEN, SIMULTANEOUS, SCALED) = (1 << bit for bit in range(17))  # fmt: skip

Hole = tuple[int, int]


def signed(number: int) -> int:
    """A difference of numbers modulo 2^32."""
    return (number + (NUMBERS >> 1)) % NUMBERS - (NUMBERS >> 1)


def since(then: int, now: int) -> int:
    """From one time to another, as far as 64 bits can say it."""
    return max(-1 << 63, min((1 << 63) - 1, now - then))


def near_to(place: int, number: int) -> int:
    """The number of an octet near another one: it goes on behind 2^32."""
    return place + signed(number - place)


class Segment:
    """What is to be said of a segment; what 0: there is none. See `struct segment` of ../c/conversations.h."""

    __slots__ = ("ack_base", "base", "filled", "gap", "octets", "repeated", "unseen", "what", "window")

    def __init__(self) -> None:
        self.what = self.base = self.ack_base = self.octets = self.repeated = self.filled = self.gap = self.unseen = self.window = 0

    def numbers(self) -> tuple[int, ...]:
        """As `follow` tells of it."""
        return (self.what, self.base % NUMBERS, self.ack_base % NUMBERS, self.octets, self.repeated, self.filled, self.gap,
                self.unseen, self.window)  # fmt: skip


class Way:
    """What one side sends; numbers of octets go on behind 2^32. See `struct way` of ../c/conversations.h."""

    def __init__(self) -> None:
        self.base = self.floor = self.next = self.acked = self.stray = self.window = 0
        self.holes: list[Hole] = []
        self.known = self.syn = self.sent = self.answered = self.acks = self.probed = self.strays = self.fin = self.opened = False
        self.shift = -1
        self.repeated = self.filled = self.gaps = self.needless = self.duplicates = self.kept_alive = self.probes = 0
        self.repeated_octets = self.filled_octets = self.missed = self.unseen = 0

    @property
    def missing(self) -> int:
        """Octets that did not come, of all connections."""
        return self.missed + sum(end - start for start, end in self.holes)

    def numbers(self) -> tuple[int, ...]:
        """As `conversation_rows` tells of it."""
        return (self.repeated, self.filled, self.gaps, self.needless, self.duplicates, self.kept_alive, self.probes,
                self.repeated_octets, self.filled_octets, self.missing, self.unseen)  # fmt: skip

    def reset(self) -> None:
        """It begins anew."""
        self.missed, self.holes, self.window, self.shift = self.missing, [], 0, -1
        self.known = self.syn = self.sent = self.answered = self.acks = self.probed = self.strays = self.fin = self.opened = False

    def start(self, base: int, first: int) -> None:
        """From where on it is known of."""
        self.base = NUMBERS + base % NUMBERS
        self.floor = self.next = self.acked = self.base + (first - base) % NUMBERS
        self.known = True

    def add_hole(self, start: int, end: int) -> None:
        """Octets are missing. What came before is no longer known when too many are."""
        self.holes = sorted([*self.holes, (start, end)])
        if len(self.holes) > MOST_HOLES:
            (first, last), *self.holes = self.holes
            self.missed, self.floor = self.missed + last - first, last

    def missing_in(self, start: int, end: int) -> int:
        """Octets of a range that are missing."""
        return sum(max(0, min(last, end) - max(first, start)) for first, last in self.holes)

    def fill(self, start: int, end: int) -> None:
        """Octets of a range come: they are missing no more."""
        for first, last in reversed(self.holes[:]):
            if last <= start or first >= end:
                continue
            self.holes.remove((first, last))
            if first < start:
                self.holes = sorted([*self.holes, (first, start)])
            if last > end:
                self.add_hole(end, last)

    def octets_come(self, start: int, end: int, again: bool, said: Segment) -> None:
        """The octets of a segment, with those of SYN and FIN. again: one of them is a SYN that is sent for another reason."""
        if start > self.next:
            said.what |= GAP
            said.gap = start - self.next
            self.gaps += 1
            self.add_hole(self.next, start)
            self.next = end
            return
        known, behind = max(start, self.floor), min(end, self.next)
        filled = self.missing_in(known, behind) if known < behind else 0
        before = max(0, behind - known) - filled
        before -= again and before > 0
        if start < self.floor:
            said.what |= EARLIER
        if filled:
            said.what |= FILLS
            said.filled = filled
            self.filled, self.filled_octets = self.filled + 1, self.filled_octets + filled
            self.fill(known, behind)
        if before:
            said.what |= REPEATED
            said.repeated = before
            self.repeated, self.repeated_octets = self.repeated + 1, self.repeated_octets + before
        self.next = max(self.next, end)

    def syn_found(self, said: Segment) -> None:
        """A SYN whose number was known by what the other side had acknowledged: that octet is no longer missing."""
        if self.floor == self.base + 1:
            self.floor = self.base
            said.what |= FILLS
            said.filled = 1

    def is_outside(self, start: int, end: int, rst: bool) -> bool:
        """Whether it is outside of any window; unless it is the second of a row: then nothing was captured for a while."""
        if abs(start - self.next) <= WINDOW_MOST:
            self.strays = False
            return False
        if not rst and self.strays and start == self.stray:
            self.missed, self.holes, self.strays = self.missing, [], False
            self.floor = self.next = self.acked = start
            return False
        self.stray, self.strays = end, self.strays or not rst
        return True

    def only_asks(self, other: Way, start: int, octets: int, said: Segment) -> bool:
        """Whether a segment is no data, but asks whether the other side is there, or has room (RFC 9293 3.8.4, 3.8.6.1)."""
        none_left = other.acks and other.window == 0
        last = start + 1 == self.next and self.sent and (octets == 0 or self.acked == self.next)
        first = start == self.next and octets == 1
        if octets > 1 or not (last or (none_left and first)):
            return False
        if none_left:
            said.what |= PROBE
            self.probes, self.probed = self.probes + 1, self.probed or first
        else:
            said.what |= KEEP_ALIVE
            self.kept_alive += 1
        return True

    def ack_comes(self, other: Way, number: int, bare: bool, same_window: bool, said: Segment) -> None:
        """An acknowledgement of what the other side has sent."""
        if not other.known:
            other.start(number - 1, number)
            self.acks = True
            return
        ack, before = near_to(other.next, number), other.acked
        further = ack - other.next
        if abs(further) > WINDOW_MOST:
            said.what |= OUTSIDE
            return
        if further == 1 and other.probed:
            other.next = ack  # the octet of a probe was taken
        elif further > 0 and not other.sent:
            other.floor = other.next = other.acked = ack  # nothing of that side was captured
        elif further > 0:
            other.add_hole(other.next, ack)
            other.next = ack
        if ack > other.acked:
            said.unseen = other.missing_in(before, ack)
            other.acked, other.probed = ack, False
        elif ack == before and bare and same_window and self.acks and other.next > ack:
            said.what |= DUPLICATE_ACK  # RFC 5681 section 2
            self.duplicates += 1
        if said.unseen:
            said.what |= UNSEEN
            other.unseen += said.unseen
        self.acks = True


class Connection:
    """The connections of a conversation; `struct connection` of ../c/conversations.h."""

    def __init__(self) -> None:
        self.ways = Way(), Way()
        self.first = self.last = self.count = self.resets = 0
        self.handshake: tuple[int, int] | None = None  # the times of all are between these
        self.opener = 2
        self.open = False

    @property
    def state(self) -> int:
        """Of the last one, in bits: SYN and FIN there, and back; whether the handshake is over; whether there was a reset."""
        there, back = self.ways
        return there.syn | there.fin << 1 | back.syn << 2 | back.fin << 3 | self.open << 4 | (self.resets > 0) << 5

    def numbers(self) -> tuple[object, ...]:
        """As `conversation_rows` tells of it."""
        return self.count, self.handshake, self.resets, self.state, self.ways[0].numbers(), self.ways[1].numbers()

    def shift(self, who: int) -> int:
        """By how much windows of a side are shifted; -1: it is not known (RFC 7323 sections 2.2 and 2.3)."""
        way, other = self.ways[who], self.ways[not who]
        if (way.syn and way.shift < 0) or (other.syn and other.shift < 0):
            return 0  # one of them has not offered it
        if way.syn and (other.syn or way.answered):
            return way.shift  # who answers has it only where the other one has
        return -1

    def syn_comes(self, who: int, sequence: int, ack: int, acks: bool, shift: int, said: Segment) -> None:
        """A SYN comes: what it begins."""
        way, other = self.ways[who], self.ways[not who]
        if way.known and sequence != way.base % NUMBERS:
            said.what |= NEW_CONNECTION
            way.reset()
            if not (acks and other.syn and (ack - 1 - other.base) % NUMBERS == 0):  # else the other one's SYN stands
                other.reset()
                self.count, self.opener = self.count + 1, 2
            self.open = False
        if not way.known:
            way.start(sequence, sequence)
        if not way.syn:
            way.shift = shift

    def shake(self, who: int, time: int, opens: bool) -> None:
        """Times of SYNs, and of the end of the handshake: both were acknowledged."""
        if opens and (self.opener == 2 or (self.opener != who and not self.ways[self.opener].opened)):
            self.opener, self.first, self.last = who, time, time
        elif opens and self.opener == who:
            self.last = time
        there, back = self.ways
        if not self.open and there.syn and back.syn and there.acked > there.base and back.acked > back.base:
            self.open = True
            if self.opener < 2:
                least, most = since(self.last, time), since(self.first, time)
                before = self.handshake or (least, most)
                self.handshake = min(least, before[0]), max(most, before[1])

    def follow(self, who: int, frame: bytes | bytearray, at: int, size: int, time: int) -> Segment:
        """Takes a segment of a side, of `size` bytes on the wire; gives what is to be said of it."""
        way, other, said = self.ways[who], self.ways[not who], Segment()
        sequence, ack = (wire.get32(frame, at + i) for i in (SEQUENCE_AT, ACK_AT))
        flags, head = wire.get8(frame, at + FLAGS_AT), (wire.get8(frame, at + OFFSET_AT) >> 4) * 4
        rst, fin, acks = bool(flags & RST), bool(flags & FIN), bool(flags & ACK)
        syn = bool(flags & SYN) and not rst
        if not FIXED <= head <= size:
            return said
        shift, twice = options(frame, at, head, ack)
        said.what, said.octets, said.base, said.ack_base = SEGMENT, size - head, sequence - 1, ack - 1
        said.window = wire.get16(frame, at + WINDOW_AT)
        self.count, self.resets = self.count or 1, self.resets + rst
        if syn:
            self.syn_comes(who, sequence, ack, acks, shift, said)
        elif not way.known and not rst:
            way.start(sequence - 1, sequence)
        extent = 0 if rst else said.octets + syn + fin
        start = near_to(way.next, sequence)
        if way.known and way.is_outside(start, start + extent, rst):
            said.what |= OUTSIDE
        elif way.known:
            both = syn and acks and not way.answered and way.syn and other.syn  # RFC 9293 section 3.5
            if syn and not way.syn:
                way.syn_found(said)
            if (syn or fin or rst or not way.only_asks(other, start, said.octets, said)) and extent:
                way.octets_come(start, start + extent, both or (syn and said.filled > 0), said)
            said.what |= SIMULTANEOUS * both | FAST_OPEN * (syn and said.octets > 0)
            way.sent, way.syn, way.answered, way.fin = True, way.syn or syn, way.answered or (syn and acks), way.fin or fin
            way.opened |= syn and not acks
            scale = 0 if syn else self.shift(who)
            said.what |= SCALED * (scale >= 0)
            said.window <<= max(scale, 0)
            bare = extent == 0 and not rst and not said.what & (KEEP_ALIVE | PROBE)
            if acks:
                way.ack_comes(other, ack, bare, said.window == way.window, said)
            if twice:
                said.what |= D_SACK
                other.needless += 1
            if not rst:
                way.window = said.window
            self.shake(who, time, syn and not acks)
            said.base = way.base
        if other.known:
            said.ack_base = other.base
        said.what |= FROM_SYN * way.syn | ACK_FROM_SYN * other.syn
        return said


def options(frame: bytes | bytearray, at: int, head: int, ack: int) -> tuple[int, bool]:
    """The shift of windows, -1: none; whether a segment tells of octets that came twice (RFC 2883)."""
    shift, twice, end, at = -1, False, at + head, at + FIXED
    while at < end and (kind := wire.get8(frame, at)) != OPTION_END:
        size = 1 if kind == OPTION_NOP else wire.get8(frame, at + 1)
        if size < (1 if kind == OPTION_NOP else 2) or size > end - at:
            break
        if kind == OPTION_SCALE and size == 3:
            shift = wire.get8(frame, at + 2)
        if kind == OPTION_SACK and size >= 10:
            left, right = wire.get32(frame, at + 2), wire.get32(frame, at + 6)
            first, last = wire.get32(frame, at + 10), wire.get32(frame, at + 14)
            within = size >= 18 and signed(left - first) >= 0 and signed(last - right) >= 0
            twice = signed(right - left) > 0 and (signed(ack - right) >= 0 or within)
        at += size
    return min(shift, MOST_SHIFT), twice
