"""Command lines of nemesis and hping3: what their options say. They compute lengths and checksums, and all else has a comment."""

from __future__ import annotations

from .target import Datagram, Target, mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parts import Packet

DF, MF = 0x4000, 0x2000
REPLACED = "IP.ID of 0, which the kernel replaces"  # of what goes through a raw socket, raw(7), and may be fragmented
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.:;-_+=/@~^")


def printed(data: bytes) -> str:
    """The command that writes some bytes, of POSIX: printf(1) knows octal escapes."""
    return "printf '" + "".join(chr(b) if b in PLAIN else f"\\{b:03o}" for b in data) + "'"


class Commands(Target):
    """What both have in common: IPv4 with UDP, TCP or ICMP."""

    comment = "#"

    def head(self) -> list[str]:
        """A script of the shell."""
        return ["#!/bin/sh"]

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its line; none where the program makes no such packets."""
        try:
            return self.command(Datagram(packet))
        except ValueError as error:
            other = self.other(packet)
            self.lose(f"the packet: it makes no {error}", not other)
            return other

    def command(self, datagram: Datagram) -> list[str]:
        """The line of a datagram."""
        raise NotImplementedError

    def other(self, packet: Packet) -> list[str]:
        """The line of what is no datagram; none: it makes no such packets."""
        return []

    def common(self, datagram: Datagram) -> None:
        """Notes what neither can say."""
        for wrong in datagram.wrong:
            self.lose(wrong)
        self.lose("IP options", len(datagram.ip) > 20)
        self.lose("what is behind the datagram", datagram.padding > 0 and any(datagram.frame[-datagram.padding :]))
        self.lose("TCP options", datagram.kind == "TCP" and len(datagram.head) > 20)
        self.lose("reserved bits of TCP, or AE", datagram.kind == "TCP" and datagram.head[12] & 15 != 0)
        self.lose("the reserved bit of IP", bool(datagram.fragment & 0x8000))


class Nemesis(Commands):
    """nemesis(1), of 1.4 and later: by its source, https://github.com/libnet/nemesis.

    NOWHERE: an address that it takes for none.
    """

    NOWHERE = "0.0.0.0"

    name, what = "nemesis", "command lines of nemesis"

    def command(self, datagram: Datagram) -> list[str]:
        """The line of a datagram."""
        offset = datagram.fragment & 0x1FFF
        if self.NOWHERE in (datagram.source, datagram.destination):
            raise ValueError(f"packet from or to {self.NOWHERE}")
        self.common(datagram)
        head, number = datagram.head, datagram.number
        words = ["nemesis", datagram.kind.lower(), "-S", datagram.source, "-D", datagram.destination, "-I", str(datagram.id),
                 "-T", str(datagram.ttl), "-t", str(datagram.tos)]  # fmt: skip
        flags = ["D"] * bool(datagram.fragment & DF) + ["M"] * bool(datagram.fragment & MF) + [str(offset)] * bool(offset)
        words += ["-F", ",".join(flags)] if flags else []
        if datagram.kind == "ICMP":
            words += ["-i", str(head[0]), "-c", str(head[1])]  # of any type, in its mode for echo
            words += ["-e", str(number(head, 4, 2)), "-s", str(number(head, 6, 2))]
        else:
            words += ["-x", str(datagram.ports[0]), "-y", str(datagram.ports[1])]
        if datagram.kind == "TCP":
            flags = [letter for bit, letter in enumerate("FSRPAUEC") if head[13] >> bit & 1]
            words += ["-f" + ("".join(flags) or "-")]
            words += ["-s", str(number(head, 4, 4)), "-a", str(number(head, 8, 4)), "-w", str(number(head, 14, 2))]
            words += ["-u", str(number(head, 18, 2))]
        if datagram.ethernet:
            self.lose("ETHERNET.SRC_ADDR of 0, for which nemesis takes the interface's own", not any(datagram.ethernet[6:12]))
            words += ["-d", '"${1:-eth0}"', "-M", mac(datagram.ethernet[:6]), "-H", mac(datagram.ethernet[6:12])]
        else:
            self.lose(REPLACED, not datagram.id and not datagram.fragment & DF)
        if datagram.carried:
            return [f"{printed(datagram.carried)} | {' '.join([*words, '-P -'])}"]
        return [" ".join(words)]

    def other(self, packet: Packet) -> list[str]:
        """The line of ARP."""
        frame = bytes(packet.frame)
        names = [header.name for header in packet.headers]
        if names[:2] != ["ETHERNET", "ARP"] or len(frame) < 42 or frame[14:20] != bytes.fromhex("000108000604"):
            return []
        operation = int.from_bytes(frame[20:22], "big")
        if operation not in (1, 2):
            return []
        addresses = [".".join(map(str, frame[at : at + 4])) for at in (28, 38)]
        if self.NOWHERE in addresses:
            return []
        self.lose("what is behind ARP", any(frame[42:]))
        self.lose("ETHERNET.SRC_ADDR of 0, for which nemesis takes the interface's own", not any(frame[6:12]))
        words = ["nemesis arp", "-r" * (operation == 2), "-S", addresses[0], "-D", addresses[1], "-h", mac(frame[22:28]),
                 "-m", mac(frame[32:38]), "-d", '"${1:-eth0}"', "-M", mac(frame[:6]), "-H", mac(frame[6:12])]  # fmt: skip
        return [" ".join(word for word in words if word)]


class Hping(Commands):
    """hping3(8). ECHO, OWN: types of ICMP that it sends with what it is told, and with contents of its own; no others."""

    ECHO, OWN = (0, 8), (3, 4, 5, 11, 13, 14, 17, 18)

    name, what = "hping3", "command lines of hping3"

    def command(self, datagram: Datagram) -> list[str]:
        """The line of a datagram."""
        head, number, carried = datagram.head, datagram.number, datagram.carried
        if datagram.kind == "ICMP" and head[0] not in (*self.ECHO, *self.OWN):
            raise ValueError(f"ICMP of type {head[0]}")
        self.common(datagram)
        self.lose(REPLACED, not datagram.id and not datagram.fragment & DF)
        words = ["hping3", "-c 1", {"UDP": "-2", "TCP": "", "ICMP": "-1"}[datagram.kind], "-a", datagram.source]
        if datagram.kind == "ICMP":
            words += ["-C", str(head[0]), "-K", str(head[1])]
            self.lose("ICMP.ID and ICMP.SEQ, which hping3 chooses", any(head[4:8]))
            if head[0] in self.OWN:
                self.lose(f"what ICMP of type {head[0]} carries, which hping3 makes itself")
                carried = b""
        else:
            words += ["-s", str(datagram.ports[0]), "-k", "-p", str(datagram.ports[1])]
        if datagram.kind == "TCP":
            words += [f"-{letter}" for bit, letter in enumerate("FSRPAUXY") if head[13] >> bit & 1]
            words += ["-M", str(number(head, 4, 4)), "-L", str(number(head, 8, 4)), "-w", str(number(head, 14, 2))]
            self.lose("TCP.URGENT", any(head[18:20]))
        words += ["-t", str(datagram.ttl), "-N", str(datagram.id)]
        words += ["-o", f"{datagram.tos:02x}"] if datagram.tos else []
        words += ["-y"] * bool(datagram.fragment & DF) + ["-x"] * bool(datagram.fragment & MF)
        offset = 8 * (datagram.fragment & 0x1FFF)
        words += ["-g", str(offset)] if offset else []
        self.lose("Ethernet addresses, which follow from the route", bool(datagram.ethernet))
        if carried:
            words += ["-d", str(len(carried)), "-E /dev/stdin"]
        line = " ".join(word for word in [*words, datagram.destination] if word)
        return [f"{printed(carried)} | {line}" if carried else line]
