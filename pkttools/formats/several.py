"""Several inputs that are read beside each other: what is known of each before, and its packets, however many there are."""

from __future__ import annotations

import os

from ..batch import TIME, Batch, Packet, gathered
from ..errors import PktError, limit, need
from . import packets
from .files import BUFFER, PLAIN, Input
from .sections import Sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MEMORY = 4 << 20  # bytes that are read of all at once, so that they stay in the processor's cache, as long as each has LEAST
LEAST = 4 << 10
AGAIN = 16 << 20  # bytes of a pipe that are kept until it is known what becomes of them
MANY = 64  # inputs of which all are open; of more a file is open while it is read


class Part(Input):
    """One of several inputs. A file may rest: then it is closed between two reads."""

    rests = False  # a file with a name
    empty = False  # whether it has no packets, as far as it was looked into: up to its end then
    looked: bytearray | None = None  # what was read of a pipe so far, while it may be read again
    place = 0  # in a file that rests: how much of it was read

    def read_into(self, pieces: list[memoryview]) -> int:
        """Reads what there is."""
        done = super().read_into(pieces)
        if self.looked is not None:
            rest = done
            for piece in pieces:
                self.looked += piece[:rest]
                rest -= min(rest, len(piece))
            if len(self.looked) > AGAIN:
                self.looked = None
        return done

    def unpack(self, compression: str, head: bytes) -> None:
        """See Input: what was read before is in what will be."""
        super().unpack(compression, head)
        self.looked = None if self.looked is None else bytearray()

    def read_raw(self, pieces: list[memoryview]) -> int:
        """Reads what there is."""
        if self.fd < 0:
            try:
                self.fd = os.dup(self.held[0]) if 0 in self.held else os.open(self.paths[0] or "", os.O_RDONLY | PLAIN)
                os.lseek(self.fd, self.place, os.SEEK_SET)
            except OSError as error:
                raise PktError(f"{self.name}: {error.strerror}") from None
        done = super().read_raw(pieces)
        if self.rests:
            self.place += done
            self.rest()
        return done

    def rest(self) -> None:
        """Closes it until it is read again."""
        if self.fd > 0:
            os.close(self.fd)
        self.fd = -1

    @property
    def done(self) -> int:
        """How many bytes of a file were read: all, once it is closed."""
        if self.fd < 0:
            return self.place
        ended = self.fd == 0 and self.paths[0] is not None
        return self.found[0].st_size if ended else os.lseek(self.fd, 0, os.SEEK_CUR)

    def hold(self) -> None:
        """Opens it while that is still allowed. Raises PktError."""
        if self.rests:
            try:
                self.held[0] = os.open(self.paths[0] or "", os.O_RDONLY | PLAIN)
            except OSError as error:
                raise PktError(f"{self.name}: {limit(error)}") from None

    def rewind(self) -> None:
        """Starts again, also with what was kept of a pipe. Raises PktError."""
        self.said.clear()
        self.joined.clear()
        if self.looked:
            self.looked += self.piece
            self.piece, self.looked = memoryview(self.looked), None
        elif self.rests:
            self.close()
            self.fd, self.place = -1, 0
        else:
            super().rewind()


