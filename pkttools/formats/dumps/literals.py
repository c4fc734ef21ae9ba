"""Packets in source code: arrays of numbers as C, Go, Rust, Python and trafgen have them, and strings with escapes or of hex.

Comments are no data, whatever stands in them, and neither is a number in a sentence.
"""

from __future__ import annotations

import re

from .reading import BIG, LITTLE, Malformed, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reading import Asked

TOKEN = re.compile(
    r"(?P<comment>//.*|\#.*|/\*.*?(?:\*/|$))|(?P<string>[rR]?[bB]?[rR]?(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'))"
    r"|(?P<number>(?<![\w.])(?:0[xX][0-9a-fA-F]+|[0-9]+)(?:[uU]?8?)(?![\w.]))|(?P<mark>[{}()\[\];,\\])|(?P<word>[\w.:<>*&=-]+)|\s+|."
)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
NAMED = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}
HEX, LEAST = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})+)"), 8  # bytes of a string that is known as hex by itself
BYTES, BYTE = re.compile(r"(?i:0x[0-9a-f]{1,2}\b)[^\w]*(?i:0x[0-9a-f]{1,4}\b)"), re.compile(r"\\x[0-9a-fA-F]{2}")
PYTHON = re.compile(r"""(?:^|[^\w])[bB]["']""")
QUOTED_HEX = re.compile(r"""["'](?:[0-9a-fA-F]{2}){8,}["']""")
LETTERS = re.compile(r"[A-Za-z]{2}")
DIRECTIVE = re.compile(r"\s*(?:\w+:\s*)?(?:\.\w+|db|dc\.b)\s", re.IGNORECASE)  # of assemblers: numbers follow
WORDS_OF_16 = re.compile(r"(?i:0x[0-9a-f]{4}),\s*(?i:0x[0-9a-f]{4})\b")


