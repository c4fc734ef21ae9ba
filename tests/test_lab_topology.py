"""The language of topologies: what statements mean, and what is said about wrong ones."""

from __future__ import annotations

import sys

import pytest

if sys.platform != "linux":
    pytest.skip("namespaces are Linux's", allow_module_level=True)

from pkttools.errors import PktError, UsageError
from pkttools.lab import build
from pkttools.lab.topology import FORMS, Topology, lines, read


def of(*statements: str) -> Topology:
    return read(lines([*statements]))


def test_a_wire_makes_hosts_and_interfaces():
    made = of("wire alice 10.0.0.1/24 fd00::1/64 sw", "wire bob:lan0 sw:p1", "wire alice sw", "host dave")
    assert {name: [*host.interfaces] for name, host in made.hosts.items()} == {
        "alice": ["eth0", "eth1"], "sw": ["eth0", "p1", "eth1"], "bob": ["lan0"], "dave": [],
    }  # fmt: skip
    eth0 = made.hosts["alice"].interfaces["eth0"]
    assert [str(address) for address, _ in eth0.addresses] == ["10.0.0.1/24", "fd00::1/64"]
    assert eth0.peer == ("sw", "eth0")
    assert made.hosts["sw"].interfaces["p1"].peer == ("bob", "lan0")
    assert [one.mac for one in made.hosts["sw"].interfaces.values()] == [f"02:00:00:00:02:0{i}" for i in (1, 2, 3)]
    assert len({one.index for host in made.hosts.values() for one in host.interfaces.values()}) == 6
    assert made.hosts["alice"].ipv6
    assert not made.hosts["bob"].ipv6


def test_a_loop_is_a_wire():
    assert of("wire sw:a sw:b").hosts["sw"].interfaces["a"].peer == ("sw", "b")


def test_what_other_statements_set():
    made = of(
        "wire a 10.0.0.1/24 r:lan", "bridge r:br0 lan", "address r:br0 10.0.0.9/24", "route a default via 10.0.0.9",
        "route a 10.9.0.0/16 via 10.0.0.8", "forward r", "mac a:eth0 02:AA:00:00:00:07", "mtu a:eth0 9000", "offload a:eth0 off",
        "neighbour a:eth0 10.0.0.8 02:00:00:00:00:08", "optional # nothing more",
    )  # fmt: skip
    a, r = made.hosts["a"], made.hosts["r"]
    eth0 = a.interfaces["eth0"]
    assert (eth0.mac, eth0.mtu, eth0.offload) == ("02:aa:00:00:00:07", 9000, False)
    assert [words[:2] for words in eth0.neighbours] == [("10.0.0.8", "02:00:00:00:00:08")]
    assert [words[:2] for words in a.routes] == [("default", "10.0.0.9"), ("10.9.0.0/16", "10.0.0.8")]
    assert (r.forward, a.forward, r.interfaces["br0"].ports) == (True, False, ["lan"])
    assert (made.optional, made.root) == (True, False)


@pytest.mark.parametrize("talks", [False, True])
def test_what_ip_has_to_do(talks, monkeypatch):
    """The host that comes first makes the wire; each line is known by its statement. IPv6 that could not be told is told here."""
    monkeypatch.setattr(build, "makes_addresses", lambda: talks)
    made = of("wire a 10.0.0.1/24 b fd00::2/64", "mtu b:eth0 1280", "route a default via 10.0.0.2")
    a, b = made.hosts.values()
    fds = {"a": 7, "b": 8}
    assert [line for line, _ in build.links(made, a, set(), fds)] == [
        "link add name eth0 index 257 address 02:00:00:00:01:01 type veth "
        "peer name eth0 index 513 address 02:00:00:00:02:01 mtu 1280 netns /proc/self/fd/8"
    ]
    assert build.links(made, b, {"a"}, fds) == []
    assert [line for line, _ in build.settings(a)] == [
        "link set lo up", *["link set dev eth0 addrgenmode none"] * talks, "address add 10.0.0.1/24 dev eth0",
        "link set dev eth0 up", "route add default via 10.0.0.2",
    ]  # fmt: skip
    assert build.settings(a)[-1][1].place == "'route a default via 10.0.0.2'"
    assert "address add fd00::2/64 nodad dev eth0" in [line for line, _ in build.settings(b)]


