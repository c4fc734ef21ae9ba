"""What --if says: which packets a command changes; the others it passes on."""

from __future__ import annotations

from ..command_line.options import TEXT, Option, Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..language.filters import Filter

CONDITION = Option("--if", TEXT, "change only what matches EXPR, pass on the rest", "EXPR")


def compiled(values: Values) -> Filter:
    """The filter of --if, which is there. Raises UsageError."""
    from ..language.filters import Filter  # late: most are asked for none

    return Filter([values.condition], every=bool(values.every))


def condition(values: Values) -> Filter | None:
    """The filter that --if asks for; None: it is not there. Raises UsageError."""
    if values.condition is None:
        return None
    from ..language.arguments import tell_beside

    found = compiled(values)
    tell_beside(values, [values.condition])
    return found


def conditions(values: Values) -> tuple[Filter | None, Filter | None]:
    """The same twice, for work and for assignments behind it: each of them counts packets for itself. Raises UsageError."""
    first = condition(values)
    return first, compiled(values) if first else None
