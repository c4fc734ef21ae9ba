"""Dumps with offsets: rows of an offset, bytes in groups, and maybe their characters, as nearly all programs write them.

The offset of a row says how many bytes the rows in front of it had: so nothing is lost, read twice, or read from the column of
characters, which may well look like digits.
"""

from __future__ import annotations

import re

from ...batch import MAX_FRAME
from .reading import BIG, LITTLE, Malformed, Reader, Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .reading import Asked

GROUPS = r"(?:[0-9a-fA-F]{2})+(?:[ -](?:[0-9a-fA-F]{2})+)*"
RUN = re.compile(GROUPS + r"(?![^\s|>])")
SECOND_HALF = re.compile(r"(?:  | [-|] |-)([0-9a-fA-F]{2}(?:[ -][0-9a-fA-F]{2}){0,7})(?!\S)")
RIGHT_ALIGNED = re.compile(rf"\s{{2,}}({GROUPS})(?=\s{{2}})")  # the last group of xxd -e
ALL_DIGITS = re.compile(GROUPS)
CLOSING = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{6,8})\s*")
OFFSET = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{4,16}):?(?:\s|$)")
ASIDE = re.compile(r"([A-Z].*) \(\d+ bytes\):\s*")  # tshark -x, where a packet has several
HEADROOM, FRAGMENT = re.compile(r"skb (?:head|tail)room"), re.compile(r"skb frag")  # skb_dump() of net/core/skbuff.c
MBUF, SEGMENT = re.compile(r"\s*dump mbuf at "), re.compile(r"\s*Dump data at \[")  # lib/mbuf/rte_mbuf.c of DPDK
WIDEST = 256  # bytes of a row
BEHIND, BEHIND_FIRST = ("", " ", "\t"), ("", " ", "  ")  # what whole rows have behind their bytes
PRINTED = bytes(b if 0x20 <= b < 0x7F else ord(".") for b in range(256))
NOWHERE = 0, 0, 0, 0, 0
fromhex = bytes.fromhex


class Layout:
    """How a program lays out its rows.

    name: of --dump. what: which programs write such. row: matches one, with `offset` and `rest`, which begins with digits, maybe
    `lead`. width: the most bytes of a row. address: offsets are addresses, of memory in lines of that width. bases: of offsets.
    words: the usual order of bytes in groups of several; None: groups are only groups. bare: no characters are behind them.
    closing: an offset without bytes ends the dump. latest: of several below one heading the last is the packet. within: what rows
    begin with that are part of the text in front of a packet.
    """

    def __init__(self, name: str, what: str, row: str, *, width: int = WIDEST, address: bool = False,
                 bases: tuple[int, ...] = (16,), words: str | None = None,
                 bare: bool = False, closing: bool = False, latest: bool = False, within: str = "(?!)") -> None:  # fmt: skip
        self.name, self.what, self.row, self.within = name, what, re.compile(row), re.compile(within)
        self.width, self.address, self.bases = width, address, bases
        self.words, self.bare, self.closing, self.latest = words, bare, closing, latest

    def suits(self, line: str) -> bool:
        """Whether a dump of this layout begins in that line."""
        match = self.row.match(line)
        return match is not None and (self.address or int(match["offset"], 16) == 0)

    def reader(self, asked: Asked) -> Reader:
        """What reads one."""
        return Rows(self, asked)


