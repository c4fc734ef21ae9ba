"""What --fail-if asks of the packets that a stage passes on: how many match, and which is the first."""

from __future__ import annotations

from ..batch import ROW_BYTES, Batch, marked
from ..command_line.account import Account
from ..errors import counted
from ..language.filters import Filter


class Failing(Filter):
    """A filter that no packet is to match. count: how many did. first: the number of the first one, from 1; 0: none did."""

    TALLIES = ("first", "count", "met")  # see tallies.py

    def __init__(self, expression: str) -> None:
        """Raises UsageError for what is no expression."""
        super().__init__([expression])
        self.expression = expression
        self.count = self.first = 0

    def look(self, batch: Batch) -> None:
        """Asks the packets that come next."""
        before, matching = self.met, self.select(batch)
        if matching and not self.count:
            self.first = before + 1 + marked(batch.rows, matching).index(1)
        self.count += len(matching) // ROW_BYTES

    def said(self, where: str) -> list[str]:
        """What there is to say in the end: nothing where none matched. where: which stage it is, where there are several."""
        if not self.count:
            return []
        which = f"number {self.first}" if self.count == 1 else f"the first is number {self.first}"
        said = f"{where}--fail-if: {self.count} of {counted(self.met, 'packet')} match '{self.expression}': {which}"
        return [Account(said, fail_if=self.expression, matched=self.count, first=self.first)]
