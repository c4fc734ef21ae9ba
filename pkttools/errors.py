"""What goes wrong, in words. One place for both backends: they report kinds and numbers, the sentences are here.

And whether C is of use: it has to be as new as the sources that lie beside it, as they do in a checkout.
"""

from __future__ import annotations

import os
import sys


class PktError(Exception):
    """Bad data or failed input or output: one line on standard error, exit code 1."""


class Unfit(PktError):
    """A packet that a file of this format cannot hold. fitting: how many of its batch stand before it, which were written."""

    def __init__(self, message: str, fitting: int = 0) -> None:
        super().__init__(message)
        self.fitting = fitting


class OutputError(PktError):
    """Failed output: nothing more can be written."""


class Unread(OutputError):
    """Whoever reads the output does not, and what came from an interface has to end."""

    def __init__(self) -> None:
        super().__init__("reader does not read")


class UsageError(Exception):
    """A wrong option, field or value: one line on standard error, exit code 2."""


class UnknownName(UsageError):
    """A word that stands where a name is expected, and is none. word: in capitals."""

    def __init__(self, message: str, word: str) -> None:
        super().__init__(message)
        self.word = word


def need(condition: bool, message: str) -> None:
    """Raises UsageError with `message` unless the condition holds."""
    if not condition:
        raise UsageError(message)


def limit(error: OSError) -> str:
    """What the system says; where that is a limit, with what raises it."""
    import errno  # late: seldom

    raised = {
        errno.EMFILE: "ulimit -n is the limit",
        errno.EAGAIN: "ulimit -u, and pids.max of a cgroup, are the limits to processes",
    }
    hint = raised.get(error.errno or 0)
    return f"{error.strerror or error}; {hint}" if hint else str(error.strerror or error)


def installs(package: str) -> str:
    """What installs a package for the Python that runs this, of a checkout or not."""
    return f"{os.path.normpath(sys.executable or 'python3')} -m pip install {package}"


# Kinds of errors that a backend reports; `enum error_kind` in codec/c/codec.h.
(NO_ERROR, NO_MEMORY, BAD_HEX, BAD_TIME, BAD_SIZE, BAD_LINKTYPE, TOO_LONG, NOT_ENDED, NO_END, NO_BLANK, ODD_HEX, NO_COLON, INDENTED,
 RECORD_TOO_LONG, RECORD_CUT, HEADER_CUT, BLOCK_SHORT, BLOCK_UNALIGNED, BLOCK_LONG, BLOCK_TRAILER, PAST_BLOCK,
 NO_INTERFACE, BAD_TRAILER, NOT_TEXT, ANOTHER_CAPTURE, BAD_BATCH, BAD_FIELD) = range(27)  # fmt: skip

DUMP = "; pkt-hex2txt reads the dumps of other programs"
TEXT = {
    BAD_HEX: "bad hex digit '{word}'",
    NO_BLANK: "no blank behind the byte in '{word}'" + DUMP,
    ODD_HEX: "odd number of hex digits '{word}'" + DUMP,
    NO_COLON: "offset '{word}' without its colon" + DUMP,
    INDENTED: "indented data line '{word}': data lines begin in the first column" + DUMP,
    BAD_TIME: "bad time '{word}': seconds since 1970, up to 9223372035, such as 1400167480.561500",
    BAD_SIZE: "bad size '{word}': captured/original, captured up to 262144 bytes",
    BAD_LINKTYPE: "bad link type '{word}'",
    BAD_TRAILER: "bad trailer '{word}': octets of the frame check sequence, up to 31, such as 4",
    TOO_LONG: "packet is longer than 262144 bytes",
    NOT_ENDED: "a packet begins here, but the one of line {number} has not ended with '=='",
    NOT_TEXT: "bytes that are no text: does a capture begin here? It has to be read by itself",
    BAD_BATCH: "a batch of packets that is not sound: PKTTOOLS_LANE=text lets text be written instead",
    NO_END: "the packet that begins here never ends: '==' is missing",
}

PCAP = {
    RECORD_TOO_LONG: "record of {have} bytes: a packet has at most {want}",
    RECORD_CUT: "file is truncated: {have} of a packet's {want} bytes",
    HEADER_CUT: "file is truncated: {have} of a record header's {want} bytes",
}

PCAPNG = {
    RECORD_TOO_LONG: "packet of {have} bytes: it has at most {want}",
    RECORD_CUT: "file is truncated: {have} of a block's {want} bytes",
    HEADER_CUT: "file is truncated: {have} of a block header's {want} bytes",
    BLOCK_SHORT: "block of {have} bytes: one of its type has at least {want}",
    BLOCK_UNALIGNED: "block of {have} bytes: that is no multiple of {want}",
    BLOCK_LONG: "block of {have} bytes: it has at most {want}",
    BLOCK_TRAILER: "block of {want} bytes, but {have} is the length at its end",
    PAST_BLOCK: "packet of {have} bytes in a block with room for {want}",
    NO_INTERFACE: "packet of interface {have}, which the section does not describe",
}


