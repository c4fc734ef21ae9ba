"""pkt-gen on a real wire: what arrives, who sees it on its way, and what is said of it."""

import re
import signal
import struct
import time

import pytest
from conftest import shell
from netns import MAC, UNPRIVILEGED, finish, frames_of, pcap, records
from netns import lab as _lab
from netns import labs as _labs
from waits import until

lab, labs = _lab, _labs

PORT = 4789  # of the packets here, so that they are told from others
OURS = f"--bpf 'udp port {PORT}'"


def account(lines: list[str], name: str = "eth0") -> tuple[int, int, int, int]:
    """The numbers of the account: attempted, sent, failed, bytes."""
    (line,) = [line for line in lines if " attempted = " in line]
    found = re.match(rf"pkt-gen: {name}: (\d+) attempted = (\d+) sent \+ (\d+) failed[^;]*; (\d+) bytes in \d+\.\d+ s", line)
    assert found, lines
    return tuple(map(int, found.groups()))


def run(lab, words: str, code: int = 0, timeout: float = 60) -> list[str]:
    """Runs pkt-gen in host a; gives what it says."""
    done = lab.run("a", f"pkt-gen {words}", timeout=timeout)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    return done.stderr.decode().splitlines()


@pytest.mark.parametrize("way", ["queue", "direct"])
def test_what_arrives_is_what_would_be_written(labs, way):
    words = f"udp --dport {PORT} --sport 1..9 --size 64..90 --ip-ttl random --seed 5 --count 300"
    watch = labs.watch("b", 300)
    said = run(labs, f"{words} -i eth0 --xmit {way}")
    found = frames_of(finish(watch)[1])
    wanted = frames_of(shell(f"pkt-gen {words} --src-mac {MAC['a']} -F pcap").stdout)
    assert found == wanted
    assert account(said) == (300, 300, 0, sum(map(len, wanted)))


def test_own_address_and_given_ones(lab):
    watch = lab.watch("b", 4)
    run(lab, f"udp -i eth0 --dst-mac {MAC['b']}")
    run(lab, "udp -i eth0 --src-mac 02:00:00:00:00:55")
    run(lab, "arp -i eth0")
    run(lab, "arp -i eth0 --vlan 5")
    frames = frames_of(finish(watch)[1])
    assert frames[0][:12].hex(":") == f"{MAC['b']}:{MAC['a']}"
    assert frames[1][:12].hex(":") == "ff:ff:ff:ff:ff:ff:02:00:00:00:00:55"
    assert frames[2][6:12].hex(":") == frames[2][22:28].hex(":") == MAC["a"]
    assert frames[3][6:12].hex(":") == frames[3][22:28].hex(":") == MAC["a"]  # the tag is in another place by then


def seen(lab, host: str, way: str, interface: str = "eth0"):
    """Starts counting what comes in or goes out at an interface."""
    return lab.capture(host, f"exec pkt-recv -i {interface} -{way[0]}o {OURS} -F pcap")


def counts(captures: dict) -> dict:
    """Ends captures; gives how many of our frames each has seen."""
    return {name: len(frames_of(finish(process, signal.SIGINT)[1])) for name, process in captures.items()}


@pytest.mark.parametrize(("way", "out", "arrived"), [("queue", 100, 100), ("direct", 0, 100)])
def test_who_sees_what_is_sent(lab, way, out, arrived):
    """A capture at the sending end sees what goes through the queue, and nothing of what goes past it."""
    captures = {name: seen(lab, name[0], name[2:]) for name in ("a send", "a receive", "b receive", "b send")}
    run(lab, f"udp -i eth0 --xmit {way} --dport {PORT} --count 100")
    until(lambda: lab.counters("b")["rx"] >= 100, "packets at b")
    run(lab, f"udp -i eth0 --dport {PORT} --count 1")  # behind them, and seen by all: nothing is on its way any more
    assert counts(captures) == {"a send": out + 1, "a receive": 0, "b receive": arrived + 1, "b send": 0}


@pytest.mark.parametrize("made", ["tap:t0", "t0"])
def test_a_tap_device_receives(lab, made):
    lab.must("a", "ip tuntap add t0 mode tap && ip link set t0 up")
    capture, other = seen(lab, "a", "receive", "t0"), seen(lab, "a", "send", "t0")
    said = run(lab, f"udp -i {made} --xmit receive --dport {PORT} --count 100 --sport 1..")
    assert account(said, "t0")[:3] == (100, 100, 0)
    assert counts({"in": capture, "out": other}) == {"in": 100, "out": 0}


def test_a_tap_device_is_made_and_goes(lab):
    assert account(run(lab, "udp -i tap:mine --xmit receive --count 50"), "mine")[:3] == (50, 50, 0)
    assert "mine" not in lab.proc("a", "dev")


