"""Reads packets as text and writes a pcap capture.

pkt-recv -i eth0 | pkt-txt2pcap > capture.pcap
"""

from ..flow import filter_stream
from ..options import FILTER, ORDER, Values, big_endian

OPTIONS = [*FILTER, *ORDER]


def run(values: Values) -> tuple[list[str], int]:
    """Copies packets."""
    return filter_stream(values, default="pcap", big_endian=big_endian(values))
