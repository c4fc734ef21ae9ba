"""What kinds of headers are to people, as the descriptions say it. Their lines are templates: see templates.py."""

from __future__ import annotations

from . import _words
from .showing import LAYERS, TRANSPORT


class Layout:
    """A kind of header.

    title: its name; without one its lines go on under the header before. layer: of showing.py. checksum: the field that
    `{verdict}` is about.
    """

    __slots__ = ("checksum", "layer", "title")

    def __init__(self, title: str, layer: int, checksum: str) -> None:
        self.title, self.layer, self.checksum = title, layer, checksum


class Layouts(dict[int, Layout]):
    """Kind of header to its layout."""

    def __missing__(self, kind: int) -> Layout:
        title, category, checksum = _words.LAYOUTS[kind]
        self[kind] = Layout(title, LAYERS.get(category, TRANSPORT), checksum)
        return self[kind]


LAYOUT = Layouts()
