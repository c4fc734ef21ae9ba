"""Changes fields of packets and what they carry, and nothing else.

pkt-change --icmp-type 8 --if 'ICMP.TYPE==0'    pkt-change --replace s/foo/bar/g

Every field of -k is an option: --ip-ttl 64 is IP.TTL=64. Checksums stay, unless -u is given. Around another payload they follow.
"""

from __future__ import annotations

from ..command_line.options import FLAG, TEXT, Option, Values, filter_briefly
from ..errors import need
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage, without_fcs
from ..language.arguments import arguments, split_assignment
from ..protocols.fields import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..language.filters import Filter
    from ..work.link import Converter, Step
    from ..work.payload import Editor

OPTIONS = [
    CONDITION,
    Option("--swap", FLAG, "exchange source and destination of outer headers"),
    Option("-u --update-checksums", FLAG, "let checksums follow; right ones stay right"),
    Option("--unwrap", FLAG, "strip PKTAP, SLL and SLL2 to the frame in them"),
    Option("--to-ethernet", FLAG, "put raw IP, SLL, PPP, 802.11... under Ethernet"),
    Option("--payload", TEXT, "what is carried innermost becomes text, @FILE, hex:..", "VALUE"),
    Option("--replace", TEXT, "in it: s/RE/NEW/, with g for all, i for any case", "S", several=True),
    Option("--layer", TEXT, "what this header carries: UDP[2], and not the innermost", "HEADER"),
    Option("--grow", FLAG, "FIELD.DATA=value makes room for all of it"),
    Option("--follow-tcp", FLAG, "later numbers of the connection follow, both ways"),
    Option("--keep", FLAG, "lengths and checksums around all that stay"),
    *filter_briefly(),
]


def pairs() -> tuple[tuple[str, str], ...]:
    """Fields that --swap exchanges."""
    from ..protocols.ends import pairs  # late: few ask for it

    return pairs()


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


def conversion(values: Values, guard: Filter | None) -> Converter | None:
    """What --unwrap and --to-ethernet do to packets; None: neither is wanted."""
    if not (values.unwrap or values.to_ethernet):
        return None
    from ..work.ethernet import NOT_CONVERTED, to_ethernet  # late: most changes are of fields
    from ..work.link import Converter
    from ..work.unwrap import NOT_UNWRAPPED, unwrap

    steps: dict[str, Step] = {}
    if values.unwrap:
        steps[NOT_UNWRAPPED] = unwrap
    if values.to_ethernet:
        steps[NOT_CONVERTED] = to_ethernet
    return Converter(guard, steps)


def editor(values: Values, guard: Filter | None) -> Editor | None:
    """What --payload, --replace and --grow do to packets; None: none of them is wanted. Raises UsageError."""
    edits = values.payload is not None or values.replace
    need(bool(edits) or values.layer is None, "--layer is for --payload and --replace")
    need(bool(edits) or not values.follow_tcp, "--follow-tcp is for --payload and --replace")
    need(bool(edits or values.grow) or not values.keep, "--keep is for --payload, --replace and --grow")
    need(not (values.keep and values.update_checksums), "--keep and -u contradict each other")
    if not (edits or values.grow):
        return None
    from ..work.payload import INNERMOST, Editor, Growth, layer_of, payload_of, replacement  # late: most changes are of fields
    from ..work.tcp_numbers import Numbers

    changes = [replacement(text) for text in values.replace]
    if values.payload is not None:
        octets = payload_of(values.payload)
        changes.insert(0, lambda _: octets)
    layer = layer_of(values.layer) if values.layer is not None else INNERMOST
    items = [item for word in values.arguments if (item := split_assignment(word))]
    return Editor(changes, layer, whole=values.payload is not None, growth=Growth(items) if values.grow else None,
                  keep=bool(values.keep), guard=guard, numbers=Numbers() if values.follow_tcp else None)  # fmt: skip


def stage(values: Values) -> Stage:
    """Unwraps, converts, changes payloads, swaps, then assigns; all only where --if holds."""
    guard = condition(values)
    converter, payloads = conversion(values, guard), editor(values, guard)

    def account() -> list[str]:
        said = converter.said() if converter else []
        said += payloads.said() if payloads else []
        if not (values.swap or converter or payloads or any(split_assignment(word) for word in values.arguments)):
            said.append("nothing was changed: FIELD=value assigns, FIELD==value filters")
        return said

    follow = bool(values.update_checksums or (values.grow and not values.keep))
    program = arguments(values, pairs() if values.swap else (), guard, follow)
    work = [stage for stage in (converter, payloads) if stage]
    beyond = payloads.beyond if payloads else None
    return Stage(values, [without_fcs, *work] if work else [], program=program, account=account, beyond=beyond,
                 apart=not values.follow_tcp, tallies=[converter, payloads])  # fmt: skip
