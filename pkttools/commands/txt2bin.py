"""Writes the bytes of packets, one packet behind the other, and nothing else.

pkt-txt2bin -l 1 < packets.txt > packet.bin
"""

from ..flow import filter_stream
from ..options import FILTER, Values

OPTIONS = FILTER


def run(values: Values) -> tuple[list[str], int]:
    """Copies packets."""
    return filter_stream(values, default="bin")
