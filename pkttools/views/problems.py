"""What is wrong with a packet, or cannot be known of it, and how that can be followed with pen and paper.

Checksums are judged by the codec; how a sum comes to be is told by its twin in Python, whatever codec runs: it is for few packets.
"""

from __future__ import annotations

from .. import codec
from ..codec.python.checksum import Checksum, View
from ..codec.python.protocols import carries_message, known
from ..codec.python.sums import has_sum, sum_of
from ..protocols import names
from ..protocols.layouts import LAYOUT
from .parts import Field, Header, Packet, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..codec.python.exceptions import Message
    from ..protocols.reading import Read

WORDS, ROWS = 8, 12  # words of a sum that stand in a row, and rows that are shown of one run of them
LEAST_FRAME = 60  # octets of an Ethernet frame without its FCS, IEEE 802.3 clause 4A.4.2


def find(packet: Packet) -> None:
    """Fills in the problems of a packet, of its headers, and of their fields."""
    view = View(bytes(packet.frame), packet.original, packet.linktype, True)
    own = [header for header in packet.headers if header.kind >= 0 and not header.quoted]
    for index, header in enumerate(own):
        for problem in (*checksum_problems(packet, view, own, index), *length_problems(packet, view, own, index)):
            header.problems.append(problem)
            if problem.field:
                problem.field.problems.append(problem)
    packet.problems += packet_problems(packet, own)


# ---- checksums ----


def checksum_problems(packet: Packet, view: View, own: list[Header], index: int) -> list[Problem]:
    """What is to be said of the checksum of a header, unless it is right or there is none."""
    header = own[index]
    field = header.field(LAYOUT[header.kind].checksum)
    if header.verdict in (codec.NONE, codec.RIGHT) or field is None:
        return []
    outcome, message, checksum = covered_at(view, index)
    if header.verdict == codec.UNCERTAIN or checksum is None:
        return [Problem(f"{field.short} cannot be checked: {reason(packet, outcome, message)}", field, False)]
    right = corrected(packet, header, field)
    stored = f"{view.read(checksum):#0{2 + 2 * checksum.size}x}"
    if header.verdict == codec.LEFT:
        text = f"{field.short} is unfinished: {stored} is the sum of the pseudo-header; the network card would make {right} of it"
        return [Problem(text, field, False, lambda: sum_steps(view, message, checksum, header, right))]
    text = f"{field.short} is wrong: {stored}, and should be {right}"
    return [Problem(text, field, True, lambda: sum_steps(view, message, checksum, header, right))]


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


def corrected(packet: Packet, header: Header, field: Field) -> str:
    """The field as pkt-correct would write it."""
    copy = bytearray(packet.frame)
    codec.correct(copy, packet.row, codec.ALL)
    first, last = field.bit // 8, (field.bit + field.width) // 8
    return f"0x{copy[first:last].hex()}"


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


def sum_steps(view: View, message: Message | None, checksum: Checksum, header: Header, right: str) -> list[str]:
    """How a checksum is computed."""
    return []


# ---- lengths ----


def length_problems(packet: Packet, view: View, own: list[Header], index: int) -> list[Problem]:
    """What is to be said of what a header says of its size, and of the size of what it begins."""
    header = own[index]
    kind = known().kinds[header.kind]
    around = [other for other in own[:index] if other.start <= header.start < other.end]
    limit = around[-1].end if around else view.headers[0].end
    room = limit - header.start
    missing = max(packet.original - packet.captured, 0) if limit == view.headers[0].end else 0
    found: list[Problem] = []
    head = kind.fixed
    if kind.terms:
        head = view.size(kind, header.start)
        field = next((field_of(header, read) for read, *_ in kind.terms if read), None)
        if head < kind.fixed or head > room:
            found += sized(field, head, kind.fixed, room, missing, "header")
    if kind.end:
        said = view.number(kind.end, header.start)
        size = said * kind.end_scale + kind.end_bias
        field = field_of(header, kind.end)
        if said and (size < max(kind.fixed, min(head, room)) or size > room):
            found += sized(field, size, max(kind.fixed, min(head, room)), room, missing, "message")
        elif said and size < room and kind.length and not any(other.start == header.start + size for other in own):
            found += left_over(packet, field, header, size, limit, bool(around) and carries_message(around[-1].kind))
    return found


def field_of(header: Header, read: Read) -> Field | None:
    """The field that a number of the tables is."""
    _, stop, shift, mask, behind, order = read
    width = mask.bit_length()
    bit = header.start * 8 + (stop * 8 - width if order == "little" else stop * 8 - shift - width)
    return None if behind else next((field for field in header if (field.bit, field.width) == (bit, width)), None)


def sized(field: Field | None, size: int, least: int, room: int, missing: int, what: str) -> list[Problem]:
    """What is to be said of a size that cannot be, or is not all there."""
    name = field.short if field else "its size"
    if size < least:
        return [Problem(f"{name} is wrong: it says {size} bytes, and the header alone has {least}", field)]
    if size <= room + missing:
        return [Problem(f"{name} says {size} bytes, of which {room} were captured", field, False)]
    there = room + missing
    return [Problem(f"{name} is wrong: it says {size} bytes, and there are {there}", field)]


def left_over(packet: Packet, field: Field | None, header: Header, size: int, limit: int, message: bool) -> list[Problem]:
    """What is to be said of bytes behind the end that a header says."""
    rest = packet.frame[header.start + size : limit]
    if not message and limit <= LEAST_FRAME and not any(rest):
        return []  # padding
    name = field.short if field else "its size"
    return [Problem(f"{name} says {size} bytes, and {len(rest)} more stand behind them", field, False)]


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
