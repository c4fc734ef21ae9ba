"""Several inputs as the source of a flow: merged by the times of their packets, or one after the other."""

from __future__ import annotations

from ..batch import Batch
from ..blocks import note
from ..command_line.options import FORMATS, USUAL, Values
from ..command_line.signals import install
from ..errors import PktError, counted
from ..formats.merged import merged
from ..formats.several import Several
from .stage import Source, Written, said_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..formats.files import Output, Sink


class Merging(Source):
    """Packets of several inputs."""

    file: Several  # type: ignore[assignment]  # it is asked like an input
    hands_on = False

    def __init__(self, values: Values) -> None:
        """Raises UsageError, PktError."""
        self.values = values
        self.file = Several(values.input)
        self.backwards: dict[int, tuple[int, int]] = {}  # of inputs by their place: the first such packet, and how many there are
        install(drain=self.file.flows)

    @property
    def form(self) -> str:
        """The format that was read."""
        return self.file.form

    @property
    def noting(self) -> bool:
        """Whether packets that say no interface say from which file they are: of several, and where there is a place."""
        form = self.values.format or (self.form if self.values.awaited is not None else USUAL)
        return len(self.file.parts) > 1 and not self.values.no_iface and (form == USUAL or FORMATS[form].notes)

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """One round."""
        yield self.batches(output)

    def batches(self, output: Output | None) -> Iterator[Batch]:
        """The packets. Raises PktError in the end where an input could not be read to its own."""
        names = [name.encode(errors="surrogateescape") if self.noting else b"" for name in self.file.names()]
        streams = self.file.begin(names)
        lines = [note(b"IFACE:", name) if name else b"" for name in names]
        sort = self.values.unsorted == "sort"
        if sort or self.values.append:
            stream = appended(streams, lines)
        else:
            stream = merged(streams, lines, prompt=self.file.flows, backwards=self.note_backwards)
        stream = self.watched(stream, output)
        if sort:
            from ..work.sorting import Sorted  # late: seldom

            stream = Sorted()(stream)
        yield from stream
        if self.file.errors:
            raise self.file.errors[0]

    def note_backwards(self, which: int, first: int, count: int) -> None:
        """Learns that an input is not in order."""
        known = self.backwards.get(which)
        self.backwards[which] = (known[0], known[1] + count) if known else (first, count)

    def unsorted(self) -> list[str]:
        """What there is to say of inputs that are not in order."""
        return [
            f"{self.file.parts[which].name}: not in order: {counted(count, 'packet')} earlier than the last, first packet {first}"
            for which, (first, count) in sorted(self.backwards.items())
        ]

    def close(self) -> list[str]:
        """What there is to say in the end."""
        return [*map(str, self.file.errors[1:]), *said_of(self.file, self.values.verbose)]


def appended(streams: list[Iterator[Batch]], lines: list[bytes]) -> Iterator[Batch]:
    """The packets of streams, one after the other; lines: as those of `merged`."""
    for stream, line in zip(streams, lines, strict=True):
        yield from merged([stream], [line]) if line else stream


class Merged(Written):
    """What makes the sink of merged packets, once it is known that it can hold them."""

    def __call__(self, source: Source) -> Sink:
        """The sink. Raises UsageError, PktError."""
        links = source.file.links if isinstance(source, Merging) else {}
        if self.form == "pcap" and len(links) > 1 and self.values.link_type is None:
            from ..formats.pcap import named

            (link, name), (other, another) = [*links.items()][:2]
            raise PktError(f"{name} is of link type {named(link)}, {another} of {named(other)}: pcap has one a file, pcapng any")
        return super().__call__(source)
