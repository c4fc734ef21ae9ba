"""pkt-impair on a wire: the other host's ping measures the delay."""

import re

from netns import finish
from netns import lab as _lab

lab = _lab

SILENT = "ip addr flush dev eth0 && ip neigh flush dev eth0"  # nobody but us answers for hosts that are not there


def test_answers_are_late(lab):
    """In one process and in four; each answer takes the delay, none waits for the next one, and the last one comes, too."""
    lab.must("b", SILENT)
    lab.must("a", "ip neigh add 10.0.0.70 lladdr 00:11:0a:00:00:46 dev eth0 nud permanent")
    received = "recv -i eth0 -ro ICMP.TYPE==8 -l 3 --duration 20"
    for command in (
        f"pkt-{received} | pkt-impair --delay 150ms --seed 7 | pkt-pingrep | pkt-send -i eth0 -f",
        f"pkt-pipe '{received} | impair --delay 150ms --seed 7 | pingrep | send -i eth0 -f'",
    ):
        answering = lab.capture("b", command)
        said = lab.must("a", "ping -c 3 -i 0.4 -W 3 10.0.0.70").decode()
        least, median = map(float, re.search(r"= ([\d.]+)/([\d.]+)/", said).groups())
        assert "3 received" in said
        assert 150 <= least <= median < 400
        assert "delayed by 150 ms to 150 ms" in "\n".join(finish(answering)[2])
