"""pkt-switch among four hosts: what passes, what does not, what is learnt, and that nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import subprocess
import sys

import pytest
from netns import UNPRIVILEGED, finish
from switched import HOSTS, IP, MAC, PORTS, net
from waits import until

__all__ = ["net"]

ALL = "ff:ff:ff:ff:ff:ff"
SIZE = 10_000_000  # bytes of a transfer
SERVE = """
import hashlib, socket
server = socket.create_server(("", 5000))
peer, _ = server.accept()
found, size = hashlib.sha256(), 0
while data := peer.recv(1 << 20):
    found.update(data)
    size += len(data)
print(size, found.hexdigest())
"""
SEND = """
import random, socket, sys
data = random.Random(5).randbytes(int(sys.argv[2]))
peer = socket.create_connection((sys.argv[1], 5000), 15)
peer.settimeout(15)
peer.sendall(data)
peer.shutdown(socket.SHUT_WR)
assert peer.recv(1) == b""
"""


def frame(to: str, by: str, number: int = 0, tags: bytes = b"", size: int = 60) -> bytes:
    """A frame of an experimental EtherType; to and by are hosts, or addresses."""
    macs = bytes.fromhex((MAC.get(to, to) + MAC.get(by, by)).replace(":", ""))
    head = macs + tags + struct.pack("!HI", 0x88B5, number)
    return head.ljust(size, b"z")


def learn(net, *hosts: str) -> None:
    """Lets hosts be learnt."""
    for host in hosts:
        net.inject(host, [frame(host, host)])
    until(lambda: all(MAC[host] in net.stations() for host in hosts), f"addresses of {hosts}")


def taken(process: subprocess.Popen[bytes]) -> list[bytes]:
    """What a collector took off the wire."""
    return [bytes.fromhex(line.decode()) for line in finish(process, timeout=30)[1].split()]


def transfer(net, client: str, server: str, size: int = SIZE) -> None:
    """TCP from one host to another: what arrives is what was sent."""
    import random

    served = net.start(server, f"exec {sys.executable} -c '{SERVE}'")
    until(lambda: ":1388 00000000:0000 0A" in net.proc(server, "tcp"), "listener")
    done = net.run(client, f"exec {sys.executable} -c '{SEND}' {IP[server]} {size}", timeout=40)
    assert done.returncode == 0, done.stderr.decode()
    code, out, said = finish(served)
    assert (code, out.decode().split()) == (0, [str(size), hashlib.sha256(random.Random(5).randbytes(size)).hexdigest()]), said


def ping(net, host: str, other: str, seconds: float = 5) -> int:
    """How many of three pings are answered: within `seconds`, if none is, and otherwise within 5.

    Once something was answered, ping(8) waits for the rest as long as its interval, or twice as long as the slowest took.
    """
    done = net.run(host, f"ping -c 3 -l 3 -i 5 -W {seconds} {IP[other]}")
    return int(done.stdout.split(b" received")[0].split()[-1])


# ---- what passes ----


def test_four_hosts_reach_each_other(net):
    switch = net.switch()
    for host in HOSTS:
        for other in HOSTS:
            assert host == other or ping(net, host, other) == 3
    assert net.stations() == {MAC[host]: port for host, port in zip(HOSTS, PORTS, strict=True)}
    said = net.stop(switch)
    assert len(said) == 5 and all(f"{port}: " in line for port, line in zip(PORTS, said[1:], strict=True))
    assert not any("lost" in line or "not sent" in line for line in said)


def test_tcp_with_offloads(net):
    switch = net.switch()
    assert b"tcp-segmentation-offload: on" in net.must("h1", "ethtool -k eth0")
    transfer(net, "h1", "h2")
    transfer(net, "h4", "h3")
    assert net.total("in") < SIZE / 1448  # frames were larger than the wire's
    net.stop(switch)


def test_the_python_functions_carry_it_too(net):
    net.environment["PKTTOOLS_CODEC"] = "python"
    switch = net.switch()
    assert ping(net, "h1", "h2") == 3
    transfer(net, "h1", "h2", 1_000_000)
    net.stop(switch)


def test_tags_are_carried_both_ways(net):
    switch = net.switch()
    learn(net, "h1", "h2")
    tags = [bytes.fromhex(words) for words in ("81002000", "8100602a", "88a8602a", "88a8000581000007", "8100002a81000007", "")]
    for host, other in (("h1", "h2"), ("h2", "h1")):
        sent = [frame(other, host, i, tag) for i, tag in enumerate(tags)]
        collector = net.collect(other, len(sent))
        net.inject(host, sent)
        assert taken(collector) == sent
    net.stop(switch)


def test_frames_longer_than_the_mtu_are_counted(net):
    net.must("sw", "ip link set p1 mtu 3000")
    net.must("h1", "ip link set eth0 mtu 3000")
    switch = net.switch()
    learn(net, "h1", "h2")
    sent = [frame("h2", "h1", 1), frame("h2", "h1", 2, size=1515), frame("h2", "h1", 3, size=2900), frame("h2", "h1", 4, size=1514)]
    collector = net.collect("h2", 2)
    net.inject("h1", sent)
    assert taken(collector) == [sent[0], sent[3]]
    until(lambda: net.show()["p2"]["too-long"] == "2", "count of frames too long")
    net.stop(switch)


def test_frames_larger_than_a_slot_keep_their_order_and_tags(net):
    """The MTU grows after the port was opened: what is larger than a slot comes through the socket."""
    switch = net.switch()
    learn(net, "h1", "h2")
    for host, port in (("h1", "p1"), ("h2", "p2")):
        net.must("sw", f"ip link set {port} mtu 9000")
        net.must(host, "ip link set eth0 mtu 9000")
    tags = bytes.fromhex("8100602a")
    sent = [frame("h2", "h1", i, tags * (i % 3 == 0), (60, 8999, 1500, 3000)[i % 4]) for i in range(40)]
    collector = net.collect("h2", len(sent))
    net.inject("h1", sent)
    assert taken(collector) == sent
    assert net.total("overrun") == net.total("too-long") == 0
    net.stop(switch)


def test_a_full_queue_drops_and_holds_nobody_up(net):
    if net.run("sw", "tc qdisc add dev p2 root bfifo limit 10").returncode:
        pytest.skip("tc has no bfifo here")
    switch = net.switch()
    learn(net, "h1", "h3")
    collector = net.collect("h3", 5)
    net.inject("h1", [frame(ALL, "h1", i) for i in range(5)])
    assert len(taken(collector)) == 5
    until(lambda: net.show()["p2"]["full"] == "5", "frames that found a full queue")
    assert net.total("overrun") == 0
    net.stop(switch)


# ---- what is learnt ----


def test_learning_flooding_and_moving(net):
    switch = net.switch()
    collectors = [net.collect(host, 1) for host in ("h2", "h3", "h4")]
    net.inject("h1", [frame("h2", "h1", 1)])
    assert [taken(one) for one in collectors] == [[frame("h2", "h1", 1)]] * 3  # not known: to all others
    assert net.stations() == {MAC["h1"]: "p1"}
    net.inject("h2", [frame("h1", "h1", 2)])  # a spoofed address
    until(lambda: net.stations().get(MAC["h1"]) == "p2", "station that moved")
    assert b"moved: 1" in net.must("sw", "pkt-switch show")
    for mode in ("show", "fdb", "show --report json"):
        for where, said in ((">&-", "Bad file descriptor"), ("> /dev/full", "No space left on device")):
            done = net.run("sw", f"pkt-switch {mode} {where}")
            assert (done.returncode, done.stderr.decode()) == (1, f"pkt-switch: <stdout>: {said}\n"), (mode, where)
    net.stop(switch)


def test_ageing(net):
    switch = net.switch("p1 p2 --age 3")

    def learnt() -> bool:
        net.inject("h1", [frame(ALL, "h1")])
        return MAC["h1"] in net.stations()

    until(learnt, "station")
    until(lambda: not net.stations(), "station that is forgotten")
    net.stop(switch)


def test_known_unicast_goes_to_one_and_never_back(net):
    switch = net.switch()
    learn(net, "h1", "h2")
    before = {port: row["out"] for port, row in net.show().items()}
    collector = net.collect("h2", 3)
    net.inject("h1", [frame("h2", "h1", i) for i in range(3)])
    assert len(taken(collector)) == 3
    filtered = int(net.show()["p1"]["same-port"])
    net.inject("h1", [frame("h1", "02:00:00:00:00:99", 7)])
    until(lambda: int(net.show()["p1"]["same-port"]) == filtered + 1, "frame for its own port")
    after = {port: row["out"] for port, row in net.show().items()}
    assert {port for port in PORTS if after[port] != before[port]} == {"p2"}
    net.stop(switch)


def test_frames_for_bridges_and_from_groups(net):
    switch = net.switch()
    collector = net.collect("h2", 1)
    reserved = [frame(f"01:80:c2:00:00:0{end}", "h1", 9) for end in "03ef"]
    last = frame("01:80:c2:00:00:10", "03:00:00:00:00:01", 5)
    net.inject("h1", [*reserved, last])
    assert taken(collector) == [last]
    until(lambda: net.show()["p1"]["reserved"] == "4", "frames for bridges alone")
    assert net.stations() == {MAC["h1"]: "p1"}
    net.stop(switch)


def test_a_flood_of_addresses_is_not_learnt(net):
    switch = net.switch("p1 p2 --fdb-size 10")
    collector = net.collect("h2", 100)
    net.inject("h1", [frame(ALL, f"02:00:00:00:01:{i:02x}", i) for i in range(100)])
    assert len(taken(collector)) == 100
    assert len(net.stations()) == 10
    assert any("90 times no room for an address" in line for line in net.stop(switch))


# ---- ports come and go ----


def test_ports_are_added_and_deleted_while_traffic_flows(net):
    switch = net.switch("p1 p2")
    pinging = net.start("h1", f"exec ping -i 0.01 {IP['h2']}")
    until(lambda: len(net.stations()) == 2, "two stations")
    net.must("sw", "pkt-switch add p3")
    assert ping(net, "h3", "h1") == 3
    net.must("sw", "pkt-switch delete p3")
    assert list(net.show()) == ["p1", "p2"] and MAC["h3"] not in net.stations()
    assert net.promiscuity("p3") == 0
    net.must("sw", "pkt-switch add p3")
    assert ping(net, "h2", "h3") == 3
    code, out, _ = finish(pinging, signal.SIGINT)
    assert code == 0 and b" 0% packet loss" in out
    for words, message in (
        ("add p3", "p3: it is a port already"),
        ("add p9", "p9: no such interface"),
        ("delete p4", "p4: no such port; there are p1, p2, p3"),
    ):
        done = net.run("sw", f"pkt-switch {words}")
        assert done.returncode == 1 and message in done.stderr.decode()
    net.stop(switch)


@pytest.mark.parametrize("how", ["ip link delete p2", "ip link set p2 down"])
def test_a_port_that_disappears_is_removed_and_the_rest_goes_on(net, how):
    switch = net.switch()
    learn(net, "h1", "h2")
    net.must("sw", how)
    until(lambda: list(net.show()) == ["p1", "p3", "p4"], "port that is gone")
    assert MAC["h2"] not in net.stations()
    assert ping(net, "h1", "h3") == 3
    said = net.stop(switch)
    assert any("p2: interface went down: it is no port any more" in line or "p2: interface is gone" in line for line in said)


def test_a_port_that_goes_down_while_large_frames_wait(net):
    """The socket's error comes instead of the frame that its slot announces: it is no frame that was lost."""
    switch = net.switch("p1 p2")
    learn(net, "h1", "h2")
    for host, port in (("h1", "p1"), ("h2", "p2")):
        net.must("sw", f"ip link set {port} mtu 9000")
        net.must(host, "ip link set eth0 mtu 9000")
    switch.send_signal(signal.SIGSTOP)
    net.inject("h1", [frame("h2", "h1", i, size=8000) for i in range(3)])
    net.must("sw", "ip link set p1 down")
    switch.send_signal(signal.SIGCONT)
    until(lambda: list(net.show()) == ["p2"], "port that is gone")
    net.stop(switch)


