"""How long a header is, and what comes next."""

from __future__ import annotations

from ..model import EXCEPTIONS, MOST_BYTES, MOST_TESTED, PARTIAL, Line, Next, Size
from .reader import Reader, statement
from .words import NAME, Words

MOST_STOPS = 4  # bytes that end a header


@statement("fixed BYTES")
def _fixed(reader: Reader, line: Line, words: Words) -> None:
    """Bytes that have to be there; without the statement what the fields make."""
    reader.current(line).fixed = words.number(MOST_BYTES)
    words.done()


@statement("align BYTES")
def _align(reader: Reader, line: Line, words: Words) -> None:
    """Its size is a multiple of so many bytes."""
    header = reader.current(line)
    header.align = words.number(64)
    if header.align == 0:
        raise line.wrong("bad number '0': at least 1")
    words.done()


@statement("until BYTE...")
def _until(reader: Reader, line: Line, words: Words) -> None:
    """Its size goes on up to the first of these bytes, at most four, which is none of it; or to the end of what it lies in."""
    header, stops = reader.current(line), [words.number(0xFF)]
    while words.left:
        stops.append(words.number(0xFF))
    if len(stops) > MOST_STOPS:
        raise line.wrong(f"at most {MOST_STOPS} bytes")
    header.until = bytes(stops)


@statement("trailer BYTES")
def _trailer(reader: Reader, line: Line, words: Words) -> None:
    """Bytes at its end that are no data, such as a checksum."""
    reader.current(line).trailer = words.number(256)
    words.done()


def _size_of(line: Line, words: Words) -> Size:
    """NUMBER | FIELD [* UNIT] [+ NUMBER] [if TEST...]."""
    size = Size(line)
    if words.numeric():
        size.number = words.number(MOST_BYTES)
    else:
        size.field, size.unit, size.number = words.linear()
    if line.words[0] == "size" and words.took("or"):
        if not words.took("all"):
            raise words.wanted()
        size.or_all = True
    size.tests = words.tests()
    words.done()
    return size


@statement("size BYTES | FIELD [* N] [+|- N] [or all]")
def _size(reader: Reader, line: Line, words: Words) -> None:
    """How long the whole header is; without the statement its fixed part.

    Where that is more than there is, what is behind the fixed part are its data, or, with `or all`, nothing is.
    """
    header = reader.current(line)
    if header.size:
        raise line.wrong(f"{header.name} has a size already ({header.size[0].line.place}); `more` adds to it")
    header.size.append(_size_of(line, words))
    if header.size[0].tests:
        raise line.wrong("a size is always so; `more` adds to it under a condition")


@statement("more BYTES | FIELD [* N] [+|- N] [if TEST [and TEST]...]")
def _more(reader: Reader, line: Line, words: Words) -> None:
    """What else belongs to the header, behind its fixed part."""
    header = reader.current(line)
    if not header.size:
        header.size.append(Size(line))
        header.size[0].fixed = True
    header.size.append(_size_of(line, words))


@statement("end size | [inside] [here] BYTES | FIELD [* N] [+|- N] [if TEST [and TEST]...]")
def _end(reader: Reader, line: Line, words: Words) -> None:
    """Where the header and its data end, from its start on, never beyond what encloses it.

    `size`: it has no data. `inside`: what is in it ends there; it goes on, with padding, to the end of what encloses it. `here`:
    what is counted begins behind the fields above, those that are there.
    """
    header = reader.current(line)
    if header.end or header.own_end:
        raise line.wrong(f"{header.name} has two ends")
    if words.took("size"):
        words.done()
        header.own_end = True
        return
    header.inside = words.took("inside")
    here = header.bits // 8 if words.took("here") else 0
    header.end = _size_of(line, words)
    header.end.number += here


@statement("then HEADER")
def _then(reader: Reader, line: Line, words: Words) -> None:
    """What stands behind its end, in what encloses it; what is in front of that end comes first."""
    header = reader.current(line)
    header.then, header.then_line = words.name("a header"), line
    words.done()


@statement("whole if TEST [and TEST]...")
def _whole(reader: Reader, line: Line, words: Words) -> None:
    """Only then headers follow; else what is behind it is a piece."""
    header = reader.current(line)
    if not words.left or words.left[0] != "if":
        raise words.wanted()
    header.whole = words.tests()
    words.done()


@statement(f"partial {'|'.join(PARTIAL)}...")
def _partial(reader: Reader, line: Line, words: Words) -> None:
    """Where a packet is partial because of it.

    cut: it is announced, and not there as far as it has to be. inside: the same, if it is not the first one. deep: too many
    headers are in front of it. size: its size is impossible.
    """
    header = reader.current(line)
    while True:
        word = words.take()
        if word not in PARTIAL:
            raise words.wanted()
        header.partial.append(word)
        if not words.left:
            return


@statement(f"exception {'|'.join(EXCEPTIONS)}")
def _exception(reader: Reader, line: Line, words: Words) -> None:
    """What is done that no statement can say."""
    header, word = reader.current(line), words.take()
    if word not in EXCEPTIONS:
        raise words.wanted()
    words.done()
    header.exception = word


@statement("next HEADER | SPACE FIELD | SPACE behind BITS | SPACE last BITS [promised] [quoted] [if TEST [and TEST]...]")
def _next(reader: Reader, line: Line, words: Words) -> None:
    """What comes behind it; of several the first that holds, and finds something.

    A test may also be `FIELD fits`: there are as many bytes as it says, from the header's start on in what that lies in; or `FIELD
    fills`: and no more.
    """
    header, rule, word = reader.current(line), Next(line), words.take()
    if NAME.fullmatch(word):
        rule.header = word
    else:
        rule.space = word
        if words.took("behind"):
            rule.behind = words.number(MOST_TESTED)
        elif words.took("last"):
            rule.last = words.number(MOST_TESTED)
        else:
            rule.field = words.name("a field")
    rule.promised, rule.quoted = words.took("promised"), words.took("quoted")
    rule.tests = words.tests()
    words.done()
    header.next.append(rule)
