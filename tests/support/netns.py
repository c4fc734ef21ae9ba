"""Two hosts on one wire, for live tests: a laboratory of pkttools.lab, as root or without.

It ends with the test run, even if that is killed, and with it what runs in the hosts: nothing clashes, nothing is left over.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from waits import until

if sys.platform == "linux":
    from pkttools.lab import holder, running, topology
    from pkttools.live.linux.namespaces import Forbidden

HOSTS = ("a", "b")
MAC = {"a": "02:00:00:00:00:0a", "b": "02:00:00:00:00:0b"}
IP = {"a": "10.0.0.1", "b": "10.0.0.2"}
IP6 = {"a": "fd00::1", "b": "fd00::2"}
PEER = {"a": "b", "b": "a"}
WIRE = [
    f"wire a {IP['a']}/24 b {IP['b']}/24",
    *(f"mac {host}:eth0 {MAC[host]}" for host in HOSTS),
    *(f"neighbour {host}:eth0 {IP[PEER[host]]} {MAC[PEER[host]]}" for host in HOSTS),
]
TWO = ["wire a:eth1 b:eth1"]  # a second wire
# Waits for the end of the test run, should that be killed, and then kills all who are in the same network namespace.
RESIDENT = """
echo; cat > /dev/null; net=$(readlink /proc/$$/ns/net)
for process in /proc/[0-9]*; do
    [ $process = /proc/$$ ] || [ "$(readlink $process/ns/net)" != "$net" ] || kill -9 ${process#/proc/}
done
"""
# Takes away the privilege that packet sockets need, and leaves the user as it is, who can read this checkout.
UNPRIVILEGED = "setpriv --bounding-set=-net_raw --inh-caps=-net_raw"
NUMBERS = itertools.count(1)
TEST_TYPE = 0x88B5  # EtherType for experiments: no kernel answers it
INJECT = """
import socket, struct, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
if sys.argv[2:]:
    wire.setsockopt(263, 15, 1)  # PACKET_VNET_HDR
    wire.setsockopt(socket.SOL_SOCKET, 7, 4 << 20)
wire.bind((sys.argv[1], 0))
data, at = sys.stdin.buffer.read(), 0
while at < len(data):
    (size,) = struct.unpack_from("I", data, at)
    wire.send(data[at + 4 : at + 4 + size])
    at += 4 + size
"""
# The other end of a TUN or TAP device, without which it has no carrier: name, 1 for TUN, 2 for TAP. Reads until it is ended.
READ_TUN = """
import fcntl, os, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1000 | int(sys.argv[2])))
print("ready", flush=True)
while True:
    os.read(fd, 65536)
"""
# Captures what comes in, without any of our commands: interface, number of frames. Tags stay where the kernel puts them.
WATCH = """
import socket, struct, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
wire.setsockopt(socket.SOL_SOCKET, 8, 16 << 20)
wire.setsockopt(socket.SOL_SOCKET, 35, 1)
wire.bind((sys.argv[1], 3))
out, left = sys.stdout.buffer, int(sys.argv[2])
out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
while left:
    data, ((_, _, stamp),), _, address = wire.recvmsg(262144, 256)
    if address[2] != 4:
        out.write(struct.pack("<IIII", *struct.unpack("qq", stamp), len(data), len(data)) + data)
        left -= 1
