"""The Python twin of the kernel's C functions: the same results, with more system calls or copies."""

from .burst import send_burst
from .pace import deadlines, send_paced
from .privileges import capabilities, death_signal, keep_capabilities, prctl
from .ring import ring_give, ring_read, ring_take
from .samples import perf_read, ringbuf_read
from .slots import slots_fill, slots_give, slots_read
from .turns import take_turns

__all__ = [
    "capabilities",
    "deadlines",
    "death_signal",
    "keep_capabilities",
    "perf_read",
    "prctl",
    "ring_give",
    "ring_read",
    "ring_take",
    "ringbuf_read",
    "send_burst",
    "send_paced",
    "slots_fill",
    "slots_give",
    "slots_read",
    "take_turns",
]  # fmt: skip
