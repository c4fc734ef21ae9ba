"""Reads packets as text and writes a pcap capture.

pkt-recv -i eth0 | pkt-txt2pcap > capture.pcap
"""

import sys

from ..flow import filter_stream, need
from ..options import FILTER, FLAG, Option, Values

OPTIONS = [
    *FILTER,
    Option("-le --little-endian", FLAG, "write the file in little-endian order (default)"),
    Option("-be --big-endian", FLAG, "write the file in big-endian order"),
    Option("-ne --native-endian", FLAG, "write the file in this machine's order"),
]


def run(values: Values) -> tuple[list[str], int]:
    """Copies packets."""
    need(values.little_endian + values.big_endian + values.native_endian <= 1, "only one of -le, -be and -ne")
    big_endian = values.big_endian or (values.native_endian and sys.byteorder == "big")
    return filter_stream(values, default="pcap", big_endian=big_endian)
