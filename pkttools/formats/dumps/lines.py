"""The lines of a text that people have pasted: without what mail, terminals and web pages do to them."""

from __future__ import annotations

import re

from ...errors import PktError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..files import Input

MAX_LINE = 4 << 20  # bytes: 262,144 bytes of a packet as 0x00, and blanks are less than half of it
MARK = b"\xef\xbb\xbf"  # of UTF-8
QUOTES = re.compile(r"(?:> ?)+")  # of mail
COLOURS = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
BLANKS = (b"\xc2\xa0", b"\xe2\x80\x87", b"\xe2\x80\xaf")  # that do not break: of web pages


def plain(line: bytes) -> str:
    """A line as it was before it was quoted, coloured or laid out."""
    if b"\x1b" in line:
        line = COLOURS.sub(b"", line)
    if not line.isascii():
        for blank in BLANKS:
            line = line.replace(blank, b" ")
    text = line.decode("latin-1").rstrip("\r\n")
    if text[:1] == ">" and (quote := QUOTES.match(text)):
        text = text[quote.end() :]
    return text


def plain_lines(text: bytes) -> list[str]:
    """The same of several lines: at once, where nothing is to be taken off them."""
    if text.isascii() and b"\x1b" not in text and b"\r" not in text and not text.startswith(b">") and b"\n>" not in text:
        return text.decode("ascii").split("\n")
    return [plain(line) for line in text.split(b"\n")]


class Lines:
    """The lines of an input, in pieces: what one read brought."""

    def __init__(self, source: Input, buffer: bytearray, used: int) -> None:
        """buffer: what is read into; it holds `used` bytes already."""
        self.source, self.buffer, self.used = source, buffer, used

    def __iter__(self) -> Iterator[list[str]]:
        """Raises PktError at a line without an end."""
        rest, used = b"", self.used
        start = len(MARK) if self.buffer.startswith(MARK, 0, used) else 0
        while used:
            whole, mark, behind = bytes(self.buffer[start:used]).rpartition(b"\n")
            start = 0
            if mark:
                yield plain_lines(rest + whole)
                rest = behind
            else:
                rest += behind
            if len(rest) > MAX_LINE:
                raise PktError(f"{self.source.name}: a line goes on for more than {MAX_LINE >> 20} MiB")
            used = self.source.fill(self.buffer, 0)
        if rest:
            yield [plain(rest)]
