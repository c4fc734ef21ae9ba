"""Digits without offsets: a stream of hex, `xxd -p`, od -An, logs that print bytes; what a line is: a packet, or a row of one."""

from __future__ import annotations

import re

from . import link
from .reading import BIG, LITTLE, Malformed, Reader, Words
from .rows import swapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reading import Asked

DIGITS = re.compile(r"\s*(?:0[xX])?([0-9a-fA-F]+(?:[ \t:,.-]+[0-9a-fA-F]+)*)[,.:-]?\s*")
SEPARATED = re.compile(r"[ \t:,.-]+")
DATE = re.compile(r"\s*(?:\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?|\d\d:\d\d:\d\d[.,]\d+|\d{9,10}\.\d{1,9})\s*")
CLOCK = re.compile(r"\s*\d\d:\d\d(?::\d\d)?\s*")  # or a row, behind others with colons
LOGGED = re.compile(r".*\b[a-z]+,debug(?:,packet)?:? +")  # of RouterOS, in front of digits
LEAST = 6  # bytes by which a dump is known
ROW = 64  # bytes of the longest line that is taken for a row of a packet


class Plain(Reader):
    """Reads lines of digits. A packet ends at a blank line, at text, and behind a line shorter than its first one."""

    name, what = "plain", "bare hex: a stream, xxd -p, od -An"

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.big, self.little = bytearray(), bytearray()
        self.width = 0  # bytes of the first line of the packet that is open
        self.words = Words(asked, BIG, False, self.guessed)
        self.rows = 0
        self.colons = False  # whether those stand between its bytes

    @staticmethod
    def suits(line: str) -> bool:
        """Whether a line is one of digits."""
        match = DIGITS.fullmatch(unlogged(line))
        return match is not None and not DATE.fullmatch(line) and len(SEPARATED.sub("", match[1])) >= 2 * LEAST and known(match[1])

    @staticmethod
    def is_of_bytes(line: str) -> bool:
        """Whether a line is of digits of whole bytes, however few, and no time."""
        match = DIGITS.fullmatch(unlogged(line))
        timed = DATE.fullmatch(line) or CLOCK.fullmatch(line)
        return match is not None and not timed and all(len(token) % 2 == 0 for token in SEPARATED.split(match[1]))

    @classmethod
    def reader(cls, asked: Asked) -> Reader:
        """What reads them."""
        return cls(asked)

    def line(self, line: str) -> None:
        """Reads a line."""
        match = DIGITS.fullmatch(unlogged(line))
        if match is None or DATE.fullmatch(line) or (CLOCK.fullmatch(line) and not (self.begun and self.colons)):
            if self.begun and line.strip() == "*":
                raise Malformed("a '*' stands for rows that repeat; without offsets nobody knows how many: od -v writes them")
            self.finish()
            self.skip(line)
            return
        tokens = SEPARATED.split(match[1])
        if any(len(token) % 2 for token in tokens):
            if len(tokens) > 1 and all(len(token) <= 2 for token in tokens):  # addresses of some systems: 0:c:29
                tokens = [token.zfill(2) for token in tokens]
            else:
                raise Malformed(f"an odd number of digits: '{next(token for token in tokens if len(token) % 2)[:20]}'")
        row = bytes.fromhex("".join(tokens))
        if self.begun and not self.goes_on(row):
            self.finish()
        if not self.begun:
            self.open()
            self.width, self.rows, self.colons = len(row), 0, ":" in match[1]
            self.words.usual = LITTLE if all(len(token) == 4 for token in tokens) and line[0].isspace() else BIG
            self.words.noted = all(len(token) == 4 for token in tokens)
        self.rows += 1
        self.big += row
        self.little += swapped(tokens)
        self.check(len(self.big))
        if len(row) < self.width:
            self.finish()

    def goes_on(self, row: bytes) -> bool:
        """Whether a line is a row of the packet that is open, and not the next packet."""
        if self.asked.lines:
            return self.asked.lines == "row"
        if self.width > ROW or len(row) > self.width:
            return False
        if self.rows == 1:
            whole = link.CERTAIN in (link.looks(bytes(data))[1] for data in (self.big, self.little))
            if whole and sound(bytes(self.big)):
                return False
            self.guessed["lines of bare hex are taken for rows of one packet: --lines packet"] = None
        return True

    def finish(self) -> None:
        """The packet that is open ends."""
        if self.begun:
            data = bytes(self.big)
            two = self.words.noted or self.asked.words
            self.add(self.words.pick(data, bytes(self.little)) if two else data)
            self.big, self.little = bytearray(), bytearray()

    def end(self) -> None:
        """The input has ended."""
        self.finish()


def unlogged(line: str) -> str:
    """A line without what a log puts in front."""
    match = LOGGED.match(line) if ",debug" in line else None
    return line[match.end() :] if match else line


def known(text: str) -> bool:
    """Whether digits are such as dumps have: of whole bytes, and no date or number."""
    tokens = SEPARATED.split(text)
    return all(len(token) % 2 == 0 for token in tokens) and (len(tokens) > 5 or max(map(len, tokens)) >= 8)


def sound(data: bytes) -> bool:
    """Whether bytes are a whole packet, by what it says of its length."""
    kind, _ = link.looks(data)
    at = {link.ETHERNET: 14, link.RAW: 0, link.SLL: 16, link.SLL2: 20, link.NULL: 4}[kind]
    tag = 12
    while kind == link.ETHERNET and int.from_bytes(data[tag : tag + 2], "big") in link.TAGS:
        tag, at = tag + 4, at + 4
    if data[at : at + 1] and data[at] >> 4 == 4:
        return at + int.from_bytes(data[at + 2 : at + 4], "big") <= len(data)
    if data[at : at + 1] and data[at] >> 4 == 6:
        return at + 40 + int.from_bytes(data[at + 4 : at + 6], "big") <= len(data)
    return kind == link.ETHERNET and data[tag:at] == b"\x08\x06" and len(data) >= at + 28
