"""What is asked of whoever receives from an interface, in whatever way that is done."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..bpf.classic import Instruction


class CaptureOptions:
    """How to receive.

    promiscuous: also packets to other hosts. direction: None, "in" or "out". buffer: bytes that the kernel may keep for us, 0 for
    the usual. nano: times with all digits, else microseconds. seconds: how long; None: until a signal. notes: whether each packet
    says where it was captured, and which way it went. prompt: whether somebody waits for each packet. finish: whether transport
    checksums that the kernel left to the card are computed, as the wire would carry them. program: gives a classic BPF program
    for a link type, which the kernel is asked to run; who receives has to run it again. card: whether times are those of the card.
    """

    __slots__ = ("promiscuous", "direction", "buffer", "nano", "seconds", "notes", "prompt", "finish", "program", "card")

    def __init__(self) -> None:
        self.promiscuous = self.notes = self.nano = self.prompt = self.finish = self.card = False
        self.direction: str | None = None
        self.buffer = 0
        self.seconds: float | None = None
        self.program: Callable[[int], list[Instruction]] | None = None
