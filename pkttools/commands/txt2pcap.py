"""Reads packets as text and writes a pcap capture.

pkt-recv -i eth0 | pkt-txt2pcap > capture.pcap
"""

from ..command_line.options import FILTER, ORDER, Values, big_endian
from ..flow import Stage

OPTIONS = [*FILTER, *ORDER]


def stage(values: Values) -> Stage:
    """Copies packets."""
    return Stage(values, writes="pcap", big_endian=big_endian(values))
