"""Lines of packetdrill: segments of TCP, and UDP by its size. Addresses and ports are not said there, nor what is carried.

The host that sends the first packet is the one that packetdrill plays: its packets are `<`, those to it `>`, which it expects.
Numbers count from where each side began, as packetdrill has it.
"""

from __future__ import annotations

from struct import unpack

from .target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parts import Header, Packet

LETTERS = "FSRP.UEW"  # by bit; run/tcp_packet.c has them so
MODULUS = 1 << 32


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
        self.last = packet.time
        sign = "<" if sides[0] == self.ends[0] else ">"
        udp = f"udp ({int.from_bytes(frame[at + 4 : at + 6], 'big') - 8})"
        said = self.segment(packet, header, frame, sides) if kind == "TCP" else udp
        return [f"+{max(delta, 0) / 1e9:.6f} {sign} {said}"]

    def segment(self, packet: Packet, header: Header, frame: bytes, sides: tuple[bytes, ...]) -> str:
        """What a segment is."""
        at = header.start
        sequence, acknowledged, bits, window, _, urgent = unpack(">IIHHHH", frame[at + 4 : at + 20])
        end = header.end if packet.captured == packet.original else max(header.end, at)
        size = max(end - at - 4 * (bits >> 12), 0)
        flags = "".join(letter for bit, letter in enumerate(LETTERS) if bits >> bit & 1)
        first = self.begun.setdefault(sides[0], sequence if bits & 2 else sequence - 1)
        other = self.begun.get(sides[1])
        if other is None and bits & 0x10:
            other = self.begun[sides[1]] = acknowledged - 1
        relative = (sequence - first) % MODULUS
        words = [flags or "-", f"{relative}:{relative + size}({size})"]
        words += [f"ack {(acknowledged - (other or 0)) % MODULUS}"] if bits & 0x10 else []
        self.lose("TCP.ACK_NUMBER without the flag", bool(acknowledged) and not bits & 0x10)
        words.append(f"win {window}")
        words += [f"urg {urgent}"] if bits & 0x20 else []
        self.lose("TCP.URGENT without the flag", bool(urgent) and not bits & 0x20)
        self.lose("reserved bits of TCP, or AE", bool(bits & 0xF00))
        options = self.options(frame[at + 20 : min(at + 4 * (bits >> 12), len(frame))])
        return " ".join(words) + (f" <{','.join(options)}>" if options else "")

    def options(self, data: bytes) -> list[str]:
        """Options of TCP."""
        found, at = [], 0
        while at < len(data):
            kind = data[at]
            size = data[at + 1] if at + 1 < len(data) else 0
            value = data[at + 2 : at + size]
            if kind < 2:
                found.append(("eol", "nop")[kind])
                at += 1
                continue
            if kind == 2 and size == 4:
                found.append(f"mss {int.from_bytes(value, 'big')}")
            elif kind == 3 and size == 3:
                found.append(f"wscale {value[0]}")
            elif kind == 4 and size == 2:
                found.append("sackOK")
            elif kind == 8 and size == 10 and len(value) == 8:
                found.append("TS val {} ecr {}".format(*unpack(">II", value)))
            else:
                self.lose(f"option {kind} of TCP, and what is behind it")
                return found
            at += size
        return found
