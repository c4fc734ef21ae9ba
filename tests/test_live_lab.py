"""pkt-lab: what it builds, what runs in it, and that nothing is left of it, however it ends."""

from __future__ import annotations

import contextlib
import itertools
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, shell
from test_manual import PAGES, examples, plain
from waits import read_to, until

if sys.platform != "linux":
    pytest.skip("namespaces are Linux's", allow_module_level=True)

from pkttools.errors import PktError
from pkttools.lab import build, demo, running
from pkttools.live.linux import control, namespaces

NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all"
LAUNCHER = str(ROOT / "bin" / "pkt-lab")
PAIR = "'wire alice 10.0.0.1/24 bob 10.0.0.2/24'"
PING = "ping -c 1 -W 10"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def interruptible() -> Iterator[None]:
    """What runs in the background is told to ignore the interrupt, and so would be what we start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def ways() -> dict[str, str]:
    """The ways to make a laboratory here: the words in front of pkt-lab, and the options of up."""
    found = {}
    for way, before, option in (("rootless", "", ""), ("root", "", "--root"), ("nobody", NOBODY, "")):
        if way == "rootless" or os.geteuid() == 0:
            done = shell(f"{before} {LAUNCHER} run {option} 'host a' -- true")
            if done.returncode == 0:
                found[way] = (before, option)
            else:
                found[way] = done.stderr.decode()
    return found


@pytest.fixture(params=["rootless", "root", "nobody"])
def way(request: pytest.FixtureRequest, ways: dict) -> tuple[str, str]:
    """Each of them; skipped, with the reason, where the system refuses."""
    made = ways.get(request.param, "only root can try that")
    if isinstance(made, str):
        pytest.skip(made)
    return made


@pytest.fixture
def rootless(ways: dict) -> None:
    """What is tested once."""
    if isinstance(ways["rootless"], str):
        pytest.skip(ways["rootless"])


@pytest.fixture
def name() -> Iterator[str]:
    """A name for a laboratory, which ends with the test."""
    made = f"t{os.getpid()}-{next(NUMBERS)}"
    yield made
    if made in control.names("lab"):
        running.end(made)


def lab(words: str, data: bytes = b"", code: int = 0, **env: str) -> tuple[str, str]:
    """What pkt-lab writes and says."""
    done = shell(f"pkt-lab {words}", data, **env)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def space(name: str, host: str) -> str:
    """A host's network namespace, such as net:[4026532302]."""
    return lab(f"exec --name {name} {host} readlink /proc/self/ns/net")[0].strip()


def inhabitants(net: str) -> list[int]:
    """The processes in a network namespace."""
    found = []
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            if str(path.readlink()) == net:
                found.append(int(path.parts[2]))
        except OSError:
            continue
    return found


def alive(marker: str) -> list[int]:
    """The processes with these words in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes().replace(b"\0", b" "):
                found.append(int(path.parts[2]))
        except OSError:
            continue
    return found


def start(words: str, **more: object) -> subprocess.Popen[bytes]:
    """Starts pkt-lab."""
    env = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", **more.pop("env", {})}
    pipe = subprocess.PIPE
    return subprocess.Popen(shlex.split(f"{LAUNCHER} {words}"), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=env, **more)


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """Waits for its end."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), err.decode()


# ---- what is built ----


def test_up_exec_down(way: tuple[str, str], name: str):
    """The hosts know each other by name."""
    before, option = way
    text = b"# two hosts\nwire alice 10.0.0.1/24 bob 10.0.0.2/24 fd00::2/64\n\naddress alice:eth0 fd00::1/64 # IPv6, too\n"

    def command(words: str) -> str:
        done = shell(f"cd / && {before} {LAUNCHER} {words}", text)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert command(f"up {option} --name {name} -") == ""
    try:
        assert re.search(rf"^{name} +(root|rootless), since [-0-9]+ [:0-9]+, 2 hosts: alice bob$", command("list"), re.MULTILINE)
        shown = command(f"status {name}").splitlines()
        assert shown[1:3] == ["alice", "  eth0  02:00:00:00:01:01  up  mtu 1500  10.0.0.1/24  fd00::1/64  wire to bob:eth0"]
        net = command(f"exec --name {name} bob readlink /proc/self/ns/net").strip()
        assert "1 received" in command(f"exec --name {name} alice {PING} bob")
        assert "1 received" in command(f"exec --name {name} alice {PING} fd00::2")
        assert command(f"exec --name {name} bob hostname") == "bob\n"
        assert command(f"exec --name {name} bob id -u") == "0\n"
    finally:
        command(f"down {name}")
    assert name not in command("list")
    assert not inhabitants(net)


