"""The fuzz target with its own loop: the corpus and what was found before, a few mutations, and a judge that is not blind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from tests.fuzz.seeds import CASES

FUZZ = ROOT / "tests" / "fuzz"
CORPUS, FINDINGS = FUZZ / "corpus", FUZZ / "findings"
LINKTYPE = b"\x0a"  # 147, the one with bugs planted under PLANTED
UNPLANTED = b"c\0" + LINKTYPE + b"\0\0\0"  # no edits, a sample of that link type; a frame follows


def build(folder: Path, *flags: str) -> Path:
    """The target with the loop of driver.c. Skips visibly where it cannot be built for want of a compiler."""
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    probe = ["cc", "-fsanitize=address,undefined", "-x", "c", "-", "-o", folder / "probe"]
    if subprocess.run(probe, input=b"int main(void) { return 0; }", capture_output=True, check=False).returncode:
        pytest.skip("cc has no sanitizers")
    env = {**os.environ, "FUZZ_LOOP": "own", "PYTHON": sys.executable}
    done = subprocess.run(["sh", FUZZ / "build.sh", folder, *flags], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "codec"


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def blemished(tmp_path_factory) -> Path:
    """The target with planted bugs, one for each judge."""
    return build(tmp_path_factory.mktemp("planted"), "-DPLANTED")


def run(program: Path, *words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *words], capture_output=True, text=True, errors="replace", cwd=cwd, timeout=120, check=False)


def test_nothing_is_found(target: Path) -> None:
    """All of the corpus, all that was found before, and mutations: the same ones in every run."""
    done = run(target, "-seed=1", "-runs=40000", CORPUS, FINDINGS)
    assert done.returncode == 0, done.stdout + done.stderr
    inputs, runs = map(int, re.search(r"(\d+) inputs, (\d+) runs, \d+ a second, no finding", done.stdout).groups())
    assert inputs == len([*CORPUS.iterdir(), *FINDINGS.glob("[!.]*")])
    assert runs == inputs + 40000


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1, "AddressSanitizer: heap-buffer-overflow"),
        (2, "runtime error: signed integer overflow"),
        (3, "this should hold: s->frame.size < 3"),
        (4, "took too long"),
    ],
    ids=["one byte too many", "overflow", "broken promise", "endless loop"],
)
def test_planted_bugs_are_found(target: Path, blemished: Path, tmp_path: Path, size: int, said: str) -> None:
    """Each by its judge; the input is left in a file that can be tried again."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "input").write_bytes(UNPLANTED + bytes(size))
    assert run(target, corpus / "input").returncode == 0
    done = run(blemished, "-timeout=1", "-artifact_prefix=left-", corpus, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    left = tmp_path / re.search(r"Test unit written to (left-finding-\w{16})\n", done.stderr)[1]
    assert left.read_bytes() == UNPLANTED + bytes(size)
    assert run(blemished, "-timeout=1", left, cwd=tmp_path).returncode == 1
    assert sorted(tmp_path.iterdir()) == [corpus, left]


def test_mutations_find_planted_bugs(target: Path, blemished: Path, tmp_path: Path) -> None:
    """From an input that is none of them."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "harmless").write_bytes(UNPLANTED + b"user0 link type")
    assert run(blemished, "-seed=1", "-runs=0", folder, cwd=tmp_path).returncode == 0
    words = "-seed=1", "-timeout=1", "-runs=20000", folder
    assert run(blemished, *words, cwd=tmp_path).returncode == 1
    found = next(tmp_path.glob("finding-*")).read_bytes()
    assert found != UNPLANTED + b"user0 link type"
    assert run(target, *words, cwd=tmp_path).returncode == 0


@pytest.mark.skipif(not shutil.which("make"), reason="make is not there")
@pytest.mark.parametrize("flags", ["", "-DPLANTED"])
def test_make_fuzz(target: Path, tmp_path: Path, flags: str) -> None:
    """It fails on a finding, and says how to see it again."""
    variables = [
        f"BIN={Path(sys.executable).parent}",
        f"FUZZ={tmp_path}",
        f"FUZZ_SECONDS={30 if flags else 1}",
        f"FUZZ_FLAGS={flags}",
        "FUZZ_COMMANDS=--frames 20 --batch 20 --seed 1",
    ]
    words = ["make", "-s", "-o", ".venv/ready", "fuzz", *variables]
    env = {**os.environ, "FUZZ_LOOP": "own"}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, errors="replace", env=env, check=False)
    again = re.search("make: a finding; once more: (.*) (.*)\n", done.stdout)
    assert "cc and a loop of our own" in done.stdout
    assert bool(done.returncode) == bool(again) == bool(flags), done.stdout + done.stderr
    assert again or re.search(r"runs, \d+ a second, no finding\n2\d frames .* no finding\n$", done.stdout)
    assert not again or run(Path(again[1]), again[2]).returncode == 1


def test_wrong_usage(target: Path, tmp_path: Path) -> None:
    for words in ([], ["-runs=many", CORPUS], ["-speed=9", CORPUS], ["-max_len=0", CORPUS], [tmp_path / "missing"], [tmp_path]):
        done = run(target, *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), words


def test_corpus() -> None:
    """Small, and with inputs for every case of target.c, for which seeds.py has some too."""
    letters = set(re.findall(r"\{'(.)', fuzz_", (FUZZ / "target.c").read_text()))
    corpus = [path.read_bytes() for path in CORPUS.iterdir()]
    assert letters == set(CASES)
    assert letters <= {chr(data[0]) for data in corpus if data}
    assert len(corpus) <= 200
    assert sum(map(len, corpus)) <= 300_000


def test_seeds(target: Path, tmp_path: Path) -> None:
    """What the corpus was made of."""
    words = [sys.executable, "-m", "tests.fuzz.seeds", tmp_path]
    subprocess.run(words, cwd=ROOT, check=True)
    done = run(target, "-runs=0", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for letter in CASES:
        assert any(path.read_bytes().startswith(letter.encode()) for path in tmp_path.iterdir())
