"""Builds labs: networks of hosts and wires, without being root.

pkt-lab up 'wire alice 10.0.0.1/24 bob 10.0.0.2/24'; pkt-lab exec alice ping -c 1 bob; pkt-lab down

up FILE|STATEMENT... builds, down [NAME] ends; exec HOST COMMAND..., shell HOST work in a host;
run FILE|STATEMENT... -- COMMAND... builds a lab for one command; list, status show; demo [NAME] shows how.

capture HOST:INTERFACE [OPTIONS of pkt-recv] -- COMMAND... captures as long as a command runs;
wait [HOST[:INTERFACE|:tcp/PORT|:udp/PORT]]... [-- COMMAND...] until it is up, somebody listens, a command succeeds.
"""

from __future__ import annotations

import os
import sys

from ..command_line.options import ABOUT, FLAG, REAL, TEXT, USUAL, Option, Values
from ..errors import PktError, need, say
from ..lab import LINGER
from . import find
from . import read as command_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..lab.topology import Topology

MODES = ("up", "down", "exec", "shell", "run", "capture", "wait", "list", "status", "demo")
OPTIONS = [
    Option("--name", TEXT, "which lab; of up, run and demo: how it is called", "NAME"),
    Option("--root", FLAG, "up, run, demo: without a user namespace; it takes root"),
    Option("--all", FLAG, "down: all labs of this user"),
    Option("--linger", REAL, f"capture: go on so long after the command ({LINGER})", "SECONDS", default=LINGER),
    Option("--timeout", REAL, "wait: give up after SECONDS (default 10)", "SECONDS", default=10.0),
    *ABOUT,
]
ARGUMENTS = "|".join(MODES) + " ..."
ARGUMENTS_HELP = "see pkt-lab(1), also for the statements of a topology"


def literal(arguments: list[str]) -> bool:
    """Whether what comes behind these arguments is a command with options of its own: `exec HOST`, `capture HOST:INTERFACE`."""
    return len(arguments) == 2 and arguments[0] in ("exec", "capture")


def run(values: Values) -> tuple[list[str], int]:
    """Does what the first argument says."""
    if sys.platform != "linux":
        raise PktError("namespaces are Linux's")
    need(bool(values.arguments) and values.arguments[0] in MODES, f"wanted: {ARGUMENTS}")
    mode, *words = values.arguments
    given = {option.attribute for option in values.given(OPTIONS)}
    need("root" not in given or mode in ("up", "run", "demo"), "--root is for up, run and demo")
    need("all" not in given or mode == "down", "--all is for down")
    need("linger" not in given or mode == "capture", "--linger is for capture")
    need("timeout" not in given or mode == "wait", "--timeout is for wait")
    return [], DO[mode](values, words) or 0


def up_mode(values: Values, words: list[str]) -> None:
    """Builds a lab that stays."""
    from ..lab import holder

    need(bool(words), "wanted: up FILE|STATEMENT...")
    topology = read(words)
    holder.start(topology, values.name or stem(words), root=values.root or topology.root, stays=True)


def down_mode(values: Values, words: list[str]) -> int:
    """Ends one, or all; goes on where one cannot be ended."""
    from ..lab import holder, running
    from ..live.linux import control

    need(len(words) + values.all + (values.name is not None) <= 1, "wanted: down [NAME], or --all")
    named = words[0] if words else values.name
    if not values.all:
        name = running.choose(named)
        running.end(name)
        if not named:
            say(f"pkt-lab: {name} is down")
        return 0
    code = 0
    for name in control.names(holder.KIND):
        try:
            running.end(name)
            say(f"pkt-lab: {name} is down")
        except PktError as error:
            say(f"pkt-lab: {error}")
            code = 1
    return code


def exec_mode(values: Values, words: list[str], shell: bool = False) -> int:
    """Runs a command in a host."""
    from ..lab import foreground, running

    if words[1:2] == ["--"]:
        del words[1]
    need(len(words) > 1, "wanted: exec HOST COMMAND ARGUMENT...")
    host, *command = words
    running.enter(running.keys(running.choose(values.name, host), host))
    return foreground.end_as(foreground.run(command, running.inside(host), shell))


def shell_mode(values: Values, words: list[str]) -> int:
    """Runs a shell in a host."""
    need(len(words) == 1, "wanted: shell HOST")
    return exec_mode(values, [words[0], os.environ.get("SHELL") or "/bin/sh"], shell=True)


def read(words: list[str]) -> Topology:
    """The topology of files and statements. Raises PktError, UsageError."""
    from ..lab import topology

    return topology.read(topology.lines(words))


