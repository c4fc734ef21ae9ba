"""What kinds of headers are to people, as the descriptions say it. Their lines are templates: see templates.py."""

from __future__ import annotations

from . import _words
from .showing import APPLICATION, CAPTURE, LAYERS, LINK, NETWORK, TRANSPORT

__all__ = ["APPLICATION", "CAPTURE", "LAYOUT", "LINK", "NETWORK", "TRANSPORT", "Layout"]


class Layout:
    """A kind of header.

    title: its name; without one its lines go on under the header before. flags: the fields that `{flags}` names. checksum: the
    field that `{verdict}` is about.
    """

    __slots__ = ("checksum", "flags", "layer", "title")

    def __init__(self, title: str, layer: int, flags: tuple[str, ...], checksum: str) -> None:
        self.title, self.layer, self.flags, self.checksum = title, layer, flags, checksum


class Layouts(dict[int, Layout]):
    """Kind of header to its layout."""

    def __missing__(self, kind: int) -> Layout:
        title, category, flags, checksum = _words.LAYOUTS[kind]
        self[kind] = Layout(title, LAYERS.get(category, TRANSPORT), flags, checksum)
        return self[kind]


LAYOUT = Layouts()