def test_an_interface_is_one_port_whatever_it_is_called(net):
    switch = net.switch("p1 p2")
    if net.run("sw", "ip link set p1 name q1").returncode:
        pytest.skip("this kernel renames nothing that is up")
    done = net.run("sw", "pkt-switch add q1")
    assert done.returncode == 1 and b"q1: it is a port already, as p1" in done.stderr
    assert ping(net, "h1", "h2") == 3
    net.must("sw", "pkt-switch delete p1 && pkt-switch add q1")
    assert ping(net, "h1", "h2") == 3
    net.stop(switch)


def test_without_a_port_it_ends(net):
    switch = net.switch("p1")
    net.must("sw", "ip link set p1 down")
    code, _, said = finish(switch)
    assert code == 1 and said[-1] == "pkt-switch: no port is left"


def test_promiscuity_is_given_back(net):
    assert net.promiscuity("p1") == 0
    switch = net.switch()
    assert net.promiscuity("p1") == 1
    net.stop(switch)
    assert net.promiscuity("p1") == 0


def test_nothing_is_left_of_one_that_is_killed(net):
    tap = net.run("sw", "test -w /dev/net/tun").returncode == 0
    switch = net.switch("p1 p2" + (" tap:t0" if tap else ""))
    assert net.promiscuity("p1") == 1
    switch.send_signal(signal.SIGKILL)
    switch.wait(10)
    assert net.promiscuity("p1") == net.promiscuity("p2") == 0
    assert b"t0" not in net.must("sw", "ip link")
    done = net.run("sw", "pkt-switch show")
    assert done.returncode == 1 and b"no switch is running" in done.stderr
    again = net.switch("p1 p2")  # the name is free
    net.stop(again)


