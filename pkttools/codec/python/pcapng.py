"""Blocks of pcapng files that hold packets (draft-ietf-opsawg-pcapng); twin of ../c/pcapng.c."""

from __future__ import annotations

import struct
from array import array

from ... import blocks
from ...batch import (
    CAPTURED,
    COLUMNS,
    LINKTYPE,
    MAX_BATCH,
    MAX_FRAME,
    MAX_SECONDS,
    NOTES,
    NOTES_SIZE,
    OFFSET,
    ORIGINAL,
    TIME,
    link_of,
    linktype_of,
)
from ...errors import ANOTHER_CAPTURE, NO_INTERFACE, PAST_BLOCK, RECORD_TOO_LONG
from .pcap import BEGINNING, MAGICS, begins_pcap
from .rows import checked

MAX_TIME = MAX_SECONDS * 1_000_000_000 + 999_999_999
WAYS = {1: b"in", 2: b"out"}  # in FLAGS
WAY_BITS = 3
BY_EBPF = (1, 2)  # what gave a verdict: Linux's eBPF, in TC and in XDP
FCS_BITS, FCS_SHIFT = 0x1E0, 5  # in FLAGS: octets
LINES = (blocks.FLAGS, blocks.DROPS, blocks.COMMENT)  # options that are lines of text, or several
TIMELESS = b"\0S"  # the line of ours that says that a packet has no time

Error = tuple[int, int, int]
Format = tuple[int, bool, int, int, int]  # of packets of an interface: its number, nano, snaplen, flags, keeps
Known = tuple[bytes, int, int, bool, int, int, int]  # notes and link type of one of its packets, and the same


def _of_octets(code: int) -> bool:
    """Whether an option tells of the octets of its packet, as far as anybody knows."""
    return code not in (blocks.FLAGS, *blocks.OF_PACKETS) and code & ~blocks.ONLY_HERE not in blocks.CUSTOM


