"""What commands may still do while they read what strangers have sent: nothing, as /proc says."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, shell
from netns import Lab, finish, frame, frames_of, pcap
from netns import lab as _lab
from waits import until
from xdp import need_bpf

if sys.platform != "linux":
    pytest.skip("capabilities are Linux's", allow_module_level=True)

from pkttools.live.linux import bpf, privileges

lab = _lab

NOBODY = pwd.getpwnam("nobody").pw_uid
NONE = 0
SWITCHING = 1 << privileges.CAP_NET_RAW | 1 << privileges.CAP_NET_ADMIN
TO_RUN = sum(1 << capability for capability in bpf.to_go_on())
CAPTURE = pcap([frame(number) for number in range(20)], gap=1)


def status(process: int) -> dict[str, str]:
    """What /proc says of a process."""
    with contextlib.suppress(OSError):
        return dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line)
    return {}


def threads(process: int) -> list[dict[str, str]]:
    """The same of each of its threads: capabilities are theirs."""
    with contextlib.suppress(OSError):
        return [status(int(path.name)) for path in Path(f"/proc/{process}/task").iterdir()]
    return []


def given_up(process: int, kept: int, user: int) -> bool:
    """Whether all threads of a process have the privileges to be kept, and no others, and are of that user alone."""
    found = threads(process)
    return bool(found) and all(
        one.get("NoNewPrivs") == "1"
        and int(one["CapEff"], 16) == int(one["CapPrm"], 16) == kept
        and int(one["CapInh"], 16) == int(one["CapAmb"], 16) == int(one["CapBnd"], 16) == 0
        and one["Uid"].split() == [str(user)] * 4
        and (not user or not one["Groups"].split())
        for one in found
    )


def command(process: subprocess.Popen[bytes], name: str) -> int:
    """The process that a command of a pipeline is."""
    found = []

    def there() -> bool:
        found[:] = [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if name in words(path) and "pkttools.main" in words(path) and session(int(path.parent.name)) == process.pid
        ]
        return len(found) == 1

    until(there, name)
    return found[0]


def session(process: int) -> int:
    """The session of a process; 0: it has just ended."""
    try:
        return os.getsid(process)
    except OSError:
        return 0


def words(path: Path) -> str:
    """A command line."""
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def seen(process: int, kept: int, user: int, what: str) -> None:
    """Waits until privileges are given up; says what it has if it does not."""
    try:
        until(lambda: given_up(process, kept, user), "end of privileges", 20)
    except AssertionError as error:
        wanted = ("Uid", "Groups", "CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb", "NoNewPrivs")
        raise AssertionError(f"{what}: {[{k: v for k, v in one.items() if k in wanted} for one in threads(process)]}") from error


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody else may enter, as root's own is; with a capture."""
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    (made / "in.pcap").write_bytes(CAPTURE)
    (made / "in.rules").write_bytes((ROOT / "examples/answers/web.rules").read_bytes())
    yield made


USER = NOBODY if os.getuid() == 0 else 0  # in a laboratory of another one there is one user only
COMMANDS = {
    "recv": ("pkt-recv -i eth0 --out {home}/out.txt", NONE),
    "recv -F pcap": ("pkt-recv -i eth0 -F pcap --out {home}/out.pcap --bpf ip", NONE),
    "recv | cat": ("pkt-recv -i eth0 | cat", NONE),
    "recv --libpcap": ("pkt-recv --libpcap -i eth0 | cat", NONE),
    "xdp": ("pkt-xdp -i eth0 --duration 1000 --stats 0.1", TO_RUN),
    "xdp --perf": ("pkt-xdp -i eth0 --perf", TO_RUN),
    "send": ("pkt-send -i eth0 --in {home}/in.pcap", NONE),
    "send < pipe": ("sleep 1000 | pkt-send -i eth0 -c", NONE),
    "send --loop < pipe": ("cat {home}/in.pcap | pkt-send -i eth0 --loop 2", NONE),
    "send --libpcap": ("sleep 1000 | pkt-send --libpcap -i eth0 -c", NONE),
    "send --xdp": ("sleep 1000 | pkt-send -i eth0 --xdp --receive", TO_RUN),
    "send --dry-run": ("sleep 1000 | pkt-send --dry-run", NONE),
    "ask": ("sleep 1000 | pkt-ask -i eth0", NONE),
    "answer": ("pkt-answer {home}/in.rules -i eth0", NONE),
    "gen -i": ("pkt-gen udp --dst 10.0.0.2 -i eth0 --rate 10 --count 0", NONE),
    "gen raw -i": ("sleep 1000 | pkt-gen raw -i eth0", NONE),
    "gen raw --out": ("sleep 1000 | pkt-gen raw --out {home}/out.txt", NONE),
    "gen --xmit receive": ("pkt-gen udp --dst 10.0.0.2 -i eth0 --xmit receive --rate 10 --count 0", TO_RUN),
    "gen to a TAP": ("pkt-gen udp --dst 10.0.0.2 -i tap:t0 --xmit receive --rate 10 --count 0", TO_RUN),
    "gen check": ("sleep 1000 | pkt-gen check --out {home}/out.txt", NONE),
    "switch": ("pkt-switch run eth0 --dump {home}/out.txt", SWITCHING),
    "switch with a TAP": ("pkt-switch run eth0 tap:t0 --dump - | cat", SWITCHING),
    "pipe": ("pkt-pipe 'recv -i eth0 | change -u IP.TTL=9 | send -i eth0'", NONE),
    "pipe to a file": ("pkt-pipe --out {home}/out.pcap 'recv -i eth0 | change -u IP.TTL=9'", NONE),
}


