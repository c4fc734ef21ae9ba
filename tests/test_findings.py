"""The form of the scripts in findings/; that they still find what they say is told by `make findings`, which needs the network."""

from __future__ import annotations

import re
import subprocess

import pytest
from conftest import ROOT

FOLDER = ROOT / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_form(script):
    text = script.read_text()
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    assert re.match(
        r"#!/bin/sh\n(# .*\n)+\. \"\$\(dirname \"\$0\"\)/common\"\n"
        r"(tool [\w-]+ [\d.]+\n|packages ([\w.-]+==[\w.]+ ?)+\n|node_packages ([@\w/-]+@[\d.]+ ?)+\n|"
        r"debian_packages ([\w.+-]+=[\w.:+~-]+ ?)+\n)+",
        text,
    )
    assert re.search(r"^verdict ", text, re.MULTILINE)
    assert re.search(r"section|RFC|\(1\)", text.split("\n. ")[0]), "what says how it should be?"
    assert not re.search(r"\bpkt-|pkttools|https?:|/home|/root|/work|/tmp", text)


def test_the_table_has_all():
    assert [name for name, _ in re.findall(r"\| \[([\w-]+)\]\(([\w-]+)\.sh\)", (FOLDER / "README.md").read_text())] == [
        script.stem for script in SCRIPTS
    ]
