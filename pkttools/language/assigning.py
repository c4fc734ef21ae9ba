"""The language of assignments, and what it compiles to.

    assign  FIELD=value | FIELD=FIELD | FIELD=values | FIELD+=value | FIELD-=value

FIELD is NAME.FIELD of the table in any case, `NAME.FIELD[2]` its second occurrence, `[-1]` its last. value: as expression.py has
it; values: see series.py.
"""

from __future__ import annotations

from ..codec import program
from ..errors import UsageError
from ..protocols.fields import DATA, FIELDS, IPV4, IPV6, TEXT, Row
from ..protocols.values import check_assignable, field, parse_step, rows_of
from .constants import constant
from .program import Operand, assignments_program, ends, is_asked

TYPE_CHECKING = False  # typing's own is dear at start-up
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..batch import Program
    from .series import Upcoming

    Assignment = tuple[int, int, int, bool, int | bytes | Operand]

ASSIGN = {"=": program.SET, "+=": program.ADD, "-=": program.SUBTRACT}


def assignments(items: list[tuple[str, str, str]], swapped: tuple[tuple[str, str], ...] = ()) -> Program:
    """Compiles assignments: field, operator, value. The k-th value of a field goes to its k-th occurrence.

    swapped: pairs of fields to exchange first, where a packet has both. Raises UsageError.
    """
    return varied(items, swapped)[0]


def varied(items: list[tuple[str, str, str]], swapped: tuple[tuple[str, str], ...] = (),
           seed: Callable[[str], int] | None = None) -> tuple[Program, list[tuple[int, Upcoming]]]:  # fmt: skip
    """The same, and the values of those that give another one in each packet, with their number in the program.

    seed: gives one for what is drawn, by a name; None: no field may vary. Raises UsageError.
    """
    seen: dict[str, int] = {}
    series: list[tuple[int, Upcoming]] = []
    compiled: list[Assignment] = [(program.SWAP, FIELDS[a][0], 1, True, Operand(FIELDS[b][0])) for a, b in swapped]
    for text, operator, value_text in items:
        if both := ends(text.upper().partition("[")[0]):
            raise UsageError(f"{text}: either end can be asked for; {both[0]} and {both[1]} can be set")
        name, indexes, occurrence = field(text)
        rows = rows_of(indexes)
        what = ASSIGN[operator]
        value: int | bytes | Operand = 0
        if operator == "=":
            seen[name] = seen.get(name, 0) + 1
            if is_asked(value_text.strip(), rows[0].kind in (DATA, TEXT)):
                what, value = program.COPY, copied(name, rows, value_text.strip())
            elif seed and varies(rows, value_text):
                what = program.NEXT
                series.append((len(compiled), values_of(name, rows, value_text, seed, seen[name])))
            else:
                value = constant(name, rows, value_text)
                if isinstance(value, int):
                    check_assignable(name, rows, value)
        else:
            value = parse_step(name, rows, value_text)
        exact = occurrence is not None or operator != "="
        compiled.append((what, indexes[0], occurrence or (seen[name] if operator == "=" else 1), exact, value))
    return assignments_program(compiled), series


def copied(name: str, rows: list[Row], text: str) -> Operand:
    """The field whose value another one gets. Raises UsageError."""
    from .asked import Asked, asked  # late: most get one that is written

    found = asked(text)
    if len(found) > 1 or not found[0].rows:
        raise UsageError(f"{name}={text}: it gets the value of one field")
    wanted = Asked(name, rows[0].kind, 0, 1, rows)
    if not wanted.goes_with(found[0]):
        raise UsageError(f"{name}={text}: {name} is {wanted.kind_said}, and {found[0].name} is {found[0].kind_said}")
    return found[0].operand


def varies(rows: list[Row], text: str) -> bool:
    """Whether a value is none for all packets: a list, a range, or drawn."""
    if rows[0].kind in (DATA, TEXT):
        return False
    word = text.strip().lower().partition(":")[0]
    drawn = word == "random" and "random" not in (rows[0].names or {}).values()
    return drawn or "," in text or ".." in text or ("/" in text and rows[0].kind in (IPV4, IPV6))


def values_of(name: str, rows: list[Row], text: str, seed: Callable[[str], int], which: int) -> Upcoming:
    """The values that a field gets, packet after packet. which: of several for it. Raises UsageError."""
    from .series import Upcoming, field_values  # late: seldom

    return Upcoming(field_values(name, rows, text, seed(name if which == 1 else f"{name} {which}")))
