"""Reads packets as text and writes a pcap capture.

pkt-recv -i eth0 | pkt-txt2pcap > capture.pcap
"""

from ..command_line.options import FILTER, ORDER, Values, choose_order
from ..flow.stage import Stage

OPTIONS = [*FILTER, *ORDER]


def stage(values: Values) -> Stage:
    """Copies packets."""
    choose_order(values)
    return Stage(values, writes="pcap", apart=True)
