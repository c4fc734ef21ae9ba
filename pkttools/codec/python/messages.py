"""What application messages say, in a line: the readers by number, and what they write with; twin of ../c/messages.c."""

from __future__ import annotations

from time import gmtime

from ...protocols.model import READERS
from ...protocols.shown import format_address
from .. import MOST_TOLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reader = Callable[["Sentence", bytes, int], None]

# Marks; CUT: what is read goes on behind the end.
CUT, BAD_LENGTH, BAD_LABEL = "[|]", "[bad length]", "[bad label]"
MORE = "..."
ROOM = MOST_TOLD - len(MORE)


class Sentence:
    """A line that grows up to MOST_TOLD bytes; what does not fit any more is left out, and dots say so.

    Printable ASCII is all that comes out of it: `say` and others are for what we say, `octets` for what stands in packets.
    """

    def __init__(self) -> None:
        self.text, self.full = "", False

    def say(self, text: str) -> None:
        """Adds as much of our own text as there is room for."""
        if not self.full:
            self.full = len(self.text) + len(text) > ROOM
            self.text = (self.text + text)[:ROOM]

    def together(self, text: str) -> None:
        """Adds all of it, or nothing."""
        self.full = self.full or len(self.text) + len(text) > ROOM
        if not self.full:
            self.text += text

    def mark(self, mark: str = CUT) -> None:
        """A mark, apart from what is in front of it, and only once."""
        if not self.text.endswith(mark):
            self.say("" if self.text[-1:] in ("", " ") else " ")
            self.say(mark)

    def word(self, known: Mapping[int, str], number: int, otherwise: str) -> None:
        """The name of a number, or a word and the number."""
        self.say(known.get(number, f"{otherwise}{number}"))

    def octet(self, octet: int, quote: str = "\\") -> None:
        """A character, or `\\xNN`; `quote` and `\\` have a `\\` in front."""
        c = chr(octet)
        self.together("\\" + c if c in (quote, "\\") else c if 0x20 <= octet <= 0x7E else f"\\x{octet:02x}")

    def octets(self, data: bytes) -> None:
        """Characters of a packet."""
        for octet in data:
            self.octet(octet)

    def quoted(self, data: bytes) -> None:
        """The same in double quotes."""
        self.say('"')
        for octet in data:
            self.octet(octet, '"')
        self.say('"')

    def dump(self, data: bytes, between: str = "") -> None:
        """Bytes in hexadecimal."""
        self.say(between.join(f"{octet:02x}" for octet in data))

    def address(self, data: bytes) -> None:
        """An address of IPv4 or IPv6, by its size; or bytes."""
        if len(data) in (4, 16):
            self.together(format_address(data))
        else:
            self.dump(data, ":")


def moment(seconds: int) -> tuple[int, ...]:
    """Year, month, day, hour, minute and second in UTC, of seconds since 1970."""
    return gmtime(seconds)[:6]


# Where the readers are: their families are imported when they are first needed.
FAMILIES = {"dns_tcp": "dns", "dhcpv6": "dhcp", "http": "start_lines", "sip": "start_lines", "stream": "start_lines"}


def _reader(name: str) -> Reader:
    """A reader, by its name."""
    family = __import__(FAMILIES.get(name, name), globals(), level=1)
    reader: Reader = getattr(family, f"tell_{name}")
    return reader


def tell(which: int, data: bytes | bytearray, at: int, end: int) -> bytes | None:
    """What the message at `at` of a frame says, which ends at `end` with what carries it; None: it does not look like one.

    `which` is an index of READERS. At most MOST_TOLD bytes of printable ASCII.
    Raises ValueError for a reader that is none, or a range outside of the frame.
    """
    if not 0 <= which < len(READERS):
        raise ValueError("no such reader")
    if not 0 <= at <= end <= len(data):
        raise ValueError("range lies outside of the buffer")
    told = Sentence()
    if at < end:
        _reader(READERS[which])(told, bytes(data[:end]), at)
    return (told.text + MORE * told.full).encode() or None
