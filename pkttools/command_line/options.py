"""The options that commands share, and how a command line is read.

A command declares its options once; this module reads a command line by that declaration, and `help` builds the help
screen and the shell's completion from it with typer. Reading is our own because typer takes six times as long to start
as Python itself, and because 1.16's options have several letters behind one dash.
"""

from __future__ import annotations

import os
import sys
import time

from ..batch import MAX_FRAME, WIDTH
from ..errors import UsageError, need, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Protocol

    from ..commands import Command

    class More(Protocol):
        """Further options, with the argument that each stands for."""

        def __contains__(self, name: str, /) -> bool: ...
        def __getitem__(self, name: str, /) -> str: ...
        def __iter__(self) -> Iterator[str]: ...


FLAG, NUMBER, REAL, OCTETS, TEXT = "flag", "number", "real", "octets", "text"
SIZES = {"": 1, "k": 1 << 10, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}  # units that may stand behind a number of bytes
MAX_LINKTYPE = (1 << 26) - 1  # what a pcap file has room for

ATTRIBUTES = {"in": "input", "out": "output", "if": "condition", "else": "otherwise", "and": "every",
              "every": "interval", "as": "target", "from": "since"}  # fmt: skip  # else words of Python's, or of --and


class Option:
    """One option.

    names: its spellings; the last long one gives the attribute's name. kind: FLAG, NUMBER (an integer), REAL, OCTETS (a number of
    bytes, with or without a unit) or TEXT.
    metavar: what stands for the value in the help. choices: the only values of a TEXT. least, most: of all but that and a FLAG.
    hidden: left out of the help screen, but not of the manual page. end: of which end of a pipe it says something: "first" of
    what is read, "last" of what is written; "alone", "once": of neither, see PLACES in commands/pipe.py. form: the format that
    it asks for by saying how it looks. unless: the way of working of its command, a word or an option, that it is not for.
    several: it may be given more than once, and its value is a list.
    """

    __slots__ = ("names", "kind", "help", "metavar", "default", "choices", "least", "most", "hidden", "end", "form", "unless",
                 "several")  # fmt: skip

    def __init__(self, names: str, kind: str, help: str, metavar: str = "", *, default: object = None,
                 choices: tuple[str, ...] = (), least: float = 0, most: float = 1 << 62, hidden: bool = False,
                 end: str = "", form: str | None = None, unless: str = "", several: bool = False) -> None:  # fmt: skip
        self.names, self.kind, self.help, self.metavar = tuple(names.split()), kind, help, metavar
        self.default = False if kind == FLAG else [] if several else default
        self.choices, self.least, self.most, self.hidden = choices, least, most, hidden
        self.end, self.form, self.unless, self.several = end, form, unless, several

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Option) and (self.names, self.help) == (other.names, other.help)

    def __hash__(self) -> int:
        return hash(self.names)

    def unshown(self) -> Option:
        """The same option, left out of the help screen."""
        other = Option.__new__(Option)
        for fact in Option.__slots__:
            setattr(other, fact, getattr(self, fact))
        other.hidden = True
        return other

    @property
    def attribute(self) -> str:
        """The name under which its value is found."""
        name = self.names[-1].lstrip("-").replace("-", "_")
        return ATTRIBUTES.get(name, name)

    def value(self, text: str) -> object:
        """Reads a value. Raises UsageError."""
        name = self.names[-1]
        if self.kind == TEXT:
            if self.choices and text not in self.choices:
                raise UsageError(f"{name}: '{text}' is not one of {', '.join(self.choices)}")
            if self.metavar in ("FILE", "DIR") and not text:  # as of a shell's variable that is not set, no word for a stream
                raise UsageError(f"{name}: '' is the name of no file")
            return text
        try:
            if len(text) > 40 or "_" in text:  # int() of a huge one takes for ever (CVE-2020-10735)
                raise ValueError
            unit = text[-1:] if self.kind == OCTETS and text[-1:] in SIZES else ""
            number = text.removesuffix(unit)
            value = float(text) if self.kind == REAL else int(number, 16 if text[:2] in ("0x", "0X") else 10) * SIZES[unit]
        except ValueError:
            what = "a number of bytes, such as 2M (k, M, G)" if self.kind == OCTETS else "a number"
            raise UsageError(f"{name}: '{text[:40]}' is not {what}") from None
        if not self.least <= value <= self.most:
            endless = self.most == 1 << 62 and not value > self.most
            limits = f"at least {self.least}" if endless else f"from {self.least} to {self.most}"
            raise UsageError(f"{name}: {text} is out of range: {limits}")
        return value


