"""Reads packets as text and writes a pcapng capture.

pkt-recv -v -i eth0 | pkt-txt2pcapng > capture.pcapng
"""

from ..flow import filter_stream
from ..options import FILTER, ORDER, Values, big_endian

OPTIONS = [*FILTER, *ORDER]


def run(values: Values) -> tuple[list[str], int]:
    """Copies packets."""
    return filter_stream(values, default="pcapng", big_endian=big_endian(values))
