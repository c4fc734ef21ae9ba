"""What --if says: which packets a command changes; the others it passes on."""

from __future__ import annotations

from ..command_line.options import TEXT, Option, Values
from ..language.arguments import tell_beside
from ..language.filters import Filter

CONDITION = Option("--if", TEXT, "change only what matches EXPR, pass on the rest", "EXPR")


def condition(values: Values) -> Filter | None:
    """The filter that --if asks for; None: it is not there. Raises UsageError."""
    if values.condition is None:
        return None
    found = Filter([values.condition], every=bool(values.every))
    tell_beside(values, [values.condition])
    return found


def conditions(values: Values) -> tuple[Filter | None, Filter | None]:
    """The same twice, for work and for assignments behind it: each of them counts packets for itself. Raises UsageError."""
    first = condition(values)
    return first, Filter([values.condition], every=bool(values.every)) if first else None
