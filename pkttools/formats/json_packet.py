"""Packets that objects of JSON describe: `pkt-analyze --json` writes such.

What an object says of fields is compared with what its frame says, and what differs is set. Who edits the frame itself leaves the
fields behind: the check value tells that, and then the bytes count.
"""

from __future__ import annotations

import re
import time
from json import JSONDecoder

from .. import codec
from ..batch import MAX_FCS, MAX_FRAME, MAX_LINKTYPE, MAX_SECONDS, Batch, Packet, gathered, link_of
from ..errors import PktError, counted, values_cut
from .files import Input
from .json_fields import edits, with_fields
from .json_values import Wrong, bytes_of, is_rounded, line_of, printable, unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .json_values import Object

NOTES = ("IFACE:", "WAY:", "NOTE:", "LOST:")
DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)")
# How a line begins, up to the check value; fcs_count and notes are rare.
HEAD = re.compile(
    r'\{"number":[0-9]{1,19},"time":([0-9]{1,19}),"time_utc":"[^"]*","captured":([0-9]{1,6}),"original":([0-9]{1,10}),'
    r'"linktype":([0-9]{1,10})(?:,"fcs":([0-9]{1,2}))?,"frame":"([0-9a-f]*)","check"'
)
LIMITS = {
    "number": MAX_SECONDS * 1_000_000_000,
    "time": MAX_SECONDS * 1_000_000_000 + 999_999_999,
    "captured": MAX_FRAME,
    "original": (1 << 32) - 1,
    "linktype": MAX_LINKTYPE,
    "fcs": MAX_FCS,
    "fcs_count": 15,
}
WORDS = {"time_utc", "frame", "check"}
KEYS = {*LIMITS, *WORDS, "notes"}


class Draft:
    """What an object says of a packet.

    line, text: of the object. said: what it says of fields, by header. edited: whether its frame is another one than that its
    fields were taken from.
    """

    def __init__(self, line: int, text: str, found: Object) -> None:
        """Raises Wrong."""
        self.line, self.text = line, text
        self.said = {key: value for key, value in found.items() if key not in KEYS}
        for key, most in LIMITS.items():
            if key in found:
                check_integer(found[key], most, key)
        for key in WORDS & found.keys():
            if not isinstance(found[key], str):
                raise Wrong((key,), f"{key} is a string")
        frame = found.get("frame")
        if frame is None and "captured" not in found:
            raise Wrong((), "neither frame nor captured size: there is no packet in it")
        self.linktype = found.get("linktype", 1)
        if "fcs_count" in found and "fcs" not in found:
            raise Wrong(("fcs_count",), "fcs_count without fcs")
        self.link = link_of(self.linktype, found.get("fcs"), found.get("fcs_count"))
        given = bytes_of(("frame",), frame or "")
        check = found.get("check")
        self.edited = check is not None and frame is not None and check != check_value(given, self.linktype)
        self.frame, self.original = sized(given, found, self.edited)
        self.given = None if frame is None else len(given)
        self.time = time_of(found)
        self.notes = b"".join(note(i, line) for i, line in enumerate(listed(found.get("notes", []))))

    def packet(self) -> Packet:
        """The packet, before its fields are set."""
        return Packet(self.frame, self.original, self.time, self.link, self.notes)


