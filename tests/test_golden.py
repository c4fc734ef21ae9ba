"""The comparisons with pkttools 1.16 that use only commands we have, on both codecs."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SHARED

GOLDEN = SHARED / "golden"
MANY = ROOT / "tests" / "support" / "many.py"
DEVIATIONS = ROOT / "tests" / "deviations.md"
INPUTS = sorted(path.name for path in (GOLDEN / "in").glob("*.txt")) if GOLDEN.is_dir() else []


def cases(infile: str) -> list[tuple[str, str, Path]]:
    """(id, command, file with what 1.16 wrote) of one input."""
    ours = {path.name for path in (ROOT / "bin").glob("pkt-*")}
    rows = [line.split("\t") for line in (GOLDEN / "cases.tsv").read_text().splitlines()[1:]]
    return [(r[0], r[1], GOLDEN / "out" / r[3]) for r in rows if r[2] == infile and set(re.findall(r"pkt-\w+", r[1])) <= ours]


def deviations() -> set[str]:
    """The cases that have to differ: the first table of deviations.md."""
    table = DEVIATIONS.read_text().partition("\n## Cases of the comparison\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("|")]
    assert rows[:2] == ["case", "---"]
    return set(rows[2:])


def difference(case: tuple[str, str, Path], codes: list[int], got: bytes, said: str) -> str | None:
    """What is not as 1.16 had it, or None."""
    name, command, expected = case
    want = expected.read_bytes()
    if "txt2pcap" in command.split("|")[-1]:  # the snap length in the file's header is free
        got, want = got[:16] + got[20:], want[:16] + want[20:]
    if not any(codes) and got == want:
        return None
    lines = [(g, w) for g, w in zip(got.splitlines(), want.splitlines(), strict=False) if g != w][:1]
    return f"{name}: {command}: exit {codes}, {said[-200:]}, first difference {lines}"


@pytest.mark.skipif(not INPUTS, reason=f"{SHARED.name}/golden is not there")
def test_there_are_cases() -> None:
    assert sum(len(cases(infile)) for infile in INPUTS) >= 1018


@pytest.mark.parametrize("infile", INPUTS)
def test_as_1_16(infile: str, backend: str) -> None:
    known = cases(infile)
    words = [sys.executable, MANY, "--pipes", GOLDEN / "in" / infile, *(command for _, command, _ in known)]
    env = {**os.environ, "PKTTOOLS_CODEC": backend, "TZ": "UTC", "LC_ALL": "C"}
    done = ast.literal_eval(subprocess.run(words, env=env, stdout=subprocess.PIPE, check=True).stdout.decode())
    found = {case[0]: difference(case, *one) for case, one in zip(known, done, strict=True)}
    wrong = [said for name, said in found.items() if said and name not in deviations()]
    assert not wrong, "\n".join(wrong)
    assert not [name for name, said in found.items() if not said and name in deviations()], "no deviation any more"
