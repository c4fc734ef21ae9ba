"""Packets as JSON Lines, with all their fields; pkt-json2txt reads them again."""

from __future__ import annotations

from .. import codec
from ..formats.files import Output
from .records import RecordSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

    from ..batch import Batch
    from ..command_line.options import Values


class JsonSink(RecordSink):
    """Writes an object a packet."""

    def encode(self, batch: Batch, first: int, number: int | array[int]) -> tuple[bytes | bytearray, int]:
        """Their objects."""
        return codec.json_encode(batch.data, batch.rows, first, number)


def view(values: Values, output: Output) -> JsonSink:
    """The one that the options ask for."""
    return JsonSink(output)
