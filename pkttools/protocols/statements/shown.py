"""How a header is shown, and which packet it answers."""

from __future__ import annotations

import re

from ..model import READERS, Answers, Line, Said
from .reader import Reader, statement
from .words import Words

ANSWERED_BY = re.compile(r"([A-Z][A-Z0-9_]*)(?:=([A-Z][A-Z0-9_]*)(?:\+([0-9]{1,5}))?(\+data)?)?")


@statement('show ["LABEL"] "TEMPLATE"')
def _show(reader: Reader, line: Line, words: Words) -> None:
    """A line of what pkt-analyze prints; without any all fields are."""
    header, first, second = reader.current(line), words.text(), words.text()
    if not first:
        raise words.wanted()
    words.done()
    header.show.append((first, second, line) if second else ("", first, line))


@statement('brief "LABEL" ["TEMPLATE"]')
def _brief(reader: Reader, line: Line, words: Words) -> None:
    """The line that stands for all of them; one of those above, by its label, or another one."""
    header, label, template = reader.current(line), words.text(), words.text()
    if not label:
        raise words.wanted()
    words.done()
    if not template:
        template = next((shown for known, shown, _ in header.show if known == label), "")
        if not template:
            raise line.wrong(f"no line '{label}' is shown of {header.name}")
    header.brief = label, template, line


@statement("between FIELD FIELD")
def _between(reader: Reader, line: Line, words: Words) -> None:
    """Whom it goes between, first from whom and then to whom: addresses, or ports. A line of a packet begins with these."""
    header = reader.current(line)
    if header.between:
        raise line.wrong(f"{header.name} is between others already ({header.between[2].place})")
    header.between = words.name("a field"), words.name("a field"), line
    words.done()


@statement("letters FIELD LETTER [FIELD LETTER]...")
def _letters(reader: Reader, line: Line, words: Words) -> None:
    """The bits that `{letters}` stands for in a template, a letter each, in that order."""
    header = reader.current(line)
    found: list[tuple[str, str]] = []
    while words.left or not found:
        found.append((words.name("a field"), words.take()))
    header.letters = tuple(found), line


@statement("answers HEADER [if TEST [and TEST]...] [to TEST [and TEST]...] [by FIELD[=FIELD[+N][+data]]...]")
def _answers(reader: Reader, line: Line, words: Words) -> None:
    """It answers such a header, where `if` holds of it, and `to` of that one; between the same two, the other way round.

    `by`: fields which both have the same of, or it the one and the header that asks the other; a number may be added to that one,
    and the bytes that it carries.
    """
    header, found = reader.current(line), Answers(words.name("a header"), line)
    found.tests, found.asked = words.tests(), words.tests(word="to")
    if words.took("by"):
        if not words.left:
            raise words.wanted()
        while words.left:
            match = ANSWERED_BY.fullmatch(words.take())
            if not match:
                raise words.wanted()
            found.by.append((match[1], match[2] or match[1], int(match[3] or 0), bool(match[4])))
    words.done()
    header.answers.append(found)


@statement('line [aside] "TEMPLATE" | reader NAME [if TEST [and TEST]...]')
def _line(reader: Reader, line: Line, words: Words) -> None:
    """What it says where a packet is a line, `pkt-analyze --line`: of several all that hold, with commas between.

    `aside`: in parentheses, behind all that is said of what it lies in. A test may also compare a field with another one. `reader`:
    what the codec reads of a message that no template can tell of; where it does, that is all there is to say of it.
    """
    header, said = reader.current(line), Said(line)
    said.aside = words.took("aside")
    if words.took("reader"):
        said.reader = words.take()
        if said.reader not in READERS or said.aside:
            raise line.wrong(f"no reader {said.reader}; there are {', '.join(READERS)}, and none is said aside")
    else:
        said.template = words.text()
        if not said.template:
            raise words.wanted()
    said.tests = words.tests(fields=True)
    words.done()
    header.lines.append(said)


@statement("quiet")
def _quiet(reader: Reader, line: Line, words: Words) -> None:
    """It is shown where applications are: 1.16 had what it begins as data."""
    reader.current(line).quiet = True
    words.done()


@statement("flags FIELD...")
def _flags(reader: Reader, line: Line, words: Words) -> None:
    """The bits that `{flags}` names in a template, in that order."""
    header, names = reader.current(line), [words.name("a field")]
    while words.left:
        names.append(words.name("a field"))
    header.flags = tuple(names), line