class Values:
    """What a command line says: an attribute an option, and `arguments`.

    big_endian: the order of captures, also for commands without an option for it.
    noted: whether a command of the pipe asks where packets were captured.
    awaited: whether somebody waits for what comes of it at the end of a pipe; None: its own output says so.
    dashes: how many of the arguments stand in front of `--`; None without one. files: those that are read, like those of --in.
    takes_files: whether arguments may be such. behind_reverse: the file that stands directly behind -r; empty: none does.
    """

    arguments: list[str]
    big_endian: bool = False
    awaited: bool | None = None
    noted: bool = False
    dashes: int | None = None
    files: Sequence[str] = ()
    takes_files: bool = False
    behind_reverse: str = ""

    def __init__(self, declared: list[Option]) -> None:
        self.arguments = []
        for option in declared:
            setattr(self, option.attribute, option.default)

    def given(self, declared: list[Option]) -> list[Option]:
        """The options of these that say something else than they do anyway."""
        return [option for option in declared if getattr(self, option.attribute) != option.default]

    if TYPE_CHECKING:  # which attributes there are, and of which types, the declared options say

        def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401
        def __setattr__(self, name: str, value: object) -> None: ...


class Format:
    """A format that packets are written in.

    name: of -F, where asked. noun: what messages call it. module, sink: what writes it, in formats/; what reads a capture is
    called as it is. endings: of files that are of it. binary: not for terminals. notes: whether every packet says where it was
    captured, also unasked: there is a place. asked: whether -F asks for it; else the command's name does.
    """

    __slots__ = ("name", "noun", "module", "sink", "endings", "binary", "notes", "asked")

    def __init__(self, name: str, noun: str, module: str, sink: str, endings: tuple[str, ...], *, binary: bool = True,
                 notes: bool = False, asked: bool = True) -> None:  # fmt: skip
        self.name, self.noun, self.module, self.sink, self.endings = name, noun, module, sink, endings
        self.binary, self.notes, self.asked = binary, notes, asked


FORMATS = {
    form.name: form
    for form in (
        Format("text", "text", "text", "TextSink", (".txt",), binary=False),
        Format("pcap", "pcap", "pcap", "PcapSink", (".pcap", ".cap")),
        Format("pcapng", "pcapng", "pcapng_sink", "PcapngSink", (".pcapng",), notes=True),
        Format("bin", "bare bytes", "binary", "BinarySink", (), asked=False),
    )
}
USUAL = "text"

COMPRESSIONS = {  # what is read and written compressed, with the endings of such files
    "gzip": (".gz",),
    "zstd": (".zst", ".zstd"),
    "xz": (".xz",),
    "lz4": (".lz4",),
    "bzip2": (".bz2",),
}
UNWRITTEN = {  # what is known, and not written, by the endings of such files
    ".snoop": "snoop", ".erf": "ERF", ".btsnoop": "btsnoop", ".5vw": "5View", ".rf5": "K12xx", ".blf": "Vector's tools",
    ".z": "compress", ".lzma": "LZMA", ".lz": "lzip", ".zip": "ZIP", ".7z": "7-Zip", ".tar": "tar", ".tgz": "tar",
}  # fmt: skip
ELSEWHERE = {"-w": "--out", "-c": "--limit"}  # options of tcpdump's and tshark's by which nothing of ours is called

UNCOMPRESSED = "none"  # what --compress calls files that are not, whatever their name says


def format_option(default: str = "") -> Option:
    """-F. default: what is written without it, where that is not USUAL."""
    names = tuple(name for name, form in FORMATS.items() if form.asked)
    shown = [f"{name} (default)" if name == USUAL and not default else name for name in names]
    help = f"what to write: {', '.join(shown[:-1])} or {shown[-1]}{default and f' (default: {default})'}"
    return Option("-F --format", TEXT, help, "FORMAT", choices=names, end="last")


INPUT = [Option("--in", TEXT, "read FILE, text or capture, not standard input", "FILE", end="first", several=True)]

UTC = Option("--utc", FLAG, "dates in UTC, as with PKTTOOLS_UTC=1", end="last")
SECRETS = Option("--no-secrets", FLAG, "leave decryption secrets of pcapng out", end="last", hidden=True)

COMPRESS = Option("--compress", TEXT, "gzip, zstd, xz, lz4, bzip2, none (default: by --out's ending)", "HOW", end="last",
                  choices=(*COMPRESSIONS, UNCOMPRESSED), hidden=True)  # fmt: skip

OUTPUT = [
    Option("--out", TEXT, "write FILE; its ending says how: .pcap, .pcap.gz", "FILE", end="last"),
    format_option(),
    COMPRESS,
    Option("--nano", FLAG, "nanoseconds in captures, from the first packet on", end="last"),
    Option("-n --width", NUMBER, f"bytes a line of text (default {WIDTH})", "COUNT", default=WIDTH, least=1, most=MAX_FRAME,
           end="last", form="text"),
    Option("-a --fields", FLAG, "add the fields of each packet, --decimal or in hex", end="last", form="text"),
    Option("-aa --all-fields", FLAG, "add all fields, also those that 1.16 did not have", end="last", form="text"),
    Option("--decimal", FLAG, "numbers that -a and -aa add are decimal", end="last", form="text", hidden=True),
    Option("-do --data-only", FLAG, "write the bytes alone, without sizes and characters", end="last", form="text"),
    UTC,
    SECRETS,
]  # fmt: skip

