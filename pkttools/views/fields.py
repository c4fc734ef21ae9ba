"""Packets as rows of a table: the fields that are asked for, in columns, for whatever reads tables."""

from __future__ import annotations

from struct import pack

from .. import codec
from ..errors import UsageError, need, unknown
from ..formats.files import Output, Sink, is_terminal, no_ends
from ..protocols.fields import FIELDS, current
from .records import RecordSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

    from ..batch import Batch
    from ..command_line.options import Values

# What a packet has besides fields, as the codec numbers it: from -1 down. NOTES: what its lines say, of which there may be several.
NOTES = ("IFACE", "WAY", "NOTE")
FACTS = ("NUMBER", "TIME", "TIME_UTC", "CAPTURED", "ORIGINAL", "LINKTYPE", "FRAME", *NOTES)
SAME = {"SIZE": "ORIGINAL"}  # what filters and the text call it
PLAIN, CSV, JSON = range(3)  # how cells are written; see codec/python/columns.py
ENDINGS = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}


class Column:
    """What a column shows.

    name: as it is asked for. field: that of a field, empty of a fact of FACTS. what: the index of its first row, or of a fact the
    number. occurrence: which one, from 1 on, or from -1 back; 0: all. several: whether there is room for more than one.
    """

    def __init__(self, text: str, option: str = "--fields") -> None:
        """option: which asks for it. Raises UsageError."""
        name, bracket, which = text.upper().strip().partition("[")
        fact = SAME.get(name, name)
        one = fact in FACTS and fact not in NOTES
        self.occurrence, self.several, self.field = 0, not bracket and not one, ""
        if bracket:
            number = which.removesuffix("]")
            need(which.endswith("]") and (number == "*" or number.removeprefix("-").isdecimal()), f"{option}: '{text}' is no field")
            self.several = number == "*"
            self.occurrence = 0 if self.several else int(number[:12])
            need(self.several or self.occurrence != 0, f"{option}: {text}: occurrences count from 1, or from -1 back")
        self.is_list = bool(bracket) and self.several
        self.name = name + bracket + which
        if fact in FACTS:
            need(not bracket or not one, f"{option}: {text}: there is one of a packet")
            self.what = -1 - FACTS.index(fact)
            return
        if name not in FIELDS:
            raise UsageError(f"{option}: {unknown('field', name, [*FACTS, *SAME, *FIELDS])}")
        self.field = current(name)
        self.what = FIELDS[name][0]

    def first(self) -> Column:
        """The same, of one occurrence where there is room for one: the first."""
        return Column(f"{self.name}[1]") if self.several and not self.is_list else self

    def code(self, backwards: bool = False) -> bytes:
        """The column, for the codec. backwards: of a key, that the largest come first."""
        return pack("=3q", self.what, self.occurrence, self.is_list or backwards)


def columns_of(text: str, option: str = "--fields") -> list[Column]:
    """The columns of a list, which an option gives. Raises UsageError."""
    columns = [Column(part, option) for part in text.split(",") if part.strip()]
    need(bool(columns), f"{option}: no field is named")
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    need(twice is None, f"{option}: {twice} is there twice")
    return columns


class FieldsSink(RecordSink):
    """Writes a line a packet, and one of the names of columns in front of them.

    form: tsv, csv or jsonl.
    """

    def __init__(self, output: Output, columns: list[Column], form: str) -> None:
        super().__init__(output)
        names = [column.name for column in columns]
        keys = [f'"{name}":' for name in names]
        between, end = {"tsv": ("\t", "\n"), "csv": (",", "\r\n"), "jsonl": (",", "}\n")}[form]
        before = ["{" + keys[0], *("," + key for key in keys[1:])] if form == "jsonl" else ["", *[between] * (len(names) - 1)]
        self.before = "".join(text + "\0" for text in (*before, end)).encode()
        self.columns = b"".join(column.code() for column in columns)
        self.style = {"csv": CSV, "jsonl": JSON}.get(form, PLAIN)
        self.head = b"" if form == "jsonl" else (between.join(names) + end).encode()
        self.begun = False

    def settled(self) -> bool:
        """Whether the line of names is there."""
        return self.begun

    def begin_table(self) -> None:
        """Writes the line of names, once; of a stream without packets, too."""
        if not self.begun and self.head:
            self.output.write(self.head, 0, no_ends)
        self.begun = True

    def encode(self, batch: Batch, first: int, number: int | array[int]) -> tuple[bytes | bytearray, int]:
        """Their lines."""
        self.begin_table()
        return codec.columns_encode(batch.data, batch.rows, first, number, self.columns, self.before, self.style)

    def close(self) -> list[str]:
        """Ends the stream."""
        self.begin_table()
        return super().close()


def form_of(values: Values) -> str:
    """What is to be written: what -F says, or else the ending of --out's FILE."""
    ending = next((form for end, form in ENDINGS.items() if (values.output or "").lower().endswith(end)), "tsv")
    return values.format or ending


def check(values: Values) -> list[str]:
    """The names of the columns. Raises UsageError where there is no such table, or no place for it."""
    names = [column.name for column in columns_of(values.fields)]
    binary = form_of(values) == "parquet" and is_terminal(values.output)
    need(not binary, "parquet is binary, and not written to a terminal: --out FILE, or a pipe; -F tsv shows the table")
    return names


def ready(values: Values) -> None:
    """Raises PktError where what writes the table is missing: before a file is there."""
    if form_of(values) == "parquet":
        from .parquet import imported  # late: few ask for it

        imported()


def view(values: Values, output: Output) -> Sink:
    """The table that the options ask for. Raises UsageError."""
    columns, form = columns_of(values.fields), form_of(values)
    if form == "parquet":
        from .parquet import ParquetSink  # late: few ask for it

        return ParquetSink(output, columns)
    return FieldsSink(output, columns, form)
