"""Namespaces, as namespaces(7) has them, and mounts in them; why a system refuses them.

Python has unshare and setns from 3.12 on, and no mount and no prctl: they are called in libc.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from ...errors import PktError, limit

NEWNS, NEWUTS, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x10000000, 0x20000000, 0x40000000
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MNT_DETACH = 0x1000, 0x2000, 0x4000, 0x40000, 2
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
SYSCTL = Path("/proc/sys")

_libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(PktError):
    """The system does not allow namespaces to this process."""


def called(result: int) -> None:
    """Raises OSError when a function of libc has failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def unshare(kinds: int) -> None:
    """Moves this process into new namespaces; with NEWPID its next children. Raises OSError."""
    called(_libc.unshare(kinds))


def setns(fd: int, kind: int) -> None:
    """Moves this process into a namespace that is there. Raises OSError."""
    called(_libc.setns(fd, kind))


def mount(source: str, target: str, kind: str = "", flags: int = 0) -> None:
    """See mount(2). Raises OSError."""
    called(_libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None))


def detach(target: str) -> None:
    """Takes a mount away; it stays for those who use it. Raises OSError."""
    called(_libc.umount2(target.encode(), MNT_DETACH))


def fork() -> int:
    """A child, as os.fork() makes it. Raises PktError, of limits with their names."""
    try:
        return os.fork()
    except OSError as error:
        raise PktError(f"no more processes: {limit(error)}") from None


def end_with_parent(number: int) -> None:
    """Lets the kernel send us a signal when our parent has ended, however that was; 0 for none."""
    called(_libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0))


def become(name: str) -> None:
    """How `ps` and `top` call this process: the first 15 bytes."""
    called(_libc.prctl(PR_SET_NAME, name.encode(), 0, 0, 0))


def new_user() -> None:
    """Moves this process into a user namespace where its user is root. Raises OSError.

    The system's root has all its users there, as tcpdump wants it, which changes to another one; others have root alone.
    """
    user, group = os.geteuid(), os.getegid()
    if user == 0 and all_users():
        return
    if user:
        unshare(NEWUSER)
    # Who may not set groups in the namespace around may map one only when nobody drops any, see user_namespaces(7).
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path(f"/proc/self/{name}").write_text(text)


def all_users() -> bool:
    """Moves this process into a user namespace with the users of the one it is in: a child that stays outside lets them in.

    Returns whether that was allowed; the process is in the namespace in any case. Raises OSError.
    """
    maps = {}
    for name in ("uid_map", "gid_map"):
        rows = [line.split() for line in Path(f"/proc/self/{name}").read_text().splitlines()]
        maps[name] = "".join(f"{first} {first} {count}\n" for first, _, count in rows)
    parent = os.getpid()
    told, tell = os.pipe()
    child = fork()
    if not child:
        os.close(tell)
        code = 1
        try:
            if os.read(told, 1):
                for name, text in maps.items():
                    Path(f"/proc/{parent}/{name}").write_text(text)
                code = 0
        except OSError:
            pass
        finally:
            os._exit(code)
    os.close(told)
    try:
        unshare(NEWUSER)
        os.write(tell, b"!")
    finally:
        os.close(tell)
        _, status = os.waitpid(child, 0)
    return status == 0


def refusal(error: OSError, root: bool, sysctl: Path = SYSCTL) -> Forbidden:
    """Why there is no namespace for us, and what to do about it.

    error: what the kernel said. root: it was tried without a user namespace. sysctl: the folder of the settings.
    """
    none = [kind for kind in ("user", "pid", "net", "mnt", "uts") if setting(sysctl, f"user/max_{kind}_namespaces") == 0]
    if none and error.errno == errno.ENOSPC:
        name = f"user.max_{none[0]}_namespaces"
        return Forbidden(f"namespaces are forbidden here: {name} is 0; 'sysctl {name}=10000' as root allows them")
    if error.errno == errno.ENOSPC:
        return Forbidden("there are too many namespaces, or too many within each other, see user.max_user_namespaces")
    if root:
        return Forbidden(f"--root needs root, with CAP_SYS_ADMIN and CAP_NET_ADMIN: {error.strerror}")
    instead = "or run it as root with --root"
    for name, bad in (("kernel.unprivileged_userns_clone", 0), ("kernel.apparmor_restrict_unprivileged_userns", 1)):
        if setting(sysctl, name.replace(".", "/")) == bad:
            return Forbidden(f"user namespaces are forbidden here: {name} is {bad}; "
                             f"'sysctl {name}={1 - bad}' as root allows them, {instead}")  # fmt: skip
    if error.errno in (errno.ENOSYS, errno.EINVAL):
        return Forbidden(f"this kernel has no user namespaces (CONFIG_USER_NS): run it as root with --root ({error.strerror})")
    return Forbidden(f"user namespaces are forbidden here, by no setting: by the seccomp profile of a container, or a chroot; "
                     f"start the container with another one, {instead} ({error.strerror})")  # fmt: skip


def setting(sysctl: Path, name: str) -> int | None:
    """A setting of the kernel that is a number; None where it has no such one."""
    try:
        return int((sysctl / name).read_text())
    except (OSError, ValueError):
        return None