def test_each_host_has_its_own_sys(way: tuple[str, str], name: str):
    """Devices of its network, and what else is mounted there; nothing is mounted outside, and none sees it of another."""
    before, option = way
    outside = Path("/proc/self/mountinfo").read_text()
    look = ("cd /sys/class/net; echo *; cat eth0/address; ip -br link show eth0 | grep -c $(cat eth0/address); "
            "ls /sys/fs/cgroup | wc -l")  # fmt: skip
    script = "; ".join(f"{LAUNCHER} exec {host} -- sh -c {shlex.quote(look)}" for host in ("alice", "bob"))
    done = shell(f"{before} {LAUNCHER} run {option} --name {name} {PAIR} -- sh -c {shlex.quote(script)}")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    if "eth0 lo" not in lines:
        pytest.skip("a system that lets nobody mount sysfs")
    assert [lines[0], lines[2], lines[4], lines[6]] == ["eth0 lo", "1"] * 2 and lines[1] != lines[5]
    assert {lines[3], lines[7]} == {str(len([*Path("/sys/fs/cgroup").iterdir()]))}
    assert Path("/proc/self/mountinfo").read_text() == outside


def test_a_bridge_joins_its_ports(rootless: None):
    wires = " ".join(f"'wire h{i} 10.0.0.{i}/24 sw:p{i}'" for i in range(1, 5))
    pings = "; ".join(f"pkt-lab exec h{i} {PING} h{j} > /dev/null || exit 1" for i in range(1, 5) for j in range(1, 5) if i < j)
    lab(f"run {wires} 'bridge sw:br0 p1 p2 p3 p4' -- sh -c '{pings}'")
    out, _ = lab(f"run {wires} 'bridge sw:br0 p1 p2 p3' -- pkt-lab status")
    assert re.search(r"^  p3 .* wire to h3:eth0  port of br0$", out, re.MULTILINE)
    assert re.search(r"^  p4 .* wire to h4:eth0$", out, re.MULTILINE)


def test_a_bridge_with_an_address_is_up(rootless: None):
    """It is a host's own interface, too, and answers the first who asks for its address."""
    words = "'wire a fd00::1/64 sw:p1' 'bridge sw:br0 p1' 'address sw:br0 fd00::2/64'"
    out, _ = lab(f"run {words} -- pkt-lab exec a sh -c '{PING} fd00::2 && cat /proc/net/snmp6'")
    assert re.search(r"^Icmp6OutNeighborSolicits\s+1$", out, re.MULTILINE), out


def test_a_router_forwards(rootless: None):
    wires = b"""wire a 10.0.1.2/24 fd01::2/64 r 10.0.1.1/24 fd01::1/64
        wire b 10.0.2.2/24 fd02::2/64 r 10.0.2.1/24 fd02::1/64
        forward r
        route a default via 10.0.1.1
        route b 10.0.0.0/16 via 10.0.2.1
        route a fd02::/64 via fd01::1
        route b default via fd02::1"""
    out, _ = lab(f"run - -- sh -c 'pkt-lab exec a {PING} b && pkt-lab exec b {PING} fd01::2'", wires)
    assert out.count("ttl=63") == 2


def test_what_else_a_topology_sets(rootless: None):
    """As the kernel shows it; IPv6 is off where no address of it was given, also in a host that has one elsewhere."""
    more = "'wire alice fd00::1/64 carol' 'mac bob:eth0 02:aa:00:00:00:01' 'mtu alice:eth0 1280' 'offload alice:eth0 off'"
    show = "ip -6 addr show dev eth0; cat /proc/sys/net/ipv6/conf/*/disable_ipv6; ip neigh; ip link show eth0; ip link show lo"
    both = f"for host in alice bob; do pkt-lab exec $host sh -c '{show}' || exit; done"
    out, _ = lab(f"run {PAIR} {more} 'neighbour alice:eth0 10.0.0.9 02:00:00:00:00:09' -- sh -c {shlex.quote(both)}")
    assert "inet6 fe80" not in out
    assert "10.0.0.9 dev eth0 lladdr 02:00:00:00:00:09 PERMANENT" in out
    assert "link/ether 02:aa:00:00:00:01" in out
    assert "mtu 1280" in out
    assert out.count("<LOOPBACK,UP,LOWER_UP>") == 2
    settings = "/proc/sys/net/ipv6/conf/eth0/disable_ipv6 /proc/sys/net/ipv6/conf/eth1/disable_ipv6"
    out, _ = lab(
        f"run {PAIR} {more} -- sh -c 'pkt-lab exec alice cat {settings}; pkt-lab exec alice test -w {settings.split()[0]}; echo $?'"
    )
    assert out.split() in (["1", "0", "0"], ["0", "0", "1"])  # where they may not be written, it talks
    if shutil.which("ethtool"):
        out, _ = lab(f"run {PAIR} 'offload alice:eth0 off' -- sh -c 'for h in alice bob; do pkt-lab exec $h ethtool -k eth0; done'")
        assert re.findall(r"^tx-checksumming: (\w+)", out, re.MULTILINE) == ["off", "on"]


