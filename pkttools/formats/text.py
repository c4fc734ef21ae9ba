"""Streams of packet text."""

from __future__ import annotations

import time

from .. import codec
from ..batch import COLUMNS, LANE_MARK, LINKTYPE, WIDTH, Batch
from ..errors import BAD_FIELD, NOT_ENDED, NOT_TEXT, PktError, UsageError, counted, shown, text_message, values_cut
from ..protocols.names import link_lines
from .files import Input, Output, Sink, no_ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..command_line.options import Values
    from .lane import Lane

LAST_LINE = b"\n==\n"  # of a packet, with the end of the line before
MARK = b"\xef\xbb\xbf"  # which editors of Windows put before a text in UTF-8
HEAD = 512  # bytes from which a text without packets is known
PASSED_OVER = 5  # what codec.text_decode counts
LITTLE = 16 << 10  # bytes of one read that are few packets
FEW = 8  # such reads, one after the other, from which packets are taken to come one by one
MAX_TEXT = 32 << 20  # bytes of one packet's text; 262,144 bytes, one a line, need a fifth of it


def packets(source: Input, buffer: bytearray, used: int) -> Iterator[Batch]:
    """The packets of a text stream, of which `buffer` holds the first `used` bytes.

    Raises PktError with the line, after the packets before it.
    """
    linktype, line, known, tried = 1, 0, 0, 0
    found = typed = False  # whether there was a packet; a line LINKTYPE
    head = b""  # of a text without packets
    counts: Sequence[int] = [0] * PASSED_OVER
    binary = buffer.find(b"\0", 0, min(used, 65536)) >= 0
    if buffer.startswith(MARK, 0, used):  # the first line is one of the format, too
        used -= len(MARK)
        buffer[:used] = buffer[len(MARK) : len(MARK) + used]
    final = not used
    came, small = used, 0  # bytes of the last read; reads in a row that brought few packets, all of them whole
    lane = source.lane
    while True:
        if lane and used and not buffer[0]:
            from .lane import batches

            used, line = yield from batches(source, buffer, used, linktype, line)
            found, known, tried, final = True, 0, 0, not used
            lane = bool(used and buffer[0])
        stop = used if final else complete(buffer, known, used)
        if lane and not stop and buffer.find(b"\n\0", max(0, known - 1), used) >= 0:
            stop = used  # batches begin behind a line outside of packets
        if not stop and used > 2 * tried + 65536:  # a lot without a packet's end: it may be mere comments, or wrong
            stop = tried = used
        start, handed = 0, False
        while start < stop:
            now = source.now or time.time_ns() // 1000 * 1000  # for packets without TIME, in microseconds as all of them
            consumed, data, rows, linktype, line, error, passed_over = codec.text_decode(
                buffer, start, stop, final, linktype, line, now
            )
            source.link = linktype if source.link is None else source.link
            counts = together(counts, passed_over)
            if rows:
                found = True
                yield Batch(data, rows)
            if error:
                kind, at, word, size = error
                if kind == NOT_TEXT and lane and buffer.startswith(LANE_MARK, consumed):
                    start, line, handed = consumed, at - 1, True
                    break
                if kind == NOT_TEXT and not found:
                    raise PktError(f"{source.name}: neither packet text nor a capture file")
                number, said = word if kind == NOT_ENDED else 0, bytes(buffer[word : word + size])
                message = wrong_field(said) if kind == BAD_FIELD else text_message(kind, said, number)
                raise PktError(f"{source.name}:{at}: {message}")
            if consumed == start:
                break
            if not found:
                typed = typed or buffer.startswith(b"LINKTYPE:", start) or buffer.find(b"\nLINKTYPE:", start, consumed) >= 0
                head += buffer[start : min(consumed, start + HEAD - len(head))]
            start = consumed
        if source.elsewhere and found and start and not final and not handed:
            from .text_stretch import Lines  # late: for pkt-pipe --jobs alone

            lines = Lines(linktype, source.now)
            if source.elsewhere(used - start, lines):
                start = used
                *others, more = lines.counts
                counts, line = together(counts, others), line + more
        if final and not handed:
            break
        if start:
            buffer[: used - start] = buffer[start:used]
            used, tried = used - start, 0
        if handed:
            continue
        if used > MAX_TEXT:
            raise PktError(f"{source.name}:{line + 1}: the text of one packet goes on for more than {MAX_TEXT >> 20} MiB")
        if used == len(buffer):
            buffer.extend(bytes(used))
        small = small + 1 if found and not used and came <= LITTLE else 0
        if small > FEW and source.relay:
            before = line
            used, line = source.relay(buffer, linktype, line)
            came, known, tried, small = used, 0, 0, FEW - 1 if line > before else 0
            if used:
                continue
        known, used = used, source.fill(buffer, used)
        came, final = used - known, used == known
    stray, shortened, filled, unplaced, cut = counts
    if binary and not found:
        raise PktError(f"{source.name}: neither packet text nor a capture file")
    if line and not found and not typed:
        from .foreign import looks_like  # late: only for those who took the wrong file

        raise PktError(f"{source.name}: no packets: {looks_like(head)}")
    if line and not found:
        source.said.append(f"{source.name}: no packets in {counted(line, 'line')}")
    elif stray:
        source.said.append(f"{source.name}: {counted(stray, 'line')} of packets outside of packets: is a '--' missing?")
    if shortened:
        packets = counted(shortened, "packet")
        source.said.append(f"{source.name}: {packets} truncated to what SIZE says: without SIZE all bytes count")
    if filled:
        source.said.append(f"{source.name}: {counted(filled, 'packet')} filled with zeros to what SIZE says: bytes are missing")
    if unplaced:
        source.said.append(f"{source.name}: {counted(unplaced, 'field line')} without a place: no such header there, or no bytes")
    if cut:
        source.said.append(f"{source.name}: {values_cut(cut)}")


