"""bpf(2): maps, programs and links, through ctypes, as Python has no such call; <linux/bpf.h>.

What is opened is a file descriptor: it is gone with the process, however that ends, and a link with it.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import re
import struct
import sys
from collections.abc import Callable

from ...errors import PktError

NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361}  # of the system call; little-endian ones

# Commands, types of maps and programs, flags.
MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, PROG_LOAD, PROG_RUN, LINK_CREATE = 0, 1, 2, 5, 10, 28
ARRAY, PERF_EVENT_ARRAY, PERCPU_ARRAY, RINGBUF = 2, 4, 6, 27
PROGRAM_XDP, ATTACH_XDP = 6, 37
XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX = range(4)
XDP_FLAGS = {"generic": 2, "native": 4}
HAS_FRAGS = 1 << 5  # of a program: it takes frames that lie in several pieces
LIVE_FRAMES = 2  # of a run: what the program decides is done

# Helpers of the kernel's.
LOOKUP, TIME, PROCESSOR, PERF_OUTPUT, RING_OUTPUT, LENGTH, LOAD_BYTES = 1, 5, 8, 25, 130, 188, 189

LICENSE = b"GPL\0"  # without, the kernel's clock and buffers are not to be had
LOG = 1 << 20  # bytes of the verifier's log, of which the end is shown
CAP_BPF = 39
CAPABILITIES = {12: "CAP_NET_ADMIN", 38: "CAP_PERFMON", CAP_BPF: "CAP_BPF"}  # by bit
CAP_SYS_ADMIN = 21  # has what the last two have
TRIES = 5  # the verifier gives way to signals with EAGAIN


def attribute(form: str, *values: int | bytes) -> bytes:
    """A member of `union bpf_attr`."""
    return struct.pack("=" + form, *values)


def bpf(command: int, attributes: bytes | ctypes.Array) -> int:
    """The system call; gives its result. A buffer may be written into. Raises OSError."""
    number = NUMBERS.get(os.uname().machine)
    if number is None or sys.platform != "linux" or sys.maxsize < 1 << 32:  # the numbers are those of 64-bit processes
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    result = system_call()(number, command, attributes, len(attributes))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def refused(error: OSError, what: str) -> PktError:
    """What a call that failed means to the user. what: what it was to do, such as "make a BPF map"."""
    if error.errno == errno.ENOSYS:
        return PktError(f"cannot {what}: this system has no bpf(2)")
    if error.errno in (errno.EPERM, errno.EACCES):
        missing = missing_capabilities()
        if missing:
            return PktError(f"not allowed to {what} without {', '.join(missing)}: run it as root")
        if error.errno == errno.EPERM:  # root of a user namespace has them all, and they do not count
            return PktError(f"not allowed to {what}: run it as the system's root; 'unshare -Urn' is not enough for BPF")
    return PktError(f"cannot {what}: {error.strerror}")


def missing_capabilities() -> list[str]:
    """The capabilities(7) that BPF for networks needs and we do not have."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123  pathlib is slow to import
            (line,) = [line for line in status if line.startswith("CapEff:")]
    except (OSError, ValueError):
        return []
    bits = int(line.split()[1], 16)
    have = bits | (1 << 38 | 1 << 39 if bits >> CAP_SYS_ADMIN & 1 else 0)
    return [name for bit, name in CAPABILITIES.items() if not have >> bit & 1]


def to_go_on() -> list[int]:
    """The capabilities that it takes to use what is open: none, since Linux 5.19."""
    return [CAP_BPF] if tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2]) < (5, 19) else []


@functools.cache
def system_call() -> Callable[[int, int, bytes | ctypes.Array, int], int]:
    """syscall(2), as bpf(2) wants it."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes, call.restype = (ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_ulong), ctypes.c_long
    return call


class Descriptor:
    """Something of the kernel's that is there as long as it is open."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        """Its number."""
        return self.fd

    def close(self) -> None:
        """Gives it back; again does nothing."""
        fd, self.fd = self.fd, -1  # first: a signal or a thread may do the same in between
        if fd >= 0:
            os.close(fd)


