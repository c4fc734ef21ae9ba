"""Frames that nobody sends: valid ones with lengths, types, headers and link types changed; and files of them.

Where headers begin is known of the valid ones alone, so that what a change does to them is never asked of the code that is tried.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pkttools import codec
from pkttools.protocols.fields import HEADERS
from tests.support.samples import batch, ethernet, frames, icmp, ipv4, ipv6, tags, udp, vxlan
from tests.support.sections import block, drops, enhanced, flags, interface, obsolete, section, simple

LONGEST = 600  # bytes of a seed: what is longer is seldom more interesting, and slow
START = 1_700_000_000_000_000_000  # nanoseconds
LINKTYPES = (0, 1, 9, 12, 50, 101, 104, 105, 107, 108, 109, 113, 127, 147, 149, 192, 228, 229, 239, 258, 276, 65535)
ETHERTYPES = (0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8, 0x9100, 0x8847, 0x8848, 0x8864, 0x8863, 0x6558, 0x880B, 0x88BE, 0x22EB,
              0x894F, 0x88E7, 0x0000, 0x05DC, 0x05DD, 0x88CC, 0xFFFF)  # fmt: skip
PROTOCOLS = (0, 1, 2, 4, 6, 17, 33, 41, 43, 44, 46, 47, 50, 51, 58, 59, 60, 88, 89, 103, 112, 115, 132, 135, 136, 137,
             139, 140, 253, 255)  # fmt: skip
PORTS = (53, 123, 1701, 2152, 3544, 4754, 4789, 4790, 6081, 8472, 9899, 0, 65535)
NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 19, 20, 21, 28, 39, 40, 41, 44, 60, 127, 128, 254, 255, 256, 1280, 1500,
           0x7FFF, 0x8000, 0xFFFE, 0xFFFF)  # fmt: skip
SIZES = (0, 1, 12, 65536, 262144, 262145, 0x7FFFFFFF, 0xFFFFFFFF)
MESSAGES = (0, 3, 5, 8, 11, 12, 13, 17, 18, 22, 34, *range(128, 138), 160)
ORDERS = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}


class Header(NamedTuple):
    """A header of a frame: its name, where it begins, where its data do, and where they end."""

    name: str
    start: int
    data: int
    end: int


class Frame(NamedTuple):
    """A frame. original: its size on the wire, None: its own. time: nanoseconds since 1970."""

    linktype: int
    data: bytes
    headers: tuple[Header, ...] = ()
    original: int | None = None
    time: int = START

    @property
    def size(self) -> int:
        return len(self.data) if self.original is None else self.original


# ---- what is changed ----


def solicitation(options: bytes = b"\1\1\2\0\0\0\0\1", source: str = "20010db8000000000000000000000001", kind: int = 135) -> bytes:
    head = struct.pack("!IHBB", 0x60000000, 24 + len(options), 58, 255) + bytes.fromhex(source)
    body = struct.pack("!BBHI", kind, 0, 0, 0) + bytes.fromhex("20010db8000000000000000000000002") + options
    return head + bytes.fromhex("ff0200000000000000000001ff000002") + body


def pieces(protocol: int, payload: bytes, size: int, v6: bool) -> list[bytes]:
    """A datagram in fragments of `size` bytes."""
    found = []
    for at in range(0, len(payload), size):
        more, part = at + size < len(payload), payload[at : at + size]
        if v6:
            found.append(ethernet(0x86DD, ipv6(44, struct.pack("!BBHI", protocol, 0, at | more, 77) + part)))
        else:
            found.append(ethernet(0x0800, ipv4(protocol, part, fragment=at // 8 | more << 13)))
    return found


def made() -> list[list[tuple[int, bytes]]]:
    """Frames made here and in samples.py, those together that belong together."""
    asked = [ipv6(58, b"\x80\0\0\0\0\1\0\1abcdefgh"), ipv4(1, icmp(8)), solicitation(), solicitation(b"", "0" * 32)]
    groups = [[frame] for frame in frames()]
    for packet in asked:
        kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
        groups += [[(1, ethernet(kind, packet))], [(1, ethernet(0x8100, tags([0x8100], kind, packet)))], [(101, packet)],
                   [(1, ethernet(0x0800, ipv4(17, vxlan(ethernet(kind, packet)))))]]  # fmt: skip
    for v6 in (False, True):
        for protocol, payload in ((17, udp(bytes(range(90)))), (58 if v6 else 1, icmp(128 if v6 else 8, bytes(70)))):
            groups.append([(1, piece) for piece in pieces(protocol, payload, 24, v6)])
    return groups


def captured(folder: Path) -> Iterator[list[tuple[int, bytes]]]:
    """The first frames of the pcap files in a folder, as far as they go."""
    for path in sorted(folder.rglob("*.pcap")) if folder.is_dir() else []:
        raw = path.read_bytes()
        order = ORDERS.get(raw[:4])
        if not order or len(raw) < 24:
            continue
        linktype, at, found = struct.unpack_from(order + "I", raw, 20)[0] & 0xFFFF, 24, []
        while len(raw) - at >= 16 and len(found) < 8:
            size = struct.unpack_from(order + "I", raw, at + 8)[0]
            found.append((linktype, raw[at + 16 : at + 16 + size][:LONGEST]))
            at += 16 + size
        yield from ([frame] for frame in found)


def seeds(captures: Path | None = None) -> list[list[Frame]]:
    """Groups of valid frames to begin with. captures: a folder with more of them."""
    own, others = made(), list(captured(captures)) if captures else []
    groups = own * max(1, len(others) // len(own)) + others  # half of them are our own
    return [[Frame(linktype, data, headers(linktype, data)) for linktype, data in group] for group in groups]


def headers(linktype: int, data: bytes) -> tuple[Header, ...]:
    """The headers of a valid frame."""
    b = batch([(linktype, data)])
    return tuple(Header(HEADERS[kind], *rest) for kind, *rest in codec.walk(b.data, bytes(b.rows)))


# ---- how ----


class Maker:
    """Makes frames of the seeds, the same ones for the same number."""

    def __init__(self, groups: list[list[Frame]], seed: object) -> None:
        self.rng, self.groups = random.Random(str(seed)), groups
        self.changes: list[Callable[[bytearray, tuple[Header, ...]], bytes | bytearray]] = [
            self.flip, self.number, self.number, self.kind, self.kind, self.length, self.length, self.field, self.cut, self.pad,
            self.graft, self.nest, self.without,
        ]  # fmt: skip

    def frames(self, count: int, linktype: int | None = None) -> list[Frame]:
        """So many frames, or a few more. linktype: of all of them, whatever they were made of."""
        groups = self.groups
        if linktype is not None and self.rng.random() < 0.9:
            groups = [group for group in groups if group[0].linktype == linktype] or groups
        found: list[Frame] = []
        time = START
        while len(found) < count:
            group = list(self.rng.choice(groups))
            changed = set(range(len(group)))
            if len(group) > 1:
                self.disorder(group)  # and at most one is changed: what belongs together is to come together now and then
                changed = {self.rng.randrange(2 * len(group))}
            for i, frame in enumerate(group):
                time += self.rng.choice((0, 1, 1000, 1_000_000, 30_000_000, -1_000_000))
                made = self.changed(frame) if i in changed else frame
                found.append(made._replace(time=time, headers=()))
        return found if linktype is None else [frame._replace(linktype=linktype) for frame in found]

    def disorder(self, group: list[Frame]) -> None:
        """Fragments of a datagram with an id of its own get lost, overtake each other, and come twice."""
        ident = self.rng.randbytes(2)
        for i, frame in enumerate(group):
            data = bytearray(frame.data)
            at = 18 if data[12:14] == b"\x08\0" else 60
            data[at : at + 2] = ident
            group[i] = frame._replace(data=bytes(data))
        what = self.rng.randrange(6)
        if what == 0:
            del group[self.rng.randrange(len(group))]
        elif what == 1:
            self.rng.shuffle(group)
        elif what == 2:
            group.append(self.rng.choice(group))

    def changed(self, frame: Frame) -> Frame:
        """The frame with none to four changes, one behind the other."""
        data, known = bytearray(frame.data), frame.headers
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            data = bytearray(self.rng.choice(self.changes)(data, tuple(h for h in known if h.data <= len(data))))
        linktype, original = frame.linktype, None
        if self.rng.random() < 0.03:
            linktype = self.rng.choice(LINKTYPES)
        if self.rng.random() < 0.05:
            original = max(0, len(data) + self.rng.choice((-1, 1, 4, 100, 70000, -len(data))))
        return frame._replace(linktype=linktype, data=bytes(data[: 4 * LONGEST]), original=original)

    def place(self, data: bytearray, known: tuple[Header, ...], width: int = 1) -> int:
        """Where in the frame something is changed: in a header rather than in data."""
        room = len(data) - width
        if room <= 0:
            return 0
        if known and self.rng.random() < 0.9:
            header = self.rng.choice(known)
            return min(header.start + self.rng.randrange(max(1, min(header.data - header.start, 64) or 1)), room)
        return self.rng.randrange(room + 1)

    def put(self, data: bytearray, at: int, value: bytes) -> bytearray:
        """Bytes put over others, as far as there are any."""
        data[at : at + len(value)] = value[: max(0, len(data) - at)]
        return data

    def flip(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        at = self.place(data, known)
        return self.put(data, at, bytes([data[at] ^ 1 << self.rng.randrange(8)])) if data else data

    def number(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """A number that is the border of something, of one, two or four bytes."""
        width = self.rng.choice((1, 2, 2, 4))
        value = self.rng.choice((self.rng.choice(NUMBERS), self.rng.randrange(1 << 16), len(data), len(data) - 14, len(data) - 34))
        at = self.place(data, known, width) & (-2 if width > 1 else -1)
        return self.put(data, at, (value & (1 << 8 * width) - 1).to_bytes(width, "big"))

    def kind(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """What says which header follows: EtherType, protocol, port; or the type of a message."""
        if not known:
            return data
        name, start, body, _ = self.rng.choice(known)
        if name == "IP":
            return self.put(data, start + 9, bytes([self.rng.choice(PROTOCOLS)]))
        if name == "IPV6":
            at = start + 6 if self.rng.random() < 0.7 else self.rng.randrange(start, body)
            return self.put(data, at, bytes([self.rng.choice(PROTOCOLS)]))
        if name in ("UDP", "TCP", "SCTP"):
            return self.put(data, start + self.rng.choice((0, 2)), struct.pack("!H", self.rng.choice(PORTS)))
        if name in ("ICMP", "ICMPV6", "IGMP"):
            return self.put(data, start, bytes([self.rng.choice(MESSAGES)]))
        return self.put(data, body - 2, struct.pack("!H", self.rng.choice(ETHERTYPES)))

    def length(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """A length or a header's size that is a little more or less than it should be, or far off."""
        if not known:
            return data
        name, start, body, end = self.rng.choice(known)
        by = self.rng.choice((-24, -20, -8, -4, -2, -1, 1, 2, 4, 8, 40, self.rng.randrange(65536)))
        places = {"IP": (2, end - start), "IPV6": (4, end - start - 40), "UDP": (4, end - start)}
        if name in places and self.rng.random() < 0.7:
            at, value = places[name]
            return self.put(data, start + at, struct.pack("!H", value + by & 0xFFFF))
        if name == "IP" and start < len(data):
            return self.put(data, start, bytes([data[start] & 0xF0 | self.rng.randrange(16)]))
        if name == "TCP":
            return self.put(data, start + 12, bytes([self.rng.randrange(16) << 4]))
        if name == "IPV6":
            return self.put(data, start + 41, bytes([self.rng.choice((0, 1, 2, 3, 31, 32, 255))]))
        return self.put(data, self.rng.randrange(start, max(start + 1, body)), bytes([self.rng.choice(NUMBERS) & 255]))

    def field(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """A header full of the same, or of chance."""
        if not known:
            return data
        _, start, body, _ = self.rng.choice(known)
        size = self.rng.randrange(1, max(2, min(body - start, 40)))
        value = self.rng.choice((bytes(size), b"\xff" * size, self.rng.randbytes(size)))
        return self.put(data, self.rng.randrange(start, max(start + 1, body)), value)

    def cut(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """A frame that ends within a header, or where one begins or ends."""
        if known and self.rng.random() < 0.8:
            _, start, body, end = self.rng.choice(known)
            return data[: max(0, self.rng.choice((start, body, end, body)) + self.rng.choice((-2, -1, 0, 0, 1, 4, 8, 12, 16, 20)))]
        return data[: self.rng.randrange(len(data) + 1)]

    def pad(self, data: bytearray, _known: tuple[Header, ...]) -> bytearray:
        """Bytes behind the frame: padding, an FCS, a trailer."""
        size = self.rng.choice((1, 2, 3, 4, 6, 18, max(0, 60 - len(data)), max(0, 64 - len(data)), 200))
        return data + (bytes(size) if self.rng.random() < 0.6 else self.rng.randbytes(size))

    def graft(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """What another frame has, behind one of the headers."""
        other = self.rng.choice(self.rng.choice(self.groups))
        at = self.rng.choice(known).data if known else 0
        start = self.rng.choice(other.headers).start if other.headers else 0
        return data[:at] + other.data[start:]

    def nest(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """A header, or several, again and again."""
        if not known:
            return data
        first, last = sorted(self.rng.choices(range(len(known)), k=2))
        start, body = known[first].start, known[last].data
        times = self.rng.choice((1, 1, 2, 3, 8, 17, 40))
        return data[:body] + data[start:body] * min(times, 1 + 2 * LONGEST // max(1, body - start)) + data[body:]

    def without(self, data: bytearray, known: tuple[Header, ...]) -> bytearray:
        """A header left out."""
        if not known:
            return data
        _, start, body, _ = self.rng.choice(known)
        return data[:start] + data[body:]


# ---- files ----


def text(found: list[Frame]) -> bytes:
    """Frames as text."""
    lines, linktype = [], None
    for i, frame in enumerate(found):
        if frame.linktype != linktype:
            linktype = frame.linktype
            lines.append(f"LINKTYPE: {linktype}")
        seconds, rest = divmod(frame.time, 1_000_000_000)
        lines += [f"-- {i + 1} --", f"TIME: {seconds}.{rest:09}", f"SIZE: {len(frame.data)}/{frame.size}"]
        lines += [f"NOTE: {i}", "IFACE: eth0", "WAY: in"][: i % 7 if i % 7 < 4 else 0]
        lines += [f"{at:06X}: {frame.data[at : at + 16].hex(' ')}" for at in range(0, len(frame.data), 16)] + ["=="]
    return ("\n".join(lines) + "\n").encode()


def pcap(found: list[Frame]) -> bytes:
    """Frames as a pcap file, of the first one's link type; now and then in the other byte order, and in nanoseconds."""
    order, nano = "<>"[len(found) % 2], len(found) % 3 == 0
    unit = 1 if nano else 1000
    head = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, found[0].linktype)
    heads = (struct.pack(order + "IIII", f.time // 10**9, f.time % 10**9 // unit, len(f.data), f.size) for f in found)
    return head + b"".join(record + f.data for record, f in zip(heads, found, strict=True))


def pcapng(found: list[Frame]) -> bytes:
    """Frames as a pcapng file, of several interfaces, with comments, and blocks of every kind that holds packets."""
    order = "<>"[len(found) % 2]
    out, numbers = section(order), {}
    for i, frame in enumerate(found):
        if frame.linktype not in numbers:
            numbers[frame.linktype] = len(numbers)
            out += interface(frame.linktype, ((2, b"eth%d" % len(numbers)), (9, b"\x09"))[: len(numbers) % 3], order)
        number = numbers[frame.linktype]
        ticks = frame.time if number % 3 == 1 else frame.time // 1000
        given = ((1, b"a comment"), flags(1 + i % 2, order), drops(i % 3, order))[: i % 11 if i % 11 < 4 else 0]
        if i % 13 == 12 and frame.original is None:
            out += obsolete(frame.data, ticks, number, 0xFFFF, given[:2], order)
        elif i % 29 == 28 and number == 0 and frame.original is None:
            out += simple(frame.data, None, order)
        else:
            out += enhanced(frame.data, ticks, number, given, order, frame.size)
        if i % 97 == 96:
            out += block(5, bytes(12), order)
    return out


def spoiled(raw: bytes, rng: random.Random) -> bytes:
    """A file with some of its bytes changed, lost or doubled."""
    data = bytearray(raw)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(min(len(data), rng.choice((40, 400, 1 << 20))) or 1)
        what = rng.randrange(4)
        if what == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif what == 1:
            data[at : at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(SIZES))
        elif what == 2:
            del data[at : at + rng.choice((1, 2, 4, 16, 1000))]
        else:
            data[at:at] = data[at : at + rng.choice((1, 4, 28, 500))]
    return bytes(data)
