"""Changes fields of packets, and nothing else.

pkt-change --icmp-type 8 --if 'ICMP.TYPE==0'    pkt-change IP.TTL-=1

Every field of -k is an option: --ip-ttl 64 is IP.TTL=64. Checksums stay, unless -u is given; pkt-correct corrects them.
"""

from __future__ import annotations

from ..command_line.options import FILTER, FLAG, Option, Values
from ..errors import counted
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage, without_fcs
from ..language.arguments import arguments
from ..language.expression import split_assignment
from ..protocols.fields import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Program
    from ..work.link import Converter, Step

OPTIONS = [
    CONDITION,
    Option("--swap", FLAG, "exchange source and destination of outer headers"),
    Option("-u --update-checksums", FLAG, "let checksums follow; right ones stay right"),
    Option("--unwrap", FLAG, "strip PKTAP, SLL and SLL2 to the frame in them"),
    Option("--to-ethernet", FLAG, "put raw IP, SLL, PPP, 802.11... under Ethernet"),
    *FILTER,
]


def pairs() -> tuple[tuple[str, str], ...]:
    """Fields that say from whom and to whom, of whatever header has both."""
    both = ((name, name.replace(".SRC_", ".DST_")) for name in FIELDS if ".SRC_" in name)
    return tuple(pair for pair in both if pair[1] in FIELDS)


class FieldOptions:
    """An option for every field: `--ip-ttl` for `IP.TTL=`. There are many fields: one is looked up where its option stands."""

    def _field(self, option: str) -> str:
        """The name of the field that an option is of, or ""."""
        words = option.removeprefix("--").upper()
        spelt = option == "--" + words.lower() and not set(words) & {".", "_"}
        splits = (i for i, c in enumerate(words) if c == "-" and spelt)
        names = (f"{words[:i]}.{words[i + 1 :]}".replace("-", "_") for i in splits)
        return next((name for name in names if name in FIELDS), "")

    def __contains__(self, option: str) -> bool:
        return self._field(option) != ""

    def __getitem__(self, option: str) -> str:
        """Raises KeyError where there is no such field."""
        field = self._field(option)
        if not field:
            raise KeyError(option)
        return field + "="

    def __iter__(self) -> Iterator[str]:
        return ("--" + name.lower().replace(".", "-").replace("_", "-") for name in FIELDS)


def more_options() -> FieldOptions:
    """An option for every field."""
    return FieldOptions()


def conversion(values: Values, guard: Program | None) -> Converter | None:
    """What --unwrap and --to-ethernet do to packets; None: neither is wanted."""
    if not (values.unwrap or values.to_ethernet):
        return None
    from ..work.ethernet import to_ethernet  # late: most changes are of fields
    from ..work.link import Converter
    from ..work.unwrap import unwrap

    steps: dict[str, Step] = {}
    if values.unwrap:
        steps["not unwrapped: no PKTAP with a frame in it, no Linux cooked packet with IP"] = unwrap
    if values.to_ethernet:
        steps["not converted: nothing is known of what they carry"] = to_ethernet
    return Converter(guard, steps)


def stage(values: Values) -> Stage:
    """Unwraps, converts, swaps, then assigns; all only where --if holds."""
    chosen = condition(values)
    guard = chosen.same if chosen else None
    converter = conversion(values, guard)

    def account() -> list[str]:
        failed = converter.failed if converter else {}
        said = [f"{counted(count, 'packet')} {what}" for what, count in failed.items() if count]
        if not (values.swap or converter or any(split_assignment(word) for word in values.arguments)):
            said.append("nothing was changed: FIELD=value assigns, FIELD==value filters")
        return said

    program = arguments(values, pairs() if values.swap else (), guard, bool(values.update_checksums))
    return Stage(values, [without_fcs, converter] if converter else [], program=program, account=account)