# Of what sends: through the queue of the interface, to its driver, or so that it seems to have come in.
XMIT = Option("--xmit", TEXT, "way into the kernel: queue, direct, receive", "WAY", default="queue",
              choices=("queue", "direct", "receive"))  # fmt: skip

# Of what sends and receives; see account.py.
REPORT = Option("--report", TEXT, "the account at the end: text (default), json", "HOW", default="text", choices=("text", "json"))

DURATION = Option("--duration", REAL, "end after SECONDS", "SECONDS")  # of what receives


def received() -> list[Option]:
    """How what receives writes; its help screens have no room for all."""
    nano = Option("--nano", FLAG, "times in nanoseconds instead of microseconds")
    return [
        *(
            option.unshown() if option is UTC else option
            for option in OUTPUT
            if option is not SECRETS and "--nano" not in option.names
        ),
        nano,
    ]


PICK = [
    Option("--and", FLAG, "of several filters all have to hold, not one"),
    Option("-r --reverse", FLAG, "let through what the filters would drop"),
    Option("-s --skip", NUMBER, "skip the first COUNT packets that pass the filters", "COUNT", default=0),
    Option("-l --limit", NUMBER, "stop after COUNT packets", "COUNT"),
    Option("-nb --no-broadcast", FLAG, "drop frames to the broadcast address"),
    Option("-nm --no-multicast", FLAG, "drop frames to other group addresses"),
    Option("--bpf", TEXT, "only what tcpdump's filter EXPR lets through", "EXPR"),
    Option("--bpf-file", TEXT, "the same, compiled: FILE is of tcpdump -ddd", "FILE"),
    Option("--fail-empty", FLAG, "exit code 1 when no packet is passed on"),
    Option("--fail-if", TEXT, "exit code 1 when a packet passed on matches EXPR", "EXPR", several=True),
    Option("--seed", NUMBER, "seed of values that are drawn: FIELD=random", "N", hidden=True),
    Option("-lt --link-type", NUMBER, "take the packets for link type NUMBER", "NUMBER", most=MAX_LINKTYPE),
]

BUFFER = [Option("-b --buffer", OCTETS, "accepted for 1.16's sake; buffers grow by themselves", "SIZE", hidden=True)]

ABOUT = [
    Option("--version", FLAG, "say which version this is and end", end="alone"),
    Option("-h --help", FLAG, "show this and end", end="alone"),
]

# Read before all others: what a command imports goes by them. See `add_protocols` below.
PROTOCOLS = [
    Option("--protocols", TEXT, "know the protocols that FILE describes, too", "FILE", end="process", several=True),
    Option("--decode", TEXT, "FIELD==VALUE=PROTOCOL says what comes next", "WHAT", end="process", several=True),
]

GENERAL = [
    *PROTOCOLS,
    Option("-k --keys", FLAG, "list the fields and end", end="alone"),
    Option("-v --verbose", FLAG, "say more: counts; of captures also IFACE and WAY"),
    *ABOUT,
]


def output_briefly() -> list[Option]:
    """OUTPUT, for those of whose packets few are written as text; its help screen has no room for all of it."""
    return [option if option.names[-1] in ("--out", "--format") else option.unshown() for option in OUTPUT]


def pick_briefly() -> list[Option]:
    """PICK, for those that have no room for all of it on their help screen."""
    shown = ("--and", "--reverse", "--skip", "--limit", "--bpf")
    return [option if option.names[-1] in shown else option.unshown() for option in PICK]


def general_briefly() -> list[Option]:
    """GENERAL, for those that have no room for more on their help screen."""
    return [option.unshown() if option in PROTOCOLS else option for option in GENERAL]


USER = [Option("-Z --user", TEXT, "then go on as USER (default: nobody, or of sudo)", "USER")]

ORDER = [
    Option("-le --little-endian", FLAG, "write the file in little-endian order (default)", end="last"),
    Option("-be --big-endian", FLAG, "write the file in big-endian order", end="last"),
    Option("-ne --native-endian", FLAG, "write the file in this machine's order", end="last"),
]

FILTER = [*INPUT, *OUTPUT, *PICK, *BUFFER, *GENERAL]  # the options of a filter: text in, text out


