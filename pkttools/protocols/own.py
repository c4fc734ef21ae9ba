"""What a user adds to our protocols: files of their own, and what is to be decoded as what.

Ours are compiled anew, with these, see `install` in kept.py; from there on nothing tells the ones from the others. A number that is
announced by both is the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace

from ..errors import PktError, UsageError
from .checks import FALLBACK, announced
from .compile import descriptions, made, our_files
from .model import ASKED, Descriptions, Entry, Field, Header, Line, Space
from .statements import add_entry

DECODE = re.compile(r"\s*([A-Z0-9_]+)\.([A-Z0-9_]+)\s*==\s*([A-Za-z0-9_-]+)\s*=\s*([A-Z0-9_]+)\s*")


def tables(files: list[tuple[str, bytes]], decoded: list[str]) -> SimpleNamespace:
    """The tables of ours and these: names of files, and what was read of them. Raises UsageError, for a file with its line."""
    wishes = {text: wanted(text) for text in decoded}

    def decode(found: Descriptions) -> None:
        for text, parts in wishes.items():
            add(found, text, *parts)

    try:
        return made(descriptions(our_files(), files, decode))
    except PktError as error:
        raise UsageError(str(error)) from None


def wanted(text: str) -> tuple[str, str, str, str]:
    """FIELD==VALUE=PROTOCOL: the field's protocol and name, the value, the protocol."""
    match = DECODE.fullmatch(text)
    if not match:
        raise UsageError(f"--decode: '{text}' is no FIELD==VALUE=PROTOCOL, such as UDP.DST_PORT==8472=VXLAN")
    return match[1], match[2], match[3], match[4]


def choices(found: Descriptions) -> Iterator[tuple[Header, Field, Space]]:
    """The fields that select what comes next, and in which space."""
    for header in found.headers.values():
        for rule in header.next:
            field = header.field(rule.field) if rule.space else None
            if field and not header.hidden:
                yield header, field, found.spaces[rule.space]


def add(found: Descriptions, text: str, protocol: str, name: str, value: str, decoded: str) -> None:
    """Adds a number to the spaces that a field selects of. Raises UsageError."""
    selected = [(field, space) for header, field, space in choices(found) if (header.protocol, field.name) == (protocol, name)]
    if not selected:
        fields = dict.fromkeys(f"{header.protocol}.{field.name}" for header, field, _ in choices(found))
        raise UsageError(f"--decode: {protocol}.{name} does not say what comes next; there are {', '.join(fields)}")
    known = [name for name, header in found.headers.items()
             if not (header.hidden or header.unfollowed or name == FALLBACK) and header.kind_of in ("", name)]  # fmt: skip
    if decoded not in known:
        raise UsageError(f"--decode: no protocol {decoded}; there are {', '.join(known)}")
    header = found.ways.get(decoded, decoded)
    tunnel = found.headers[header].category == "tunnel"
    for space in {space.name: space for _, space in selected}.values():
        number = number_of(found, space, value)
        if number is None or number >> max(field.width for field, other in selected if other is space):
            raise UsageError(f"--decode: '{value}' is no value of {protocol}.{name}")
        add_entry(space, number, Entry("", "", False, tunnel, Line([], f"--decode '{text}'"), header, rank=ASKED))


def number_of(found: Descriptions, space: Space, value: str) -> int | None:
    """The number that a value is, or None: decimal, hexadecimal, or its name."""
    if re.fullmatch(r"[0-9]{1,10}|0[xX][0-9A-Fa-f]{1,8}", value):
        return int(value, 16 if value[:2] in ("0x", "0X") else 10)
    spaces = [space, *(other for other in found.spaces.values() if other.of == space.name)]
    entries = [pair for one in spaces for pair in announced(found, one)]
    return next((number for number, entry in entries if entry.word and entry.word == value), None)
