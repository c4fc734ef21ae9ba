"""A packet, for programs: a view on a row of a sheet."""

from __future__ import annotations

from .. import codec
from ..batch import (
    CAPTURED,
    COLUMNS,
    LINKTYPE,
    MAX_FRAME,
    MAX_LINKTYPE,
    MAX_SECONDS,
    NOTES,
    NOTES_SIZE,
    OFFSET,
    ORIGINAL,
    TIME,
    gathered,
    linktype_of,
)
from ..batch import Packet as Held
from ..errors import UsageError, counted
from ..language.assigning import assignments
from ..protocols.fields import DATA, HEADERS, LAYERS, TABLE, TEXT
from ..protocols.names import link_lines
from ..protocols.shown import format_text
from ..protocols.values import field, occurring, parse_data, unknown_name
from .sheet import MOST, STALE, Sheet

NO_TEXT = r'\\(?!x[0-9A-Fa-f]{2})|["\x00-\x1f\x7f]'  # what stands for itself in a str, and not in an assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..batch import Program
    from ..formats.files import Sink

ETHERNET = 1  # the link type of text that says none
MOST_TIME = MAX_SECONDS * 10**9 + 10**9 - 1
MOST_ORIGINAL = 10**9 - 1  # that a line SIZE has room for
PROGRAMS: dict[tuple[str, object], tuple[str, Program]] = {}  # that were compiled, the last MOST of them


class NoField(UsageError, KeyError):
    """There is no field of that name: a slip, and nothing about the packet."""

    def __str__(self) -> str:
        return str(self.args[0])


