"""What is in a lab: hosts, interfaces, and the commands that run there."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from ..errors import PktError, counted, visible
from ..live.linux import control
from ..live.linux.namespaces import NEWNET, fork, setns
from . import running
from .build import ip
from .holder import KIND

LONGEST = 100  # characters of a command line


def listing() -> list[str]:
    """A line for each lab of this user."""
    rows = []
    for name in control.names(KIND):
        try:
            facts = running.facts(name, control.SECONDS)
        except PktError:  # it has just ended, or is stopped
            continue
        rows.append((name, facts))
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:{width}}  {heading(facts)}: {' '.join(facts['hosts'])}" for name, facts in rows]


def heading(facts: dict) -> str:
    """How it was made, since when it is up, and the number of its hosts."""
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(facts["since"]))
    return f"{'root' if facts['root'] else 'rootless'}, since {since}, {counted(len(facts['hosts']), 'host')}"


def status(name: str) -> list[str]:
    """The lines that show a lab. Raises PktError."""
    facts = running.facts(name)
    lines = [f"{name}: {heading(facts)}"]
    fds = {host: running.keys(name, host) for host in facts["hosts"]}
    commands = {host: running_in(keys["net"]) for host, keys in fds.items()}
    for host, interfaces in inside(fds).items():
        lines.append(f"{host}")
        for interface in interfaces:
            if interface["ifname"] != "lo":
                lines.append("  " + shown(interface, facts["peers"].get(host, {})))
        lines += [f"  {pid} {words}" for pid, words in commands[host]]
    return lines


def shown(interface: dict, peers: dict[str, str]) -> str:
    """A line for an interface, as `ip -json address` describes it."""
    name = interface["ifname"]
    state = "up" if interface.get("operstate") in ("UP", "UNKNOWN") else "down"
    addresses = [f"{one['local']}/{one['prefixlen']}" for one in interface.get("addr_info", ()) if one.get("scope") != "link"]
    place = [f"wire to {peers[name]}"] if name in peers else []
    place += [f"port of {interface['master']}"] if "master" in interface else []
    return visible("  ".join([name, interface.get("address", ""), state, f"mtu {interface['mtu']}", *addresses, *place]))


def inside(fds: dict[str, dict[str, int]]) -> dict[str, list[dict]]:
    """What `ip` says in each host. A process of its own goes there: it could not come back. Raises PktError."""
    reading, writing = os.pipe()
    child = fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            try:
                answer = {"hosts": asked(fds)}
            except (PktError, OSError, ValueError) as error:
                answer = {"error": str(error)}  # type: ignore[dict-item]  # instead of hosts
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writing)
    for keys in fds.values():
        for fd in keys.values():
            os.close(fd)
    with os.fdopen(reading) as pipe:
        answer = json.loads(pipe.read() or "{}")
    os.waitpid(child, 0)
    if "hosts" not in answer:
        raise PktError(answer.get("error", "the lab cannot be entered"))
    return answer["hosts"]


def asked(fds: dict[str, dict[str, int]]) -> dict[str, list[dict]]:
    """The same, as the child does it."""
    found, entered = {}, False
    for host, keys in fds.items():
        if not entered:
            running.enter({kind: os.dup(fd) for kind, fd in keys.items()})
            entered = True
        setns(keys["net"], NEWNET)
        done = ip(["-json", "address"])
        if done.returncode:
            raise PktError(f"ip: {done.stderr.strip()}")
        found[host] = [one for one in json.loads(done.stdout or "[]") if one]
    return found


def running_in(net: int) -> list[tuple[int, str]]:
    """The processes in a network namespace that we may know of: numbers, as they are seen here, and command lines."""
    wanted, found = os.fstat(net), []
    for path in Path("/proc").iterdir():
        if not path.name.isdigit() or int(path.name) == os.getpid():
            continue
        try:
            if os.path.samestat((path / "ns/net").stat(), wanted):
                words = (path / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
                code = next((i for i, word in enumerate(words[:5]) if "pkttools.main" in word), 0)
                if code and len(words) > code + 3:  # by bin/pkt: python -c CODE, where it is, its packages, the command
                    words = [Path(words[code + 3]).name, *words[code + 4 :]]
                found.append((int(path.name), "".join(c if c.isprintable() else "?" for c in " ".join(words))[:LONGEST]))
        except OSError:  # it has ended, or is not ours
            continue
    return sorted(one for one in found if one[1])
