"""Lets packets through that match an expression.

pkt-filter 'UDP.DST_PORT in 53,5353 and IP.SRC_ADDR==10.0.0.0/8'

ICMP IP.TTL==1 is ICMP or IP.TTL==1; with --and both have to hold.

Comparisons == != < <= > >=, 'in' with values, ranges and prefixes, a layer's name alone; and, or, not, parentheses.
"""

from ..command_line.options import FILTER, FLAG, Option, Values, picks
from ..errors import need
from ..flow.stage import Stage
from ..language.arguments import filter_of
from ..language.expression import split_assignment

OPTIONS = [
    Option("-d --dump", FLAG, "print the compiled filter, and end; -dd, -ddd: for programs"),
    Option("-dd --dump-c", FLAG, "print the program of --bpf as C", hidden=True),
    Option("-ddd --dump-numbers", FLAG, "the same as numbers, for --bpf-file", hidden=True),
    *(option.unshown() if option.names[-1] == "--bpf-file" else option for option in FILTER),
]
ARGUMENTS = "[FILE]... EXPR..."
OWN = 0


def stage(values: Values) -> Stage:
    """Joins the words of the expression, so that it needs no quotes where the shell needs none."""
    need(not dumped(values), "-d, -dd and -ddd end before anything is filtered")
    assigned, joined = words(values)
    values.arguments = [*assigned, joined] if joined else assigned
    return Stage(values, slip=True)


def instead(values: Values) -> list[str] | None:
    """The lines that -d, -dd or -ddd print instead of any work. Raises UsageError, PktError."""
    if not dumped(values):
        return None
    from ..bpf.classic import braces, numbers
    from ..language.listing import listing

    _, joined = words(values)
    chosen = filter_of(values, [joined] if joined else [])
    linktype = 1 if values.link_type is None else values.link_type
    if chosen.bpf is None:
        need(values.dump, "-dd and -ddd are for --bpf: another filter has no such form")
        return listing(chosen.program(linktype))
    more = joined or values.reverse or values.no_broadcast or values.no_multicast
    need(values.dump or not more, "-dd and -ddd are for --bpf alone: what else is filtered has no such form")
    instructions = chosen.bpf.instructions(linktype)
    if values.dump_numbers:
        return numbers(instructions)
    if values.dump_c:
        return braces(instructions)
    from ..libpcap import image

    return (listing(chosen.program(linktype)) if more else []) + image(instructions)


def dumped(values: Values) -> bool:
    """Whether only the program is asked for."""
    return values.dump or values.dump_c or values.dump_numbers


def words(values: Values) -> tuple[list[str], str]:
    """The assignments, and the expression that the other words are. Raises UsageError where there is no filter at all."""
    assigned = [word for word in values.arguments if split_assignment(word)]
    joined = " ".join(word for word in values.arguments if word not in assigned)
    need(not split_assignment(joined), f"'{joined}' would assign; to compare, write ==")
    need(bool(joined) or picks(values), missing(assigned))
    return assigned, joined


def missing(assigned: list[str]) -> str:
    """What to say when there is no expression."""
    hint = f"; '{assigned[0]}' assigns, to compare write ==" if assigned else ""
    return f"an expression is missing, such as 'UDP.DST_PORT==53' or --bpf 'udp port 53'{hint}"