def test_hosts_keep_quiet(rootless: None):
    """Nothing was sent in a laboratory that was just built, where nobody has an IPv6 address."""
    count = "cat /proc/net/dev"
    out, _ = lab(f"run {PAIR} 'bridge sw:br0 p1' 'wire sw:p1 carol' 'forward bob' -- sh -c "
                 f"'for h in alice bob sw carol; do pkt-lab exec $h {count}; done'")  # fmt: skip
    rows = [line.split() for line in out.splitlines() if re.match(r"\s*(eth0|p1):", line)]
    assert len(rows) == 4
    assert {(row[2], row[10]) for row in rows} == {("0", "0")}


def test_a_topology_that_the_kernel_refuses(rootless: None, name: str, tmp_path: Path):
    """It is said which statement that was, and nothing is left."""
    file = tmp_path / "file"
    file.write_text("wire a 10.0.0.1/24 b\nroute a default via 10.9.9.9\n")
    _, said = lab(f"up --name {name} {file}", code=1)
    assert said.startswith(f"pkt-lab: {file}:2: ip route add default via 10.9.9.9: ")
    until(lambda: name not in control.names("lab"), "end of the lab")
    assert not alive(name)


def test_without_ip(tmp_path: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        patch.setattr(build, "SYSTEM", "")
        with pytest.raises(PktError, match="ip is missing: apt-get install iproute2"):
            build.ip(["link"])


# ---- what runs in it ----


@pytest.fixture
def pair(rootless: None, name: str) -> str:
    """A laboratory with alice and bob."""
    lab(f"up --name {name} {PAIR}")
    return name


def test_a_commands_end_is_its_own(pair: str):
    assert lab(f"exec --name {pair} alice sh -c 'exit 7'", code=7) == ("", "")
    assert lab(f"exec --name {pair} alice cat", b"through") == ("through", "")
    assert lab(f"exec --name {pair} alice nothere", code=127)[1] == "pkt-lab: nothere: there is no such command\n"
    assert lab(f"exec --name {pair} alice ''", code=127)[1] == "pkt-lab: : there is no such command\n"
    assert lab(f"exec --name {pair} alice /etc/hosts", code=126)[1] == "pkt-lab: /etc/hosts: Permission denied\n"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        code, _, _ = finish(start(f"exec --name {pair} alice sh -c 'kill -{number} $$; sleep 100'"))
        assert code == -number
    assert finish(start(f"exec --name {pair} alice sh -c 'kill -KILL $$; sleep 100'"))[0] == 128 + signal.SIGKILL


def test_words_behind_the_host_are_the_commands(pair: str):
    assert lab(f"exec --name {pair} alice echo --name -c --help --")[0] == "--name -c --help --\n"
    assert lab(f"exec --name {pair} alice -- echo --all")[0] == "--all\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on(pair: str, number: int):
    script = f"trap 'echo got; exit 5' {number}; echo ready; while :; do sleep 0.01; done"
    process = start(f"exec --name {pair} alice sh -c {shlex.quote(script)}")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    assert finish(process) == (5, "got\n", "")


COUNT = """
import signal, sys, time
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
print("ready", flush=True)
while not got:
    time.sleep(0.01)
time.sleep(0.5)  # no other may come
print("interrupts:", len(got), flush=True)
"""


def terminal(words: list[str], talk: list[tuple[bytes, bytes]], **env: str) -> tuple[int, bytes]:
    """Runs a command at a terminal; gives its exit code and what was shown. Types the second of a pair once the first is seen."""
    child, fd = pty.fork()
    if not child:
        os.environ.update(env, PATH=f"{ROOT / 'bin'}:{os.environ['PATH']}")
        os.execvp(words[0], words)
    seen = b""
    try:
        while select.select([fd], [], [], 60)[0]:
            seen += os.read(fd, 4096)
            while talk and talk[0][0] in seen:
                os.write(fd, talk.pop(0)[1])
    except OSError:  # EIO: nobody has the terminal any more
        pass
    os.close(fd)  # hangs up on it, if it is still there
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen


def test_the_interrupt_key_interrupts_once(pair: str):
    words = [LAUNCHER, "exec", "--name", pair, "alice", sys.executable, "-c", COUNT]
    code, seen = terminal(words, [(b"ready", b"\x03")])
    assert (code, seen.split(b"C")[-1].strip()) == (0, b"interrupts: 1")


def test_the_interrupt_key_leaves_the_lab_to_the_command(rootless: None):
    """Of `run`, the command decides: the laboratory is still there when it looks."""
    script = f"trap 'pkt-lab exec alice {PING} bob; exit 3' INT; echo ready; while :; do sleep 0.01; done"
    code, seen = terminal([LAUNCHER, "run", PAIR.strip("'"), "--", "sh", "-c", script], [(b"ready", b"\x03")])
    assert code == 3
    assert b"1 received" in seen


def test_a_terminal_that_hangs_up(pair: str):
    """It tells only the first process of the session, which is pkt-lab here."""
    child, fd = pty.fork()
    if not child:
        os.execv(LAUNCHER, [LAUNCHER, "exec", "--name", pair, "alice", "sh", "-c", "echo ready; exec sleep 1000"])
    read_to(fd, b"ready")
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGHUP


def test_a_shell(pair: str):
    talk = [(b"@ ", b"hostname; echo $((6 * 7))\n"), (b"42\r", b"exit 4\n")]
    code, seen = terminal([LAUNCHER, "shell", "--name", pair, "bob"], talk, SHELL="/bin/sh", PS1="@ ")
    assert code == 4
    assert b"\nbob\r" in seen


def test_a_shell_that_is_suspended(pair: str, tmp_path: Path):
    """Who started it gets the terminal back, and may continue it."""
    if not shutil.which("bash"):
        pytest.skip("bash is not installed")
    inner = tmp_path / "inner"
    inner.write_text("#!/bin/sh\nPS1='% ' exec bash --norc -i\n")
    inner.chmod(0o755)
    talk = [(b"@ ", f"{LAUNCHER} shell --name {pair} bob\n".encode()), (b"% ", b"suspend -f; echo back $((6 * 7))\n"),
            (b"Stopped", b"fg\n"), (b"back 42", b"exit 4\n"), (b"exit\r", b"echo code $?\n"), (b"code 4", b"exit\n")]  # fmt: skip
    code, seen = terminal(["bash", "--norc", "-i"], talk, SHELL=str(inner), PS1="@ ")
    assert code == 0, seen


def test_our_commands_are_found_and_capture(pair: str):
    """Without sudo; from a folder that the laboratory has, too."""
    capture = start(f"exec --name {pair} bob pkt-recv -i eth0 -l 2 ICMP")
    sockets = f"exec --name {pair} bob cat /proc/net/packet"
    rows = r"^\S+ +\S+ +\S+ +0003 +[1-9]"  # ETH_P_ALL, and an interface: it is bound
    until(lambda: re.search(rows, lab(sockets)[0], re.MULTILINE) or capture.poll() is not None, "socket", 20)
    lab(f"exec --name {pair} alice {PING} bob")
    code, out, err = finish(capture)
    assert (code, out.count("\n==\n")) == (0, 2), err


def test_the_current_folder_stays(pair: str, tmp_path: Path):
    done = shell(f"cd '{tmp_path}' && pkt-lab exec --name {pair} alice pwd")
    assert done.stdout.decode() == f"{tmp_path}\n"


def test_a_lab_within_a_lab(pair: str):
    """Its name is one of the host's network: the same again does not clash."""
    inner = f"pkt-lab up --name {pair} {PAIR} && pkt-lab exec bob {PING} alice && pkt-lab list && pkt-lab down"
    out, _ = lab(f"exec --name {pair} alice sh -c {shlex.quote(inner)}")
    assert "1 received" in out
    assert f"{pair}  rootless" in out


# ---- which one is meant ----


WITHIN = " within the host outer; ask outside of it"


def test_which_lab_is_meant(rootless: None):
    """In a network of their own there are these and no others."""
    steps = f"""
        pkt-lab status; pkt-lab exec alice true; pkt-lab list
        pkt-lab up --name one {PAIR}; pkt-lab exec bob hostname; pkt-lab up --name two 'wire carol dave'
        pkt-lab exec carol hostname; pkt-lab exec x true
        PKT_LAB=two pkt-lab exec carol hostname; PKT_LAB=two pkt-lab exec --name one alice hostname
        pkt-lab exec --name three x true; pkt-lab exec --name one x true; pkt-lab up --name one {PAIR}
        pkt-lab down; pkt-lab down --name one; pkt-lab exec dave hostname; pkt-lab up --name three 'wire dave x'
        pkt-lab exec dave true; pkt-lab down --all; pkt-lab list; pkt-lab down --all; pkt-lab down
    """
    out, err = lab(f"run 'host outer' -- pkt-lab exec outer sh -c {shlex.quote(steps)}", code=1)
    assert out.split() == ["bob", "carol", "carol", "alice", "dave"]
    assert err.splitlines() == [
        f"pkt-lab: no lab is up{WITHIN}", f"pkt-lab: no lab is up{WITHIN}",
        "pkt-lab: which lab? there are one, two: --name NAME", "pkt-lab: no lab three is running; there are one, two",
        "pkt-lab: no host x in lab one; there are alice, bob", "pkt-lab: lab one: there is one already",
        "pkt-lab: which lab? there are one, two: --name NAME",
        "pkt-lab: which lab? there are three, two with a host dave: --name NAME", "pkt-lab: three is down", "pkt-lab: two is down",
        f"pkt-lab: no lab is up{WITHIN}",
    ]  # fmt: skip


WRONG = {
    "": "wanted: up|down|exec",
    "upp": "wanted: up|down|exec",
    "up": "wanted: up FILE|STATEMENT...",
    "exec": "wanted: exec HOST COMMAND",
    "exec alice": "wanted: exec HOST COMMAND",
    "shell": "wanted: shell HOST",
    "shell a b": "wanted: shell HOST",
    "run 'host a'": "wanted: run FILE|STATEMENT... -- COMMAND...",
    "run 'host a' --": "wanted: run FILE|STATEMENT... -- COMMAND...",
    "run -- true": "wanted: run FILE|STATEMENT... -- COMMAND...",
    "down a --all": "wanted: down [NAME], or --all",
    "status a b": "wanted: status [NAME]",
    "list a": "list takes no arguments",
    "demo a b": "wanted: demo [NAME]",
    "demo nothing": "no lab 'nothing'; there are",
    "list --root": "--root is for up, run and demo",
    "status --all": "--all is for down",
    "up --name 'a b' 'host a'": "lab 'a b': a name is up to 64 characters",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage(words: str):
    _, said = lab(words, code=1 if "--name" in words else 2)
    assert said.startswith(f"pkt-lab: {WRONG[words]}")


def test_the_file_names_the_lab(rootless: None, tmp_path: Path):
    (tmp_path / "my.net.lab").write_text("host a\n")
    steps = f"pkt-lab up {tmp_path}/my.net.lab; pkt-lab up 'host a'; pkt-lab list"
    out, _ = lab(f"run 'host outer' -- pkt-lab exec outer sh -c {shlex.quote(steps)}")
    assert [line.split()[0] for line in out.splitlines()] == ["lab", "my.net"]


def test_a_file_called_network_is_named_like_its_folder(rootless: None, folder: Path):
    out, _ = lab(f"run 'host outer' -- pkt-lab exec outer sh -c 'pkt-lab up {folder}/network; pkt-lab list'")
    assert out.split()[0] == "thing"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("'wier a b'", "pkt-lab: 'wier a b': no statement 'wier'; there are host, wire, "),
        ("wire alice bob", "pkt-lab: wire: a statement is one argument, in quotes: 'wire HOST"),
    ],
)
def test_what_is_no_file_and_looks_like_a_statement(words: str, said: str):
    assert lab(f"up {words}", code=2)[1].startswith(said)


