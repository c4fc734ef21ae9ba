"""Packets from JSON: objects behind each other, in any layout, or in arrays; what is in them: json_packet.py."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from json import JSONDecodeError, JSONDecoder

from ..batch import LINKTYPE, Batch, Packet
from ..errors import PktError
from . import begun, by_content
from .files import BUFFER, Input
from .json_packet import Packets, as_written
from .json_values import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .json_values import Object

MAX_OBJECT = 32 << 20  # characters of one object
AT_ONCE = 1 << 18  # characters of which packets are made before they are handed on
DEAR = 1 << 20  # characters from which a piece is read on until it has doubled before it is tried again
SOON = 16  # characters in front of the end in which what is wrong may only be incomplete
PLAIN, MOST_TRIES = '{"number":', 256  # how lines begin that nobody has edited; how many are tried at once
FIRST, VALUE, BEHIND = range(3)  # in an array: a value or its end, a value, a comma or its end
BLANK = b" \t\r\n\xef\xbb\xbf"  # and the mark of UTF-8
WORD = re.compile(r"[^\s]{0,20}")
BLANKS = re.compile(r"[ \t\r\n]*")


class Reader:
    """The objects of a stream; what is read stays until it is an object."""

    def __init__(self, source: Input, buffer: bytearray, used: int) -> None:
        self.source, self.buffer = source, buffer
        self.decode = getincrementaldecoder("utf-8")("surrogateescape").decode
        self.decoder = JSONDecoder(object_pairs_hook=one_of_each, parse_constant=no_number)
        self.text = self.decode(bytes(buffer[:used])).removeprefix("\ufeff")
        self.at, self.line, self.final = 0, 1, not used
        self.arrays = 0  # how many are open
        self.tries = MOST_TRIES
        self.expected = VALUE  # where one is open: what may come

    def fail(self, message: str, at: int | None = None) -> PktError:
        """An error in the line of a place."""
        line = self.line + self.text.count("\n", 0, self.at if at is None else at)
        return PktError(f"{self.source.name}:{line}: {message}")

    def forget(self) -> None:
        """What was handed out goes."""
        self.line += self.text.count("\n", 0, self.at)
        self.text, self.at = self.text[self.at :], 0

    def more(self) -> None:
        """Reads on."""
        self.forget()
        used = self.source.fill(self.buffer, 0)
        self.final = not used
        self.text += self.decode(bytes(self.buffer[:used]), self.final)

    def next(self) -> tuple[int, str, Object] | None:
        """The next object of what is there, with its line and its text; None: it is not there yet. Raises PktError."""
        while True:
            self.at = BLANKS.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches anywhere
            if self.at == len(self.text):
                if self.final and self.arrays:
                    raise self.fail("the input ends in an array")
                return None
            mark = self.text[self.at]
            if mark in "{[" and self.arrays and self.expected == BEHIND:
                raise self.fail("a comma is missing")
            if mark == "{":
                return self.object()
            if mark == "[":
                self.arrays, self.expected = self.arrays + 1, FIRST
            elif mark == "]" and self.arrays and self.expected != VALUE:
                self.arrays, self.expected = self.arrays - 1, BEHIND
            elif mark == "," and self.arrays and self.expected == BEHIND:
                self.expected = VALUE
            else:
                word = WORD.match(self.text, self.at)[0]  # type: ignore[index]  # there is one
                raise self.fail(f"'{printable(word)}': an object is expected here")
            self.at += 1

    def plain(self) -> list[Packet]:
        """The packets of lines that nobody has edited. How many are tried goes by how many were found last."""
        lines: list[str] = []
        stop = self.at
        while len(lines) < self.tries and not self.arrays and self.text.startswith(PLAIN, stop):
            end = self.text.find("\n", stop)
            if end < 0:
                break
            lines.append(self.text[stop:end])
            stop = end + 1
        if not lines:
            return []
        found = as_written(lines)
        self.at += sum(len(line) + 1 for line in lines[: len(found)])
        self.tries = min(2 * self.tries, MOST_TRIES) if len(found) == len(lines) else 1
        return found

    def object(self) -> tuple[int, str, Object] | None:
        """The object that begins here; None: it is not there yet."""
        start = self.at
        try:
            found, end = self.decoder.raw_decode(self.text, start)
        except JSONDecodeError as error:
            incomplete = error.msg.startswith("Unterminated string") or error.pos >= len(self.text) - SOON
            if incomplete and not self.final:
                if len(self.text) - start > MAX_OBJECT:
                    raise self.fail(f"an object goes on for more than {MAX_OBJECT >> 20} MiB") from None
                return None
            raise self.fail(f"no JSON: {error.msg[0].lower()}{error.msg[1:]}", error.pos) from None
        except RecursionError:
            raise self.fail("lists or objects are nested too deep") from None
        except ValueError as error:  # of ours, or a number of thousands of digits
            raise self.fail(str(error).partition(";")[0]) from None
        line = self.line + self.text.count("\n", 0, start)
        self.at, self.expected = end, BEHIND
        return line, self.text[start:end], found


def one_of_each(pairs: list[tuple[str, Any]]) -> Object:
    """An object, whose keys come once. Raises ValueError."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key '{printable(twice)}' comes twice")
    return found


def no_number(word: str) -> None:
    """Raises ValueError: JSON has none of these."""
    raise ValueError(f"{word} is no number of JSON")


def packets(source: Input) -> Iterator[Batch]:
    """The packets of a stream of JSON, or what others read. Raises PktError with the line, after the packets before it."""
    buffer = bytearray(BUFFER)
    used = begun(source, buffer)
    while used < BUFFER and not bytes(buffer[:used]).lstrip(BLANK) and (now := source.fill(buffer, used)) > used:
        used = now
    head = bytes(buffer[:used]).lstrip(BLANK)[:1]
    if head and head not in b"{[":
        yield from by_content(source, buffer, used)
        return
    reader, making = Reader(source, buffer, used), Packets(source)
    ended = False
    while not ended:
        objects: list[Packet | tuple[int, str, Object]] = []
        failed: PktError | None = None
        try:
            while reader.at < AT_ONCE:
                while plain := reader.plain():
                    objects += plain
                found = reader.next()
                if found is None:
                    break
                objects.append(found)
        except PktError as error:
            failed = error
        if objects:
            batch, wrong = making.batch(objects)
            failed = wrong or failed
            if len(batch):
                source.link = batch.columns()[LINKTYPE] if source.link is None else source.link
                yield batch
        if failed:
            source.said += making.said()
            raise failed
        if reader.at >= AT_ONCE:
            reader.forget()
            continue
        ended = reader.final
        if not ended:
            size = len(reader.text) - reader.at
            reader.more()
            while size > DEAR and len(reader.text) < 2 * size and not reader.final:
                reader.more()
    source.said += making.said()
