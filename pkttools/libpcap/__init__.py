"""libpcap: filter expressions compiled, and capture where there is no packet(7).

It comes from the package cypcap, which brings its own, or from the system, through ctypes. `PKTTOOLS_LIBPCAP=cypcap` or
`system` chooses one.

    compile_filter(expression, linktype) -> instructions
    image(instructions) -> lines

Capturing, sending and the list of interfaces (receive.py, send.py, interfaces.py) are by the system's: Apple's knows pktap, and
one binding is enough. All raise PktError where there is no libpcap.
"""

from __future__ import annotations

import os
import sys

from ..errors import PktError, UsageError, installs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ..bpf.classic import Instruction

HOW = "apt-get install libpcap0.8" if sys.platform == "linux" else "install it with your system's packages"
MISSING = f"libpcap is missing: {HOW}, or {installs('cypcap')}"
SNAPLEN = 262144  # bytes that a program returns for a packet that passes: tcpdump's own

# Link types of capture files that libpcap knows by other numbers: those that systems had given before there was a list, here
# and on some systems (<pcap/dlt.h>). Apple has PKTAP among the numbers for private use.
NUMBERS = {100: 11, 101: 12, 102: 15, 103: 16, 106: 19}
OWN = {
    "darwin": {246: 18, 258: 149}, "dragonfly": {246: 18}, "freebsd": {102: 13, 103: 14, 246: 121},
    "netbsd": {102: 13, 103: 14, 246: 18}, "openbsd": {101: 14, 108: 12, 109: 13, 246: 18},
}  # fmt: skip


def backend() -> ModuleType:
    """The module that has libpcap. Raises PktError where there is none."""
    choice = os.environ.get("PKTTOOLS_LIBPCAP", "")
    if choice not in ("", "cypcap", "system"):
        raise PktError(f"PKTTOOLS_LIBPCAP is '{choice}': it is cypcap or system")
    if choice != "system":
        try:
            from . import packaged

            return packaged
        except ImportError:
            if choice:
                raise PktError("PKTTOOLS_LIBPCAP is 'cypcap', but the package cypcap is missing") from None
    from . import system

    return system


HOST_ORDER = (0, 109)  # link types whose packets begin with an address family in the order of the machine that wrote them
BLANKS = str.maketrans("\t\n\v\f\r", "     ")
ONLY_LIVE = "when reading savefiles"  # what libpcap's reason ends with where it would ask the kernel
FILE_HEADER = "IHHIIII"  # of a pcap file: magic, version 2.4, zone, digits, snap length, link type


def compile_filter(expression: str, linktype: int) -> list[Instruction]:
    """Compiles a pcap-filter(7) expression for saved packets of a link type, as tcpdump -r does.

    Raises UsageError with libpcap's reason, PktError.
    """
    expression = expression.translate(BLANKS)
    if not expression.isprintable():
        raise UsageError(f"{expression!r}: a filter expression is of printable characters")
    try:
        little = compiled(expression, linktype, "<")
        return either_order(little, compiled(expression, linktype, ">")) if linktype in HOST_ORDER else little
    except ValueError as error:
        reason, live, _ = str(error).partition(ONLY_LIVE)
        hint = ": packets alone have no answer; pkt-recv has -ro and -so" if live else ""
        raise UsageError(f"'{expression}': {reason.rstrip()}{hint}") from None


def compiled(expression: str, linktype: int, order: str) -> list[Instruction]:
    """Compiles an expression for a capture file of a byte order, `<` or `>`: only of such a one libpcap knows that it is saved.

    Families of IPv6, the byte order, and what is to be had of packets alone depend on it. Raises ValueError with libpcap's
    reason, PktError.
    """
    import struct

    header = struct.pack(order + FILE_HEADER, 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, linktype)
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("capture")
        try:
            os.write(fd, header)
            return backend().compiled(expression, f"/proc/self/fd/{fd}")
        finally:
            os.close(fd)
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/capture"
        with open(name, "wb") as file:  # noqa: PTH123  pathlib is slow to import
            file.write(header)
        return backend().compiled(expression, name)


def either_order(little: list[Instruction], big: list[Instruction]) -> list[Instruction]:
    """A program for packets that begin with a family in either byte order: a number of 16 bits, so one half of it is zero."""
    from ..bpf.classic import ABS, JA, JGE, JGT, JMP, LD, LEN, WORD

    if little == big:  # it does not ask for the family
        return little
    which = [(LD | WORD | LEN, 0, 0, 0), (JMP | JGE, 0, 2, 4), (LD | WORD | ABS, 0, 0, 0), (JMP | JGT, 0, 1, 0xFFFF)]
    return [*which, (JMP | JA, 0, 0, len(big)), *big, *little]


def image(instructions: list[Instruction]) -> list[str]:
    """The lines of `tcpdump -d`: a program for people."""
    return backend().image(instructions)


def numbers(system: str) -> dict[int, int]:
    """The link types that have another number in a system's libpcap, with that. system: as Python names it."""
    return {**NUMBERS, **OWN.get(system.rstrip("0123456789"), {})}


def datalink(linktype: int) -> int:
    """The number that this system's libpcap has for a link type of capture files."""
    return numbers(sys.platform).get(linktype, linktype)


def filetype(datalink: int, system: str = "") -> int:
    """The link type that capture files have for a number of a system's libpcap, this one's if no other is named."""
    return {own: linktype for linktype, own in numbers(system or sys.platform).items()}.get(datalink, datalink)
