"""Relays of text, and what is done one by one instead; see pkttools/codec/python/relay.py."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from conftest import ROOT

from pkttools.batch import Program
from pkttools.language.assignments import Assignments
from pkttools.language.filters import Filter

NOW = 1_700_000_000_000_000_000
LINK = b"LINKTYPE: 1 (Ethernet)\n"
PING = (ROOT / "examples/ping.txt").read_bytes()
ONE = b"-- 1 --\n00 11 22\n==\n"
Items = Sequence[tuple[str, str, str]]


def program(expression: str | None) -> Program | None:
    """A filter's program; None: there is no filter."""
    return Filter([expression]).program_of_all() if expression else None


def relay(codec: ModuleType, keep: str | None = None, guard: str | None = None, items: Items = (), *, said: int = 1,
          number: int = 1, corrects: int = -1) -> object:  # fmt: skip
    """A relay with filters as they are written, for Ethernet."""
    assigned = Assignments([*items]).program if items else None
    made: object = codec.text_relay(program(keep), program(guard), assigned, corrects, 16, False, 1, said, number)
    return made


def packets_of(text: bytes) -> list[bytes]:
    """The text of each packet, without lines of link types."""
    return [part + b"==\n" for part in text.removeprefix(LINK).split(b"==\n")[:-1]]


def usual(codec: ModuleType, text: bytes, keep: str | None = None, guard: str | None = None, items: Items = (),
          corrects: int = -1) -> bytes:  # fmt: skip
    """What becomes of a text by the codec's functions one by one."""
    _, data, rows, *_ = codec.text_decode(bytearray(text), 0, len(text), False, 1, 0, NOW)
    rows = bytes(rows)
    if keep:
        rows = bytes(codec.select(data, rows, program(keep)))
    if corrects >= 0:
        codec.correct(data, rows, corrects)
    if items:
        chosen = bytes(codec.select(data, rows, program(guard))) if guard else rows
        codec.assign(data, chosen, Assignments([*items]).program, None, False)
    return bytes(codec.text_encode(data, rows, 0, 1, 16, False, 0)[0]) if rows else b""