class Literals(Reader):
    """Reads them. A packet ends at its bracket, its semicolon, a comma between strings, a blank line or text."""

    name, what = "literals", "source code: C arrays, \\x strings, bytes of Python"

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked)
        self.data = bytearray()
        self.brackets: list[str] = []
        self.hexadecimal = False  # whether a number was written so: [98] is no packet
        self.commented = self.joins = self.calls = False  # within /* */; behind a backslash; within fromhex()
        self.order = LITTLE if asked.words == LITTLE else BIG

    @staticmethod
    def suits(line: str) -> bool:
        """Whether numbers or strings are in a line."""
        return any(shape.search(line) for shape in (BYTES, BYTE, PYTHON, WORDS_OF_16, QUOTED_HEX))

    @classmethod
    def reader(cls, asked: Asked) -> Reader:
        """What reads them."""
        return cls(asked)

    def line(self, line: str) -> None:
        """Reads a line."""
        if self.commented:
            _, end, line = line.partition("*/")
            self.commented = not end
            if not end:
                return
        if not line.strip():
            if not self.brackets:
                self.finish()
            return
        if not self.brackets and is_prose(line):
            self.finish()
            self.skip(line)
            return
        used, joins, self.joins = False, self.joins, False
        strings = 0
        for match in TOKEN.finditer(line):
            if match["comment"]:
                self.commented = match[0].startswith("/*") and not match[0].endswith("*/")
                used = used or self.begun > 0
            elif match["string"]:
                octets = of_string(match[0], 1 if self.begun or self.calls else LEAST)
                if octets is None:
                    continue
                if self.begun and not (strings or joins or self.brackets or match[0][0] in "\"'"):
                    self.finish()  # Python's print() of several, one a line
                self.put(octets)
                self.hexadecimal = used = True
                strings += 1
            elif match["number"]:
                used = self.numeral(match["number"]) or used
            elif match["mark"]:
                used = self.mark(match[0], strings) or used
            elif match["word"] and match[0].endswith("fromhex"):
                self.calls = True
            elif match["word"] and self.begun and self.hexadecimal and self.brackets[-1:] == ["{"]:
                raise Malformed(f"'{match[0][:20]}' is no byte: {{...}} holds numbers")
        if not used:
            if self.begun and not self.brackets:
                self.finish()
            self.skip(line)

    def put(self, octets: bytes) -> None:
        """Bytes of the packet that is open, or of one that begins."""
        if not self.begun:
            self.open()
        self.data += octets
        self.check(len(self.data))

    def numeral(self, text: str) -> bool:
        """A number; whether it is a byte, or a word of two. Outside of brackets only hexadecimal ones are."""
        digits = text.rstrip("uU") if text[:2] not in ("0x", "0X") else text[2:].rstrip("uU")
        written = text[:2] in ("0x", "0X")
        if not written and not self.brackets:
            return False
        value = int(digits, 16 if written else 10)
        if value > 0xFF and not (written and len(digits) == 4):
            if not self.begun:
                return False
            raise Malformed(f"{text[:20]} is no byte")
        if len(digits) == 4 and written:
            self.guessed[f"numbers of four digits are taken for words, {self.order}-endian: --words"] = None
            self.put(value.to_bytes(2, self.order))  # type: ignore[arg-type]  # one of both
        else:
            self.put(bytes([value]))
        self.hexadecimal |= written
        return True

    def mark(self, mark: str, strings: int) -> bool:
        """A mark of the language; whether it is of a packet."""
        if mark == "\\":
            self.joins = True
            return self.begun > 0
        if mark in "{[(":
            if mark in "{[" and self.begun:
                self.finish()
            self.brackets.append(mark)
            return False
        if mark in "}])":
            if self.brackets:
                self.brackets.pop()
            return self.finish()
        if mark == ";":
            self.brackets.clear()
            return self.finish()
        return self.finish() if strings and mark == "," else self.begun > 0

    def finish(self) -> bool:
        """The packet that is open ends; whether one was."""
        if not self.begun:
            return False
        if not self.hexadecimal and (self.brackets or len(self.data) < 14):  # a size, an index, arguments
            self.begun = 0
        else:
            self.add(bytes(self.data))
        self.data, self.hexadecimal, self.calls = bytearray(), False, False
        return True

    def end(self) -> None:
        """The input has ended."""
        if self.begun and "{" in self.brackets:
            raise Malformed(f"the input ends in the array of line {self.begun}")
        self.finish()


def is_prose(line: str) -> bool:
    """Whether a line, outside of brackets, tells of a number among words: `0x40 is the flag`, `int flag = 0x40;`."""
    if "0x" not in line.lower() or any(mark in line for mark in ("{", "[", "/*")) or DIRECTIVE.match(line):
        return False
    words = any(match["word"] and LETTERS.search(match["word"]) for match in TOKEN.finditer(line))
    return words and not Literals.suits(line)


def of_string(text: str, least: int) -> bytes | None:
    """The bytes of a string with escapes, or of so many bytes of hex at least; None: it is mere text."""
    prefix, quoted = text[: text.index(text[-1])].lower(), text[text.index(text[-1]) + 1 : -1]
    if (match := HEX.fullmatch(quoted)) and len(match[1]) >= 2 * least:
        return bytes.fromhex(match[1])
    if "b" not in prefix and not BYTE.search(quoted) and not re.search(r"\\0", quoted):
        return None
    if "r" in prefix or "\\" not in quoted:
        return quoted.encode("latin-1")
    found, at = bytearray(), 0
    for match in ESCAPE.finditer(quoted):
        found += quoted[at : match.start()].encode("latin-1")
        if match[1]:
            found.append(int(match[1], 16))
        elif match[2]:
            found.append(int(match[2], 8) & 0xFF)
        else:
            found.append(NAMED.get(match[3], ord(match[3])))
        at = match.end()
    return bytes(found + quoted[at:].encode("latin-1"))
