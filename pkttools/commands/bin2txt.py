"""Reads bytes, whatever they are, as one packet.

pkt-bin2txt < packet.bin > packet.txt
"""

from ..command_line.options import FILTER, Values
from ..flow.stage import Source, Stage
from ..formats.binary import packets

PLACE = "first"
OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies one packet."""
    return Stage(values, source=lambda: Source(values, packets), writes="text", apart=True)
