"""A classic BPF program that the kernel runs for a packet socket, socket(7): what it drops is not even copied."""

from __future__ import annotations

import _socket as socket  # as in interface.py
import struct
from array import array

from ...bpf.classic import for_socket, packed, reads_checksum
from .interface import RECEIVED, SENT, counters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...bpf.classic import Instruction

LINK_HEADER = 14  # bytes, of Ethernet
SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python's socket module does not have it


class SocketFilter:
    """A filter attached to a socket that is not bound yet. Where the kernel does not take it, whoever receives filters alone."""

    def __init__(
        self, sock: socket.socket, name: str, instructions: list[Instruction], linktype: int, *, cooked: bool, finish: bool
    ) -> None:
        """linktype: what the instructions are for. cooked: whether the socket takes link headers off. finish: whether checksums are
        finished before who receives filters.
        """
        self.name, self.refused = name, ""
        wanted = for_socket(instructions)
        if wanted is None:
            self.refused = "it jumps back, or is too long for it"
        elif cooked:
            self.refused = "it has taken the link header off"
        elif finish and reads_checksum(instructions, LINK_HEADER if linktype == 1 else 0):
            self.refused = "partial checksums are completed first, but with --raw-checksums"
        else:
            held = array("B", packed(wanted))
            try:
                sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(wanted), held.buffer_info()[0]))
            except OSError as error:
                self.refused = error.strerror or ""
        self.before = self.traffic()

    def said(self, passed: int) -> str:
        """What there is to say of it in the end. passed: packets that the kernel let through."""
        if self.refused:
            return f"--bpf in user space, the kernel does not run it: {self.refused}"
        now = self.traffic()
        seen = "" if now is None or self.before is None else f" of {now - self.before}, as the interface counts,"
        return (
            f"--bpf in the kernel: {passed} packets{seen} came through; those whose VLAN tag it took off are filtered in user space"
        )

    def traffic(self) -> int | None:
        """Packets that the interface has received and sent; None when it is gone."""
        numbers = counters(self.name)
        return None if numbers is None else numbers[RECEIVED] + numbers[SENT]
