"""What was right in real captures is right after every command that changes packets: tshark finds no wrong checksum."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import shell
from test_protocols_tshark import CHECKS

STATUS = ("ip", "tcp", "udp", "icmp", "icmpv6", "igmp", "sctp", "dccp", "vrrp", "gre")
WRONG = " || ".join(f"{name}.checksum.status==0" for name in STATUS)
LEAST = 500  # packets, else it is no test
COMMANDS = [
    "pkt-map --map 0.0.0.0/0=198.18.0.0/15 --map ::/0=2001:db8::/32 --port 53=5353 --port 80=8080 --mac 0/0=02:00:00:00:00:00/8",
    "pkt-map --random --seed 5",
    "pkt-map --nptv6 2000::/3=fd00:1::/48",
    "pkt-map --endpoints 192.0.2.1:192.0.2.2",
    "pkt-change -u --swap IP.TTL-=1 IPV6.HOP_LIMIT-=1 IP.TOS=4",
    "pkt-change --payload 'other words' --follow-tcp --if 'not IGMP'",  # whose sum tshark takes of 8 octets, RFC 2236 of all
    "pkt-change --replace 's/e/longer/g'",
    "pkt-segment --size 100",
    "pkt-segment --size 256 --udp fragments",
    "pkt-segment --merge",
    "pkt-wrap VLAN VLAN.ID=5",
    "pkt-wrap vxlan --src 192.0.2.1 --dst 192.0.2.2",
    "pkt-wrap --at IP ipip --if IP",
    "pkt-wrap --at IP gre --if IP",
    "pkt-wrap --at IP MPLS MPLS.LABEL=16 --if IP",
    "pkt-unwrap VLAN --all",
    "pkt-fragment -fm 576 -fc",
    "pkt-cut --snap 80",
    "pkt-cut --strip-trailer --add-fcs",
    "pkt-time --scale 1/3 --shift 1d",
    "pkt-impair --duplicate 10% --delay 5ms --jitter 5ms --seed 5",
]


@pytest.fixture(scope="module")
def right(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Whole Ethernet frames of real captures in which neither we nor tshark find anything wrong."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    files = sorted(
        path
        for path in (shared / "captures" / "tcpdump").glob("*.pcap")
        if 24 < path.stat().st_size < 40_000 and path.read_bytes()[20:24] == b"\1\0\0\0"
    )
    words = " ".join(f"--in '{path}'" for path in files)
    given = tmp_path_factory.mktemp("right") / "in.pcap"
    given.write_bytes(shell(f"pkt-check -cs {words} -F pcap 2>/dev/null").stdout)
    return judged(given, f"!({WRONG}) && !_ws.malformed")


def judged(given: Path, wanted: str) -> bytes:
    """The packets of a capture that tshark picks, as a capture."""
    out = given.with_suffix(".out")
    options = [word for check in CHECKS for word in ("-o", check)]
    done = subprocess.run(
        ["tshark", "-n", "-r", given, *options, "-Y", wanted, "-F", "pcap", "-w", out], capture_output=True, check=False
    )
    assert out.exists(), done.stderr
    return out.read_bytes()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_checksum_becomes_wrong(right, command, tmp_path):
    given = tmp_path / "in.pcap"
    done = shell(f"{command} --nano -F pcap", right)
    assert done.returncode == 0, done.stderr
    given.write_bytes(done.stdout)
    count = shell("pkt-stat --json --show totals", done.stdout).stdout
    assert int(count.partition(b'"packets":')[2].split(b",")[0]) > LEAST
    wrong = judged(given, WRONG)
    assert len(wrong) <= 24, shell("pkt-analyze --line -l 5", wrong).stdout.decode()