# ---- what is done to what passes ----


def test_filter(net):
    switch = net.switch("p1 p2 --filter 'not ICMP'")
    assert ping(net, "h1", "h2", 0.2) == 0
    transfer(net, "h1", "h2", 100_000)
    assert int(net.show()["p1"]["filter"]) == 3
    net.stop(switch)


@pytest.mark.parametrize("change", ["IP.TTL=9", "IP.TTL-=1 ETHERNET.TYPE=0x0800"], ids=str)
def test_change(net, change):
    switch = net.switch(f"p1 p2 --change '{change}' -u --filter IP" if "ETHERNET" in change else f"p1 p2 --change '{change}' -u")
    if "ETHERNET" in change:
        for host, other in (("h1", "h2"), ("h2", "h1")):
            net.must(host, f"ip neigh add {IP[other]} lladdr {MAC[other]} dev eth0 nud permanent")
    done = net.run("h1", f"ping -c 1 -W 5 {IP['h2']}")
    assert (b"ttl=9 " if "=9" in change else b"ttl=63 ") in done.stdout
    transfer(net, "h1", "h2", 1_000_000)
    net.stop(switch)


def test_change_of_addresses_that_checksums_cover(net):
    """Each host sees the other one under another address: TCP goes on, with what it leaves to the card."""
    words = "p1 p2 --change 'IP.SRC_ADDR+=0x100 IP.DST_ADDR-=0x100' -u --filter 'IP.DST_ADDR > 10.0.1.0'"
    for host, other in (("h1", "h2"), ("h2", "h1")):
        alias = IP[other].replace("10.0.0", "10.0.1")
        net.must(host, f"ip route add {alias} dev eth0 && ip neigh add {alias} lladdr {MAC[other]} dev eth0 nud permanent")
    switch = net.switch(words)
    served = net.start("h2", f"exec {sys.executable} -c '{SERVE}'")
    until(lambda: ":1388 00000000:0000 0A" in net.proc("h2", "tcp"), "listener")
    done = net.run("h1", f"exec {sys.executable} -c '{SEND}' 10.0.1.2 1000000", timeout=40)
    assert done.returncode == 0, done.stderr.decode()
    assert finish(served)[1].startswith(b"1000000 ")
    net.stop(switch)


