"""Four hosts and a fifth, "sw", that each of them has a wire to: there the ports p1 to p4 wait for a switch."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from netns import Lab, finish
from waits import until

HOSTS = ("h1", "h2", "h3", "h4")
MAC = {host: f"02:00:00:00:00:0{host[1]}" for host in HOSTS}
IP = {host: f"10.0.0.{host[1]}" for host in HOSTS}
PORTS = tuple(f"p{host[1]}" for host in HOSTS)


class Switched(Lab):
    """Hosts h1 to h4, each with an eth0 whose other end is p1 to p4 of the host sw; offloads are on, as they are by default."""

    def __init__(self) -> None:
        super().__init__()
        self.statements = ["host sw"]
        for host, port in zip(HOSTS, PORTS, strict=True):
            self.statements += [f"wire sw:{port} {host} {IP[host]}/24", f"mac {host}:eth0 {MAC[host]}"]

    def switch(self, words: str = "p1 p2 p3 p4", name: str = "switch") -> subprocess.Popen[bytes]:
        """Starts a switch, and waits until it answers."""
        process = self.start("sw", f"exec pkt-switch run {words}" + (f" --name {name}" if name != "switch" else ""))
        try:
            until(lambda: process.poll() is not None or self.running(name), "running switch")
        finally:
            if process.poll() is not None:
                print(finish(process))
        assert process.poll() is None
        return process

    def running(self, name: str) -> bool:
        """Whether a switch answers."""
        return self.run("sw", f"pkt-switch show --name {name}").returncode == 0

    def show(self) -> dict[str, dict[str, str]]:
        """The table of `pkt-switch show`, by port."""
        head, *rows, _ = self.must("sw", "pkt-switch show").decode().splitlines()
        names = head.split()
        return {row.split()[0]: dict(zip(names, row.split(), strict=True)) for row in rows}

    def total(self, column: str) -> int:
        """The sum of a column of that table; `bytes` is there twice, and is that of frames that went out."""
        return sum(int(row[column]) for row in self.show().values())

    def stations(self) -> dict[str, str]:
        """The table of `pkt-switch fdb`: port by address."""
        rows = self.must("sw", "pkt-switch fdb").decode().splitlines()[1:]
        return {row.split()[0]: row.split()[1] for row in rows}

    def stop(self, process: subprocess.Popen[bytes]) -> list[str]:
        """Ends a switch; gives what it said."""
        code, _, said = finish(process, signal.SIGINT)
        assert code == 0, said
        return said

    def promiscuity(self, port: str) -> int:
        """How many want an interface to be promiscuous."""
        found = re.search(rb"promiscuity (\d+)", self.must("sw", f"ip -d link show {port}"))
        assert found
        return int(found[1])

    def collect(self, host: str, count: int) -> subprocess.Popen[bytes]:
        """Starts to take frames of experiments off the wire, as they lie on it, in hex, a line each; ends after `count`."""
        return self.capture(host, f"exec {sys.executable} -c '{COLLECT}' eth0 {count}")


# Frames as they were on the wire: tags that the kernel took off are put back. Only of experimental EtherTypes.
COLLECT = """
import socket, struct, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
wire.setsockopt(263, 8, 1)
wire.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex(sys.argv[1]), 1, 0, b""))
wire.bind((sys.argv[1], 3))
left = int(sys.argv[2])
while left:
    data, about, _, address = wire.recvmsg(262144, 256)
    status, tag, kind = struct.unpack_from("=I12xHH", about[0][2])
    if status & 16:
        data = data[:12] + struct.pack("!HH", kind if status & 64 else 0x8100, tag) + data[12:]
    if address[2] != 4 and b"\\x88\\xb5" in data[:30]:
        print(data.hex(), flush=True)
        left -= 1
"""


@pytest.fixture
def net() -> Iterator[Switched]:
    """Four hosts around a place for a switch."""
    made = Switched()
    try:
        made.open()
        yield made
    finally:
        made.close()
