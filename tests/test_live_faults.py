"""A wire with faults, and what pkt-expect, pkt-diff and pkt-check say of each: the example runs."""

from __future__ import annotations

import re
import sys

import pytest
from conftest import ROOT, shell

if sys.platform != "linux":
    pytest.skip("namespaces are Linux's", allow_module_level=True)

CODES = {  # exit codes: of sent packets as expectations, of their order, of the comparison, of the checksums
    "none": (0, 0, 0, 0), "loss": (1, 1, 1, 0), "reorder": (0, 1, 1, 0), "ttl": (1, 0, 1, 0), "checksum": (1, 0, 1, 1),
}  # fmt: skip
SAID = {
    "none": [],
    "loss": [r"FAILED: 3: no packet; wanted: at least 1", r"packet 3 only in A: .*", r"pkt-diff: 4 packets the same, 1 only in A",
             r"    packet 4 matches, and came too early, while 'IP.ID==3' was waited for"],
    "reorder": [r"ok: IP.ID==3: 1 packet, number 5", r"    packet 3 matches, and came too early, while 'IP.ID==3' was waited for",
                r"packet 3 of A is packet 5 of B, in another order: .*"],
    "ttl": [r"    nearest: packet 3", r"      IP.TTL==64: it is 9", r"  IP.TTL +64 -> 9",
            r"    1 packet came that nobody expects:"],
    "checksum": [r"    nearest: packet 3", r"      UDP.CHECKSUM==(0x\w+): it is 0x1234", r"  UDP.CHECKSUM +(0x\w+) -> 0x1234",
                 r"got:3: .*: UDP.CHECKSUM is wrong: 0x1234, and should be (0x\w+)"],
}  # fmt: skip


def test_what_is_said_of_each_fault():
    script = ROOT / "examples" / "expect" / "faults.sh"
    done = shell(f"pkt-lab run 'wire alice 10.0.0.1/24 wire:left' 'wire wire:right bob 10.0.0.2/24' -- sh '{script}'")
    if "namespaces are forbidden" in done.stderr.decode():
        pytest.skip(done.stderr.decode())
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
    sections = re.split(r"^=== (.*)\n", done.stdout.decode(), flags=re.MULTILINE)[1:]
    found = dict(zip(sections[::2], sections[1::2], strict=True))
    assert list(found) == list(CODES)
    for fault, text in found.items():
        codes = tuple(map(int, re.findall(r"^[\w -]+: exit code (\d)$", text, re.MULTILINE)))
        assert codes == CODES[fault], text
        lines = text.splitlines()
        matches = [next((match for line in lines if (match := re.fullmatch(pattern, line))), None) for pattern in SAID[fault]]
        assert all(matches), (SAID[fault], text)
        assert len({match[1] for match in matches if match.re.groups}) <= 1  # of a checksum all say the same