def test_mirror(net):
    switch = net.switch("p1 p2 p3 --mirror p4")
    collector = net.collect("h4", 3)
    sent = [frame(ALL, "h1", 1), frame("h1", "h1", 2), frame("01:80:c2:00:00:00", "h1", 3), frame("h2", "h1", 4)]
    net.inject("h1", sent)
    until(lambda: int(net.show()["p1"]["in"]) >= 4, "frames of h1")
    net.inject("h2", [frame("h1", "h2", 5)])
    assert taken(collector) == [sent[0], sent[3], frame("h1", "h2", 5)]
    net.inject("h4", [frame(ALL, "h4", 6)])  # the mirror takes nothing in
    net.inject("h3", [frame(ALL, "h3", 7)])
    until(lambda: net.show()["p3"]["in"] == "1", "frame of h3")
    assert net.show()["p1"]["out"] == "2" and MAC["h4"] not in net.stations()
    net.stop(switch)


def test_dump(net, tmp_path):
    target = tmp_path / "dump.txt"
    switch = net.switch(f"p1 p2 --dump {target}")
    assert ping(net, "h1", "h2") == 3
    transfer(net, "h1", "h2", 100_000)
    net.stop(switch)
    text = target.read_bytes()
    assert text.count(b"\n==\n") == text.count(b"\nIFACE: p") > 10
    assert b"\nIFACE: p1\nWAY: in\n" in text and b"\nIFACE: p2\nWAY: in\n" in text
    found = net.run("h1", "pkt-filter 'ICMP.TYPE==8' | grep -c ^==", text)
    assert found.stdout == b"3\n"
    assert net.run("h1", "pkt-check", text).returncode == 0  # checksums that were left to the card are finished


