"""What is wrong with a packet, or cannot be known of it, and how that can be followed with pen and paper.

Checksums are judged by the codec; how a sum comes to be is told by its twin in Python, whatever codec runs: it is for few packets.
"""

from __future__ import annotations

from .. import codec
from ..batch import crc_of, link_of
from ..codec.python.checksum import Checksum, View, internet
from ..codec.python.exceptions import datagram_head
from ..codec.python.lists import Items
from ..codec.python.protocols import carries_message, exception, known
from ..codec.python.sums import has_sum, sum_of
from ..codec.python.wire import ip_version
from ..errors import counted
from ..protocols import names
from ..protocols.layouts import LAYOUT
from ..protocols.shown import format_address
from ..protocols.walking import DATAGRAM_4, LAST, SIZED
from .parts import TRAILER, Field, Header, Packet, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..batch import Batch
    from ..codec.python import headers as codec_headers
    from ..codec.python.exceptions import Message
    from ..protocols.reading import Read

WORDS, ROWS = 8, 12  # words of a sum that stand in a row, and rows that are shown of one run of them
LEAST_FRAME = 60  # octets of an Ethernet frame without its FCS, IEEE 802.3 clause 4A.4.2


def examined(batch: Batch, i: int) -> Packet:
    """A packet of a batch, in parts, with what is wrong with it."""
    packet = Packet(batch, i)
    find(packet)
    return packet


def find(packet: Packet) -> None:
    """Fills in the problems of a packet, of its headers, and of their fields."""
    view = View(bytes(packet.frame), packet.original, packet.linktype, True)
    own = [header for header in packet.headers if header.kind >= 0 and not header.quoted]
    for index, header in enumerate(own):
        for problem in (
            *version_problems(view, header, view.headers[index]),
            *checksum_problems(packet, view, own, index),
            *length_problems(packet, view, own, index),
            *list_problems(view, view.headers[index]),
        ):
            header.problems.append(problem)
            if problem.field:
                problem.field.problems.append(problem)
    packet.problems += packet_problems(packet, own)
    if packet.headers[-1].kind == TRAILER and packet.fcs:
        judge_fcs(packet, packet.headers[-1])


def version_problems(view: View, header: Header, of: codec_headers.Header) -> list[Problem]:
    """What is to be said of an IP header that says another version than it is read as."""
    if not carries_message(of.kind):
        return []
    version, said = 4 if exception(of.kind) == DATAGRAM_4 else 6, ip_version(view.frame, of.start)
    field = header.field("VERSION")
    return [Problem(f"VERSION is wrong: it says {said}, in a header of version {version}", field)] if said != version else []


def judge_fcs(packet: Packet, trailer: Header) -> None:
    """What is to be said of a frame check sequence, of Ethernet also whether it is right (IEEE 802.3 clause 3.2.9)."""
    trailer.titled = "frame check sequence"
    size = packet.fcs or 0
    stored = bytes(packet.frame[-size:])
    right = crc_of(packet.frame[:-size], link_of(packet.linktype, size))
    if packet.captured < packet.original or right is None or len(packet.frame) < size:
        return
    if right == stored:
        trailer.fields[-1].note = "right"
        return
    steps = [f"CRC-32 (IEEE 802.3 clause 3.2.9) of the {len(packet.frame) - size} bytes in front, its least significant byte first"]
    text = f"the frame check sequence is wrong: 0x{stored.hex()}, and should be 0x{right.hex()}"
    trailer.problems.append(Problem(text, trailer.fields[-1], True, lambda: steps))
    trailer.fields[-1].problems.append(trailer.problems[-1])


# ---- checksums ----


