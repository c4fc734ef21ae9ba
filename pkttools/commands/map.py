"""Maps addresses, ports, MAC and VLAN numbers, wherever they stand.

pkt-map --map 10.0.0.0/8=192.168.0.0/16 --port 80=8080 < packets.txt

In all headers, tunnels, ARP, neighbour discovery, and what errors quote. Checksums follow; right ones stay right.
"""

from ..command_line.options import BUFFER, FLAG, INPUT, OUTPUT, TEXT, Option, Values, general_briefly, pick_briefly
from ..errors import counted, need
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage
from ..language.arguments import arguments
from ..work.addresses import Mapper
from ..work.mappings import Rules

KINDS = ("map", "port", "vlan", "mac")  # options that say a pair
OPTIONS = [
    Option("--map", TEXT, "an IP address, or its first bits, becomes another", "FROM=TO", several=True),
    Option("--port", TEXT, "a port, or 8000-8009, becomes another", "FROM=TO", several=True),
    Option("--mac", TEXT, "a MAC address, or a vendor's /24, becomes another", "FROM=TO", several=True),
    Option("--vlan", TEXT, "a VLAN, or 10-19, becomes another", "FROM=TO", several=True),
    Option("--file", TEXT, "rules, one a line: FROM=TO, port FROM=TO, ...", "FILE", several=True),
    Option("--keep", FLAG, "leave checksums as they are"),
    CONDITION,
    *INPUT,
    *OUTPUT,
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


def stage(values: Values) -> Stage:
    """Maps, and says what it could not."""
    guard = condition(values)
    rules = rules_of(values)
    need(bool(rules.rules), "nothing to map: --map, --port, --mac, --vlan or --file says what")
    mapper = Mapper(bytes(rules.rules), keep=bool(values.keep), guard=guard)

    def account() -> list[str]:
        said = mapper.said()
        if rules.narrowed and mapper.mapped:
            said.append(f"{', '.join(rules.narrowed)}: different ones may have become the same")
        if values.verbose:
            said.append(f"{counted(mapper.mapped, 'packet')} mapped")
        return said

    program = arguments(values, (), guard.same if guard else None, not values.keep)
    return Stage(values, [mapper], program=program, account=account, beyond=mapper.beyond)
