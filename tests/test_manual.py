"""The manual pages: complete, true, and with examples that run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT, shell

import pkttools
from pkttools.command_line import options
from pkttools.command_line.help import application
from pkttools.main import commands, find

COMMANDS = commands()
SHARED = [*options.INPUT, *options.OUTPUT, *options.PICK, *options.BUFFER, *options.GENERAL]
PAGES = sorted((ROOT / "man").glob("*.[137]"))
OPTION = re.compile(r"(?<![\w.\[-])--?[A-Za-z0-9][A-Za-z0-9-]*")
SAMPLES = {options.REAL: "2.5", options.TEXT: "word"}


def plain(roff: str) -> str:
    """Roff text without its escapes."""
    roff = re.sub(r"\\f.", "", roff)
    for escape, meaning in (("\\-", "-"), ("\\(aq", "'"), ("\\&", ""), ("\\e", "\\")):
        roff = roff.replace(escape, meaning)
    return roff


def section(path: Path, title: str) -> str:
    """One section of a page, as it is in the source."""
    found = re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH |\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def option_words(path: Path) -> set[str]:
    """What looks like an option in a page's OPTIONS."""
    return set(OPTION.findall(plain(section(path, "OPTIONS"))))


def page(name: str) -> Path:
    return ROOT / "man" / f"{name}.1"


# ---- the names are the same everywhere ----


def test_every_command_has_module_link_page_and_script():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(COMMANDS) == {path.name for path in (ROOT / "bin").glob("pkt-*")}
    assert set(COMMANDS) == {path.stem for path in (ROOT / "man").glob("pkt-*.1")}
    assert {"pkt", *COMMANDS} == set(scripts)
    assert set(scripts.values()) == {"pkttools.main:main"}


@pytest.mark.parametrize("name", COMMANDS)
def test_link_leads_to_the_one_launcher(name: str):
    link = ROOT / "bin" / name
    if (ROOT / "PKG-INFO").exists():  # an sdist, which has copies in place of links
        assert link.read_bytes() == (ROOT / "bin" / "pkt").read_bytes()
    else:
        assert link.is_symlink()
        assert str(link.readlink()) == "pkt"


# ---- every option is described, and every described option exists ----


@pytest.mark.parametrize("name", COMMANDS)
def test_page_names_every_option(name: str):
    words = option_words(page(name))
    assert not {spelling for option in find(name).OPTIONS for spelling in option.names} - words


@pytest.mark.parametrize("name", COMMANDS)
def test_page_names_no_other_option(name: str):
    command = find(name)
    more = command.more_options() if hasattr(command, "more_options") else ()
    assert not option_words(page(name)) - {spelling for option in command.OPTIONS for spelling in option.names} - set(more)


def test_overview_describes_the_shared_options():
    tags = set()
    for entry in section(ROOT / "man/pkttools.7", "OPTIONS").split(".TP\n")[1:]:
        tags |= set(OPTION.findall(plain(entry.partition("\n")[0])))
    assert tags == {spelling for option in SHARED for spelling in option.names}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_has_its_sections_in_order(path: Path):
    titles = re.findall(r"^\.SH (.*)$", path.read_text(), re.MULTILINE)
    wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"]
    if path.suffix == ".3":
        wanted = [title for title in wanted if title not in ("OPTIONS", "EXIT STATUS")]
        titles = [title for title in titles if title in wanted]
    if path.suffix == ".7":
        wanted = [
            title
            for title in wanted
            if title != "SYNOPSIS" and (path.stem == "pkttools" or title not in ("OPTIONS", "EXIT STATUS"))
        ]
        titles = [title for title in titles if title in wanted]
    assert titles == wanted


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_words_run_together(path: Path):
    """A macro of two fonts joins its words: behind one that begins with punctuation there is no other."""
    for line in path.read_text().splitlines():
        macro, _, rest = line.partition(" ")
        if macro in (".BR", ".RB", ".BI", ".IB", ".IR", ".RI"):
            words = re.findall(r'"[^"]*"|[^ "]+', rest)
            joined = [word for word, other in pairwise(words) if re.match(r"[),;:]+$", word) and other[:1].isalpha()]
            assert not joined, line


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_mandoc_has_nothing_to_say(path: Path):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_overview_has_every_statement_of_descriptions():
    """In the table of PROTOCOLS."""
    from pkttools.protocols.statements import FORMS

    table = section(ROOT / "man/pkttools.7", "PROTOCOLS").partition(".SS Statements\n")[2]
    assert {plain(entry).split()[1] for entry in table.split(".TP")[1:]} == set(FORMS)


def test_overview_names_every_command():
    for title in ("DESCRIPTION", "SEE ALSO"):
        text = plain(section(ROOT / "man/pkttools.7", title))
        assert set(COMMANDS) <= set(re.findall(r"pkt-[a-z0-9]+", text)), title


# ---- examples run ----


