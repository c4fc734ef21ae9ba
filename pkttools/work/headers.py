"""What is to be put in or taken off, as a command line says it."""

from __future__ import annotations

from ..errors import UsageError, need
from ..language.arguments import split_assignment
from ..protocols.fields import BY_HEADER, FIELDS, Row
from ..protocols.kinds import column
from ..protocols.values import field as field_of
from ..protocols.values import parse_value
from . import announcing
from .naming import named
from .wrapper import Wrapper
from .wrapping import NAMES, Wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..language.filters import Filter
    from .link import Converter

ADDRESSES = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}  # RFC 5737, RFC 3849


def wrapping(text: str, at: str | None, source: str | None, destination: str | None, ecn: str, guard: Filter | None,
             keep: bool) -> Wrapper | Converter:  # fmt: skip
    """What puts a header in. Raises UsageError."""
    name, occurrence = named(text)
    if name == "ETHERNET" and at is None:
        from .ethernet import NOT_CONVERTED, to_ethernet  # late: seldom; what pkt-change does
        from .link import Converter

        return Converter(guard, {NOT_CONVERTED: to_ethernet})
    need(occurrence is None, f"'{text}': it is --at that says where")
    usual = next((version for version, known in NAMES.items() if known == name), 4)
    version, ends = ends_of(source, destination, usual)
    need(name not in NAMES.values() or name == NAMES[version], f"{name}: --src and --dst are of {NAMES[version]}")
    return Wrapper(Wrap(name, named(at) if at is not None else None, version, ends, ecn), guard, keep)


def unwrapping(text: str, join: bool, guard: Filter | None, keep: bool, again: bool) -> Wrapper | Converter:
    """What takes a header off. Raises UsageError."""
    name, occurrence = named(text)
    if name.startswith("PKTAP"):
        from .link import Converter  # late: seldom; what pkt-change does
        from .unwrap import NOT_UNWRAPPED, unwrap

        return Converter(guard, {NOT_UNWRAPPED: unwrap})
    need(occurrence is None or not again, f"'{text}' is one, and --all are all")
    from .unwrapping import Unwrap  # late: pkt-wrap takes nothing off

    return Wrapper(Unwrap(name, occurrence, join), guard, keep, again)


def placed(work: Wrapper | Converter, words: list[str]) -> list[str]:
    """The words that are left when fields of new headers have their values. Raises UsageError."""
    wrap = work.planner if isinstance(work, Wrapper) else None
    if not isinstance(wrap, Wrap):
        return words
    kinds, left = wrap.known(), []
    for word in words:
        item = split_assignment(word)
        if item is None:
            left.append(word)
            continue
        name, operator, text = item
        name = full(name, wrap)
        value = settled(name, text, kinds) if operator == "=" else None
        if value is None:
            left.append(f"{name}{operator}{text}")
        else:
            wrap.values.append((name, value))
    return left


def settled(name: str, text: str, kinds: set[int]) -> int | None:
    """The number that a field of a new header gets; None: it is no such field, or assigned when the packet is there."""
    rows = [row for kind in kinds for row in BY_HEADER[kind] if row.name == name]
    if not rows or any(map(computed, rows)):
        return None
    try:
        value = parse_value(*field_of(name)[:1], rows, text)
    except UsageError:  # it may be more than a value
        return None
    return None if isinstance(value, bytes) or any(value % row.scale for row in rows) else value


def full(name: str, wrap: Wrap) -> str:
    """A field's name, where it is said as of the header: VLAN.ID is ETHERNET.VLAN_ID."""
    header, _, rest = name.upper().partition(".")
    if name.upper() in FIELDS or header != wrap.name or not rest:
        return name.upper() if name.upper() in FIELDS else name
    return next((one for one in sorted(wrap.own) if one.partition(".")[2] in (rest, f"{header}_{rest}")), name)


def computed(row: Row) -> bool:
    """Whether it follows from others: a length, or a checksum. Then it is assigned when the packet is there."""
    end = column(row.header, "end")
    places = [announcing.place(end)] if end >= 0 else []
    places += [(8 * at, 8 * size) for kind, at, size, *_ in announcing.table("sums") if kind == row.header]
    return any(bit < row.bit + row.width and row.bit < bit + width for bit, width in places)


def ends_of(source: str | None, destination: str | None, usual: int = 4) -> tuple[int, tuple[int, int]]:
    """The version of new IP headers, and their addresses; the usual ones where none are given. Raises UsageError."""
    from ..protocols.values import parse_ipv4, parse_ipv6  # late: only where they are given

    found: list[tuple[int, int] | None] = []
    for what, text in (("--src", source), ("--dst", destination)):
        if text is None:
            found.append(None)
            continue
        four, six = parse_ipv4(text), parse_ipv6(text)
        need(four is not None or six is not None, f"{what} '{text}': that is no IP address")
        found.append((4, four) if four is not None else (6, six or 0))
    versions = {one[0] for one in found if one}
    need(len(versions) < 2, "--src and --dst are of different versions of IP")
    version = versions.pop() if versions else usual
    parse = parse_ipv4 if version == 4 else parse_ipv6
    first, second = (one[1] if one else parse(own) or 0 for one, own in zip(found, ADDRESSES[version], strict=True))
    return version, (first, second)
