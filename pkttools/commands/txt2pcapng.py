"""Reads packets as text and writes a pcapng capture.

pkt-recv -v -i eth0 | pkt-txt2pcapng > capture.pcapng
"""

from ..command_line.options import FILTER, ORDER, Values, choose_order
from ..flow.stage import Stage

OPTIONS = [*FILTER, *ORDER]


def stage(values: Values) -> Stage:
    """Copies packets."""
    choose_order(values)
    return Stage(values, writes="pcapng", apart=True)
