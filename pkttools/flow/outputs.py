"""Where what becomes of each of many files goes: into one folder, under the names that the files have."""

from __future__ import annotations

import os

from ..command_line.options import COMPRESSIONS, FORMATS
from ..errors import PktError, UsageError, need
from ..formats.files import endings_of, format_of
from .stage import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .stage import Stage

TO_OTHERS = ("output", "html", "svg")  # what names the file that is written
REPORTS = ("json", "tap", "junit")  # of what writes no packets


def outputs(stages: list[Stage], files: Sequence[str], folder: str | None) -> list[str]:
    """The path for each file, empty where nothing is written; the folder is made.

    Raises UsageError, where two would be one, or one is read; PktError.
    """
    first, last = stages[0], stages[-1]
    need(hasattr(first.values, "input"), f"--each is for what reads files: {first.name} does not")
    need(not first.values.input, f"--each says which files are read: {first.name} is told others")
    if last.writes_nothing:
        need(folder is None, f"--out-dir is for what is written: {last.name} writes nothing here")
        for report in REPORTS:
            need(getattr(last.values, report, None) in (None, False), f"--{report} is one report, and --each reads many files")
        return [""] * len(files)
    if folder is None:
        raise UsageError("--each: where to? --out-dir DIR")
    writes = hasattr(last.values, "output") and not last.divides
    need(writes, f"--each is for what writes a file: {last.name} does not")
    for attribute in TO_OTHERS:
        need(getattr(last.values, attribute, None) is None, "--each writes into --out-dir, and no other file")
    shown = getattr(last.values, "format", None) or "text"  # a table's, of what packets are shown in
    form = last.sink.form if isinstance(last.sink, Written) else None if last.as_read else shown
    paths = distinct(files, folder, form, COMPRESSIONS.get(getattr(last.values, "compress", None) or "", ("",))[0])
    try:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103  pathlib is slow to import
    except OSError as error:
        raise PktError(f"--out-dir {folder}: {error.strerror}") from None
    return paths


def distinct(files: Sequence[str], folder: str, form: str | None, packed: str) -> list[str]:
    """A path for each file. packed: the ending of what is compressed. Raises UsageError where two are one, or one is read."""
    made: dict[str, str] = {}
    known = {os.path.realpath(file) for file in files}
    for file in files:
        need(file != "", "--each: '' is the name of no file")
        path = os.path.join(folder, named(os.path.basename(file), form) + packed)  # noqa: PTH118, PTH119  pathlib is slow to import
        need(path not in made, f"--each: what becomes of {made.get(path)} and of {file} would both be {path}")
        need(os.path.realpath(path) not in known, f"--out-dir {folder}: {path} is one of the files that are read")
        made[path] = file
    return [*made]


def named(name: str, form: str | None) -> str:
    """The name of what becomes of a file, not compressed. form: the format that is written; None: that of the file.

    Raises UsageError where its name says one that is not written.
    """
    ending, packed = endings_of(name)
    name = name.removesuffix(packed)
    if form is None:
        format_of(name, "; -F says what is")
        return name
    known = [ending for one in FORMATS.values() for ending in one.endings]
    own = FORMATS[form].endings if form in FORMATS else ()
    return name.removesuffix(ending if ending.lower() in known else "") + (own or ("." + form,))[0]
