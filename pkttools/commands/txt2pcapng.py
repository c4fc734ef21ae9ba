"""Reads packets as text and writes a pcapng capture.

pkt-recv -v -i eth0 | pkt-txt2pcapng > capture.pcapng
"""

from ..command_line.options import FILTER, ORDER, Values, big_endian
from ..flow import Stage

OPTIONS = [*FILTER, *ORDER]


def stage(values: Values) -> Stage:
    """Copies packets."""
    return Stage(values, writes="pcapng", big_endian=big_endian(values))