def test_a_tap_device_that_is_taken_or_down(lab):
    lab.must("a", "ip tuntap add t0 mode tap")
    said = run(lab, "udp -i t0 --xmit receive --count 3", 1)
    assert "3 attempted = 0 sent + 3 failed (3 interface is down)" in said[0]
    lab.must("a", "ip link set t0 up")
    holder = lab.start("a", "exec pkt-gen udp -i t0 --xmit receive --count 0 --rate 5")
    until(lambda: re.search(r"t0: *[1-9]", lab.proc("a", "dev")), "bytes that the device has received")
    assert "another program is attached" in run(lab, "udp -i t0 --xmit receive", 1)[0]
    finish(holder, signal.SIGINT)


def test_an_ethernet_interface_receives(lab):
    """By live XDP frames: they come in at the interface, and never were on the wire."""
    if lab.rootless:
        pytest.skip("XDP programs take the privilege of the first user namespace")
    before = lab.counters("a")["tx"], lab.counters("b")["rx"]
    captures = {name: seen(lab, name[0], name[2:]) for name in ("a receive", "a send", "b receive")}
    said = run(lab, f"udp -i eth0 --xmit receive --dport {PORT} --count 100")
    assert account(said)[:3] == (100, 100, 0)
    run(lab, f"udp -i eth0 --xmit receive --dport {PORT} --count 6 --sport 1..3")
    assert counts(captures) == {"a receive": 106, "a send": 0, "b receive": 0}
    assert (lab.counters("a")["tx"], lab.counters("b")["rx"]) == before
    attempted, sent, failed, _ = account(run(lab, "udp -i eth0 --xmit receive --sport random --duration 0.2"))
    assert 0 < attempted == sent < 1 << 16  # those that differ are not handed over so many at once: it would take long
    assert failed == 0


def test_names_of_tap_devices(lab):
    for name in ("averylongname123", "", "a/b", "t%d", "a:b"):
        assert f"'{name}' is no name for an interface" in run(lab, f"udp -i tap:{name} --xmit receive", 1)[0]
    assert account(run(lab, "udp -i tap:averylongname12 --xmit receive"), "averylongname12")[:3] == (1, 1, 0)


def test_loopback_takes_queue_and_direct(lab):
    capture = seen(lab, "a", "receive", "lo")
    for way in ("queue", "direct"):
        run(lab, f"udp -i lo --xmit {way} --dport {PORT} --count 10")
    assert counts({"lo": capture}) == {"lo": 20}


def test_a_rate_is_kept(lab):
    """None is early; how late one is depends on what else there is to do."""
    watch = lab.watch("b", 200)
    began = time.time_ns()
    said = run(lab, "udp -i eth0 --rate 200 --count 200")
    times = [when for when, _, _ in records(finish(watch)[1])]
    assert len(times) == 200
    assert all(when - began > n * 5_000_000 for n, when in enumerate(times))
    assert "late by" in said[0]


def test_a_duration_ends_it(lab):
    said = run(lab, "udp -i eth0 --rate 100 --duration 0.5")
    assert account(said)[:3] == (50, 50, 0)
    attempted, sent, failed, _ = account(run(lab, "udp -i eth0 --duration 0.2"))
    assert attempted == sent > 1000
    assert failed == 0
    assert lab.counters("b")["rx"] == 50 + sent
    assert account(run(lab, "udp -i eth0 --duration 0"))[:3] == (0, 0, 0)


def test_a_signal_ends_it_with_the_account(lab):
    for words, code in (("--count 0", 0), ("--count 100000000", 1), ("--count 0 --rate 20", 0)):
        before = lab.counters("b")["rx"]
        process = lab.start("a", f"exec pkt-gen udp -i eth0 {words}")
        until(lambda before=before: lab.counters("b")["rx"] > before + 2, "packets")
        found, out, lines = finish(process, signal.SIGINT)
        assert (found, out) == (code, b""), lines
        assert account(lines)[1] == lab.counters("b")["rx"] - before
        assert any("stopped by a signal" in line for line in lines) == bool(code)


def test_what_goes_wrong(lab):
    assert "no such interface; there are " in run(lab, "udp -i nothing", 1)[0]
    assert "no such interface" in run(lab, "udp -i nothing --xmit receive", 1)[0]
    said = run(lab, "udp -i eth0 --size 1510..1519 --count 10", 1)
    assert "10 attempted = 5 sent + 5 failed (5 too long for the MTU of 1500)" in said[0]
    lab.must("a", "ip link set eth0 down")
    assert run(lab, "udp -i eth0", 1) == ["pkt-gen: eth0: interface is down"]


def test_without_privilege(lab):
    done = lab.run("a", f"{UNPRIVILEGED} pkt-gen udp -i eth0")
    assert done.returncode == 1
    assert done.stderr.startswith(b"pkt-gen: eth0: not allowed to send: run it as root, with CAP_NET_RAW")


