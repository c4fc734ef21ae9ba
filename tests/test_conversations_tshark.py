"""Conversations of real and malformed captures beside tshark's; what differs, and why."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from captured import opened
from conftest import SHARED

from pkttools import codec
from pkttools.formats import packets
from pkttools.statistics.conversations import AS_THEY_CAME, Conversations

End = tuple[str, int]
Found = dict[frozenset[End], int]  # packets of both ways

# What tunnels go over: tshark counts the outer datagram as well, and both with the whole frame; ours is of the innermost one.
TUNNELS = {4789, 4790, 6081, 6635, 8472}
OTHERS = {
    # A header that is cut, or says an impossible size: tshark finds no segment in it, its ports are there.
    (("127.0.0.1", 23), ("127.0.0.1", 57370)),
    # Redirected by WCCP in GRE: what is in there is not followed by ours.
    (("10.254.108.228", 445), ("10.254.127.195", 1291)),
    (("204.9.51.132", 27759), ("204.9.54.80", 4782)),
    # A route of IPv6: ours takes the addresses of the header, tshark the end of the route.
    (("12::1", 57745), ("2::f1:0", 5001)),
    (("12::1", 57745), ("b2::2", 5001)),
    (("2200::210:2:0:0:4", 5642), ("2200::244:212:3fff:feae:22f7", 5645)),
    (("2200::211:2:0:0:2", 5642), ("2200::244:212:3fff:feae:22f7", 5645)),
}


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Path:
    """All packets in Ethernet of classic captures that are whole, in one file."""
    whole = tmp_path_factory.mktemp("captures") / "all.pcap"
    with whole.open("wb") as out:
        out.write(bytes.fromhex("d4c3b2a1 02000400 00000000 00000000 00000400 01000000"))
        for path in sorted((SHARED / "captures/tcpdump").glob("*.pcap")):
            data = path.read_bytes()
            if data[:4] == b"\xd4\xc3\xb2\xa1" and data[20:24] == b"\1\0\0\0" and len(data) < 1 << 20:
                used, _, error = codec.pcap_decode(data, 24, len(data), True, False, False, 16, 0, 1)
                if error is None and used == len(data):
                    out.write(data[24:])
    if whole.stat().st_size == 24:
        pytest.skip("no captures beside the checkout")
    return whole


def ours(capture: Path, protocol: str) -> Found:
    """What Conversations says."""
    made, found = Conversations(), Found()
    with opened(capture) as source:
        for batch in packets(source):
            made.add(batch)
    for one in made.read(AS_THEY_CAME):
        if one.protocol == protocol and one.source_port is not None and one.destination_port is not None:
            ends = frozenset([(one.source, one.source_port), (one.destination, one.destination_port)])
            found[ends] = found.get(ends, 0) + sum(one.packets)
    return found


def theirs(capture: Path, protocol: str) -> Found:
    """What tshark says, which knows no VLANs: of the same ends together."""
    words = ["tshark", "-n", "-q", "-o", "ip.defragment:FALSE", "-z", f"conv,{protocol}", "-r", str(capture)]
    found: Found = {}
    for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines():
        if match := re.match(r"(\S+):(\d+)\s+<->\s+(\S+):(\d+)\s", line):
            counts = re.findall(r"(\d+)\s+\d+\s*(?:bytes|kB|MB)", line)
            ends = frozenset([(match[1], int(match[2])), (match[3], int(match[4]))])
            found[ends] = found.get(ends, 0) + int(counts[2])
    return found


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
@pytest.mark.parametrize(("protocol", "least"), [("tcp", 80), ("udp", 160)])
def test_as_tshark_counts(capture, protocol, least):
    one, other = ours(capture, protocol), theirs(capture, protocol)
    differ = {ends for ends in one.keys() | other.keys() if one.get(ends) != other.get(ends)}
    outer = {ends for ends in differ if protocol == "udp" and ends not in one and any(port in TUNNELS for _, port in ends)}
    assert differ - outer <= {frozenset(ends) for ends in OTHERS}
    assert len(one.keys() - differ) >= least