def checksum_problems(packet: Packet, view: View, own: list[Header], index: int) -> list[Problem]:
    """What is to be said of the checksum of a header, unless it is right or there is none."""
    header = own[index]
    field = header.field(LAYOUT[header.kind].checksum)
    if field is None:
        return []
    if header.verdict in (codec.NONE, codec.RIGHT):
        field.note = "right" if header.verdict == codec.RIGHT else ""
        return []
    outcome, message, checksum = covered_at(view, index)
    if header.verdict == codec.UNCERTAIN or checksum is None:
        return [Problem(f"{field.short} cannot be checked: {reason(packet, outcome, message)}", field, False)]
    mended = corrected(packet)
    right = int.from_bytes(mended[checksum.at : checksum.at + checksum.size], "big")
    stored, value = (f"{number:#0{2 + 2 * checksum.size}x}" for number in (view.read(checksum), right))

    def steps() -> list[str]:
        return sum_steps(view, view.other(mended), message, checksum, header)

    if header.verdict == codec.LEFT:
        text = f"{field.short} is unfinished: {stored} is the sum of the pseudo-header; the network card would make {value} of it"
        return [Problem(text, field, False, steps)]
    return [Problem(f"{field.short} is wrong: {stored}, and should be {value}", field, True, steps)]


def covered_at(view: View, index: int) -> tuple[int, Message | None, Checksum | None]:
    """What comes out of the checksum that stands in a header: the outcome, the message that it covers, None of a header's own."""
    start = view.headers[index].start
    if carries_message(view.headers[index].kind):
        own = view.header_checksum(index)
        if own:
            return codec.CORRECTED, None, own
    for i in range(index, -1, -1):
        if has_sum(view, i):
            outcome, message, checksum = sum_of(view, i)
            if message is not None and message.at == start and message.summed:
                return outcome, message, checksum
    return codec.MALFORMED, None, None


def corrected(packet: Packet) -> bytearray:
    """The frame with all checksums as pkt-correct writes them."""
    copy = bytearray(packet.frame)
    codec.correct(copy, packet.row, codec.ALL)
    return copy


def reason(packet: Packet, outcome: int, message: Message | None) -> str:
    """Why a checksum cannot be checked."""
    if outcome == codec.FRAGMENT:
        return "it covers the whole datagram, and this is a fragment"
    if outcome == codec.TRUNCATED:
        there = f"{len(packet.frame) - message.at} of {message.size}" if message else "not all"
        return f"{there} bytes that it covers were captured"
    if outcome == codec.OBSCURE:
        return "it covers the last address of a route of a type that is not known"
    return "the sizes of the packet contradict each other"


def sum_steps(found: View, view: View, message: Message | None, checksum: Checksum, header: Header) -> list[str]:
    """How a checksum is computed; found: the packet as it is, view: with checksums as they should be."""
    at = message.at if message else header.start
    size = message.covered if message else datagram_head(view.frame, view_header(view, header))
    if checksum.size == 4:
        return [f"CRC32c (RFC 9260 appendix A) of {size} bytes from byte {at} on, the field 0:", f"{checksum.value:#010x}"]
    lines = ["16-bit words are added up, the field itself as 0 (RFC 1071):"]
    rows = pseudo_rows(view, message) if message and message.pseudo else []
    lines += ["pseudo-header:"] * bool(rows) + [f"  {words_of(data):<20}{what}".rstrip() for data, what in rows]
    pseudo = total(b"".join(data for data, _ in rows))
    lines += [f"  together {pseudo:#x}"] * bool(rows)
    data = bytearray(view.frame[at : at + size])
    place = slice(checksum.at - at, checksum.at - at + 2)
    data[place] = found.frame[at:][place]
    others = data != found.frame[at : at + size]  # wrong ones inside
    data[place] = b"\0\0"
    gap_at, gap = (message.rule.gap_at, message.rule.gap) if message and message.rule else (0, 0)
    lines.append(f"{size - gap} bytes, from byte {at} on{f', without {gap} from byte {at + gap_at} on' if gap else ''}:")
    data = data[:gap_at] + data[gap_at + gap :] if gap else data
    lines += word_rows(bytes(data), at)
    if len(data) % 2:
        lines.append("the last byte is filled up with a zero")
    every = pseudo + total(bytes(data))
    lines += folded(every, f"{pseudo:#x} + {every - pseudo:#x} = {every:#x}" if rows else f"together {every:#x}")
    value = internet(every.to_bytes(8, "big"))
    if value == 0 and view.read(checksum) == 0xFFFF:
        lines.append("0 would say that there is no checksum: 0xffff is written, which is the same to receivers")
    if others:
        lines.append("checksums inside count as they should be")
    return lines


