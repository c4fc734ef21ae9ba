"""Lines of packetdrill: segments of TCP, and UDP by its size. Addresses and ports are not said there, nor what is carried.

The host that sends the first packet is the one that packetdrill plays: its packets are `<`, those to it `>`, which it expects.
Numbers count from where each side began, as packetdrill has it.
"""

from __future__ import annotations

from struct import iter_unpack, unpack

from .target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parts import Header, Packet

LETTERS = (0x01, "F"), (0x02, "S"), (0x04, "R"), (0x08, "P"), (0x20, "U"), (0x40, "E"), (0x80, "W"), (0x100, "A"), (0x10, ".")
MODULUS = 1 << 32  # a flag's letter is in tcp_packet.c of packetdrill; in parser.y the dot of ACK is behind the others


class Packetdrill(Target):
    """Lines of packetdrill."""

    name, what, comment = "packetdrill", "lines of packetdrill: TCP, and sizes of UDP", "//"

    def __init__(self) -> None:
        super().__init__()
        self.last: int | None = None  # the time of the packet before
        self.ends: tuple[bytes, bytes] | None = None  # of the conversation, from its first packet: addresses and ports
        self.begun: dict[bytes, int] = {}  # the number with which each side began

    def head(self) -> list[str]:
        """What has to be said elsewhere."""
        return ["// Addresses and ports are options of packetdrill; so are TTL and other fields of IP. Payloads are zeros."]

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its line."""
        frame = bytes(packet.frame)
        names = [header.name for header in packet.headers if not header.quoted]
        kind = next((name for name in ("TCP", "UDP") if name in names), "")
        header = next((header for header in packet.headers if header.name == kind), None)
        around = next((header for header in packet.headers if header.name in ("IP", "IPV6")), None)
        alone = names.count("IP") + names.count("IPV6") == 1
        if header is None or around is None or not alone or len(frame) < header.start + (20 if kind == "TCP" else 8):
            self.lose("the packet: it makes no " + (" in ".join(reversed(names[:3])) or "such bytes"))
            return []
        size, places = (4, 12) if around.name == "IP" else (16, 8)
        at, place = header.start, around.start + places
        sides = tuple(frame[place + i * size : place + (i + 1) * size] + frame[at + 2 * i : at + 2 * i + 2] for i in (0, 1))
        if self.ends is None:
            self.ends = sides[0], sides[1]
        if sides not in (self.ends, self.ends[::-1]):
            self.lose("the packet: it is of another conversation than the first one")
            return []
        delta = 0 if self.last is None else packet.time - self.last
        self.lose("that it came before the one in front of it", delta < 0)
        sign = "<" if sides[0] == self.ends[0] else ">"
        said = self.segment(packet, header, frame, sides) if kind == "TCP" else self.datagram(frame, at)
        if not said:
            return []
        self.last = packet.time  # of the line before, which the next one counts from
        return [f"+{max(delta, 0) / 1e9:.6f} {sign} {said}"]

    def datagram(self, frame: bytes, at: int) -> str:
        """What a datagram of UDP is; nothing where its length leaves no room for its header."""
        size = int.from_bytes(frame[at + 4 : at + 6], "big") - 8
        self.lose(f"the packet: it makes no UDP of length {size + 8}", size < 0)
        return f"udp ({size})" if size >= 0 else ""

    def segment(self, packet: Packet, header: Header, frame: bytes, sides: tuple[bytes, ...]) -> str:
        """What a segment is; nothing where its numbers pass 2^32, which packetdrill's do not."""
        at = header.start
        sequence, acknowledged, bits, window, _, urgent = unpack(">IIHHHH", frame[at + 4 : at + 20])
        end = header.end if packet.captured == packet.original else max(header.end, at)
        size = max(end - at - 4 * (bits >> 12), 0)
        flags = "".join(letter for bit, letter in LETTERS if bits & bit)
        first = self.begun.setdefault(sides[0], sequence if bits & 2 else sequence - 1)
        other = self.begun.get(sides[1])
        if other is None and bits & 0x10:
            other = self.begun[sides[1]] = acknowledged - 1
        relative = (sequence - first) % MODULUS
        if relative + size >= MODULUS:
            self.lose("the packet: it makes no numbers that go on behind 2^32")
            return ""
        words = [flags or "-", f"{relative}:{relative + size}({size})"]
        words += [f"ack {(acknowledged - (other or 0)) % MODULUS}"] if bits & 0x10 else []
        self.lose("TCP.ACK_NUMBER without the flag", bool(acknowledged) and not bits & 0x10)
        words.append(f"win {window}")
        words += [f"urg {urgent}"] if bits & 0x20 else []
        self.lose("TCP.URGENT without the flag", bool(urgent) and not bits & 0x20)
        self.lose("reserved bits of TCP", bool(bits & 0xE00))
        options = self.options(frame[at + 20 : min(at + 4 * (bits >> 12), len(frame))], other or 0)
        return " ".join(words) + (f" <{','.join(options)}>" if options else "")

    def options(self, data: bytes, other: int) -> list[str]:
        """Options of TCP; what is not said has nops in its place, since the header has to end at a word (RFC 9293, section 3.1)."""
        found: list[str] = []
        at = 0
        while at < len(data):
            kind = data[at]
            if kind < 2:
                found.append(("eol", "nop")[kind])
                at += 1
                continue
            size = data[at + 1] if at + 1 < len(data) else 0
            if not 2 <= size <= len(data) - at:
                self.lose(f"option {kind} of TCP, and what is behind it")
                return found + ["nop"] * (len(data) - at)
            said = self.option(kind, data[at + 2 : at + size], other)
            self.lose(f"option {kind} of TCP", not said)
            found += [said] if said else ["nop"] * size
            at += size
        return found

    def option(self, kind: int, value: bytes, other: int) -> str:
        """An option of TCP of more than one byte; nothing where packetdrill has no word for it."""
        if kind == 2 and len(value) == 2:
            return f"mss {int.from_bytes(value, 'big')}"
        if kind == 3 and len(value) == 1:
            return f"wscale {value[0]}"
        if kind == 4 and not value:
            return "sackOK"
        if kind == 5 and value and len(value) % 8 == 0:  # of what the other side sent, and so by its numbers
            return " ".join(["sack", *(f"{(a - other) % MODULUS}:{(b - other) % MODULUS}" for a, b in iter_unpack(">II", value))])
        if kind == 8 and len(value) == 8:
            return "TS val {} ecr {}".format(*unpack(">II", value))
        if kind == 19 and len(value) == 16:
            return f"md5 {value.hex()}"
        if kind == 34 and not (len(value) % 2 or 0 < len(value) < 4 or len(value) > 16):  # RFC 7413, section 4.1.1
            return f"FO {value.hex()}".rstrip()
        return ""
