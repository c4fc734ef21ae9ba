"""The codec in plain Python, on dpkt: the reference for what the C backend does, and the fallback where C is missing.

What needs dpkt is imported when it is first used: dpkt loads 75 modules.
"""

from ...batch import Program
from .pcap import pcap_decode, pcap_encode
from .text import text_decode, text_encode

__all__ = ["assign", "correct", "pcap_decode", "pcap_encode", "select", "text_decode", "text_encode", "walk"]


def walk(data: bytearray, row: bytes) -> list[tuple[int, int, int, int]]:
    """See headers.walk."""
    from . import headers

    return headers.walk(data, row)


def select(data: bytearray, rows: bytes, tests: Program) -> bytearray:
    """See program.select."""
    from . import program

    return program.select(data, rows, tests)


def assign(data: bytearray, rows: bytes, assignments: Program,
           guard: Program | None) -> int:  # fmt: skip
    """See program.assign."""
    from . import program

    return program.assign(data, rows, assignments, guard)


def correct(data: bytearray, rows: bytes, what: int) -> tuple[int, int, int, int]:
    """See checksum.correct."""
    from . import checksum

    return checksum.correct(data, rows, what)
