"""The launcher of all commands: finds the one it is called as, and turns what goes wrong into a message and a code.

Exit codes: 0 done, 1 bad data or failed input or output, 2 wrong usage; a signal's own when one ended the command.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # see signals.py
import gc
import os
import sys

from .command_line.options import add_protocols, choose_zone
from .command_line.signals import Interrupted, die
from .commands import __name__ as COMMANDS
from .commands import commands as commands  # for who looks for it here
from .commands import find, read
from .errors import PktError, UsageError, Whole, limit, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SIGINT, SIGPIPE = 2, 13
WITHOUT_FIELDS = ("pkt-lab", "pkt-sock")  # they know no protocols; words of other commands may be among theirs


def start(name: str, argv: list[str]) -> int:
    """Runs a command; gives its exit code. Raises what it raises."""
    if name == "pkt":
        return overview(argv)
    if name not in WITHOUT_FIELDS:
        add_protocols(argv)
    command = find(name)
    asked = {"--install-completion", "--show-completion"}.intersection(argv)
    if asked or f"_{name.upper().replace('-', '_')}_COMPLETE" in os.environ:  # the shell's completion is typer's
        from .command_line.help import application

        application(name, command)(argv, prog_name=name)
    values = read(command, argv)
    choose_zone(values)
    if values.help:
        from .command_line.help import screen

        show(screen(name, command))
    elif getattr(values, "keys", False):  # not every command knows fields
        from .protocols.values import keys

        show(keys())
    elif values.version:
        show([version(name)])
    elif hasattr(command, "instead") and (lines := command.instead(values)) is not None:
        show(lines, getattr(values, "output", None), getattr(values, "compress", None))
    else:
        from .codec import keep_memory
        from .flow import run  # a command alone is a pipe of one

        keep_memory()
        if hasattr(command, "run"):
            collect()
            said, code = command.run(values)
        else:
            said, code = run([command.stage(values)], opened=collect)
        for line in said:
            say(line if isinstance(line, Whole) else f"{name}: {line}")
        return code
    return 0


def show(lines: Iterable[str], path: str | None = None, compress: str | None = None) -> None:
    """Writes what is said instead of packets; see write_lines()."""
    from .formats.files import write_lines  # late: a command that is a pipe of one comes by it another way

    write_lines(lines, path, compress)


def version(name: str) -> str:
    """The line of --version."""
    from . import __version__

    return f"{name} (pkttools) {__version__}, codec in {codec_name()}"


def collect() -> None:
    """Lets Python look for garbage from here on; what was imported will never be any."""
    gc.freeze()
    gc.enable()


def overview(argv: list[str]) -> int:
    """What `pkt` without a command has to say. Raises UsageError."""
    if argv == ["--version"]:
        show([version("pkt")])
    elif argv in (["-h"], ["--help"]):
        from .command_line.help import overview

        show(overview({name: purpose(name) for name in commands()}))
    else:
        raise UsageError(f"which command? There are {', '.join(name.removeprefix('pkt-') for name in commands())}")
    return 0


def purpose(name: str) -> str:
    """What a command is for, in a line."""
    try:
        return (find(name).__doc__ or "").partition("\n")[0]
    except PktError as error:  # of another system
        return str(error)


def codec_name() -> str:
    """Which backend is used, and why where that is not C."""
    from .codec import BACKEND, REASON

    return {"c": "C", "python": "Python"}[BACKEND] + (f" ({REASON})" if REASON else "")


def main() -> None:
    """Runs the command that this process was started as. Does not return."""
    if signal.getsignal(SIGINT) is signal.default_int_handler:
        signal.signal(SIGINT, signal.SIG_DFL)  # an exception while something is imported may be lost, and so the signal
    name = os.path.basename(sys.argv[0])  # noqa: PTH119  pathlib takes as long to import as all of this
    if name == "pkt" and sys.argv[1:2] == ["help"]:  # as git has it
        sys.argv[1:] = [*sys.argv[2:3], "--help"]
    if name == "pkt" and len(sys.argv) > 1 and not sys.argv[1].startswith("-"):  # `pkt recv ...` is `pkt-recv ...`
        name = f"pkt-{sys.argv.pop(1).removeprefix('pkt-')}"
        sys.argv[0] = name
    occupy()
    os._exit(guarded(name, sys.argv[1:]))  # all is written and said: to take Python down takes a tenth of a command's start


def occupy() -> None:
    """Keeps a closed standard stream's number from a packet socket: it stays as unusable as it was."""
    for fd, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free: fd
    if sys.platform == "win32":
        import msvcrt

        for fd in (0, 1):
            msvcrt.setmode(fd, os.O_BINARY)  # else line ends are changed


def guarded(name: str, argv: list[str]) -> int:
    """Runs a command and says in one line what goes wrong; gives the exit code."""
    try:
        return start(name, argv)
    except UsageError as error:
        say(f"{name}: {error}")
        if name == "pkt" or f"{COMMANDS}.{name.removeprefix('pkt-')}" in sys.modules:  # it is one
            say(f"Try '{name} --help'.")
        return 2
    except PktError as error:
        say(f"{name}: {error}")
        return 1
    except BrokenPipeError:  # nobody reads any more: `| head -1` has had enough
        return die(SIGPIPE)
    except Interrupted as interrupted:
        for line in interrupted.args[1:]:
            say(f"{name}: {line}")
        return die(interrupted.args[0])
    except KeyboardInterrupt:
        return die(SIGINT)
    except MemoryError:
        say(f"{name}: out of memory")
        return 1
    except ImportError as error:
        missing = error.name in ("dpkt", "typer")
        hint = "run make in the checkout once, or install it for this Python"
        say(f"{name}: the package {error.name} is missing: {hint}" if missing else f"{name}: {error}")
        return 1
    except OSError as error:
        reason = str(error.strerror or error) if isinstance(error, BlockingIOError) else limit(error)
        say(f"{name}: {error.filename + ': ' if isinstance(error.filename, str) else ''}{reason}")
        return 1
    except Exception as error:  # a mistake of ours: still a line, not a page
        if os.environ.get("PKTTOOLS_DEBUG"):
            raise
        say(f"{name}: internal error, please report it: {type(error).__name__}: {error} (PKTTOOLS_DEBUG=1 shows where)")
        return 1
    finally:
        silence()


def silence() -> None:
    """Keeps Python from complaining about a closed standard output once more when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        sys.stdout = None
