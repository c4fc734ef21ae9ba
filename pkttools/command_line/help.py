"""The help screen and the shell's completion, by typer, from the same declaration that reads the command line."""

from __future__ import annotations

import inspect
from contextlib import redirect_stdout
from io import StringIO

import typer

from .options import FLAG, NUMBER, OCTETS, REAL, Option, own_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..commands import Command

KINDS = {FLAG: bool, NUMBER: int, REAL: float, OCTETS: int}


def application(name: str, command: Command) -> typer.Typer:
    """A typer application with the options of a command; it shows help, but its body is never run."""

    def body(**_options: object) -> None:
        raise AssertionError("commands are run by main")

    usual = "[FILTER or ASSIGNMENT]..." if own_arguments(command) is None else "[FILE|FILTER|ASSIGNMENT]..."
    arguments = getattr(command, "ARGUMENTS", usual)
    meaning = getattr(command, "ARGUMENTS_HELP", "IP.TTL==1 filters, two are OR; IP.TTL=1 assigns")
    parameters = [
        inspect.Parameter(
            "arguments", inspect.Parameter.KEYWORD_ONLY, annotation=list[str],
            default=typer.Argument(None, metavar=arguments, help=meaning),
        ),
        *(parameter(option) for option in command.OPTIONS if option.attribute != "help"),
    ]  # fmt: skip
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    body.__annotations__ = {p.name: p.annotation for p in parameters}
    body.__doc__ = inspect.getdoc(command)
    app = typer.Typer(rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
    app.command(name)(body)
    return app


def parameter(option: Option) -> inspect.Parameter:
    """An option as typer wants it."""
    kind = KINDS.get(option.kind, str)
    info = typer.Option(
        option.default, *option.names, help=option.help, metavar=option.metavar or None, show_default=False, hidden=option.hidden
    )
    annotation = kind if option.kind == FLAG else list[kind] if option.several else kind | None  # type: ignore[valid-type]  # typer reads it
    return inspect.Parameter(option.attribute, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=info)


def screen(name: str, command: Command) -> list[str]:
    """The help screen of a command."""
    with redirect_stdout(StringIO()) as shown:
        application(name, command)(["--help"], prog_name=name, standalone_mode=False)
    return shown.getvalue().splitlines()


def overview(commands: dict[str, str]) -> list[str]:
    """The help screen of `pkt`. commands: what there is to say of each, by its name."""
    from textwrap import wrap

    lines = [
        "Usage: pkt COMMAND [ARGUMENT]...",
        "",
        "  pkt recv -i eth0 is pkt-recv -i eth0; pkt COMMAND --help says more.",
        "",
        "Commands:",
    ]
    converters: dict[str, list[str]] = {"read that, write text": [], "read packets, write that": []}
    for name, what in commands.items():
        word = name.removeprefix("pkt-")
        if "2" in word:  # their names say it all
            converters["read packets, write that" if word.startswith("txt2") else "read that, write text"].append(word)
        else:
            lines += wrap(f"  {word:<12}{what}", 79, subsequent_indent=" " * 14)
    return lines + [f"  {', '.join(words)}: {what}" for what, words in converters.items()]
