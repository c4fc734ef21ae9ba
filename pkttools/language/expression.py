"""The language of filters, and what it compiles to.

    list    one or more expressions; any one that holds lets the packet through, with --and all have to
    expr    expr `or` expr | expr `and` expr | `not` expr | `(` list `)` | test
    test    LAYER | [`any`] ASKED [`&` mask] [op value | op ASKED | `in` item,item,...]
            | [`any`] ASKED `contains` octets | [`any`] ASKED `matches` RE
    op      == != < <= > >=, or eq ne lt le gt ge
    item    value | value-value | value..value | address/bits
    value   a number, a name, an address, a date, bytes in hex, or a text, in double quotes where it is more than a word

ASKED is what asked.py tells of: NAME.FIELD of the table in any case, `NAME.FIELD[2]` its second occurrence, `[-1]` its last;
either end, or a fact of the packet. Tests that compare are read by comparing.py.
"""

from __future__ import annotations

import sys

from ..codec import program
from ..errors import UsageError
from ..protocols.fields import FIELDS, LAYERS
from .program import ALL_BITS, FACTS, MATCHES, ROWS, Operand, halves, kinds_set, name_of, packed

TYPE_CHECKING = False  # typing's own is dear at start-up
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..batch import Program
    from .program import Constant

    Tree = tuple[Any, ...]  # what it is comes first: `and`, `or`, `not`, `layer`, `bpf`, `test`, `matches`

COMPARE = {"==": program.EQUAL, "!=": program.UNEQUAL, "<": program.LESS, "<=": program.AT_MOST,
           ">": program.MORE, ">=": program.AT_LEAST}  # fmt: skip
WORDS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPERATORS = frozenset((*COMPARE, *WORDS, "in", "contains", "matches", "&"))
SPELLINGS = {"&&": "and", "||": "or", "!": "not"}
# Words that stand between others, in an expression for which no quotes were needed in the shell.
JOINING = OPERATORS | {"and", "or", "not", "any", "(", ")", *SPELLINGS}


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

    def peek(self, further: int = 0) -> str:
        """The next token, or one behind it; nothing at the end."""
        return self.tokens[self.at + further] if self.at + further < len(self.tokens) else ""

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
        every = self.peek().lower() == "any" and self.peek(1)[:1].isalnum()
        self.at += every
        name = self.peek().partition("&")[0]
        if not name[:1].isalnum() or name.lower() in ("and", "or", "in"):
            raise self.fail("a field")
        known = name.upper()
        if known in LAYERS and not (known in FACTS and (every or self.peek(1).lower() in OPERATORS)):
            self.at += 1
            return ("layer", known)
        from .comparing import comparison  # late: who asks for layers alone compares nothing

        return comparison(self, every)

    def value(self) -> str:
        """The next token as a value."""
        if self.peek() in ("", "(", ")", "=") or self.peek() in COMPARE:
            raise self.fail("a value")
        self.at += 1
        return self.tokens[self.at - 1]


def joined(how: str, trees: list[Tree]) -> Tree:
    """One tree of several, joined by `and` or `or`."""
    return trees[0] if len(trees) == 1 else (how, trees)


class Tests:
    """A filter under construction: tests are added in order, jumps may go to labels that come later."""

    def __init__(self) -> None:
        self.code: list[list[list[int] | int]] = []
        self.constants = bytearray()

    def add(self, field: int, occurrence: int, compare: int, value: Constant, mask: int, yes: list[int] | int,
            no: list[int] | int) -> None:  # fmt: skip
        """A test: a field, by its place in the table, or a fact of the packet, against `value` under `mask`.

        Of LAYER and BPF there is the value alone; of WITHIN there are two, the first and the last one, of SAMPLE of 1 << 64 so many
        and the seed; an Operand is another field, with its occurrence.
        """
        number, data, other = 0, b"", (program.NOTHING, 0)
        if isinstance(value, bytes):
            data = value
        elif isinstance(value, int):
            number = value
        elif isinstance(value, Operand):
            other = value.field, value.occurrence
        else:
            number, last = value
            data = last.to_bytes(8, sys.byteorder) if compare == program.SAMPLE else packed([*halves(last)])
        columns = [*halves(number), *halves(mask), len(self.constants), len(data), *other]
        self.code.append([field, occurrence, compare, *columns, yes, no])
        self.constants += data

    def label(self) -> list[int]:
        """A place to jump to, not known yet."""
        return []

    def bind(self, label: list[int]) -> None:
        """Lets `label` mean the next test."""
        label.append(len(self.code))

    def program(self) -> Program:
        """The finished program."""
        code = [c[0] if isinstance(c, list) else c for test in self.code for c in test]
        return ROWS, packed(code), bytes(self.constants)


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
        case ("matches", row, occurrence, pattern):
            tests.add(row, occurrence, MATCHES, pattern, ALL_BITS, yes, no)


def leaves(tree: Tree) -> Iterator[Tree]:
    """The tests that a tree consists of, from left to right."""
    match tree:
        case ("and" | "or", parts):
            for part in parts:
                yield from leaves(part)
        case ("not", inner):
            yield from leaves(inner)
        case _:
            yield tree


def patterns_in(tree: Tree) -> list[Tree]:
    """The tests that ask what fields match, each once."""
    return list(dict.fromkeys(test for test in leaves(tree) if test[0] == "matches"))


def asked_in(tree: Tree) -> set[str]:
    """The fields, and facts of a packet, that a tree asks for, by name."""
    tests = [test for test in leaves(tree) if test[0] in ("test", "matches")]
    others = [value.field for test in tests for value in test if isinstance(value, Operand)]
    return {name_of(index) for index in [test[1] for test in tests] + others}


def any_of(expressions: list[str], every: bool = False) -> Tree:
    """The tree of expressions of which any one may hold. every: all have to."""
    return joined("and" if every else "or", [Parser(text, every).parse() for text in expressions])


def joins(words: list[str]) -> bool:
    """Whether arguments are words of one expression, which stands without quotes: `UDP.SIZE gt 100`."""
    return any(word.lower() in JOINING for word in words)


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