def view_header(view: View, header: Header) -> codec_headers.Header:
    """The header as the codec knows it."""
    return next(one for one in view.headers if (one.kind, one.start) == (header.kind, header.start))


def total(data: bytes) -> int:
    """The sum of words of 16 bits; a last byte is filled up with a zero."""
    data += b"\0" * (len(data) % 2)
    return sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def folded(value: int, how: str) -> list[str]:
    """The last steps: carries are added, and all bits inverted."""
    lines = [how]
    while value >> 16:
        low, high = value & 0xFFFF, value >> 16
        value = low + high
        lines.append(f"carries are added: {low:#06x} + {high:#x} = {value:#06x}")
    return [*lines, f"inverted: {value ^ 0xFFFF:#06x}"]


def words_of(data: bytes) -> str:
    """Words in hexadecimal."""
    return " ".join(data[at : at + 2].hex() for at in range(0, len(data), 2))


def pseudo_rows(view: View, message: Message) -> list[tuple[bytes, str]]:
    """The parts of a pseudo-header, and what they are: RFC 9293 section 3.1, RFC 8200 section 8.1."""
    data, address = view.pseudo(message), 16 if message.v6 else 4
    if not data:
        return []
    rows = []
    for first, what in ((0, "source"), (address, "destination")):
        one = data[first : first + address]
        rows += [(one[at : at + 8], f"{what} {format_address(one)}" if at == 0 else "") for at in range(0, address, 8)]
    length, protocol = data[-8:-4], data[-4:]
    size = 4 if message.v6 or any(length[:2]) else 2
    return [*rows, (length[-size:], f"length {message.length}"), (protocol[-size:], f"protocol {message.protocol}")]


def word_rows(data: bytes, at: int) -> list[str]:
    """Words in rows, each with its sum; of many rows those in the middle are one."""
    starts = [*range(0, len(data), 2 * WORDS)]
    shown = starts if len(starts) <= ROWS else [*starts[: ROWS - 2], *starts[-1:]]
    lines = []
    for start in shown:
        row = data[start : start + 2 * WORDS]
        lines.append(f"  {at + start:4}: {words_of(row):<39} = {total(row):#x}")
    if shown is not starts:
        between = data[starts[ROWS - 2] : starts[-1]]
        lines.insert(-1, f"  {'...':>4}  {f'{len(starts) - ROWS + 1} rows like these':<39} = {total(between):#x}")
    return lines


# ---- lengths ----


def length_problems(packet: Packet, view: View, own: list[Header], index: int) -> list[Problem]:
    """What is to be said of what a header says of its size, and of the size of what it begins."""
    header = own[index]
    kind = known().kinds[header.kind]
    around = [other for other in own[:index] if other.start <= header.start < other.end]
    end = view.headers[0].end
    limit = around[-1].end if around else end
    room = Room(limit - header.start, max(packet.original - packet.captured, 0) if limit == end else 0, header.start, around)
    found: list[Problem] = []
    head = kind.fixed
    if kind.terms:
        head = view.size(kind, header.start)
        field = next((field_of(header, read) for read, *_ in kind.terms if read), None)
        found += sized(field, head, kind.fixed, room, packet)
    if kind.end:
        said = view.number(kind.end, header.start)
        size = said * kind.end_scale + kind.end_bias
        field = field_of(header, kind.end)
        if said:
            found += sized(field, size, max(kind.fixed, min(head, room.size)), room, packet)
        if said and not found and size < room.size and kind.length and not any(one.start == header.start + size for one in own):
            found += left_over(packet, field, size, room)
    return found


class Room:
    """What there is for a header and its data. size: bytes that were captured; missing: further ones, that were not."""

    def __init__(self, size: int, missing: int, start: int, around: list[Header]) -> None:
        self.size, self.missing, self.start, self.around = size, missing, start, around

    def steps(self, said: int) -> list[str]:
        """How much there is."""
        end, what = self.start + self.size + self.missing, f"the {self.around[-1].title}" if self.around else "the packet"
        captured = f"; captured up to byte {self.start + self.size}" if self.missing else ""
        return [
            f"it begins at byte {self.start}, and {what} around it ends in front of byte {end}{captured}:",
            f"{end} - {self.start} = {self.size + self.missing} bytes are there; {said} are said",
        ]


