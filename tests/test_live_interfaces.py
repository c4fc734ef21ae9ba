"""pkt-recv -D: the list of interfaces, beside what ip(8) says of them."""

import json
import sys

import pytest
from conftest import ROOT, shell
from netns import UNPRIVILEGED, Lab
from netns import lab as _lab

from pkttools.live.interfaces import lines

lab = _lab
MANY = """
ip link set eth0 up
ip addr add 192.0.2.7/25 dev eth0 label eth0:1
ip addr add 198.51.100.1/32 dev eth0
ip link add dangling type veth peer name other
ip link set dangling up
ip tuntap add dev tun0 mode tun && ip addr add 10.9.0.1 peer 10.9.0.2/30 dev tun0
for name in eth0 dangling; do echo 0 > /proc/sys/net/ipv6/conf/$name/disable_ipv6; done
ip addr add 2001:db8::1/64 dev eth0 nodad
ip addr add 2001:db8:1::1/128 dev dangling nodad
"""


@pytest.fixture
def many(lab) -> Lab:
    """A host with interfaces of several kinds, and several addresses."""
    done = lab.run("a", f"set -e; {MANY}")
    if done.returncode:
        pytest.skip(f"not possible here: {done.stderr.decode()}")
    return lab


def listed(text: bytes) -> dict[str, list[str]]:
    """The columns of each line by the interface's name; columns are two blanks apart."""
    rows = [[word.strip() for word in line.split("  ") if word.strip()] for line in text.decode().splitlines()]
    assert all(len(row) == 5 for row in rows)
    return {row[0]: row[1:] for row in rows}


def wanted(lab) -> dict[str, list[str]]:
    """The same by ip(8)."""
    rows = {}
    for link in json.loads(lab.must("a", "ip -j addr")):
        up = "UP" in link["flags"]
        state = "down" if not up else "no-carrier" if "NO-CARRIER" in link["flags"] or "LOWER_UP" not in link["flags"] else "up"
        linktype = {"ether": "1 (Ethernet)", "loopback": "1 (Ethernet)", "none": "101 (Raw IP)"}.get(link["link_type"], "-")
        mac = link.get("address", "-") if link["link_type"] in ("ether", "loopback") else "-"
        addresses = sorted(f"{each['local']}/{prefix(each)}" for each in link["addr_info"])
        rows[link["ifname"]] = [state, linktype, mac, addresses]
    return rows


def prefix(address: dict) -> int:
    return address["prefixlen"]


@pytest.mark.parametrize("privilege", ["", UNPRIVILEGED], ids=["root", "no privilege"])
def test_list_is_what_ip_says(many, privilege):
    done = many.run("a", f"{privilege} pkt-recv -D")
    assert (done.returncode, done.stderr) == (0, b"")
    found = {name: [*row[:3], sorted(row[3].split()) if row[3] != "-" else []] for name, row in listed(done.stdout).items()}
    assert found == wanted(many)
    assert found["eth0"][0] == "up"
    assert {"10.0.0.1/24", "192.0.2.7/25", "198.51.100.1/32", "2001:db8::1/64"} <= set(found["eth0"][3])
    assert (found["dangling"][0], found["other"][0], found["tun0"][:3]) == ("no-carrier", "down", ["down", "101 (Raw IP)", "-"])


def test_list_of_libpcap_has_the_same_and_more(many):
    ring, theirs = (listed(many.must("a", f"pkt-recv -D {option}")) for option in ("", "--libpcap"))
    assert "any" in theirs
    assert "any" not in ring
    assert set(ring) <= set(theirs)
    for name in ("eth0", "lo", "dangling", "other"):
        assert theirs[name][1:3] == ring[name][1:3]
        assert sorted(theirs[name][3].split()) == sorted(ring[name][3].split())
    assert theirs["other"][0] == "down"
    assert theirs["eth0"][0] == "up"


def test_lines_are_aligned(many):
    lines = many.must("a", "pkt-recv --list-interfaces").decode().splitlines()
    assert len({line.index("  " + name) for line in lines for name in ("up ", "down ", "no-carrier ") if "  " + name in line}) <= 2
    assert [line.split()[0] for line in lines if " 2001:db8::1/64" in line] == ["eth0"]


@pytest.mark.parametrize("options", ["-i lo", "IP.TTL==3", "-F pcap", "--libpcap -l 3"])
def test_the_list_stands_alone(options):
    done = shell(f"pkt-recv -D {options}")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"pkt-recv: -D stands alone, or with --libpcap\n")


def test_not_in_a_pipe():
    done = shell("pkt-pipe 'recv -D | change IP.TTL=3'")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-pipe: recv: --list-interfaces is for pkt-recv alone")


def test_a_reader_that_has_had_enough():
    done = shell("pkt-recv -D | true; echo ${PIPESTATUS[0]} >&2")
    assert done.stderr in (b"141\n", b"0\n")


@pytest.mark.parametrize(("where", "said"), [("> /dev/full", b"No space left on device"), (">&-", b"Bad file descriptor")])
def test_nowhere_to_write(where, said):
    done = shell(f"pkt-recv -D {where}")
    assert (done.returncode, done.stderr) == (1, b"pkt-recv: <stdout>: " + said + b"\n")


def test_no_interface_at_all():
    assert lines([]) == []


# Addresses as the BSDs lay them out: length and family in a byte each, netmasks without their zeros.
BSD = """
import ctypes, sys
sys.platform = "freebsd14"
from pkttools.live import interfaces
from pkttools.live.interfaces import Interface, lines
import socket
def lie(data):
    kept.append(ctypes.create_string_buffer(data))
    return ctypes.addressof(kept[-1])
kept, found = [], Interface("em0", "up")
found.learn(lie(bytes([54, 18, 2, 0, 6, 3, 6, 0]) + b"em0" + bytes.fromhex("02000000000a") + bytes(37)), None)
found.learn(lie(bytes([16, 2, 0, 0, 10, 0, 0, 1]) + bytes(8)), lie(bytes([7, 0, 0, 0, 255, 255, 255])))
link_local = bytes.fromhex("fe80000100000000000000000000000a")
found.learn(lie(bytes([28, socket.AF_INET6, 0, 0, 0, 0, 0, 0]) + link_local + bytes(4)),
            lie(bytes([16, socket.AF_INET6, 0, 0, 0, 0, 0, 0]) + b"\\xff" * 8))
print(*lines([found]))
"""


def test_addresses_of_the_bsds():
    done = shell(f"{sys.executable} -c '{BSD}'", PYTHONPATH=str(ROOT))
    assert done.stderr == b""
    assert done.stdout.decode() == "em0  up  1 (Ethernet)  02:00:00:00:00:0a  10.0.0.1/24 fe80::a/64\n"