class Packet:
    """One packet: `packet["IP.TTL"]` is the value of its first such field, `packet["IP.TTL[2]"]` that of the second one.

    Numbers are int, addresses and texts str, DATA bytes. What it has not raises KeyError, what no packet has NoField, which is a
    KeyError, too, and names the nearest one. Setting changes these bits and nothing else: checksums stay, until `correct`.

    Packets are equal that are the same in all they have: bytes, size on the wire, time, link type, notes. As other things that
    can be changed they have no hash.
    """

    __slots__ = ("_row", "_sheet")

    _sheet: Sheet
    _row: int

    def __init__(self, frame: bytes, *, time: int = 0, linktype: int = 1, original: int | None = None) -> None:
        """A new one. frame: its bytes. time: nanoseconds since 1970. original: bytes that there were on the wire, if more.

        Raises UsageError for what no packet can have.
        """
        if isinstance(frame, str) or not hasattr(frame, "__len__"):
            raise TypeError(f"{frame!r:.40} is no frame: bytes are wanted")
        size = len(frame) if original is None else original
        for name, value, most in (
            ("frame", len(frame), MAX_FRAME),
            ("linktype", linktype, MAX_LINKTYPE),
            ("original", size, MOST_ORIGINAL),
        ):
            within(name, value, most)
        held = Held(bytes(frame), size, within("time", time, MOST_TIME), linktype)
        self._sheet, self._row = Sheet(gathered([held])), 0

    # ---- fields ----

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  what it is, the field says
        try:
            value = self._sheet[name][self._row]
        except UsageError as error:
            raise NoField(str(error)) from None
        if value is STALE:
            value = self._sheet.one(name, self._row)
        if value is None:
            raise KeyError(name)
        return value

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  the same
        """The value of a field, or `default` where the packet has none. Raises NoField."""
        try:
            return self[name]
        except NoField:
            raise
        except KeyError:
            return default

    def __setitem__(self, name: str, value: object) -> None:
        """Sets a field, as pkt-change does. Raises KeyError where the packet has none, NoField, and UsageError for a value.

        Octets take the place of as many: a longer or shorter payload is for `change(packet, payload=..)`.
        """
        kind, program = assigning(name, value)
        if kind == DATA:
            fits(name, value, self[name])
        row = self._sheet.row(self._row)
        _, (placed,), *_ = codec.assign(self._sheet.batch.data, row, program, None, False)
        if not placed:
            raise KeyError(name)
        self._sheet.changed(self._row)

    def __contains__(self, name: str) -> bool:
        """Whether there is such a header, or field. Raises NoField."""
        if not isinstance(name, str):
            raise TypeError(f"{name!r:.40} is no name of a header or a field, such as 'IP.TTL'")
        if name.upper() in LAYERS:
            return self.matches(name)
        if "." not in name:
            raise NoField(unknown_name(name.upper(), [*LAYERS], "header"))
        return self.get(name) is not None

    def matches(self, expression: str) -> bool:
        """Whether a filter, such as `UDP.DST_PORT==53`, lets it through. Raises UsageError."""
        try:
            name = "?" + expression
        except TypeError:
            raise TypeError(f"{expression!r:.40} is no filter, such as 'IP.TTL==64'") from None
        value = self._sheet[name][self._row]
        return bool(self._sheet.one(name, self._row) if value is STALE else value)

    @property
    def headers(self) -> list[str]:
        """The names of its headers, the outermost first: `["ETHERNET", "IP", "UDP", "DNS"]`."""
        found: list[str] = []
        for kind, *_ in codec.walk(self._sheet.batch.data, self._bytes()):
            name = HEADERS[kind]
            if name not in LAYERS:  # a part, or another form, of a header
                name = [layer for layer, kinds in LAYERS.items() if kind in kinds][-1]
                if found[-1:] == [name]:
                    continue
            found.append(name)
        return found

    def to_dict(self) -> dict[str, Any]:
        """All there is to say of it, as pkt-analyze --json says it: a dict a header, of its fields."""
        from json import loads  # late: seldom

        text, _ = codec.json_encode(self._sheet.batch.data, self._sheet.row(self._row), 0, self._number)
        found: dict[str, Any] = loads(bytes(text))
        return found

    # ---- the packet as a whole ----

    @property
    def _number(self) -> int:
        """Which packet it is of what was read; 1 where that is not known."""
        numbers = self._sheet.batch.numbers
        return 1 if numbers is None else numbers[self._row]

    def _bytes(self) -> bytes:
        return bytes(self._sheet.row(self._row))

    def _fact(self, which: int) -> int:
        return self._sheet.rows[self._row * COLUMNS + which]

    @property
    def frame(self) -> bytes:
        """Its bytes, as captured; `bytes(packet)` and `len(packet)` are of these."""
        at = self._fact(OFFSET)
        return bytes(memoryview(self._sheet.batch.data)[at : at + self._fact(CAPTURED)])

    def __bytes__(self) -> bytes:
        return self.frame

    def __len__(self) -> int:
        return self._fact(CAPTURED)

    def __bool__(self) -> bool:
        return True  # also one without octets

    @property
    def original(self) -> int:
        """How many bytes it had on the wire."""
        return self._fact(ORIGINAL)

    @property
    def linktype(self) -> int:
        """The type of its outermost header: 1 is Ethernet."""
        return linktype_of(self._fact(LINKTYPE))

    @property
    def notes(self) -> list[str]:
        """The lines that it comes with: `IFACE: eth0`, `WAY: in`, `NOTE: ...`."""
        at = self._fact(NOTES)
        lines = bytes(memoryview(self._sheet.batch.data)[at : at + self._fact(NOTES_SIZE)])
        return lines.decode(errors="replace").splitlines()

    @property
    def time(self) -> int:
        """Nanoseconds since 1970; can be set. Raises UsageError for what no packet can have."""
        return self._fact(TIME)

    @time.setter
    def time(self, nanoseconds: int) -> None:
        self._sheet.rows[self._row * COLUMNS + TIME] = within("time", nanoseconds, MOST_TIME)
        self._sheet.changed(self._row)  # filters ask for it, too

    def copy(self) -> Packet:
        """The same packet with memory of its own: a view keeps all that was read together with it."""
        return restored(self._number, *parts(self))

    def __eq__(self, other: object) -> bool:
        return parts(self) == parts(other) if isinstance(other, Packet) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (self._number, *parts(self))  # for copy and pickle: by itself, without what was read together with it

    def correct(self, *, lengths: bool = False) -> bool:
        """Corrects its checksums, as pkt-correct does, and with `lengths` lengths, too; whether that could be done in full."""
        row = self._sheet.row(self._row)
        counts = codec.correct(self._sheet.batch.data, row, codec.LENGTHS if lengths else codec.ALL)
        self._sheet.changed(self._row)
        return not sum(counts[codec.TRUNCATED : codec.WRONG])

    # ---- in words ----

    def __str__(self) -> str:
        """The packet in the text format."""
        link = self._fact(LINKTYPE)
        before = [] if link == ETHERNET else link_lines(link)
        text, _ = codec.text_encode(self._sheet.batch.data, self._sheet.row(self._row), 0, 1, 16, False, 0)
        return "".join(line + "\n" for line in before) + text.decode()

    def __repr__(self) -> str:
        return f"<Packet {'/'.join(self.headers)}, {len(self)} bytes>"

    def line(self) -> str:
        """What it is, in a line, as pkt-analyze --line has it."""
        from ..views.line import LineSink  # late: seldom

        return self._shown(LineSink)

    def explain(self) -> str:
        """Bytes and fields side by side, and what is wrong, as pkt-analyze --explain has it."""
        from ..views.explain import ExplainSink  # late: seldom

        return self._shown(lambda output: ExplainSink(output, colours=False))

    def _shown(self, sink: Any) -> str:  # noqa: ANN401  what makes one
        from io import BytesIO  # late: seldom

        from .given import Taken

        text = BytesIO()
        made: Sink = sink(Taken(text, "<packet>"))
        made.write(self._sheet.batch.part(self._row, self._row + 1))
        return text.getvalue().decode(errors="replace").rstrip("\n")


