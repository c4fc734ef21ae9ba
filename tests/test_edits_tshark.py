"""What was right in real captures is right after every command that changes packets: tshark finds no wrong checksum."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import shell
from test_protocols_tshark import CHECKS

WRONG = '_ws.expert.group == "Checksum"'  # whichever protocol's it is
# What we do not follow, and say so; and CDP, whose sum is not that of RFC 1071. Nobody's checksum follows in these.
NAMES = ("arcnet", "ipoib", "fr", "macsec", "nhrp", "avsp", "cmd", "cdp")
UNFOLLOWED = " || ".join(['frame.protocols contains "juniper"', *NAMES, "gre.proto == 0x883e"])
LEAST = 4500  # packets, else it is no test
KEY = "--key-file key"
COMMANDS = [
    "pkt-map --map 0.0.0.0/0=198.18.0.0/15 --map ::/0=2001:db8::/32 --port 53=5353 --port 80=8080 --mac 0/0=02:00:00:00:00:00/8",
    "pkt-map --random --seed 5",
    "pkt-map --nptv6 2000::/3=fd00:1::/48",
    "pkt-map --endpoints 192.0.2.1:192.0.2.2",
    f"pkt-map --anonymise {KEY}",
    f"pkt-map --anonymise {KEY} --leave vendors --wipe --shift 1d",
    "pkt-change -u --swap IP.TTL-=1 IPV6.HOP_LIMIT-=1 IP.TOS=4",
    "pkt-change --payload 'other words' --follow-tcp --if 'not IGMP'",  # whose sum tshark takes of 8 octets, RFC 2236 of all
    "pkt-change --payload 'an odd number of words' --layer UDP",
    "pkt-change --replace 's/e/longer/g'",
    f"pkt-change --grow UDP.DATA={'a1' * 333} TCP.DATA={'b2' * 333}",
    "pkt-segment --size 100",
    "pkt-segment --size 256 --udp fragments",
    "pkt-segment --merge",
    "pkt-wrap VLAN VLAN.ID=5",
    "pkt-wrap vxlan --src 192.0.2.1 --dst 192.0.2.2",
    "pkt-wrap geneve --src 2001:db8::1",
    "pkt-wrap --at IP ipip --if IP",
    "pkt-wrap --at IP gre --if IP",
    "pkt-wrap --at IP MPLS MPLS.LABEL=16 --if IP",
    "pkt-unwrap VLAN --all",
    "pkt-unwrap GRE --all",
    "pkt-unwrap ETHERNET",
    "pkt-fragment -fm 576 -fc",
    "pkt-cut --snap 80 --if 'not EIGRP'",  # which tshark judges by what is left, too
    "pkt-cut --bytes 100..110 --if 'not ICMP'",  # behind what is quoted an extension may be, always in the same place
    "pkt-cut --bytes -6..-1",
    "pkt-cut --fix-length 70",
    "pkt-cut --fix-length 1001",
    "pkt-cut --pad",
    "pkt-cut --strip-trailer --add-fcs",
    "pkt-time --scale 1/3 --shift 1d",
    "pkt-impair --duplicate 10% --delay 5ms --jitter 5ms --seed 5",
]


@pytest.fixture(scope="module")
def right(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packets of all real captures, of all link types, in which neither we nor tshark find anything wrong."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    folder = shared / "captures"
    with (folder / "MANIFEST.tsv").open() as rows:
        files = [folder / row["path"] for row in csv.DictReader(rows, delimiter="\t") if row["tcpdump_ok"] == "yes"]
    made = tmp_path_factory.mktemp("right")
    (made / "key").write_bytes(bytes(range(32)))
    words = " ".join(f"--in '{path}'" for path in files)
    done = shell(f"cd {made} && pkt-check -cs {words} --out all.pcapng")
    assert b"not read" not in done.stderr
    left = [f"NUMBER=={line.split()[0]}" for line in found(made / "all.pcapng", f"{WRONG} || _ws.malformed || {UNFOLLOWED}")]
    assert shell(f"cd {made} && pkt-filter -r {' '.join(left)} --in all.pcapng --out in.pcapng").returncode == 0
    return made


def found(capture: Path, wanted: str) -> list[str]:
    """What tshark says of the packets that it picks: their number, headers, and what there is to say."""
    options = [word for check in CHECKS for word in ("-o", check)]
    fields = [word for field in ("frame.number", "frame.protocols", "_ws.expert.message") for word in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", capture, *options, "-Y", wanted, "-T", "fields", *fields], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_checksum_becomes_wrong(right, command, tmp_path):
    if "--anonymise" in command:
        pytest.importorskip("cryptography", reason="cryptography is not installed")
    out = tmp_path / "out.pcapng"
    done = shell(f"cd {right} && {command} --in in.pcapng --out {out} -v")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.decode().splitlines() if " read, " in line]
    assert int(line.split()[1]) > LEAST
    assert out.read_bytes() != (right / "in.pcapng").read_bytes()
    assert not found(out, WRONG)
