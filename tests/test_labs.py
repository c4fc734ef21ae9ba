"""The laboratories: each runs by itself, and what it claims holds."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shell
from waits import until

LABS = sorted(path.parent for path in (ROOT / "examples/labs").glob("*/run"))
LAB = ROOT / "bin/pkt-lab"
FIVE_LABS = {"forged-ping", "four-hosts", "who-sees-it", "before-the-stack", "fragments-and-offload"}


def name_of(folder: Path) -> str:
    return folder.name.partition("-")[2]


def demo(folder: Path, backend: str = "") -> str:
    """Runs a laboratory; gives what it said. Skips the test where it cannot be done here."""
    for tool in ("ip", "ping"):
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            pytest.skip(f"{tool} is not installed")
    done = shell(f"'{LAB}' demo {name_of(folder)}", backend=backend, timeout=300)  # some 10 s, of a busy machine
    said = done.stdout.decode() + done.stderr.decode()
    if done.returncode == 77:
        pytest.skip(said.strip().splitlines()[-1])
    assert done.returncode == 0, said
    return said


def test_there_are_five():
    assert {name_of(folder) for folder in LABS} == FIVE_LABS
    listed = shell(f"'{LAB}' demo").stdout.decode()
    assert all(name in listed for name in FIVE_LABS)


@pytest.mark.parametrize("folder", LABS, ids=name_of)
def test_its_claims_hold(folder: Path):
    said = demo(folder)
    claims = re.findall(r"^  \[(yes|NO) *\] +(.*)", said, re.MULTILINE)
    written = (folder / "run").read_text()
    assert all(answer == "yes" for answer, _ in claims)
    assert len(claims) >= 3
    assert {text for _, text in claims} <= set(re.findall(r'claim "(.*?)"', written))
    assert re.search(r"^Proof: \w", said, re.MULTILINE)


@pytest.mark.parametrize("folder", LABS, ids=name_of)
def test_its_readme_says_how(folder: Path):
    text = (folder / "README.md").read_text()
    assert re.match(rf"# {folder.name[0]}\. \w", text)
    assert f"pkt-lab demo {name_of(folder)}" in text
    assert re.search(rf"pkt-lab up (--root )?examples/labs/{folder.name}/network", text)
    assert "## Questions" in text


def test_who_saw_what_is_as_the_readme_says():
    """The table of the third laboratory, count by count."""
    folder = ROOT / "examples/labs/3-who-sees-it"
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", (folder / "README.md").read_text(), re.MULTILINE)
    expected = {mode: re.findall(r"\d+", cells) for mode, cells in rows}
    said = demo(folder)
    found = {mode: re.findall(r"\d+", cells) for mode, cells in re.findall(r"^    (\w+) +\|(.*)", said, re.MULTILINE)}
    found.pop("mode", None)
    assert list(expected) == ["queue", "direct", "receive"]
    assert found == expected


def test_a_claim_that_does_not_hold_is_a_failure(tmp_path: Path):
    (tmp_path / "lab").mkdir()
    shutil.copy(ROOT / "examples/labs/lab.sh", tmp_path)
    (tmp_path / "lab/run").write_text('. "${0%/*}/../lab.sh"\nclaim "so" true\nclaim "not so" false\nproved "nothing"\n')
    done = shell(f"sh '{tmp_path}/lab/run'")
    assert done.returncode == 1
    assert "[yes] so" in done.stdout.decode()
    assert "[NO]  not so" in done.stdout.decode()
    assert "1 of the claims did not hold" in done.stdout.decode()
    assert "Proof" not in done.stdout.decode()


def is_up(name: str) -> bool:
    return name in shell(f"'{LAB}' list").stdout.decode().split()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_one_that_is_broken_off_leaves_nothing(number: signal.Signals, tmp_path: Path):
    running = subprocess.Popen(
        [LAB, "demo", "four-hosts"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert running.stdout
    try:
        lines: list[bytes] = []
        while not any(b"2. With pkt-switch" in line for line in lines):
            line = running.stdout.readline()
            if not line:
                assert running.wait(10) == 77, b"".join(lines)
                pytest.skip("no laboratory can be built here")
            lines.append(line)
        assert list(tmp_path.iterdir())
        assert is_up(f"four-hosts-{running.pid}")
        if number == signal.SIGKILL:
            running.kill()
        else:
            os.killpg(running.pid, number)
        running.wait(20)
        until(lambda: not is_up(f"four-hosts-{running.pid}"), "end of the laboratory", 20)
        until(lambda: not processes_of(running.pid), "end of its processes", 20)
        until(lambda: not list(tmp_path.iterdir()), "end of its files", 20)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(10)
        running.stdout.close()


def processes_of(session: int) -> list[int]:
    """The processes of a session that still live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
