"""Captures that are read in pieces: of records that lie one behind the other."""

from __future__ import annotations

from .. import codec
from ..batch import Batch
from .stretch import Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Records(Stretch):
    """Records of a file. See pcap.records_of."""

    def __init__(self, *how: Any) -> None:  # noqa: ANN401  what pcap.records_of gives
        super().__init__()
        self.how, self.rows = how, bytearray()

    def cut(self, buffer: bytearray, used: int) -> int:
        """How many bytes are whole records."""
        consumed, self.rows, _ = codec.pcap_decode(buffer, 0, used, False, *self.how)
        return consumed

    def batches(self, buffer: bytearray, stop: int) -> Iterator[Batch]:
        """Their packets."""
        yield Batch(buffer, self.rows)
