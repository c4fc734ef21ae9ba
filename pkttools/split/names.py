"""Names of the files that a stream is split into: a template, and what stands there of the first packet of each."""

from __future__ import annotations

import os
import re
import stat
import time

from .. import codec
from ..batch import COLUMNS, TIME, Batch
from ..errors import OutputError, PktError, UsageError, limit, need
from ..formats.files import PLAIN as FLAGS
from ..formats.files import endings_of, to_file
from ..views.fields import PLAIN, columns_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..formats.files import Input
    from ..views.fields import Column

PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
UNSAFE = re.compile(r"[^A-Za-z0-9._+=@,-]")  # anything that a shell, a path or another system could take for something else
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)  # of Windows, whatever their ending
MISSING = "none"  # what stands for a field that is not there
LONGEST = 255  # bytes of a name: NAME_MAX of nearly all file systems
DIGITS = 5  # of a file's number, at least
SECOND = 1_000_000_000


class Cells:
    """Fields of packets as text, a tuple of cells in one piece of bytes a packet."""

    def __init__(self, columns: list[Column]) -> None:
        self.columns = b"".join(column.first().code() for column in columns)
        self.before = b"\0" + b"\t\0" * (len(columns) - 1) + b"\n\0"

    def of(self, batch: Batch) -> list[bytes]:
        """Those of all packets; between cells is a tab, which no cell has."""
        found: list[bytes] = []
        first = 0
        while first < len(batch):
            text, first = codec.columns_encode(batch.data, batch.rows, first, 1, self.columns, self.before, PLAIN)
            found += bytes(text).split(b"\n")
            found.pop()  # behind the last end of a line
        return found


def columns_asked(text: str, option: str) -> list[Column]:
    """The columns that an option asks for. Raises UsageError, also where they tell packets and not what they have in common."""
    columns = columns_of(text, option)
    need(all(column.name != "NUMBER" for column in columns), f"{option}: NUMBER is another one for each packet")
    return columns


class Template:
    """A name with places: `{n}` the number of the file, `{time}` the time of its first packet, `{FIELD}` a field of that.

    Behind a colon stand digits: `{n:8}` has at least eight, `{time:3}` milliseconds. `{{` and `}}` are braces. A name without
    places gets `-{n}` in front of its ending.
    """

    def __init__(self, text: str) -> None:
        """Raises UsageError."""
        folder, slash, name = text.rpartition("/")
        need(bool(name) and name not in (".", ".."), f"--out {text}: a name is missing, such as part-{{n}}.pcap")
        need(not re.search("[{}]", folder), f"--out {text}: places in braces stand in the name of the file, not of its directory")
        self.folder, self.ending = folder + slash, "".join(endings_of(name))
        if re.search("[{}]", self.ending):
            self.ending = ""
        stem = name.removesuffix(self.ending)
        self.parts: list[tuple[str, int]] = []  # what stands there; of a number or a time its digits, of a field which it is
        self.columns: list[Column] = []
        at = 0
        for found in PART.finditer(stem):
            self.parts.append((stem[at : found.start()], -1))
            at = found.end()
            self.parts.append((found[0][0], -1) if found[0] in ("{{", "}}") else self.place(found[1], text))
        self.parts.append((stem[at:], -1))
        self.parts = [part for part in self.parts if part[0]]
        if all(digits < 0 for _, digits in self.parts):
            self.parts += [("-", -1), ("n", DIGITS)]
        self.named = self.parts[0][1] < 0  # whether it begins with characters of its own
        self.cells = Cells(self.columns) if self.columns else None

    def place(self, inside: str | None, text: str) -> tuple[str, int]:
        """A part that is different in each name. Raises UsageError."""
        need(bool(inside), f"--out {text}: a place in braces is {{n}}, {{time}} or a field; braces themselves are doubled")
        name, colon, digits = str(inside).partition(":")
        if name in ("n", "time"):
            most = 9 if name == "time" else 18
            good = not colon or (digits.isascii() and digits.isdigit() and len(digits) < 3 and int(digits) <= most)
            need(good, f"--out {text}: {{{name}:DIGITS}} has up to {most}")
            return name, int(digits) if colon else DIGITS if name == "n" else 0
        self.columns += columns_asked(str(inside), "--out")
        return "field", len(self.columns) - 1

    def values(self, batch: Batch) -> list[bytes]:
        """What names take of packets, if they are the first ones of their files."""
        return self.cells.of(batch) if self.cells else [b""] * len(batch)

    def stem(self, number: int, moment: int, values: bytes) -> str:
        """A name without its ending. moment: in nanoseconds; 0 is none."""
        cells = values.decode("latin-1").split("\t")
        made = ""
        for what, digits in self.parts:
            if digits < 0:
                made += what
            elif what == "n":
                made += f"{number:0{digits}}"
            elif what == "time":
                made += utc(moment, digits)
            else:
                made += UNSAFE.sub("_", cells[digits]) or MISSING
        if (not self.named and made[0] in ".-") or RESERVED.match(made):
            made = "_" + made
        return made


