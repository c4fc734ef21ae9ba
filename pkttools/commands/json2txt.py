"""Reads packets in JSON, as pkt-analyze --json writes them.

pkt-analyze --json < packets.txt | jq -c '.IP.TTL = 9' | pkt-json2txt
"""

from ..command_line.options import FILTER, Values
from ..flow.stage import Source, Stage
from ..formats.json import packets

PLACE = "first"
OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies packets."""
    return Stage(values, source=lambda: Source(values, packets), writes="text", apart=True)
