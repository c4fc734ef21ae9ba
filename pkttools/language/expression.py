"""The language of filters and assignments, and what it compiles to.

    list    one or more expressions; any one that holds lets the packet through, with --and all have to
    expr    expr `or` expr | expr `and` expr | `not` expr | `(` list `)` | test
    test    FIELD | LAYER | FIELD op value | FIELD `in` item,item,...
    op      == != < <= > >=          item   value | value-value | address/bits
    value   a number, a name, an address, bytes in hex, or a text, in double quotes where it is more than a word
    assign  FIELD=value | FIELD+=value | FIELD-=value

FIELD is NAME.FIELD of the table in any case, `NAME.FIELD[2]` its second occurrence, `[-1]` its last.
"""

from __future__ import annotations

from ..codec import program
from ..errors import UsageError
from ..protocols.fields import DATA, FAMILY, FIELDS, INT, IPV4, IPV6, LAYERS, LITTLE, TABLE, Row
from ..protocols.values import HEX, check_assignable, field, parse_number, parse_step, parse_value, rows_of, unknown_name
from .program import ALL_BITS, Tests, assignments_program, kinds_set

TYPE_CHECKING = False  # typing's own is dear at start-up
if TYPE_CHECKING:
    from typing import Any

    from ..batch import Program

    Tree = tuple[Any, ...]  # what it is comes first: `and`, `or`, `not`, `layer`, `bpf`, `test`

COMPARE = {"==": program.EQUAL, "!=": program.UNEQUAL, "<": program.LESS, "<=": program.AT_MOST,
           ">": program.MORE, ">=": program.AT_LEAST}  # fmt: skip
ASSIGN = {"=": program.SET, "+=": program.ADD, "-=": program.SUBTRACT}
SPELLINGS = {"&&": "and", "||": "or", "!": "not"}


# ---- assignments ----


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


def assignments(items: list[tuple[str, str, str]], swapped: tuple[tuple[str, str], ...] = ()) -> Program:
    """Compiles assignments: field, operator, value. The k-th value of a field goes to its k-th occurrence.

    swapped: pairs of fields to exchange first, where a packet has both.
    """
    seen: dict[str, int] = {}
    compiled: list[tuple[int, int, int, bool, int | bytes, int]] = [
        (program.SWAP, FIELDS[a][0], 1, True, 0, FIELDS[b][0]) for a, b in swapped
    ]
    for text, operator, value_text in items:
        name, indexes, occurrence = field(text)
        rows = rows_of(indexes)
        if operator == "=":
            seen[name] = seen.get(name, 0) + 1
            value: int | bytes = parse_value(name, rows, value_text)
            if isinstance(value, int):
                check_assignable(name, rows, value)
        else:
            value = parse_step(name, rows, value_text)
        exact = occurrence is not None or operator != "="
        compiled.append((ASSIGN[operator], indexes[0], occurrence or (seen[name] if operator == "=" else 1), exact, value, 0))
    return assignments_program(compiled)


# ---- filters ----


def tokens(text: str) -> list[str]:
    """Cuts an expression into words, operators and parentheses."""
    out: list[str] = []
    at = 0
    while at < len(text):
        two = text[at : at + 2]
        if text[at].isspace():
            at += 1
        elif two in COMPARE or two in SPELLINGS:
            out.append(two)
            at += 2
        elif text[at] in "()<>!=":
            out.append(text[at])
            at += 1
        else:
            start = at
            while at < len(text) and not text[at].isspace() and text[at] not in "()<>!=" and text[at : at + 2] not in SPELLINGS:
                quoted = text[at] == '"'  # up to the next one everything belongs to the word
                at = (text.find('"', at + 1) + 1 or len(text)) if quoted else at + 1
            out.append(text[start:at])
    return [SPELLINGS.get(token, token) for token in out]