class Rows(Reader):
    """Reads rows."""

    def __init__(self, layout: Layout, asked: Asked) -> None:
        super().__init__(asked)
        self.layout = layout
        self.bases = (asked.offsets,) if asked.offsets else layout.bases
        self.words = Words(asked, layout.words or BIG, layout.bare, self.guessed)
        self.swaps = layout.words is not None or asked.words == LITTLE
        self.aside = self.joins = self.mbuf = False  # what comes next is no packet; is one more segment; DPDK tells of packets
        self.headed = self.heading = False  # whether a line that is not indented stands in front of the packet; of the next one
        self.before, self.wide, self.front = NOWHERE, 0, ""  # the same of the packet before, and what is in front of its bytes
        self.reset()

    def reset(self) -> None:
        """No packet is open."""
        self.data, self.swapped = bytearray(), bytearray()  # as it stands there, and with the bytes of words the other way
        self.base = self.width = self.starred = 0  # its first offset; bytes of its rows; the line of a `*`
        self.last, self.last_swapped = b"", b""  # its last row, which a `*` repeats
        self.characters = self.no_packet = False  # whether its rows have them; of an aside
        self.columns = NOWHERE  # of its first row: where the offset and the bytes begin and end, and a gap between these
        self.space = ""  # what is between the offset and the bytes

    def read(self, lines: list[str]) -> None:
        """Reads lines: most of them are laid out as the row in which a packet began. Raises Malformed."""
        at = 0
        while at < len(lines):
            count = self.like_first(lines, at)
            self.number += count
            at += count
            if at < len(lines):
                self.number += 1
                if not self.short(lines[at]) and not self.again(lines[at]):
                    self.line(lines[at])
                at += 1

    def line(self, line: str) -> None:
        """Reads a line: a row, what belongs to rows, or text."""
        if self.layout.within.match(line):
            self.text += 1
        elif match := self.layout.row.match(line):
            self.row(match)
        elif self.begun and line.strip() == "*":
            self.starred = self.number
        elif self.layout.closing and (match := CLOSING.fullmatch(line)):
            self.close(match[1])
        elif self.begun and (match := OFFSET.match(line)) and self.follows(match[1]):
            raise Malformed(f"no row of a dump, though it begins with the next offset, {match[1]}")
        else:
            self.between(line)

    def like_first(self, lines: list[str], at: int) -> int:
        """Reads rows that are laid out as the first one, and whole; gives how many: the next one is not, or is to be looked at."""
        start, end, first, stop, gap = self.columns
        if not stop or self.starred or self.swaps:
            return 0
        base, width, data, row = self.bases[0], self.width, self.data, b""
        have, most, number, between = self.base + len(data), self.base + MAX_FRAME - width, at, self.space
        try:
            for number in range(at, len(lines)):
                line = lines[number]
                if line[stop : stop + 1] not in BEHIND or line.find("  ", first, stop) != gap or have > most:
                    break
                if line[end:first] != between or int(line[start:end], base) != have:
                    break
                octets = fromhex(line[first:stop])
                if len(octets) != width:
                    break
                row = octets
                data += row
                have += width
            else:
                number = len(lines)
        except ValueError:
            pass
        self.last = row or self.last
        return number - at

    def short(self, line: str) -> bool:
        """Reads a row like the first one, but shorter, as the last one mostly is; whether it is one, without any doubt."""
        start, end, first, stop, gap = self.columns
        if not stop or gap >= 0 or self.starred or self.swaps or line[end:first] != self.space:
            return False
        digits, text = line[first:stop].rstrip(), line[stop:].strip()
        try:
            if int(line[start:end], self.bases[0]) != self.base + len(self.data):
                return False
            row = fromhex(digits)
        except ValueError:
            return False
        if not single(digits):
            return False
        if not 0 < len(row) < self.width or bool(text) != self.characters or (text and not line[stop].isspace()):
            return False
        if text and text[0] not in "|>" and not shows(text, row):
            return False
        self.last = row
        self.data += row
        self.check(len(self.data))
        return True

    def again(self, line: str) -> bool:
        """Reads the first row of a packet that is laid out as that of the one before; whether it is one, without any doubt."""
        _, _, first, stop, gap = self.before
        if not stop or gap >= 0 or line[:first] != self.front or line[stop : stop + 2] not in BEHIND_FIRST:
            return False
        if self.starred or self.joins or self.mbuf or self.swaps or self.is_text or not single(line[first:stop]):
            return False
        try:
            row = fromhex(line[first:stop])
        except ValueError:
            return False
        text = line[stop:].strip()
        if len(row) != self.wide or (text and text[0] not in "|>" and not shows(text, row)):
            return False
        self.finish()
        self.no_packet, self.aside = self.aside, False
        self.headed, self.heading = self.heading, False
        self.open()
        self.columns, self.width, self.characters = self.before, self.wide, bool(text)
        self.space = line[self.before[1] : first]
        self.last = self.last_swapped = row
        self.data += row
        return True

    def follows(self, offset: str) -> bool:
        """Whether an offset is the one that comes next."""
        return bool(self.data) and any(of_base(offset, base) == self.base + len(self.data) for base in self.bases)

    @property
    def is_text(self) -> bool:
        """Whether the dump that is open is part of the text, when another one begins: with -v, tcpdump's packet is the last one."""
        return self.layout.latest and self.begun > 0 and self.headed and not self.heading

    def between(self, line: str) -> None:
        """A line of text. What goes on behind it, by its offset, is of the same packet, but where offsets are addresses."""
        self.heading = self.heading or line[:1].strip() != ""
        if self.layout.address or MBUF.match(line):
            self.finish()
        if match := ASIDE.fullmatch(line):
            self.aside = match[1] not in ("Frame", "Packet")
        if MBUF.match(line):
            self.mbuf = True
        elif self.mbuf and SEGMENT.match(line):
            self.joins = self.begun > 0
        self.skip(line)

    def row(self, match: re.Match[str]) -> None:
        """A row."""
        lead = match["lead"] if "lead" in self.layout.row.groupindex else ""
        at_zero = not self.layout.address and not self.starred and int(match["offset"], 16) == 0
        if self.begun and at_zero and (self.joins or FRAGMENT.search(lead)):
            self.base = -len(self.data)  # one more segment
        elif not self.begun or at_zero:
            told = self.told if self.is_text else (None, None)
            self.no_packet = self.no_packet or self.is_text
            self.headed, self.heading = self.heading or self.is_text, False
            self.finish()
            self.time = told[0] if self.time is None else self.time  # what was told is of the packet behind that text
            self.original = told[1] if self.original is None else self.original
            self.begin(match["offset"], lead)
        else:
            self.reach(match["offset"])
        self.joins = False
        tokens = self.split(match["rest"])
        row = bytes.fromhex("".join(tokens))
        if not self.width:
            self.width = len(row)
            if not self.layout.address and not self.layout.bare:
                first = match.start("rest")
                stop = first + self.end_of(match["rest"], tokens)
                self.columns = match.start("offset"), match.end("offset"), first, stop, match.string.find("  ", first, stop)
                self.space = match.string[match.end("offset") : first]
                if not lead:
                    self.before, self.wide, self.front = self.columns, self.width, match.string[:first]
            if self.layout.address:  # the first row may be the end of a line of memory
                self.base += self.layout.width - len(row)
                self.width = self.layout.width
        self.last = row
        self.last_swapped = swapped(tokens) if self.swaps else row
        self.data += row
        self.swapped += self.last_swapped
        self.check(len(self.data))

    def begin(self, offset: str, lead: str) -> None:
        """The first row of a packet."""
        self.base = int(offset, 16)
        if self.base and not self.layout.address:
            raise Malformed(f"a dump begins at offset {offset}, and not at 0: what is in front of it is missing")
        time = self.clock.read(lead) if lead else None
        self.time = self.time if time is None else time
        self.no_packet = self.aside or HEADROOM.search(lead) is not None
        self.aside = False
        self.open()

    def reach(self, offset: str) -> None:
        """The next row, or the end, is behind what was read, or, of a `*`, behind repeated rows. Raises Malformed."""
        have = self.base + len(self.data)
        said = {base: value for base in self.bases if (value := of_base(offset, base)) is not None}
        if self.starred:
            size = len(self.last)
            fit = [base for base, value in said.items() if value > have and (value - have) % size == 0]
            if not fit:
                raise Malformed(f"offset {offset} is no whole number of rows behind the '*' of line {self.starred}")
            if len(fit) > 1:
                self.guessed[f"offsets are taken for base {fit[0]}: --offsets says which"] = None
            self.check(said[fit[0]] - self.base)
            times = (said[fit[0]] - have) // size
            self.data += self.last * times
            self.swapped += self.last_swapped * times
            self.bases, self.starred = tuple(fit[:1]), 0
            return
        right = tuple(base for base, value in said.items() if value == have)
        if not right:
            value = said.get(self.bases[0], 0)
            missing = f"bytes {have:#x} to {value - 1:#x} are missing"
            raise Malformed(f"offset {offset}: {missing if value > have else f'up to {have:#x} all was read already'}")
        self.bases = right

    def close(self, offset: str) -> None:
        """An offset without bytes: how long the packet is. Of words the last one may be filled up."""
        if not self.begun:
            if int(offset, 16):
                raise Malformed(f"a dump ends at offset {offset}, and none has begun")
            return  # of an empty file
        filled = self.layout.words is not None and not self.starred
        if filled and any(of_base(offset, base) == self.base + len(self.data) - 1 for base in self.bases):
            del self.data[-1], self.swapped[-1]
        else:
            self.reach(offset)
        self.finish()

    def split(self, rest: str) -> list[str]:
        """The groups of digits of a row, without the characters behind them. Raises Malformed where these cannot be told apart."""
        limit = self.width or self.layout.width
        if self.layout.bare:
            tokens, behind = rest.split(), ""
        else:
            match = RUN.match(rest)
            if match is None:
                raise Malformed(f"'{rest.split()[0][:20]}' is no byte in hexadecimal, or an odd number of digits")
            tokens, behind = re.split("[ -]", match[0]), rest[match.end() :]
        count, text = sum(map(len, tokens)) // 2, behind.strip()
        apart = behind[:2].isspace() or behind[:1] in ("\t", "|") or text[:1] in ("|", ">")
        if count > limit or (text and not apart) or (not text and self.characters):
            if found := before_characters(rest, tokens, limit):
                self.characters = True
                return found
            if count > limit:
                raise Malformed(f"a row of {count} bytes, where there are {limit} at most")
            if text and count < limit:
                raise Malformed(f"'{text[:20]}' is neither bytes in hexadecimal nor the characters of those in front of it")
            return tokens
        return self.with_characters(tokens, behind, limit) if text else tokens

    @staticmethod
    def end_of(rest: str, tokens: list[str]) -> int:
        """Where the last group of a row ends."""
        at = 0
        for token in tokens:
            at = rest.index(token, at) + len(token)
        return at

    def with_characters(self, tokens: list[str], behind: str, limit: int) -> list[str]:
        """The groups of a row where something is behind a gap: mostly characters, maybe the other half of the bytes."""
        count, text = sum(map(len, tokens)) // 2, behind.strip()
        if text[0] not in "|>" and not shown(text, tokens, self.swaps):
            if count == 8 < limit and (half := SECOND_HALF.match(behind)):
                return tokens + re.split("[ -]", half[1])
            if (last := RIGHT_ALIGNED.match(behind)) and shown(behind[last.end() :].strip(), [*tokens, last[1]], True):
                return [*tokens, last[1]]
            if ALL_DIGITS.fullmatch(text) or (len(text) > count and count != limit):
                raise Malformed(f"'{text[:20]}' is neither bytes in hexadecimal nor the characters of those in front of it")
        self.characters = True
        return tokens

    def finish(self) -> None:
        """The packet that is open ends. Raises Malformed where a `*` is left."""
        if not self.begun:
            return
        if self.starred:
            raise Malformed(f"the '*' of line {self.starred} repeats rows up to an offset, and none comes")
        data = bytes(self.data)
        if self.swaps:
            data = self.words.pick(data, bytes(self.swapped))
            self.swaps = self.words.order != BIG  # once that is known
        if self.no_packet:
            self.asides += 1
            self.begun = 0
        else:
            self.add(data)
        self.reset()

    def end(self) -> None:
        """The input has ended."""
        self.finish()


