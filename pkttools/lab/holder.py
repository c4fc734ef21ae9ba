"""The process that a lab is: the first one (pid 1) in a PID namespace, which holds the namespaces of the hosts.

When it ends, however that happens, the kernel kills all that runs in the lab, and namespaces and wires go with it.
There is no file and no name of a namespace that could stay behind. It listens under the lab's name, see `linux.control`.

    the command ── keeper, of the same namespaces ──╂── holder, of new ones: user, pid, mnt, net, uts

The keeper is there because who asks for a PID namespace gets it for its children only, and who asks for a user namespace
can do nothing outside any more. It ends with the command, and the holder with it, until the lab is up.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import PktError, UsageError, limit
from ..live.linux import control, namespaces
from ..live.linux.namespaces import Forbidden, end_with_parent, fork, mount, refusal
from .build import Spaces, build
from .topology import Topology

KIND = "lab"  # of its name, see `control`
ERRORS = {error.__name__: error for error in (Forbidden, PktError, UsageError)}


class Started:
    """A lab that was just built: `keeper`, our child, and the holder's process, as we know it."""

    def __init__(self, keeper: int, holder: int) -> None:
        self.keeper, self.holder = keeper, holder

    def end(self) -> None:
        """Ends it, and waits until all that ran in it is gone."""
        try:
            os.kill(self.holder, signal.SIGKILL)
        except ProcessLookupError:  # somebody else has ended it
            pass
        os.waitpid(self.keeper, 0)


def start(topology: Topology, name: str, *, root: bool, stays: bool) -> Started:
    """Builds a lab. It ends with this process, unless it `stays`; until it is up it does in any case.

    root: without a user namespace. Raises PktError, and Forbidden where the system refuses.
    """
    listener = control.bind(KIND, name)
    reading, writing = os.pipe()
    parent = os.getpid()
    keeper = fork()
    if not keeper:
        os.close(reading)
        end_with_parent(signal.SIGKILL)
        if os.getppid() == parent:
            child(lambda: keep(topology, listener, writing, parent, root, stays), writing)
        os._exit(1)
    os.close(writing)
    listener.close()
    with os.fdopen(reading, "rb") as pipe:
        report = json.loads(pipe.readline() or '{"error": "it ended while it was built"}')
    if "error" in report:
        os.waitpid(keeper, 0)
        raise ERRORS[report.get("kind", "PktError")](report["error"])
    return Started(keeper, report["holder"])


def child(do: object, writing: int) -> None:
    """Does what a new process is for, and ends it; what goes wrong is told to the command."""
    try:
        do()  # type: ignore[operator]  # a function
    except (PktError, UsageError) as error:
        tell(writing, kind=type(error).__name__, error=str(error))
    except Exception as error:
        tell(writing, error=f"{type(error).__name__}: {error}")
    finally:
        os._exit(1)


def tell(writing: int, **report: object) -> None:
    """Reports to the command that waits."""
    os.write(writing, json.dumps(report).encode() + b"\n")


def keep(topology: Topology, listener: socket.socket, writing: int, parent: int, root: bool, stays: bool) -> None:
    """The keeper: makes the namespaces, and the holder in them; ends when that does. Raises Forbidden."""
    os.setsid()  # a terminal's signals are for the command alone
    try:
        if not root:
            namespaces.new_user()
        namespaces.unshare(namespaces.NEWPID | namespaces.NEWNS | namespaces.NEWNET | namespaces.NEWUTS)
    except OSError as error:
        raise refusal(error, root) from None
    end_with_parent(signal.SIGKILL)  # a change of user takes that back
    if os.getppid() != parent:
        return
    alive, end = os.pipe()
    told, tell_pid = os.pipe()
    holder = fork()
    if not holder:
        os.close(end)
        end_with_parent(signal.SIGKILL)
        if not select.select([alive], [], [], 0)[0]:  # the keeper was still there after that
            os.close(alive)
            child(lambda: hold(topology, listener, writing, told, root, stays), writing)
        os._exit(1)
    os.write(tell_pid, f"{holder}\n".encode())
    for fd in (alive, told, writing):
        os.close(fd)
    listener.close()
    os.waitpid(holder, 0)


