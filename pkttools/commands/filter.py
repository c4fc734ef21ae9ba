"""Lets packets through that match an expression.

pkt-filter 'UDP.DST_PORT in 53,5353 and IP.SRC_ADDR==10.0.0.0/8'

ICMP IP.TTL==1 is ICMP or IP.TTL==1; with --and both have to hold.

Comparisons == != < <= > >=, 'in' with values, ranges and prefixes, a layer's name alone; and, or, not, parentheses.
"""

from ..command_line.options import FILTER, FLAG, NUMBER, TEXT, Option, Values, filter_briefly, picks
from ..errors import UsageError, need
from ..flow.stage import Source, Stage
from ..language.arguments import arguments, filter_of, split_assignment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..language.assignments import Assignments
    from ..language.filters import Filter
    from ..language.part import Part

PART = [
    Option("--numbers", TEXT, "packets by their number, such as 1-9,20,30-", "LIST"),
    Option("--every", NUMBER, "each N-th packet that is read", "N", least=1),
    Option("--sample", TEXT, "a share of the packets, drawn: 5%, 1/20 (--seed)", "SHARE"),
    Option("--from", TEXT, "packets from WHEN on; +5s: after the first one", "WHEN"),
    Option("--until", TEXT, "packets before WHEN", "WHEN"),
]
SORTED = Option("--sorted", FLAG, "FILE is pcap and sorted: the rest of it is not read", end="first")
SHOWN = ("--fail-empty", "--fail-if", "--link-type")  # of those that have less room elsewhere
OPTIONS = [
    Option("-d --dump", FLAG, "print the compiled filter, and end; -dd, -ddd: for programs"),
    Option("-dd --dump-c", FLAG, "print the program of --bpf as C", hidden=True),
    Option("-ddd --dump-numbers", FLAG, "the same as numbers, for --bpf-file", hidden=True),
    *PART,
    SORTED,
    *(option if option.names[-1] in SHOWN else brief for option, brief in zip(FILTER, filter_briefly(), strict=True)),
]
ARGUMENTS = "[FILE]... EXPR..."
OWN = 0


def stage(values: Values) -> Stage:
    """Takes the words for one expression, so that it needs no quotes where the shell needs none."""
    need(not dumped(values), "-d, -dd and -ddd end before anything is filtered")
    assigned, asked = words(values)
    values.arguments = [*assigned, *asked]
    part = part_of(values)
    program = arguments(values, part=part, one=True)
    if values.sorted:
        return stage_of_sorted(values, part, program)
    return Stage(values, slip=True, program=program, last_number=part.last if part else None, account=lambda: said(values, part),
                 tallies=(), apart=not (part and (part.counts or part.waits)))  # fmt: skip


def stage_of_sorted(values: Values, part: "Part | None", program: "tuple[Filter | None, Assignments | None]") -> Stage:
    """Reads no more of sorted files than the part by time. Raises UsageError where more is needed."""
    if part is None or not part.times:
        raise UsageError("--sorted is for --from and --until")
    need(not part.counts and not (program[0] and program[0].asks_number),
         "--sorted: packets that are not read are not counted: no --numbers, --every, --sample, and no NUMBER")  # fmt: skip
    need(not values.reverse, "--sorted: -r wants what is not read")
    from ..formats.by_time import ByTime  # late: few ask for it

    reader = ByTime(part)
    return Stage(values, slip=True, program=program, source=lambda: Source(values, reader.packets), account=reader.said,
                 fails=lambda: reader.backwards > 0, tallies=[reader])  # fmt: skip


def part_of(values: Values) -> "Part | None":
    """What is wanted by numbers and times, if that is said. Raises UsageError."""
    if not values.given(PART):
        return None
    from ..language.part import Part  # late: few ask for it

    return Part(values)


def said(values: Values, part: "Part | None") -> list[str]:
    """What there is to say at the end."""
    return [f"--sample: seed {part.seed}"] if values.verbose and part and part.seed is not None else []


def instead(values: Values) -> list[str] | None:
    """The lines that -d, -dd or -ddd print instead of any work. Raises UsageError, PktError."""
    if not dumped(values):
        return None
    from ..bpf.classic import braces, numbers
    from ..language.listing import listing

    _, asked = words(values)
    part = part_of(values)
    chosen = filter_of(values, asked, part, one=True)
    linktype = 1 if values.link_type is None else values.link_type
    if chosen.bpf is None:
        need(values.dump, "-dd and -ddd are for --bpf: another filter has no such form")
        return listing(chosen.program(linktype))
    more = asked or part or values.reverse or values.no_broadcast or values.no_multicast
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


def words(values: Values) -> tuple[list[str], list[str]]:
    """The assignments, and the words of the expression. Raises UsageError where there is no filter at all."""
    assigned = [word for word in values.arguments if split_assignment(word)]
    others = [word for word in values.arguments if word not in assigned]
    joined = " ".join(others)
    need(all(map(str.strip, others)) or not joined.strip(), "filter '': a field expected, not the end")
    need(not split_assignment(joined), f"'{joined}' would assign; to compare, write ==")
    some = bool(values.limit or values.skip) and not assigned and not dumped(values)
    need(bool(joined) or picks(values) or bool(values.given(PART)) or some, missing(assigned))
    return assigned, others if joined else []


def missing(assigned: list[str]) -> str:
    """What to say when there is no expression."""
    hint = f"; '{assigned[0]}' assigns, to compare write ==" if assigned else ""
    return f"an expression is missing, such as 'UDP.DST_PORT==53' or --bpf 'udp port 53'{hint}"