@pytest.mark.parametrize("ending", ["pcap", "pcapng"])
def test_dump_as_a_capture(net, tmp_path, ending):
    """The ending says it, as everywhere; pcapng has a place for the port."""
    target = tmp_path / f"dump.{ending}"
    switch = net.switch(f"p1 p2 --dump {target}")
    assert ping(net, "h1", "h2") == 3
    net.stop(switch)
    assert target.read_bytes()[:4] == {"pcap": b"\x4d\x3c\xb2\xa1", "pcapng": b"\n\r\r\n"}[ending]
    text = net.run("h1", f"pkt-filter ICMP --in {target}").stdout
    assert text.count(b"\n==\n") == 6
    assert (text.count(b"\nIFACE: p1\nWAY: in\n") == 3) == (ending == "pcapng")


def test_dump_to_standard_output_that_nobody_reads(net):
    """Frames pass whoever does not read; what is not written is said."""
    switch = net.start("sw", "exec pkt-switch run p1 p2 --dump -")
    until(lambda: net.running("switch"), "running switch")
    transfer(net, "h1", "h2", 40_000_000)
    assert ping(net, "h1", "h2") == 3
    switch.send_signal(signal.SIGINT)
    code = switch.wait(20)
    said = switch.stderr.read().decode()
    assert code == 1 and "--dump: <stdout>: nobody reads it\n" in said and "not written, or not in whole" in said


@pytest.mark.parametrize(
    ("dump", "why"), [("/dev/full", "/dev/full: No space left on device"), ("- | true", "<stdout>: nobody reads it any more")]
)
def test_dump_that_fails(net, dump, why):
    """What was not written is counted, with what waited then, and the reason is not that it was slow."""
    switch = net.start("sw", f"trap '' INT; pkt-switch run p1 p2 --dump {dump}")
    until(lambda: net.running("switch"), "running switch")
    assert ping(net, "h1", "h2") == 3
    transfer(net, "h1", "h2", 1_000_000)
    net.must("sw", "ip link set p1 down && ip link set p2 down")
    code, _, said = finish(switch)
    written = [line for line in said if "--dump" in line]
    assert code == 1 and written[0] == f"pkt-switch: --dump: {why}"
    passed = sum(int(line.split(";")[1].split()[0]) for line in said if "no port any more" in line)
    count = int(written[1].split()[2])
    assert len(written) == 2 and written[1].endswith(" not written, or not in whole") and 0 < count <= passed, said
    assert count == passed or "|" in dump  # a pipe may have taken some


# ---- who may, and what is wrong ----