@pytest.mark.parametrize("which", COMMANDS)
def test_privileges_are_given_up(lab: Lab, home: Path, which: str):
    line, kept = COMMANDS[which]
    if "xdp" in which or "receive" in which:
        if lab.rootless:
            pytest.skip("BPF takes the system's root")
        need_bpf()
    if "tap:" in line and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun is missing")
    name = next(word for word in line.split() if word.startswith("pkt-"))
    process = lab.start("a", line.format(home=home), subprocess.PIPE)
    seen(command(process, name), kept, USER, which)
    assert process.poll() is None, finish(process)


@pytest.mark.parametrize("backend", ["c", "python"])
def test_what_was_opened_before_goes_on(home: Path, backend: str):
    """Files of root's, formats and codecs whose modules root alone may read."""
    lab = Lab(backend)
    shutil.copytree(ROOT / "pkttools", home / "pkttools")
    shutil.copytree(ROOT / "bin", home / "bin", symlinks=True)
    (home / ".venv").symlink_to(ROOT / ".venv")
    lab.environment["PATH"] = f"{home}/bin:{lab.environment['PATH']}"
    try:
        lab.open()
        assert lab.must("a", "command -v pkt-recv").decode() == f"{home}/bin/pkt-recv\n"
        text = (ROOT / "examples" / "dns.txt").read_bytes()
        made = {"text": text}
        for name, line in (("fields", "pkt-txt2txt -a"), ("pcap", "pkt-txt2pcap"), ("pcapng", "pkt-txt2pcapng")):
            made[name] = shell(line, text).stdout
        for name, data in made.items():
            (home / name).write_bytes(data)
            line = f"pkt-send -i eth0 -f --loop 2 --in {home}/{name} 'UDP and IP.SRC_ADDR==0.0.0.0/0'"
            done = lab.run("a", line + " --bpf udp" * (backend == "c"))
            assert (done.returncode, b" 0 failed" in done.stderr) == (0, True), (name, done.stderr)
            done = lab.run("a", f"cat {home}/{name} | pkt-send -i eth0 -f --loop 3 -c IP.TTL-=1")
            assert (done.returncode, b" 0 failed" in done.stderr) == (0, True), (name, done.stderr)
            for form in ("text", "pcap", "pcapng"):
                done = lab.run("a", f"pkt-gen raw --in {home}/{name} --count 5 -F {form} --out {home}/made")
                assert done.returncode == 0, (name, form, done.stderr)
                assert (home / "made").stat().st_size
        capture = lab.capture("b", f"pkt-recv -i eth0 -F pcap -l 3 --bpf 'ether proto 0x88b5' --out {home}/got.pcap")
        lab.inject("a", [frame(number, source="a") for number in range(3)])
        code, _, said = finish(capture)
        assert code == 0, said
        counting = lab.capture("a", "pkt-pipe 'recv -i eth0 --bpf \"ether proto 0x88b5\" -l 3 | stat --json --every 0.1'")
        lab.inject("b", [frame(number) for number in range(3)])
        code, out, said = finish(counting)
        assert (code, json.loads(out.splitlines()[-1])["packets"]) == (0, 3), said
        looking = lab.capture("a", "pkt-pipe 'recv -i eth0 --bpf udp -l 2 | defragment | sort | analyze --tree'")
        lab.must("b", f"pkt-send -i eth0 -f --in {home}/pcap")
        code, out, said = finish(looking)
        assert (code, out.count(b"\nDNS\n")) == (0, 2), said
        for wrong, said in (("IP.TTX: 5", "no field 'IP.TTX'"), ("000000: zz", "bad hex digit"), ("SIZE: x", "bad size")):
            (home / "wrong").write_bytes(text.replace(b"==\n", wrong.encode() + b"\n==\n", 1))
            for line in ("pkt-send -i eth0 --in", "pkt-gen raw --in", "pkt-gen check --in"):
                done = lab.run("a", f"{line} {home}/wrong")
                assert (done.returncode, said.encode() in done.stderr) == (1, True), (wrong, line, done.stderr)
        done = lab.run("a", f"pkt-gen raw TCP.WINDOW=1 --in {home}/text")
        assert (done.returncode, b"Try 'pkt-gen --help'" in done.stderr) == (2, True), done.stderr
        done = lab.run("a", f"pkt-pipe --in {home}/text 'change -u IP.TTL=9 | send -i eth0 -f'")
        assert (done.returncode, b" 0 failed" in done.stderr) == (0, True), done.stderr
        answering = lab.capture("b", f"pkt-answer {home}/in.rules -i eth0 'IP.DST_ADDR==10.0.0.80'")
        for words in ("udp --dport 9000 --payload hello", "udp --dport 7", "tcp --dport 80", "icmp --dst 10.0.0.2"):
            made = f"pkt-gen {words} --src 10.0.0.1" + ("" if "--dst" in words else " --dst 10.0.0.80")
            done = lab.run("a", f"{made} | pkt-ask -i eth0 -c --both IP.ID=1..2 -F pcapng --out {home}/made --timeout 5")
            assert done.returncode == 0, (words, done.stderr)
        code, _, said = finish(answering, signal.SIGTERM)
        assert code == 0, said
        switch = lab.start("a", f"pkt-switch run eth0 --filter 'IP.SRC_ADDR==10.0.0.0/8' --change IP.TTL-=1 --dump {home}/dump")
        until(lambda: lab.run("a", "pkt-switch show").returncode == 0 or switch.poll() is not None, "switch")
        lab.inject("b", [frame(number) for number in range(3)])
        code, _, said = finish(switch, signal.SIGTERM)
        assert code == 0, said
        assert frames_of((home / "got.pcap").read_bytes()) == [frame(number, source="a") for number in range(3)]
    finally:
        lab.close()


