"""Reads a pcapng capture and writes its packets as text.

pkt-pcapng2txt < capture.pcapng > packets.txt
"""

from ..flow import filter_stream
from ..options import FILTER, Values

OPTIONS = FILTER


def run(values: Values) -> tuple[list[str], int]:
    """Copies packets; what comes in is recognised, as everywhere."""
    return filter_stream(values)