def test_another_user_is_refused(net):
    if os.geteuid():
        pytest.skip("only root can be somebody else")
    switch = net.switch("p1 p2")
    done = net.run("sw", f"exec {sys.executable} -c '{STRANGER}'")
    assert done.stdout == b"refused\n", done.stderr.decode()
    net.stop(switch)


STRANGER = """
import os, socket
os.setuid(65534)
sock = socket.socket(socket.AF_UNIX)
sock.connect("\\0pkttools/0/switch/switch")
sock.settimeout(10)
try:
    sock.sendall(b"{\\"do\\": \\"delete\\", \\"port\\": \\"p1\\"}\\n")
    print("answered" if sock.recv(100) else "refused")
except OSError:
    print("refused")
"""


def test_one_that_connects_and_says_nothing_holds_nobody_up(net):
    switch = net.switch("p1 p2")
    silent = net.start("sw", f"exec {sys.executable} -c '{SILENT}'", subprocess.PIPE)
    assert silent.stdout.readline() == b"ready\n"
    assert ping(net, "h1", "h2") == 3
    assert list(net.show()) == ["p1", "p2"]
    net.stop(switch)


def test_many_that_say_little_hold_nobody_up(net):
    """More than the switch may have descriptors, and one that says a byte whenever it would be given up."""
    switch = net.switch("p1 p2")
    for _ in range(3):
        silent = net.start("sw", f"exec {sys.executable} -c '{SILENT.replace('range(1)', 'range(400)')}'", subprocess.PIPE)
        assert silent.stdout.readline() == b"ready\n"
    dripping = net.start("sw", f"exec {sys.executable} -c '{DRIP}'", subprocess.PIPE)
    assert dripping.stdout.readline() == b"ready\n"
    for _ in range(3):
        assert ping(net, "h1", "h2", 0.5) == 3
    assert list(net.show()) == ["p1", "p2"]
    net.stop(switch)


SILENT = """
import os, socket, sys
calls = [socket.socket(socket.AF_UNIX) for i in range(1)]
for sock in calls:
    sock.connect(f"\\0pkttools/{os.getuid()}/switch/switch")
print("ready", flush=True)
sys.stdin.read()
"""
DRIP = """
import os, socket, time
sock = socket.socket(socket.AF_UNIX)
sock.connect(f"\\0pkttools/{os.getuid()}/switch/switch")
while True:
    try:
        sock.send(b"x")
    except OSError:
        pass
    print("ready", flush=True)
    time.sleep(0.2)  # a byte now and then
"""


def test_two_switches_and_their_names(net):
    one, two = net.switch("p1 p2", "left"), net.switch("p3 p4", "right")
    assert ping(net, "h3", "h4") == 3 and ping(net, "h1", "h2") == 3
    done = net.run("sw", "pkt-switch show")
    assert done.returncode == 1 and b"there are left, right: --name says which" in done.stderr
    assert net.must("sw", "pkt-switch fdb --name right").count(b"p4") == 1
    done = net.run("sw", "pkt-switch run p1 --name left")
    assert done.returncode == 1 and b"switch left: there is one already" in done.stderr
    net.stop(one)
    assert net.must("sw", "pkt-switch show").startswith(b"port")  # the one that runs
    net.stop(two)


WRONG = [
    ("run p9", 1, "p9: no such interface; there are "),
    ("run lo", 1, "lo: a switch is for Ethernet"),
    ("run p1 p1", 1, "p1: it is a port already"),
    ("run p1 --mirror p1", 1, "p1: it is a port already"),
    ("run", 2, "run needs at least one PORT"),
    ("walk p1", 2, "wanted: run|show|fdb|add|delete"),
    ("", 2, "wanted: run|show|fdb|add|delete"),
    ("show p1", 2, "show takes no PORT"),
    ("add", 2, "add takes one PORT"),
    ("show --age 7", 2, "--age is for run"),
    ("run p1 --filter 'IP.TLL==1'", 2, "did you mean IP.TTL"),
    ("run p1 --change 'IP.TTL'", 2, "'IP.TTL' is no assignment"),
    ("run p1 --change 'IP.TTL=\"9'", 2, "a quote is missing"),
    ("run p1 --name 'a b'", 1, "a name is up to 64 characters"),
    ("run p1 --dump /nowhere/file", 1, "/nowhere/file: No such file or directory"),
    ("show", 1, "no switch is running here"),
    ("fdb --name other", 1, "no switch other is running"),
]


