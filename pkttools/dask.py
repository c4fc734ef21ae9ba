"""Captures on many cores and machines, by Dask: captures("s3://bucket/*.pcap.zst").filter("UDP").to_pcapng("out/*.pcapng")

Nothing is scheduled here: each part of a capture is a task of Dask's, which runs wherever a client of dask.distributed has
workers, else in threads of this process. What is read and written is opened by fsspec there, where the task runs. See pkttools(3).
"""

from __future__ import annotations

import io
import json
import os
from typing import NamedTuple

from .errors import PktError, counted, installs, need

try:
    import dask.utils
    import fsspec
    from dask.base import compute
    from dask.delayed import delayed
except ImportError as error:
    raise ImportError(f"pkttools.dask takes Dask and fsspec ({error}): {installs('dask distributed fsspec')}") from None

from .commands.pipe import stage_of
from .formats.borders import Part, parts
from .library import Packets
from .library.given import Given, Taken
from .library.said import tell
from .library.stages import filled, texts, through, words_of
from .library.stream import opened
from .library.writing import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any

    from .batch import Batch
    from .flow.stage import Stage
    from .formats.files import Sink

    File = Any  # as fsspec opens it
    Storage = dict[str, Any] | None  # options of fsspec's
    Lines = tuple[tuple[str, ...], ...]  # command lines

SIZE = 64 << 20  # bytes of a part of a large capture
WHOLE = Part(b"", 0, None)


class Captures:
    """Packets of captures, in parts, and what is done to them; nothing is read before one of the last three is asked for.

    parts: the file of each, and which part of it. lines: the command lines of what is done.
    """

    def __init__(self, parts: list[tuple[File, Part]], lines: Lines = ()) -> None:
        """Raises UsageError where a command line is wrong."""
        self.parts, self.lines = parts, lines
        for line in lines:  # what is wrong is said at once
            need_apart(stage_of([*line], False, False), len(parts))

    def __repr__(self) -> str:
        done = " | ".join(" ".join(line) for line in self.lines)
        return f"<Captures in {counted(len(self.parts), 'part')}: {done or 'as they are'}>"

    def filter(self, *expressions: str, **options: object) -> Captures:
        """Those that match an expression, see pkttools.filter."""
        return self._then("filter", *words_of(options), *texts(expressions))

    def change(self, *words: str, **options: object) -> Captures:
        """The same with changed fields, see pkttools.change."""
        return self._then("change", *words_of(options), *texts(words))

    def correct(self, **options: object) -> Captures:
        """The same with right checksums, see pkttools.correct."""
        return self._then("correct", *words_of(options))

    def to_pcapng(self, to: str, *, storage_options: Storage = None) -> list[str]:
        """Writes them as pcapng, and gives the names of what was written, in order.

        to: where, as fsspec names it; with a `*` a file for each part, which becomes its number, from 1 on, else one file, whose
        parts lie beside it until all are done. Packets are those, and in the order, that one process would write. What pcapng says
        beside them is not kept: decryption secrets, names of hosts, statistics, comments of sections and interfaces; a PktWarning
        counts it, as it tells all there was to say. Raises PktError behind all parts where some could not be read or written.
        """
        several = "*" in to
        names = self._numbered(to if several else f"{to}.part-*")
        try:
            self._run(_written, names, storage_options)
            if not several:
                _told(compute(delayed(_joined)(names, to, storage_options)))
        finally:
            for name in () if several else names:
                remove(name, storage_options)
        return names if several else [to]

    def to_parquet(self, to: str, *fields: str, storage_options: Storage = None) -> list[str]:
        """Writes fields of them as Parquet, a file for each part, and gives the names; columns as of pkt-analyze --fields.

        to: with a `*`, or a folder. NUMBER counts the packets of each part. Raises PktError, UsageError.
        """
        names = self._numbered(to if "*" in to else f"{to.rstrip('/')}/part-*.parquet")
        self._run(_shown, names, storage_options, _asked(fields, "parquet"))
        return names

    def fields(self, *fields: str) -> Any:  # noqa: ANN401  Dask has no types
        """Fields of them as a dask.bag of a dict for each packet, as a line of pkt-analyze --fields -F jsonl; parts in their order.

        A part that cannot be read raises PktError when the bag is computed. Raises UsageError.
        """
        from dask import bag  # late: it imports more than all else

        asked = _asked(fields, "jsonl")
        return bag.from_delayed([delayed(_rows)(piece, asked) for piece in self._pieces()])

    def _then(self, *line: str) -> Captures:
        """The same, and one thing more is done."""
        return Captures(self.parts, (*self.lines, line))

    def _numbered(self, to: str) -> list[str]:
        """A name for each part."""
        need(to.count("*") == 1, f"{to}: one * becomes the number of each part")
        digits = len(str(len(self.parts)))
        return [to.replace("*", f"{number:0{digits}}") for number in range(1, len(self.parts) + 1)]

    def _pieces(self) -> list[Piece]:
        """What there is to work on, each by itself."""
        return [Piece(file, part, self.lines) for file, part in self.parts]

    def _run(self, task: Callable[..., Ended], names: list[str], storage_options: Storage, *more: object) -> None:
        """Lets a task work on each part."""
        run = delayed(task)
        tasks = [run(piece, name, storage_options, *more) for piece, name in zip(self._pieces(), names, strict=True)]
        _told(compute(*tasks))


