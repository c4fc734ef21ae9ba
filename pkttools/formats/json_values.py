"""What a value of JSON says, and what is wrong with one: for packets and fields that are read from JSON."""

from __future__ import annotations

import re
from json import JSONDecoder

from ..errors import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Object = dict[str, Any]  # as it was read
    Path = tuple[str | int, ...]  # where in an object something stands

EXACT = 1 << 53  # up to here a floating-point number holds every integer
BYTE = re.compile(r"[0-9A-Fa-f]{2}")
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


class Wrong(Exception):
    """What is wrong with an object, and where in it. Caught in this module."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def printable(text: str) -> str:
    """A text of the input, for a message."""
    return shown(text.encode(errors="surrogateescape") if text.isascii() else text.encode(errors="replace"), 60)


def as_list(value: Any) -> list[Any]:  # noqa: ANN401  what JSON has
    """One of something, or several, or none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def bytes_of(path: Path, digits: str) -> bytes:
    """Bytes in hex. Raises Wrong."""
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise Wrong(path, f"{path[-1]}: these are no bytes in hex") from None


def unescaped(path: Path, text: str) -> bytes:
    """The bytes of a string, in which `\\x` and two digits is one byte. Raises Wrong."""
    first, *escaped = text.split("\\x")
    if not all(BYTE.match(part) for part in escaped):
        raise Wrong(path, "two hex digits follow \\x")
    try:
        return first.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in escaped)
    except UnicodeEncodeError:
        raise Wrong(path, "this is no UTF-8") from None


def is_rounded(given: float, exact: int) -> bool:
    """Whether a number is another one, made a floating-point number: so jq 1.6 writes what it reads."""
    near = float(exact)
    if given == exact or exact < EXACT or float(given) != near:
        return given == exact
    digits, _, power = repr(near).partition("e+")
    whole, _, part = digits.partition(".")
    shortest = int((whole + part.rstrip("0")).ljust(int(power or len(whole) - 1) + 1, "0")) if power else int(near)
    return isinstance(given, float) or given in (shortest, int(near))


def line_of(text: str, path: Path) -> int:
    """In which line of an object's text something stands, from 0 on: what the path leads to, or what is nearest to it."""
    steps: list[str | int] = []
    opened: list[str] = []
    best = deepest = 0
    key = True  # whether a string is one
    for token in TOKEN.finditer(text):
        word = token[0]
        if word in "{[":
            opened.append(word)
            steps.append("" if word == "{" else 0)
            key = word == "{"
            continue  # what stands in it comes next
        if word in "}]":
            opened.pop()
            steps.pop()
        elif word == ",":
            key = opened[-1] == "{"
            if not key:
                steps[-1] += 1  # type: ignore[operator]  # an index
            continue
        elif key and word.startswith('"'):
            steps[-1], key = JSONDecoder().decode(word), False
        depth = next((i for i, pair in enumerate(zip(steps, path, strict=False)) if pair[0] != pair[1]), min(len(steps), len(path)))
        if depth > deepest:
            best, deepest = token.start(), depth
    return text.count("\n", 0, best)
