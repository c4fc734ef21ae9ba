"""One more protocol is one more file: the example of CONTRIBUTING, in a copy of the package, and all commands know it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shell

# By compile.py, of the descriptions; no file of the project.
MADE = {"_tables.py", "_walk.py", "_rows.py", "_words.py", "_lines.py", "_meanings.py", "_templates.py", "_answers.py"}
CHAT = ROOT / "examples/protocols/chat.protocol"
TEXT = (ROOT / "examples/protocols/chat.txt").read_bytes()


def files(tree: Path) -> dict[Path, bytes]:
    """The files that people write, and what is in them."""
    found = [path for path in (tree / "pkttools").rglob("*") if path.is_file() and path.suffix != ".pyc" and path.name not in MADE]
    return {path.relative_to(tree): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy where the protocol was added, and its tables were made as `make ready` does."""
    to = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "pkttools", to / "pkttools", ignore=shutil.ignore_patterns("__pycache__", *MADE))
    shutil.copytree(ROOT / "bin", to / "bin", symlinks=True)
    if (ROOT / ".venv").is_dir():
        (to / ".venv").symlink_to(ROOT / ".venv")
    before = files(to)
    shutil.copy(CHAT, to / "pkttools/protocols")
    made = 'from pkttools.protocols.compile import write; write("pkttools/protocols")'
    subprocess.run([sys.executable, "-c", made], cwd=to, check=True, timeout=120)
    after = files(to)
    assert after.keys() - before.keys() == {Path("pkttools/protocols/chat.protocol")}
    assert [path for path in before if before[path] != after[path]] == []
    return to


def out(tree: Path, commands: str, backend: str) -> str:
    """What commands of that copy write, joined by `|`."""
    done = shell(" | ".join(f"{tree}/bin/{command.strip()}" for command in commands.split(" | ")), TEXT, backend=backend)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


def test_it_is_filtered_and_set(tree, backend):
    text = out(tree, "pkt-change CHAT.TYPE==text CHAT.ROOM=9 CHAT.TYPE=bye | pkt-filter CHAT.ROOM==9 -aa", backend)
    assert text.split().count("CHAT.ROOM:") == text.count("CHAT.TYPE:\t\t0x3\n") > 0


def test_its_checksum_is_corrected(tree, backend):
    sound = out(tree, "pkt-txt2txt", backend)
    assert out(tree, "pkt-change CHAT.CHECKSUM=1 | pkt-correct", backend) == sound
    assert out(tree, "pkt-change -u CHAT.ROOM=9 | pkt-correct", backend) == out(tree, "pkt-change -u CHAT.ROOM=9", backend)


def test_it_is_shown_and_listed(tree, backend):
    assert "\nChat\ttype/room\t: 2 / 7\n" in out(tree, "pkt-analyze -lh 5", backend)
    assert "CHAT.TYPE 8 bits hello, text, bye" in " ".join(out(tree, "pkt-filter -k", backend).split())