def test_status_shows_our_commands_as_they_were_called(pair: str):
    process = start(f"exec --name {pair} bob pkt-recv -i eth0 --duration 30")
    until(lambda: re.search(r"^  \d+ pkt-recv -i eth0 --duration 30$", lab(f"status {pair}")[0], re.MULTILINE), "command", 20)
    process.kill()
    finish(process)


def test_root_has_all_users_in_a_laboratory(rootless: None, pair: str):
    """So tcpdump can change to its own one, without --root."""
    if os.geteuid():
        pytest.skip("not root")
    here = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    there = [line.split() for line in lab(f"exec --name {pair} bob cat /proc/self/uid_map")[0].splitlines()]
    assert [(first, count) for first, _, count in there] == [(first, count) for first, _, count in here]
    if not shutil.which("tcpdump"):
        pytest.skip("tcpdump is not installed")
    out, err = lab(
        f"exec --name {pair} bob timeout 60 sh -c 'tcpdump -i eth0 -c 1 icmp & ping -q -c 5 -i 0.5 alice > /dev/null; wait $!'"
    )
    assert "ICMP echo request" in out, err


# ---- nothing is left ----


def gone(name: str, *nets: str) -> None:
    """Waits until there is nothing: no process of that name, no name, nobody in the network namespaces."""
    until(lambda: not alive(name) and name not in control.names("lab"), f"end of {name}", 20)
    until(lambda: not any(map(inhabitants, nets)), f"end of {nets}", 20)