def of_base(text: str, base: int) -> int | None:
    """A number; None: it is none in that base."""
    try:
        return int(text, base)
    except ValueError:
        return None


def single(digits: str) -> bool:
    """Whether nothing but single blanks is between groups of digits, as far as they are digits."""
    return "  " not in digits and digits.replace(" ", "").isalnum()


def swapped(tokens: list[str]) -> bytes:
    """Words with their bytes the other way round."""
    return b"".join(bytes.fromhex(token)[::-1] for token in tokens)


def shows(text: str, data: bytes) -> bool:
    """Whether a text is the column of characters of some bytes, one each; those that cannot be printed may be anything.

    Blanks at its end may be lost; of bytes above 127 Cisco shows the lower seven bits.
    """
    if not text or len(text) > len(data):
        return False
    if text == data.translate(PRINTED).decode("latin-1"):  # nearly always
        return True
    return all(c in (chr(b & 0x7F), ".") or not 0x20 < b < 0x7F for c, b in zip(text, data, strict=False))


def shown(text: str, tokens: list[str], swaps: bool) -> bool:
    """The same of groups: in words, characters may be in the order of memory."""
    return shows(text, bytes.fromhex("".join(tokens))) or (swaps and shows(text, swapped(tokens)))


def before_characters(rest: str, tokens: list[str], limit: int) -> list[str]:
    """The groups whose characters are all that follows, where no gap says so; empty: there are none such."""
    at, data = 0, b""
    found: list[str] = []
    for number, token in enumerate(tokens):
        at += len(token) + bool(number)
        data += bytes.fromhex(token)
        if len(data) > limit:
            break
        text = rest[at:].strip()
        if rest[at : at + 1].isspace() and len(text) > len(data) - 3 and shows(text, data):
            found = tokens[: number + 1]
    return found


