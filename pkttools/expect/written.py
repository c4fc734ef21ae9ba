"""Expectations as they are written: on a command line, `COUNT: EXPRESSION`, and in a file.

A file is text as packets are, and has more to say: between `-- NAME --` and `==` stand

    COUNT: 3.. | none ...    how many are to match, else at least one
    FILTER: EXPRESSION       what has to hold
    IGNORE: routing,TTL      what may differ from the bytes, as pkt-diff has it
    IP.TTL: 60..64           fields and facts: a value, a list, a range, a prefix, or * for any
    000000: 45 00 ...        bytes: the packet as it is to be, but for what the lines above let vary, and TIME

Fields with one value are set in the bytes, as in any text; without bytes they are what has to hold. `#` begins a comment.
"""

from __future__ import annotations

import re
import time

from .. import codec
from ..compare.ignoring import Ignored
from ..errors import BAD_FIELD, UsageError, shown, text_message
from ..formats.text import wrong_field
from ..protocols.fields import DATA, FIELDS, TABLE, current
from .expectation import Bytes, Condition, Count, Expectation, condition_of, conditions_of, varies

PREFIX = re.compile(r"([\w.+-]*)\s*:\s*(.*)", re.DOTALL)  # what no filter begins with
HEAD, END = re.compile(r"--(.*?)(--)?\s*$"), "=="
NAMED = re.compile(r"([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)?)(\[-?\d+\])?\s*:\s*(.*?)\s*$")
OF_BYTES = ("SIZE", "TRAILER")  # lines that say something of the bytes
OWN = ("COUNT", "FILTER", "IGNORE")


def on_command_line(text: str, usual: Count) -> Expectation:
    """An expectation as an argument says it. usual: the count of those that say none. Raises UsageError."""
    found = PREFIX.fullmatch(text)
    count, expression = (Count.of(found[1]), found[2]) if found else (usual, text)
    if not expression.strip():
        raise UsageError("an expectation is a filter, such as 'ICMP.TYPE==0'")
    return Expectation(text, conditions_of(expression), count)


def in_file(name: str, text: str, usual: Count) -> list[Expectation]:
    """The expectations of a file. Raises UsageError with the line."""
    found: list[Expectation] = []
    linktype = ""
    block: Block | None = None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if block is None:
                head = HEAD.match(line)
                if head:
                    block = Block(number, head[1].strip() or str(len(found) + 1), linktype)
                elif line.startswith("LINKTYPE:"):
                    linktype = line
                elif line.strip() and not line.startswith("#"):
                    raise UsageError(f"'{shown(line.encode())}' stands outside of expectations: -- NAME -- begins one")
            elif line.startswith(END):
                found.append(block.expectation(usual))
                block = None
            elif HEAD.match(line):
                raise UsageError(f"an expectation begins here, but the one of line {block.first} has not ended with '=='")
            elif not line.startswith("#"):
                block.add(number, line)
        except UsageError as error:
            raise UsageError(f"{name}:{number}: {error}") from None
        except LineError as error:
            raise UsageError(f"{name}:{error}") from None
    if block:
        raise UsageError(f"{name}:{block.first}: the expectation that begins here never ends: '==' is missing")
    if not found:
        raise UsageError(f"{name}: no expectations: -- NAME -- begins one, == ends it")
    return found


class LineError(Exception):
    """What is wrong, behind the number of its line."""


class Block:
    """The lines of an expectation. first: the number of its first one."""

    def __init__(self, first: int, name: str, linktype: str) -> None:
        self.first, self.name = first, name
        self.count: Count | None = None
        self.conditions: list[Condition] = []
        self.ignore = ""
        self.lines: list[tuple[int, str]] = []  # of text as it is everywhere
        self.fields: list[tuple[int, str, str]] = []  # with one value: number, name with occurrence, value
        self.varying: set[tuple[str, int]] = set()
        self.head = linktype
        self.octets = False
        self.met: dict[str, int] = {}
        self.data = ""  # the field of the line before, as it stands there, if it is one of octets: it may go on

    def add(self, number: int, line: str) -> None:
        """Takes a line. Raises UsageError."""
        named = NAMED.match(line)
        if not named:
            self.octets = self.octets or bool(line.strip())
            self.lines.append((number, line))
            return
        name, which, value = named[1], named[2] or "", named[3]
        if name in OWN and not which:
            self.own(name, value)
        elif name in OF_BYTES:
            self.lines.append((number, line))
        elif name != "TIME":  # which is another one each time
            self.field(number, line, name, which, value)

    def own(self, name: str, value: str) -> None:
        """Takes a line that only expectations have."""
        if name == "COUNT":
            if self.count:
                raise UsageError("COUNT stands here twice")
            self.count = Count.of(value)
        elif name == "FILTER":
            self.conditions += conditions_of(value)
        else:
            Ignored.of(value)
            self.ignore += f",{value}"

    def field(self, number: int, line: str, name: str, which: str, value: str) -> None:
        """Takes the line of a field, or a fact; the k-th one of a field is its k-th occurrence, but data go on."""
        is_data = name in FIELDS and TABLE[FIELDS[name][0]].kind == DATA
        goes_on, self.data = is_data and self.data == name + which, name + which if is_data and value != "*" else ""
        if goes_on:
            self.fields[-1] = (number, self.fields[-1][1], f"{self.fields[-1][2]} {value}")
            self.lines.append((number, line))
            return
        self.met[name] = self.met.get(name, 0) + 1
        occurrence = int(which[1:-1]) if which else self.met[name]
        full = name + (which or (f"[{occurrence}]" if occurrence > 1 else ""))
        if (varies(value) and not is_data) or value == "*":
            self.conditions.append(condition_of(full, value))
            self.varying.add((current(name), occurrence))
        else:
            self.fields.append((number, full, value))
            self.lines.append((number, line))

    def expectation(self, usual: Count) -> Expectation:
        """What they say. Raises UsageError, LineError."""
        count = self.count or usual
        if self.octets:
            data, row = self.bytes()
            whole = Bytes(data, row, Ignored.of(f"TIME,{self.ignore}"), self.varying)
            return Expectation(self.name, self.conditions, count, whole, packet=True)
        if self.ignore:
            raise UsageError("IGNORE is for bytes, and there are none")
        for number, name, value in self.fields:
            try:
                self.conditions.append(condition_of(name, value))
            except UsageError as error:
                raise LineError(f"{number}: {error}") from None
        if not self.conditions:
            raise UsageError(f"{self.name}: nothing is expected of the packet: a field, bytes, or FILTER")
        return Expectation(self.name, self.conditions, count, packet=True)

    def bytes(self) -> tuple[bytearray, bytes]:
        """The packet: its bytes, and its row. Raises LineError."""
        places = [0, 0, *(number for number, _ in self.lines), self.lines[-1][0] + 1]
        text = "\n".join([self.head, "-- 1 --", *(line for _, line in self.lines), "==", ""])
        buffer = bytearray(text.encode(errors="surrogateescape"))
        _, data, rows, _, _, error, _ = codec.text_decode(buffer, 0, len(buffer), True, 1, 0, time.time_ns())
        if error:
            kind, at, word, size = error
            said = bytes(buffer[word : word + size])
            message = wrong_field(said) if kind == BAD_FIELD else text_message(kind, said, 0)
            raise LineError(f"{places[at - 1] or self.first}: {message}")
        return data, bytes(rows)