class Map(Descriptor):
    """A map: `entries` values of `size` bytes each; a ring buffer is of `entries` bytes and has no values."""

    def __init__(self, kind: int, size: int, entries: int) -> None:
        """Raises PktError."""
        key = 0 if kind == RINGBUF else 4
        try:
            super().__init__(bpf(MAP_CREATE, attribute("IIIII", kind, key, size, entries, 0)))
        except OSError as error:
            raise refused(error, "make a BPF map") from None
        self.size = size * (possible_processors() if kind == PERCPU_ARRAY else 1)

    def __getitem__(self, index: int) -> bytes:
        """A value; of a map with one for each processor all of them, one behind the other. Raises OSError."""
        key, value = ctypes.c_uint32(index), ctypes.create_string_buffer(self.size)
        bpf(MAP_LOOKUP, attribute("IIQQQ", self.fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
        return value.raw

    def __setitem__(self, index: int, content: bytes) -> None:
        """Sets a value. Raises OSError."""
        key, value = ctypes.c_uint32(index), ctypes.create_string_buffer(content, len(content))
        bpf(MAP_UPDATE, attribute("IIQQQ", self.fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))


class XdpProgram(Descriptor):
    """An XDP program in the kernel."""

    def __init__(self, code: bytes, name: str) -> None:
        """code: the instructions. name: for `bpftool prog`. Raises PktError, with the verifier's last words if it refuses."""
        instructions, licence = ctypes.create_string_buffer(code, len(code)), ctypes.create_string_buffer(LICENSE)
        log: ctypes.Array | None = None
        for _ in range(TRIES):
            attributes = attribute(
                "IIQQIIQII16sII", PROGRAM_XDP, len(code) // 8, ctypes.addressof(instructions), ctypes.addressof(licence),
                1 if log else 0, LOG if log else 0, ctypes.addressof(log) if log else 0, 0, HAS_FRAGS, name.encode()[:15], 0,
                ATTACH_XDP,
            )  # fmt: skip
            try:
                super().__init__(bpf(PROG_LOAD, attributes))
                return
            except OSError as error:
                failed = error
                if error.errno == errno.EAGAIN:
                    continue
                if error.errno == errno.E2BIG:
                    raise PktError("the filter is too complex for the kernel's verifier") from None
                if error.errno not in (errno.EACCES, errno.EINVAL) or log or missing_capabilities():
                    break
                log = ctypes.create_string_buffer(LOG)  # once more, to hear why: the log takes time
        said = [line for line in (log.value if log else b"").decode(errors="replace").splitlines() if line]
        words = [line for line in said if not line.startswith(("processed ", "verification time", "stack depth"))]
        if any("unknown func" in line for line in words) or (failed.errno == errno.EINVAL and not words):
            raise PktError("the kernel does not take the XDP program: Linux 5.18 is needed")
        if words:
            raise PktError(f"the kernel refuses the XDP program: {words[-1][:200]}")
        raise refused(failed, "load an XDP program")

    def run(self, frame: bytes, repeat: int = 1) -> int:
        """Runs it over a frame, on no interface; gives its verdict. Raises OSError."""
        data = ctypes.create_string_buffer(frame, len(frame))
        attributes = attribute("IIIIQQI", self.fd, 0, len(frame), 0, ctypes.addressof(data), 0, repeat).ljust(80, b"\0")
        given = ctypes.create_string_buffer(attributes, len(attributes))
        bpf(PROG_RUN, given)
        return struct.unpack_from("=I", given, 4)[0]

    def run_live(self, frame: bytes, repeat: int, ifindex: int, batch: int) -> None:
        """Runs it over copies of a frame that came in at an interface, and does with each what it decides.

        repeat: how many. batch: how many at a time, at most 256. Raises OSError.
        """
        data = ctypes.create_string_buffer(frame, len(frame))
        context = ctypes.create_string_buffer(struct.pack("=6I", 0, len(frame), 0, ifindex, 0, 0), 24)
        bpf(PROG_RUN, attribute(
            "IIIIQQIIIIQQIII4x", self.fd, 0, len(frame), 0, ctypes.addressof(data), 0, repeat, 0, len(context), 0,
            ctypes.addressof(context), 0, LIVE_FRAMES, 0, batch,
        ))  # fmt: skip


class XdpLink(Descriptor):
    """A program at an interface, as long as this is open: it goes with the process."""

    def __init__(self, program: XdpProgram, interface: str, ifindex: int, mode: str) -> None:
        """mode: "native" or "generic". Raises PktError."""
        try:
            super().__init__(bpf(LINK_CREATE, attribute("IIII", program.fd, ifindex, ATTACH_XDP, XDP_FLAGS[mode]).ljust(48, b"\0")))
        except OSError as error:
            reasons = {
                errno.EBUSY: "another XDP program is attached already",
                errno.EEXIST: "another XDP program is attached already, in another mode",
                errno.EOPNOTSUPP: f"its driver has no {mode} XDP: --mode generic does without the driver",
                errno.ERANGE: "its MTU is too large for native XDP: --mode generic has no such limit",
            }
            raise Unattached(error, interface, reasons) from None


class Unattached(PktError):
    """A program could not be attached; `number` is the errno."""

    def __init__(self, error: OSError, interface: str, reasons: dict[int, str]) -> None:
        self.number = error.errno or 0
        reason = reasons.get(self.number)
        super().__init__(f"{interface}: {reason}" if reason else str(refused(error, f"attach to {interface}")))


def possible_processors() -> int:
    """How many processors the kernel has room for: so many values has a map with one for each."""
    with open("/sys/devices/system/cpu/possible") as file:  # noqa: PTH123
        return int(file.read().strip().replace(",", "-").rsplit("-", 1)[-1]) + 1
