"""Names of values, used both ways: to read `IP.PROTOCOL==udp` and to write `LINKTYPE: 113 (Linux SLL)`.

Each table of names in the descriptions is one here, number to name: names.PROTOCOL, names.ICMP_TYPE.
"""

from __future__ import annotations

from ..batch import count_of, fcs_of, linktype_of
from . import _tables

LINKTYPE = _tables.LINKTYPE
LINK_SPACE = 5  # of link types, in `enum space` of codec/c/codec.h


def __getattr__(name: str) -> dict[int, str]:
    if name.startswith("__"):  # an import looks for __path__ in every module that it takes a name from
        raise AttributeError(name)
    try:
        from . import _words  # late: seldom

        return _words.NAMES[name]
    except KeyError:
        raise AttributeError(f"no names {name}") from None


def link_lines(link: int) -> list[str]:
    """The lines that stand in front of packets of a link type, and with a frame check sequence (see batch.link_of)."""
    linktype, fcs, count = linktype_of(link), fcs_of(link), count_of(link)
    lines = [f"LINKTYPE: {linktype} ({linktype_name(linktype)})"]
    if fcs is not None:
        lines.append(f"TRAILER: {fcs} (FCS)" if count is None else f"TRAILER: {fcs}/{count} (FCS)")
    return lines


def linktype_name(linktype: int) -> str:
    """The name that stands in parentheses on a LINKTYPE line."""
    return LINKTYPE.get(linktype, "Unknown")


def beyond_name(code: int) -> str:
    """What a code stands for that the codec counts: a number, behind 32 bits the space that it is of."""
    from . import _words  # late: seldom

    space, number = code >> 32, code & 0xFFFFFFFF
    form, known = _words.SPACES[space]
    if space == LINK_SPACE and number in known:
        return f"{known[number]} ({form.format(number)})"
    return known.get(number) or form.format(number)
