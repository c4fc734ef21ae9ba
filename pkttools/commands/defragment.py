"""Reassembles fragmented IP datagrams.

pkt-defragment < packets.txt | pkt-correct

A datagram passes when its last fragment has come; what stays incomplete passes as it came, and is counted.
"""

from ..command_line.options import FILTER, OCTETS, TEXT, Option, Values
from ..errors import counted, passed_by_reason
from ..flow.stage import Stage, without_fcs
from ..work.fragments import OUTERMOST, layer_of
from ..work.reassembly import MEMORY, Reassembler

OPTIONS = [
    Option("--memory", OCTETS, "bytes of fragments that may wait (default 4 MiB)", "BYTES", default=MEMORY, least=1),
    Option("--layer", TEXT, "of this IP header: IP[2], IPV6[-1]", "IP"),
    *FILTER,
]


def stage(values: Values) -> Stage:
    """Reassembles, and says what it could not."""
    layer = layer_of(values.layer) if values.layer is not None else OUTERMOST
    reassembler = Reassembler(values.memory, layer)

    def account() -> list[str]:
        said = passed_by_reason(reassembler.passed, "fragment")
        if reassembler.repeated:
            said.append(f"{counted(reassembler.repeated, 'fragment')} came twice")
        if values.verbose:
            said.append(f"{counted(reassembler.reassembled, 'datagram')} reassembled")
        return said

    return Stage(values, [without_fcs, reassembler], account=account, beyond=reassembler.beyond, slip=True,
                 tallies=[reassembler])  # fmt: skip
