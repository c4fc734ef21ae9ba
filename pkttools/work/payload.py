"""Payloads become others, longer or shorter: what headers carry, by the descriptions. Lengths and checksums around them follow."""

from __future__ import annotations

from struct import iter_unpack

from .. import codec
from ..batch import COLUMNS, MAX_FRAME, OFFSET, ROW_BYTES
from ..errors import PktError, UsageError, counted, need
from ..language.constants import constant
from ..language.program import is_asked
from ..protocols.fields import DATA, HEADERS, TABLE, TEXT
from ..protocols.kinds import column, has
from ..protocols.values import field, occurring, rows_of, unknown_name
from ..protocols.walking import IDLE, OWN_END
from .chunks import CHUNKED, chunks
from .splicing import REASONS, Passed, Pieces, chosen_parts, spliced
from .tcp_numbers import Numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..batch import Batch
    from ..language.filters import Filter
    from .chunks import Chunk, Piece

    Edit = Callable[[bytes], bytes]
    Layer = tuple[int, int]  # a kind of header, and its occurrence in a packet
    Place = tuple[int, int, int]  # of a payload: where it begins and ends in the frame, and the kind of header that carries it

INNERMOST: Layer = (0, 1)
EMPTY = (-1, -1, 0)
TOO_LONG = 2  # of REASONS


def layer_of(text: str) -> Layer:
    """Which header `UDP`, `IP[2]`, `vxlan[-1]` is. Raises UsageError."""
    name, occurrence = occurring(text)
    if name not in HEADERS[1:]:
        raise UsageError(unknown_name(name, list(HEADERS[1:]), "header"))
    return HEADERS.index(name), occurrence or 1


def payload_of(text: str) -> bytes:
    """The octets that a value of --payload means: text, `hex:` and digits, `@` and a file, `text:` and any text.

    Raises UsageError, and PktError where the file cannot be read.
    """
    if text.startswith("@"):
        try:
            with open(text[1:], "rb") as file:  # noqa: PTH123  pathlib is slow to import
                value = file.read(MAX_FRAME + 1)
        except OSError as error:
            raise PktError(f"--payload: {text[1:]}: {error.strerror}") from None
        need(len(value) <= MAX_FRAME, f"--payload: {text[1:]} is longer than {MAX_FRAME} bytes")
        return value
    if text.startswith("hex:"):
        digits = "".join(text[4:].split())
        try:
            return bytes.fromhex(digits)
        except ValueError:
            raise UsageError(f"--payload: '{text[:40]}': two hex digits a byte") from None
    return text.removeprefix("text:").encode(errors="surrogateescape")


def _parts(text: str) -> tuple[str, str, str]:
    """The pattern, what stands for it, and the flags of `s/RE/NEW/flags`; any character may stand for `/`."""
    mark = text[1:2]
    parts: list[str] = []
    part, escaped = "", False
    for c in text[2:]:
        if escaped:
            part += c if c == mark else "\\" + c
        elif c == mark and len(parts) < 2:
            parts.append(part)
            part = ""
        elif c != "\\":
            part += c
        escaped = c == "\\" and not escaped
    need(text[:1] == "s" and mark not in ("", "\\", "\n") and len(parts) == 2 and not escaped,
         f"--replace: '{text[:40]}': s/RE/NEW/, and g, i, m or s behind it")  # fmt: skip
    return parts[0], parts[1], part


def replacement(text: str) -> Edit:
    """What `s/RE/NEW/[gims]` does to octets: Python's regular expressions. Raises UsageError."""
    import re  # late: dear

    pattern, new, flags = _parts(text)
    need(not set(flags) - set("gims"), f"--replace: '{flags}' is none of g, i, m, s")
    letters = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
    how = sum(letters[letter] for letter in set(flags) if letter in letters)
    template = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda m: re.escape(bytes.fromhex(m[1].decode())) if m[1] in (b"5c", b"5C")
                      else bytes.fromhex(m[1].decode()), new.encode(errors="surrogateescape"))  # fmt: skip
    try:
        found = re.compile(pattern.encode(errors="surrogateescape"), how)
        found.sub(template, b"")
        re._parser.parse_template(template, found)  # type: ignore[attr-defined]  # which nothing public looks at before a match
    except (re.error, IndexError) as error:
        raise UsageError(f"--replace: '{text[:40]}': {error}") from None
    count = 0 if "g" in flags else 1
    return lambda octets: found.sub(template, octets, count)