def offset(least: int, most: int) -> str:
    """An offset of so many digits, in a regular expression."""
    return rf"(?P<offset>[0-9a-fA-F]{{{least},{most}}})"


REST = r"(?P<rest>[0-9a-fA-F]{2}.*)"
WIDE = r"(?P<rest>(?:[0-9A-F]{2}){1,4}(?: .*)?)$"
LAYOUTS = (
    Layout("tcpdump", "tcpdump -x, -xx, -X or -XX, or Junos", rf"\s*0x{offset(4, 8)}:\s+{REST}", width=16, latest=True,
           within=r"\t\s+0x[0-9a-f]{4}:"),  # with -v, of what it does not decode: indented by more than a packet's, which is last
    Layout("0x", "FortiGate's sniffer, or a capture of an ASA", rf"\s*0x{offset(4, 8)}\s+{REST}", width=16),
    Layout("dpdk", "rte_pktmbuf_dump() of DPDK", rf"\s*{offset(8, 8)}: (?P<rest>(?:[0-9A-F]{{2}} )+ *\|.*)", width=16),
    Layout("kernel", "print_hex_dump() of Linux", rf"(?P<lead>.*?\S[\s:=])\s*(?P<offset>[0-9a-f]{{8}}): {REST}", width=32,
           words=LITTLE),
    Layout("cisco", "Cisco IOS", rf"(?P<offset>(?!0{{8}})[0-9A-F]{{7}}0):\s+{WIDE}", width=16, address=True),
    Layout("cisco-xe", "Cisco IOS XE", rf"\s*{offset(4, 4)}:\s+{WIDE}", width=16),
    Layout("xxd", "xxd", rf"\s*{offset(8, 16)}:\s+{REST}", words=BIG),
    Layout("hexdump", "hexdump -C", rf"\s*{offset(8, 16)}  (?P<rest>[0-9a-f]{{2}}(?: .*)?)$", width=16, closing=True),
    Layout("words", "hexdump or od -x, words of 16 bits", rf"\s*{offset(6, 7)}\s+(?P<rest>[0-9a-f]{{4}}(?:\s+[0-9a-f]{{4}})*)\s*$",
           bases=(16, 8, 10), words=LITTLE, bare=True, closing=True),
    Layout("od", "od -t x1", rf"\s*{offset(6, 7)}\s+(?P<rest>[0-9a-f]{{2}}(?:\s.*)?)$", bases=(8, 16, 10), closing=True),
    Layout("wireshark", "tshark -x, Wireshark or scapy", rf"\s*{offset(4, 8)}:?\s+(?P<rest>[0-9a-fA-F]{{2}}(?:[\s-].*)?)$"),
)  # fmt: skip
