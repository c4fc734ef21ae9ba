"""What is described: protocols and other headers, their sources, names of values, spaces of numbers, what announces them."""

from __future__ import annotations

from ..model import After, Header, Line, Names, Space
from .reader import STATEMENTS, Reader, statement
from .words import MOST_NUMBER, VALUE_NAME, Text, Words, value_name

SPECIFIED = ("protocol", "header", "hidden", "unfollowed", "list", "item")  # statements below which a source is theirs
CATEGORIES = ("link", "tag", "network", "extension", "transport", "tunnel", "application")


@statement('protocol NAME ["TITLE"]')
def _protocol(reader: Reader, line: Line, words: Words) -> None:
    """Begins a protocol, with the header of its name."""
    name = words.name("a protocol")
    title = words.text(name)  # "": it goes on under what is in front of it
    words.done()
    reader.protocol = name
    reader.add_header(Header(name, name, title, line))


@statement("hidden NAME")
def _hidden(reader: Reader, line: Line, words: Words) -> None:
    """What is no header, but a way to one: its fields are for its rules."""
    name = words.name("a header")
    words.done()
    header = Header(name, reader.protocol or name, name, line)
    header.hidden = True
    reader.add_header(header)


@statement('unfollowed NAME "TITLE"')
def _unfollowed(reader: Reader, line: Line, words: Words) -> None:
    """What is known and not followed: where it is, it is counted, by its title."""
    name, title = words.name("a header"), words.text()
    if not title:
        raise words.wanted()
    words.done()
    header = Header(name, name, title, line)
    header.unfollowed = True
    reader.add_header(header)


@statement('header NAME ["TITLE"] [like HEADER [big|little]]')
def _header(reader: Reader, line: Line, words: Words) -> None:
    """A further header of the protocol, whose fields have its name too; or goes on with one."""
    name = words.name("a header")
    if not reader.protocol:
        raise line.wrong("`header` belongs below `protocol`")
    known = reader.found.headers.get(name)
    if known and known.protocol == reader.protocol and len(words.left) == 0:
        reader.header, reader.list = known, None
        return
    title = words.text(name)
    header = Header(name, reader.protocol, title, line)
    if not words.took("like"):
        words.done()
        reader.add_header(header)
        return
    like = words.name("a header")
    order = words.take() if words.left else ""
    if order not in ("", "big", "little"):
        raise words.wanted()
    words.done()
    model = reader.found.headers.get(like)
    if model is None or model.protocol != reader.protocol:
        raise line.wrong(f"no header {like} of {reader.protocol} stands above")
    header.title, header.little = model.title, order == "little" if order else model.little
    reader.add_header(header)
    for said in model.statements:
        if said.words[0] not in ("order", "after"):
            STATEMENTS[said.words[0]](reader, said, Words(said))


@statement("source WORDS...")
def _source(reader: Reader, line: Line, words: Words) -> None:
    """Where it is specified; for people. Of a header, a list or an item where it stands right below it."""
    words.take()
    if reader.before in SPECIFIED:
        of = reader.list if reader.before == "list" else reader.header
        assert of is not None
        of.source = " ".join(line.words[1:])


@statement("names NAME")
def _names(reader: Reader, line: Line, words: Words) -> None:
    """Names of values follow, a line each: NUMBER WORD."""
    name = words.name("names")
    words.done()
    if name in reader.found.names:
        raise line.wrong(f"there are names {name} already ({reader.found.names[name].line.place})")
    reader.found.names[name] = reader.values = Names(name, line)


@statement('space NAME ["FORM"] [from NUMBER] [swapped] [of SPACE] [as SPACE]')
def _space(reader: Reader, line: Line, words: Words) -> None:
    """Numbers that announce headers; those without a description follow, a line each: NUMBER WORD|- ["TITLE"] [leaf] [tunnel].

    `from`: those from there on of which nothing is said are counted as not followed. `swapped`: those that do not fit in 16 bits
    are in the other byte order. `of`: what the other space has is in this one, too. `as`: they are counted as its numbers.
    """
    name = words.take()
    if isinstance(name, Text) or not VALUE_NAME.fullmatch(name):
        raise line.wrong(f"'{name}' is no name of a space: small letters and digits")
    form = words.text()
    least = words.number() if words.took("from") else None
    swapped = words.took("swapped")
    of = words.take() if words.took("of") else ""
    counted_as = words.take() if words.took("as") else ""
    words.done()
    if name in reader.found.spaces:
        raise line.wrong(f"there is a space {name} already ({reader.found.spaces[name].line.place})")
    space = reader.found.spaces[name] = reader.values = Space(name, form, of, line)
    space.least, space.swapped = least, swapped
    space.counted_as = counted_as or space.counted_as


@statement(f"is {'|'.join(CATEGORIES)}")
def _is(reader: Reader, line: Line, words: Words) -> None:
    """What it is to those who carry it."""
    header, word = reader.current(line), words.take()
    words.done()
    if word not in CATEGORIES:
        raise line.wrong(f"no '{word}'; there are {', '.join(CATEGORIES)}")
    header.category = word


@statement('after SPACE NUMBER... [NAME] ["TITLE"] [if TEST [and TEST]...]')
def _after(reader: Reader, line: Line, words: Words) -> None:
    """What announces it: numbers of a space; one may have a name, and a title. Tests are of its own fields."""
    header, space = reader.current(line), words.take()
    values = [words.number(MOST_NUMBER)]
    while words.numeric():
        values.append(words.number(MOST_NUMBER))
    unnamed = not words.left or isinstance(words.left[0], Text) or words.left[0] == "if"
    word = "" if unnamed else value_name(words.take(), line)
    title = words.text()
    tests = words.tests()
    words.done()
    if (word or title) and len(values) > 1:
        raise line.wrong("a name is that of one number")
    header.after += [After(space, value, word, title, tests, line) for value in values]


@statement("decoded")
def _decoded(reader: Reader, line: Line, words: Words) -> None:
    """Nothing in a packet announces it: --decode does, or a user's own description."""
    reader.current(line).decoded = True
    words.done()


@statement("layer NAME")
def _layer(reader: Reader, line: Line, words: Words) -> None:
    """A name of its own, by which filters ask whether it is there."""
    reader.current(line).layer = words.name("a layer")
    words.done()
