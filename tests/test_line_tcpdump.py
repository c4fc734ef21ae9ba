"""pkt-analyze --line beside tcpdump's own lines: addresses, ports, flags, sizes and DNS names of a collection of real captures."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from conftest import shell

LINKS = (0, 1, 9, 12, 101, 113, 228, 229)
MAGIC = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}
ENDS = re.compile(r"IP6? (?:\(.*?\) )?(?:truncated-ip6? - \d+ bytes missing! ?)?([0-9a-f.:]+) > ([0-9a-f.:]+):(.*)")
# Where tcpdump has other addresses or ports than we do, by what its line says; and why.
OTHERWISE = {
    r"RT6": "a routing header stands between addresses and ports",
    r"PGM": "the ports stand in what it says of PGM",
    r"\[\|(tcp|udp)\]": "ports of a header that is not there as a whole",
    r"HBH truncated-ip6": "it takes a jumbo payload's length for that of the packet, and has no ports",
}
LINKTYPE_SAYS_OTHERWISE = ("LINKTYPE_IPV4_invalid.pcap", "LINKTYPE_IPV6_invalid.pcap")  # tcpdump goes by the version in the packet


def records(folder: Path) -> dict[int, list[tuple[str, bytes]]]:
    """File name and record of all packets, by link type; their times are the same."""
    found: dict[int, list[tuple[str, bytes]]] = {}
    for path in sorted(folder.glob("*.pcap")):
        data, at = path.read_bytes(), 24
        order = MAGIC.get(data[:4])
        if not order or len(data) < at:
            continue
        link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFFFFF
        while at + 16 <= len(data):
            captured, original = struct.unpack_from(order + "8x2I", data, at)
            if captured > 65535 or at + 16 + captured > len(data):
                break
            head = struct.pack("<4I", 1, 0, captured, max(captured, original) if original < 262144 else captured)
            found.setdefault(link, []).append((path.name, head + data[at + 16 : at + 16 + captured]))
            at += 16 + captured
    return found


def numbered(text: str) -> dict[int, str]:
    """tcpdump's lines by the number of the packet, without those that go on with it."""
    lines: dict[int, str] = {}
    last = 0
    for line in text.splitlines():
        match = re.match(r" *(\d+)  (\S.*)", line)
        if match and last < int(match[1]) < last + 50:  # else it is text of a packet
            last = int(match[1])
            lines[last] = match[2]
    return lines


def compared(name: str, theirs: str, ours: str) -> tuple[str, str]:
    """What was compared, and what differs and why; "" for nothing, `other` where nothing is known of it."""
    match = ENDS.match(theirs)
    if not match:
        return "", ""
    source, target, rest = match.groups()
    said = re.match(r"(\S+) > (\S+) (?:\S+ )+?(\d+)(.*)", ours)
    if not said or (said[1], said[2]) != (source, target):
        if name in LINKTYPE_SAYS_OTHERWISE:
            return "ends", "the link type says another version"
        return "ends", next((why for pattern, why in OTHERWISE.items() if re.search(pattern, theirs)), "other")
    flags, size = re.match(r" Flags \[(.*?)\]", rest), re.search(r"length (\d+)", rest)
    if flags:
        letters = re.match(r" \[([A-Za-z.]*)\]", said[4])
        if not letters or letters[1].rstrip("e") != flags[1].replace("none", "").rstrip("e"):  # some have no letter for AE
            return "flags", "other"
        return "flags and size", "other" if size and size[1] != said[3] else ""
    if bad := re.match(r" UDP, bad length (\d+) > (\d+)", rest):
        return "size", "the length of UDP is beyond the datagram" if said[3] == bad[2] else "other"
    if re.match(r" (UDP|ICMP6?)\b.*, length \d+$", rest) and size:
        return "size", "other" if size[1] != said[3] else ""
    if question := re.search(r" ([A-Z]+\?) (\S+?\.) \((\d+)\)$", rest):
        if f"{question[1]} {question[2]}" not in ours:
            return "DNS", "other"
        return "DNS", "" if said[3] == question[3] else "a byte of the datagram is missing" if "truncated-ip" in theirs else "other"
    return "ends", ""


def test_beside_tcpdump(shared):
    """What differs is known, and why."""
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not there")
    counts: Counter[tuple[str, str]] = Counter()
    unknown = []
    found = records(shared / "captures/tcpdump")
    for link in LINKS:
        packets = found.get(link, [])
        capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link) + b"".join(record for _, record in packets)
        theirs = subprocess.run(["tcpdump", "-n", "-#", "-t", "-r", "-"], input=capture, capture_output=True, check=False).stdout
        ours = shell("pkt-analyze --line --relative", capture).stdout.decode("ascii").splitlines()
        assert len(ours) == len(packets)
        for number, line in numbered(theirs.decode("latin1")).items():
            name, said = packets[number - 1][0], ours[number - 1].split(" ", 2)[2]
            what, why = compared(name, line, said)
            counts[what, why] += bool(what)
            if why == "other":
                unknown.append((name, number, line, said))
    assert not unknown
    assert counts["flags and size", ""] > 500 and counts["DNS", ""] > 30 and counts["ends", ""] > 500
    assert sum(count for (_, why), count in counts.items() if why) < 100
