"""The words of a statement: names, numbers, text in quotes, tests; and what is wrong with them."""

from __future__ import annotations

import re

from ...errors import PktError
from ..model import FITTING, MOST_BYTES, MOST_TESTED, Line, Test

VALUE_FORM = 'NUMBER NAME|- ["TITLE"] [leaf] [tunnel]'  # title and what is behind it: of a space only
FORMS: dict[str, str] = {}  # what each statement takes, as its error message says it
WORD = re.compile(r'\s*(?:#.*|("(?:[^"\\]|\\.)*")(?=\s|$)|(?:(?!")\S)+|(.+))')
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
VALUE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NUMBER = re.compile(r"0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,20}")
RESERVED = {"and", "or", "not", "in"}  # words of filters, which a value's name would hide
MOST_BITS = 64  # of a number, with the bits in front of it in its first byte
MOST_NUMBER, MOST_VALUE = (1 << MOST_TESTED) - 1, (1 << MOST_BITS) - 1
COMPARISONS = ("==", "!=", "<", ">=")


class Text(str):
    """A word that stood in quotes."""

    __slots__ = ()


class Words:
    """The words of a statement, behind the first, taken one by one."""

    def __init__(self, line: Line) -> None:
        self.line, self.left = line, line.words[1:]

    def wanted(self) -> PktError:
        """The error that says what the statement takes."""
        return self.line.wrong(f"wanted: {FORMS.get(self.line.words[0], VALUE_FORM)}")

    def take(self) -> str:
        """The next word; an error if there is none."""
        if not self.left:
            raise self.wanted()
        return self.left.pop(0)

    def took(self, word: str) -> bool:
        """Whether the next word is this one; then it is taken."""
        if self.left and self.left[0] == word and not isinstance(self.left[0], Text):
            del self.left[0]
            return True
        return False

    def name(self, what: str) -> str:
        """The next word, a name of the kind `what`."""
        word = self.take()
        if isinstance(word, Text) or not NAME.fullmatch(word):
            raise self.line.wrong(f"'{word}' is no name of {what}: capital letters, digits and underscores")
        return word

    def full_name(self) -> str:
        """The next word, a name of a field, maybe with the protocol that it is of in front and a dot."""
        word = self.take()
        protocol, dot, name = word.rpartition(".")
        if isinstance(word, Text) or not NAME.fullmatch(name) or (dot and not NAME.fullmatch(protocol)):
            raise self.line.wrong(f"'{word}' is no name of a field: capital letters, digits and underscores")
        return word

    def number(self, most: int = MOST_VALUE, what: str = "number") -> int:
        """The next word, a number up to `most`."""
        return self.number_of(self.take(), most, what)

    def number_of(self, word: str, most: int = MOST_VALUE, what: str = "number") -> int:
        """The number that a word is."""
        if isinstance(word, Text) or not NUMBER.fullmatch(word):
            raise self.line.wrong(f"bad {what} '{word}': decimal, or hexadecimal with 0x")
        value = int(word, 0) if word[:2] in ("0x", "0X") else int(word)
        if value > most:
            raise self.line.wrong(f"bad {what} '{word}': at most {most}")
        return value

    def numeric(self) -> bool:
        """Whether the next word is a number."""
        return bool(self.left) and not isinstance(self.left[0], Text) and self.left[0][:1].isdigit()

    def linear(self) -> tuple[str, int, int]:
        """FIELD [* N] [+|- N]: the field, by what it is multiplied, and what is added."""
        field = self.name("a field")
        factor = self.number(MOST_BYTES) if self.took("*") else 1
        if self.took("-"):
            return field, factor, -self.number(MOST_BYTES)
        return field, factor, self.number(MOST_BYTES) if self.took("+") else 0

    def text(self, otherwise: str = "") -> str:
        """The next word, which is in quotes; `otherwise` if there is none."""
        if self.left and isinstance(self.left[0], Text):
            return self.left.pop(0)
        return otherwise

    def done(self) -> None:
        """Raises the error of a word that is too many."""
        if self.left:
            raise self.line.wrong(f"'{self.left[0]}' is too much here; wanted: {FORMS.get(self.line.words[0], VALUE_FORM)}")

    def tests(self, fields: bool = False, word: str = "if") -> list[Test]:
        """`if TEST and TEST...`, if it is there; with `fields`, they may be compared with each other. word: instead of `if`."""
        found = []
        if self.took(word):
            found.append(self.test(fields))
            while self.took("and"):
                found.append(self.test(fields))
        return found

    def test(self, fields: bool = False) -> Test:
        """FIELD, FIELD & MASK, FIELD == VALUE, FIELD & MASK == VALUE, FIELD fits, FIELD fills; FIELD == FIELD."""
        word = self.left[0] if self.left else ""
        if joined := [sign for sign in (*COMPARISONS, "&") if sign in word and sign != word]:
            raise self.line.wrong(f"'{word}' is no name of a field: blanks stand around {joined[0]}")
        field = self.name("a field")
        for fitting in FITTING:
            if self.took(fitting):
                return Test(field, -1, fitting, 0, self.line)
        mask = self.number(MOST_NUMBER) if self.took("&") else -1
        for comparison in COMPARISONS:
            if self.took(comparison):
                if fields and self.left and NAME.fullmatch(self.left[0]):
                    return Test(field, mask, comparison, 0, self.line, self.name("a field"))
                return Test(field, mask, comparison, self.number(), self.line)
        return Test(field, mask, "!=", 0, self.line)


def value_name(word: str, line: Line) -> str:
    """A name of a value, as filters take it; `-` for none."""
    if word == "-":
        return ""
    if isinstance(word, Text) or not VALUE_NAME.fullmatch(word) or word in RESERVED:
        raise line.wrong(f"'{word}' is no name of a value: small letters, digits, dashes and underscores")
    return word


def words_of(row: str, line: Line) -> list[str]:
    """The words of a line, without its comment."""
    words = row.split()
    if words[:1] == ["source"]:  # for people, in their own words
        return words
    words = []
    for match in WORD.finditer(row.rstrip()):
        quoted, rest = match[1], match[2]
        if rest:
            raise line.wrong(f"a quote is missing: {rest[:40]}")
        if quoted:
            words.append(Text(re.sub(r"\\(.)", lambda one: "\t" if one[1] == "t" else one[1], quoted[1:-1])))
        elif (word := match[0].strip()) and not word.startswith("#"):
            words.append(word)
        else:
            break
    return words