def fields_end(kind: int) -> int:
    """Bytes up to which fields of a kind of header lie that does not say its size, also behind its fixed part."""
    if column(kind, "terms"):
        return 0
    rows = (row for row in TABLE if row.header == kind)
    ends = (row.bit + row.width for row in rows if row.kind != DATA and not (row.kind == TEXT and row.width == 0))
    return max(ends, default=0) // 8


class Growth:
    """Makes room where a field of data is assigned more than it has."""

    def __init__(self, items: list[tuple[str, str, str]]) -> None:
        """items: field, operator, value. Raises UsageError."""
        self.wanted: list[tuple[Layer, bytes]] = []
        seen: dict[str, int] = {}
        for text, operator, value in items:
            name, indexes, occurrence = field(text)
            rows = rows_of(indexes)
            if operator != "=" or rows[0].kind != DATA or has(rows[0].header, OWN_END):
                continue
            seen[name] = seen.get(name, 0) + 1
            octets = constant(name, rows, value) if not is_asked(value.strip(), True) else None
            if isinstance(octets, bytes):
                self.wanted.append(((rows[0].header, occurrence or seen[name]), octets))
        need(bool(self.wanted), "--grow is for what is assigned to data: UDP.DATA=68656c6c6f")


class Editor:
    """Changes the payloads of packets; a stage of a flow.

    edits: what is done to a payload, in turn. layer: whose payload it is. whole: each packet has to have one. growth: fields of
    data that become longer. keep: lengths and checksums stay. guard: only packets that it accepts. numbers: those of connections
    of TCP follow. Counts what could not be done, by reason, and payloads that were changed.
    """

    TALLIES = ("passed", "met", "changed", "inside")  # see flow/tallies.py

    def __init__(self, edits: list[Edit], layer: Layer = INNERMOST, *, whole: bool = False, growth: Growth | None = None,
                 keep: bool = False, guard: Filter | None = None, numbers: Numbers | None = None) -> None:  # fmt: skip
        self.edits, self.layer, self.whole, self.growth = edits, layer, whole, growth
        self.keep, self.guard, self.numbers = keep, guard, numbers
        self.passed, self.beyond = Passed(), {}  # type: tuple[Passed, dict[int, int]]
        self.met = self.changed = 0
        self.inside: dict[str, int] = {}  # packets that have another size inside of a message, by its header
        self.ends: dict[int, int] = {}  # of the fields of a kind

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes all packets, changed or not."""
        for batch in stream:
            for part, chosen in chosen_parts(batch, self.guard):
                for made in self.edited(part, chosen) if chosen or self.numbers else (part,):
                    yield from self.grown(made) if chosen else (made,)

    def edited(self, batch: Batch, chosen: bool) -> Iterator[Batch]:
        """What becomes of payloads, and of the numbers of TCP."""
        pieces = Pieces()
        places = self.places(batch) if chosen and self.edits else [EMPTY] * len(batch)
        columns = batch.columns()
        data = memoryview(batch.data)
        numbers = self.numbers.of(batch) if self.numbers else None
        for i, (at, end, kind) in enumerate(places):
            made: list[Piece] = []
            if at >= 0:
                offset = columns[i * COLUMNS + OFFSET]
                self.met += 1
                if kind in CHUNKED:
                    made = self.of_chunks(chunks(batch, i, offset, end), data, offset)
                else:
                    made = self.of_payload(data, offset, at, end)
                self.changed += bool(made)
                if any(len(octets) != removed for _, removed, octets in made):
                    self.told(batch, i, made[0][0])
            if numbers:
                for number in numbers.packet(i, made[0] if made else None):
                    pieces.add(i, *number)
            for piece in made:
                pieces.add(i, *piece)
        data.release()
        yield from spliced(batch, pieces, self.keep, self.beyond, self.passed)

    def of_payload(self, data: memoryview, offset: int, at: int, end: int) -> list[Piece]:
        """What becomes of octets of a frame, which begins at an offset: nothing, or one piece."""
        old = bytes(data[offset + at : offset + end])
        new = old
        for edit in self.edits:
            new = edit(new)
        return [shortest(at, old, new)] if new != old else []

    def of_chunks(self, found: list[Chunk], data: memoryview, offset: int) -> list[Piece]:
        """The same of each chunk, with what is around."""
        made: list[Piece] = []
        if not found and self.whole:
            self.passed.add("without a payload")
        for chunk in found:
            for piece in self.of_payload(data, offset, chunk.data, chunk.end):
                more = len(piece[2]) - piece[1]
                around = chunk.around(more) if more and not self.keep else ((chunk.start, 0, b""), (chunk.end, 0, b""))
                if around is None:
                    self.passed.add(REASONS[TOO_LONG])
                    return []
                made += (around[0], piece, around[1])
        return made

    def told(self, batch: Batch, i: int, changed: int) -> None:
        """Counts a packet that gets another size behind the header of an application, which may say that of itself."""
        kind, start, *_ = codec.walk(batch.data, bytes(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]))[-1]
        if start < changed and has(kind, IDLE):
            self.inside[HEADERS[kind]] = self.inside.get(HEADERS[kind], 0) + 1

    def places(self, batch: Batch) -> list[Place]:
        """Where the payload of each packet begins and ends, and whose it is; EMPTY: it has none.

        Of chunks, whose payload is that of each: where all of them are.
        """
        found: list[Place] = []
        for kind, start, _, at, end in iter_unpack("=5q", codec.carried(batch.data, batch.rows, self.layer)):
            if at >= 0:
                if kind not in self.ends:
                    self.ends[kind] = fields_end(kind)
                found.append((min(max(at, start + self.ends[kind]), end), end, kind if self.layer == INNERMOST else 0))
                continue
            found.append(EMPTY)
            if self.whole:
                self.passed.add("without such a header" if start < 0 else "without a payload")
        return found

    def grown(self, batch: Batch) -> Iterator[Batch]:
        """Makes room in a batch, one field after the other."""
        batches = [batch]
        for layer, octets in self.growth.wanted if self.growth else ():
            after: list[Batch] = []
            for one in batches:
                pieces = Pieces()
                places = iter_unpack("=5q", codec.carried(one.data, one.rows, layer))
                for i, (_, _, data, _, end) in enumerate(places):
                    room = end - data
                    if data >= 0 and len(octets) > room:
                        pieces.add(i, end, 0, octets[room:])
                after += spliced(one, pieces, self.keep, self.beyond, self.passed)
            batches = after
        yield from batches

    def said(self) -> list[str]:
        """What there is to say at the end."""
        said = self.passed.said()
        if self.met and not self.changed and not self.whole:
            said.append(f"--replace changed no payload, of {counted(self.met, 'packet')}")
        if self.inside:
            names = ", ".join(f"{name} ({count})" for name, count in sorted(self.inside.items()))
            said.append(f"of another size inside of what applications say, where their own lengths may stay as they were: {names}")
        return said


def shortest(at: int, old: bytes, new: bytes) -> tuple[int, int, bytes]:
    """The piece of a payload that became another, without what is the same in front and behind."""
    size, front, behind = min(len(old), len(new)), 0, 0
    while front < size and old[front] == new[front]:
        front += 1
    while behind < size - front and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    return at + front, len(old) - front - behind, new[front : len(new) - behind]
