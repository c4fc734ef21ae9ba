"""Makes the network that a topology describes, with iproute2's `ip`: one call of it a host, from within the host's namespace."""

from __future__ import annotations

import array
import fcntl
import os
import re
import socket
import struct
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from ..errors import PktError, limit
from ..live.linux.interface import SIOCGIFFLAGS, ask, asking
from ..live.linux.namespaces import (
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    NEWNET,
    NEWNS,
    NEWUTS,
    detach,
    mount,
    setns,
    unshare,
)
from .topology import Host, Interface, Line, Topology

IFF_RUNNING = 0x40  # linux/if.h: up, and the other end of the wire, too
SIOCETHTOOL = 0x8946
# linux/ethtool.h: what computes checksums, cuts and joins packets for the stack.
ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C
SYSTEM = ":/usr/sbin:/sbin"  # where the commands of an administrator are; others may not have them in their PATH
PATIENCE = 10.0  # seconds until the links are up


class Spaces:
    """The namespaces of a host, as descriptors: they live as long as these are open."""

    def __init__(self, host: str) -> None:
        """Makes them, and moves this process there, but for its mounts. Raises OSError."""
        before = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        unshare(NEWNET | NEWUTS | NEWNS)
        try:
            mount_sys()
            self.mnt = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            setns(before, NEWNS)
            os.close(before)
        socket.sethostname(host)
        self.net = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.uts = os.open("/proc/self/ns/uts", os.O_RDONLY | os.O_CLOEXEC)

    def enter(self) -> None:
        """Moves this process there, but for its mounts."""
        setns(self.net, NEWNET)
        setns(self.uts, NEWUTS)