"""


class Lab:
    """Hosts "a" and "b", each with an interface eth0, and what more the statements of a topology say.

    Nothing is on the wire but what a test puts there.
    """

    def __init__(self, backend: str = "", more: list[str] | None = None) -> None:
        self.statements = WIRE + (more or [])
        self.environment = {
            **os.environ, "TZ": "UTC", "LC_ALL": "C", "PKTTOOLS_CODEC": backend,
            "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin",
        }  # fmt: skip
        self.made: holder.Started | None = None
        self.keys: dict[str, dict[str, int]] = {}  # of each host, its namespaces as descriptors
        self.residents: dict[str, subprocess.Popen[bytes]] = {}  # a process in each host, for what /proc says about that
        self.started: list[subprocess.Popen[bytes]] = []
        self.rootless = False

    def open(self) -> None:
        """Makes the hosts and the wire; skips the test where that is forbidden."""
        self.need("bash", "ip", "nsenter", "setpriv")
        name, reasons = f"test-{os.getpid()}-{next(NUMBERS)}", []
        for self.rootless in (False, True):
            try:
                self.made = holder.start(topology.read(topology.lines(self.statements)), name, root=not self.rootless, stays=False)
                break
            except Forbidden as error:
                reasons.append(str(error))
        else:
            pytest.skip(f"no network namespaces here: {'; '.join(reasons)}")
        for host in running.facts(name)["hosts"]:
            self.keys[host] = running.keys(name, host)
        for host in self.keys:
            pipe = subprocess.PIPE
            words = [*self.entrance(host), "sh", "-c", RESIDENT]
            self.residents[host] = subprocess.Popen(words, stdin=pipe, stdout=pipe, start_new_session=True)
            assert self.residents[host].stdout.readline() == b"\n"

    def close(self) -> None:
        """Ends what still runs, and the laboratory."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # a pipeline's other commands, too
        for resident in self.residents.values():
            os.killpg(resident.pid, signal.SIGKILL)
        for process in [*self.started, *self.residents.values()]:
            if process.stdin:
                process.stdin.close()
            process.wait(10)
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        for keys in self.keys.values():
            for fd in keys.values():
                os.close(fd)
        if self.made:
            self.made.end()

    def need(self, *tools: str) -> None:
        """Skips the test where a tool is missing."""
        for tool in tools:
            if not shutil.which(tool, path=self.environment["PATH"]):
                pytest.skip(f"{tool} is not installed")

    def need_tcpdump(self) -> None:
        """Skips the test where tcpdump cannot capture."""
        self.need("tcpdump")
        if self.rootless:
            pytest.skip("tcpdump changes to another user before it captures, and a user namespace made without root has only one")

    def ipv6(self) -> None:
        """Gives both hosts an IPv6 address; they talk for a moment."""
        for host in HOSTS:
            self.must(host, "cd /proc/sys/net/ipv6/conf/eth0 && echo 1 > addr_gen_mode && echo 0 > disable_ipv6")
            self.must(host, f"ip addr add {IP6[host]}/64 dev eth0 nodad")
            self.must(host, f"ip neigh add {IP6[PEER[host]]} lladdr {MAC[PEER[host]]} dev eth0 nud permanent")

    def entrance(self, host: str) -> list[str]:
        """The words that run a command in a host."""
        flags = ["--preserve-credentials"] if self.rootless else []
        kinds = ["user", "net"] if self.rootless else ["net"]
        return ["nsenter", *flags, *(f"--{kind}=/proc/{os.getpid()}/fd/{self.keys[host][kind]}" for kind in kinds)]

    def inside(self, host: str) -> list[str]:
        """The same, of one that ends with us. No process is between us and the command: a signal goes straight to it.

        So it is not in the laboratory's PID namespace, which would take a fork.
        """
        return [*self.entrance(host), "setpriv", "--pdeathsig", "KILL"]

    def run(self, host: str, command: str, data: bytes = b"", timeout: float = 60) -> subprocess.CompletedProcess[bytes]:
        """Runs a shell pipeline in a host to its end."""
        process = self.start(host, command, subprocess.PIPE)
        try:
            out, err = process.communicate(data, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def must(self, host: str, command: str, data: bytes = b"") -> bytes:
        """Runs what has to work; gives its output."""
        done = self.run(host, command, data)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
        return done.stdout

    def start(self, host: str, command: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Starts a shell pipeline in a host, in a process group of its own; it ends with the test."""
        words = [*self.inside(host), "bash", "-o", "pipefail", "-c", command]
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, stdin=stdin, stdout=pipe, stderr=pipe, env=self.environment, start_new_session=True)
        self.started.append(process)
        return process

    def capture(self, host: str, command: str, everywhere: bool = False) -> subprocess.Popen[bytes]:
        """Starts something that captures, on one interface or on all, and waits until the kernel hands packets to it."""
        before = self.listeners(host, everywhere)  # what was left by others may go meanwhile
        process = self.start(host, command)
        until(lambda: self.listeners(host, everywhere) - before or process.poll() is not None, f"a packet socket of {command}")
        return process

    def listeners(self, host: str, everywhere: bool = False) -> set[str]:
        """Packet sockets that receive, protocol ETH_P_ALL, bound to an interface, or to all of them, by their inodes."""
        rows = [line.split() for line in self.proc(host, "packet").splitlines()[1:]]
        return {row[8] for row in rows if row[3] == "0003" and (row[4] == "0") == everywhere}

    def proc(self, host: str, name: str) -> str:
        """A file of /proc/net, as the host sees it."""
        return Path(f"/proc/{self.residents[host].pid}/net/{name}").read_text()

    def counters(self, host: str) -> dict[str, int]:
        """What the kernel counted at eth0."""
        (line,) = [line for line in self.proc(host, "dev").splitlines() if line.strip().startswith("eth0:")]
        numbers = [int(word) for word in line.split(":")[1].split()]
        return {"rx_bytes": numbers[0], "rx": numbers[1], "tx_bytes": numbers[8], "tx": numbers[9]}

    def read_tun(self, host: str, name: str, kind: int) -> subprocess.Popen[bytes]:
        """Starts what is the other end of a TUN or TAP device."""
        process = self.start(host, f"exec {sys.executable} -c '{READ_TUN}' {name} {kind}")
        assert process.stdout.readline() == b"ready\n"
        return process

    def watch(self, host: str, count: int) -> subprocess.Popen[bytes]:
        """Starts to capture what comes in, as pcap with the kernel's own times; ends by itself after `count` frames."""
        return self.capture(host, f"exec {sys.executable} -c '{WATCH}' eth0 {count}")

    def inject(self, host: str, frames: list[bytes], interface: str = "eth0", *, to_be_cut: bool = False) -> None:
        """Sends frames without any of our commands; to_be_cut: each behind a struct virtio_net_hdr, which says how."""
        data = b"".join(struct.pack("I", len(frame)) + frame for frame in frames)
        words = [sys.executable, "-c", INJECT, interface, *["cut"] * to_be_cut]
        done = subprocess.run([*self.inside(host), *words], input=data, timeout=20, check=False)
        assert done.returncode == 0


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Two hosts; commands choose the codec by themselves."""
    yield from opened("")


@pytest.fixture
def labs(backend: str) -> Iterator[Lab]:
    """Two hosts, once a codec."""
    yield from opened(backend)


@pytest.fixture
def lab_of_two() -> Iterator[Lab]:
    """Two hosts on two wires."""
    yield from opened("", TWO)


@pytest.fixture
def labs_of_two(backend: str) -> Iterator[Lab]:
    """Two hosts on two wires, once a codec."""
    yield from opened(backend, TWO)


def opened(backend: str, more: list[str] | None = None) -> Iterator[Lab]:
    """What a fixture yields from: a laboratory, with `more` statements of a topology."""
    made = Lab(backend, more)
    try:
        made.open()
        yield made
    finally:
        made.close()


def finish(process: subprocess.Popen[bytes], number: int = 0, timeout: float = 60) -> tuple[int, bytes, list[str]]:
    """Waits for a started command, after a signal if there is one; gives exit code, output and the lines of stderr."""
    if number:
        process.send_signal(number)
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err.decode().splitlines()


def frame(number: int, size: int = 60, source: str = "b", tags: bytes = b"") -> bytes:
    """A frame from one host to the other, each number another content."""
    macs = bytes.fromhex((MAC[PEER[source]] + MAC[source]).replace(":", ""))
    head = macs + tags + struct.pack("!HI", TEST_TYPE, number)
    return head + bytes((number + i) & 255 for i in range(size - len(head)))


def pcap(frames: list[bytes], gap: float = 0, linktype: int = 1) -> bytes:
    """A capture of frames, `gap` seconds apart."""
    records = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype)]
    for i, data in enumerate(frames):
        seconds, micro = divmod(1_000_000_000_000_000 + round(i * gap * 1_000_000), 1_000_000)
        records.append(struct.pack("<IIII", seconds, micro, len(data), len(data)) + data)
    return b"".join(records)


def records(capture: bytes) -> list[tuple[int, int, bytes]]:
    """The packets of a capture: time in nanoseconds, original size, bytes."""
    magic = struct.unpack_from("<I", capture)[0]
    unit = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}[magic]
    at, found = 24, []
    while at < len(capture):
        seconds, part, captured, original = struct.unpack_from("<IIII", capture, at)
        found.append((seconds * 1_000_000_000 + part * unit, original, capture[at + 16 : at + 16 + captured]))
        at += 16 + captured
    assert at == len(capture)
    return found


def frames_of(capture: bytes) -> list[bytes]:
    """The bytes of a capture's packets."""
    return [data for _, _, data in records(capture)]