def filter_briefly() -> list[Option]:
    """FILTER, for those that have many of their own: how text looks, and which packets, is rarely asked there."""
    rare = ("--utc", "--width", "--nano", "--data-only", "--no-broadcast", "--no-multicast", "--bpf-file", "--link-type",
            "--fail-empty", "--fail-if")  # fmt: skip
    return [option.unshown() if option.names[-1] in rare or option in PROTOCOLS else option for option in FILTER]


def picks(values: Values) -> bool:
    """Whether options of PICK are filters by themselves."""
    return values.no_broadcast or values.no_multicast or values.bpf is not None or values.bpf_file is not None


def own_arguments(command: Command) -> int | None:
    """How many arguments of a command are no files that are read, see OWN in commands/__init__.py; None: none of all is."""
    if not any(option.attribute == "input" for option in command.OPTIONS):
        return None
    return getattr(command, "OWN", None if hasattr(command, "ARGUMENTS") else 0)


def choose_order(values: Values) -> None:
    """Lets `big_endian` say the byte order that the options of ORDER ask for, whichever of them did. Raises UsageError."""
    need(values.little_endian + values.big_endian + values.native_endian <= 1, "only one of -le, -be and -ne")
    values.big_endian = values.big_endian or (values.native_endian and sys.byteorder == "big")


def choose_zone(values: Values) -> None:
    """Puts the dates that this process writes to UTC, where its option or PKTTOOLS_UTC asks for that.

    Before any is written: both codecs remember the last ones.
    """
    if getattr(values, "utc", False) or (hasattr(values, "utc") and os.environ.get("PKTTOOLS_UTC", "0") not in ("", "0")):
        os.environ["TZ"] = "UTC0"
        if hasattr(time, "tzset"):  # elsewhere the first date reads it
            time.tzset()


def read(declared: list[Option], argv: list[str], rest: More | None = None,
         literal: Callable[[list[str]], bool] | None = None) -> Values:  # fmt: skip
    """Reads a command line. Options may stand anywhere, one that takes a value once; behind `--` everything is an argument.

    rest: more options that take a value, by name, with the argument they stand for: `--ip-ttl 5` for `IP.TTL=5`.
    literal: says of the arguments so far whether all words behind them are arguments. Raises UsageError.
    """
    by_name = {name: option for option in declared for name in option.names}
    values = Values(declared)
    words = iter(argv)
    given: set[str] = set()
    for word in words:
        if word == "--":
            values.dashes = len(values.arguments)
            values.arguments += words
        elif not word.startswith("-") or word == "-":
            values.arguments.append(word)
            if literal and literal(values.arguments):
                values.arguments += words
        else:
            name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
            option = by_name.get(name)
            if option is None and rest is not None and name in rest:
                values.arguments.append(rest[name] + (value if equals else following(name, words)))
            elif option is None:
                raise UsageError(no_option(name, [*by_name, *(rest or ())], next(words, "")))
            elif option.kind != FLAG:
                if option.attribute in given and not option.several:
                    raise UsageError(f"{'/'.join(option.names)} is given twice: it has one value")
                given.add(option.attribute)
                found = option.value(value if equals else following(name, words))
                setattr(values, option.attribute, [*getattr(values, option.attribute), found] if option.several else found)
            elif equals:
                raise UsageError(f"{name} takes no value")
            else:
                setattr(values, option.attribute, True)
    return values


def no_option(name: str, known: list[str], following: str) -> str:
    """What is said of an option that is none of the known ones. following: the word behind it.

    Where that is a file and the option reads one elsewhere, -r is not what was meant: `tcpdump -nr FILE`.
    """
    if name[-1:] == "r" and name[1:2] != "-" and os.path.exists(following):  # noqa: PTH110  pathlib is slow to import
        return f"no option '{name}': files are read without an option"
    if name in ELSEWHERE and ELSEWHERE[name] in known:
        return f"no option '{name}': did you mean {ELSEWHERE[name]}?"
    return unknown("option", name, known)


def ahead(option: Option, argv: list[str]) -> list[str]:
    """The values of an option, read before it is known what the other words mean; an error is left to `read`."""
    found: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name in option.names:
            taken = value if equals else next(words, None)
            found += [] if taken is None else [taken]
    return found


def add_protocols(argv: list[str]) -> None:
    """Lets what is imported from here on know what --protocols, --decode and PKTTOOLS_PROTOCOLS name. Raises UsageError."""
    own = os.environ.get("PKTTOOLS_PROTOCOLS", "")
    files, decoded = (ahead(option, argv) for option in PROTOCOLS)
    if own or files or decoded:
        from ..protocols.kept import install  # late: seldom

        need("" not in files, "--protocols: '' is the name of no file")
        install([*filter(None, own.split(":")), *files], decoded)


def following(name: str, words: Iterator[str]) -> str:
    """The value of an option: the next word."""
    value = next(words, None)
    if value is None:
        raise UsageError(f"{name} needs a value")
    return value
