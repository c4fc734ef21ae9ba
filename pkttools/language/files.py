"""Which arguments of a command line are files to read: those that exist, and are nothing that the language knows."""

from __future__ import annotations

import os
import sys

from ..command_line.options import COMPRESSIONS, FORMATS
from ..errors import UsageError, say

STDERR = 2
ENDINGS = tuple(ending for form in FORMATS.values() for ending in form.endings) + sum(COMPRESSIONS.values(), ())


def divided(words: list[str]) -> tuple[list[str], list[str]]:
    """The files among arguments, in their order, and the others. Whatever is a filter or an assignment is no file.

    Raises UsageError for a directory, and for what has the name of a file and is none.
    """
    there = {word for word in words if word == "-" or os.path.lexists(word)}
    if not there and not any(map(like_a_file, words)):
        return [], words
    from .arguments import split_assignment  # late: most arguments have the name of no file

    rest = [word for word in words if not split_assignment(word)]
    if not any(map(plain, rest)) and understood(" ".join(rest)):
        tell_of_both([word for word in rest if word in there])
        return [], words
    files, others, before = [], [], ""
    for word in words:
        if word in there and belongs_to_none(word, before):
            files.append(readable(word))
        elif like_a_file(word) and belongs_to_none(word, before):
            raise UsageError(f"{word}: there is no such file, and it is no filter")
        else:
            others.append(word)
        before = word
    return files, others


def belongs_to_none(word: str, before: str) -> bool:
    """Whether a word is no part of what filters or assigns. before: the one in front of it."""
    from .arguments import split_assignment
    from .expression import JOINING

    value = before.endswith(("=", "<", ">", "&")) or before.lower() in JOINING - {")"}  # UDP.SIZE gt 100, without quotes
    return not (value or word.lower() in JOINING or split_assignment(word) or (not plain(word) and understood(word)))


def readable(word: str) -> str:
    """The name of a file. Raises UsageError for a directory."""
    if os.path.isdir(word):  # noqa: PTH112  pathlib is slow to import
        raise UsageError(f"{word}: this is a directory; {word.rstrip('/')}/* names the files in it")
    return word


def understood(text: str) -> bool:
    """Whether it is a filter."""
    from .expression import Parser

    try:
        Parser(text).parse()
    except UsageError:
        return False
    return True


def absent(words: list[str]) -> str:
    """The first argument that can only have been meant for a file, and is none; empty: there is no such. `UDP.SIZ` is a slip."""
    from .expression import joins

    for word in () if joins(words) else words:
        alone = not set(word) & set(' \t\n"=<>!&()[]')
        if alone and not os.path.lexists(word) and not understood(word.partition(".")[0]):
            return word
    return ""


def like_a_file(word: str) -> bool:
    """Whether a word is the name of a file, by how it looks: a path, or an ending that we know."""
    return not {"=", " "} & set(word) and (word.startswith(("./", "../", "/", "~/")) or word.lower().endswith(ENDINGS))


def plain(word: str) -> bool:
    """Whether a word looks like a file and like nothing else: there may be thousands, and to see what is no filter takes long."""
    return like_a_file(word) and not any(sign in word for sign in "<>!&()[]")


def tell_of_both(words: list[str]) -> None:
    """Says on a terminal which filters are files, too: those who meant the file would wait for packets."""
    if words and os.isatty(STDERR):
        name = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib is slow to import
        say(f"{name}: {words[0]} is taken for a filter; there is a file of this name, too: --in {words[0]} reads it")
