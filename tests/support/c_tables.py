"""Our tables of protocols in C, for programs of tests that call the codec's functions directly."""

from __future__ import annotations

from collections.abc import Iterator

from pkttools.protocols import _tables
from pkttools.protocols.walking import COLUMNS, NAMES


def in_c() -> Iterator[str]:
    """Lines that define OUR_PROTOCOLS, and how many kinds there are."""
    tables = [memoryview(table).cast("q") for table in _tables.WALK]
    for name, table in zip(NAMES, tables, strict=True):
        yield f"static const int64_t our_{name}[] = {{{', '.join(f'INT64_C({n})' for n in table)}}};"
    rows = ", ".join(f"{{our_{name}, {len(table)}}}" for name, table in zip(NAMES, tables, strict=True))
    yield f"static const struct protocol_table OUR_PROTOCOLS[TABLES] = {{{rows}}};"
    kinds = NAMES.index("kinds")
    yield f"enum {{ OUR_KINDS = {len(tables[kinds]) // COLUMNS[kinds]} }};"
