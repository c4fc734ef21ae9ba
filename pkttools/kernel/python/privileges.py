"""What a process may do: prctl(2), capget(2) and capset(2), through ctypes."""

from __future__ import annotations

import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes

PR_GET_PDEATHSIG = 2
VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3, linux/capability.h: sets of 64 bits
LOW = (1 << 32) - 1


def libc() -> ctypes.CDLL:
    """The C library."""
    import ctypes  # late: dear, and there are systems without these calls

    return ctypes.CDLL(None, use_errno=True)


def called(result: int) -> int:
    """What a call gave. Raises OSError where it failed."""
    import ctypes

    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prctl(option: int, second: int = 0, third: int = 0) -> int:
    """prctl(2) with numbers. Raises OSError."""
    import ctypes

    return called(libc().prctl(option, ctypes.c_ulong(second), ctypes.c_ulong(third), ctypes.c_ulong(0), ctypes.c_ulong(0)))


def death_signal() -> int:
    """The signal that comes when the parent ends; 0: none, or the system does not say."""
    import ctypes

    number = ctypes.c_int()
    return number.value if libc().prctl(PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0) >= 0 else 0


def capabilities() -> tuple[int, int, int]:
    """Those of this thread, a bit each: effective, permitted, inheritable. Raises OSError."""
    import ctypes

    sets = ctypes.create_string_buffer(24)
    called(libc().capget(struct.pack("=Ii", VERSION, 0), sets))
    low, high = struct.iter_unpack("=3I", sets)
    effective, permitted, inheritable = (above << 32 | below for below, above in zip(low, high, strict=True))
    return effective, permitted, inheritable


def keep_capabilities(kept: int) -> None:
    """Leaves this thread these, effective and permitted, a bit each, and no others. Raises OSError."""
    low, high = kept & LOW, kept >> 32
    called(libc().capset(struct.pack("=Ii", VERSION, 0), struct.pack("=6I", low, low, 0, high, high, 0)))
