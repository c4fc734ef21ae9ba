"""The first packets of real captures, in batches as they are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SHARED

from pkttools.batch import Batch
from pkttools.errors import PktError
from pkttools.formats import packets
from pkttools.formats.files import Input


@contextmanager
def opened(path: Path | str) -> Iterator[Input]:
    """A file that is read, closed behind it: a command's end with its process."""
    source = Input([str(path)])
    try:
        yield source
    finally:
        os.close(source.fd)


def captured(every: int) -> Iterator[tuple[str, Batch]]:
    """The name and the first batch of every so manieth file; where they are missing the test is skipped."""
    folder = SHARED / "captures" / "tcpdump"
    if not folder.is_dir():
        pytest.skip(f"{SHARED.name}/captures is not there")
    for path in sorted(folder.iterdir())[::every]:
        with opened(path) as source:
            try:
                yield path.name, next(iter(packets(source)))
            except (PktError, StopIteration):
                continue  # a malformed file, or one without packets
