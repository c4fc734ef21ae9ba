"""One module a command, and how it is found and its command line read.

What a module may offer is told by `Command` below; its docstring is the head of the help screen.
"""

from __future__ import annotations

import sys

from ..command_line import options
from ..errors import PktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..flow.stage import Stage

    class Command(Protocol):
        """A command's module. It has OPTIONS, and `stage` or `run`; all else only where it is needed."""

        OPTIONS: list[options.Option]
        """The options, in the order of the help screen."""

        ARGUMENTS: str
        """What the help screen calls the arguments; without, they are filters and assignments."""

        ARGUMENTS_HELP: str
        """What it says of them."""

        OWN: int
        """How many of them are no files that are read, in any case; without, all that ARGUMENTS tells of."""

        PLACE: str
        """Where in a pipe it has to stand: "first" or "last"; without, anywhere."""

        def place(self, values: options.Values) -> str:
            """The same, where the command line says so; "alone": in no pipe, "": anywhere."""

        def stage(self, values: options.Values) -> Stage:
            """What it does to packets. Raises UsageError, PktError."""

        def run(self, values: options.Values) -> tuple[list[str], int]:
            """Does everything, where it is no stage; gives what to say on standard error, and the exit code. Raises PktError."""

        def instead(self, values: options.Values) -> list[str] | None:
            """The lines to print where an option asks for them and nothing else; None: none does. Raises UsageError, PktError."""

        def more_options(self) -> options.More:
            """Options besides OPTIONS that take a value, with the argument they stand for: `--ip-ttl` for `IP.TTL=`."""

        def literal(self, arguments: list[str]) -> bool:
            """Whether another command begins behind these arguments: all words are arguments from there on."""


def commands() -> list[str]:
    """The names of all commands: one a module."""
    from pathlib import Path  # late: it is slow to import

    return sorted("pkt-" + path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def find(name: str) -> Command:
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


def read(command: Command, argv: list[str]) -> options.Values:
    """Reads the command line of a command. Raises UsageError."""
    more = command.more_options() if hasattr(command, "more_options") else None
    values = options.read(command.OPTIONS, argv, more, getattr(command, "literal", None))
    own = options.own_arguments(command)
    if own is not None and len(values.arguments) > own:
        from ..language.files import divided  # late: most commands of a pipe have none

        values.takes_files = True
        values.files, rest = divided(values.arguments[own:])
        values.input = [*values.input, *values.files]
        values.arguments[own:] = rest
        if values.files and getattr(values, "reverse", False):
            behind = (word for i, word in enumerate(argv[1:]) if argv[i] == "-r" and word in values.files)
            values.behind_reverse = next(behind, "")
    return values