def _digest(frame: bytes | memoryview) -> int:
    """A number that is another one when the octets of a packet are: FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for octet in frame:
        value = (value ^ octet) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


# ---- reading ----


class _Decoder:
    """Packets of one section, as they are read."""

    def __init__(self, buffer: bytearray, big_endian: bool, interfaces: memoryview, names: bytes, keep: bool) -> None:
        self.buffer, self.interfaces, self.names, self.keep = buffer, interfaces, names, keep
        self.count = len(interfaces) // blocks.INTERFACE_COLUMNS
        self.known: dict[int, tuple[int, int, int, int, bytes]] = {}
        self.order = order = ">" if big_endian else "<"
        self.head = struct.Struct(order + "II").unpack_from
        self.simple = struct.Struct(order + "8xI").unpack_from
        self.enhanced = struct.Struct(order + "8xIIIII").unpack_from
        self.obsolete = struct.Struct(order + "8xHHIIII").unpack_from
        self.data, self.rows = bytearray(), array("q")
        self.capped = self.rounded = self.timeless = self.damaged = self.options = 0

    def interface(self, number: int) -> tuple[int, int, int, int, bytes]:
        """What packets of an interface need: link type, snap length, resolution, time offset, the line IFACE."""
        if number not in self.known:
            first = number * blocks.INTERFACE_COLUMNS
            *columns, name, size = self.interfaces[first : first + blocks.INTERFACE_COLUMNS].tolist()
            if name < 0 or size < 0 or name + size > len(self.names):
                raise ValueError(f"the name of interface {number} lies outside of the names")
            line = bytes(self.names[name : name + size])
            self.known[number] = *columns, line  # type: ignore[assignment]  # INTERFACE_COLUMNS less two
        return self.known[number]

    def packet(self, kind: int, at: int, size: int) -> Error | None:
        """Reads the packet of a block."""
        number, drops, stop = 0, None, at + size - 4
        if kind == blocks.SIMPLE:
            body, ticks = at + 12, None
            original = captured = self.simple(self.buffer, at)[0]
        else:
            body = at + 28
            if kind == blocks.OBSOLETE:
                number, drops, high, low, captured, original = self.obsolete(self.buffer, at)
            else:
                number, high, low, captured, original = self.enhanced(self.buffer, at)
            ticks = high << 32 | low
        if number >= self.count:
            return NO_INTERFACE, number, self.count
        linktype, snaplen, resolution, time_offset, name = self.interface(number)
        if kind == blocks.SIMPLE and snaplen:
            captured = min(captured, snaplen)
        if captured > stop - body:
            return PAST_BLOCK, captured, stop - body
        if captured > MAX_FRAME:
            return RECORD_TOO_LONG, captured, MAX_FRAME
        time = self.nanoseconds(ticks, resolution, time_offset)
        offset = len(self.data)
        self.data += memoryview(self.buffer)[body : body + captured]
        notes = len(self.data)
        self.data += name
        if kind == blocks.SIMPLE:
            self.data += TIMELESS + b"\n" if self.keep else b""
        else:
            frame = memoryview(self.buffer)[body : body + captured]
            fcs = self.notes(kind, body + ((captured + 3) & ~3), stop, drops if drops not in (0, 0xFFFF) else None, frame, time)
            linktype = link_of(linktype_of(linktype), fcs) if fcs else linktype
        self.rows.extend((offset, captured, original, time, linktype, notes, len(self.data) - notes))
        return None

    def notes(self, kind: int, at: int, stop: int, drops: int | None, frame: memoryview, time: int) -> int:
        """Adds the lines that a packet's options stand for, if none of them runs past the block.

        Returns the octets of its frame check sequence where it has another one than its interface says, else 0.
        """
        flags, comments, others = None, [], 0
        own: list[tuple[int, bytes]] = []  # what is no line of text
        found, behind = blocks.options_until(self.buffer, at, stop, self.order) if at < stop else ([], False)
        if found is None:
            self.damaged += 1
        others += behind
        for code, value in found or ():
            if code == blocks.FLAGS and len(value) == 4 and flags is None:
                flags = int.from_bytes(value, "big" if self.order == ">" else "little")
                others += not self.keep and flags & ~FCS_BITS > 2  # it says more than these, or another way
                more = flags & ~FCS_BITS & ~(0 if flags & WAY_BITS == WAY_BITS else WAY_BITS)
                if more:
                    own.insert(0, (blocks.FLAGS, struct.pack(">I", more)))
            elif code == blocks.DROPS and len(value) == 8 and kind == blocks.ENHANCED and drops is None:
                drops = int.from_bytes(value, "big" if self.order == ">" else "little")
            elif code == blocks.COMMENT:
                comments.append(value)
            elif self.keep and code not in LINES:
                own.append((code, value))
            else:
                others += 1
        self.options += others
        if way := WAYS.get((flags or 0) & 3):
            self.data += blocks.note(b"WAY:", way)
        if drops is not None:
            self.data += b"LOST: %d\n" % drops
        for comment in comments:
            self.data += blocks.note(b"NOTE:", comment)
        if self.keep and own:
            told = any(_of_octets(code) for code, _ in own)
            raw = b"".join(struct.pack(">HH", code, len(value)) + value for code, value in own)
            self.data += b"\0O%016x%016x%s\n" % (_digest(frame) if told else 0, time, raw.hex().encode())
        return ((flags or 0) & FCS_BITS) >> FCS_SHIFT

    def nanoseconds(self, ticks: int | None, resolution: int, time_offset: int) -> int:
        """Nanoseconds since 1970; what does not fit is put to the nearest end of what does.

        resolution: ticks a second, a power of 10, or with bit 7 of 2. ticks: None when there is no time.
        """
        if ticks is None:
            self.timeless += 1
            return 0
        power = resolution & 0x7F
        time, rest = divmod(ticks * 1_000_000_000, 1 << power if resolution & 0x80 else 10**power)
        time += time_offset * 1_000_000_000
        if 0 <= time <= MAX_TIME:
            self.rounded += rest != 0
            return time
        self.capped += 1
        return 0 if time < 0 else MAX_TIME


def pcapng_decode(buffer: bytearray, start: int, stop: int, big_endian: bool, interfaces: bytes, names: bytes,
                  keep: bool = False) -> tuple[
        int, bytearray, bytearray, Error | None, tuple[int, int, int, int, int]]:  # fmt: skip
    """Reads packets from the blocks in buffer[start:stop], up to one that is not there in full, or holds no packet.

    interfaces: those that the section described so far, INTERFACE_COLUMNS of eight bytes each; their lines `IFACE:` lie in
    `names`. keep: what has no place in text goes along in lines that only `pcapng_encode` reads: NUL, O, a digest of the
    octets that it tells of or 0, the packet's time, and each option, all in hexadecimal, numbers big-endian but for those in
    options that are no flags; NUL, S where there is no time. Of all blocks but section headers the lengths are checked. Returns
    where it stopped, bytes and rows, an error: kind, value, what it should be; and how many times were out of range, had digits
    below a nanosecond, or were missing, how many lists of options ran past their block, and how many options have no place in text.
    """
    if len(described := memoryview(interfaces).cast("B")) % (8 * blocks.INTERFACE_COLUMNS):
        raise ValueError("interfaces are not whole")
    if not 0 <= start <= stop <= len(buffer):
        raise ValueError("range lies outside of the buffer")
    decoder = _Decoder(buffer, big_endian, described.cast("q"), names, keep)
    at, error = start, None
    while len(decoder.data) < MAX_BATCH and len(decoder.rows) * 8 < MAX_BATCH and stop - at >= 8:
        kind, size = decoder.head(buffer, at)
        if bytes(buffer[at : at + 4]) in MAGICS:  # or a type for private use
            if stop - at < BEGINNING:
                break
            if begins_pcap(bytes(buffer[at : at + BEGINNING])):
                error = (ANOTHER_CAPTURE, 0, 0)
                break
        if kind == blocks.SECTION:
            break
        error = blocks.misframed(buffer, at, stop, kind, size, decoder.order)
        if error or size > stop - at or kind not in blocks.PACKETS:
            break
        error = decoder.packet(kind, at, size)
        if error:
            break
        at += size
    counts = decoder.capped, decoder.rounded, decoder.timeless, decoder.damaged, decoder.options
    return at, decoder.data, bytearray(decoder.rows.tobytes()), error, counts


# ---- writing ----


def _notes(data: bytearray, row: list[int]) -> bytes:
    """The notes of a packet."""
    return bytes(data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])


def _lines(data: bytearray, row: list[int]) -> list[bytes]:
    """The same, line by line."""
    lines = _notes(data, row).split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _origin(notes: bytes) -> tuple[bytes | None, bytes | None]:
    """What stands in the line IFACE of a packet, and in the one of ours that says from where it was read; None: no such line."""
    lines = notes.split(b"\n")
    name = next((line[6:].removeprefix(b" ") for line in lines if line.startswith(b"IFACE:")), None)
    return name, next((line for line in lines if line.startswith(b"\0I")), None)


class _Own:
    """Options that were read with a packet, and stand in a line of ours: see `pcapng_decode`. now: whether its time is the same."""

    def __init__(self, line: bytes, time: int) -> None:
        self.options: list[tuple[int, bytes]] = []
        head = _octets(line[2:34])
        self.sound = line[:2] == b"\0O" and len(head) == 16
        if not self.sound:
            return
        self.digest, self.now = int.from_bytes(head[:8], "big"), int.from_bytes(head[8:], "big") == time
        at = 34
        while len(head := _octets(line[at : at + 8])) == 4:
            code, size = struct.unpack(">HH", head)
            at += 8
            if size > (len(line) - at) // 2:
                break
            self.options.append((code, line[at : at + 2 * size]))
            at += 2 * size


def _octets(digits: bytes) -> bytes:
    """What hexadecimal digits stand for, small ones in pairs; nothing where they are no such."""
    if len(digits) % 2 or digits.strip(b"0123456789abcdef"):
        return b""
    return bytes.fromhex(digits.decode())


def _holds(code: int, own: _Own, same: bool, keeps: int) -> bool:
    """Whether an option still holds, and may stand in what is written. same: whether the octets that it tells of are."""
    if code & ~blocks.ONLY_HERE in blocks.CUSTOM:
        return code in blocks.CUSTOM or keeps == blocks.KEEPS_ALL
    return not _of_octets(code) or (same and (code == blocks.HASH or own.now))


def _turned(code: int, value: bytes) -> bytes | None:
    """A value that was read in the other byte order in this one; None where it is not known what it holds.

    Of a verdict the first octet says what it is: numbers of 64 bits are those of Linux's eBPF (draft-ietf-opsawg-pcapng 4.3).
    """
    identity, queue, verdict = blocks.OF_PACKETS
    if code == blocks.HASH:  # octets, behind what made it
        return value or None
    if (code, len(value)) in ((identity, 8), (queue, 4)):
        return value[::-1]
    if code == verdict and len(value) == 9 and value[0] in BY_EBPF:
        return value[:1] + value[:0:-1]
    if code == blocks.CUSTOM[0] and len(value) >= 4:  # whose it is, and a text
        return value[3::-1] + value[4:]
    return None


def _options(data: bytearray, row: list[int], room: int, order: str, flags: int, keeps: int) -> tuple[bytes, int, int]:
    """The options that notes stand for, at most `room` bytes; how many lines stand for none, and how many options do not hold."""
    name = way = drops = None
    comments: list[bytes] = []
    owns: list[_Own] = []
    lost = outdated = 0
    for line in _lines(data, row) if row[NOTES_SIZE] else ():
        word, colon, _ = line.partition(b":")
        value = line[len(word) + 1 :].strip(b" \t")
        if line.startswith(b"\0"):
            own = _Own(line, row[TIME])
            lost += not own.sound and line[:2] != b"\0I" and line != TIMELESS
            owns += [own] * own.sound
        elif word + colon == b"IFACE:" and name is None:  # it is in the interface's description, where it fits
            name = blocks.value_of(line)
            lost += len(name) > blocks.MAX_OPTION
        elif word + colon == b"WAY:" and way is None and value in WAYS.values():
            way = next(flags for flags, word in WAYS.items() if word == value)
        elif word + colon == b"LOST:" and drops is None and value.isdigit() and _fits(value):
            drops = int(value)
        elif word + colon == b"NOTE:":
            comments.append(line)
        else:
            lost += 1
    for own in owns:
        for code, digits in own.options:
            if code == blocks.FLAGS and len(value := _octets(digits)) == 4:
                flags |= struct.unpack(">I", value)[0] & ~FCS_BITS
            elif code == blocks.FLAGS:
                outdated += 1
    if way is not None:
        flags = flags & ~WAY_BITS | way
    out = bytearray()
    if flags:
        out += blocks.option(blocks.FLAGS, struct.pack(order + "I", flags), order)
    if drops is not None:
        out += blocks.option(blocks.DROPS, struct.pack(order + "Q", drops), order)
    for line in comments:
        comment = blocks.value_of(line)
        if len(comment) > blocks.MAX_OPTION or 4 + len(comment) + -len(comment) % 4 + 4 > room - len(out):
            lost += 1
        else:
            out += blocks.option(blocks.COMMENT, comment, order)
    others = [(own, code, digits) for own in owns for code, digits in own.options if code != blocks.FLAGS]
    now = None
    if any(_of_octets(code) for _, code, _ in others):
        now = _digest(memoryview(data)[row[OFFSET] : row[OFFSET] + row[CAPTURED]])
    for own, code, digits in others:
        value = _octets(digits)
        fits = 4 + len(value) + -len(value) % 4 + 4 <= room - len(out) and len(value) == len(digits) // 2
        here = _turned(code, value) if keeps == blocks.KEEPS_TURNED else value
        if here is not None and keeps and fits and _holds(code, own, own.digest == now, keeps):
            out += blocks.option(code, here, order)
        else:
            outdated += 1
    if out:
        out += blocks.option(blocks.END, b"", order)
    return bytes(out), lost, outdated


def _simple(data: bytearray, row: list[int], interface: int, snaplen: int, flags: int) -> bool:
    """Whether a simple packet block says all of a packet but its time.

    It is of the first interface, which tells how much of it was captured, and has no options.
    """
    captured, original = row[CAPTURED], row[ORIGINAL]
    cut = snaplen < MAX_FRAME and captured == snaplen and original > captured
    if interface or flags or (captured != original and not cut):
        return False
    others = [line for line in _lines(data, row) if line != TIMELESS and line[:2] != b"\0I"]
    if len(others) == 1 and others[0].startswith(b"IFACE:"):
        return len(others[0][6:].removeprefix(b" ")) <= blocks.MAX_OPTION
    return not others


def _fits(digits: bytes) -> bool:
    """Whether a number fits in 64 bits; int() of a huge one takes for ever (CVE-2020-10735)."""
    digits = digits.lstrip(b"0")
    return len(digits) <= 20 and int(digits or b"0") < 1 << 64


def pcapng_encode(data: bytearray, rows: bytes, first: int, big_endian: bool,
                  interfaces: list[Known]) -> tuple[bytes, int, int, int, int]:  # fmt: skip
    """Writes packets from row `first` on, up to one that belongs to none of some interfaces, or some megabytes.

    interfaces: blocks.MOST_KNOWN at most: notes and link type of one of their packets; the number; whether times are in
    nanoseconds, else microseconds; how many bytes of a packet it keeps; flags that each packet has besides its own; whether
    options that were read with packets are written: blocks.KEEPS_SOME of them, KEEPS_ALL or KEEPS_TURNED. To another one belong
    packets of another link type, with another line IFACE, or read from another one, with more bytes, or with digits below a
    microsecond where times are in these. Returns the blocks, the row it stopped before, how many lines of notes could not be
    written, how many options hold no more, and how many packets without a time had to get one: 0. Others of these are simple
    packet blocks.
    """
    values = checked(data, rows)
    count = len(values) // COLUMNS
    if not 0 <= first <= count:
        raise ValueError("first packet out of range")
    if len(interfaces) > blocks.MOST_KNOWN:
        raise ValueError("too many interfaces")
    if any(not 0 <= known[2] < 1 << 32 for known in interfaces):
        raise ValueError("interface out of range")
    by_notes: dict[tuple[int, bytes], Format] = {}
    by_origin: dict[tuple[int, tuple[bytes | None, bytes | None]], Format] = {}
    for known in interfaces:
        by_notes.setdefault((known[1], known[0]), known[2:])
        by_origin.setdefault((known[1], _origin(known[0])), known[2:])
    order = ">" if big_endian else "<"
    pack, head, tail = (struct.Struct(order + form).pack for form in ("IIIIIII", "III", "I"))
    out = bytearray()
    lost = outdated = timed = taken = 0
    stop = first
    while stop < count and taken < 2 * MAX_BATCH:
        row = values[stop * COLUMNS : (stop + 1) * COLUMNS]
        time, captured, original = row[TIME], row[CAPTURED], row[ORIGINAL]
        notes = _notes(data, row)
        form = by_notes.get((row[LINKTYPE], notes)) or by_origin.get((row[LINKTYPE], _origin(notes)))
        if not form or time < 0 or not 0 <= original < 1 << 32:
            break
        interface, nano, snaplen, flags, keeps = form
        if (not nano and time % 1000) or not 0 <= captured <= snaplen & 0xFFFFFFFFFFFFFFFF:
            break
        padding = -captured % 4
        written = b""
        unknown = not time and row[NOTES_SIZE] and TIMELESS in _lines(data, row)
        simple = unknown and _simple(data, row, interface, snaplen, flags)
        timed += bool(unknown) and not simple
        if simple:
            size = 16 + captured + padding
            out += head(blocks.SIMPLE, size, original)
        elif row[NOTES_SIZE] or flags:
            room = blocks.MAX_BLOCK - 32 - captured - padding
            written, unwritten, unkept = _options(data, row, room, order, flags, keeps)
            lost, outdated = lost + unwritten, outdated + unkept
        if not simple:
            size = 32 + captured + padding + len(written)
            ticks = time if nano else time // 1000
            out += pack(blocks.ENHANCED, size, interface, ticks >> 32, ticks & 0xFFFFFFFF, captured, original)
        out += memoryview(data)[row[OFFSET] : row[OFFSET] + captured]
        out += bytes(padding) + written + tail(size)
        taken += 32 + captured + row[NOTES_SIZE]
        stop += 1
    return bytes(out), stop, lost, outdated, timed
