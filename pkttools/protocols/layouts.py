"""How kinds of headers are printed for people, as the descriptions say it; and that as pkttools 1.16 laid them out.

A kind has a layout: its title, its layer, and its lines, each a label and a template of values. One without lines here
shows every field that the table has of it.
"""

from __future__ import annotations

from . import _words
from .fields import BY_HEADER, DATA, Row

CAPTURE, LINK, NETWORK, TRANSPORT, APPLICATION = range(1, 6)  # layers; the first is what the capture itself says of a packet
# By what a header is; others are transports, or carried as these are.
LAYERS = {"link": LINK, "tag": LINK, "network": NETWORK, "extension": NETWORK, "application": APPLICATION}


def aligned(label: str) -> str:
    """A label with tabs behind it, so that what follows stands 16 columns on."""
    return label + "\t" * max(1, 2 - len(label) // 8)


def line(label: str, values: str) -> str:
    """The template of a line. Lower-case names in `values` are attributes of views.listing.Header, others fields."""
    return f"\t{aligned(label)}: {values}"


def text(label: str, values: str) -> str:
    """The same; without a label as it stands."""
    return line(label, values) if label else f"\t{values}"


class Layout:
    """How a kind of header is printed.

    title: its name; without one its lines go on under the header before. lines: templates; none given: all its fields.
    brief: the template that stands for them where a header has one line, if that is not the first. flags: the fields that
    `{flags}` names. checksum: the field that `{verdict}` is about.
    """

    __slots__ = ("brief", "checksum", "flags", "layer", "lines", "title")

    def __init__(
        self, title: str, layer: int, *lines: str, brief: str = "", flags: tuple[str, ...] = (), checksum: str = ""
    ) -> None:
        self.title, self.layer, self.lines, self.brief = title, layer, lines, brief
        self.flags, self.checksum = flags, checksum


def all_fields(rows: list[Row], checksum: str) -> list[str]:
    """A line for each field of a header, data aside; with the verdict on its checksum."""
    lines = []
    for row in rows:
        name = row.name.partition(".")[2]
        value = f"{{{name}:#0{2 + (row.width + 3) // 4}x}}" if row.hex else f"{{{name}}}"
        if row.kind != DATA:
            lines.append(line(name.lower().replace("_", " "), value + (" ({verdict})" if name == checksum else "")))
    return lines


class Layouts(dict[int, Layout]):
    """Kind of header to its layout."""

    def __missing__(self, kind: int) -> Layout:
        title, category, shown, brief, flags, checksum = _words.LAYOUTS[kind]
        lines = [text(*one) for one in shown] or all_fields(BY_HEADER[kind], checksum)
        first = text(*brief) if brief else "".join(lines[:1])
        self[kind] = Layout(title, LAYERS.get(category, TRANSPORT), *lines, brief=first, flags=flags, checksum=checksum)
        return self[kind]


LAYOUT = Layouts()
