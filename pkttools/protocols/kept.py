"""Tables of a user's protocols, kept from one command to the next: to make them takes longer than all else that most commands do.

They are kept in XDG_RUNTIME_DIR, which is in memory and the user's alone, and ends with his session; without a session, as for cron
or in a container, in his cache; without such a folder they are made each time. What they were made of is kept with them, as a
whole: other descriptions, ours or his, or another Python, and they are made anew.
"""

from __future__ import annotations

import marshal
import os
import sys
from binascii import crc32
from types import SimpleNamespace

from .. import protocols
from ..errors import PktError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = os.path.dirname(__file__)  # noqa: PTH120  pathlib is slow to import
INSTALLED: list[tuple[list[str], list[str]]] = []  # what is known: once
PLACES = 16  # sets of tables that are kept; what comes to a place of another one takes it


def install(files: list[str], decoded: list[str]) -> None:
    """Lets all that is imported from here on know these protocols, too: before anything has looked at our tables.

    Raises UsageError, for a file with its line; PktError for one that cannot be read.
    """
    if (files, decoded) in INSTALLED:
        return
    contents = [(name, content(name)) for name in files]  # once: it may be a pipe
    of = origin([read for _, read in contents], decoded)
    tables = found(of)
    if tables is None:
        from .own import tables as tables_of  # late: what reads descriptions takes longer to import than all else

        tables = tables_of(contents, decoded)
        keep(of, tables)
    for module in protocols.MODULES:
        sys.modules[f"{protocols.__name__}.{module}"] = vars(protocols)[module] = tables  # type: ignore[assignment]  # the same names
    INSTALLED.append((files, decoded))


def content(name: str) -> bytes:
    """What is in a file. Raises PktError."""
    try:
        with open(name, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise PktError(f"{name}: {error.strerror}") from None


def origin(contents: list[bytes], decoded: list[str]) -> tuple[Any, ...]:
    """All that tables are made of."""
    with os.scandir(FOLDER) as entries:
        ours = sorted((entry.name, entry.stat().st_mtime_ns, entry.stat().st_size) for entry in entries if entry.is_file())
    return sys.version, sys.byteorder, tuple(ours), tuple(contents), tuple(decoded)


def owned(folder: str, others: int) -> bool:
    """Whether a folder is the user's, and others may do none of that in it."""
    try:
        found = os.stat(folder)  # noqa: PTH116
    except OSError:
        return False
    return hasattr(os, "geteuid") and found.st_uid == os.geteuid() and not found.st_mode & others


def folder() -> str | None:
    """The folder for tables, which is the user's alone; None: there is none. In his cache it is made."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if owned(runtime, 0o077):
        return runtime
    cache = os.environ.get("XDG_CACHE_HOME") or f"{os.environ.get('HOME', '')}/.cache"
    if not cache.startswith("/") or not owned(cache, 0o022):  # of whoever calls sudo, for one
        return None
    own = f"{cache}/pkttools"
    try:
        os.mkdir(own, 0o700)  # noqa: PTH102
    except OSError:
        pass  # it is there, or cannot be
    return own if owned(own, 0o077) else None


def place(origin: tuple[Any, ...]) -> str | None:
    """The file for tables of this origin; None: there is no folder for it."""
    where = folder()
    return f"{where}/pkttools-protocols-{crc32(marshal.dumps(origin[3:])) % PLACES}" if where else None


def found(origin: tuple[Any, ...]) -> SimpleNamespace | None:
    """Tables of this origin; None: there are none."""
    path = place(origin)
    try:
        if path is None:
            return None
        with open(path, "rb") as file:  # noqa: PTH123
            version, tables = marshal.load(file)
    except (OSError, EOFError, ValueError, TypeError):
        return None
    return SimpleNamespace(**tables) if version == origin else None


def keep(origin: tuple[Any, ...], tables: SimpleNamespace) -> None:
    """Keeps tables, if there is a place for them."""
    path = place(origin)
    if path is None:
        return
    from ast import literal_eval  # late: what they were made with has imported it

    part = f"{path}.{os.getpid()}"
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
            file.write(marshal.dumps((origin, literal_eval(repr(vars(tables))))))  # mere literals, as in modules that are built
        os.replace(part, path)  # noqa: PTH105
    except OSError:
        try:
            os.unlink(part)  # noqa: PTH108
        except OSError:
            pass
