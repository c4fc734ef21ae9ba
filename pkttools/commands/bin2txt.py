"""Reads bytes, whatever they are, as one packet.

pkt-bin2txt < packet.bin > packet.txt
"""

from ..flow import filter_stream
from ..formats.binary import packets
from ..options import FILTER, Values

OPTIONS = FILTER


def run(values: Values) -> tuple[list[str], int]:
    """Copies one packet."""
    return filter_stream(values, read=packets)
