"""What all readers of dumps share: the packets they find, the text between them, and what is asked of them."""

from __future__ import annotations

from ...batch import MAX_FRAME
from . import link
from .times import Clock, on_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Kind(Protocol):
        """A family of dumps: a module of this folder, or a row of its table."""

        @property
        def name(self) -> str:
            """Of --dump."""

        @property
        def what(self) -> str:
            """Which programs write such."""

        def suits(self, line: str, /) -> bool:
            """Whether a dump of this kind begins in a line."""

        def reader(self, asked: Asked, /) -> Reader:
            """What reads one."""


BIG, LITTLE = "big", "little"


class Malformed(Exception):
    """The line that is read is none of a dump."""


class Asked:
    """What the command line says of dumps; None of each: what it looks like.

    dump: the name of its kind. words: the order of bytes in words. offsets: their base. lines: what a line of bare digits is,
    `row` or `packet`. day: of times without a date, in nanoseconds since 1970. linktype: of all packets. bare: they are
    payloads, which have none.
    """

    def __init__(self, dump: str | None = None, words: str | None = None, offsets: int | None = None, lines: str | None = None,
                 day: int | None = None, linktype: int | None = None, bare: bool = False) -> None:  # fmt: skip
        self.dump, self.words, self.offsets, self.lines = dump, words, offsets, lines
        self.day, self.linktype, self.bare = day, linktype, bare


class Found:
    """A packet that was found: its bytes, when it came, if that is told, and how long it was."""

    __slots__ = ("data", "original", "time")

    def __init__(self, data: bytes, time: int | None, original: int) -> None:
        self.data, self.time, self.original = data, time, original


class Reader:
    """Reads the lines of a dump, one after the other.

    found: the packets that are whole, until somebody takes them. text: how many lines were none of a dump. asides: dumps of what is
    no packet. guessed: what was taken for granted, with the option that says otherwise. number: of the line that is read. begun:
    the line where the packet begins that is open; 0: none is.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked, self.clock = asked, Clock(asked.day)
        self.found: list[Found] = []
        self.text = self.asides = self.number = self.begun = 0
        self.guessed: dict[str, None] = {}
        self.time: int | None = None  # told for the next packet, as is how long it was
        self.original: int | None = None
        self.told: tuple[int | None, int | None] = None, None  # the same of the one that is open

    def read(self, lines: list[str]) -> None:
        """Reads lines. Raises Malformed, where `number` says in which."""
        for line in lines:
            self.number += 1
            self.line(line)

    def line(self, line: str) -> None:
        """Reads a line. Raises Malformed."""
        raise NotImplementedError

    def end(self) -> None:
        """The input has ended. Raises Malformed."""
        raise NotImplementedError

    def skip(self, line: str) -> None:
        """A line that is none of a dump; it may tell when the next packet came."""
        if not line or line.isspace():
            return
        self.text += 1
        time, original = self.clock.read(line), on_wire(line)
        self.time = self.time if time is None else time
        self.original = self.original if original is None else original

    def open(self) -> None:
        """A packet begins in this line."""
        self.begun, self.told = self.number, (self.time, self.original)
        self.time = self.original = None

    def add(self, data: bytes) -> None:
        """The packet that is open is whole."""
        time, original = self.told
        self.found.append(Found(data, time, max(original or 0, len(data))))
        self.begun = 0

    def check(self, size: int) -> None:
        """Raises Malformed where a packet would be too long."""
        if size > MAX_FRAME:
            raise Malformed(f"the packet of line {self.begun} is longer than {MAX_FRAME} bytes")


class Words:
    """The order of bytes in words of more than one byte, found out by the first packet that shows it.

    usual: what it is where nothing shows it. noted: whether it is to be said that nothing did.
    """

    def __init__(self, asked: Asked, usual: str, noted: bool, guessed: dict[str, None]) -> None:
        self.order, self.usual, self.noted, self.guessed = asked.words, usual, noted, guessed

    def pick(self, big: bytes, little: bytes) -> bytes:
        """Which of both readings of a packet is meant."""
        if self.order is None and big != little:
            seen = {BIG: link.looks(big)[1], LITTLE: link.looks(little)[1]}
            other = LITTLE if self.usual == BIG else BIG
            better = seen[other] > max(seen[self.usual], link.MAYBE)
            order = other if better else self.usual
            if better or seen[self.usual] >= link.LIKELY:
                self.order = order
            if order == LITTLE or self.noted:
                known = "" if self.order else ", though no packet shows it"
                self.guessed[f"words are taken for {order}-endian{known}: --words says which"] = None
            return little if order == LITTLE else big
        return little if self.order == LITTLE else big
