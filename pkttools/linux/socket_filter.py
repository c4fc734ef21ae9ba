"""A classic BPF program that the kernel runs for a packet socket, socket(7): what it drops is not even copied."""

from __future__ import annotations

import socket
import struct
from array import array

from ..bpf.classic import for_socket, packed
from .interface import hardware_type, linktype_of

TYPE_CHECKING = False  # typing's own is dear at start-up
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..bpf.classic import Instruction

SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python's socket module does not have it


class SocketFilter:
    """A filter attached to a socket that is not bound yet. Where the kernel does not take it, whoever receives filters alone."""

    def __init__(self, sock: socket.socket, name: str, program: Callable[[int], list[Instruction]]) -> None:
        """program: gives the instructions for a link type. Raises what that raises, PktError."""
        self.name, self.refused = name, ""
        wanted = for_socket(program(linktype_of(name, hardware_type(sock, name))))
        if wanted is None:
            self.refused = "it jumps back, or is too long for it"
        else:
            held = array("B", packed(wanted))
            try:
                sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(wanted), held.buffer_info()[0]))
            except OSError as error:
                self.refused = error.strerror
        self.before = traffic(name)

    def said(self, passed: int) -> str:
        """What there is to say of it in the end. passed: packets that the kernel let through."""
        if self.refused:
            return f"--bpf in user space, the kernel does not run it: {self.refused}"
        seen = traffic(self.name) - self.before
        return (
            f"--bpf in the kernel: {passed} of {seen} packets on the interface came through;"
            " those whose VLAN tag it took off are filtered in user space"
        )


def traffic(name: str) -> int:
    """Packets that an interface has received and sent, as the kernel counts them."""
    with open("/proc/net/dev") as file:  # noqa: PTH123  pathlib is slow to import
        for line in file:
            head, colon, numbers = line.rpartition(":")
            if colon and head.strip() == name:
                words = numbers.split()
                return int(words[1]) + int(words[9])
    return 0
