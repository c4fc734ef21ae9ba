"""Reads packets and writes them again: to filter, to assign, to bring text into its usual form."""

from ..flow import filter_stream
from ..options import FILTER, Values

OPTIONS = FILTER


def run(values: Values) -> tuple[list[str], int]:
    """Copies packets."""
    return filter_stream(values)