@pytest.mark.parametrize("words", ["", "--rate 2000", "--dst fd00::2 --sport 1..", "--xmit direct --size 64..1514"])
def test_stamps_from_end_to_end(labs, words):
    """The time in a packet is of the moment when it is sent: none is there before, and none comes seconds later."""
    count = 2000
    check = labs.capture("b", f"exec pkt-recv -i eth0 -ro --duration 60 -l {count} -F pcap")
    began = labs.run("a", "date +%s%N")
    run(labs, f"udp -i eth0 --stamp --count {count} {words}")
    code, capture, lines = finish(check)
    ended = labs.run("a", "date +%s%N")
    assert code == 0, lines
    assert shell("pkt-check -cs -F pcap", capture).stdout == shell("pkt-txt2txt -F pcap", capture).stdout
    done = shell(f"pkt-gen check --expect {count}", capture)
    assert done.returncode == 0, done.stdout
    assert f"packets: {count} with a stamp, 0 without".encode() in done.stdout
    assert b"delay: min -" not in done.stdout
    assert b"delay: min 0.0 us, median 0.0" not in done.stdout
    sent = []
    for _, _, frame in records(capture):
        at = frame.index(b"\xbe\x9b\xe9\x55")
        sent.append(struct.unpack_from(">II", frame, at + 8))
    assert sent == sorted(sent)
    times = [seconds * 1_000_000_000 + micros * 1000 for seconds, micros in sent]
    assert int(began.stdout) - 1000 <= times[0]
    assert times[-1] <= int(ended.stdout)
    assert len(set(times)) > 15


def test_loss_on_the_way_is_found(lab):
    """A filter in between takes every packet of one port away."""
    capture = lab.capture("b", "exec pkt-recv -i eth0 -ro -l 100 -F pcap")
    run(lab, "udp -i eth0 --stamp --count 100 --dport 1..10")
    _, found, _ = finish(capture)
    done = shell("pkt-filter UDP.DST_PORT!=4 | pkt-gen check", found)
    assert done.returncode == 1
    assert b"\nlost: 10 of 100\nout of order: 0\nduplicates: 0\n" in done.stdout


@pytest.mark.parametrize("words", [
    "udp --size 64", "udp --src 10.0.0.1..10.0.0.3 --sport 1..2 --ip-ttl 9,7", "tcp --dst 2001:db8::5 --dport 80..83",
    "icmp ICMP.SEQ=1..6 --size 70..75", "icmp6 --payload hello", "arp --dst 10.0.0.1..10.0.0.4", "udp UDP.CHECKSUM=0x1234",
])  # fmt: skip
def test_trafgen_sends_the_same(lab, words, tmp_path):
    lab.need("trafgen")
    (tmp_path / "trafgen.cfg").write_bytes(shell(f"pkt-gen {words} --trafgen").stdout)
    watch = lab.watch("b", 12)
    lab.must("a", f"trafgen --cpus 1 --in {tmp_path}/trafgen.cfg --out eth0 -n 12")
    assert frames_of(finish(watch)[1]) == frames_of(shell(f"pkt-gen {words} --count 12 -F pcap").stdout)


@pytest.mark.parametrize("words", ["udp IP.ID=random --sport random IP.TTL=1..2", "tcp --src 2001:db8::1 TCP.SEQ_NUMBER=random"])
def test_trafgen_draws_and_computes_checksums(lab, words, tmp_path):
    lab.need("trafgen")
    (tmp_path / "trafgen.cfg").write_bytes(shell(f"pkt-gen {words} --trafgen").stdout)
    watch = lab.watch("b", 12)
    lab.must("a", f"trafgen --cpus 1 --in {tmp_path}/trafgen.cfg --out eth0 -n 12")
    found = frames_of(finish(watch)[1])
    assert len(set(found)) > 6
    assert frames_of(shell("pkt-check -cs -F pcap", pcap(found)).stdout) == found


@pytest.mark.parametrize("way", ["queue", "direct", "receive"])
def test_without_end_it_ends_when_the_interface_is_gone(lab, way):
    interface = "eth0"
    if way == "receive":
        interface = "tap0"
        made = lab.run("a", "ip tuntap add dev tap0 mode tap && ip link set tap0 up && [ -w /dev/net/tun ]")
        if made.returncode:
            pytest.skip(f"no TAP device here: {made.stderr.decode().strip()}")
    sending = lab.start("a", f"exec pkt-gen udp --count 0 -i {interface} --xmit {way}")
    column = 2 if way == "receive" else 10

    def moved() -> int:
        (line,) = [line for line in lab.proc("a", "dev").splitlines() if line.strip().startswith(f"{interface}:")]
        return int(line.replace(":", " ").split()[column])

    until(lambda: sending.poll() is not None or moved() > 1000, "packet")
    lab.must("a", f"ip link del {interface}")
    code, _, said = finish(sending)
    assert code == 1
    assert "interface is gone" in said[0]
    attempted, sent, failed, _ = account(said, interface)
    assert sent > 1000
    assert attempted == sent + failed
