"""Which codec is used: PKTTOOLS_CODEC, and what was built."""

from __future__ import annotations

import os
import re
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


OLD, BUILT, NEW = 1_000_000_000, 1_000_000_001, 1_000_000_002  # times of files


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package, built when the last source was written."""
    pytest.importorskip("pkttools.codec._c", reason="the C codec was not built")
    shutil.copytree(ROOT / "pkttools", tmp_path / "pkttools", ignore=shutil.ignore_patterns("__pycache__"))
    for path in tmp_path.glob("pkttools/*/c/**/*"):
        os.utime(path, (OLD, OLD))
        os.utime(path.parent, (OLD, OLD))
    os.utime(tmp_path / "pkttools/codec/c/codec.h", (BUILT, BUILT))
    for path in tmp_path.glob("pkttools/*/_c*.so"):
        os.utime(path, (BUILT, BUILT))
    return tmp_path


def written(path: Path) -> None:
    """Puts a file in the place of what is there, if it is, after the modules were built, as git does."""
    with path.open("a") as file:
        file.write("/* changed */\n")
    for changed in path, path.parent:
        os.utime(changed, (NEW, NEW))


@pytest.mark.parametrize("source", ["codec.h", "checksum.c", "new.c", "module/order.c"])
def test_what_is_older_than_its_sources_is_not_used(checkout, source):
    """As after a `git pull` without `make ready`."""
    assert version(checkout, None) == ("codec in C", "C")
    written(checkout / "pkttools/codec/c" / source)
    why = "the C codec is older than its sources: make ready builds it anew"
    assert version(checkout, None)[0] == f"codec in Python ({why})"
    code, out, said = run(checkout, None, "-v")
    assert (code, said[0]) == (0, f"pkt-txt2txt: 1 packet read, 1 passed on; codec in python ({why})")
    assert "SIZE: 2/2\n" in out
    assert version(checkout, "python")[0] == "codec in Python (PKTTOOLS_CODEC=python)"
    code, out, said = run(checkout, "c")
    assert (code, out, said[:-1]) == (1, "", [f"pkt-txt2txt: PKTTOOLS_CODEC is 'c', but {why}"])


def test_tables_that_are_older_than_the_code_are_made_anew(checkout):
    """They may be laid out otherwise: a number of such a one was waited for without an end."""
    rows = checkout / "pkttools/protocols/_rows.py"
    rows.write_text(re.sub(r"^ROWS = .*$", "ROWS = bytes(1 << 20)", rows.read_text(), flags=re.MULTILINE))
    for path in checkout.glob("pkttools/protocols/_*.py"):
        os.utime(path, (BUILT, BUILT))
    written(checkout / "pkttools/codec/c/codec.h")
    ping = (ROOT / "examples/ping.txt").read_bytes()
    filtering = [sys.executable, "-P", "-c", RUN.replace("pkt-txt2txt", "pkt-filter")]
    found = [
        subprocess.run([*filtering, root, "ICMP.TYPE==8"], input=ping, capture_output=True, timeout=60, check=False)
        for root in (ROOT, checkout)
    ]
    assert [done.returncode for done in found] == [0, 0]
    assert found[0].stdout == found[1].stdout != b""


def test_what_is_installed_has_no_sources_to_be_older_than(checkout):
    for folder in ("codec", "kernel"):
        shutil.rmtree(checkout / "pkttools" / folder / "c")
    assert version(checkout, None) == ("codec in C", "C")
    assert run(checkout, None, "-v")[2][0] == "pkt-txt2txt: 1 packet read, 1 passed on; codec in c"


def test_what_editors_and_the_codec_in_python_have_written_is_no_source(checkout):
    (checkout / "pkttools/codec/c/.#text.c").symlink_to("somebody@somewhere.1234:1700000000")
    written(checkout / "pkttools/codec/c/.text.c.swp")
    written(checkout / "pkttools/codec/c/text.c~")
    (checkout / "pkttools/codec/python/text.py").touch()
    assert version(checkout, None) == ("codec in C", "C")
    written(checkout / "pkttools/codec/c/text.c")
    assert version(checkout, None)[0].startswith("codec in Python (the C codec is older")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no C for the kernel elsewhere")
@pytest.mark.parametrize("source", ["kernel.h", "pipe.c"])
def test_the_kernels_functions_are_judged_by_their_own_sources(checkout, source):
    """What lends memory to pipes needs them; who says nothing else of them says it with -v."""
    many = "".join(f"-- {i} --\n{'00 ' * 1000}\n==\n" for i in range(2000)).encode()
    (checkout / "many.txt").write_bytes(many)
    copies = f"'{sys.executable}' -P -c '{RUN}' '{checkout}'"
    command = f"{copies} -v --in '{checkout}/many.txt' | {copies} 2> /dev/null"

    def piped(choice: str) -> list[str]:
        environment = {**os.environ, "PKTTOOLS_CODEC": choice, "PKTTOOLS_LANE": "text"}
        done = subprocess.run(["sh", "-c", command], capture_output=True, env=environment, timeout=60, check=True)
        assert done.stdout.count(b"==\n") == 2000
        return [line for line in done.stderr.decode().splitlines() if line.startswith("pkt-")]

    read = "pkt-txt2txt: 2000 packets read, 2000 passed on; codec in c"
    assert piped("c") == [read]
    written(checkout / "pkttools/kernel/c" / source)
    why = "older than their sources: make ready builds them anew"
    assert piped("") == [read, f"pkt-txt2txt: the kernel's functions in python: those in C are {why}"]
    code = "import sys; sys.path.insert(0, sys.argv[1]); import pkttools.kernel"
    environment = {**os.environ, "PKTTOOLS_CODEC": "c"}
    done = subprocess.run([sys.executable, "-P", "-c", code, checkout], capture_output=True, env=environment, check=False)
    assert done.stderr.decode().splitlines()[-1] == f"ImportError: PKTTOOLS_CODEC is 'c', but the kernel's C functions are {why}"


@pytest.mark.parametrize("choice", ["C", "pypy", "0", " c"])
def test_anything_else_is_an_error(choice):
    code, out, said = run(ROOT, choice)
    assert (code, out, said[:-1]) == (1, "", [f"pkt-txt2txt: PKTTOOLS_CODEC is '{choice}': it is c or python"])


@pytest.mark.skipif(not (os.environ.get("CI") == "true" and shutil.which("cc")), reason="only in CI, where there is a C compiler")
def test_the_c_codec_was_built():
    """Without this, a broken build would pass: every test of the C codec would be skipped."""
    import pkttools.codec._c  # noqa: F401
