"""Which packets came before, within a window: the same ones again, but for what may differ."""

from __future__ import annotations

from .. import codec
from ..batch import Batch
from ..codec import A_DOUBLE, FORGOTTEN, MOST_WITHIN, OUT_OF_ORDER
from ..errors import counted, need
from ..protocols.fields import BY_HEADER, HEADERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ignoring import Ignored
MEMORY = 64 << 20  # bytes of packets that are known
WINDOW = 5  # packets before each


class Doubles:
    """Finds doubles; a stage of a flow. Counts: doubles; packets that may be some of what is not known any more, and why not."""

    TALLIES = ("doubles", "without_memory", "out_of_order")  # see flow/tallies.py

    def __init__(self, ignore: Ignored, window: int | None = WINDOW, within: int | None = None, memory: int = MEMORY, *,
                 interfaces: bool = False, only: bool = False) -> None:  # fmt: skip
        """window: packets before each that it may be a double of, doubles among them; None: any number. within: nanoseconds from
        their times to its own; None: any. memory: bytes of packets that are known. interfaces: those of several are no doubles.
        only: doubles pass, and all others do not. Raises UsageError where that may differ which has no place of its own.
        """
        need_places(ignore)
        bounds = -1 if window is None else window, -1 if within is None or within > MOST_WITHIN else within
        self.table = codec.doubles_table(*bounds, memory, ignore.told(), "PADDING" in ignore.facts, interfaces)
        self.bare = "FCS" in ignore.facts
        self.only, self.passes = only, bytes((found == A_DOUBLE) == only for found in range(256))
        self.doubles = self.without_memory = self.out_of_order = 0

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes what is no double, or only these."""
        for batch in stream:
            rows = Batch(batch.data, bytearray(batch.rows)).without_fcs().rows if self.bare else batch.rows
            found = codec.find_doubles(self.table, batch.data, rows)
            doubles = found.count(A_DOUBLE)
            self.doubles += doubles
            self.without_memory += found.count(FORGOTTEN)
            self.out_of_order += found.count(OUT_OF_ORDER)
            if doubles or self.only:
                batch.keep(codec.pick(batch.rows, found, self.passes))
            yield batch

    def said(self) -> list[str]:
        """What there is to say at the end."""
        said = [counted(self.doubles, "double")] if self.doubles else []
        if self.without_memory:
            said.append(f"{counted(self.without_memory, 'packet')} compared with less than the window, for want of --memory")
        if self.out_of_order:
            said.append(f"{counted(self.out_of_order, 'packet')} not compared with all: times go back by more than the window")
        return said


def need_places(ignore: Ignored) -> None:
    """Raises UsageError unless all that may differ has bits of its own: packets are looked up by what is left."""
    for fact, why in ("CAPTURED", "packets are looked up by all their bytes"), ("ORDER", "doubles have none"):
        need(fact not in ignore.facts, f"--ignore {fact}: {why}")
    placed = {row.name for kind in range(len(HEADERS)) for row in BY_HEADER[kind] if row.width}
    for field in sorted(ignore.fields - placed):
        need(False, f"--ignore {field}: packets are looked up by all but fields of headers that have a fixed place")
