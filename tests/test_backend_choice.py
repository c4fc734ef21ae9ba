"""Which codec is used: PKTTOOLS_CODEC, and what was built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKET = b"-- 1 --\n00 11\n==\n"
RUN = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from pkttools.main import guarded
code = guarded("pkt-txt2txt", sys.argv[1:])
print("C" if "pkttools.codec._c" in sys.modules else "no C", file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package where the C codec was never built."""
    folder = tmp_path_factory.mktemp("bare")
    shutil.copytree(ROOT / "pkttools", folder / "pkttools", ignore=shutil.ignore_patterns("_c*.so", "__pycache__"))
    return folder


def run(root: Path, choice: str | None, *words: str) -> tuple[int, str, list[str]]:
    """Exit code, output, lines on standard error, of which the last says whether C was loaded."""
    environment = {key: value for key, value in os.environ.items() if key != "PKTTOOLS_CODEC"}
    if choice is not None:
        environment["PKTTOOLS_CODEC"] = choice
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN, root, *words], input=PACKET, capture_output=True, env=environment, timeout=60, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode().splitlines()


def version(root: Path, choice: str | None) -> tuple[str, str]:
    code, out, said = run(root, choice, "--version")
    assert (code, len(said)) == (0, 1)
    return out.split(", ")[-1].strip(), said[-1]


@pytest.mark.parametrize("choice", [None, ""])
def test_unset_takes_c_where_it_was_built(choice):
    pytest.importorskip("pkttools.codec._c", reason="the C codec was not built")
    assert version(ROOT, choice) == ("codec in C", "C")


@pytest.mark.parametrize("choice", [None, ""])
def test_unset_takes_python_where_c_was_not_built(bare, choice):
    why = "the C codec was not built: that takes a C compiler and Python's headers when it is installed"
    assert version(bare, choice) == (f"codec in Python ({why})", "no C")
    assert run(bare, choice, "-v")[2][0] == f"pkt-txt2txt: 1 packet read, 1 passed on; codec in python ({why})"
    assert run(bare, choice)[0] == 0


def test_python_never_loads_c(bare):
    for root in (ROOT, bare):
        assert version(root, "python") == ("codec in Python (PKTTOOLS_CODEC=python)", "no C")
        code, out, said = run(root, "python")
        assert (code, said) == (0, ["no C"])
        assert "SIZE: 2/2\n" in out


def test_c_takes_c():
    pytest.importorskip("pkttools.codec._c", reason="the C codec was not built")
    assert version(ROOT, "c") == ("codec in C", "C")


@pytest.mark.parametrize("words", [[], ["--version"]])
def test_c_where_it_was_not_built_is_an_error(bare, words):
    code, out, said = run(bare, "c", *words)
    assert (code, out, said[:-1]) == (1, "", ["pkt-txt2txt: PKTTOOLS_CODEC is 'c', but the C codec was not built"])


def test_what_was_built_for_another_machine_is_said_to_be(bare, tmp_path):
    """It is there, and does not load."""
    shutil.copytree(bare / "pkttools", tmp_path / "pkttools")
    (tmp_path / "pkttools/codec/_c.abi3.so").write_bytes(b"\x7fELF of another one")
    said, loaded = version(tmp_path, None)
    assert said.startswith("codec in Python (the C codec does not load: ")
    assert loaded == "no C"
    code, _, lines = run(tmp_path, "c")
    assert (code, lines[0].startswith("pkt-txt2txt: PKTTOOLS_CODEC is 'c', but the C codec does not load: ")) == (1, True)


@pytest.mark.parametrize("choice", ["C", "pypy", "0", " c"])
def test_anything_else_is_an_error(choice):
    code, out, said = run(ROOT, choice)
    assert (code, out, said[:-1]) == (1, "", [f"pkt-txt2txt: PKTTOOLS_CODEC is '{choice}': it is c or python"])


@pytest.mark.skipif(not (os.environ.get("CI") == "true" and shutil.which("cc")), reason="only in CI, where there is a C compiler")
def test_the_c_codec_was_built():
    """Without this, a broken build would pass: every test of the C codec would be skipped."""
    import pkttools.codec._c  # noqa: F401