def together(counts: Sequence[int], more: Sequence[int]) -> list[int]:
    """Two counts of the same, added."""
    return [one + other for one, other in zip(counts, more, strict=True)]


def complete(buffer: bytearray, known: int, used: int) -> int:
    """Where the last complete packet ends: behind the last line that starts with `==`. 0: there is none.

    known: up to here there was none when it was looked for last.
    """
    first, stop = max(0, known - 3), used
    at = buffer.rfind(b"=", first, stop) - 2  # mostly it is there, and one byte is found many times as fast as three
    if at < first or not buffer.startswith(b"\n==", at):
        at = buffer.rfind(b"\n==", first, stop)
    while at >= 0:
        if end := buffer.find(b"\n", at + 1, used) + 1:
            return end
        at = buffer.rfind(b"\n==", first, at + 1)  # its line's end has not come yet
    return 0


def wrong_field(line: bytes) -> str:
    """What is wrong with a field line, from its name to the end of its value."""
    from ..protocols.values import check_assignable, field, parse_value, rows_of  # late: seldom

    name, _, text = line.partition(b":")
    try:
        known, indexes, _ = field(name.decode("ascii"))
        value = parse_value(known, rows_of(indexes), text.decode("latin-1"))
        if isinstance(value, int):
            check_assignable(known, rows_of(indexes), value)
    except UsageError as error:
        return shown(str(error).encode(), 200)
    return "bad field line"


def ends(text: bytes | memoryview) -> list[int]:
    """Where packets end in what was written."""
    if isinstance(text, memoryview):
        from . import lane

        return lane.ends(text)
    found, at = [], 0
    while (at := text.find(LAST_LINE, at)) >= 0:
        at += len(LAST_LINE)
        found.append(at)
    return found


class TextSink(Sink):
    """Writes packets as text.

    width: bytes a line. data_only: the bytes alone. fields: 0, or 1 to add the fields of 1.16, 2 for all,
    with codec.DECIMAL for decimal numbers.
    """

    output: Output
    STATE = ("count", "linktype")

    def __init__(self, output: Output, width: int, data_only: bool, fields: int) -> None:
        self.output, self.width, self.data_only, self.fields = output, width, data_only, fields
        self.count = 0
        self.linktype: int | None = None
        self.verbose = False
        if output.lender and width == WIDTH and not data_only and not fields:
            from .lane import lane_of

            output.lane = lane_of(output)

    @classmethod
    def by_options(cls, output: Output, values: Values, linktype: int) -> Sink:
        """One that writes as the options ask for it."""
        fields = 2 if values.all_fields else int(values.fields)
        sink = cls(output, values.width, values.data_only, fields | codec.DECIMAL * bool(fields and values.decimal))
        sink.verbose = bool(getattr(values, "verbose", False))  # a switch has no such option
        return sink

    def write(self, batch: Batch) -> None:
        """Writes a batch at once. A LINKTYPE line comes first, and again whenever the type, or the FCS, changes."""
        columns, count = batch.columns(), len(batch)
        first = 0
        while first < count:
            linktype = columns[first * COLUMNS + LINKTYPE]
            line = b""
            if linktype != self.linktype and not self.data_only:
                line = "".join(f"{line}\n" for line in link_lines(linktype)).encode()
            self.linktype = linktype
            lane = self.output.lane if self.output.lane and self.output.lane.is_read() else None
            text, stop = lane.encode(batch, first) if lane and not lane.trickles(batch) else (b"", first)
            handed = stop - first
            if not handed:
                number = self.count + 1
                text, stop = codec.text_encode(batch.data, batch.rows, first, number, self.width, self.data_only, self.fields)
            self.put(line, text, stop - first, lane)
            if lane:
                lane.handed += handed
            self.count += stop - first
            first = stop

    def put(self, line: bytes, text: bytes | memoryview, count: int, lane: Lane | None) -> None:
        """Writes a line, and so many packets behind it. lane: where they are read as batches, to keep others out meanwhile."""
        if lane:
            lane.enter()
        if line:
            self.output.write(line, 0, no_ends)
        self.output.write(text, count, ends)
        if lane:
            lane.leave()

    def leave(self) -> tuple[int | None, int]:
        """The link type that was said last, and how many packets there are."""
        return self.linktype, self.count

    def enter(self, output: Output, known: tuple[int | None, int] | None = None) -> None:
        """Goes on in another file."""
        self.output = output
        self.linktype, self.count = known or (None, 0)

    def end_output(self) -> None:
        """Ends the file."""
        self.output.close()

    def close(self) -> list[str]:
        """Ends the stream; gives what there is to say about it, on standard error."""
        self.end_output()
        if not (self.output.lane and self.verbose):
            return []
        from .lane import said

        return said(self.output.lane.handed, self.output.lane.shared, "went")
