"""A page for a browser that carries all it needs: packets, the fields and the bytes of each, linked, what is wrong, the ladder.

All of it stands in the page as it is written, packet by packet; the script only links what is there, so that a page without it
can be read, too. A content security policy lets nothing run or load but page.css and page.js, by their hashes; what comes from
packets is escaped.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from time import gmtime, strftime

from .. import __version__
from ..batch import Batch
from ..errors import counted, visible
from ..formats.files import Output, Sink
from ..protocols.names import linktype_name
from ..protocols.shown import format_fraction, format_seconds
from .ladder import picture
from .parts import Field, Header, Packet, Problem, items_of, safe
from .problems import examined
from .sequence import MOST, Message, Sequence
from .svg import LAYER, PALETTE, SHAPES, escaped
from .tree import PRINTABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..command_line.options import Values

LINE = 16  # bytes
DEEPEST = 4  # packets in packets that are set in
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{style_hash}'; script-src '{script_hash}'; \
base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<nav aria-label="Page"><a href="#packets">Packets</a> <a href="#ladder">Ladder</a> <a href="#keys">Keys</a></nav>
<p class="tools" hidden><button type="button" id="open">Open all</button> <button type="button" id="close">Close all</button></p>
</header>
<main>
<h2 id="packets">Packets</h2>
"""
TAIL = """</main>
<footer>
<h2 id="keys">Keys</h2>
<dl>
<dt>Enter</dt><dd>on a packet opens and closes it; on a field goes to its bytes, on bytes to their field</dd>
<dt>Tab</dt><dd>goes from the packet to its bytes, to its fields, to the next packet</dd>
<dt>Arrows, Home, End</dt><dd>go from packet to packet, in the bytes, in the fields</dd>
<dt>Escape</dt><dd>goes back to the packet</dd>
</dl>
<p>What is open is printed. Written by pkttools {version}.</p>
</footer>
<script>{script}</script>
</body>
</html>
"""


def resource(name: str) -> str:
    """A file that goes into the page."""
    return Path(__file__).with_name(name).read_text(encoding="ascii")


