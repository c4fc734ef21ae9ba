"""What all targets share: a packet as bytes cut at its headers, and how what a target cannot say is noted."""

from __future__ import annotations

from ... import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parts import Header, Packet

ETHERNET, RAW_IP = 1, 101  # link types


class Target:
    """A language that packets are written in, or a program's command lines.

    name: of --as. what: who takes it. comment: what a comment begins with; empty: there are none. lost: what could not be said of
    the packet in hand.
    """

    name = what = ""
    comment = "#"

    def __init__(self) -> None:
        self.lost: list[str] = []

    def head(self) -> list[str]:
        """Lines in front of all packets."""
        return []

    def packet(self, packet: Packet, number: int) -> list[str]:
        """The lines of a packet; what they do not say is put into `lost`."""
        raise NotImplementedError

    def tail(self) -> list[str]:
        """Lines behind all packets."""
        return []

    def lose(self, what: str, condition: bool = True) -> None:
        """Notes that something is not said."""
        if condition and what not in self.lost:
            self.lost.append(what)


def pieces(packet: Packet) -> list[tuple[str, bytes]]:
    """The bytes of a packet, header by header, each with what it is; what a header carries, if that is no header, is `data`."""
    frame, found, at = bytes(packet.frame), [], 0
    headers = [header for header in packet.headers if header.start < len(frame)]
    for i, header in enumerate(headers):
        end = headers[i + 1].start if i + 1 < len(headers) else len(frame)
        data = min(behind(header), end) if header.name != "TRAILER" else end
        if header.start > at:
            found.append(("data", frame[at : header.start]))
        if data > max(header.start, at):
            found.append((header.heading, frame[max(header.start, at) : data]))
        if end > data:
            found.append(("data", frame[data:end]))
        at = max(at, end)
    if at < len(frame):
        found.append(("data", frame[at:]))
    return found


def behind(header: Header) -> int:
    """Where the fields of a header end, and items of its lists."""
    ends = [-(-(field.bit + field.width) // 8) for field in header if not field.is_data]
    return max([header.start, *ends, *(item.end for item in header.items)])


def literal(data: bytes) -> str:
    """Bytes in Python: as characters where most of them can be printed."""
    printed = sum(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in data)
    return repr(data) if 2 * printed > len(data) or not data else f'bytes.fromhex("{data.hex()}")'


def mac(data: bytes) -> str:
    """A MAC address."""
    return data.hex(":")


class Datagram:
    """What IPv4 in a packet, alone or under Ethernet, says of itself and its message; for targets that know nothing else.

    message: UDP, TCP or ICMP. carried: what is behind its header. wrong: lengths or checksums that are not as a target makes them.
    """

    def __init__(self, packet: Packet) -> None:
        """Raises ValueError, with words, where it is something else."""
        frame = self.frame = bytes(packet.frame)
        names = [header.name for header in packet.headers]
        if packet.linktype not in (ETHERNET, RAW_IP):
            raise ValueError(f"link type {packet.linktype}")
        at = 14 if packet.linktype == ETHERNET else 0
        self.ethernet = frame[:at]
        place = 1 if at else 0
        if names[place : place + 1] != ["IP"] or packet.headers[place].start != at:
            raise ValueError(names[place] if len(names) > place else "packet without an IP header")
        if names[place + 1 : place + 2] not in (["UDP"], ["TCP"], ["ICMP"]):
            raise ValueError(names[place + 1] if len(names) > place + 1 else "header other than UDP, TCP and ICMP")
        ip, header = packet.headers[place : place + 2]
        self.kind = header.name
        size = {"UDP": 8, "TCP": 20, "ICMP": 8}[self.kind]
        self.ip, self.message = frame[at : header.start], frame[header.start :]
        total = self.number(self.ip, 2, 2)
        whole = len(frame) - at
        # Padding is of Ethernet, or something behind the datagram; a total size of 0, of TSO, means to the end.
        self.padding = max(whole - (total or whole), 0) if at else 0
        self.message = self.message[: max(len(self.message) - self.padding, 0)]
        if len(self.message) < size or len(self.ip) < 20:  # also by the length that IP says
            raise ValueError("header that is truncated")
        self.wrong = [f"{one.name}.CHECKSUM, which is wrong" for one in (ip, header) if one.verdict in (codec.BAD, codec.LEFT)]
        self.wrong += ["IP.TOTAL_SIZE"] if total + self.padding != whole else []
        if self.kind == "UDP":
            self.wrong += ["UDP.SIZE"] if self.number(self.message, 4, 2) != len(self.message) else []
            self.wrong += ["UDP.CHECKSUM, which is 0"] if self.message[6:8] == b"\0\0" else []
        if self.kind == "TCP":
            size = 4 * (self.message[12] >> 4)
            if not 20 <= size <= len(self.message):
                raise ValueError("TCP header whose length cannot be")
        self.head, self.carried = self.message[:size], self.message[size:]
        self.source, self.destination = (".".join(map(str, self.ip[place : place + 4])) for place in (12, 16))
        self.tos, self.id, self.fragment, self.ttl = self.ip[1], self.number(self.ip, 4, 2), self.number(self.ip, 6, 2), self.ip[8]
        self.ports = self.number(self.head, 0, 2), self.number(self.head, 2, 2)

    @staticmethod
    def number(data: bytes, at: int, size: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(data[at : at + size], "big")
