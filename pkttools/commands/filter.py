"""Lets packets through that match an expression.

pkt-filter 'UDP.DST_PORT in 53,5353 and IP.SRC_ADDR==10.0.0.0/8'

Comparisons == != < <= > >=, 'in' with values, ranges and prefixes, a layer's name alone; and, or, not, parentheses.
"""

from ..expression import split_assignment
from ..flow import Stage, need
from ..options import FILTER, Values

OPTIONS = FILTER
ARGUMENTS = "EXPR..."


def stage(values: Values) -> Stage:
    """Joins the words of the expression, so that it needs no quotes where the shell needs none."""
    assigned = [word for word in values.arguments if split_assignment(word)]
    joined = " ".join(word for word in values.arguments if word not in assigned)
    need(not split_assignment(joined), f"'{joined}' would assign; to compare, write ==")
    need(bool(joined or values.no_broadcast or values.no_multicast), missing(assigned))
    values.arguments = [*assigned, joined] if joined else assigned
    return Stage(values)


def missing(words: list[str]) -> str:
    """What to say when there is no expression."""
    hint = f"; '{words[0]}' assigns, to compare write ==" if words else ""
    return f"an expression is missing, such as 'UDP.DST_PORT==53'{hint}"