def holder(name: str) -> int:
    """The process that a laboratory is, as we see it."""
    with control.connect("lab", name) as sock:
        return control.peer(sock)[0]


def test_what_runs_in_the_background_ends_with_the_lab(pair: str):
    net = space(pair, "bob")
    lab(f"exec --name {pair} bob sh -c 'sleep 1000 > /dev/null 2>&1 & setsid sleep 1000 > /dev/null 2>&1 &'")
    assert len(inhabitants(net)) == 2
    lab(f"down {pair}")
    assert not inhabitants(net)
    gone(pair)


def test_up_lets_go_of_its_output(rootless: None, name: str):
    """`$(pkt-lab up ...)` comes back, and so does who waits for other descriptors."""
    assert shell(f"x=$(pkt-lab up --name {name} {PAIR} 2>&1 3>&1); echo \"got '$x'\"", timeout=20).stdout == b"got ''\n"


def test_a_killed_holder(pair: str):
    net = space(pair, "alice")
    process = start(f"exec --name {pair} alice sleep 1000")
    until(lambda: inhabitants(net), "a command")
    os.kill(holder(pair), signal.SIGKILL)
    assert finish(process)[0] == 128 + signal.SIGKILL
    gone(pair, net)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run(rootless: None, name: str, number: int):
    """Killed, it takes laboratory and command along; another signal it passes on to the command."""
    process = start(f"run --name {name} {PAIR} -- sh -c 'echo $$; exec sleep 1000'")
    command = int(process.stdout.readline())
    net = space(name, "alice")
    lab(f"exec --name {name} alice sh -c 'setsid sleep 1000 > /dev/null 2>&1 &'")
    process.send_signal(number)
    assert finish(process)[0] == -number
    gone(name, net)
    until(lambda: not Path(f"/proc/{command}").exists(), "end of the command")


