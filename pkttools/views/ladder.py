"""A sequence diagram: hosts as columns, packets as arrows between them; as text of 80 columns, or as a picture.

An arrow has what its packet says in it, or, where that is too long, above it. `=` goes to all, `-` to one.
"""

from __future__ import annotations

from itertools import pairwise

from ..batch import Batch
from ..command_line.colour import BY_LAYER, CAPTURE, coloured, paint
from ..formats.files import Output, Sink
from .sequence import MOST, Message, Sequence
from .svg import COLUMN, LAYER, ROW, Picture, fitted, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import Values

WIDTH = 80
EDGE = 8  # columns between the last host and the right edge
NARROWEST = 9  # columns from host to host, at least
AGAIN = 40  # messages after which the names of the hosts stand once more
LONGEST = (39, 23, 15)  # characters of names; those of IPv6 and MAC addresses fit, or of IPv4 ones
OTHERS = "others"
PICTURED = 24  # hosts that a picture has columns for


def hosts_of(sequence: Sequence, most: int) -> tuple[list[str], dict[str, int]]:
    """Titles of columns, and the column of each host; of more hosts than that the later ones share the last, OTHERS."""
    names = sequence.hosts
    if len(names) <= most:
        return list(names), {name: at for at, name in enumerate(names)}
    return [*names[: most - 1], OTHERS], {name: min(at, most - 1) for at, name in enumerate(names)}


def short(names: list[str], room: int) -> list[str]:
    """Titles of at most `room` characters: of longer names their end, which tells hosts of a network apart, else numbers."""
    titles = [name if len(name) <= room else "~" + name[len(name) - room + 1 :] for name in names]
    return [f"#{at + 1}" if name != title and titles.count(title) > 1 else title
            for at, (name, title) in enumerate(zip(names, titles, strict=True))]  # fmt: skip


def label_of(message: Message, titles: list[str], columns: dict[str, int]) -> str:
    """What a message says; with the names that its column does not have."""
    label = plain(message.label + (f" to {message.target}" if message.to_all else ""))
    if titles[-1] == OTHERS:
        shared = len(titles) - 1
        if message.target and not message.to_all and columns[message.target] == shared:
            label += f" to {message.target}"
        if columns[message.source] == shared:
            label += f" from {message.source}"
    return label


def labels_of(sequence: Sequence, titles: list[str], columns: dict[str, int]) -> list[str]:
    """What each message says."""
    return [label_of(message, titles, columns) for message in sequence.messages]


