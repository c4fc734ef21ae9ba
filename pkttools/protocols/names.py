"""Names of values, used both ways: to read `IP.PROTOCOL==udp` and to write `LINKTYPE: 113 (Linux SLL)`.

Each table of names in the descriptions is one here, number to name: names.PROTOCOL, names.ICMP_TYPE.
"""

from __future__ import annotations

from ..batch import count_of, fcs_of, linktype_of
from ..errors import counted
from . import _tables

LINKTYPE = _tables.LINKTYPE
LINK_TYPE = "link type {}"  # what numbers.protocol calls them
UNFOLLOWED = 20  # kinds of headers that are not followed which are named


def __getattr__(name: str) -> dict[int, str]:
    if name.startswith("__"):  # an import looks for __path__ in every module that it takes a name from
        raise AttributeError(name)
    try:
        from . import _words  # late: seldom

        return _words.NAMES[name]
    except KeyError:
        raise AttributeError(f"no names {name}") from None


def number_of(names: int, word: str) -> int | None:
    """The number that a word is, in any case, by the names of values that a field has (see TRAITS); None: it is no such name."""
    from . import _words  # late: seldom

    known = _words.NAMES[[*_words.NAMES][names - 1]]
    return next((number for number, name in known.items() if name == word.lower()), None)


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
    """What a code stands for that the codec counts: a number, behind 32 bits the space that it is of; of none: a limit."""
    from . import _words  # late: seldom

    space, number = code >> 32, code & 0xFFFFFFFF
    if not space:
        return f"more than {number} headers"
    form, known = _words.SPACES[space]
    return known.get(number) or form.format(number)


def is_link_type(code: int) -> bool:
    """Whether a code that the codec counts stands for a link type."""
    from . import _words  # late: seldom

    return code >> 32 in _words.SPACES and _words.SPACES[code >> 32][0] == LINK_TYPE


def not_followed(counts: dict[int, int], noun: str = "packet") -> list[str]:
    """What there is to say of what the codec counts: headers, and signatures, that do not follow. noun: what carries them."""
    if not counts:
        return []
    from . import _words  # late: seldom

    signed = {code: count for code, count in counts.items() if code >> 32 >= _words.SIGNED}
    others = {code: count for code, count in counts.items() if code not in signed}
    return by_name(others, noun, "headers that are not followed") + by_name(
        signed, noun, "signatures that do not follow what was changed"
    )


def by_name(counts: dict[int, int], noun: str, what: str) -> list[str]:
    """A line that says of how many packets something is, the most frequent first; none where there are none."""
    if not counts:
        return []
    named: dict[str, int] = {}
    for code, count in counts.items():
        name = beyond_name(code)
        named[name] = named.get(name, 0) + count
    parts = sorted(named.items(), key=lambda part: (-part[1], part[0]))
    shown = [f"{count} {name}" for name, count in parts[:UNFOLLOWED]]
    if rest := sum(count for _, count in parts[UNFOLLOWED:]):
        shown.append(f"{rest} others")
    return [f"{counted(sum(named.values()), noun)} with {what}: {', '.join(shown)}"]
