"""libpcap as the package cypcap brings it. Raises ImportError when imported without it."""

from __future__ import annotations

import cypcap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..bpf.classic import Instruction


def compiled(expression: str, capture: str) -> list[Instruction]:
    """Compiles an expression for the packets of a capture file. Raises ValueError with libpcap's reason."""
    try:
        with cypcap.open_offline(capture) as pcap:
            return list(pcap.compile(expression, True, 0))
    except cypcap.Error as error:
        raise ValueError(error.args[-1]) from None


def image(instructions: list[Instruction]) -> list[str]:
    """A line an instruction."""
    return cypcap.BpfProgram(instructions).dumps(cypcap.BpfDumpType.DISASSEMBLY).splitlines()
