"""The suites of examples/tests: all that they test is as expected here, and they fail, or are skipped visibly, where it is not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT
from suites import suite

SUITES = ROOT / "examples" / "tests"
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(autouse=True)
def installed(lab) -> None:
    """What they need is there."""
    for program in ("nft", "dnsmasq"):
        if not shutil.which(program, path=SYSTEM):
            pytest.skip(f"{program} is not installed")
    if lab("host a").run("a", "nft list ruleset", check=False).returncode:
        pytest.skip("this kernel has no nftables in a user namespace")


def test_one_command_runs_all_of_them() -> None:
    done = subprocess.run(["sh", SUITES / "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed in", done.stdout, re.MULTILINE), done.stdout  # and none skipped


def test_what_is_not_as_expected_fails_and_what_is_missing_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "suites"
    shutil.copytree(SUITES, folder)
    for name, old, new in (
        ("firewall/rules.nft", "tcp dport 443", "tcp dport 22"),
        ("firewall/rules.nft", "state established,related", "state established"),
        ("nat/rules.nft", 'oifname "eth1" masquerade', ""),
        ("dhcp/test_dhcp.py", '"dnsmasq", "server"', '"nothere", "server"'),
    ):
        text = (folder / name).read_text()
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new))
    done = suite(folder, "-rsf", "-k", "from_outside or errors_about or address_of_the_nat or another_network")
    assert done.returncode == 1, done.stdout
    assert "3 failed, 1 skipped" in done.stdout, done.stdout
    assert "nothere is not installed" in done.stdout
    assert "packet 1 only in A: " in done.stdout  # the error that is no more related
    assert re.search(r"IP.SRC_ADDR +192.0.2.2 -> 10.0.0.2", done.stdout), done.stdout
