"""Puts a header into packets, by the name of its protocol.

pkt-wrap VLAN VLAN.ID=5    pkt-wrap vxlan --dst 192.0.2.9 VXLAN.VNI=7
"""

from ..command_line.options import FILTER, FLAG, TEXT, Option, Values
from ..errors import need
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage, without_fcs
from ..language.arguments import arguments
from ..work.headers import placed, wrapping

OPTIONS = [
    Option("--at", TEXT, "in front of HEADER: IP, IP[2], ETHERNET", "HEADER"),
    Option("--src", TEXT, "address of a new IP header (192.0.2.1)", "ADDR"),
    Option("--dst", TEXT, "the same of its destination (192.0.2.2)", "ADDR"),
    Option("--ecn", TEXT, "congestion outside", choices=("copy", "kernel", "0"), default="copy", hidden=True),
    Option("--keep", FLAG, "leave lengths and checksums around as they are"),
    CONDITION,
    *FILTER,
]
ARGUMENTS = "HEADER [FILE | FILTER | ASSIGNMENT]..."
OWN = 1
ARGUMENTS_HELP = "HEADER: VLAN, vxlan...; filters: two are OR"


def stage(values: Values) -> Stage:
    """Wraps, then assigns what is of no new header."""
    need(bool(values.arguments), f"wanted: {ARGUMENTS}")
    guard = condition(values)
    name, *values.arguments = values.arguments
    work = wrapping(name, values.at, values.src, values.dst, values.ecn, guard, bool(values.keep))
    values.arguments = placed(work, values.arguments)
    program = arguments(values, (), guard, not values.keep)
    return Stage(values, [without_fcs, work], program=program, account=work.said, tallies=[work])
