"""pkt-lab capture and wait: nothing is lost at either end, and what is not ready is waited for, and named."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from conftest import shell

if sys.platform != "linux":
    pytest.skip("namespaces are Linux's", allow_module_level=True)

PAIR = "'wire alice 10.0.0.1/24 bob 10.0.0.2/24'"
RUNS, PACKETS = 20, 50
SEND = f"""pkt-lab exec alice pkt-gen udp --src 10.0.0.1 --dst 10.0.0.2 --dst-mac 02:00:00:00:02:01 --count {PACKETS} -i eth0"""


def steps(script: str, tmp_path: Path) -> tuple[list[str], str]:
    """Runs a script beside a lab of two hosts: the lines that it writes, and what is said. Skips where there can be none."""
    done = shell(f"cd {tmp_path}; pkt-lab run {PAIR} -- sh -c {shlex.quote(script)}")
    said = done.stderr.decode()
    if "namespaces are forbidden" in said:
        pytest.skip(said)
    assert done.returncode == 0, said
    return done.stdout.decode().splitlines(), said


def test_no_packet_is_lost_at_either_end(tmp_path: Path):
    """The first one is sent as soon as the command may, and the last one when it ends."""
    capture = f"pkt-lab capture bob:eth0 -ro --out got 'UDP and not ICMP' -- {SEND} 2> said || cat said >&2"
    counts, said = steps(f"for i in $(seq {RUNS}); do {capture}; grep -c ^== got; done; cat said >&2", tmp_path)
    assert counts == [str(PACKETS)] * RUNS
    assert re.search(r"^pkt-recv: eth0: \d+ packets received, 0 dropped by the kernel$", said, re.MULTILINE)


def test_a_captures_end(tmp_path: Path):
    """Exit codes of the command and of the capture; what the command says is not among the packets; captures in captures."""
    script = f"""
    pkt-lab capture bob:eth0 -F pcap -ro 'UDP and not ICMP' -- sh -c 'echo not a packet; exec {SEND}' | pkt-pcap2txt | grep -c ^==
    pkt-lab capture alice:eth0 --out a.pcapng -- pkt-lab capture bob:eth0 -ro --out b.txt -- {SEND}; echo code $?
    pkt-pcapng2txt 'UDP and not ICMP' < a.pcapng | grep -c ^==
    pkt-filter 'UDP and not ICMP' < b.txt | grep -c ^==
    pkt-lab capture bob:eth0 -- sh -c 'exit 3' > /dev/null; echo code $?
    pkt-lab capture bob:eth0 --fail-empty -- true; echo code $?
    pkt-lab capture bob:eth0 --fail-empty -- sh -c 'exit 3'; echo code $?
    pkt-lab capture bob:eth9 -- touch ran; echo code $?
    pkt-lab capture bob:eth0 ICMP.TIPE==1 -- touch ran; echo code $?
    pkt-lab capture bob:eth0 -ready 1 -- touch ran 2> /dev/null; echo code $?
    pkt-lab capture bob:eth0 -- nosuch > /dev/null; echo code $?
    pkt-lab capture carol:eth0 -- touch ran; echo code $?
    pkt-lab capture bob:eth0 -l 1 --out one -- {SEND}; echo code $?; grep -c ^== one
    pkt-lab --linger 0 capture bob:eth0 --out none -- true; echo code $?; cat none
    test -e ran || echo command did not run
    """
    lines, said = steps(script, tmp_path)
    codes = [line.removeprefix("code ") for line in lines if line.startswith("code")]
    assert codes == ["0", "3", "1", "3", "1", "2", "2", "127", "1", "0", "0"]
    assert [line for line in lines if not line.startswith("code")] == [*[str(PACKETS)] * 3, "1", "command did not run"]
    assert "not a packet" in said
    assert "pkt-lab: the capture of bob:eth0 failed" in said
    assert "pkt-recv: eth9: no such interface" in said
    assert "pkt-recv: no field 'ICMP.TIPE'" in said
    assert "pkt-lab: no host carol" in said


def test_what_is_waited_for(tmp_path: Path):
    """It becomes so while it is waited for; what does not is named, in time."""
    script = """
    pkt-lab wait alice bob alice:eth0 && echo up
    pkt-lab exec bob ip link set eth0 down
    pkt-lab wait --timeout 0.2 alice:eth0; echo $?
    (sleep 0.3; pkt-lab exec bob ip link set eth0 up) & pkt-lab wait bob:eth0 alice:eth0 && echo up; wait
    pkt-lab exec bob pkt-sock recv -u - 4000 --count 1 > heard & pkt-lab wait bob:udp/4000; echo $?
    pkt-lab exec bob pkt-sock reply - 80 & echo $! > pid; pkt-lab wait bob:tcp/80; echo $?
    pkt-lab wait --timeout 0.2 bob:udp/80; echo $?
    pkt-lab wait --timeout 0.2 alice:tcp/80; echo $?
    kill $(cat pid)
    pkt-lab wait bob -- sh -c 'test "$(hostname) $PKT_HOST" = "bob bob"'; echo $?
    pkt-lab wait -- sh -c 'echo . >> tries; test $(wc -l < tries) = 3 && test -n "$PKT_LAB"'; echo $?; wc -l < tries
    pkt-lab wait --timeout 0.3 bob -- sh -c 'echo why; exit 9'; echo $?
    pkt-lab wait --timeout 0.3 -- sleep 10; echo $?
    pkt-lab wait --timeout 0.3 -- nosuch; echo $?
    pkt-lab wait carol:eth0; echo $?
    pkt-lab wait bob:tcp/0 2>&1 | grep -o wanted; pkt-lab wait bob -- 2>&1 | grep -o wanted
    pkt-lab exec alice sh -c 'echo x | pkt-sock send -u 10.0.0.2 4000'
    pkt-lab wait --name nosuch --timeout 0.2; echo $?
    """
    words, said = steps(script, tmp_path)
    assert words == ["up", "1", "up", "0", "0", "1", "1", "0", "0", "3", "1", "1", "1", "1", "wanted", "wanted", "1"]
    for line in ("alice:eth0: the link is not up after 0.2 s", "bob:udp/80: nobody listens there after 0.2 s",
                 "alice:tcp/80: nobody listens there after 0.2 s", "sh -c echo why; exit 9: exit code 9 after 0.3 s",
                 "sleep 10: it has not ended after 0.3 s", "nosuch: No such file or directory",
                 "no host carol in lab"):  # fmt: skip
        assert f"pkt-lab: {line}" in said
    assert "\nwhy\n" in said


def test_a_lab_that_is_being_built_is_waited_for(tmp_path: Path):
    """pkt-lab up may run beside what waits."""
    script = (
        "(sleep 0.2; pkt-lab up --name later 'wire a b') & pkt-lab wait --name later a:eth0 && echo up; wait; pkt-lab down later"
    )
    words, _ = steps(f"pkt-lab exec alice sh -c {shlex.quote(script)}", tmp_path)
    assert words == ["up"]
