"""One module a command, and how it is found and its command line read.

A module declares OPTIONS; its docstring is the head of the help screen. It has `stage(values)`, which gives what the command
does to packets, and PLACE where that is only the first or the last of a pipe, or `place(words)` where its words say so ("alone":
in no pipe); maybe `instead(values)`, which gives the lines to print where an option asks for them and nothing else. pkt-lab,
pkt-pipe, pkt-sock and pkt-switch, which are no stages, have `run(values)` instead, which gives what to say and the exit code.
`literal(arguments)` says where another command begins.
"""

from __future__ import annotations

import sys

from ..command_line import options
from ..errors import PktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def commands() -> list[str]:
    """The names of all commands: one a module."""
    from pathlib import Path  # late: it is slow to import

    return sorted("pkt-" + path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def find(name: str) -> ModuleType:
    """The module of a command. Raises UsageError when there is none of that name."""
    stem = name.removeprefix("pkt-")
    if name.startswith("pkt-") and stem.isalnum():
        try:
            return __import__(f"{__name__}.{stem}", fromlist=["OPTIONS"])
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{stem}":
                if sys.platform != "linux":
                    raise PktError("this command is only for Linux") from None
                raise
    raise UsageError(f"no such command; there are {', '.join(commands())}")


def read(command: ModuleType, argv: list[str]) -> options.Values:
    """Reads the command line of a command. Raises UsageError."""
    more = command.more_options() if hasattr(command, "more_options") else None
    return options.read(command.OPTIONS, argv, more, getattr(command, "literal", None))
