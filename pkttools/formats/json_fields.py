"""Fields that an object of JSON says otherwise than its frame: what is set, in which occurrence, and setting it."""

from __future__ import annotations

import re
from functools import cache

from .. import codec
from ..batch import MAX_FRAME, Batch, gathered
from ..errors import BAD_FIELD, text_message, unknown
from ..protocols.fields import DATA, FIELDS, IPV4, IPV6, MAC, TABLE, TEXT, Row, current
from ..protocols.names import link_lines
from ..protocols.shown import escaped
from .json_values import EXACT, Wrong, as_list, bytes_of, is_rounded, printable, unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .json_packet import Draft
    from .json_values import Object, Path

FIELD_LINE = re.compile(r"^([A-Z][A-Z0-9_]*\.[A-Z0-9_]+)(?:\[(\d+)\])?:\t", re.MULTILINE)


class Edit:
    """A value of a field that is not what the frame says. path: where it stands in the object. line: the text's line for it."""

    __slots__ = ("line", "path")

    def __init__(self, path: Path, line: str) -> None:
        self.path, self.line = path, line


def edits(draft: Draft, own: Object) -> list[Edit]:
    """What an object says of fields besides what its frame says. Raises Wrong."""
    found: list[Edit] = []
    occurrences: dict[str, list[int]] = {}
    for layer, given in draft.said.items():
        theirs = own.get(layer)
        if given == theirs and "true" not in draft.text and "false" not in draft.text:  # which are equal to 1 and 0
            continue
        check_layer(layer, given)
        given_list, own_list = as_list(given), as_list(theirs)
        counts: dict[str, int] = {}
        own_counts: dict[str, int] = {}
        for j, fields in enumerate(given_list):
            mine = own_list[j] if j < len(own_list) else {}
            where: Path = (layer, j) if isinstance(given, list) else (layer,)
            for name, value in fields.items():
                path = (*where, name)
                full = check_name(path, layer, name)
                said = as_list(mine.get(name))
                values = value if isinstance(value, list) else [value]
                for k, one in enumerate(values):
                    place = (*path, k) if isinstance(value, list) else path
                    if k < len(said) and is_same(one, said[k]):
                        continue
                    line = value_text(place, full, one)
                    if k < len(said):
                        occurrences = occurrences or occurrences_of(draft)
                        which = occurrences[full][own_counts.get(full, 0) + k]
                    else:
                        which = max(own_counts.get(full, 0) + max(j - len(own_list), 0), counts.get(full, 0)) + k + 1
                    found.append(Edit(place, f"{full}[{which}]: {line}"))
                counts[full] = counts.get(full, 0) + len(values)
            for name, value in mine.items():
                full = f"{layer}.{name}"
                own_counts[full] = own_counts.get(full, 0) + len(as_list(value))
    return found


def is_same(given: object, own: object) -> bool:
    """Whether a value is the frame's own; also as jq 1.6 rounds it."""
    if isinstance(given, bool):
        return False
    if given == own:
        return True
    return isinstance(own, int) and isinstance(given, (int, float)) and is_rounded(given, own)


@cache
def layers() -> frozenset[str]:
    """What names of fields begin with."""
    return frozenset(name.partition(".")[0] for name in TABLE.names)


def check_layer(layer: str, given: object) -> None:
    """Raises Wrong where a key names no header, or has no objects."""
    if layer not in layers():
        known = ["frame", "time", "captured", "original", "linktype", "notes", *layers()]
        raise Wrong((layer,), unknown("key", printable(layer), known))
    if isinstance(given, list):
        for j, one in enumerate(given):
            if not isinstance(one, dict):
                raise Wrong((layer, j), f"{layer} is an object of fields, or a list of such")
    elif not isinstance(given, dict):
        raise Wrong((layer,), f"{layer} is an object of fields, or a list of such")


@cache
def row_of(full: str) -> Row | None:
    """The first row of a field's name; None: there is no such field."""
    return TABLE[FIELDS[full][0]] if full in FIELDS else None


def check_name(path: Path, layer: str, name: str) -> str:
    """The name of a field. Raises Wrong."""
    full = f"{layer}.{name}"
    if row_of(full) is None:
        near = [other for other in FIELDS if other.startswith(f"{layer}.")]
        raise Wrong(path, unknown("key", printable(full), near))
    return current(full)


def occurrences_of(draft: Draft) -> dict[str, list[int]]:
    """Which occurrence each value of a field is, in the order in which JSON has them: data that are shown elsewhere count."""
    batch = gathered([draft.packet()])
    text, _ = codec.text_encode(batch.data, batch.rows, 0, 1, MAX_FRAME, True, 2)
    found: dict[str, list[int]] = {}
    before = ""
    for match in FIELD_LINE.finditer(bytes(text).decode("ascii")):
        name, number = match.groups()
        several = found.setdefault(name, [])
        if TABLE[FIELDS[name][0]].kind != DATA:
            several.append(len(several) + 1)
        elif match[0] != before:  # data of more than one line are one value
            several.append(int(number) if number else len(several) + 1)
        before = match[0]
    return {name: sorted(several) for name, several in found.items()}


def value_text(path: Path, name: str, value: object) -> str:
    """A value as a line of text has it. Raises Wrong."""
    row: Row = row_of(name)  # type: ignore[assignment]  # it was looked for
    if row.kind in (DATA, TEXT, MAC, IPV4, IPV6):
        if not isinstance(value, str):
            raise Wrong(path, f"{name} is a string")
        if row.kind == TEXT:
            return f'"{escaped(unescaped(path, value))}"'
        return bytes_of(path, value).hex() if row.kind == DATA else printable(value)
    if isinstance(value, str):
        if value.lower() in (row.names or {}).values():
            return value
        raise Wrong(path, f"{name} is a number" + (", or the name of a value" if row.names else ""))
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Wrong(path, f"{name} is an integer")
    return str(value)


def with_fields(draft: Draft, found: list[Edit]) -> tuple[bytes, int, int]:
    """The frame with fields set, as the text format's reader does it; how many had no place, and how many no room. Raises Wrong."""
    link = "".join(f"{line}\n" for line in link_lines(draft.link))
    head = f"{link}-- 1 --\nSIZE: {len(draft.frame)}/{draft.original}\n000000: {draft.frame.hex()}\n"
    text = bytearray((head + "".join(edit.line + "\n" for edit in found) + "==\n").encode())
    _, data, rows, _, _, error, passed_over = codec.text_decode(text, 0, len(text), True, 1, 0, 0)
    if error:
        from .text import wrong_field

        kind, at, word, size = error
        said = bytes(text[word : word + size])
        raise Wrong(found[at - head.count("\n") - 1].path, wrong_field(said) if kind == BAD_FIELD else text_message(kind, said, 0))
    return bytes(Batch(data, rows).frame(0)), passed_over[3], passed_over[4]
