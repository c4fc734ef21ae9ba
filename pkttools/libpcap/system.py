"""libpcap as the system has it, through ctypes."""

from __future__ import annotations

import ctypes
import functools
import os
import sys

from ..errors import PktError
from . import HOW, MISSING

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


# Return type and arguments of the functions that are used, <pcap/pcap.h>. Handles, lists and streams are plain addresses.
MESSAGE = 256  # bytes: PCAP_ERRBUF_SIZE
HANDLE, TEXT, NUMBER, ADDRESS = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p
FUNCTIONS = {
    "bpf_image": (TEXT, ctypes.POINTER(BpfInstruction), NUMBER),
    "pcap_activate": (NUMBER, HANDLE),
    "pcap_close": (None, HANDLE),
    "pcap_compile": (NUMBER, HANDLE, ctypes.POINTER(BpfProgram), TEXT, NUMBER, ctypes.c_uint32),
    "pcap_create": (HANDLE, TEXT, TEXT),
    "pcap_datalink": (NUMBER, HANDLE),
    "pcap_dispatch": (NUMBER, HANDLE, NUMBER, ADDRESS, ADDRESS),
    "pcap_dump_close": (None, ADDRESS),
    "pcap_dump_flush": (NUMBER, ADDRESS),
    "pcap_dump_fopen": (ADDRESS, HANDLE, ADDRESS),
    "pcap_dump_open": (ADDRESS, HANDLE, TEXT),
    "pcap_fileno": (NUMBER, HANDLE),
    "pcap_findalldevs": (NUMBER, ADDRESS, TEXT),
    "pcap_freealldevs": (None, ADDRESS),
    "pcap_freecode": (None, ctypes.POINTER(BpfProgram)),
    "pcap_get_selectable_fd": (NUMBER, HANDLE),
    "pcap_geterr": (TEXT, HANDLE),
    "pcap_open_offline": (HANDLE, TEXT, TEXT),
    "pcap_sendpacket": (NUMBER, HANDLE, ADDRESS, NUMBER),
    "pcap_set_buffer_size": (NUMBER, HANDLE, NUMBER),
    "pcap_set_immediate_mode": (NUMBER, HANDLE, NUMBER),
    "pcap_set_promisc": (NUMBER, HANDLE, NUMBER),
    "pcap_set_snaplen": (NUMBER, HANDLE, NUMBER),
    "pcap_set_timeout": (NUMBER, HANDLE, NUMBER),
    "pcap_set_tstamp_precision": (NUMBER, HANDLE, NUMBER),
    "pcap_set_want_pktap": (NUMBER, HANDLE, NUMBER),
    "pcap_setdirection": (NUMBER, HANDLE, NUMBER),
    "pcap_setfilter": (NUMBER, HANDLE, ctypes.POINTER(BpfProgram)),
    "pcap_setnonblock": (NUMBER, HANDLE, NUMBER, TEXT),
    "pcap_stats": (NUMBER, HANDLE, ADDRESS),
    "pcap_statustostr": (TEXT, NUMBER),
}  # fmt: skip


@functools.cache
def loaded() -> ctypes.CDLL | None:
    """The library, its functions declared; an old one lacks some. None where there is none."""
    for name in NAMES.get(sys.platform, LINUX):
        try:
            found = ctypes.CDLL(name, use_errno=True)
        except OSError:
            continue
        for function, (result, *arguments) in FUNCTIONS.items():
            if hasattr(found, function):
                declared = getattr(found, function)
                declared.restype, declared.argtypes = result, arguments
        return found
    return None


def library() -> ctypes.CDLL:
    """The library, to compile filters. Raises PktError where there is none."""
    found = loaded()
    if not found:
        raise PktError(MISSING)
    return found


def capturing() -> ctypes.CDLL:
    """The library, for what is done by the system's alone. Raises PktError where there is none."""
    found = loaded()
    if not found:
        how = {"win32": "install Npcap, compatible with WinPcap"}.get(sys.platform, HOW)
        raise PktError(f"the system's libpcap is missing: {how}")
    return found


def compiled(expression: str, capture: str) -> list[Instruction]:
    """Compiles an expression for the packets of a capture file. Raises ValueError with libpcap's reason, PktError."""
    pcap, reason = library(), ctypes.create_string_buffer(MESSAGE)
    handle = pcap.pcap_open_offline(os.fsencode(capture), reason)
    if not handle:
        raise PktError(f"libpcap: {reason.value.decode(errors='replace')}")
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
