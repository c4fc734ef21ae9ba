"""pkt-stat beside capinfos and tshark, over real captures: what differs is listed here, with the reason."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from captured import opened
from conftest import shell

from pkttools.errors import PktError
from pkttools.formats import packets
from pkttools.statistics.figures import Figures, Snapshot

# Files whose names say that they are damaged: readers guess there, each in its way.
DAMAGED = ("oob", "asan", "overflow", "heap", "segv", "crash", "loop", "fuzz", "bad", "invalid", "overrun", "underread", "ndo",
           "infinite", "malformed", "length", "trunc", "corrupt")  # fmt: skip

SHORTER = "it says that fewer bytes were on the wire than were captured: no fewer count here"
TIMES = "its fractions of a second are more than a second, or below zero: carried here, cut or printed as they are by capinfos"
ORDER = "not in order, with times beyond 2^31 seconds: capinfos names some that are not the earliest or the latest"
CAPINFOS = {
    "aoe-oobr-1.pcap": SHORTER, "atm-heapoverflow.pcap": SHORTER, "atm-oam-heapoverflow.pcap": SHORTER,
    "atm-oam-loopback-print-overrun.pcap": SHORTER, "icmp-icmp_print-oobr-2.pcap": SHORTER, "pim_header_asan-2.pcap": SHORTER,
    "rsvp-rsvp_obj_print-oobr.pcap": SHORTER, "slip-compressed_sl_print-oobr.pcap": SHORTER,
    "slip-sliplink_print-oobr.pcap": SHORTER, "rx_serviceid_oobr.pcap": TIMES, "timestamp_invalid_micro.pcap": TIMES,
    "timestamp_invalid_nano.pcap": TIMES, "bgp_vpn_rt-oobr.pcap": ORDER, "olsr-oobr-2.pcap": ORDER,
}  # fmt: skip

CISCO = "behind Cisco's metadata, which is not followed here"
ARISTA = "behind Arista's header with a time, which is not followed here"
PORT = "VXLAN on another port than IANA's, which is not followed by tshark"
CUT = "in a packet whose inner header was cut, or is none"
ENDPOINTS = {
    "10.172.64.6": CISCO, "10.172.64.7": CISCO, "172.17.1.54": CISCO, "172.17.1.55": CISCO, "224.0.0.13": CISCO,
    "10.136.1.32": ARISTA, "10.2.23.24": ARISTA, "192.168.203.3": PORT, "192.168.203.5": PORT,
}  # fmt: skip
MOST_CUT = 20  # addresses, of all


def captures(shared: Path) -> Path:
    folder = shared / "captures"
    if not folder.is_dir():
        pytest.skip(f"{shared.name}/captures is not there")
    return folder


def needs(tool: str) -> None:
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


def counted(path: Path) -> Snapshot | None:
    """What is counted of a file; None where it is none."""
    figures = Figures(set())
    try:
        with opened(path) as source:
            for batch in packets(source):
                figures.add(batch)
    except PktError:
        return None
    return figures.read()


def nanoseconds(seconds: str) -> int:
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 10**9 + int(f"{fraction:0<9}") if "-" not in seconds else -1


def test_capinfos(shared):
    """Packets, bytes, the earliest and the latest time of each file that both can read."""
    needs("capinfos")
    paths = sorted((captures(shared) / "tcpdump").iterdir())
    words = ["capinfos", "-M", "-T", "-r", "-c", "-d", "-a", "-e", "-S"]
    done = subprocess.run([*words, *map(str, paths)], capture_output=True, text=True, check=False)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    different = set()
    compared = 0
    for name, count, octets, *times in rows:
        found = counted(Path(name))
        if found is None:
            continue
        compared += 1
        same = (found.packets, found.bytes) == (int(count), int(octets))
        if same and found.packets:
            same = [found.earliest, found.latest] == [nanoseconds(time) for time in times]
        if not same:
            different.add(Path(name).name)
    assert different == set(CAPINFOS)
    assert compared > 700


def test_tshark_endpoints(shared, tmp_path):
    """Packets and bytes from each address, and to it, at all levels together: tshark has no levels."""
    needs("tshark")
    folder = captures(shared)
    with (folder / "MANIFEST.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["linktype"] == "1" and row["tcpdump_ok"] == "yes"]
    names = [row["path"] for row in rows if row["path"].startswith("tcpdump/") and not any(word in row["path"] for word in DAMAGED)]
    inputs = " ".join(f"--in '{folder / name}'" for name in names)
    joined = tmp_path / "joined.pcapng"
    assert shell(f"pkt-txt2pcapng {inputs} --out {joined}").returncode == 0
    done = shell(f"tshark -n -q -z endpoints,ip -z endpoints,ipv6 -r {joined}")
    theirs = {}
    for line in done.stdout.decode().splitlines():
        if re.match(r"[0-9a-f.:]+ +\d", line):
            address, _, _, *counts = line.split()
            theirs[address] = [int(count) for count in counts[:4]]
    ours: dict[str, list[int]] = defaultdict(lambda: [0] * 4)
    for row in json.loads(shell(f"pkt-stat --json --top 0 --show talkers --in {joined}").stdout)["talkers"]["rows"]:
        for i, (way, what) in enumerate((way, what) for way in ("sent", "received") for what in ("packets", "bytes")):
            ours[row["address"]][i] += row[way][what]
    different = {address for address in ours.keys() | theirs.keys() if ours.get(address) != theirs.get(address)}
    assert different >= set(ENDPOINTS)
    assert len(different - set(ENDPOINTS)) <= MOST_CUT, CUT
    assert len(theirs) > 300