def hash_of(text: str) -> str:
    """What a content security policy calls a text: Content Security Policy Level 3, section 2.3.1."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def packet_html(message: Message, packet: Packet, since: str) -> str:
    """A packet: a line, and what it opens."""
    problems = problems_of(packet)
    wrong = sum(problem.wrong for _, problem in problems)
    words = [
        f'<span class="number">{message.number}</span>',
        f'<span class="time">{since}</span>',
        f"<span>{escaped(message.source)}</span>",
        f"<span><span class=arrow>{'&gt;' if message.target else ''}</span> {escaped(message.target)}</span>",
        f'<span class="{LAYER[message.layer]} says">{escaped(message.says)}'
        + (f' <strong class="wrong">{wrong} wrong</strong>' if wrong else "")
        + "</span>",
        f'<span class="size">{packet.captured} bytes</span>',
    ]
    fields = Fields(packet)
    return (
        f'<details class="packet"><summary>{" ".join(words)}</summary>\n<div class="parts" id="p{message.number}">\n'
        f'<p class="capture">{escaped(captured(packet))}</p>\n'
        + problems_html(problems, fields)
        + f'<div class="bytes" data-label="Bytes of packet {message.number}">\n{"".join(bytes_html(packet, fields))}</div>\n'
        f'<table class="fields" data-label="Fields of packet {message.number}">\n{"".join(fields_html(packet, fields))}</table>\n'
        "</div></details>\n"
    )


def captured(packet: Packet) -> str:
    """What the capture says of a packet: time, bytes, and its extension lines."""
    whole, rest = divmod(packet.time, 10**9)
    try:
        time = f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(whole))}{format_fraction(rest)}Z"
    except (OverflowError, ValueError, OSError):
        time = f"{whole}.{rest:09} s"
    size = f"{packet.captured} of {packet.original} bytes" if packet.captured != packet.original else f"{packet.captured} bytes"
    return "; ".join((time, size, linktype_name(packet.linktype), *packet.notes))


class Fields:
    """The fields of a packet that have bits of their own, by number, and those of each byte."""

    def __init__(self, packet: Packet) -> None:
        self.numbers: dict[int, int] = {}
        owners: list[list[int]] = [[] for _ in packet.frame]
        for header in packet.everything():
            for field in header:
                spans = field.all_spans
                if not spans:
                    continue
                number = self.numbers[id(field)] = len(self.numbers)
                for at in {at for first, last in spans for at in range(first // 8, -(-last // 8))}:
                    owners[at].append(number)
        self.owners = [" ".join(map(str, numbers)) for numbers in owners]

    def mark(self, field: Field | None) -> str:
        """The attribute that links a field."""
        number = self.numbers.get(id(field))
        return "" if number is None else f' data-f="{number}"'


def problems_of(packet: Packet) -> list[tuple[str, Problem]]:
    """All that is to be known of a packet, with the title of the header that it is about; empty: the packet as a whole."""
    of_headers = [(header.title, problem) for header in packet.everything() for problem in header.problems]
    return [("", problem) for problem in packet.problems] + of_headers


def problems_html(problems: list[tuple[str, Problem]], fields: Fields) -> str:
    """What is wrong with a packet, and how that can be followed."""
    lines = []
    for name, problem in problems:
        style = "wrong" if problem.wrong else "unfinished"
        steps = "\n".join(problem.steps())
        more = f"<pre>{escaped(steps)}</pre>" if steps else ""
        about = f"{name}: " if name else ""
        lines.append(f'<li{fields.mark(problem.field)}><span class="{style}">{escaped(about + str(problem))}</span>{more}</li>\n')
    return f'<ul class="problems">\n{"".join(lines)}</ul>\n' if lines else ""


def bytes_html(packet: Packet, fields: Fields) -> Iterator[str]:
    """The bytes of a packet, those of a field together, and their characters."""
    frame, owners = packet.frame, fields.owners
    styles = {
        fields.numbers.get(id(field)): "wrong" if field.wrong else LAYER[header.layer]
        for header in packet.headers
        for part in (header, *items_of(header))
        for field in part
    }
    for line in range(0, len(frame), LINE):
        end = min(line + LINE, len(frame))
        runs = []
        at = line
        while at < end:
            stop = at + 1
            while stop < end and owners[stop] == owners[at]:
                stop += 1
            style = styles[int(owners[at].split()[-1])]
            runs.append(f'<b class="{style}" data-f="{owners[at]}" data-at="{at}">{frame[at:stop].hex(" ").upper()}</b>')
            at = stop
        shown = frame[line:end].translate(PRINTABLE).decode("ascii")
        gap = "   " * (LINE - (end - line))
        characters = f'<span class="characters">{escaped(shown)}</span>'
        yield f'<div><span class="offset">{line:06X}</span> {" ".join(runs)}{gap} {characters}</div>\n'


def fields_html(packet: Packet, fields: Fields) -> Iterator[str]:
    """The fields of a packet, header by header."""
    yield (
        '<thead><tr><th scope="col">field</th><th scope="col">value</th><th scope="col">is</th>'
        '<th scope="col">means</th><th scope="col">bytes</th></tr></thead>\n'
    )
    for header in packet.headers:
        depth = f" depth{min(header.depth, DEEPEST)}" if header.depth else ""
        yield f'<tbody class="{LAYER[header.layer]}{depth}">\n{title_html(header, "quoted" if header.quoted else "")}'
        yield from header_html(header, fields)
        for item in items_of(header):
            yield title_html(item, "item")
            yield from header_html(item, fields)
        yield "</tbody>\n"


def title_html(header: Header, style: str) -> str:
    """The row in front of a header's fields, or an item's."""
    quoted = " (quoted)" if style == "quoted" else ""
    title = f"{escaped(header.title or 'item')}{quoted} <small>{escaped(header.source)}</small>"
    return f'<tr class="{style}"><th colspan="5" scope="rowgroup">{title}</th></tr>\n'


def header_html(header: Header, fields: Fields) -> Iterator[str]:
    """The fields of a header, or of an item, a row each, parts behind the whole."""
    for field in header.fields:
        yield row_html(field, fields, "")
        for part in field.parts:
            yield row_html(part, fields, "part")


def row_html(field: Field, fields: Fields, style: str) -> str:
    """The row of a field; none where a header inside says what its bits mean."""
    if field.overlaid:
        return ""
    value = counted(len(field.value), "byte") if field.is_data and isinstance(field.value, bytes) else field.shown
    cells = (value, field.word, field.meaning + (" (wrong)" if field.wrong else ""), place(field))
    name = escaped(field.short) or "<i>unnamed</i>"
    return (
        f'<tr{fields.mark(field)} class="{style}{" wrong" if field.wrong else ""}"><th scope="row">{name}</th>'
        f"{''.join(f'<td>{escaped(cell)}</td>' for cell in cells)}</tr>\n"
    )


def place(field: Field) -> str:
    """Where a field lies in the frame: bytes, and behind a colon bits, where it has not all of them."""
    first, last = field.bit, field.bit + field.width - 1
    if last < first:
        return ""
    whole = first % 8 == 0 and last % 8 == 7
    of, to = (f"{at // 8}" if whole else f"{at // 8}:{at % 8}" for at in (first, last))
    return of if of == to else f"{of}-{to}" if whole or first // 8 != last // 8 else f"{of}-{last % 8}"


class PageSink(Sink):
    """Writes the page as packets come; the ladder behind them."""

    output: Output

    def __init__(self, output: Output, most: int, title: str) -> None:
        self.output = output
        self.sequence = Sequence(most)
        style, self.script = PALETTE + SHAPES + resource("page.css"), resource("page.js")
        hashes = {"style_hash": hash_of(style), "script_hash": hash_of(self.script)}
        self.head = HEAD.format(title=escaped(title), style=style, **hashes)  # not yet: of what cannot be read there is no page

    def put(self, text: str) -> None:
        """Writes what comes next, the head in front of it all."""
        self.output.write((self.head + text).encode())
        self.head = ""

    def write(self, batch: Batch) -> None:
        """Takes a batch, and writes those of its packets that are shown."""
        done = len(self.sequence.messages)
        self.sequence.add(batch)
        for i, message in enumerate(self.sequence.messages[done:]):
            since = format_seconds(message.time - self.sequence.messages[0].time)
            self.put(packet_html(message, examined(batch, i), since))

    def close(self) -> list[str]:
        """Writes the rest; gives how many packets are not in it."""
        shown = counted(len(self.sequence.messages), "packet")
        rest = f"{shown}. {self.sequence.more} more are not in this page." if self.sequence.more else f"{shown}."
        drawn = picture(self.sequence, "#p{}").element('role="group"') if self.sequence.messages else "<p>No packets.</p>\n"
        self.put(
            f'<p id="count">{rest}</p>\n<h2 id="ladder">Ladder</h2>\n'
            f'<div class="ladder" role="region" aria-label="Ladder" tabindex="0">\n{drawn}</div>\n'
            f"{TAIL.format(version=__version__, script=self.script)}"
        )
        self.output.close()
        return self.sequence.undrawn()


def view(values: Values, output: Output) -> Sink:
    """The page that the options ask for."""
    named = ", ".join(name.rpartition("/")[2] for name in values.input if name != "-")
    return PageSink(output, values.limit or MOST, f"Packets of {safe(visible(named)) or 'standard input'}")
