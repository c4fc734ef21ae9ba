"""The table of fields as Parquet, by pyarrow: columns with their types, for DuckDB, Polars, pandas, Spark.

The codec writes CSV, which pyarrow reads into columns: no value becomes an object of Python's.
"""

from __future__ import annotations

import io
import os

from .. import codec
from ..errors import OutputError, PktError, counted, installs
from ..formats.files import Output, Sink
from ..protocols.fields import DATA, FIELDS, IPV4, IPV6, MAC, TABLE, TEXT
from ..protocols.values import largest
from .fields import CSV, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..batch import Batch

GROUP = 1 << 16  # rows of a row group
LARGE = 384 << 10  # bytes of one, in memory, of which writing takes a multiple
DICTIONARY = 16 << 10  # bytes of a column's different values in one; beyond, values stand for themselves
POOL = "ARROW_DEFAULT_MEMORY_POOL"  # where pyarrow has its memory from; read when it is imported
# Types of facts; others are text, and TIME is a time.
FACTS = {"NUMBER": "uint64", **dict.fromkeys(("CAPTURED", "ORIGINAL", "SIZE", "LINKTYPE"), "uint32")}


class Written(io.RawIOBase):
    """An output, as pyarrow wants one."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self.output, self.size = output, 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Bytes written."""
        return self.size

    def write(self, data: Any) -> int:  # noqa: ANN401  what pyarrow has in memory
        """Writes all of it."""
        piece = bytes(data)
        self.output.write(piece)
        self.size += len(piece)
        return len(piece)


def imported() -> Any:  # noqa: ANN401  a module without types
    """The library, with memory of malloc unless the environment says otherwise: its own pools keep 8 MiB more.

    What a program's own programs find in the environment stays as it was. Raises PktError where it is missing.
    """
    chosen = POOL in os.environ
    if not chosen:
        os.environ[POOL] = "system"
    try:
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise PktError(f"-F parquet takes pyarrow ({error}): {installs('pyarrow')}") from None
    finally:
        if not chosen:
            del os.environ[POOL]
    return pyarrow


class ParquetSink(Sink):
    """Writes a row a packet. Where a list is not asked for, there is room for one value: the first occurrence."""

    output: Output

    def __init__(self, output: Output, columns: list[Column]) -> None:
        """Raises PktError where pyarrow is missing."""
        self.pa = pyarrow = imported()
        pyarrow.set_cpu_count(1)
        pyarrow.set_io_thread_count(1)
        self.output, self.columns = output, columns
        self.count = 0
        self.more = dict.fromkeys((column.name for column in columns if column.several and not column.is_list), 0)
        texts = [*(column.first() for column in columns), *(Column(f"{name}[2]") for name in self.more)]
        self.names = [column.name for column in columns] + [f"more {name}" for name in self.more]
        self.code = b"".join(column.code() for column in texts)
        self.before = b"\0" + b",\0" * (len(texts) - 1) + b"\n\0"
        time = pyarrow.timestamp("ns", "UTC")
        self.types = [time if column.name == "TIME" else pyarrow.type_for_alias(type_of(column)) for column in columns]
        read = [pyarrow.string() if column.is_list else type_ for column, type_ in zip(columns, self.types, strict=True)]
        read = [pyarrow.int64() if column.name == "TIME" else type_ for column, type_ in zip(columns, read, strict=True)]
        self.convert = pyarrow.csv.ConvertOptions(
            column_types=dict(zip(self.names, [*read, *(pyarrow.string() for _ in self.more)], strict=True)),
            null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
        )  # fmt: skip
        fields = [
            pyarrow.field(column.name, pyarrow.list_(type_) if column.is_list else type_)
            for column, type_ in zip(columns, self.types, strict=True)
        ]
        self.schema = pyarrow.schema(fields)
        self.pending: list[Any] = []
        self.rows = self.bytes = 0
        self.begun: Any = None

    def writer(self) -> Any:  # noqa: ANN401  pyarrow has no types
        """What writes the file, and its beginning at once: so not before there is something to write."""
        self.begun = self.begun or self.pa.parquet.ParquetWriter(
            Written(self.output), self.schema, compression="zstd", dictionary_pagesize_limit=DICTIONARY
        )
        return self.begun

    def write(self, batch: Batch) -> None:
        """Takes a batch; it is written when a row group is full."""
        first, numbers = 0, batch.counted_as()
        while first < len(batch):
            number = self.count + 1 if numbers is None else numbers
            text, stop = codec.columns_encode(batch.data, batch.rows, first, number, self.code, self.before, CSV)
            self.pending.append(self.table(text))
            self.rows += stop - first
            self.bytes += self.pending[-1].nbytes
            self.count += stop - first
            first = stop
            if self.rows >= GROUP or self.bytes >= LARGE:
                self.group()

    def table(self, text: bytes | bytearray) -> Any:  # noqa: ANN401  pyarrow has no types
        """The table that lines are."""
        pa = self.pa
        found = pa.csv.read_csv(
            pa.BufferReader(text),
            pa.csv.ReadOptions(use_threads=False, column_names=self.names, block_size=len(text) + 1),
            pa.csv.ParseOptions(ignore_empty_lines=False),
            self.convert,
        )
        for name in self.more:
            self.more[name] += found.num_rows - found[f"more {name}"].null_count
        columns = [self.column(found[column.name], column, type_) for column, type_ in zip(self.columns, self.types, strict=True)]
        return pa.table(columns, schema=self.schema)

    def column(self, found: Any, column: Column, type_: Any) -> Any:  # noqa: ANN401  the same
        """A column of the type that it is to have."""
        if column.is_list:
            return self.listed(found, type_)
        # To cast is to import pyarrow.compute.
        return self.pa.chunked_array([chunk.view(type_) for chunk in found.chunks], type_) if column.name == "TIME" else found

    def listed(self, column: Any, type_: Any) -> Any:  # noqa: ANN401  the same
        """A column of lists, from one of values joined by commas. By pyarrow.compute, it would take nine megabytes more."""
        pa = self.pa
        cells = column.to_pylist()
        found: list[Any] = [None if cell is None else cell.split(",") for cell in cells]
        if type_ == pa.string():
            found = [values and [value.replace("\\x2c", ",") for value in values] for values in found]
        else:
            found = [values and [*map(int, values)] for values in found]
        return pa.array(found, pa.list_(type_))

    def group(self) -> None:
        """Writes what is there as a row group."""
        writer = self.writer()
        try:
            if self.pending:
                writer.write_table(self.pa.concat_tables(self.pending), self.rows)
        except OutputError:
            writer.is_open = False  # nor is an end
            raise
        self.pending, self.rows, self.bytes = [], 0, 0
        self.pa.default_memory_pool().release_unused()

    def close(self) -> list[str]:
        """Ends the file; gives of how many packets a column has only the first occurrence."""
        self.group()
        writer = self.writer()
        try:
            writer.close()
        except OutputError:
            writer.is_open = False
            raise
        self.output.close()
        return [
            f"{name}: {counted(count, 'packet')} with more than one: the first is there, {name}[*] has all"
            for name, count in self.more.items()
            if count
        ]


def type_of(column: Column) -> str:
    """The type of a column's values, as pyarrow calls it."""
    if not column.field:
        return FACTS.get(column.name, "string")
    rows = [TABLE[index] for index in FIELDS[column.field]]
    if rows[0].kind in (DATA, TEXT, MAC, IPV4, IPV6):
        return "string"
    most = max(map(largest, rows))
    return next((f"uint{bits}" for bits in (8, 16, 32, 64) if most < 1 << bits), "string")