class Several:
    """Inputs beside each other, as what reads packets from one input asks them. Of a file that cannot be read to its end the error
    waits until all others are read.

    links: the link types with which they begin, each with the name of its first input. fine: whether one has more than
    microseconds, as far as can be known before.
    """

    onward = None
    at = left = 0
    is_pipe = False  # which one could be read on its own; see flow/relay.py
    name = ""
    paths: Sequence[str] = ()  # none is the one that is open
    kept: Sections | None = None

    def __init__(self, paths: Sequence[str]) -> None:
        """Looks into all of them. Raises UsageError, and PktError for one that cannot be read."""
        paths = paths or ["-"]
        need(paths.count("-") < 2, "standard input is read once")
        self.at_once = max(LEAST, min(BUFFER, MEMORY // len(paths)))
        self.many = len(paths) > MANY
        self.parts: list[Part] = []
        self.links: dict[int, str] = {}
        self.forms: set[str] = set()
        self.fine = False
        self.errors: list[PktError] = []
        self.named: Sequence[bytes] = ()
        self.streams = [self.look(path) for path in paths]
        self.found = [part.found[0] for part in self.parts]

    def look(self, path: str) -> Iterator[Batch]:
        """Looks into an input; its packets."""
        part = Part([path], lane=True)
        part.at_once = self.at_once
        part.rests = self.many and part.is_file and path != "-"
        part.looked = None if part.is_file else bytearray()
        self.parts.append(part)
        stream = packets(part)
        first = next((batch for batch in stream if len(batch)), None)
        if part.link is not None:  # else it is empty
            self.links.setdefault(part.link, part.name)
            self.forms.add(part.form)
        part.empty = first is None
        if part.form != "pcapng":
            part.looked = None
        if first is None:
            return self.rest_of(part, stream, None)
        self.fine = self.fine or part.nano or any(time % 1000 for time in first.column(TIME))
        if not part.rests:
            return self.rest_of(part, stream, first)
        stream.close()  # type: ignore[attr-defined]  # a generator
        part.rewind()
        return self.later(part, first.packet(0))

    def rest_of(self, part: Part, stream: Iterator[Batch], first: Batch | None) -> Iterator[Batch]:
        """The packets of an input of which the first ones may be there."""
        if first:
            yield first
        try:
            yield from stream
        except PktError as error:
            self.errors.append(error)
        part.close()

    def anew(self, part: Part) -> Iterator[Batch]:
        """The packets of a file, which is read when the first one is asked for."""
        yield from packets(part)

    def later(self, part: Part, first: Packet) -> Iterator[Batch]:
        """The packets of a file that is read when the first one is used up: most are of another time than the others."""
        yield gathered([first])
        yield from self.rest_of(part, behind_first(self.anew(part)), None)

    @property
    def sections(self) -> Sections | None:
        """What pcapng says beside packets, where it goes along; as one section, for their packets lie between each other."""
        return self.kept

    @sections.setter
    def sections(self, _asked: Sections) -> None:
        self.kept = Sections(one=True)

    def begin(self, names: Sequence[bytes]) -> list[Iterator[Batch]]:
        """The packets of each. names: what packets without IFACE get there where it goes along with sections; empty: nothing.

        Those of pcapng are read from their front then, if they are no pipes that say much in front of their first packet.
        """
        self.named = names
        for which, (part, name) in enumerate(zip(self.parts, names, strict=True)):
            if self.kept and part.form == "pcapng" and (part.is_file or part.looked):
                self.streams[which].close()  # type: ignore[attr-defined]  # a generator
                part.rewind()
                part.sections = self.kept
                if name:
                    self.kept.names[part.name] = name
                self.streams[which] = self.rest_of(part, self.anew(part), None)
            part.looked = None
        return self.streams

    @property
    def form(self) -> str:
        """The format that all are in; pcapng where they differ, or where pcap has no place for all their packets."""
        [form] = self.forms if len(self.forms) == 1 else ["pcapng" if self.forms else "text"]
        return "pcapng" if form == "pcap" and len(self.links) > 1 else form

    @property
    def link(self) -> int | None:
        """Of the first packets of the first input that has any, as Input's."""
        return next(iter(self.links), None)

    @property
    def unused(self) -> list[tuple[int, bytes | None]]:
        """Of inputs without packets, the link type and the name that these would have got; pcapng describes them itself."""
        named = zip(self.parts, self.named, strict=False)
        return [(part.link, name or None) for part, name in named if part.empty and part.link is not None and part.form != "pcapng"]

    @property
    def said(self) -> list[str]:
        """What there is to say about all of them in the end."""
        return [line for part in self.parts for line in part.said]

    @property
    def handed(self) -> int:
        """Packets that came as batches."""
        return sum(part.handed for part in self.parts)

    @property
    def shared(self) -> int:
        """Those of them that stayed where they were."""
        return sum(part.shared for part in self.parts)

    @property
    def joined(self) -> list[str]:
        """Where captures stand behind others in one input."""
        return [line for part in self.parts for line in part.joined]

    @property
    def flows(self) -> bool:
        """Whether another program writes what is read of one of them."""
        return any(part.flows for part in self.parts)

    @property
    def are_files(self) -> bool:
        """Whether all of them are."""
        return all(part.are_files for part in self.parts)

    @property
    def is_file(self) -> bool:
        """Whether there is something to say of how far it is: of files alone."""
        return self.are_files

    @property
    def percent(self) -> int:
        """How much has been read of all, by the sizes of files."""
        return 100 * sum(part.done for part in self.parts) // max(sum(found.st_size for found in self.found), 1)

    def hold(self) -> None:
        """Opens all while that is still allowed. Raises PktError."""
        for part in self.parts:
            part.hold()

    def names(self) -> list[str]:
        """What each is called among the others: by its file alone, where that tells all apart."""
        alone = [os.path.basename(part.paths[0] or "stdin") for part in self.parts]  # noqa: PTH119  pathlib is slow to import
        return alone if len({*alone}) == len(alone) else [part.paths[0] or "stdin" for part in self.parts]


def behind_first(stream: Iterator[Batch]) -> Iterator[Batch]:
    """The packets of a stream without the first one."""
    for batch in stream:
        if len(batch):
            yield batch.part(1, len(batch))
            break
    yield from stream