def need_apart(stage: Stage, count: int) -> None:
    """Raises UsageError where a stage cannot work on so many parts of a stream, each by itself."""
    need(count < 2 or not stage.alone, f"{stage.name}: {stage.alone}, and captures are worked on in parts")


def captures(paths: str | list[str], *, size: int | str | None = SIZE, storage_options: Storage = None) -> Captures:
    """Captures, and texts, at paths or URLs that fsspec knows; in order of their names, where one has a `*`.

    size: bytes of a part, such as "64 MiB"; larger captures are cut at borders of their packets, which are looked for where they
    lie. None: each file is one part, as all are that are compressed, and texts. storage_options: for fsspec. Raises PktError where
    there is none, and OSError of fsspec.
    """
    files = fsspec.open_files(paths, mode="rb", **storage_options or {})
    if not files:
        raise PktError(f"{paths}: no such file")
    most = 0 if size is None else dask.utils.parse_bytes(size)
    need(size is None or most > 0, f"size: {size} is no size of a part")
    large = [file for file in files if 0 < most < (file.fs.size(file.path) or 0)]
    cut = dict(zip((file.path for file in large), compute(*(delayed(_cut)(file, most) for file in large)), strict=True))
    return Captures([(file, part) for file in files for part in cut.get(file.path, [WHOLE])])


def _cut(file: File, size: int) -> list[Part]:
    """The parts of a file."""
    with _opened(file) as opened:
        return parts(opened, size)


def remove(name: str, storage_options: Storage) -> None:
    """Takes away what was written in between, where it is there."""
    fs, path = fsspec.core.url_to_fs(name, **storage_options or {})
    if fs.exists(path):
        fs.rm(path)


# ---- what runs where the workers are ----


class Ended(NamedTuple):
    """What became of a part: what there was to say; what broke it off, empty: nothing did. process: that did it."""

    name: str
    said: list[str]
    error: str
    process: int


class Piece(NamedTuple):
    """A part, and what is done to its packets. lines: the command lines of stages."""

    file: File
    part: Part
    lines: Lines

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.file.path}, from byte {self.part.start} on" if self.part.start else str(self.file.path)

    def packets(self) -> Packets:
        """The packets that come out."""

        def start(stream: Packets) -> Iterator[Batch]:
            stream.numbered = stream.numbered and self.part == WHOLE  # else it is not known which they are
            with _opened(self.file) as file:
                yield from opened(Given(file if self.part == WHOLE else Behind(file, self.part), self.name), stream)

        read = Packets(start)
        return through(read, [[*line] for line in self.lines]) if self.lines else read


def _opened(file: File) -> IO[bytes]:
    """A file from its beginning on, with a place in it that no other part has, in whichever thread: not by `file` itself."""
    own = file.fs.open(file.path, "rb")
    # fsspec's file system in memory gives all who open a file one and the same object (its MemoryFile, a BytesIO).
    return io.BytesIO(own.getvalue()) if isinstance(own, io.BytesIO) else own


