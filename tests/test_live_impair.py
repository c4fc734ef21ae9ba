"""pkt-impair on a wire: the other host's ping measures the delay."""

from __future__ import annotations

import re
from subprocess import DEVNULL, PIPE

import pytest

from pkttools import Lab

WIRE = """
    wire a 10.0.0.1/24 b
    neighbour a:eth0 10.0.0.70 00:11:0a:00:00:46  # whom pkt-pingrep answers for
"""


@pytest.mark.lab(WIRE)
def test_answers_are_late(lab: Lab) -> None:
    """In one process and in four; each answer takes the delay, none waits for the next one, and the last one comes, too."""
    received = "recv -i eth0 -ro ICMP.TYPE==8 -l 3 --duration 20 --ready 2"
    for command in (
        f"pkt-{received} | pkt-impair --delay 150ms --seed 7 | pkt-pingrep | pkt-send -i eth0 -f",
        f"pkt-pipe '{received} | impair --delay 150ms --seed 7 | pingrep | send -i eth0 -f'",
    ):
        answering = lab.start("b", command, stdin=DEVNULL, stderr=PIPE)
        assert b"eth0: receiving" in answering.stderr.readline()
        said = lab.run("a", "ping -c 3 -i 0.4 -W 3 10.0.0.70").stdout.decode()
        least, median = map(float, re.search(r"= ([\d.]+)/([\d.]+)/", said).groups())
        assert "3 received" in said
        assert 150 <= least <= median < 400
        assert b"delayed by 150 ms to 150 ms" in answering.communicate(timeout=60)[1]
