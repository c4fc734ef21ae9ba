"""Puts headers around bare payloads: Ethernet, IP, and UDP or TCP, with lengths and checksums that are right."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import pack

from ..batch import Batch, Packet, gathered
from ..errors import PktError, UsageError, need
from ..protocols import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Address = IPv4Address | IPv6Address

ETHERNET, RAW_IP = 1, 101  # link types
MACS = bytes.fromhex("020000000002 020000000001")  # destination and source, locally administered
ADDRESSES = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}  # RFC 5737, RFC 3849
UDP, TCP = 17, 6
TYPES = {4: 0x0800, 6: 0x86DD}
TTL = 64
PUSH_ACK = 0x18  # RFC 9293 section 3.1


def checksum(data: bytes) -> int:
    """The Internet checksum of bytes (RFC 1071)."""
    rest = int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF
    return 0xFFFF - (rest or 0xFFFF) if any(data) else 0xFFFF


def pair(option: str, text: str) -> tuple[str, str]:
    """What stands on both sides of the comma, or of the minus sign. Raises UsageError."""
    for mark in ",-":
        first, found, second = text.partition(mark)
        if found and first and second:
            return first, second
    raise UsageError(f"{option}: '{text[:60]}' is not FROM,TO")


def address(option: str, text: str) -> Address:
    """An address. Raises UsageError."""
    try:
        return ip_address(text)
    except ValueError:
        raise UsageError(f"{option}: '{text[:60]}' is not an address") from None


def end(option: str, text: str) -> tuple[Address | None, int]:
    """An address, if there is one, and a port: `53`, `192.0.2.1:53`, `[2001:db8::1]:53`. Raises UsageError."""
    host, colon, port = text.rpartition(":")
    need(port.isascii() and port.isdigit() and int(port[:9]) <= 0xFFFF, f"{option}: '{text[:60]}' is no port, nor ADDR:PORT")
    need(bool(host) or not colon, f"{option}: '{text[:60]}' has no address")
    inner = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
    need(":" not in host or inner != host, f"{option}: '{text[:60]}': IPv6 addresses stand in brackets, [{host}]:{port}")
    return (address(option, inner) if host else None), int(port)


def number(option: str, text: str, base: int, known: dict[int, str], most: int) -> int:
    """A number, or the name of one. Raises UsageError."""
    value = next((number for number, name in known.items() if name == text.lower()), None)
    if value is None:
        try:
            value = int(text, 16 if text[:2] in ("0x", "0X") else base)
        except ValueError:
            raise UsageError(f"{option}: '{text[:40]}' is neither a number nor a name of one") from None
    need(0 <= value <= most, f"{option}: {text[:40]} is out of range")
    return value


class Around:
    """The headers that are put around payloads; in front of a flow.

    link: the link type that is wanted; None: Ethernet.
    """

    def __init__(self, eth: str | None, ip: str | None, udp: str | None, tcp: str | None, addresses: str | None,
                 link: int | None) -> None:  # fmt: skip
        """The options of pkt-hex2txt. Raises UsageError."""
        need(sum(one is not None for one in (ip, udp, tcp)) <= 1, "--ip, --udp and --tcp: one of them")
        need(link in (None, ETHERNET, RAW_IP), f"-lt {link}: headers are put under Ethernet, 1, or left bare IP, {RAW_IP}")
        self.link = ETHERNET if link is None else link
        option, ends = ("--tcp", tcp) if tcp is not None else ("--udp", udp)
        self.protocol: int | None = None
        found: list[Address | None] = [None, None]
        self.ports = 0, 0
        if ends is not None:
            self.protocol = TCP if tcp is not None else UDP
            (found[0], first), (found[1], second) = (end(option, text) for text in pair(option, ends))
            self.ports = first, second
        elif ip is not None:
            self.protocol = number("--ip", ip, 10, names.PROTOCOL, 255)
        need(self.protocol is not None or addresses is None, "--addresses is for --ip, --udp and --tcp")
        need(self.protocol is not None or self.link == ETHERNET, f"--eth and -lt {link} contradict each other")
        need(addresses is None or found == [None, None], f"{option} has addresses, and so does --addresses")
        if addresses is not None:
            found = [address("--addresses", text) for text in pair("--addresses", addresses)]
        self.addresses = self.complete(found)
        self.version = self.addresses[0].version
        self.type = TYPES[self.version] if self.protocol is not None else number("--eth", eth or "", 16, names.ETHERTYPE, 0xFFFF)
        if self.protocol is not None and eth is not None:
            self.type = number("--eth", eth, 16, names.ETHERTYPE, 0xFFFF)
        self.sequence = 0
        self.count = 0

    @staticmethod
    def complete(found: list[Address | None]) -> tuple[Address, Address]:
        """Both addresses, of one version. Raises UsageError."""
        version = next((one.version for one in found if one), 4)
        usual = [ip_address(text) for text in ADDRESSES[version]]
        source, destination = (one or other for one, other in zip(found, usual, strict=True))
        need(source.version == destination.version, f"{source} and {destination} are of different versions of IP")
        return source, destination

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Puts them around all packets. Raises PktError at one that is too long."""
        for batch in stream:
            yield gathered(self.around(batch.packet(i)) for i in range(len(batch)))

    def around(self, packet: Packet) -> Packet:
        """A packet in its headers. Of one that was truncated lengths are those of the whole, and there is no checksum."""
        self.count += 1
        payload, size = packet.frame, packet.original
        if self.protocol is not None:
            payload, size = self.message(payload, size)
            payload, size = self.datagram(payload, size)
        if self.link == ETHERNET:
            payload, size = MACS + pack(">H", self.type) + payload, size + 14
        return Packet(payload, size, packet.time, self.link, packet.notes)

    def message(self, payload: bytes, size: int) -> tuple[bytes, int]:
        """UDP (RFC 768) or TCP (RFC 9293 section 3.1) around a payload; its bytes, and how long it is."""
        if self.protocol not in (UDP, TCP):
            return payload, size
        length = size + (8 if self.protocol == UDP else 20)
        self.fits(length)
        if self.protocol == UDP:
            header, at = pack(">HHHH", *self.ports, length, 0), 6
        else:
            header, at = pack(">HHIIBBHHH", *self.ports, self.sequence, 0, 5 << 4, PUSH_ACK, 65535, 0, 0), 16
            self.sequence = (self.sequence + size) & 0xFFFFFFFF
        pseudo = b"".join(one.packed for one in self.addresses)
        pseudo += pack(">BBH", 0, self.protocol, length) if self.version == 4 else pack(">IxxxB", length, self.protocol)
        value = checksum(pseudo + header + payload)
        if self.protocol == UDP:
            value = value or 0xFFFF  # 0: there is none
        if size > len(payload):
            value = 0
        return header[:at] + pack(">H", value) + header[at + 2 :] + payload, length

    def datagram(self, message: bytes, size: int) -> tuple[bytes, int]:
        """IPv4 (RFC 791 section 3.1) or IPv6 (RFC 8200 section 3) around a message."""
        source, destination = (one.packed for one in self.addresses)
        if self.version == 6:
            self.fits(size)
            header = pack(">IHBB", 6 << 28, size, self.protocol, TTL) + source + destination
        else:
            self.fits(size + 20)
            header = pack(">BBHHHBBH", 0x45, 0, size + 20, self.count & 0xFFFF, 0, TTL, self.protocol, 0) + source + destination
            header = header[:10] + pack(">H", checksum(header)) + header[12:]
        return header + message, len(header) + size

    def fits(self, length: int) -> None:
        """Raises PktError where a length has no room in 16 bits."""
        if length > 0xFFFF:
            raise PktError(f"payload {self.count} is too long for the headers around it: {length} bytes; they say 65535 at most")