class View(Packet):
    """A packet of a sheet that is there; many are made."""

    __slots__ = ()

    def __init__(self, sheet: Sheet, row: int) -> None:
        self._sheet = sheet
        self._row = row


def within(name: str, value: int, most: int) -> int:
    """A number that a packet can have. Raises UsageError."""
    if not isinstance(value, int) or not 0 <= value <= most:
        raise UsageError(f"{name}: {value!r} is not a whole number from 0 to {most}")
    return value


def view(packet: Held) -> Packet:
    """A packet that was kept, as programs have it."""
    return View(Sheet(gathered([packet])), 0)


def held(packet: Packet) -> Held:
    """A packet as stages that keep packets have it."""
    return packet._sheet.batch.packet(packet._row)


def parts(packet: Packet) -> tuple[bytes, int, int, int, bytes]:
    """All that a packet is: bytes, size on the wire, time, link type with what is known of the FCS, notes."""
    one = held(packet)
    return one.frame, one.original, one.time, one.linktype, one.notes


def restored(number: int, *parts: Any) -> Packet:  # noqa: ANN401  those that `parts` gives
    """A packet of its parts, and of the number that it has in what was read."""
    packet = view(Held(*parts))
    packet._sheet.batch.numbers = range(number, number + 1)
    return packet


def assigning(name: str, value: object) -> tuple[str, Program]:
    """How values of a field are written, and what sets it to one, compiled.

    Raises NoField, and UsageError for a value that it cannot have.
    """
    if not isinstance(name, str):
        raise TypeError(f"{name!r:.40} is no name of a field, such as 'IP.TTL'")
    key = name, value
    try:
        known = PROGRAMS.get(key)
    except TypeError:  # it cannot be looked up, as a bytearray
        return assigning(name, bytes(value))  # type: ignore[call-overload]  # or it is no value at all
    if known is None:
        if len(PROGRAMS) >= MOST:
            PROGRAMS.clear()
        kind = kind_of(name)
        known = PROGRAMS[key] = kind, assignments([(name, "=", written(name, kind, value))])
    return known


def kind_of(name: str) -> str:
    """How values of a field are written. Raises NoField."""
    try:
        occurring(name)
        return TABLE[field(name)[1][0]].kind
    except UsageError as error:
        raise NoField(str(error)) from None


def fits(name: str, value: object, there: bytes) -> None:
    """Raises UsageError where octets are not as many as those that they are to replace."""
    octets = parse_data(name, value) if isinstance(value, str) else value
    if isinstance(octets, (bytes, bytearray)) and len(octets) != len(there):
        raise UsageError(f"{name}: {counted(len(octets), 'byte')} in place of {len(there)}: pkttools.change(packet, payload=...)")


def written(name: str, kind: str, value: object) -> str:
    """A value as an assignment has it. Raises UsageError."""
    if kind == DATA and isinstance(value, (bytes, str)):
        return value.hex(" ") if isinstance(value, bytes) else value
    if kind == TEXT and isinstance(value, bytes):
        return format_text(value)
    if kind == TEXT and isinstance(value, str):  # as it is read: `\x` and two digits are an octet
        import re  # late: few set text

        return '"' + re.sub(NO_TEXT, lambda found: f"\\x{ord(found[0]):02x}", value) + '"'
    if isinstance(value, bytes) or kind in (DATA, TEXT):
        raise UsageError(f"{name}: {value!r} is no value for it: {'bytes are' if kind in (DATA, TEXT) else 'a number or a str is'}")
    return str(int(value)) if isinstance(value, int) else str(value)
