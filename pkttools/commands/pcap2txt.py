"""Reads a pcap capture and writes its packets as text.

pkt-pcap2txt < capture.pcap > packets.txt
"""

from ..command_line.options import FILTER, Values
from ..flow.stage import Stage

OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies packets; what comes in is recognised, as everywhere."""
    return Stage(values, writes="text", apart=True)