def hold(topology: Topology, listener: socket.socket, writing: int, told: int, root: bool, stays: bool) -> None:
    """The holder: builds, and answers until it is killed."""
    os.setsid()
    for fd in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), fd)
    close_others({0, 1, 2, listener.fileno(), writing, told})
    os.chdir("/")
    namespaces.become("pkt-lab")
    furnish(topology)
    own = {kind: os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "mnt", "pid")}
    alone = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        spaces = build(topology)
        namespaces.setns(alone, namespaces.NEWNET)  # it is in none of the hosts
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSPC):
            raise refusal(error, root) from None
        raise PktError(f"the lab cannot be built: {limit(error)}") from None
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel hands it orphans, and is to bury them, too
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    facts = describe(topology, root)
    more_descriptors()
    listener.listen(control.BACKLOG)
    if stays:
        end_with_parent(0)
    tell(writing, holder=int(os.read(told, 64)))
    os.close(writing)
    os.close(told)
    serve(listener, lambda line: answer(line, facts, spaces, own))


def close_others(kept: set[int]) -> None:
    """Closes what came from whoever started the command: nobody is to wait for the end of a pipe because of us."""
    for fd in sorted({int(path.name) for path in Path("/proc/self/fd").iterdir()} - kept):
        try:
            os.close(fd)
        except OSError:  # the folder's own, which is closed already
            pass


def furnish(topology: Topology) -> None:
    """Lets programs see the lab's processes, and know its hosts by name: as far as the system allows."""
    try:
        mount("none", "/", flags=namespaces.MS_REC | namespaces.MS_PRIVATE)  # what is mounted here is not mounted outside
    except OSError:
        return
    try:
        mount("proc", "/proc", "proc", namespaces.MS_NOSUID | namespaces.MS_NODEV | namespaces.MS_NOEXEC)
    except OSError:  # a container that hides parts of its own: that one stays, and shows no processes of ours by their numbers here
        pass
    try:
        before = Path("/etc/hosts").read_text()
        mount("tmpfs", "/tmp", "tmpfs", namespaces.MS_NOSUID | namespaces.MS_NODEV)
        try:
            Path("/tmp/hosts").write_text(names(topology) + before)
            mount("/tmp/hosts", "/etc/hosts", flags=namespaces.MS_BIND)
        finally:
            namespaces.detach("/tmp")
    except (OSError, UnicodeDecodeError):
        pass


def names(topology: Topology) -> str:
    """The hosts, as /etc/hosts has them."""
    return "".join(
        f"{address.ip} {host.name}\n"
        for host in topology.hosts.values() for one in host.interfaces.values() for address, _ in one.addresses
    )  # fmt: skip


def describe(topology: Topology, root: bool) -> dict[str, object]:
    """What is told about it."""
    peers = {
        host.name: {one.name: ":".join(one.peer) for one in host.interfaces.values() if one.peer}
        for host in topology.hosts.values()
    }
    return {"root": root, "since": time.time(), "hosts": [*topology.hosts], "peers": peers}


def serve(listener: socket.socket, answer: Callable[[bytes], tuple[bytes, list[int]]]) -> None:
    """Answers all who ask, for ever."""
    callers = control.Callers(listener, answer)
    while True:
        waiting, (reading, writing), seconds = select.poll(), callers.waited(), callers.patience()
        for fds, event in ((reading, select.POLLIN), (writing, select.POLLOUT)):
            for fd in fds:
                waiting.register(fd, event)
        callers.turn([fd for fd, _ in waiting.poll(None if seconds is None else seconds * 1000)])


def answer(line: bytes, facts: dict[str, object], spaces: dict[str, Spaces], own: dict[str, int]) -> tuple[bytes, list[int]]:
    """Answers one question: what the lab is, and, of a host, how to get in."""
    try:
        host = control.decode(line).get("host")
    except PktError as error:
        return control.encode({"error": str(error)}), []
    if not isinstance(host, str) or host not in spaces:
        return control.encode(facts), []
    keys = {**own, "mnt": spaces[host].mnt, "net": spaces[host].net, "uts": spaces[host].uts}
    return control.encode({"kinds": [*keys]}), [*keys.values()]


def more_descriptors() -> None:
    """Raises the number of descriptors that may be open, and on their way to those who ask, as far as that is allowed."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