def text_message(kind: int, word: bytes, number: int) -> str:
    """The sentence for an error in text; `word` is what stood there, `number` a line it refers to."""
    return TEXT[kind].format(word=shown(word), number=number)


def pcap_message(kind: int, have: int, want: int) -> str:
    """The sentence for an error in a pcap file."""
    return PCAP[kind].format(have=have, want=want)


def pcapng_message(kind: int, have: int, want: int) -> str:
    """The sentence for an error in a pcapng file."""
    return PCAPNG[kind].format(have=have, want=want)


def judged(wrong: int, unfinished: int) -> str:
    """What there is to say of checksums that are not right: those of messages that a network card was to finish are not wrong."""
    return f"{unfinished} unfinished (left to the network card), {wrong} wrong"


def counted(number: int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def checksum_left(count: int, noun: str = "packet") -> str:
    """What is said of packets that were changed, with a checksum that could not be."""
    return f"{counted(count, noun)} with a checksum that could not follow: it needs bytes that are not there"


def checksum_unknown(count: int, noun: str = "packet") -> str:
    """The same of one that may be wrong now."""
    return f"{counted(count, noun)} with a checksum that may have to follow and is not known"


def values_cut(count: int) -> str:
    """What is said of octets and texts that were set as far as there was room, when they are read."""
    return f"{counted(count, 'value')} longer than the field: only what fits was set"


def passed(count: int, why: str, noun: str = "packet", which: str = "") -> str:
    """What is said of packets that were left as they are. which: of them, such as ` above the MTU`."""
    return f"{counted(count, noun)}{which} passed as they came: {why}"


def passed_by_reason(counts: dict[str, int], noun: str = "packet", which: str = "") -> list[str]:
    """The same of several reasons, the most frequent one first; nothing where there are no packets."""
    found = sorted(((count, reason) for reason, count in counts.items() if count), key=lambda one: (-one[0], one[1]))
    why = ", ".join(f"{count} {reason}" for count, reason in found)
    return [passed(sum(count for count, _ in found), why, noun, which)] if found else []


def unknown(what: str, name: str, known: list[str]) -> str:
    """`no option '--icmp-typ': did you mean --icmp-type?`"""
    from difflib import get_close_matches  # late: only for those who slipped

    near = get_close_matches(name, known, 1)
    return f"no {what} '{name}'" + (f": did you mean {near[0]}?" if near else "")


def shown(word: bytes, limit: int = 40) -> str:
    """A word from the input, made safe for a terminal: at most `limit` characters, the unprintable as `?`."""
    text = "".join(chr(c) if 0x20 <= c <= 0x7E else "?" for c in word[:limit])
    return text + "..." if len(word) > limit else text


def visible(text: str) -> str:
    """Text that comes from elsewhere, such as a name, made safe for a terminal: its control characters, and what turns the
    direction of text around, as `\\xNN` and `\\uNNNN`.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(c: str) -> str:
    code = ord(c) - (0xDC00 if "\udc80" <= c <= "\udcff" else 0)  # a byte that is no UTF-8, as os.fsdecode gives it
    if code < 0x20 or 0x7F <= code < 0xA0 or code != ord(c):
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" or "\ud800" <= c <= "\udfff" else c


def warn(line: str) -> None:
    """Says something on standard error at once, behind the command's name."""
    say(f"{os.path.basename(sys.argv[0])}: {line}")  # noqa: PTH119  pathlib is slow to import


class Whole(str):
    """A line that stands on standard error as it is, without the command's name in front."""


def say(line: str) -> None:
    """Writes a line to standard error, if that is still there."""
    if sys.stderr is None:  # closed; print() would take standard output for it
        return
    try:
        print(visible(line), file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def outdated(made: str, package: str = "") -> bool:
    """Whether a C source in the folder `c` of a package, or in its own folder `module`, was written after a file was made.

    made: a module that is built of them, in its package, or another file that goes with the sources of `package`, which is beside
    that of the file. That is the rule that make goes by, too. What is installed has no sources beside it, and is never outdated.
    It is asked at every start, and times cost less than contents: those of files are looked at where their folder has changed, as
    it does when git or an editor puts a new file in the place of the old one. Who writes into a source as it lies has make to ask.
    """
    folder = made.rpartition(os.sep)[0]
    sources = f"{folder.rpartition(os.sep)[0]}{os.sep}{package}/c" if package else f"{folder}/c"
    try:
        built = os.stat(made).st_mtime_ns  # noqa: PTH116  pathlib is slow to import
        return any(os.stat(of).st_mtime_ns > built and newest(of) > built for of in (sources, f"{sources}/module"))  # noqa: PTH116
    except OSError:
        return False


def newest(folder: str) -> int:
    """When the last of the C sources in a folder was written, in nanoseconds."""
    with os.scandir(folder) as entries:  # .text.c is an editor's
        return max((e.stat().st_mtime_ns for e in entries if e.name[0] != "." and e.name.endswith((".c", ".h"))), default=0)