def test_a_killed_exec(pair: str):
    """Its command ends, too."""
    net = space(pair, "alice")
    process = start(f"exec --name {pair} alice sh -c 'echo; exec sleep 1000'")
    process.stdout.readline()
    process.kill()
    finish(process)
    until(lambda: not inhabitants(net), "end of the command")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("mode", ["up", "run"])
def test_ended_while_it_builds(rootless: None, name: str, tmp_path: Path, mode: str, number: int):
    """An `ip` that takes its time: the hosts are there, the wires are not."""
    slow = tmp_path / "ip"
    slow.write_text(f"#!/bin/sh\nreadlink /proc/self/ns/net > {tmp_path}/begun.new\n"
                    f"mv {tmp_path}/begun.new {tmp_path}/begun\nexec sleep 1000\n")  # fmt: skip
    slow.chmod(0o755)
    words = f"{mode} --name {name} {PAIR}" + (" -- true" if mode == "run" else "")
    process = start(words, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    until((tmp_path / "begun").exists, "ip", 20)
    net = (tmp_path / "begun").read_text().strip()
    assert inhabitants(net)
    process.send_signal(number)
    assert finish(process) == (-number, "", "")
    gone(name, net)


def test_down_during_run(rootless: None, name: str):
    """The command goes on without the laboratory."""
    out, _ = lab(f"run --name {name} {PAIR} -- sh -c 'pkt-lab down; echo $?; pkt-lab list | grep {name}; echo on'")
    assert out == "0\non\n"


# ---- where it is forbidden ----


def settings(folder: Path, **values: int) -> Path:
    """A folder in place of /proc/sys."""
    for name, value in values.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{value}\n")
    return folder


@pytest.mark.parametrize(
    ("values", "number", "said"),
    [
        ({"user__max_user_namespaces": 0}, 28, "user.max_user_namespaces is 0; 'sysctl user.max_user_namespaces=10000'"),
        ({"user__max_user_namespaces": 9, "user__max_net_namespaces": 0}, 28, "user.max_net_namespaces is 0"),
        ({"user__max_user_namespaces": 9}, 28, "too many namespaces"),
        ({"kernel__unprivileged_userns_clone": 0}, 1,
         "kernel.unprivileged_userns_clone is 0; 'sysctl kernel.unprivileged_userns_clone=1'"),
        ({"kernel__apparmor_restrict_unprivileged_userns": 1}, 1,
         "kernel.apparmor_restrict_unprivileged_userns is 1; 'sysctl kernel.apparmor_restrict_unprivileged_userns=0'"),
        ({"kernel__unprivileged_userns_clone": 1, "kernel__apparmor_restrict_unprivileged_userns": 0}, 1, "the seccomp profile"),
        ({}, 22, "this kernel has no user namespaces"),
    ],
)  # fmt: skip
def test_the_setting_that_forbids_is_named(tmp_path: Path, values: dict, number: int, said: str):
    error = OSError(number, os.strerror(number))
    assert said in str(namespaces.refusal(error, False, settings(tmp_path, **values)))


def test_root_needs_root(tmp_path: Path):
    error = PermissionError(1, "Operation not permitted")
    assert str(namespaces.refusal(error, True, tmp_path)) == (
        "--root needs root, with CAP_SYS_ADMIN and CAP_NET_ADMIN: Operation not permitted")  # fmt: skip
    words = f"run --root {PAIR} -- true"
    done = shell(f"cd / && {NOBODY if os.geteuid() == 0 else ''} {LAUNCHER} {words}")
    assert (done.returncode, done.stderr.decode().split(",")[0]) == (1, "pkt-lab: --root needs root")


FORBID = "unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"' sh"


@pytest.fixture
def forbidding(rootless: None) -> None:
    """That setting can be changed."""
    if shell(f"{FORBID} true").returncode:
        pytest.skip("/proc/sys/user cannot be written here")


def test_forbidden_for_real(forbidding: None):
    """The setting is one of each user namespace: one of our own is told to have none in it."""
    done = shell(f"{FORBID} {LAUNCHER} run {PAIR} -- true")
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "pkt-lab: namespaces are forbidden here: user.max_user_namespaces is 0; "
        "'sysctl user.max_user_namespaces=10000' as root allows them\n"
    )


