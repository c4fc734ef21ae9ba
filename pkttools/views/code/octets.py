"""Targets that take bytes: all of a packet is said, with the names of headers beside them."""

from __future__ import annotations

from .target import ETHERNET, Target, pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parts import Packet

LINE = 16  # bytes


def rows(packet: Packet, margin: str) -> list[str]:
    """Bytes as C has them, with a comment in front of each header."""
    lines = []
    for title, data in pieces(packet):
        lines.append(f"{margin}/* {title.replace('*/', '')} */")
        lines += [margin + ", ".join(f"0x{b:02x}" for b in data[at : at + LINE]) + "," for at in range(0, len(data), LINE)]
    return lines


class Hex(Target):
    """Digits, a line a packet, and nothing else."""

    name, what, comment = "hex", "digits, a line a packet: for curl and forms of web pages", ""

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its line."""
        self.lose("that there is a packet: it has no bytes", not packet.frame)
        return [packet.frame.hex()] if packet.frame else []


class C(Target):
    """Arrays of C."""

    name, what, comment = "c", "arrays of C", "//"

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its array; C has none without elements."""
        self.lose("an array without bytes", not packet.frame)
        if not packet.frame:
            return []
        return [f"static const unsigned char packet{number}[{len(packet.frame)}] = {{", *rows(packet, "    "), "};"]


class Python(Target):
    """Bytes of Python."""

    name, what = "python", "a list of bytes in Python"

    def head(self) -> list[str]:
        """The list."""
        return ["packets = []"]

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its bytes, a line a header."""
        lines = [f'    "{data.hex()}"  # {title}' for title, data in pieces(packet)]
        return ["packets.append(bytes.fromhex(", *lines, "))"] if lines else ['packets.append(b"")']


class Trafgen(Target):
    """The configuration of trafgen (netsniff-ng)."""

    name, what = "trafgen", "a configuration of trafgen (netsniff-ng)"

    def packet(self, packet: Packet, number: int) -> list[str]:
        """Its bytes."""
        self.lose(f"that it is of link type {packet.linktype}: trafgen sends frames of the interface", packet.linktype != ETHERNET)
        self.lose("a packet without bytes", not packet.frame)
        return ["{", *rows(packet, "    "), "}"] if packet.frame else []