def field_of(header: Header, read: Read) -> Field | None:
    """The field that a number of the tables is."""
    _, stop, shift, mask, behind, order = read
    width = mask.bit_length()
    bit = header.start * 8 + (stop * 8 - width if order == "little" else stop * 8 - shift - width)
    return None if behind else next((field for field in header if (field.bit, field.width) == (bit, width)), None)


def sized(field: Field | None, size: int, least: int, room: Room, packet: Packet) -> list[Problem]:
    """What is to be said of a size that cannot be, or is not all there."""
    name, said = field.short if field else "its size", said_by(field, size)
    there = room.size + room.missing
    if size < least:
        return [Problem(f"{name} is wrong: it says {said}, and the header alone has {least}", field)]
    if size > there:
        return [Problem(f"{name} is wrong: it says {said}, and there are {there}", field, True, lambda: room.steps(size))]
    if size > room.size:
        return [Problem(f"{name} says {said}, of which {room.size} were captured", field, False, lambda: room.steps(size))]
    if field:
        field.note = f"{size} of the {there} bytes from byte {room.start} on"
    return []


def said_by(field: Field | None, size: int) -> str:
    """What a field says, and how many bytes that are from the start of its header on."""
    return f"{size} bytes" if field is None or field.value == size else f"{field.shown}, {size} bytes with the header"


def left_over(packet: Packet, field: Field | None, size: int, room: Room) -> list[Problem]:
    """What is to be said of bytes behind the end that a header says."""
    limit = room.start + room.size
    rest = packet.frame[room.start + size : limit]
    if not (room.around and carries_message(room.around[-1].kind)) and limit <= LEAST_FRAME and not any(rest):
        if field:
            field.note = f"{size} of the {room.size} bytes from byte {room.start} on; zeros fill the frame up"
        return []
    name, said = field.short if field else "its size", said_by(field, size)
    return [Problem(f"{name} says {said}, and {len(rest)} more stand behind them", field, False, lambda: room.steps(size))]


# ---- lists ----


def list_problems(view: View, of: codec_headers.Header) -> list[Problem]:
    """What is to be said of lists in a header, such as options: an item that is not wholly there ends them."""
    items, found = Items(view.frame, view.headers), []
    for hold in known().holds.get(of.kind, ()):
        (at, limit), how = items.room(hold, of) if items.said(hold, of) else (0, 0), SIZED
        while at < limit and how != LAST and (item := items.taken(hold.list, at, limit)):
            _, how, size = item
            at += -(-size // hold.list.align) * hold.list.align
        if at < limit and how != LAST:
            said = items.number(hold.list.length, at) * hold.list.scale + hold.list.bias if limit - at >= hold.list.head else 0
            found.append(unfinished_list(view, at, said, limit, hold.list.head))
    return found


def unfinished_list(view: View, at: int, said: int, limit: int, head: int) -> Problem:
    """What is to be said of an item of a list at a byte, which is not wholly there."""
    what, there = f"the item at byte {at} of its list", counted(limit - at, "byte")
    if limit - at < head:
        text = f"{what} is cut: {there} of it {'are' if limit - at != 1 else 'is'} there"
    else:
        text = f"{what} says {counted(said, 'byte')}: " + (
            f"its type and length are {head}" if said < head else f"{there} are there"
        )
    cut = limit == len(view.frame) < view.wire and not 0 < said < head
    return Problem(text + (" (truncated)" if cut else ""), None, not cut)


# ---- packets ----


def packet_problems(packet: Packet, own: list[Header]) -> list[Problem]:
    """What is to be said of a packet as a whole."""
    found = []
    if packet.captured < packet.original:
        found.append(Problem(f"{packet.captured} of {packet.original} bytes were captured", None, False))
    counts: dict[int, int] = {}
    outcome = codec.check(packet.frame, packet.row, counts)[0]
    for code in counts:
        found.append(Problem(f"not followed: {names.beyond_name(code)}", None, False))
    if outcome == codec.MALFORMED and not any(problem.wrong for header in own for problem in header.problems):
        found.append(Problem("the packet is malformed: a header is not whole, or its sizes contradict each other"))
    return found