def test_a_switch_may_still_add_a_port(lab: Lab):
    switch = lab.start("a", "exec pkt-switch run eth0")
    seen(switch.pid, SWITCHING, USER, "pkt-switch")
    assert lab.must("a", "pkt-switch show").splitlines()[1].startswith(b"eth0")
    lab.must("a", "ip link add d0 type veth peer name d1 && ip link set d0 up && pkt-switch add d0")
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        lab.must("a", "pkt-switch add tap:t1")
        assert b"t1" in lab.must("a", "ip link")
    lab.must("a", "pkt-switch delete d0")
    assert finish(switch, signal.SIGINT)[0] == 0


def test_promiscuity_ends_with_the_command(lab: Lab):
    for line in ("pkt-recv -i eth0", "pkt-switch run eth0"):
        process = lab.capture("a", f"exec {line}")
        seen(process.pid, SWITCHING if "switch" in line else NONE, USER, line)
        assert b"promiscuity 1" in lab.must("a", "ip -d link show eth0")
        finish(process, signal.SIGINT)
        until(lambda: b"promiscuity 0" in lab.must("a", "ip -d link show eth0"), "end of promiscuity")


def test_root_keeps_everything_where_it_is_told_to(lab: Lab):
    process = lab.capture("a", "exec pkt-recv -i eth0 -Z root")
    until(lambda: status(process.pid).get("NoNewPrivs") == "1", "no_new_privs")
    assert int(status(process.pid)["CapEff"], 16) >> privileges.CAP_NET_RAW & 1
    assert status(process.pid)["Uid"].split() == ["0"] * 4


def as_root(lab: Lab) -> None:
    """Skips the test where there is one user only."""
    if lab.rootless or os.getuid():
        pytest.skip("it takes root, of all users")


