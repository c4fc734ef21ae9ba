"""Labs that are up: found by name, asked, entered and ended."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from ..errors import PktError
from ..live.linux import control, namespaces
from .holder import KIND

ENVIRONMENT = "PKT_LAB"  # names the lab that is meant
HOST = "PKT_HOST"  # tells a command which host it runs in
PATIENCE = 10.0  # seconds until all its processes are gone
# In this order: the user namespace gives the right to enter the others.
KINDS = {"user": namespaces.NEWUSER, "pid": namespaces.NEWPID, "mnt": namespaces.NEWNS, "net": namespaces.NEWNET,
         "uts": namespaces.NEWUTS}  # fmt: skip
NETWORK = ("user", "net")  # of these: those of a process that keeps our files


def choose(name: str | None, host: str | None = None) -> str:
    """The lab that is meant: by name, or by the environment, or the only one, or the only one with a host of that name.

    Raises PktError.
    """
    if name := name or os.environ.get(ENVIRONMENT):
        return name
    there = control.names(KIND)
    having = [lab for lab in there if host in hosts(lab)] if host and len(there) > 1 else []
    if len(having or there) == 1:
        return (having or there)[0]
    if there:
        raise PktError(f"which lab? there are {', '.join(having or there)}{f' with a host {host}' if having else ''}: --name NAME")
    raise PktError("no lab is up" + (f" within the host {os.environ[HOST]}; ask outside of it" if HOST in os.environ else ""))


def hosts(name: str) -> list[str]:
    """The hosts of a lab; none of one that does not answer."""
    try:
        return facts(name)["hosts"]
    except PktError:
        return []


def ask(name: str, seconds: float = control.PATIENCE, **question: object) -> tuple[dict, list[int]]:
    """What a lab answers within so many seconds. Raises PktError when there is none of that name, or it does not."""
    with control.connect(KIND, name, seconds) as sock:
        try:
            control.send(sock, question)
            return control.receive(sock)
        except (OSError, PktError) as error:
            raise PktError(f"lab {name}: {error.strerror if isinstance(error, OSError) else error}") from None


def facts(name: str, seconds: float = control.PATIENCE) -> dict:
    """What a lab is; see `holder.describe`. Raises PktError."""
    return ask(name, seconds)[0]


def keys(name: str, host: str) -> dict[str, int]:
    """The namespaces of a host, as descriptors. Raises PktError."""
    answer, fds = ask(name, host=host)
    if "kinds" not in answer:
        raise PktError(f"no host {host} in lab {name}; there are {', '.join(answer['hosts'])}")
    return dict(zip(answer["kinds"], fds, strict=True))


def inside(host: str) -> dict[str, str]:
    """The environment of a command in a host: the host's name, and that of no lab."""
    return {**{name: value for name, value in os.environ.items() if name != ENVIRONMENT}, HOST: host}


def enter(fds: dict[str, int]) -> None:
    """Moves this process into namespaces, and closes their descriptors; only a child is in the PID namespace. Raises PktError."""
    try:
        here = Path.cwd()
    except OSError:  # it was deleted
        here = Path("/")
    try:
        for kind, flag in KINDS.items():
            if kind in fds and not (kind == "user" and os.path.samestat(os.fstat(fds[kind]), Path("/proc/self/ns/user").stat())):
                namespaces.setns(fds[kind], flag)
    except OSError as error:
        raise PktError(f"the lab cannot be entered: {error.strerror}") from None
    finally:
        for fd in fds.values():
            os.close(fd)
    try:
        os.chdir(here)  # to enter a mount namespace leads to its root
    except OSError:
        pass


def end(name: str) -> None:
    """Ends a lab, and waits until all that ran in it is gone. Raises PktError."""
    with control.connect(KIND, name, control.SECONDS) as sock:
        pid, _ = control.peer(sock)
        try:
            holder = os.pidfd_open(pid)
            if not control.there(sock):  # or else it was still there when its process was opened
                raise PktError(f"lab {name}: it has just ended")
            signal.pidfd_send_signal(holder, signal.SIGKILL)
        except OSError as error:
            raise PktError(f"lab {name} cannot be ended: {error.strerror}") from None
    ended, _, _ = select.select([holder], [], [], PATIENCE)
    os.close(holder)
    if not ended:
        raise PktError(f"lab {name}: its processes do not end")