def stem(words: list[str]) -> str:
    """What a lab is called: like its first file, or, where that is of one of the project's, like its folder."""
    from pathlib import Path

    from ..lab import demo

    files = [Path(word) for word in words if word != "-" and " " not in word]
    if not files:
        return "lab"
    return demo.short(files[0].parent) if files[0].name == demo.TOPOLOGY else files[0].stem


def run_mode(values: Values, words: list[str]) -> int:
    """Builds a lab for one command, which runs outside of it."""
    dashes = values.dashes or 0
    need(1 < dashes <= len(words), "wanted: run FILE|STATEMENT... -- COMMAND...")
    statements, command = words[: dashes - 1], words[dashes - 1 :]
    return beside(values, read(statements), command, f"run-{os.getpid()}")


def capture_mode(values: Values, words: list[str]) -> int:
    """Captures as long as a command runs, which runs outside of the lab."""
    from ..formats import refuse_terminal
    from ..formats.files import format_of
    from ..lab import capture, running

    need(
        "--" in words[1:] and words[-1] != "--" and ":" in words[0],
        "wanted: capture HOST:INTERFACE [OPTIONS of pkt-recv] -- COMMAND...",
    )
    at = words.index("--")
    place, *receiving = words[:at]
    asked = command_values(find("pkt-recv"), receiving)
    need(not asked.interface and asked.ready is None, "capture says -i and --ready to pkt-recv")
    need(not (asked.help or asked.version or asked.keys or asked.list_interfaces), f"{' '.join(receiving)}: that captures nothing")
    refuse_terminal(asked.format or format_of(asked.output) or USUAL, asked.output)
    shown = asked.output in (None, "-")
    lab = running.choose(values.name, place.partition(":")[0])
    return capture.during(words[at + 1 :], lab, place, receiving, shown=shown, linger=values.linger)


def wait_mode(values: Values, words: list[str]) -> int:
    """Waits until something is so."""
    from ..lab import running, waiting

    dashes = len(words) if values.dashes is None else values.dashes - 1
    places = [waiting.Place(word) for word in words[:dashes]]
    need(values.dashes is None or dashes < len(words), "wanted: wait [HOST...] -- COMMAND...")
    host = places[0].host if places else None
    return waiting.until(lambda: running.choose(values.name, host), places, words[dashes:], values.timeout)


def demo_mode(values: Values, words: list[str]) -> int | None:
    """Shows the labs of the project, or one of them at work."""
    from ..formats.files import write_lines
    from ..lab import demo, running
    from ..lab.foreground import end_as, run
    from ..live.linux.namespaces import Forbidden

    need(len(words) < 2, "wanted: demo [NAME]")
    if not words:
        write_lines(demo.listing())
        return None
    folder = demo.find(words[0])
    topology = read([str(folder / demo.TOPOLOGY)])
    command = ["sh", str(folder / demo.SCRIPT)]
    try:
        code = beside(values, topology, command, f"{demo.short(folder)}-{os.getpid()}")
    except Forbidden as error:
        if not topology.optional:
            say(f"pkt-lab: {folder.name}: skipped: {error}")
            return demo.SKIPPED
        environment = {name: value for name, value in os.environ.items() if name != running.ENVIRONMENT}
        code = end_as(run(command, {**environment, demo.REASON: str(error)}))
    if code == demo.SKIPPED:
        say(f"pkt-lab: {folder.name}: skipped")
    return code


def beside(values: Values, topology: Topology, command: list[str], name: str) -> int:
    """Runs a command beside a lab that is built for it. Raises PktError, and Forbidden where there can be none."""
    from ..lab import foreground, holder, running

    name = values.name or name
    started = holder.start(topology, name, root=values.root or topology.root, stays=False)
    try:
        status = foreground.run(command, {**os.environ, running.ENVIRONMENT: name})
    finally:
        started.end()
    return foreground.end_as(status)


def list_mode(values: Values, words: list[str]) -> None:
    """Shows which labs are up."""
    from ..formats.files import write_lines
    from ..lab import status

    need(not words, "list takes no arguments")
    write_lines(status.listing())


def status_mode(values: Values, words: list[str]) -> None:
    """Shows what is in one."""
    from ..formats.files import write_lines
    from ..lab import running, status

    need(len(words) + (values.name is not None) <= 1, "wanted: status [NAME]")
    write_lines(status.status(running.choose(words[0] if words else values.name)))


DO = {"up": up_mode, "down": down_mode, "exec": exec_mode, "shell": shell_mode, "run": run_mode, "list": list_mode,
      "status": status_mode, "demo": demo_mode, "capture": capture_mode, "wait": wait_mode}  # fmt: skip
