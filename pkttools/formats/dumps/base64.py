"""Packets in base64 (RFC 4648 section 4), one a line or wrapped as MIME does."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64

from .reading import Malformed, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reading import Asked

CHARACTERS = re.compile(r"\s*([A-Za-z0-9+/]{2,}={0,2})\s*")
LEAST, SURE = 16, 48  # characters by which it is known, if others than letters are among them, and if not
WRAPPED = (60, 64, 72, 76)  # characters of a line: of xxd's kind, PEM, and MIME, RFC 2045 section 6.8


class Base64(Reader):
    """Reads it. A packet ends with a line that is shorter than such are wrapped to, or has padding, or at a blank line."""

    name, what = "base64", "base64"

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.text64 = ""
        self.width = 0  # characters of the first line

    @staticmethod
    def suits(line: str) -> bool:
        """Whether a line is of base64, and no word."""
        match = CHARACTERS.fullmatch(line)
        if match is None or len(match[1]) < LEAST:
            return False
        mixed = any(map(str.isupper, match[1])) and any(map(str.islower, match[1]))
        return mixed and (len(match[1]) >= SURE or any(c.isdigit() or c in "+/=" for c in match[1]))

    @classmethod
    def reader(cls, asked: Asked) -> Reader:
        """What reads it."""
        return cls(asked)

    def line(self, line: str) -> None:
        """Reads a line."""
        match = CHARACTERS.fullmatch(line)
        if match is None:
            self.finish()
            self.skip(line)
            return
        if not self.begun:
            self.open()
            self.width = len(match[1])
        self.text64 += match[1]
        self.check(len(self.text64) * 3 // 4)
        rows = self.asked.lines == "row" or (not self.asked.lines and self.width in WRAPPED)
        if not rows or len(match[1]) < self.width or match[1].endswith("="):
            self.finish()

    def finish(self) -> None:
        """The packet that is open ends. Raises Malformed."""
        if not self.begun:
            return
        try:
            data = a2b_base64(self.text64)
        except Error:
            count = len(self.text64)
            raise Malformed(f"the base64 of line {self.begun} has {count} characters, which is no multiple of 4") from None
        self.text64 = ""
        self.add(data)

    def end(self) -> None:
        """The input has ended."""
        self.finish()