def check_integer(value: object, most: int, key: str) -> None:
    """Raises Wrong."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong((key,), f"{key} is an integer")
    if not 0 <= value <= most:
        raise Wrong((key,), f"{key} is from 0 to {most}")


def check_value(frame: bytes, linktype: int) -> str:
    """The check value of a frame."""
    from zlib import crc32  # late: an object without one needs none

    return f"{crc32(frame, linktype):08x}"


def sized(given: bytes, found: Object, edited: bool) -> tuple[bytes, int]:
    """The captured bytes, and the size on the wire: as SIZE does it, but where the frame was edited its own bytes count.

    Raises Wrong.
    """
    if len(given) > MAX_FRAME:
        raise Wrong(("frame",), f"a frame has at most {MAX_FRAME} bytes")
    captured: int = found.get("captured", len(given))
    original: int = found.get("original", captured)
    if edited and captured != len(given):
        return given, len(given) if original == captured else max(original, len(given))
    return given[:captured].ljust(captured, b"\0"), original


def time_of(found: Object) -> int:
    """The time in nanoseconds. jq 1.6 rounds `time`: then `time_utc` says which one it was. Raises Wrong."""
    date = found.get("time_utc")
    exact = None if date is None else nanoseconds(date)
    if "time" not in found:
        return time.time_ns() // 1000 * 1000 if exact is None else exact
    given: int = found["time"]
    return exact if exact is not None and is_rounded(given, exact) else given


def nanoseconds(date: str) -> int:
    """A time as ISO 8601 has it, in UTC. Raises Wrong."""
    from datetime import UTC, datetime  # late: with `time` there is no need

    parts = DATE.fullmatch(date)
    try:
        if parts:
            year, month, day, hour, minute, second = map(int, parts.groups()[:6])
            seconds = int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
            if seconds >= 0:
                return seconds * 1_000_000_000 + int((parts[7] or "").ljust(9, "0"))
    except ValueError:
        pass
    raise Wrong(("time_utc",), f"time_utc: '{printable(date)}' is no time such as 2023-11-14T22:13:20.000000Z")


def listed(notes: object) -> list[str]:
    """Extension lines. Raises Wrong."""
    if not isinstance(notes, list) or not all(isinstance(line, str) for line in notes):
        raise Wrong(("notes",), "notes is a list of strings")
    return notes


def note(index: int, line: str) -> bytes:
    """An extension line, with its end. Raises Wrong."""
    text = unescaped(("notes", index), line)
    if not line.startswith(NOTES) or b"\n" in text:
        raise Wrong(("notes", index), f"a note is a line that begins with {', '.join(NOTES)}")
    return text + b"\n"


def as_written(lines: list[str]) -> list[Packet]:
    """The packets of lines, up to the first that is not to the byte what `--json` writes: in those nothing was edited."""
    packets: list[Packet] = []
    for line in lines:
        parts = HEAD.match(line)
        if not parts:
            break
        stamp, captured, original, linktype, fcs = (int(part or 0) for part in parts.groups()[:5])
        limits = ("time", stamp), ("captured", captured), ("original", original), ("linktype", linktype), ("fcs", fcs)
        if any(value > LIMITS[key] for key, value in limits) or len(parts[6]) % 2:
            break
        packets.append(Packet(bytes.fromhex(parts[6]), original, stamp, link_of(linktype, fcs if parts[5] else None)))
    batch, first, same = gathered(packets), 0, 0
    while first < len(batch) and same == first:
        text, first = codec.json_encode(batch.data, batch.rows, first, 1)
        for own in bytes(text).decode("ascii").splitlines():
            if own.partition(",")[2] != lines[same].partition(",")[2]:  # they may be numbered otherwise
                break
            same += 1
    return packets[:same]


class Packets:
    """Makes packets of objects.

    unplaced, cut: fields without a place, and with longer values. left: packets whose fields did not count.
    """

    def __init__(self, source: Input) -> None:
        self.source = source
        self.unplaced = self.cut = self.left = self.shortened = self.filled = 0

    def batch(self, objects: list[Packet | tuple[int, str, Object]]) -> tuple[Batch, PktError | None]:
        """The packets of objects, up to the first one with which something is wrong."""
        made: list[Packet | Draft] = []
        packets: list[Packet] = []
        failed: PktError | None = None
        line, text = 0, ""
        try:
            for one in objects:
                if isinstance(one, Packet):
                    made.append(one)
                    continue
                line, text, found = one
                made.append(Draft(line, text, found))
        except Wrong as wrong:
            failed = self.error(line, text, wrong)
        owned = iter(self.own([draft for draft in made if isinstance(draft, Draft)]))
        try:
            for draft in made:
                if isinstance(draft, Packet):
                    packets.append(draft)
                    continue
                line, text, packet, own = draft.line, draft.text, draft.packet(), next(owned)
                if draft.said and (found_edits := edits(draft, own)):
                    if draft.edited:
                        self.left += 1
                    else:
                        packet.frame, unplaced, cut = with_fields(draft, found_edits)
                        self.unplaced, self.cut = self.unplaced + unplaced, self.cut + cut
                self.count(draft)
                packets.append(packet)
        except Wrong as wrong:
            failed = self.error(line, text, wrong)
        return gathered(packets), failed

    def count(self, draft: Draft) -> None:
        """What of a packet has to be said."""
        if draft.given is not None:
            self.shortened += len(draft.frame) < draft.given
            self.filled += len(draft.frame) > draft.given

    def own(self, drafts: list[Draft]) -> list[Object]:
        """What the frames say by themselves; of packets of which nothing was said of fields, nothing."""
        told = [draft for draft in drafts if draft.said]
        batch = gathered([draft.packet() for draft in told])
        decode, first, lines = JSONDecoder().decode, 0, []
        while first < len(batch):
            text, first = codec.json_encode(batch.data, batch.rows, first, 1)
            lines += bytes(text).decode("ascii").splitlines()
        found = iter(lines)
        return [decode(next(found)) if draft.said else {} for draft in drafts]

    def error(self, line: int, text: str, wrong: Wrong) -> PktError:
        """What is wrong, with its line."""
        return PktError(f"{self.source.name}:{line + line_of(text, wrong.path)}: {wrong}")

    def said(self) -> list[str]:
        """What there is to say in the end."""
        name = self.source.name
        found = []
        if self.left:
            found.append(f"{name}: {counted(self.left, 'packet')} whose frame was edited: their fields did not count")
        if self.shortened:
            found.append(f"{name}: {counted(self.shortened, 'packet')} truncated to what captured says: without it all bytes count")
        if self.filled:
            found.append(f"{name}: {counted(self.filled, 'packet')} filled with zeros to what captured says: bytes are missing")
        if self.unplaced:
            found.append(f"{name}: {counted(self.unplaced, 'field')} without a place: no such header there, or no bytes")
        if self.cut:
            found.append(f"{name}: {values_cut(self.cut)}")
        return found
