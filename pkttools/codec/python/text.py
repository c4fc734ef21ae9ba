"""The text format: packets to text and back; twin of ../c/text.c.

A line that starts with `--` begins a packet, one that starts with `==` ends it. Inside, in this order of precedence:

    TIME: seconds[.fraction]            digits on at least one side of the point
    SIZE: captured[/[original]]
    IFACE: WAY: NOTE: LOST:             kept as they are
    NAME.FIELD: or NAME.FIELD[k]:       set when the packet is complete, see settings.py
    a line that starts with a hex digit an offset (hex digits and a colon), then groups of hex digits, apart by blanks: one
                                        digit or an even number; anything else behind a blank ends them, but a letter
                                        there is an error, as is anything directly behind a group, and an offset without
                                        its colon
    everything else                     a comment, but not what would be data if it were not indented

Outside, `LINKTYPE: n` holds for what follows, and `TRAILER: n`, the octets of a frame check sequence that it ends in, up to the
next LINKTYPE; everything else is a comment.
"""

from __future__ import annotations

import re
import time
from array import array
from binascii import unhexlify
from functools import lru_cache

from ...batch import (
    CAPTURED,
    COLUMNS,
    LANE_MARK,
    LINKTYPE,
    MAX_BATCH,
    MAX_FCS,
    MAX_FRAME,
    MAX_SECONDS,
    NOTES,
    NOTES_SIZE,
    OFFSET,
    ORIGINAL,
    ROW_BYTES,
    TIME,
    link_of,
    linktype_of,
)
from ...errors import (
    BAD_FIELD,
    BAD_HEX,
    BAD_LINKTYPE,
    BAD_SIZE,
    BAD_TIME,
    BAD_TRAILER,
    INDENTED,
    NO_BLANK,
    NO_COLON,
    NO_END,
    NOT_ENDED,
    NOT_TEXT,
    ODD_HEX,
    TOO_LONG,
)
from .. import DECIMAL
from .rows import checked, without_fcs

# ---- reading ----

MAX_TEXT = 8 << 20  # bytes of text that are gathered; with usual rows it is MAX_BATCH that ends it
MAX_UINT32 = (1 << 32) - 1
MAX_COUNT = 15  # four bits of a pcap header

_BLANK = rb"[ \t\r\v\f]"
_WORD = re.compile(_BLANK + rb"*([^ \t\r\v\f]*)")
_OFFSET = re.compile(rb"[0-9A-Fa-f]+:")
_GROUP = re.compile(_BLANK + rb"*(([0-9A-Fa-f]*)(?:([G-Zg-z_][0-9A-Za-z_]*)|[^ \t\r\v\f]*))")
_BARE_OFFSET = re.compile(rb"([0-9A-Fa-f]{4,8})" + _BLANK + rb"{2}")
_INDENTED = re.compile(
    rb"[ \t]" + _BLANK + rb"*(?:(?:0[xX])?[0-9A-Fa-f]+:" + _BLANK + rb"*|[0-9A-Fa-f]+" + _BLANK + rb"+)[0-9A-Fa-f]+(?![^ \t\r\v\f])"
)
_FIELD = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*\.[A-Za-z0-9_]+(?:\[-?[0-9]+\])?):")
_TIME = re.compile(rb"([0-9]*)(?:\.([0-9]*))?")
_SIZE = re.compile(rb"([0-9]+)(?:/([0-9]*))?")
_TRAILER = re.compile(rb"0*([0-9]{1,2})(?:/0*([0-9]{1,2}))?")
_LINKTYPE = re.compile(rb"([0-9]+)(?:\(|$)")
_NOTES = (b"IFACE:", b"WAY:", b"NOTE:", b"LOST:")
_HEX = b"0123456789ABCDEFabcdef"

