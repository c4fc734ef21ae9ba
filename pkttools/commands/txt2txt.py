"""Reads packets and writes them again: to filter, assign, reformat."""

from ..command_line.options import FILTER, Values
from ..flow.stage import Stage

OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies packets."""
    return Stage(values, writes="text", apart=True)
