"""Which header is meant by a name, and which of several."""

from __future__ import annotations

from ..errors import UsageError
from ..protocols.fields import BY_HEADER, HEADERS
from ..protocols.kinds import has
from ..protocols.values import occurring, unknown_name
from ..protocols.walking import EXTENSION, LINK_LAYER, TUNNEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Headers that are called by other names: of which kind, the number that announces it, and what is in it: all from where on.
ALIASES = {"QINQ": ("VLAN", 0x88A8, ""), "GTPU": ("GTP", 0, ""), "GRETAP": ("GRE", 0, "ETHERNET")}


def kinds_of(name: str) -> list[int]:
    """The kinds of headers of a name: several where some have optional fields."""
    return [kind for kind, known in enumerate(HEADERS) if known == name and kind]


def named(text: str) -> tuple[str, int | None]:
    """The header that is meant, and which of several. Raises UsageError."""
    name, occurrence = occurring(text)
    if name in ALIASES or name == "IPIP" or kinds_of(name):
        return name, occurrence
    raise UsageError(unknown_name(name, [*HEADERS[1:], *ALIASES, "IPIP"], "header", listed=""))


def called(kind: int, name: str) -> bool:
    """Whether a header has a name: its own, or that of its fields, as filters have it.

    So have links and tunnels of several kinds (NVGRE is GRE, PPP_SHORT is PPP), and an extension header some of whose
    fields are of another protocol: IPV6_AH is AH, and not IPV6.
    """
    if HEADERS[kind] == name or not has(kind, TUNNEL | LINK_LAYER | EXTENSION):
        return HEADERS[kind] == name
    names = [row.name.partition(".")[0] for row in BY_HEADER[kind]]
    return name in names and not (has(kind, EXTENSION) and names[0] == name)


def found(kinds: Sequence[int], name: str, occurrence: int | None) -> int | None:
    """Which of the headers it is; parts of a tunnel, or of a link, are one."""
    own = [called(kind, name) for kind in kinds]
    parts = [has(kind, TUNNEL) or (has(kind, LINK_LAYER) and HEADERS[kind] != name) for kind in kinds]
    places = [i for i in range(len(kinds)) if own[i] and not (i and own[i - 1] and parts[i])]
    return which(places, occurrence)


def which(places: Sequence[int], occurrence: int | None) -> int | None:
    """The one of several that is asked for, from 1 on, or from -1 back; without a number the first. None: there are not so many."""
    number = occurrence or 1
    place = number - 1 if number > 0 else len(places) + number
    return places[place] if 0 <= place < len(places) else None
