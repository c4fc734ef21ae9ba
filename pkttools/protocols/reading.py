"""Numbers in headers, read as the tables of walking.py say it: for whoever goes by these tables in Python."""

from __future__ import annotations

from .walking import FROM_BEHIND, IS_NOT, LEAVES, LITTLE_ENDIAN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

Read = tuple[int, int, int, int, bool, "Literal['little', 'big']"]  # first byte, behind the last, shift, mask, from behind, order
Test = tuple[Read, int, int, int]  # of the masked bits: least, most, and how they are compared
Tests = tuple[Test, ...]


def read_of(base: int, bit: int, width: int, order: int) -> Read:
    """A row of reads: the bytes that the number is in, and its bits of them."""
    first, last = bit // 8, (bit + width - 1) // 8
    shift = 0 if order == LITTLE_ENDIAN else (last + 1) * 8 - bit - width
    return first, last + 1, shift, (1 << width) - 1, base == FROM_BEHIND, "little" if order == LITTLE_ENDIAN else "big"


def tests_of(reads: Sequence[Read], rows: Iterable[Sequence[int]]) -> Tests:
    """Rows of tests: a run."""
    made = []
    for read, mask, low, high, how in rows:
        begin, stop, shift, bits, behind, order = reads[read]
        made.append(((begin, stop, shift, bits & mask, behind, order), low, high, how))
    return tuple(made)


class Reading:
    """A frame whose numbers are read."""

    frame: bytes | bytearray

    def number(self, read: Read, at: int) -> int:
        """A number, of what begins at a place; 0 where not all of its bytes are there."""
        first, stop, shift, mask, _, order = read
        value = self.frame[max(at + first, 0) : max(at + stop, 0)]  # what would be in front of the frame is not there
        return int.from_bytes(value, order) >> shift & mask if len(value) == stop - first else 0

    def hold(self, tests: Tests, at: int, behind: int, limit: int = 0) -> bool:
        """Whether tests hold, of a header that begins at one place, and ends at another; limit: where what it lies in does."""
        for read, low, high, how in tests:
            number = self.number(read, behind if read[4] else at)
            if how == LEAVES:
                number = (limit or len(self.frame)) - at - number
            if (low <= number <= high) == (how == IS_NOT):
                return False
        return True