# The canonical row: 79 bytes. Where it has fixed characters, where the digits of its offset, where those of its bytes.
ROW = 79
_BYTE_AT = [8 + 3 * i + i // 4 for i in range(16)]
_CHAR_AT = [61 + i + i // 8 for i in range(16)]
_COLONS = (6, 59)
_SPACES = sorted(set(range(7, 59)) - {at + i for at in _BYTE_AT for i in (0, 1)})
_ZEROS = b"".join(b"00 " + b" " * (i % 4 == 3) for i in range(16))[:-1]  # from the first byte up to the colon

Error = tuple[int, int, int, int]


class _Failed(Exception):
    """An error at a place: kind, line, word, size of the word. Caught in this module."""


def text_decode(buffer: bytearray, start: int, stop: int, final: bool, linktype: int, line: int, now: int) -> tuple[
        int, bytearray, bytearray, int, int, Error | None, tuple[int, int, int, int, int]]:  # fmt: skip
    """Reads the complete packets in buffer[start:stop].

    final: nothing comes behind; an open packet is then an error. linktype: what holds at `start`. line: lines read
    before. now: the time in nanoseconds of packets that have none.

    Returns where it stopped; data and rows; link type and line for the next call; and an error as (kind, line, start
    of the offending word in `buffer`, its size), for NOT_ENDED (kind, line, line of the open packet, 0); the word of BAD_FIELD is
    the line from its name to the end of its value. Packets before an error are complete, their fields are set.
    Last, what was passed over: lines of packets that stood outside of packets, packets with more bytes than their SIZE says,
    those with fewer, field lines without a place in their packet, and values that were cut to the room of their field.
    """
    if not 0 <= start <= stop <= len(buffer):
        raise ValueError("range lies outside of the buffer")
    d = _Decoder(bytes(memoryview(buffer)[start:stop]), start, final, linktype, line, now)
    error = None
    try:
        d.read()
    except _Failed as failed:
        error = failed.args
    passed_over = d.stray, d.shortened, d.filled, d.unplaced, d.cut
    return start + d.consumed, d.data, bytearray(d.rows.tobytes()), d.linktype, d.line, error, passed_over


def _canonical_time(line: bytes) -> int | None:
    """The nanoseconds of a TIME line with ten digits, a point, six digits and a blank; None when it is not so."""
    seconds, micros = line[6:16], line[17:23]
    if line[16:17] == b"." and line[23:24] == b" " and seconds.isdigit() and micros.isdigit() and len(micros) == 6:
        return int(seconds) * 1_000_000_000 + int(micros) * 1000 if seconds < b"9223372036" else None
    return None


@lru_cache(4096)
def _sizes(line: bytes) -> tuple[int, int] | None:
    """Captured and original size of a SIZE line; None when they are not two plain numbers within the limits."""
    captured, slash, original = line[6:].partition(b"/")
    if not (slash and captured.isdigit() and original.isdigit() and len(captured) <= 6 and len(original) <= 9):
        return None
    return (int(captured), int(original)) if int(captured) <= MAX_FRAME else None


def _canonical_bytes(block: bytes) -> bytes | None:
    """The bytes of canonical rows, 16 a row; None when one of the rows is not canonical."""
    rows = len(block) // ROW
    if block.count(b"\n") != rows or block[ROW - 1 :: ROW] != b"\n" * rows:
        return None
    blanks, colons = b" " * rows, b":" * rows
    if any(block[i::ROW] != blanks for i in _SPACES) or any(block[i::ROW] != colons for i in _COLONS):
        return None
    if any(block[i::ROW].translate(None, _HEX) for i in range(6)):
        return None
    digits = bytearray(32 * rows)
    for i, at in enumerate(_BYTE_AT):
        digits[2 * i :: 32] = block[at::ROW]
        digits[2 * i + 1 :: 32] = block[at + 1 :: ROW]
    try:
        return unhexlify(digits)
    except ValueError:
        return None


class _Decoder:
    def __init__(self, text: bytes, start: int, final: bool, linktype: int, line: int, now: int) -> None:
        self.text, self.start, self.final = text, start, final
        self.linktype, self.line, self.now = linktype, line, now
        self.at = self.consumed = self.stray = self.shortened = self.filled = self.unplaced = self.cut = 0
        self.odd = 0  # up to here, packets only seemed to be canonical
        self.data, self.rows = bytearray(), array("q")

    def fail(self, kind: int, at: int = 0, size: int = 0) -> _Failed:
        return _Failed(kind, self.line, self.start + at if size else 0, size)

    def next_line(self) -> tuple[int, int] | None:
        """Start and end of the next line; None when it is not complete yet."""
        start = self.at
        end = self.text.find(b"\n", start)
        if end < 0:
            if not self.final or start == len(self.text):
                return None
            end = len(self.text)
        self.at = min(end + 1, len(self.text))
        return start, end

    def read(self) -> None:
        text = self.text
        while len(self.data) < MAX_BATCH and len(self.rows) * 8 < MAX_BATCH:
            if self.read_canonical():
                continue
            span = self.next_line()
            if span is None:
                break
            self.line += 1
            if text.startswith(b"--", span[0]):
                if not self.read_packet():
                    break
            elif text.startswith(b"LINKTYPE:", span[0]):
                self.linktype = self.read_linktype(*span)
            elif text.startswith(b"TRAILER:", span[0]):
                self.linktype = link_of(linktype_of(self.linktype), *self.read_trailer(*span))
            elif text.startswith((b"==", b"TIME:", b"SIZE:", *_NOTES), span[0]):
                self.stray += 1
            elif text.find(b"\0", *span) >= 0:  # such as a capture behind text: no comment
                raise self.fail(NOT_TEXT)
            self.consumed = self.at

    def read_canonical(self) -> bool:
        """Reads packets that are laid out as our own writer does it, as many as follow each other; nearly all are.

        Their rows are put one below the other, so that a column of all of them is read in one step. False: the next
        packet is not of that kind.
        """
        text, at, size = self.text, self.at, max(len(self.data), 8 * len(self.rows))
        if not text.startswith(b"-- ", at) or at < self.odd:
            return False
        bodies: list[bytes] = []
        packets: list[tuple[int, int, int, int]] = []  # captured, original, time, rows
        while size < MAX_BATCH:
            end = text.find(b"\n==\n", at)
            if end < 0 or not text.startswith(b"-- ", at):
                break
            packet = text[at : end + 1].split(b"\n", 3)
            if len(packet) < 4 or packet[1][:6] != b"TIME: " or packet[2][:6] != b"SIZE: ":
                break
            body = packet[3]
            timestamp, sizes = _canonical_time(packet[1]), _sizes(packet[2])
            if timestamp is None or sizes is None:
                break
            captured, original = sizes
            rows, rest = (captured + 15) >> 4, captured & 15
            if len(body) != rows * ROW:
                break
            if rest:  # the last row: what is missing must be blank, and is taken for zeros
                last = len(body) - ROW
                tail = _BYTE_AT[rest]
                if body[last + tail : last + 59].strip(b" "):
                    break
                body = b"".join((body[: last + tail], _ZEROS[tail - 8 :], body[last + 59 :]))
            bodies.append(body)
            packets.append((captured, original, timestamp, rows))
            size += max(len(body) // 4, ROW_BYTES)
            at = end + 4
        block = b"".join(bodies)
        data = _canonical_bytes(block) if packets else None
        if data is None:
            self.odd = at  # one of them is not what it seemed: these are read line by line
            return False
        linktype, offset, notes = self.linktype, len(self.data), len(self.data) + len(data)
        for captured, original, timestamp, rows in packets:
            self.rows.extend((offset, captured, original, timestamp, linktype, notes, 0))
            offset += rows << 4
        self.data += data
        self.line += 4 * len(packets) + len(block) // ROW
        self.at = self.consumed = at
        return True

    def read_packet(self) -> bool:
        """Reads the packet whose first line was just read, line by line. False: it is not complete yet."""
        text, first = self.text, self.line
        data, notes = bytearray(), bytearray()
        fields: dict[int, tuple[int, int, int, int]] = {}  # by line, where name and value begin and end
        timestamp, declared = self.now, None
        while True:
            span = self.next_line()
            if span is None:
                if self.final:
                    raise _Failed(NO_END, first, 0, 0)
                self.line = first - 1
                return False
            start, end = span
            self.line += 1
            if text.startswith(b"==", start):
                break
            if text.startswith((b"--", LANE_MARK), start):
                raise _Failed(NOT_ENDED, self.line, first, 0)
            if text.startswith(b"TIME:", start):
                timestamp = self.read_time(start, end)
            elif text.startswith(b"SIZE:", start):
                declared = self.read_size(start, end)
            elif text.startswith(_NOTES, start):
                notes += text[start:end].rstrip(b"\r") + b"\n"
            elif found := _FIELD.match(text, start, end):
                if not fields and (lines := self.redundant(start, data, declared)):
                    self.at = start + len(lines)
                    self.line += lines.count(b"\n") - 1
                    continue
                value = text[found.end() : end]
                value_at = end - len(value.lstrip(b" \t\r\v\f"))
                fields[self.line] = (start, found.end() - 1, value_at, value_at + len(value.strip(b" \t\r\v\f")))
            elif start < end and text[start] in _HEX:
                self.read_data(start, end, data)
                if len(data) > MAX_FRAME:
                    raise self.fail(TOO_LONG)
            elif _INDENTED.match(text, start, end):
                at = start + len(text[start:end]) - len(text[start:end].lstrip(b" \t\r\v\f"))
                raise self.fail(INDENTED, at, len(text[at:end].rstrip(b" \t\r\v\f")))
        self.finish(len(self.data), data, fields, declared, timestamp, notes)
        return True

    def redundant(self, start: int, data: bytearray, declared: tuple[int, int] | None) -> bytes:
        """The field lines that begin there, if they say what the packet's bytes say already, to its end: just those that our own
        writer adds. Empty: they are not such, and have to be looked at one by one.
        """
        captured, original = declared or (len(data), len(data))
        if not data or captured != len(data):
            return b""
        row = [0, captured, original, 0, self.linktype, 0, 0]
        for fields in (2, 1):
            lines = _lines(data, row, fields)
            if lines and self.text.startswith(lines + b"==", start):
                return lines
        return b""

    def finish(self, offset: int, data: bytearray, fields: dict[int, tuple[int, int, int, int]],
               declared: tuple[int, int] | None, timestamp: int, notes: bytes | bytearray) -> None:  # fmt: skip
        """Adds a packet: its bytes cut or filled to the declared size, its fields set, its notes behind them."""
        captured, original = declared or (len(data), len(data))
        self.shortened += captured < len(data)
        self.filled += 0 < len(data) < captured  # without any they are meant: fields follow
        del data[captured:]
        data += bytes(captured - len(data))
        if fields:
            self.set_fields(data, original, fields)
        self.data += data
        self.rows.extend((offset, captured, original, timestamp, self.linktype, len(self.data), len(notes)))
        self.data += notes

    def set_fields(self, data: bytearray, original: int, fields: dict[int, tuple[int, int, int, int]]) -> None:
        from .settings import WrongLineError, set_fields  # late: most streams have no field lines

        row = without_fcs([0, len(data), original, 0, self.linktype, 0, 0])
        frame = data[: row[CAPTURED]]
        lines = [(line, self.text[at:stop], self.text[value:end]) for line, (at, stop, value, end) in fields.items()]
        try:
            unplaced, cut = set_fields(frame, row[LINKTYPE], lines)
            self.unplaced, self.cut = self.unplaced + unplaced, self.cut + cut
        except WrongLineError as wrong:
            at, _, _, end = fields[wrong.args[0]]
            raise _Failed(BAD_FIELD, wrong.args[0], self.start + at, end - at) from None
        data[: len(frame)] = frame

    def word(self, start: int, end: int) -> tuple[bytes, int]:
        found: re.Match[bytes] = _WORD.match(self.text, start, end)  # type: ignore[assignment]  # it matches no word, too
        return found[1], found.start(1)

    def read_linktype(self, start: int, end: int) -> int:
        word, at = self.word(start + 9, end)
        if found := _LINKTYPE.match(word):
            digits = found[1].lstrip(b"0") or b"0"
            if len(digits) <= 10 and int(digits) <= MAX_UINT32:
                return int(digits)
        raise self.fail(BAD_LINKTYPE, at, len(word))

    def read_trailer(self, start: int, end: int) -> tuple[int, int | None]:
        word, at = self.word(start + 8, end)
        if found := _TRAILER.fullmatch(word):
            octets, count = int(found[1]), int(found[2]) if found[2] else None
            if octets <= MAX_FCS and (count or 0) <= MAX_COUNT:
                return octets, count
        raise self.fail(BAD_TRAILER, at, len(word))

    def read_time(self, start: int, end: int) -> int:
        word, at = self.word(start + 5, end)
        found = _TIME.fullmatch(word)
        if found:
            seconds, fraction = found[1].lstrip(b"0"), found[2] or b""
            if (found[1] or fraction) and len(seconds) <= 10 and int(seconds or b"0") <= MAX_SECONDS:
                return int(seconds or b"0") * 1_000_000_000 + int(fraction[:9].ljust(9, b"0"))
        raise self.fail(BAD_TIME, at, len(word))

    def read_size(self, start: int, end: int) -> tuple[int, int]:
        word, at = self.word(start + 5, end)
        found = _SIZE.fullmatch(word)
        if found:
            captured = found[1].lstrip(b"0")
            original = captured if found[2] is None else found[2].lstrip(b"0")
            if len(captured) <= 6 and len(original) <= 10:
                sizes = int(captured or b"0"), int(original or b"0")
                if sizes[0] <= MAX_FRAME and sizes[1] <= MAX_UINT32:
                    return sizes
        raise self.fail(BAD_SIZE, at, len(word))

    def read_data(self, start: int, end: int, data: bytearray) -> None:
        text = self.text
        bare = _BARE_OFFSET.match(text, start, end - text.endswith(b"\r", start, end))
        if bare and int(bare[1], 16) == len(data):
            raise self.fail(NO_COLON, start, len(bare[1]))
        offset = _OFFSET.match(text, start, end)
        at = offset.end() if offset else start
        while True:
            found: re.Match[bytes] = _GROUP.match(text, at, end)  # type: ignore[assignment]  # it matches nothing, too
            word, digits, slip = found.groups()
            if slip:
                raise self.fail(BAD_HEX, found.start(1), len(word))
            if not digits:
                return
            if digits != word:
                raise self.fail(NO_BLANK, found.start(1), len(word))
            if len(digits) > 1 and len(digits) % 2:
                raise self.fail(ODD_HEX, found.start(1), len(digits))
            data += unhexlify(digits if len(digits) > 1 else b"0" + digits)
            at = found.end()


# ---- writing ----

_HIGH = bytes(b"0123456789ABCDEF"[c >> 4] for c in range(256))
_LOW = bytes(b"0123456789ABCDEF"[c & 15] for c in range(256))
_SHOWN = bytes(c if 0x20 <= c <= 0x7E else 0x2E for c in range(256))
_OFFSETS = bytearray()  # rows with nothing but their offsets, as many as were needed so far


@lru_cache(4)
def _date(seconds: int) -> bytes:
    """The date in C's ctime form, local time."""
    return time.ctime(seconds).encode()


def _empty_rows(counts: list[int]) -> bytearray:
    """Rows with nothing but their offsets: so many for each frame, counted from 0 in each."""
    for row in range(len(_OFFSETS) // ROW, max(counts, default=0)):
        _OFFSETS.extend(b"%06X: %*s:%*s\n" % (row * 16, 51, b"", 18, b""))
    view = memoryview(_OFFSETS)
    out = bytearray().join([view[: count * ROW] for count in counts])
    view.release()
    return out


def _canonical_rows(frames: list[bytes]) -> bytearray:
    """The rows of several frames, one frame behind the other: each column of all rows is written in one step."""
    counts = [(len(frame) + 15) // 16 for frame in frames]
    out = _empty_rows(counts)
    data = b"".join([frame.ljust(16 * count, b"\0") for frame, count in zip(frames, counts, strict=True)])
    high, low, shown = data.translate(_HIGH), data.translate(_LOW), data.translate(_SHOWN)
    for i in range(16):
        out[_BYTE_AT[i] :: ROW] = high[i::16]
        out[_BYTE_AT[i] + 1 :: ROW] = low[i::16]
        out[_CHAR_AT[i] :: ROW] = shown[i::16]
    end = 0
    for frame, count in zip(frames, counts, strict=True):
        end += count * ROW
        rest = len(frame) % 16
        if rest:
            row = end - ROW
            out[row + _BYTE_AT[rest] : row + 59] = b" " * (59 - _BYTE_AT[rest])
            out[row + _CHAR_AT[rest] : row + 78] = b" " * (78 - _CHAR_AT[rest])
    return out


def _rows(frame: bytes, width: int, data_only: bool) -> bytes:
    """The rows of one frame at any width."""
    out = bytearray()
    for at in range(0, len(frame), width):
        part = frame[at : at + width]
        size, missing = len(part), width - len(part)
        if data_only:
            out += b"%s%*s\n" % (b"".join([b"%02X " % c for c in part]), 3 * missing, b"")
            continue
        out += b"%06X:" % at
        for i, c in enumerate(part):
            out += b"%s%02X " % (b" " * (i % 4 == 0), c)
        out += b" " * (3 * missing + (width + 3) // 4 - (size + 3) // 4) + b":"
        for i, c in enumerate(part):
            out += b" " * (i % 8 == 0)
            out.append(_SHOWN[c])
        out += b" " * (missing + (width + 7) // 8 - (size + 7) // 8) + b"\n"
    return bytes(out)


# Bytes of a packet's text but for rows, notes and extra lines, at most: the mark in front, the time with its date, sizes, the end.
_AROUND = (3 + 20 + 4) + (32 + 9 + 64) + (20 + 1 + 20 + 1) + 3


def _room(captured: int, width: int) -> int:
    """Bytes that the text of a packet has at most, but for its notes."""
    return _AROUND + (captured + width - 1) // width * (10 + width * 3 + width // 4 + 1 + width + width // 8 + 2)


def _lines(data: bytearray, row: list[int], fields: int) -> bytes:
    """The lines of a packet's fields, if they are asked for."""
    if not fields:
        return b""
    from .lines import field_lines

    offset, captured, linktype = (without_fcs(row[:])[column] for column in (OFFSET, CAPTURED, LINKTYPE))
    return field_lines(bytes(data[offset : offset + captured]), linktype, fields)


def text_encode(data: bytearray, rows: bytes, first: int, number: int, width: int, data_only: bool,
                fields: int) -> tuple[bytes, int]:  # fmt: skip
    """Writes packets from row `first` on, up to another link type, a megabyte of packets, or some of text.

    number: what the first one is counted as. width: bytes a line. data_only: bytes alone, without TIME, SIZE, offsets,
    groups and characters. fields: 0, or which ones each packet has as lines behind its bytes: 1, those of 1.16; 2, all.
    Returns the text and the row it stopped before.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count or not 1 <= width <= MAX_FRAME:
        raise ValueError("first packet or width out of range")
    if fields not in (0, 1, 2, 1 | DECIMAL, 2 | DECIMAL):
        raise ValueError("no such choice of fields")
    packets = []
    extras = []
    taken = room = 0
    stop = first
    while stop < count and taken < MAX_BATCH // 2 and room < MAX_TEXT:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        if row[LINKTYPE] != values[first * COLUMNS + LINKTYPE]:
            break
        packets.append(row)
        extras.append(_lines(data, row, fields))
        more = row[NOTES_SIZE] + len(extras[-1])
        taken += 64 + row[CAPTURED] + more
        room += _room(row[CAPTURED], width) + more
        stop += 1
    frames = [bytes(data[row[OFFSET] : row[OFFSET] + row[CAPTURED]]) for row in packets]
    canonical = width == 16 and not data_only
    if canonical:
        block = memoryview(_canonical_rows(frames))
    out: list[bytes | memoryview] = []
    at = 0
    for i, (row, frame) in enumerate(zip(packets, frames, strict=True)):
        if data_only:
            out.append(b"-- %d --\n" % (number + i))
        else:
            seconds, rest = divmod(row[TIME], 1_000_000_000)
            fraction = b"%09d" % rest if rest % 1000 else b"%06d" % (rest // 1000)
            head = (number + i, seconds, fraction, _date(seconds), row[CAPTURED], row[ORIGINAL])
            out.append(b"-- %d --\nTIME: %d.%s %s\nSIZE: %d/%d\n" % head)
            if row[NOTES_SIZE]:
                out.append(bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]]))
        if canonical:
            size = (len(frame) + 15) // 16 * ROW
            out.append(block[at : at + size])
            at += size
        else:
            out.append(_rows(frame, width, data_only))
        out.append(extras[i])
        out.append(b"==\n")
    return b"".join(out), stop
