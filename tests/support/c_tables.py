"""Tables of protocols in C, for programs of tests that call the codec's functions directly; and those with a user's protocol."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pkttools.protocols.compile import descriptions, made, our_files
from pkttools.protocols.walking import COLUMNS, NAMES

CHAT = Path(__file__).parents[2] / "examples/protocols/chat.protocol"


@cache
def walk() -> tuple[bytes, ...]:
    """Our tables, and a header behind them that has a checksum by its description."""
    tables: tuple[bytes, ...] = made(descriptions(our_files(), [CHAT])).WALK
    return tables


def in_c() -> Iterator[str]:
    """Lines that define OUR_PROTOCOLS, and how many kinds there are."""
    tables = [memoryview(table).cast("q") for table in walk()]
    for name, table in zip(NAMES, tables, strict=True):
        yield f"static const int64_t our_{name}[] = {{{', '.join(f'INT64_C({n})' for n in table)}}};"
    rows = ", ".join(f"{{our_{name}, {len(table)}}}" for name, table in zip(NAMES, tables, strict=True))
    yield f"static const struct protocol_table OUR_PROTOCOLS[TABLES] = {{{rows}}};"
    kinds = NAMES.index("kinds")
    yield f"enum {{ OUR_KINDS = {len(tables[kinds]) // COLUMNS[kinds]} }};"
