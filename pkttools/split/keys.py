"""By what packets are told apart that go into different files: a number for each key, from 0 on in the order in which they came."""

from __future__ import annotations

from array import array

from ..batch import Batch
from ..errors import counted
from ..statistics.conversations import Conversations
from .names import Cells, columns_asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Keys(Protocol):
        """What numbers packets."""

        def numbers(self, batch: Batch) -> bytearray | array[int]:
            """A number a packet, 8 bytes each; -1: of those that have no key."""

        def said(self) -> list[str]:
            """What there is to say in the end."""


class Known(dict[bytes, int]):
    """Keys, each with its number: one that is asked for the first time gets the next one."""

    def __missing__(self, key: bytes) -> int:
        self[key] = number = len(self)
        return number


class ByFields:
    """Packets have a key by the text of their fields; what is missing is the same for all."""

    def __init__(self, text: str) -> None:
        """Raises UsageError."""
        self.cells, self.known = Cells(columns_asked(text, "--by")), Known()

    def numbers(self, batch: Batch) -> array[int]:
        """Without a step of Python's a packet, but for those whose key is new."""
        return array("q", map(self.known.__getitem__, self.cells.of(batch)))

    def said(self) -> list[str]:
        """Nothing."""
        return []


class ByFlow:
    """Packets have a key by between whom they go, both ways the same; see statistics/conversations.py."""

    def __init__(self, level: int) -> None:
        """level: between whom flows are."""
        self.flows = Conversations(level)

    def numbers(self, batch: Batch) -> bytearray:
        """Those of conversations."""
        return self.flows.numbers(batch)

    def said(self) -> list[str]:
        """Who had no key."""
        totals = self.flows.totals()
        said = []
        if totals.without_packets:
            said.append(f"{counted(totals.without_packets, 'packet')} of no flow, in a file together: number 0")
        if totals.other_packets:
            known = counted(totals.conversations, "flow")
            said.append(f"{counted(totals.other_packets, 'packet')} of more flows than {known}, in the file of number 0")
        return said
