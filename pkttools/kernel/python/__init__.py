"""The Python twin of the kernel's C functions: the same results, with more system calls or copies."""

from .burst import send_burst
from .ring import ring_give, ring_read, ring_take

__all__ = ["ring_give", "ring_read", "ring_take", "send_burst"]