def mount_sys() -> None:
    """Shows the devices of the network namespace in /sys, as `ip netns exec` does, with what else is mounted there.

    Where the system does not allow it, as in containers that hide parts of /sys, that stays what it was.
    """
    try:
        mount("none", "/", flags=MS_REC | MS_PRIVATE)  # what is mounted here is not mounted outside
        points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        try:
            mount("sysfs", "/tmp", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        except PermissionError:  # one that is only read may stand where only such a one is
            mount("sysfs", "/tmp", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)
    except OSError:
        return
    taken: tuple[str, ...] = ()
    for point in points:
        if point.startswith("/sys/") and not point.startswith(taken):
            try:
                mount(point, "/tmp" + point.removeprefix("/sys"), flags=MS_BIND | MS_REC)
                taken += (point + "/",)
            except OSError:  # what is hidden, or not for us
                pass
    try:
        mount("/tmp", "/sys", flags=MS_MOVE)
    except OSError:
        detach("/tmp")


def build(topology: Topology) -> dict[str, Spaces]:
    """Makes the hosts and all that is in them; this process has moved to the last one. Raises PktError, OSError."""
    spaces = {}
    for host in topology.hosts.values():
        spaces[host.name] = Spaces(host.name)
        prepare(host)
    fds = {name: one.net for name, one in spaces.items()}
    made: set[str] = set()  # hosts whose wires are there, with both ends
    for host in topology.hosts.values():
        spaces[host.name].enter()
        run_ip(links(topology, host, made, fds) + settings(host), list(fds.values()))
        made.add(host.name)
        for one in host.interfaces.values():
            if not one.offload:
                offload_off(one.name, one.line)
            if host.ipv6 and not one.ipv6:
                write_setting(f"ipv6/conf/{one.name}/disable_ipv6", "1")
    for name, space in spaces.items():
        space.enter()
        wait_for_links(topology.hosts[name])
    return spaces


def prepare(host: Host) -> None:
    """The settings of a new host: IPv6 is off, or has no addresses of its own, for it would talk by itself; and forwarding.

    Where IPv6 cannot be switched off (/proc/sys is read-only in many containers), `settings` sees to it. Raises PktError.
    """
    for name in ("all", "default"):
        write_setting(f"ipv6/conf/{name}/disable_ipv6", str(int(not host.ipv6)))
        write_setting(f"ipv6/conf/{name}/addr_gen_mode", "1")
        write_setting(f"ipv6/conf/{name}/accept_ra", "0")  # who takes advertisements solicits them
    if host.forward:
        write_setting("ipv4/ip_forward", "1", host.name)
        if host.ipv6:
            write_setting("ipv6/conf/all/forwarding", "1", host.name)


def write_setting(name: str, value: str, needed_by: str = "") -> None:
    """Writes a setting of this network namespace. Raises PktError where that fails, and somebody needs it."""
    try:
        (Path("/proc/sys/net") / name).write_text(value)
    except OSError as error:
        if needed_by:
            raise PktError(f"{needed_by}: net.{name.replace('/', '.')} cannot be set: {error.strerror}") from None


def makes_addresses() -> bool:
    """Whether a new interface gets an IPv6 address by itself, in this network namespace."""
    try:
        return Path("/proc/sys/net/ipv6/conf/default/addr_gen_mode").read_text() == "0\n"
    except OSError:  # there is no IPv6
        return False


def links(topology: Topology, host: Host, made: set[str], fds: dict[str, int]) -> list[tuple[str, Line | None]]:
    """The lines that make the wires of a host whose other end is not there yet, and its bridges, each with its statement.

    Names stand behind `name` and `dev`: `ip` takes short ones, such as a and b, for beginnings of its own words else.
    """
    batch: list[tuple[str, Line | None]] = []
    for (first, name), (second, other), line in topology.wires:
        if host.name not in (first, second) or made & {first, second}:
            continue
        if host.name == second:
            first, name, second, other = second, other, first, name
        here, there = topology.hosts[first].interfaces[name], topology.hosts[second].interfaces[other]
        batch.append((f"link add name {name} {identity(here)} type veth peer name {other} {identity(there)} "
                      f"netns /proc/self/fd/{fds[second]}", line))  # fmt: skip
    for one in host.interfaces.values():
        if one.ports is not None:
            batch.append((f"link add name {one.name} {identity(one)} type bridge stp_state 0 mcast_snooping 0", one.line))
    return batch


def identity(one: Interface) -> str:
    """The words that an interface is made with."""
    return f"index {one.index} address {one.mac}" + ("" if one.mtu is None else f" mtu {one.mtu}")


def settings(host: Host) -> list[tuple[str, Line | None]]:
    """The lines that give a host's interfaces what they have, and bring them up."""
    batch: list[tuple[str, Line | None]] = [("link set lo up", None)]
    interfaces = host.interfaces.values()
    if makes_addresses():
        batch += [(f"link set dev {one.name} addrgenmode none", one.line) for one in interfaces]
    batch += [(f"link set dev {port} master {one.name}", one.line) for one in interfaces for port in one.ports or ()]
    for one in interfaces:
        batch += [(f"address add {address}{' nodad' if address.version == 6 else ''} dev {one.name}", line)
                  for address, line in one.addresses]  # fmt: skip
        if one.ipv6 and not any(address.is_link_local for address, _ in one.addresses):
            batch.append((f"address add {link_local(one.mac)}/64 nodad dev {one.name}", one.line))
        batch.append((f"link set dev {one.name} up", one.line))
        batch += [(f"neighbour replace {address} lladdr {mac} dev {one.name} nud permanent", line)
                  for address, mac, line in one.neighbours]  # fmt: skip
    return batch + [(f"route add {network} via {gateway}", line) for network, gateway, line in host.routes]


def link_local(mac: str) -> str:
    """The address that an interface makes of its MAC address (RFC 4291, appendix A). A router asks for neighbours from it."""
    a, *rest = bytes.fromhex(mac.replace(":", ""))
    b, c, d, e, f = rest
    return f"fe80::{a ^ 2:02x}{b:02x}:{c:02x}ff:fe{d:02x}:{e:02x}{f:02x}"


def run_ip(batch: list[tuple[str, Line | None]], fds: list[int]) -> None:
    """Runs `ip` over lines; it inherits `fds`. Raises PktError with the statement that failed."""
    done = ip(["-batch", "-"], "".join(f"{line}\n" for line, _ in batch), fds)
    if done.returncode:
        failed = re.search(r"^Command failed .*:(\d+)", done.stderr, re.MULTILINE)
        said = " ".join(line for line in done.stderr.splitlines() if not line.startswith("Command failed"))
        text, line = batch[int(failed[1]) - 1] if failed else ("", None)
        raise PktError(f"{line.place + ': ' if line else ''}ip {text}: {said or done.returncode}")


def ip(words: list[str], text: str = "", fds: Iterable[int] = ()) -> subprocess.CompletedProcess[str]:
    """Runs `ip`. Raises PktError when it is not there."""
    env = {**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath) + SYSTEM}
    try:
        return subprocess.run(["ip", *words], input=text, pass_fds=[*fds], text=True, capture_output=True, check=False, env=env)
    except FileNotFoundError:
        raise PktError("ip is missing: apt-get install iproute2") from None
    except OSError as error:
        raise PktError(f"ip cannot be run: {limit(error)}") from None


def offload_off(name: str, line: Line) -> None:
    """Lets the stack compute checksums and cut packets by itself, as `ethtool -K` does. Raises PktError."""
    for command in (ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_SSG):
        value = array.array("I", (command, 0))  # struct ethtool_value
        with asking() as sock:
            try:
                fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", name.encode(), value.buffer_info()[0]))
            except OSError as error:
                if command in (ETHTOOL_STXCSUM, ETHTOOL_STSO):
                    raise line.wrong(f"offload of {name} cannot be switched off: {error.strerror}") from None


def wait_for_links(host: Host) -> None:
    """Waits until the host's wires are up, with their other ends. Raises PktError when one stays down.

    A bridge forwards as soon as its ports are up; its own state follows as late as a second later, and only then it sends
    what the host itself has to say: one with an address is waited for, too.
    """
    deadline = time.monotonic() + PATIENCE
    with asking() as sock:
        for name, one in host.interfaces.items():
            while (one.peer or one.addresses) and not struct.unpack_from("H", ask(sock, name, SIOCGIFFLAGS))[0] & IFF_RUNNING:
                if time.monotonic() > deadline:
                    raise one.line.wrong(f"{host.name}:{name} does not come up")
                time.sleep(0.002)