def sides_of(titles: list[str], first: int) -> list[tuple[int, int]]:
    """How far titles reach to the left and to the right of their columns, where these are in the middle unless an edge is near."""
    sides = [(len(title) // 2, (len(title) - 1) // 2) for title in titles]
    if sides:
        left = min(sides[0][0], first)
        sides[0] = left, len(titles[0]) - 1 - left
        right = min(sides[-1][1], EDGE) if len(titles) > 1 else sides[0][1]
        sides[-1] = len(titles[-1]) - 1 - right, right
    return sides


def gaps_of(least: list[int], sequence: Sequence, columns: dict[str, int], sizes: list[int], room: int) -> list[int]:
    """The room from each host to the next: as little as `least`, and more for what is said between them, as far as there is room.

    sizes: what each message needs from its source to its target.
    """
    wanted = list(least)
    for message, size in zip(sequence.messages, sizes, strict=True):
        if message.target and not message.to_all:
            low, high = sorted((columns[message.source], columns[message.target]))
            for at in range(low, high):
                wanted[at] = max(wanted[at], -(-size // (high - low)))
    left, missing = room - sum(least), sum(wanted) - sum(least)
    if missing <= left:
        return wanted
    return [few + (many - few) * left // missing for few, many in zip(least, wanted, strict=True)]


class Text:
    """The diagram as lines of text."""

    def __init__(self, sequence: Sequence, colours: bool) -> None:
        self.sequence, self.colours = sequence, colours
        self.times = sequence.times()
        self.digits = max((len(str(message.number)) for message in sequence.messages), default=1)
        gutter = self.digits + max(map(len, self.times), default=0) + 4
        self.first = gutter + 1  # the column of the first host
        room = WIDTH - 1 - EDGE - self.first
        self.names, self.columns = hosts_of(sequence, room // NARROWEST + 1)
        self.labels = labels_of(sequence, self.names, self.columns)
        self.titles = self.names
        for longest in LONGEST:  # as much of the names as there is room for
            self.titles = short(self.names, longest)
            self.sides = sides_of(self.titles, self.first)
            least = [one[1] + other[0] + 2 for one, other in pairwise(self.sides)]
            if sum(least) <= room:
                break
        else:
            least = [room // (len(self.names) - 1)] * (len(self.names) - 1)
            self.titles = short(self.names, least[0] - 1)
            self.sides = sides_of(self.titles, self.first)
        gaps = gaps_of(least, sequence, self.columns, [len(label) + 6 for label in self.labels], room)
        rest = (room - sum(gaps)) // max(len(gaps), 1)
        self.places = [self.first + sum(gaps[:at]) + rest * at for at in range(len(self.names))]

    def lines(self) -> list[str]:
        """All of it."""
        lines = [self.sequence.begins()]
        lines += [f"{title} is {name}" for title, name in zip(self.titles, self.names, strict=True) if title != name]
        if OTHERS in self.names[-1:]:
            lines.append(f"{OTHERS} are {len(self.columns) - len(self.names) + 1} hosts")
        for at, (message, time, label) in enumerate(zip(self.sequence.messages, self.times, self.labels, strict=True)):
            if at % AGAIN == 0:
                lines += self.head()
            lines += self.message(message, time, label)
        return lines

    def head(self) -> list[str]:
        """The names of the hosts, and the beginning of their lines."""
        row = [" "] * WIDTH
        for place, title, (left, _) in zip(self.places, self.titles, self.sides, strict=True):
            row[place - left : place - left + len(title)] = title
        return ["".join(row).rstrip(), self.painted(self.rails(), WIDTH, WIDTH, "")]

    def rails(self) -> list[str]:
        """The lines of the hosts, without a message."""
        row = [" "] * WIDTH
        for place in self.places:
            row[place] = "|"
        return row

    def message(self, message: Message, time: str, label: str) -> list[str]:
        """The line or two lines of a message, or a loop."""
        source = self.places[self.columns[message.source]]
        row = self.rails()
        if message.to_all:
            left, right = self.places[0], WIDTH - 1
            parts = ([(left, source, "=", True)] if left < source else []) + [(right, source, "=", True)]
        elif not message.target or message.target == message.source or self.places[self.columns[message.target]] == source:
            return self.beside(message, time, label, source)
        else:
            target = self.places[self.columns[message.target]]
            left, right = min(source, target), max(source, target)
            parts = [(target, source, "-", False)]
        room = (0, 0)
        for tip, tail, stroke, to_edge in parts:
            low, high = min(tip, tail) + 1, max(tip, tail)
            row[low:high] = stroke * (high - low)
            if tip > tail:
                row[tip if to_edge else tip - 1] = ">"
            else:
                row[tip + (0 if to_edge and tip not in self.places else 1)] = "<"
            room = max(room, (low, high), key=lambda between: between[1] - between[0])
        colour = BY_LAYER[message.layer]
        low, high = room
        if len(label) + 6 <= high - low:
            at = low + (high - low - len(label)) // 2
            row[at - 1 : at + len(label) + 1] = f" {label} "
            return [self.numbered(message, time, row, left, right, colour)]
        above = self.rails()
        at = self.write(above, label, left + 2)
        return [self.numbered(message, time, above, at, at + len(label), colour), self.painted(row, left, right, colour)]

    def beside(self, message: Message, time: str, label: str, at: int) -> list[str]:
        """The lines of a message to oneself, a loop, or to nobody: a mark."""
        colour = BY_LAYER[message.layer]
        loop = bool(message.target)
        needed = len(label) + (6 if loop else 3)
        right = at + needed <= WIDTH or at - self.first < needed
        marks = ("--.", "<-'") if right else (".--", "'->")
        rows = []
        for mark in marks if loop else ("*",):
            row = self.rails()
            if not loop:
                row[at] = mark
            elif right:
                row[at + 1 : at + 4] = mark
            else:
                row[at - 3 : at] = mark
            rows.append(row)
        beside = at + (5 if loop else 2) if right else at - (4 if loop else 1) - len(label)
        begins = self.write(rows[0], label, beside)
        low, high = min(at - 3, begins), max(at + 4, begins + len(label))
        first = self.numbered(message, time, rows[0], max(low, self.first), high, colour)
        return [first, *(self.painted(row, max(at - 3, self.first), at + 4, colour) for row in rows[1:])]

    def write(self, row: list[str], label: str, at: int) -> int:
        """Writes a label into a row from `at` on, or as near as there is room; gives where it begins."""
        label = fitted(label, WIDTH - self.first - 1)
        at = max(min(at, WIDTH - len(label)), self.first + 1)
        row[at : at + len(label)] = label
        return at

    def numbered(self, message: Message, time: str, row: list[str], low: int, high: int, colour: str) -> str:
        """A line with the number and the time of its packet."""
        row[: self.first - 1] = f"{message.number:>{self.digits}}  {time:>{self.first - 4 - self.digits}} ".ljust(self.first - 1)
        return self.painted(row, low, high, colour)

    def painted(self, row: list[str], low: int, high: int, colour: str) -> str:
        """A row as a line, coloured from `low` up to and with `high`; the lines of the hosts are faint."""
        text = "".join(row).rstrip()
        if not self.colours:
            return text
        pieces = ((text[self.first - 1 : low], CAPTURE), (text[low : high + 1], colour), (text[high + 1 :], CAPTURE))
        return text[: self.first - 1] + "".join(paint(piece, colour) if piece.strip() else piece for piece, colour in pieces)


# Of pictures, in pixels: from host to host at least, above the first message, for numbers and times, and a screen.
STEP, TOP, LEFT, SCREEN = 200, 3 * ROW, 24 * COLUMN, 1600


def picture(sequence: Sequence, link: str = "") -> Picture:
    """The diagram as a picture. link: what leads to a packet, with `{}` for its number."""
    names, columns = hosts_of(sequence, PICTURED)
    times = sequence.times()
    labels = labels_of(sequence, names, columns)
    least = [STEP] * (len(names) - 1)
    gaps = gaps_of(least, sequence, columns, [COLUMN * (len(label) + 3) for label in labels], max(sum(least), SCREEN - LEFT - STEP))
    places = [LEFT + STEP // 2 + sum(gaps[:at]) for at in range(len(names))]
    width, height = LEFT + max(sum(gaps), STEP) + STEP, TOP + 2 * ROW * len(times) + ROW
    drawn = Picture(width, height, f"{len(times)} packets between {len(columns)} hosts")
    drawn.text(COLUMN, ROW // 2 + 4, sequence.begins(), width // COLUMN - 2, "faint")
    for name, place in zip(names, places, strict=True):
        drawn.line([(place, TOP), (place, height - ROW // 2)], dashed=True)
        drawn.box(place - STEP // 2 + 4, ROW + 8, STEP - 8, ROW + 4, "shade")
        drawn.text(place, 2 * ROW, name, STEP // COLUMN - 2, "strong", "middle")
    for at, (message, time, label) in enumerate(zip(sequence.messages, times, labels, strict=True)):
        if link:
            ends = f"{message.source} to {message.target}" if message.target else message.source
            drawn.begin(link.format(message.number), f"packet {message.number}, {ends}: {message.label}")
        _message(drawn, message, (time, label), TOP + 2 * ROW * at + 3 * ROW // 4, (columns, places))
        if link:
            drawn.end()
    return drawn


def _message(drawn: Picture, message: Message, texts: tuple[str, str], y: float, hosts: tuple[dict[str, int], list[int]]) -> None:
    """Draws a message: its time and its label, and below that its arrow."""
    (time, label), (columns, places) = texts, hosts
    style = LAYER[message.layer]
    drawn.text(LEFT - 13 * COLUMN - 4, y, str(message.number), 8, "faint", "end")
    drawn.text(LEFT - COLUMN, y, time, 12, "faint", "end")
    source = places[columns[message.source]]
    target = places[columns[message.target]] if message.target and not message.to_all else source
    left, below = min(source, target), y + ROW * 3 / 4
    edge = drawn.width - COLUMN
    if message.to_all:
        left = source if source < edge - STEP else places[0]
        if source > places[0]:
            drawn.line([(source, below), (places[0], below)], f"{style} all", head=True)
        drawn.line([(source, below), (edge, below)], f"{style} all", head=True)
    elif not message.target:
        drawn.box(source - 4, below - 4, 8, 8)
    elif source == target:
        drawn.line([(source, y), (source + 24, y), (source + 24, below), (source, below)], style, head=True)
        left += 28
    else:
        drawn.line([(source, below), (target, below)], style, head=True)
    columns_left = int(edge - left) // COLUMN - 1
    if len(label) > columns_left:  # as near as there is room
        left = max(LEFT, int(edge) - COLUMN * (len(label) + 1))
        columns_left = int(edge - left) // COLUMN - 1
    drawn.text(left + COLUMN, y, label, columns_left, style)


class LadderSink(Sink):
    """Draws when all is there. svg: a picture is written, and no text."""

    output: Output

    def __init__(self, output: Output, most: int, colours: bool, svg: bool) -> None:
        self.output, self.colours, self.svg = output, colours, svg
        self.sequence = Sequence(most)

    def write(self, batch: Batch) -> None:
        """Takes a batch."""
        self.sequence.add(batch)

    def close(self) -> list[str]:
        """Writes the diagram; gives how many packets are not in it."""
        if self.svg:
            self.output.write(picture(self.sequence).document())
        else:
            self.output.write("".join(line + "\n" for line in Text(self.sequence, self.colours).lines()).encode())
        self.output.close()
        return self.sequence.undrawn()


def view(values: Values, output: Output) -> Sink:
    """The ladder that the options ask for."""
    most = values.limit or MOST
    return LadderSink(output, most, coloured(values.color, output.fd), bool(values.svg))
