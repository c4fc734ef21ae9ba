"""Reads packets and writes them again: to filter, to assign, to bring text into its usual form."""

from ..flow import Stage
from ..options import FILTER, Values

OPTIONS = FILTER


def stage(values: Values) -> Stage:
    """Copies packets."""
    return Stage(values, writes="text")
