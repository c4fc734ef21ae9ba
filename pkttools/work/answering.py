"""What becomes of addresses that no rule says: those of NPTv6 are computed (RFC 6296), others are drawn."""

from __future__ import annotations

from struct import iter_unpack

from ..errors import need
from ..protocols.places import ADDRESS4, ADDRESS6, STATION, WIDTHS
from .addresses import ADDRESSES, ASK, REFUSE, ask_for, rule
from .mappings import prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

QUESTION = "q2Q"
GROUP = 1 << 40  # the bit of a MAC address


class Answers:
    """Rules that ask for addresses, and what gives the rules for these; each is asked for once.

    rules: what is asked for. ways: what becomes of a number of a sort, the first that says it; None: it has no other one.
    """

    def __init__(self) -> None:
        self.rules = b""
        self.ways: list[Callable[[int, int], int | None]] = []

    def __call__(self, asked: bytes) -> bytes:
        """The rules for what is asked for."""
        return b"".join(self.one(sort, high << 64 | low) for sort, high, low in iter_unpack(QUESTION, asked))

    def one(self, sort: int, number: int) -> bytes:
        """The rule for a number."""
        for way in self.ways:
            try:
                now = way(sort, number)
            except KeyError:
                continue
            if now is not None:
                return rule(sort, WIDTHS[sort], number, now)
            break
        return rule(sort, WIDTHS[sort], number, treatment=REFUSE)

    def translate(self, text: str) -> None:
        """Adds `fd01:203:405::/48=2001:db8:1::/48`. Raises UsageError."""
        before, _, after = text.partition("=")
        one, other = prefix("nptv6", before.strip()), prefix("nptv6", after.strip() or "-")
        need(one[0] == other[0] == ADDRESS6, f"--nptv6: '{text}' is not FROM=TO, two prefixes of IPv6")
        length = max(one[2], other[2])
        need(length <= 64, f"--nptv6: '{text}': prefixes have up to 64 bits (RFC 6296 section 3)")
        self.rules += rule(ADDRESS6, length, one[1], treatment=ASK)
        self.ways.append(Translation(one[1], other[1], length))

    def draw(self, seed: int | None) -> None:
        """Lets all addresses that no rule says become others."""
        self.rules += ask_for(*ADDRESSES)
        self.ways.append(Drawn(seed))


class Translation:
    """Network prefix translation: another prefix, and no other checksum (RFC 6296 sections 3.4 and 3.5)."""

    def __init__(self, inside: int, outside: int, length: int) -> None:
        self.inside, self.outside, self.length = inside, outside, length
        self.difference = (sum(words(inside)) - sum(words(outside))) % 0xFFFF

    def __call__(self, sort: int, number: int) -> int | None:
        """What becomes of an address; None: it has no other one. Raises KeyError where it is of another prefix."""
        rest = 128 - self.length
        if sort != ADDRESS6 or number >> rest != self.inside >> rest:
            raise KeyError(number)
        number = self.outside | number & (1 << rest) - 1
        parts = words(number)
        place = 3 if self.length <= 48 else next((i for i in range(4, 8) if parts[i] != 0xFFFF), None)
        if place is None:
            return None
        parts[place] = (parts[place] + self.difference) % 0xFFFF
        return sum(part << 16 * (7 - i) for i, part in enumerate(parts))


def words(number: int) -> list[int]:
    """The 16-bit words of an IPv6 address."""
    return [number >> 16 * i & 0xFFFF for i in reversed(range(8))]


class Drawn:
    """Addresses that are drawn, each once, by a seed: what an address becomes does not depend on what came before it, as a rule.

    What an address is stays: groups, broadcast, loopback, none, and link-local ones; MAC addresses are locally administered then.
    """

    def __init__(self, seed: int | None) -> None:
        import os

        self.seed = os.urandom(16) if seed is None else b"%d" % seed
        self.taken: set[tuple[int, int]] = set()

    def __call__(self, sort: int, number: int) -> int:
        """What becomes of an address."""
        if is_special(sort, number):
            return number
        from hashlib import blake2b  # late: few draw

        attempt = 0
        while True:
            digest = blake2b(b"%d %d %d" % (sort, number, attempt), key=self.seed[:64]).digest()
            now = within(sort, number, int.from_bytes(digest[:16], "big"))
            if (sort, now) not in self.taken and now != number and not is_special(sort, now):
                self.taken.add((sort, now))
                return now
            attempt += 1


def is_special(sort: int, number: int) -> bool:
    """Whether an address stays: nobody's, one's own, a group's or everybody's."""
    if sort == ADDRESS4:
        return number >> 24 in (0, 127) or number >> 29 == 7
    if sort == ADDRESS6:
        return number >> 120 in (0, 0xFF)
    return sort != STATION or number == 0 or bool(number & GROUP)


def within(sort: int, number: int, drawn: int) -> int:
    """A number of 128 bits as an address of the same kind as another one."""
    if sort == ADDRESS4:
        link_local = number >> 16 == 0xA9FE
        now = 0xA9FE << 16 | drawn & 0xFFFF if link_local else drawn & 0xFFFFFFFF
        return now if link_local or now >> 16 != 0xA9FE else number
    if sort == ADDRESS6:
        if number >> 118 == 0xFE80 >> 6:
            return number >> 64 << 64 | drawn & (1 << 64) - 1
        return 1 << 125 | drawn >> 3
    return 2 << 40 | drawn & (1 << 40) - 1
