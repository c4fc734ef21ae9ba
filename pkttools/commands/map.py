"""Maps addresses, ports, MAC and VLAN numbers, wherever they stand.

pkt-map --map 10.0.0.0/8=192.168.0.0/16 --port 80=8080 < packets.txt

In headers of all layers, ARP, and what errors quote; checksums follow.
"""

from __future__ import annotations

from ..command_line.options import (
    BUFFER,
    FLAG,
    INPUT,
    TEXT,
    Option,
    Values,
    general_briefly,
    output_briefly,
    pick_briefly,
)
from ..errors import counted, need
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage, without_fcs
from ..language.arguments import arguments
from ..work.addresses import Mapper
from ..work.mappings import Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..flow.stage import Work
    from ..work.anonymise import Anonymiser

KINDS = ("map", "port", "vlan", "mac")  # options that say a pair
OPTIONS = [
    Option("--map", TEXT, "an IP address, or its first bits, becomes another", "FROM=TO", several=True),
    Option("--port", TEXT, "a port, or 8000-8009, becomes another", "FROM=TO", several=True),
    Option("--mac", TEXT, "a MAC address, or a vendor's /24, becomes another", "FROM=TO", several=True),
    Option("--vlan", TEXT, "a VLAN, or 10-19, becomes another", "FROM=TO", several=True),
    Option("--file", TEXT, "rules, one a line: FROM=TO, port FROM=TO, ...", "FILE", several=True),
    Option("--nptv6", TEXT, "prefixes of IPv6 that leave sums as they are (RFC 6296)", "FROM=TO", several=True),
    Option("--endpoints", TEXT, "all goes from A to B, or back: [::1]:[::2] for IPv6", "A:B", several=True),
    Option("--sides", TEXT, "whose A is: first asker, higher port, prefix or MAC", "HOW"),
    Option("--random", FLAG, "all other addresses are drawn, by --seed"),
    Option("--anonymise", FLAG, "all addresses, by a key; prefixes are kept: Crypto-PAn"),
    Option("--key-file", TEXT, "its 32 octets; without: a key that nobody has", "FILE"),
    Option("--leave", TEXT, "which stay: vendors; default: ports,vlans,special", "WORDS"),
    Option("--wipe", FLAG, "make zeros of payloads; lengths stay"),
    Option("--shift", TEXT, "move times: -30d, 90s; random, as far as the key says", "TIME"),
    Option("--keep", FLAG, "leave checksums as they are"),
    CONDITION,
    *INPUT,
    *output_briefly(),
    *pick_briefly(),
    *BUFFER,
    *general_briefly(),
]


def rules_of(values: Values) -> Rules:
    """The rules that a command line says. Raises UsageError, PktError."""
    rules = Rules()
    for kind in KINDS:
        for text in getattr(values, kind):
            rules.add(kind, text)
    for path in values.file:
        rules.read(path)
    return rules


def endpoints(values: Values, rules: bytes) -> dict[str, object]:
    """What the mapper is told where there are two hosts for all. Raises UsageError."""
    if not values.endpoints:
        need(values.sides is None, "--sides says whose packets are those of the first host of --endpoints")
        return {"rules": rules}
    from ..work.endpoints import Sides, pair, rules_of  # late: few want that

    pairs = [pair(text) for text in values.endpoints]
    need(len({one[0] for one, _ in pairs}) == len(pairs), "--endpoints: one pair of each kind of address")
    need(not values.random, "--endpoints leaves no address to --random")
    there, back = (rules_of(pairs, turned) + rules for turned in (False, True))
    return {"rules": there, "turned": back, "sides": Sides(values.sides or "first")}


def anonymiser(values: Values) -> Anonymiser | None:
    """What --anonymise does beside the map. Raises UsageError, PktError."""
    if not values.anonymise:
        for word in ("key_file", "leave", "wipe", "shift"):
            need(not getattr(values, word), f"--{word.replace('_', '-')} is for --anonymise")
        return None
    need(
        not (values.endpoints or values.random or values.nptv6), "--anonymise leaves no address to --endpoints, --random or --nptv6"
    )
    from ..work.anonymise import Anonymiser  # late: few do

    return Anonymiser(values.key_file, left=values.leave, wiping=bool(values.wipe), keep=bool(values.keep), shift=values.shift)


def stage(values: Values) -> Stage:
    """Maps, and says what it could not."""
    guard = condition(values)
    rules = rules_of(values)
    answers = None
    if values.nptv6 or values.random:
        from ..work.answering import Answers  # late: few want that

        answers = Answers()
        for text in values.nptv6:
            answers.translate(text)
        if values.random:
            answers.draw(values.seed)
    all_rules = (answers.rules if answers else b"") + bytes(rules.rules)
    wanted = all_rules or values.endpoints or values.anonymise
    need(
        bool(wanted),
        "nothing to map: --map, --port, --mac, --vlan, --file, --nptv6, --endpoints, --random or --anonymise says what",
    )
    made = anonymiser(values)
    all_rules += made.rules if made else b""
    answer = made.cipher.answer if made else answers
    mapper = Mapper(answer=answer, keep=bool(values.keep), guard=guard, **endpoints(values, all_rules))  # type: ignore[arg-type]  # a dict of keywords

    def account() -> list[str]:
        said = made.said(mapper) if made else mapper.said()
        if rules.narrowed and mapper.mapped:
            said.append(f"{', '.join(rules.narrowed)}: different ones may have become the same")
        if values.verbose:
            said.append(f"{counted(mapper.mapped, 'packet')} mapped")
        return said

    program = arguments(values, (), guard, not values.keep)
    work: list[Work] = [without_fcs, mapper, *made.work] if made else [mapper]
    return Stage(values, work, program=program, account=account, beyond=mapper.beyond, apart=not answer and not values.endpoints,
                 tallies=[mapper])  # fmt: skip
