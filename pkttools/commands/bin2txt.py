"""Reads bytes, whatever they are, as one packet.

pkt-bin2txt < packet.bin > packet.txt
"""

from ..flow import Source, Stage
from ..formats.binary import packets
from ..options import FILTER, Values

PLACE = "first"
OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies one packet."""
    return Stage(values, source=lambda: Source(values, packets), writes="text")