@pytest.mark.parametrize(("before", "option", "user", "group"), [
    ("SUDO_UID=1234 SUDO_GID=2345", "", 1234, 2345),
    ("SUDO_UID=0 SUDO_GID=0", "", NOBODY, None),
    ("SUDO_UID=x SUDO_GID=99999999999", "", NOBODY, None),
    ("SUDO_UID=1234 SUDO_GID=2345", "-Z daemon", pwd.getpwnam("daemon").pw_uid, pwd.getpwnam("daemon").pw_gid),
    ("", f"-Z {pwd.getpwnam('daemon').pw_uid}", pwd.getpwnam("daemon").pw_uid, None),
])  # fmt: skip
def test_who_it_goes_on_as(lab: Lab, before: str, option: str, user: int, group: int | None):
    as_root(lab)
    more = "--groups 7,8 --inh-caps +net_raw,+net_admin --ambient-caps +net_raw"
    process = lab.capture("a", f"exec env {before} setpriv {more} pkt-recv -i eth0 {option}")
    seen(process.pid, NONE, user, option)
    assert group is None or status(process.pid)["Gid"].split() == [str(group)] * 4


def test_a_user_that_there_is_not():
    for name in ("recv -i lo", "send -i lo", "xdp -i lo", "gen udp -i lo", "switch run lo"):
        done = shell(f"pkt-{name} -Z not-there < /dev/null")
        assert done.returncode == 2
        assert b"-Z: there is no user 'not-there'" in done.stderr


def test_a_user_that_cannot_be_changed_to(lab: Lab):
    """A namespace of one user: what was asked for cannot be, and is not left undone in silence."""
    lab.need("unshare")
    done = lab.run("a", "unshare -Urn sh -c 'ip link set lo up && pkt-recv -i lo -Z daemon'")
    if b"unshare" in done.stderr:
        pytest.skip(done.stderr.decode())
    assert done.returncode == 1
    assert b"pkt-recv: -Z daemon: not allowed to change to that user" in done.stderr


def test_one_user_only(lab: Lab):
    """There capabilities go alone."""
    lab.need("unshare")
    process = lab.start("a", "exec unshare -Urn sh -c 'ip link set lo up && exec pkt-recv -i lo'")
    until(lambda: process.poll() is not None or status(process.pid).get("NoNewPrivs") == "1", "no_new_privs")
    if process.poll() is not None:
        pytest.skip("no namespaces within namespaces here")
    seen(process.pid, NONE, 0, "unshare -Urn")


def test_where_they_cannot_be_given_up(lab: Lab):
    """By a filter of a container's: that is an error, not silence."""
    code = (
        "import ctypes, struct, os, sys\n"
        "number = {'x86_64': 126, 'aarch64': 91}[os.uname().machine]\n"  # capset
        "rules = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]\n"
        "program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *rule) for rule in rules))\n"
        "filter = struct.pack('HxxxxxxP', len(rules), ctypes.addressof(program))\n"
        "libc = ctypes.CDLL(None)\n"
        "assert not libc.prctl(22, 2, filter, 0, 0)\n"
        "os.execvp(sys.argv[1], sys.argv[1:])\n"
    )
    if os.uname().machine not in ("x86_64", "aarch64"):
        pytest.skip("the number of capset(2) is not known here")
    line = f'{sys.executable} -c "$CODE" pkt-recv -i eth0 --duration 0.1'
    lab.environment["CODE"] = code
    done = lab.run("a", line)
    assert done.returncode == 1
    assert b"pkt-recv: privileges cannot be given up: Operation not permitted; -Z root keeps them" in done.stderr
    assert lab.run("a", f"{line} -Z root").returncode == 0


def test_who_ends_with_its_parent_still_does(lab: Lab):
    """The kernel forgets that when a process changes its user."""
    parent = lab.start("a", "setpriv --pdeathsig KILL pkt-recv -i eth0 & echo $!; sleep 1000")
    child = int(parent.stdout.readline())
    seen(child, NONE, USER, "pkt-recv")
    assert parent.poll() is None
    os.kill(parent.pid, signal.SIGKILL)
    until(lambda: status(child).get("State", "Z")[0] in "ZX", "end of the child")


def test_one_user_for_a_pipe():
    done = shell("pkt-pipe 'recv -i lo -Z daemon | send -i lo -Z root'")
    assert (done.returncode, b"only one -Z" in done.stderr) == (2, True)


def test_filters_give_up_nothing():
    """They take no privilege, and start as fast as before."""
    done = shell("pkt-txt2txt < /dev/null", PYTHONPROFILEIMPORTTIME="1")
    assert b"pkttools.live.linux" not in done.stderr
