"""The lines of what people write for pkt-answer, rules and zones, without their comments."""

from __future__ import annotations

import re

from ..errors import PktError

TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')  # what stands in quotes
PART = re.compile(rf"{TEXT.pattern}|.")


def lines_of(path: str, most: int, marks: str) -> list[str]:
    """The lines of a file of so many characters at most; marks: what begins a comment. Raises PktError."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  pathlib is slow to import
            text = file.read(most + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise PktError(f"{path}: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    if len(text) > most:
        raise PktError(f"{path}: longer than {most} characters")
    return [uncommented(line, marks) for line in text.split("\n")]


def uncommented(line: str, marks: str) -> str:
    """A line without its comment, which a mark begins in front of all words, or of one."""
    for part in PART.finditer(line):
        if part[0] in marks and not line[: part.start()][-1:].strip():
            return line[: part.start()]
    return line
