"""pkt-expect at interfaces: it looks before the command begins, ends when the outcome is known, and when the time is over."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from conftest import shell

if sys.platform != "linux":
    pytest.skip("namespaces are Linux's", allow_module_level=True)

PAIR = "'wire alice 10.0.0.1/24 bob 10.0.0.2/24'"
SEND = "pkt-gen udp --src 10.0.0.2 --dst 10.0.0.1 --dst-mac 02:00:00:00:00:99 -i eth0 --count"  # for nobody: no answer


def steps(script: str, folder: Path) -> tuple[str, str]:
    """What a script writes and says, beside a lab of two hosts, in one of which it runs. Skips where there can be none."""
    done = shell(f"cd {folder}; pkt-lab run {PAIR} -- pkt-lab exec bob sh -c {shlex.quote(script)}")
    said = done.stderr.decode()
    if "namespaces are forbidden" in said:
        pytest.skip(said)
    return done.stdout.decode(), said


def test_the_time_and_the_command(tmp_path: Path):
    """Reports of all, one after the other: what ends each, how long it took, and the exit code."""
    cases = [  # words, exit code, seconds: at least, and at most; a busy machine takes its time
        (f"--within 20s -so '5..: UDP' -- {SEND} 5", 0, 0, 10),  # known at once
        (f"--within 20s 'none: UDP' ARP -- {SEND} 5", 1, 0, 10),  # the same
        (f"--within 600ms '5: UDP' -- {SEND} 5", 0, 0.6, 3),  # known at the end
        ("--within 300ms ICMP", 1, 0.3, 1.5),
        (f"-so '7: UDP' 'none: ICMP' --ordered -- {SEND} 7", 0, 0.1, 10),  # the command's end
        ("--within 400ms 'none: UDP' -- sleep 60", 1, 0.4, 3),
        ("--within 300ms 'none: UDP' -- sh -c 'exit 3'", 1, 0.3, 1.5),
        ("--within 300ms 'none: UDP' -- nosuch", 1, 0.3, 1.5),
        (f"-ro --within 2s 'none: UDP' -- {SEND} 2", 0, 2, 8),  # they go out
    ]
    script = "".join(f"pkt-expect -i eth0 --json {words}; echo $?; " for words, *_ in cases)
    out, said = steps(f"{script} pgrep sleep", tmp_path)
    lines = out.splitlines()
    assert len(lines) == 2 * len(cases), lines  # and nothing sleeps any more
    for (words, code, least, most), report, found in zip(cases, lines[::2], lines[1::2], strict=True):
        told = json.loads(report)
        assert (int(found), told["passed"]) == (code, code == 0), (words, report)
        assert least <= told["seconds"] < most, (words, report)
    told = [json.loads(line) for line in lines[::2]]
    assert told[4]["expectations"][0]["matched"] == 7
    assert told[5]["expectations"][-1]["message"] == "it had not ended, and was told to"
    assert told[6]["expectations"][-1]["exit_code"] == 3
    assert told[7]["expectations"][-1]["exit_code"] == 127
    assert len(re.findall(r"^pkt-expect: eth0: \d+ packets? received, 0 dropped by the kernel$", said, re.MULTILINE)) == len(cases)


def test_ready_and_signals_and_pipes(tmp_path: Path):
    """Who started it is told when it receives; a signal ends it with its report; a stage of a pipe has a clock, too."""
    out, said = steps(
        f"""mkfifo r
        pkt-expect -i eth0 --ready r '3..: UDP' > out & read line < r; echo "$line"; {SEND} 3; wait $!; echo $?; cat out
        pkt-expect -i eth0 --ready r '3..: UDP' > out & read line < r; {SEND} 2; sleep 0.3; kill $!; wait $!; echo $?; cat out
        pkt-pipe 'recv -i eth0 | expect --within 300ms ARP'; echo $?
        pkt-pipe 'recv -i eth0 | expect -i eth0 ARP'; echo $?
        pkt-recv -i eth0 --duration 0.5 | pkt-expect 'none: UDP' --within 9s; echo $?
        """,
        tmp_path,
    )
    lines = [line for line in out.splitlines() if not line.startswith("    ")]
    assert lines == ["eth0: receiving", "0", "ok: 3..: UDP: 3 packets, numbers 1, 2, 3",
                     "1", "FAILED: 3..: UDP: 2 packets, numbers 1, 2; wanted: at least 3",
                     "FAILED: ARP: no packet; wanted: at least 1", "1", "2", "ok: none: UDP: no packet", "0"]  # fmt: skip
    assert "is its own pipe with these options" in said