@pytest.mark.parametrize(("limit", "said"), [
    ("echo 1 > /proc/sys/user/max_net_namespaces", "there are too many namespaces"),
    ("ulimit -n 24", "the lab cannot be built: Too many open files; ulimit -n is the limit"),
])  # fmt: skip
def test_too_many_hosts(rootless: None, limit: str, said: str):
    """The first namespace is there, those of the hosts are too many."""
    hosts = " ".join(f"h{i}" for i in range(20))
    done = shell(f"unshare -Ur sh -c '{limit} && exec \"$@\"' sh {LAUNCHER} run 'host {hosts}' -- true")
    assert (done.returncode, done.stderr.decode().split(", ")[0]) == (1, f"pkt-lab: {said}" + "\n" * ("open" in said))


# ---- many, others, and limits ----


def test_two_hundred_at_once(pair: str):
    """All of them get in, whoever asks slowly or not at all meanwhile."""
    with contextlib.ExitStack() as stack:
        for number in range(20):
            sock = stack.enter_context(control.connect("lab", pair))
            sock.send(b"{" * (number % 2))
        processes = [start(f"exec --name {pair} alice true") for _ in range(200)]
        ends = [process.communicate(timeout=120) for process in processes]
    assert [(process.returncode, err) for process, (_, err) in zip(processes, ends, strict=True)] == [(0, b"")] * 200


