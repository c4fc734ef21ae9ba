"""Takes a header off packets, by the name of its protocol.

pkt-unwrap VLAN    pkt-unwrap 'MPLS[2]'    pkt-unwrap VXLAN
"""

from ..command_line.options import FILTER, FLAG, TEXT, Option, Values
from ..errors import need
from ..flow.guard import CONDITION, condition
from ..flow.stage import Stage, without_fcs
from ..language.arguments import arguments
from ..work.headers import unwrapping

OPTIONS = [
    Option("--all", FLAG, "all of them, and not only the outermost"),
    Option("--ecn", TEXT, "of what is inside: join (RFC 6040; default), or keep", "HOW", choices=("join", "keep"), default="join"),
    Option("--keep", FLAG, "leave lengths and checksums around as they are"),
    CONDITION,
    *FILTER,
]
ARGUMENTS = "HEADER [FILE | FILTER | ASSIGNMENT]..."
OWN = 1
ARGUMENTS_HELP = "HEADER: VLAN[2], gre; filters: two are OR"


def stage(values: Values) -> Stage:
    """Unwraps, then assigns."""
    need(bool(values.arguments), f"wanted: {ARGUMENTS}")
    guard = condition(values)
    name, *values.arguments = values.arguments
    work = unwrapping(name, values.ecn == "join", guard, bool(values.keep), bool(values.all))
    program = arguments(values, (), guard, not values.keep)
    return Stage(values, [without_fcs, work], program=program, account=work.said, apart=True, tallies=[work])