def utc(moment: int, digits: int) -> str:
    """A time in UTC, `20261101T100000Z`, with so many digits behind the second."""
    if not moment:
        return MISSING
    seconds, rest = divmod(moment, SECOND)
    part = f".{rest:09}"[: digits + 1] if digits else ""
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds)) + part + "Z"


class Names:
    """Makes the files of a template. Never are two keys in one file, nor is one of the inputs overwritten.

    alike: how many files got a number behind their name, as another one had it. overwritten: how many there were before.
    """

    def __init__(self, template: Template, source: Input | None) -> None:
        self.template, self.source = template, source
        self.ours: set[tuple[int, int]] = set()  # by device and inode: a name may be another one's in other letters, or a link
        self.unknown: list[str] = []  # those of which that was not looked up yet: most need it never
        self.turn: dict[str, int] = {}  # of names that several have: the number that was given last
        self.alike = self.overwritten = 0
        self.made = ""  # the last file that was not there before

    def create(self, number: int, moment: int, values: bytes) -> tuple[str, int]:
        """Makes a file, empty, for who has the template's number and values; gives its path and a descriptor. Raises PktError."""
        ending = self.template.ending
        stem = self.template.stem(number, moment, values)
        if len(stem) + len(ending) > LONGEST // 4:
            stem = shortened(stem, LONGEST - len(os.fsencode(ending)))
        while True:
            turn = self.turn.get(stem)
            tail = f"-{turn}" if turn else ""
            front = shortened(stem, LONGEST - len(os.fsencode(tail + ending))) if tail else stem
            path = f"{self.template.folder}{front}{tail}{ending}"
            fd = self.opened(path)
            if fd >= 0:
                self.alike += bool(turn)
                return path, fd
            self.turn[stem] = (turn or 1) + 1

    def opened(self, path: str) -> int:
        """Opens a file that is ours from now on; -1: it is already. Raises PktError."""
        try:
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | FLAGS, 0o666)
                self.made = path
            except FileExistsError:
                fd = os.open(path, os.O_WRONLY | FLAGS)
                found = os.fstat(fd)
                if (found.st_dev, found.st_ino) in self.looked_up():
                    os.close(fd)
                    return -1
                if not stat.S_ISREG(found.st_mode):
                    raise PktError(f"{path}: is there, and no regular file") from None
                if self.source and any(os.path.samestat(found, other) for other in self.source.found):
                    raise PktError(f"{path}: input and output are the same file") from None
                os.ftruncate(fd, 0)
                self.overwritten += 1
        except OSError as error:
            raise OutputError(f"{path}: {limit(error)}") from None
        self.unknown.append(path)
        return fd

    def take_back(self) -> None:
        """Takes the last file away that was made, where nothing could be written into it."""
        try:
            if self.made and not os.stat(self.made).st_size:  # noqa: PTH116  pathlib is slow
                os.unlink(self.made)  # noqa: PTH108  the same
        except OSError:
            pass  # there is another error already

    def looked_up(self) -> set[tuple[int, int]]:
        """All files that are ours, as far as they are still there."""
        for path in self.unknown:
            try:
                found = os.stat(path)  # noqa: PTH116  pathlib is slow
            except OSError:
                continue  # somebody has taken it away
            self.ours.add((found.st_dev, found.st_ino))
        self.unknown.clear()
        return self.ours


def shortened(name: str, room: int) -> str:
    """As much of a name as so many bytes hold, in whole characters."""
    return os.fsencode(name)[:room].decode(errors="ignore") if len(os.fsencode(name)) > room else name


def moment_of(batch: Batch) -> int:
    """The time of the first packet, in nanoseconds."""
    return batch.columns()[TIME]


def first_times(batch: Batch) -> list[int]:
    """The times of packets that are the first ones of their files."""
    return batch.columns()[TIME::COLUMNS].tolist()


def wrong_output(path: str | None) -> None:
    """Raises UsageError where no names are said, or that of a device or a folder."""
    if path in (None, "-") or not to_file(path):
        raise UsageError("files are written: --out TEMPLATE says their names, such as --out 'part-{n}.pcap'")
