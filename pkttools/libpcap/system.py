"""libpcap as the system has it, through ctypes."""

from __future__ import annotations

import ctypes
import functools
import sys

from ..errors import PktError
from . import MISSING, SNAPLEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bpf.classic import Instruction

# By system, the names it goes by; Debian's is 0.8 for ever, others call it 1.
NAMES = {"darwin": ("/usr/lib/libpcap.A.dylib", "libpcap.dylib"), "win32": ("wpcap.dll",)}
LINUX = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so")


class BpfInstruction(ctypes.Structure):
    """struct bpf_insn, <pcap/bpf.h>."""

    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32))


class BpfProgram(ctypes.Structure):
    """struct bpf_program, <pcap/bpf.h>."""

    _fields_ = (("size", ctypes.c_uint), ("instructions", ctypes.POINTER(BpfInstruction)))


@functools.cache
def library() -> ctypes.CDLL:
    """The library, its functions declared. Raises PktError where there is none."""
    for name in NAMES.get(sys.platform, LINUX):
        try:
            found = ctypes.CDLL(name)
        except OSError:
            continue
        found.pcap_open_dead.restype = ctypes.c_void_p
        found.pcap_open_dead.argtypes = (ctypes.c_int, ctypes.c_int)
        found.pcap_close.argtypes = (ctypes.c_void_p,)
        found.pcap_close.restype = None
        found.pcap_compile.argtypes = (
            ctypes.c_void_p, ctypes.POINTER(BpfProgram), ctypes.c_char_p, ctypes.c_int, ctypes.c_uint32,
        )  # fmt: skip
        found.pcap_freecode.argtypes = (ctypes.POINTER(BpfProgram),)
        found.pcap_freecode.restype = None
        found.pcap_geterr.argtypes = (ctypes.c_void_p,)
        found.pcap_geterr.restype = ctypes.c_char_p
        found.bpf_image.argtypes = (ctypes.POINTER(BpfInstruction), ctypes.c_int)
        found.bpf_image.restype = ctypes.c_char_p
        return found
    raise PktError(MISSING)


def compiled(expression: str, datalink: int) -> list[Instruction]:
    """Compiles an expression. Raises ValueError with libpcap's reason, PktError."""
    pcap = library()
    handle = pcap.pcap_open_dead(datalink, SNAPLEN)
    if not handle:
        raise MemoryError
    program = BpfProgram()
    try:
        if pcap.pcap_compile(handle, ctypes.byref(program), expression.encode(errors="surrogateescape"), 1, 0):
            raise ValueError(pcap.pcap_geterr(handle).decode(errors="replace"))
        try:
            return [(i.code, i.jt, i.jf, i.k) for i in program.instructions[: program.size]]
        finally:
            pcap.pcap_freecode(ctypes.byref(program))
    finally:
        pcap.pcap_close(handle)


def image(instructions: list[Instruction]) -> list[str]:
    """A line an instruction. Raises PktError."""
    pcap = library()
    return [pcap.bpf_image(BpfInstruction(*each), i).decode() for i, each in enumerate(instructions)]
