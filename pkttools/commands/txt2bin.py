"""Writes the bytes of packets, one behind the other, nothing else.

pkt-txt2bin -l 1 < packets.txt > packet.bin
"""

from ..command_line.options import FILTER, Values
from ..flow.stage import Stage

PLACE = "last"
OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies packets."""
    return Stage(values, writes="bin", apart=True)