class Behind:
    """A part of a file that is open, behind what is to be read in front of it."""

    def __init__(self, file: IO[bytes], part: Part) -> None:
        self.file, self.front = file, part.front
        self.left = None if part.stop is None else part.stop - part.start
        file.seek(part.start)

    def read(self, size: int) -> bytes:
        """So many bytes, or fewer; none at the end."""
        if self.front:
            found, self.front = self.front[:size], self.front[size:]
            return found
        found = self.file.read(size if self.left is None else min(size, self.left))
        if self.left is not None:
            self.left -= len(found)
        return found


def _ended(name: str, stream: Packets, to: str, storage_options: Storage, work: Callable[[IO[bytes], Packets], None]) -> Ended:
    """Writes packets of a stream. What is wrong is a result, too: Dask would give up all other parts for an exception.

    What is written has its name once it is whole, or as whole as it gets: where no packet came before an error nothing is left.
    """
    came, error = 0, ""

    def counted(_: Packets) -> Iterator[Batch]:
        nonlocal came
        for batch in stream.batches():
            came += len(batch)
            yield batch

    fs, path = fsspec.core.url_to_fs(to, **storage_options or {})
    unfinished = f"{to}.part" if getattr(fs, "local_file", False) else to  # elsewhere a file is there once it is closed
    passed = Packets(counted)
    try:
        with fsspec.open(unfinished, "wb", auto_mkdir=True, **storage_options or {}) as file:
            work(file, passed)
    except (PktError, OSError) as failed:
        error = str(failed) if name in str(failed) else f"{name}: {failed}"
    try:
        if error and not came:
            remove(unfinished, storage_options)
        elif unfinished != to:
            fs.mv(f"{path}.part", path)
    except OSError as failed:
        error = error or f"{to}: {failed}"
    return Ended(name, [*stream.said, *passed.said], error, os.getpid())


def _written(piece: Piece, to: str, storage_options: Storage) -> Ended:
    """Writes a part as a capture."""
    return _ended(piece.name, piece.packets(), to, storage_options, _as_pcapng)


def _as_pcapng(file: IO[bytes], packets: Packets) -> None:
    """Writes them as a capture."""
    write(file, packets, format="pcapng")


def _joined(names: list[str], to: str, storage_options: Storage) -> Ended:
    """Writes captures one behind the other into one."""

    def start(stream: Packets) -> Iterator[Batch]:
        for name in names:
            yield from Piece(fsspec.open(name, "rb", **storage_options or {}), WHOLE, ()).packets().batches()

    return _ended(to, Packets(start), to, storage_options, _as_pcapng)


def _asked(fields: tuple[str, ...], form: str) -> tuple[str, str]:
    """The format and the fields that are asked for. Raises UsageError, PktError where what writes them is missing."""
    _view(form, ",".join(texts(fields)), Taken(io.BytesIO(), "<fields>")).close()
    return form, ",".join(fields)


def _view(form: str, fields: str, output: Taken) -> Sink:
    """What writes fields. Raises UsageError, PktError."""
    from .views.fields import FieldsSink, columns_of  # late: captures are written without them

    columns = columns_of(fields)
    if form != "parquet":
        return FieldsSink(output, columns, form)
    from .views.parquet import ParquetSink

    return ParquetSink(output, columns)


def _fields(stream: Packets, form: str, fields: str, out: IO[bytes]) -> None:
    """Writes fields of packets."""
    sink = _view(form, fields, Taken(out, "<fields>"))
    try:
        for batch in filled(stream.batches()):
            sink.write(batch)
    finally:
        said = sink.close()
    stream.said += map(str, said)


def _shown(piece: Piece, to: str, storage_options: Storage, asked: tuple[str, str]) -> Ended:
    """Writes fields of a part."""
    return _ended(piece.name, piece.packets(), to, storage_options, lambda file, packets: _fields(packets, *asked, file))


def _rows(piece: Piece, asked: tuple[str, str]) -> list[dict[str, Any]]:
    """Fields of a part, a dict for each packet. Raises PktError."""
    out = io.BytesIO()
    _fields(piece.packets(), *asked, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _told(ended: tuple[Ended, ...]) -> None:
    """Says what there was to say. Raises PktError where a part failed."""
    for one in ended:
        if one.process != os.getpid():  # a thread of ours has warned by itself
            tell([f"{one.name}: {line}" for line in one.said], [])
    failed = [one.error for one in ended if one.error]
    if failed:
        raise PktError(f"{len(failed)} of {counted(len(ended), 'part')} failed: {'; '.join(failed[:9])}")