def test_down_all_goes_on(rootless: None, name: str):
    """Past what others call like laboratories of ours, and past one that is stopped, which ends as well as another."""
    lab(f"up --name {name} {PAIR}")
    os.kill(holder(name), signal.SIGSTOP)
    uid = os.getuid()
    code = (
        "import os, socket, sys\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "socks = [socket.socket(socket.AF_UNIX) for _ in range(3)]\n"
        f"for sock, name in zip(socks, (b'AAA', b'\\x1b[31m', b'a\\nb')): sock.bind(b'\\0pkttools/{uid}/lab/' + name)\n"
        "if os.getuid() != int(sys.argv[1]): [sock.listen(0) for sock in socks]\n"
        "print(flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(uid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.read(1) == b"\n"
        assert "AAA" not in lab("list")[0]
        # Only this test's own are to end: a network namespace has names of its own, but there root may be alone.
        assert control.names("lab").count("AAA") == 0
        _, said = lab(f"down {name}")
        assert said == ""
    finally:
        other.communicate()
    until(lambda: name not in control.names("lab"), "end of the lab")


LIMITED = """
import os, resource, sys
sys.path.insert(0, sys.argv.pop(1))
import pkttools.lab.foreground, pkttools.lab.running, pkttools.live.linux.namespaces as namespaces
from pkttools.main import guarded
if sys.argv[1] == "processes":
    if os.getuid() == 0:
        os.setgroups([]); os.setgid(65534); os.setuid(65534)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    namespaces.fork()
resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7))
sys.exit(guarded("pkt-lab", sys.argv[1:]))
"""


def test_a_limit_to_descriptors_is_said(pair: str):
    words = [sys.executable, "-c", LIMITED, str(ROOT), "exec", "--name", pair, "alice", "true"]
    done = subprocess.run(words, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (1, f"pkt-lab: lab {pair}: Too many open files; ulimit -n is the limit\n")


def test_a_limit_to_processes_is_said():
    done = subprocess.run([sys.executable, "-c", LIMITED, str(ROOT), "processes"], capture_output=True, check=False)
    assert "no more processes: Resource temporarily unavailable; ulimit -u, and pids.max of a cgroup, are" in done.stderr.decode()


# ---- demonstrations ----


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A laboratory of ours."""
    made = tmp_path / "7-thing"
    made.mkdir()
    (made / "README.md").write_text("\n# A thing\n\nmore\n")
    (made / "network").write_text("wire alice 10.0.0.1/24 bob 10.0.0.2/24\n")
    script = ["echo \"lab '$PKT_LAB' $PKT_LAB_WHY\"", f'[ -z "$PKT_LAB" ] || pkt-lab exec alice {PING} bob', "exit $CODE\n"]
    (made / "run").write_text("\n".join(script))
    return made


@pytest.mark.parametrize("code", [0, 1, 77])
def test_a_demonstration(rootless: None, folder: Path, code: int):
    out, err = lab(f"demo {folder}", code=code, CODE=str(code))
    assert re.match(r"lab 'thing-\d+' \n", out)
    assert "1 received" in out
    assert err == ("pkt-lab: 7-thing: skipped\n" if code == 77 else "")


def test_a_demonstration_where_it_is_forbidden(forbidding: None, folder: Path):
    done = shell(f"{FORBID} {LAUNCHER} demo {folder}", CODE="0")
    assert (done.returncode, done.stdout) == (77, b"")
    assert done.stderr.decode().startswith("pkt-lab: 7-thing: skipped: namespaces are forbidden here: user.max_user_namespaces")
    with (folder / "network").open("a") as file:
        file.write("optional\n")
    done = shell(f"{FORBID} {LAUNCHER} demo {folder}", CODE="3")
    assert (done.returncode, done.stderr) == (3, b"")
    assert done.stdout.startswith(b"lab '' namespaces are forbidden here")


def test_a_demonstration_that_needs_root(ways: dict, folder: Path):
    with (folder / "network").open("a") as file:
        file.write("root\n")
    done = shell(f"{LAUNCHER} demo {folder}", CODE="0")
    if isinstance(ways.get("root", ""), str):
        assert (done.returncode, done.stderr.split(b",")[0]) == (77, b"pkt-lab: 7-thing: skipped: --root needs root")
    else:
        assert (done.returncode, b"1 received" in done.stdout) == (0, True), done.stderr


def test_the_list_of_demonstrations(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(demo, "PLACES", (folder.parent,))
    assert demo.listing() == ["7-thing  A thing"]
    assert demo.find("thing") == demo.find("7-thing") == folder


# ---- the manual's examples ----


def test_examples_of_the_manual(rootless: None, tmp_path: Path):
    """In a laboratory of their own, so that a name in them does not clash."""
    blocks = [plain(block) for path in PAGES for kind, _, block in examples(path) if kind == "lab"]
    assert len(blocks) >= 3
    assert all("pkt-lab" in line for block in blocks for line in block.splitlines())
    for block in blocks:
        done = shell(f"cd '{tmp_path}' && pkt-lab run 'host outer' -- pkt-lab exec outer bash -ec {shlex.quote(block)}")
        assert done.returncode == 0, (block, done.stderr)
        assert done.stdout, block


@pytest.mark.parametrize("name", ["a", "b", "br", "up", "name", "dev", "type", "index", "help"])
def test_interfaces_that_are_named_like_words_of_ip(rootless: None, name: str):
    words = f"'wire x:{name} 10.0.0.1/24 y:{name} 10.0.0.2/24' 'wire s:p1 z:e' 'bridge s:{name} p1'"
    done = shell(f"pkt-lab run {words} -- pkt-lab exec x ip -br link show dev {name}")
    assert (done.returncode, done.stdout.split()[1:2]) == (0, [b"UP"]), done.stderr