WRONG = {
    "hosts a": "no statement 'hosts'; there are host, wire, bridge",
    "host": "wanted: host NAME...",
    "host a_b": "'a_b' is no name of a host: letters, digits and dashes, up to 63",
    "wire a": "wanted: wire HOST[:INTERFACE]",
    "wire a b c": "wanted: wire",
    "wire 10.0.0.1/24 a b": "wanted: wire",
    "wire a: b": "wanted: wire",
    "wire a 10.0.0.300/24 b": "bad address: '10.0.0.300/24' does not appear to be an IPv4 or IPv6 interface",
    "wire a 10.0.0.1/33 b": "bad address: '10.0.0.1/33' does not",
    "wire a:sixteen-letters0 b": "'sixteen-letters0' is no name for an interface",
    "wire a:lo b": "'lo' is no name for an interface",
    "wire a:x;y b": "'x;y' is no name for an interface",
    "wire x:eth0 b": "x:eth0 is in use already (file:1)",
    "wire z:e z:e": "z:e is in use already (file:2)",
    "bridge x:eth0 eth0": "x:eth0 is in use already (file:1)",
    "bridge x:br0": "wanted: bridge HOST:NAME PORT...",
    "bridge x:br0 eth9": "no interface eth9 in x that could be a port; write `wire x:eth9 ...`",
    "bridge x:br0 eth0 eth0": "x:eth0 is a port twice",
    "address x 10.0.0.3/24": "no interface (HOST:INTERFACE is wanted) in x; there are eth0",
    "address x:eth7 10.0.0.3/24": "no interface eth7 in x; there are eth0",
    "wire a fe80::1%eth0/64 b": "bad address: 'fe80::1%eth0/64' has a scope",
    "route x default via fe80::1%eth0": "bad address: 'fe80::1%eth0' has a scope",
    "neighbour x:eth0 fe80::1%eth0 02:00:00:00:00:01": "bad address: 'fe80::1%eth0' has a scope",
    "address x:eth0 10.0.0.3": "bad address: '10.0.0.3' has no /LENGTH",
    "address x:eth0": "wanted: address",
    "route z default via 10.0.0.1": "no host z; there are x, y",
    "route x default 10.0.0.1": "wanted: route HOST default|NETWORK/LENGTH via ADDRESS",
    "route x 10.0.0.1/24 via 10.0.0.2": "bad address: 10.0.0.1/24 has host bits set",
    "route x fd00::/64 via 10.0.0.2": "fd00::/64 and 10.0.0.2 are not of one family",
    "route x default via nobody": "bad address: 'nobody' does not appear to be an IPv4 or IPv6 address",
    "forward z": "no host z; there are x, y",
    "mac x:eth0 02:00": "bad MAC address '02:00': such as 02:00:00:00:00:01",
    "mac x:eth0 03:00:00:00:00:01": "bad MAC address '03:00:00:00:00:01': an interface has none of a group",
    "mtu x:eth0 67": "bad MTU '67': from 68 to 65535 bytes",
    "mtu x:eth0 big": "bad MTU 'big'",
    "offload x:eth0 on": "wanted: offload HOST:INTERFACE off",
    "neighbour x:eth0 10.0.0.1": "wanted: neighbour",
    "neighbour x:eth0 10.0.0.1 zz": "bad MAC address 'zz'",
    "root 1": "wanted: root",
    "optional 1": "wanted: optional",
}


@pytest.mark.parametrize("statement", WRONG)
def test_a_wrong_statement_is_said_with_its_line(statement, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text(f"wire x y  # the first\n{statement}\n")
    with pytest.raises(PktError) as caught:
        of("file")
    assert str(caught.value).startswith(f"file:2: {WRONG[statement]}")


def test_every_statement_has_a_wrong_one():
    assert {statement.split()[0] for statement in WRONG} >= FORMS.keys()


def test_an_argument_that_is_wrong_is_wrong_usage():
    with pytest.raises(UsageError, match=r"'route z default via 10\.0\.0\.1': no host z; there are a, b"):
        of("wire a b", "route z   default via 10.0.0.1")
    with pytest.raises(PktError, match="the topology has no hosts"):
        read([])


def test_files_that_are_none(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, said in (("missing", "No such file or directory"), (".", "Is a directory"), ("binary", "it is no text")):
        with pytest.raises(PktError, match=f"{tmp_path / name}: {said}"):
            of(str(tmp_path / name))
    with pytest.raises(UsageError, match="'wires a b': no statement 'wires'; there are host, wire"):
        of("wires a b")


@pytest.mark.parametrize(("mtu", "good"), [(68, True), (67, False), (65535, True), (65536, False)])
def test_limits_of_an_mtu(mtu, good):
    """RFC 791 section 3.2: 68 bytes every module forwards; an IPv4 datagram has at most 65,535."""
    words = ("wire a 10.0.0.1/24 b", f"mtu a:eth0 {mtu}")
    if good:
        assert of(*words).hosts["a"].interfaces["eth0"].mtu == mtu
    else:
        with pytest.raises(UsageError, match="bad MTU"):
            of(*words)


@pytest.mark.parametrize(("mac", "address"), [
    ("02:00:00:00:01:02", "fe80::0000:00ff:fe00:0102"), ("00:11:22:33:44:55", "fe80::0211:22ff:fe33:4455"),
    ("fe:ff:ff:ff:ff:ff", "fe80::fcff:ffff:feff:ffff"),
])  # fmt: skip
def test_link_local_addresses(mac, address):
    """RFC 4291 appendix A: the universal/local bit is turned around, not set."""
    assert build.link_local(mac) == address