class Parser:
    """Recursive descent over tokens; gives a tree of tuples.

    every: of expressions beside each other all have to hold, not one. beside: whether there were some.
    """

    def __init__(self, text: str, every: bool = False) -> None:
        self.text, self.every, self.beside = text, every, False
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        """The next token, or nothing at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, word: str) -> bool:
        """Takes `word` if it is next."""
        if self.peek().lower() == word:
            self.at += 1
            return True
        return False

    def fail(self, expected: str) -> UsageError:
        """The error for what is next."""
        found = f"'{self.peek()}'" if self.peek() else "the end"
        return UsageError(f"filter '{self.text}': {expected} expected, not {found}")

    def parse(self) -> Tree:
        """The tree of the whole text."""
        tree = self.several()
        if self.peek():
            raise self.fail("an expression")
        return tree

    def several(self) -> Tree:
        """One or more expressions beside each other."""
        trees = [self.either()]
        while self.peek() not in ("", ")"):
            trees.append(self.either())
            self.beside = True
        return joined("and" if self.every else "or", trees)

    def either(self) -> Tree:
        """Joined by `or`."""
        trees = [self.both()]
        while self.take("or"):
            trees.append(self.both())
        return joined("or", trees)

    def both(self) -> Tree:
        """Joined by `and`."""
        trees = [self.unary()]
        while self.take("and"):
            trees.append(self.unary())
        return joined("and", trees)

    def unary(self) -> Tree:
        """`not`, parentheses, or a test."""
        self.depth += 1
        if self.depth > 200:
            raise UsageError("filter: nested too deeply")
        if self.take("not"):
            tree: Tree = ("not", self.unary())
        elif self.take("("):
            tree = self.several()
            if not self.take(")"):
                raise self.fail("')'")
        else:
            tree = self.test()
        self.depth -= 1
        return tree

    def test(self) -> Tree:
        """A layer, a field, or a comparison."""
        name = self.peek()
        if not name[:1].isalnum():
            raise self.fail("a field")
        self.at += 1
        if name.upper() in LAYERS:
            return ("layer", name.upper())
        if "." not in name and name.lower() not in ("and", "or", "in"):
            raise UsageError(unknown_name(name.upper(), [*LAYERS, *FIELDS], "layer"))
        if name.lower() in ("and", "or", "in"):
            self.at -= 1
            raise self.fail("a field")
        name, indexes, occurrence = field(name)
        operator = self.peek()
        if operator in COMPARE:
            self.at += 1
            return self.comparison(name, indexes, occurrence or 1, operator)
        if operator == "=":
            raise UsageError(f"filter '{self.text}': to compare, write {name}==...")
        if self.take("in"):
            return self.membership(name, indexes, occurrence or 1)
        return ("test", indexes[0], occurrence or 1, program.PRESENT, 0, ALL_BITS)

    def value(self) -> str:
        """The next token as a value."""
        if self.peek() in ("", "(", ")", "=") or self.peek() in COMPARE:
            raise self.fail("a value")
        self.at += 1
        return self.tokens[self.at - 1]

    def comparison(self, name: str, indexes: list[int], occurrence: int, operator: str) -> Tree:
        """A field, an operator, a value."""
        text = self.value()
        while TABLE[indexes[0]].kind == DATA and self.peek() and HEX.issuperset(self.peek()):
            text += " " + self.value()
        value, mask = with_mask(name, rows_of(indexes), text)
        if mask != ALL_BITS and operator not in ("==", "!="):
            raise UsageError(f"{name}: an address with /bits goes with == and !=")
        return ("test", indexes[0], occurrence, COMPARE[operator], value, mask)

    def membership(self, name: str, indexes: list[int], occurrence: int) -> Tree:
        """A field in a set."""
        text = self.value()
        while text.endswith(",") or self.peek().startswith(","):
            text += self.value()
        rows = rows_of(indexes)
        if rows[0].kind == DATA:
            raise UsageError(f"{name}: data can be compared, not looked up in a set")
        trees: list[Tree] = []
        for item in set_items(text):
            if not item:
                raise UsageError(f"{name}: an item is missing in '{text}'")
            low, dash, high = item.partition("-")
            if dash and rows[0].kind in (INT, FAMILY, LITTLE, IPV4, IPV6) and item.lower() not in (rows[0].names or {}).values():
                first, last = parse_value(name, rows, low), parse_value(name, rows, high)
                if first > last:  # type: ignore[operator]  # numbers, by the kinds above
                    raise UsageError(f"{name}: {item}: the range is empty")
                trees.append(("and", [("test", indexes[0], occurrence, program.AT_LEAST, first, ALL_BITS),
                                      ("test", indexes[0], occurrence, program.AT_MOST, last, ALL_BITS)]))  # fmt: skip
            else:
                trees.append(("test", indexes[0], occurrence, program.EQUAL, *with_mask(name, rows, item)))
        return joined("or", trees)


def set_items(text: str) -> list[str]:
    """The items of a set: cut at commas, but not at those in quotes."""
    parts = text.split('"')
    parts[::2] = [part.replace(",", "\0") for part in parts[::2]]
    return '"'.join(parts).split("\0")


def joined(how: str, trees: list[Tree]) -> Tree:
    """One tree of several, joined by `and` or `or`."""
    return trees[0] if len(trees) == 1 else (how, trees)


def with_mask(name: str, rows: list[Row], text: str) -> tuple[int | bytes, int]:
    """A value and the bits that count: all, or those of a prefix such as `10.0.0.0/8`."""
    address, slash, bits = text.partition("/")
    if not slash or rows[0].kind not in (IPV4, IPV6):
        return parse_value(name, rows, text), ALL_BITS
    value, prefix, width = parse_value(name, rows, address), parse_number(bits), rows[0].width
    if prefix is None or prefix > width:
        raise UsageError(f"{name}: '/{bits}' is not a prefix length up to {width}")
    mask = ((1 << width) - 1) ^ ((1 << (width - prefix)) - 1)
    return value & mask, mask  # type: ignore[operator]  # a number, by the kinds above


def emit(tests: Tests, tree: Tree, yes: list[int] | int, no: list[int] | int) -> None:
    """Adds the tests of a tree; control goes to `yes` or `no` when its verdict is known."""
    match tree:
        case ("and" | "or" as how, parts):
            for part in parts[:-1]:
                further = tests.label()
                emit(tests, part, *((further, no) if how == "and" else (yes, further)))
                tests.bind(further)
            emit(tests, parts[-1], yes, no)
        case ("not", inner):
            emit(tests, inner, no, yes)
        case ("layer", name):
            tests.add(0, 1, program.LAYER, kinds_set(LAYERS[name]), ALL_BITS, yes, no)
        case ("bpf", instructions):
            tests.add(0, 1, program.BPF, instructions, ALL_BITS, yes, no)
        case ("test", row, occurrence, compare, value, mask):
            tests.add(row, occurrence, compare, value, mask, yes, no)


def any_of(expressions: list[str], every: bool = False) -> Tree:
    """The tree of expressions of which any one may hold. every: all have to."""
    return joined("and" if every else "or", [Parser(text, every).parse() for text in expressions])


def beside(expressions: list[str]) -> bool:
    """Whether expressions stand beside each other without a word that says how. Raises UsageError."""
    parsers = [Parser(text) for text in expressions]
    return len([parser.parse() for parser in parsers]) > 1 or any(parser.beside for parser in parsers)


def compiled(tree: Tree) -> Program:
    """The program of a tree."""
    tests = Tests()
    emit(tests, tree, program.ACCEPT, program.REJECT)
    return tests.program()


BROADCAST = ("test", FIELDS["ETHERNET.DST_ADDR"][0], 1, program.EQUAL, 0xFFFFFFFFFFFF, ALL_BITS)
GROUP = ("test", FIELDS["ETHERNET.DST_ADDR"][0], 1, program.EQUAL, 1 << 40, 1 << 40)


def broadcast_and_groups(no_broadcast: bool, no_multicast: bool) -> list[Tree]:
    """What has to hold besides where frames to the broadcast address, or to other group addresses, are to be dropped."""
    trees: list[Tree] = []
    if no_broadcast:
        trees.append(("not", BROADCAST))
    if no_multicast:
        trees.append(("or", [("not", GROUP), BROADCAST]))
    return trees
