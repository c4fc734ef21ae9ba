"""The filter and the assignments that a command line asks for: FIELD=value assigns, every other argument filters."""

from __future__ import annotations

import os
import sys

from ..command_line.options import Values, picks
from ..errors import UnknownName, UsageError, say, warn

STDERR = 2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .assignments import Assignments
    from .filters import Filter
    from .part import Part

# Words that only tcpdump's filters have.
PCAP_WORDS = frozenset(("host", "port", "portrange", "net", "src", "dst", "ether", "proto", "less", "greater", "gateway"))


def split_assignment(text: str) -> tuple[str, str, str] | None:
    """Takes `NAME.FIELD=value` apart into field, operator and value; None when it is no assignment."""
    name, equals, value = text.partition("=")
    if not equals or value.startswith("=") or name[-1:] in ("!", "<", ">"):
        return None
    operator = name[-1:] + "=" if name[-1:] in ("+", "-") else "="
    name = name[: len(name) - len(operator) + 1].strip()
    if "." not in name or not name.replace(".", "").replace("_", "").replace("[", "").replace("]", "").replace("-", "").isalnum():
        return None
    return name, operator, value


def arguments(values: Values, swapped: tuple[tuple[str, str], ...] = (), guard: Filter | None = None, follow: bool = False,
              part: Part | None = None, one: bool = False) -> tuple[Filter | None, Assignments | None]:  # fmt: skip
    """The filter and the assignments that a command line asks for, compiled; None where it asks for none.

    swapped: pairs of fields to exchange before anything is assigned. guard: assignments are only for packets that it accepts.
    follow: checksums follow them. part: which packets by their numbers and times. one: what filters is words of one expression in
    any case. Raises UsageError, PktError for a file of --bpf-file.
    """
    words, items = [], []
    for word in values.arguments:
        item = split_assignment(word)
        if item:
            items.append(item)
        else:
            words.append(word)
    keep = filter_of(values, words, part, one) if words or picks(values) or part else None
    if not (items or swapped):
        return keep, None
    from .assignments import Assignments  # late: filters assign nothing

    return keep, Assignments(items, swapped, guard, follow, values.seed)


def filter_of(values: Values, words: list[str], part: Part | None = None, one: bool = False) -> Filter:
    """The filter of a command line with these words: expressions, or parts of `one`. Raises UsageError, PktError."""
    from .expression import joins  # late: who only assigns filters nothing
    from .filters import Filter

    bpf = None
    if values.bpf is not None or values.bpf_file is not None:
        from .pcap_filters import bpf_of

        bpf = bpf_of(values)
    expressions = [" ".join(words)] if words and (one or joins(words)) else words
    try:
        keep = Filter(
            expressions, every=bool(values.every), reverse=bool(values.reverse), bpf=bpf,
            no_broadcast=bool(values.no_broadcast), no_multicast=bool(values.no_multicast), part=part,
        )  # fmt: skip
    except UsageError as error:
        words_there = " ".join(expressions).split() if hasattr(values, "input") else []
        files = [word for word in words_there if os.path.exists(word)]  # noqa: PTH110  pathlib is slow to import
        hint = f"; to read a file: --in {files[0]}" if files else ""
        if PCAP_WORDS.intersection(" ".join(expressions).lower().split()):
            hint = "; an expression of tcpdump's goes with --bpf"
            raise UsageError(str(error).partition(": did you mean")[0] + hint) from None  # none of ours was meant
        if values.takes_files:
            from .files import absent  # late: only for those who slipped

            missing = absent(words)
            if missing and isinstance(error, UnknownName) and error.word == missing.upper():  # else what is wrong comes before it
                raise UsageError(f"{missing}: there is no such file, and {error}") from None
        raise UsageError(f"{error}{hint}") from None
    tell_beside(values, expressions)
    return keep


def look_at_reverse(values: Values, keep: Filter | None) -> None:
    """Says it where a file stands behind -r, which reads one elsewhere: `tcpdump -r FILE`. Raises UsageError without a filter."""
    file = values.behind_reverse
    if keep is None or not keep.chooses:
        hint = "; files are read without an option" if file else ""
        raise UsageError(f"-r turns the filter around, and there is none{hint}")
    if file:
        warn(f"-r {file}: -r turns the filter around; files are read without an option")


def tell_beside(values: Values, expressions: list[str]) -> None:
    """Says on a terminal that of expressions beside each other one is enough: most people read `and` there."""
    if values.every or not os.isatty(STDERR):
        return
    from .expression import beside

    if beside(expressions):
        name = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib is slow to import
        say(f"{name}: '{' '.join(expressions)}': one of these is enough, as in 1.16; --and wants all")