def examples(path: Path) -> list[tuple[str, str, str]]:
    """Kind, words and lines of each block of examples.

    The kind is in a roff comment before the block: `live` needs an interface, `remote` another host, `lab` namespaces
    (see test_live_lab), `python` is a program; `says WORDS` has these words on standard error. Without one, nothing is said there.
    """
    block = re.compile(r"(?:^\.\\\" (live|remote|lab|says|python)(?: ([^\n]*))?\n)?^\.EX\n(.*?)^\.EE$", re.MULTILINE | re.DOTALL)
    blocks = block.findall(section(path, "EXAMPLES"))
    assert blocks, f"{path.name} has no examples"
    return blocks


def runnable(path: Path) -> list[tuple[str, str]]:
    """The lines to run, each with the words it says. One that leaves this machine never comes through unmarked."""
    elsewhere = ("live", "remote", "lab", "python")
    lines = [(line, words) for kind, words, block in examples(path) if kind not in elsewhere for line in plain(block).splitlines()]
    for line, _ in lines:
        assert not re.search(r"\s(-i|--interface)\b|pkt-recv|pkt-switch", line), (
            f"{path.name}: '{line}' needs an interface: mark it live"
        )
        assert line.count("pkt-sock") == line.count("127.0.0.1"), f"{path.name}: '{line}' needs another host: mark it remote"
    return lines


def test_live_examples_are_told_apart():
    lives = [block for path in PAGES for kind, _, block in examples(path) if kind == "live"]
    assert len(lives) == sum(path.read_text().count('\n.\\" live\n') for path in PAGES)
    assert all(" -i " in line or line.startswith("pkt-switch") for block in lives for line in plain(block).splitlines())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_examples_of_page_run(path: Path, tmp_path: Path):
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder)
    for line, words in runnable(path):
        before = set(folder.iterdir())
        done = shell(f"cd '{folder}' && {line}")
        assert done.returncode == 0, (line, done.stderr)
        assert (words in done.stderr.decode()) if words else not done.stderr, (line, done.stderr)
        writes = re.search(r" > |--(out|svg|html)", line.rpartition(";")[2]) and set(folder.iterdir()) - before
        assert done.stdout or writes, f"{line}: shows nothing"


def test_programs_of_the_library_run(tmp_path: Path):
    """All but those with a lab in one process; what they say is said in the page's words in test_live_library.py."""
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder)
    programs = [plain(block) for kind, words, block in examples(ROOT / "man/pkttools.3") if (kind, words) == ("python", "")]
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + "print('--')\n".join(programs)
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = done.stdout.split("--\n")
    assert first.splitlines()[0] == "192.0.2.1 True None"
    assert second == "1 []\n"
    assert re.findall(r"^  (\S+) +(\S+) -> (\S+)$", third, re.MULTILINE) == [("IP.TTL", "64", "63")] * 2
    assert third.endswith("\n[]\n")


def test_the_page_of_the_library_names_all_that_it_has():
    text = plain(section(ROOT / "man/pkttools.3", "DESCRIPTION"))
    named = set(re.findall(r"\w+", text))
    assert set(pkttools.LIBRARY) <= named
    public = [name for each in (pkttools.Packet, pkttools.Packets) for name in vars(each) if not name.startswith("_")]
    assert set(public) - {"batches", "files", "once", "begun"} <= named


# ---- the help screen, and the parser behind it ----


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_and_names_every_option(name: str):
    done = shell(f"{name} --help", COLUMNS="80")
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80
    shown = set(OPTION.findall("\n".join(lines)))
    assert {spelling for option in find(name).OPTIONS if not option.hidden for spelling in option.names} <= shown


def sample(option: options.Option) -> list[str]:
    """The value that an option is tried with, if it takes one."""
    if option.kind == options.FLAG:
        return []
    if option.kind in (options.NUMBER, options.OCTETS):
        return [str(int(max(option.least, min(7, option.most))))]
    return [option.choices[-1] if option.choices else SAMPLES[option.kind]]


def argument_lists() -> list[tuple[str, list[str]]]:
    """Each command, with each spelling of each option in turn, and with nothing."""
    lists = []
    for name in COMMANDS:
        declared = import_module(f"pkttools.commands.{name.removeprefix('pkt-')}").OPTIONS
        lists.append((name, []))
        lists += [
            (name, [spelling, *sample(option), "IP.TTL=64"])
            for option in declared if option.attribute != "help" for spelling in option.names
        ]  # fmt: skip
    return lists


@pytest.mark.parametrize(("name", "argv"), argument_lists(), ids=lambda value: value if isinstance(value, str) else " ".join(value))
def test_typer_reads_what_we_read(name: str, argv: list[str]):
    import typer

    command = find(name)
    ours = vars(options.read(command.OPTIONS, argv))
    context = typer.main.get_command(application(name, command)).make_context(name, list(argv))
    theirs = {name: list(value) if isinstance(value, tuple) else value for name, value in context.params.items()}
    theirs["arguments"] = list(context.params["arguments"] or ())
    assert theirs == {key: value for key, value in ours.items() if key != "help"}
