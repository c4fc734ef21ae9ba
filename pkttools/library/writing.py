"""Packets to files, for programs."""

from __future__ import annotations

import os

from ..commands import find, read
from ..errors import PktError
from ..formats import named_format, sink_of
from ..formats.files import Output
from .given import Taken
from .said import tell
from .stages import filled, words_of
from .stream import batches_of, files_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from .stream import Path, Several


def write(to: Path | IO[Any], packets: Several, **options: object) -> int:
    """Writes packets; gives how many.

    to: a path, whose ending says the format (text, if none does), or an object with `write`. options: those of pkt-txt2txt about
    what is written, such as `format="pcap"`, `nano=True`, `fields=True`. Raises PktError, and UsageError.
    """
    path = os.fspath(to) if isinstance(to, (str, os.PathLike)) else None
    if path is None and not hasattr(to, "write"):
        raise TypeError(f"{to!r:.40} is neither a path nor a file that is open, with `write`")
    values = read(find("pkt-txt2txt"), [*words_of(options), *([f"--out={path}"] if path is not None else [])])
    form = named_format(values, None) or "text"
    if path is not None and os.path.exists(path) and any(os.path.samefile(path, file) for file in files_of(packets)):  # noqa: PTH110, PTH121  pathlib is slow to import
        raise PktError(f"{path}: input and output are the same file")
    name = getattr(to, "name", None) or "<file>"
    output = Output(path, None, compress=values.compress) if path is not None else Taken(to, name, values.compress)
    sink, count, said = sink_of(values, output, form), 0, list[str]()
    try:
        for batch in filled(batches_of(packets)):
            sink.write(batch)
            count += len(batch)
    finally:
        tell(sink.close(), said)
    return count