def test_what_is_wrong_is_said(net):
    for words, code, message in WRONG:
        done = net.run("sw", f"pkt-switch {words}")
        assert done.returncode == code and message in done.stderr.decode(), (words, done)
        assert b"Traceback" not in done.stderr
        assert net.promiscuity("p1") == 0


def test_no_privilege_and_an_interface_that_is_down(net):
    done = net.run("sw", f"{UNPRIVILEGED} pkt-switch run p1")
    assert done.returncode == 1 and b"p1: not allowed" in done.stderr
    net.must("sw", "ip link set p2 down")
    done = net.run("sw", "pkt-switch run p1 p2")
    assert done.returncode == 1 and b"p2: interface is down" in done.stderr


def test_no_more_than_24_ports(net):
    net.must("sw", "for i in $(seq 13); do ip link add x$i type veth peer name y$i; ip link set x$i up; ip link set y$i up; done")
    ports = " ".join(f"x{i} y{i}" for i in range(1, 13))
    switch = net.switch(ports)
    assert len(net.show()) == 24
    done = net.run("sw", "pkt-switch add x13")
    assert done.returncode == 1 and b"x13: a switch has at most 24 ports" in done.stderr
    net.stop(switch)


def test_it_ends_when_its_time_is_over(net):
    switch = net.start("sw", "exec pkt-switch run p1 p2 --duration 0.2")
    code, _, said = finish(switch)
    assert code == 0 and said[-1].startswith("pkt-switch: p2: ")


def test_a_tap_device_is_a_port(net):
    if net.run("sw", "test -w /dev/net/tun && exec 3<>/dev/net/tun").returncode:
        pytest.skip("/dev/net/tun may not be opened here")
    switch = net.switch("p1 tap:t0")
    net.must("sw", f"ip addr add {IP['h2']}/24 dev t0")
    until(lambda: b"state U" in net.must("sw", "ip -o link show t0"), "tap device")
    assert ping(net, "h1", "h2") == 3
    transfer_to_tap(net)
    assert set(net.stations().values()) == {"p1", "tap:t0"}
    done = net.run("sw", "pkt-switch add tap:t0")
    assert done.returncode == 1 and b"tap:t0: it is a port already" in done.stderr
    net.stop(switch)
    assert b"t0" not in net.must("sw", "ip link")


def test_what_a_tap_device_has_no_room_for_is_counted(net):
    if net.run("sw", "test -w /dev/net/tun && exec 3<>/dev/net/tun").returncode:
        pytest.skip("/dev/net/tun may not be opened here")
    switch = net.switch("p1 tap:t0")
    net.must("sw", "ip link set t0 txqueuelen 10 && ip addr add 10.9.0.1/24 dev t0")
    net.must("sw", f"ip neigh add 10.9.0.2 lladdr {MAC['h1']} dev t0 nud permanent")
    switch.send_signal(signal.SIGSTOP)
    net.must("sw", f"exec {sys.executable} -c '{FLOOD_TAP}'")
    switch.send_signal(signal.SIGCONT)
    until(lambda: int(net.show()["tap:t0"]["in"]) >= 10, "frames of the device")
    row = net.show()["tap:t0"]
    assert int(row["in"]) + int(row["overrun"]) >= 3000 > int(row["in"])
    assert any("tap:t0" in line and "lost for want of room" in line for line in net.stop(switch))


FLOOD_TAP = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(3000):
    sock.sendto(b"x", ("10.9.0.2", 9))
"""


def transfer_to_tap(net) -> None:
    """TCP from h1 to the host of the switch, over its TAP device."""
    served = net.start("sw", f"exec {sys.executable} -c '{SERVE}'")
    until(lambda: ":1388 00000000:0000 0A" in net.proc("sw", "tcp"), "listener")
    done = net.run("h1", f"exec {sys.executable} -c '{SEND}' {IP['h2']} 1000000", timeout=40)
    assert done.returncode == 0, done.stderr.decode()
    assert finish(served)[1].startswith(b"1000000 ")
