"""Crypto-PAn (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, 2002) but for its cipher; twin of ../c/cryptopan.c.

Each bit of an address is changed by the first bit of a block that was encrypted, which begins with the bits in front of it.
"""

from __future__ import annotations

from struct import iter_unpack, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BLOCK = 16  # bytes of the cipher
ANYWHERE, REPLACE = 7, 0  # of a rule: its sides, and what it does
QUESTION, RULE, SORT, EXCEPTION = "q2Q", "4q6Q", "q16s", "2q8Q"
SIZES = {QUESTION: 24, RULE: 80, SORT: 24, EXCEPTION: 80}
HALF = (1 << 64) - 1
BITS = bytes(48 + (value >> 7) for value in range(256))  # the first bit of a byte, as a digit

Exception_ = tuple[int, int, int, int, int, int]  # sort, as which; number, mask, what stays, other bits


class _Sorts:
    """Sorts of numbers by what they are: their bits and padding; and exceptions."""

    def __init__(self, sorts: bytes, exceptions: bytes) -> None:
        self.sorts = [(width, int.from_bytes(padding, "big")) for width, padding in _rows(SORT, sorts)]
        self.exceptions: list[Exception_] = []
        self.blocks: list[tuple[int, int, int]] = []  # of a sort: 1 in each block, its first bits, the padding behind
        for width, padding in self.sorts:
            _need(0 <= width <= 8 * BLOCK)
            first = [(1 << 128) - (1 << 128 - i) for i in range(width)]
            behind = [padding & ~mask for mask in first]
            self.blocks.append((_joined([1] * width), _joined(first), _joined(behind)))
        for sort, as_, *halves in _rows(EXCEPTION, exceptions):
            _need(self.known(sort) and self.known(as_) and self.sorts[as_][0] >= self.sorts[sort][0])
            self.exceptions.append((sort, as_, *(halves[i] << 64 | halves[i + 1] for i in range(0, 8, 2))))

    def known(self, sort: int) -> bool:
        return 0 <= sort < len(self.sorts) and self.sorts[sort][0] > 0

    def exception(self, sort: int, number: int) -> Exception_ | None:
        """The exception that a number is."""
        return next((found for found in self.exceptions if found[0] == sort and number & found[3] == found[2]), None)

    def questions(self, asked: bytes) -> list[tuple[int, int, int, int, int]]:
        """Of each number: sort, itself, as which sort and number it is taken, and what of it stays."""
        taken = []
        for sort, high, low in _rows(QUESTION, asked):
            _need(self.known(sort))
            number = high << 64 | low
            _, as_, _, mask, stay, other = self.exception(sort, number) or (sort, sort, 0, 0, 0, 0)
            taken.append((sort, number, as_, number if as_ == sort else number & ~mask | other, stay))
        return taken

    def special(self, sort: int, number: int) -> bool:
        """Whether a number is an exception, and not one that all others of its sort are."""
        found = self.exception(sort, number)
        return found is not None and found[3] != 0


def _need(sound: bool) -> None:
    if not sound:
        raise ValueError("numbers, sorts or exceptions are not sound")


def _rows(form: str, data: bytes) -> list[Any]:
    _need(memoryview(data).nbytes % SIZES[form] == 0)
    return list(iter_unpack("=" + form, data))


def _joined(blocks: list[int]) -> int:
    """Blocks one behind the other, as a number."""
    return int.from_bytes(b"".join(block.to_bytes(BLOCK, "big") for block in blocks), "big")


def cryptopan_blocks(asked: bytes, sorts: bytes, exceptions: bytes) -> bytes:
    """What is to be encrypted for numbers: a block for each bit of them, the bits in front of it, then padding.

    asked: numbers, QUESTION each: its sort, its high and low half. sorts: SORT each: its bits and the padding; of no bits: there
    are none. exceptions: EXCEPTION each: a sort; as which sort it is taken; then numbers of two halves: what it is where the
    mask, which follows, has bits; bits that stay; bits in place of the mask's where it is taken as another one. The first that
    fits counts.
    """
    by = _Sorts(sorts, exceptions)
    made = []
    for _, _, sort, number, _ in by.questions(asked):
        (ones, first, behind), width = by.blocks[sort], by.sorts[sort][0]
        number = number << 128 - width & (1 << 128) - 1
        made.append((number * ones & first | behind).to_bytes(BLOCK * width, "big"))
    return b"".join(made)


def cryptopan_rules(asked: bytes, encrypted: bytes, sorts: bytes, exceptions: bytes) -> tuple[bytes, int]:
    """What numbers become, as rules for `address_rules`, by their blocks, encrypted.

    Returns also how many become one that is an exception, without being one themselves: they may become the same as another.
    """
    by = _Sorts(sorts, exceptions)
    questions = by.questions(asked)
    if memoryview(encrypted).nbytes != BLOCK * sum(by.sorts[sort][0] for _, _, sort, _, _ in questions):
        raise ValueError("these are not the blocks of the numbers")
    firsts = bytes(memoryview(encrypted).cast("B")[::BLOCK]).translate(BITS)
    rules, at, collided = [], 0, 0
    for sort, number, as_, _, stay in questions:
        width = by.sorts[as_][0]
        flips = int(firsts[at : at + width], 2)
        at += width
        to = (number ^ flips & ~stay) & (1 << 128) - 1
        collided += by.special(sort, to) and not by.special(sort, number)
        rules.append(pack(RULE, sort, ANYWHERE, by.sorts[sort][0], REPLACE, number >> 64, number & HALF, to >> 64, to & HALF, 0, 0))
    return b"".join(rules), collided
