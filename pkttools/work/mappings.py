"""Rules of pkt-map as they are written: `10.0.0.0/8=192.168.0.0/16`, `80=8080`, `src:192.0.2.1=192.0.2.2`."""

from __future__ import annotations

import re

from ..errors import PktError, UsageError, need
from ..protocols.places import ADDRESS4, ADDRESS6, ANYWHERE, DESTINATION, PORT, SOURCE, STATION, VLAN, WIDTHS
from ..protocols.values import parse_ipv4, parse_ipv6, parse_mac
from .addresses import rule

SIDES = {"src": SOURCE, "dst": DESTINATION}
Prefix = tuple[int, int, int]  # sort, the number, and how many of its bits count


class Rules:
    """Rules as they are read. seen: each may be given once. narrowed: prefixes that become others with fewer addresses."""

    def __init__(self) -> None:
        self.rules = bytearray()
        self.seen: set[tuple[int, Prefix]] = set()
        self.narrowed: list[str] = []

    def add(self, option: str, text: str) -> None:
        """Adds what an option says: map, port, vlan or mac. Raises UsageError."""
        before, equals, after = text.partition("=")
        need(bool(equals and before.strip() and after.strip()), f"--{option}: '{text}' is not FROM=TO")
        sides, before = side_of(before.strip())
        pairs = numbers if option in ("port", "vlan") else prefixes
        for one, other in pairs(option, before, after.strip()):
            need((sides, one) not in self.seen, f"--{option}: {before} is given twice")
            self.seen.add((sides, one))
            self.rules += becoming(one, other, sides)
            if one[2] < other[2]:
                self.narrowed.append(f"{before} has more addresses than {after.strip()}")

    def read(self, path: str) -> None:
        """Adds those of a file: a line each, `10.0.0.1=192.0.2.1`, or behind a word `port 80=8080`. Raises UsageError, PktError."""
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123  pathlib is slow to import
                lines = file.read().splitlines()
        except OSError as error:
            raise PktError(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise PktError(f"{path}: this is no text") from None
        for number, line in enumerate(lines, 1):
            words = line.partition("#")[0].replace("=", " = ").split()
            if not words:
                continue
            option = words.pop(0) if words[0] in ("map", "port", "vlan", "mac") else "map"
            try:
                self.add(option, "".join(words))
            except UsageError as error:
                raise UsageError(f"{path}, line {number}: {error}") from None


def side_of(text: str) -> tuple[int, str]:
    """Whether a rule is for sources or destinations alone: `src:` or `dst:` in front."""
    word, colon, rest = text.partition(":")
    return (SIDES[word], rest) if colon and word in SIDES else (ANYWHERE, text)


def prefix(option: str, text: str) -> Prefix:
    """An address, or some first bits of it. Raises UsageError."""
    address, slash, length = text.partition("/")
    sort, number = ADDRESS4, parse_ipv4(address)
    if option == "mac":
        sort, number = STATION, parse_mac(address)
        if number is None and slash:  # the vendor's part of it is enough
            number = parse_mac(":".join([*re.split("[:-]", address), "0", "0", "0", "0", "0"][:6]))
    elif number is None:
        sort, number = ADDRESS6, parse_ipv6(address)
    what = "a MAC address" if option == "mac" else "an IP address"
    need(number is not None, f"--{option}: '{text}' is not {what}, or some first bits of one, such as " + (
        "02:00:5e/24" if option == "mac" else "192.0.2.0/24"))  # fmt: skip
    bits = WIDTHS[sort]
    if slash:
        sound = length.isascii() and length.isdigit() and int(length[:4]) <= bits
        need(sound, f"--{option}: '{text}': bits from 0 to {bits}")
        bits = int(length)
    value = number or 0
    need(value & (1 << WIDTHS[sort] - bits) - 1 == 0, f"--{option}: '{text}' says more than its first {bits} bits")
    return sort, value, bits


def prefixes(option: str, before: str, after: str) -> list[tuple[Prefix, Prefix]]:
    """The one pair that an option says. Raises UsageError."""
    one, other = prefix(option, before), prefix(option, after)
    need(one[0] == other[0], f"--{option}: {before} and {after} are of different lengths: a packet has no room")
    need(one[2] < WIDTHS[one[0]] or other[2] == one[2], f"--{option}: one address, {before}, becomes one, not all of {after}")
    return [(one, other)]


def span(option: str, text: str) -> range:
    """`80` or `8000-8009`. Raises UsageError."""
    first, dash, last = text.partition("-")
    most = 65535 if option == "port" else 4095
    sound = all(word.isascii() and word.isdigit() and int(word[:9]) <= most for word in (first, last if dash else first))
    need(sound and int(first) <= int(last or first), f"--{option}: '{text}' is not a number up to {most}, or a range of such")
    return range(int(first), int(last or first) + 1)


def numbers(option: str, before: str, after: str) -> list[tuple[Prefix, Prefix]]:
    """The pairs that an option says: of ranges each, or all become one. Raises UsageError."""
    sort = PORT if option == "port" else VLAN
    one, other = span(option, before), span(option, after)
    need(len(other) in (1, len(one)), f"--{option}: {before} are not as many as {after}")
    return [((sort, number, WIDTHS[sort]), (sort, other[i if len(other) > 1 else 0], WIDTHS[sort])) for i, number in enumerate(one)]


def becoming(one: Prefix, other: Prefix, sides: int) -> bytes:
    """The rule by which numbers of a prefix become those of another: the bits that neither of them says stay."""
    sort, number, length = one
    keep = (1 << WIDTHS[sort] - max(length, other[2])) - 1
    return rule(sort, length, number, other[1], keep, sides=sides)
