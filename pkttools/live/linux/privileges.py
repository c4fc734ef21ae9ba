"""What a command is no longer allowed to do, once all is open that takes a privilege: what it reads is from strangers.

See capabilities(7), credentials(7) and prctl(2). Capabilities are those of a thread: they go before there is a second one.
"""

from __future__ import annotations

import os
import pwd
import sys

from ... import codec
from ...errors import PktError, UsageError
from ...kernel import capabilities, death_signal, keep_capabilities, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 8, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF = 12, 13, 39
MOST = 64  # capabilities there can be
NOBODY = 65534  # the user, and the group, that the kernel itself takes for one that is not known
ROOT = "root"
# What is imported later, by names, for where the user that is changed to cannot read the folders that it is in.
LATE = (
    "array", "difflib", "fcntl", "json", "mmap", "select", "socket",
    *(f"pkttools.{name}" for name in (
        "bpf.classic", "command_line.progress", "formats.foreign", "formats.lane", "formats.lending", "formats.sharing",
        "formats.compressed.beside", "formats.compressed.unpacking", "formats.erf", "formats.records", "formats.snoop",
        "formats.pcap", "formats.pcapng", "formats.pcapng_sink", "formats.sections", "formats.text", "formats.write_behind",
        "kernel", "kernel.python.pace", "language.expression", "protocols._lines", "protocols._rows", "protocols._templates",
        "protocols._words", "protocols.values",
        "live.histogram", "protocols._walk", "protocols.names", "protocols.shown", "statistics.charts", "statistics.records",
        "statistics.tables",
    )),
)  # fmt: skip
LIBRARIES = ("bz2", "lzma", "zlib", "backports.zstd", "compression.zstd", "lz4.frame")  # the same, as far as they are there


def user_of(name: str | None) -> tuple[int, int] | None:
    """The user and the group to change to; None: it stays who it is. Raises UsageError.

    name: a user, or None for the usual one: of what root has started who used sudo, or else nobody.
    """
    if name is not None:
        try:
            found = pwd.getpwuid(int(name)) if name.isascii() and name.isdigit() else pwd.getpwnam(name)
        except (KeyError, OverflowError, ValueError):
            raise UsageError(f"-Z: there is no user '{name[:40]}'") from None
        return found.pw_uid, found.pw_gid
    if os.geteuid():
        return None
    if os.getuid():
        return os.getuid(), os.getgid()
    sudo = [os.environ.get(variable, "") for variable in ("SUDO_UID", "SUDO_GID")]
    if all(number.isascii() and number.isdigit() and 0 < int(number) < 1 << 32 for number in sudo):
        return int(sudo[0]), int(sudo[1])
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return NOBODY, NOBODY
    return nobody.pw_uid, nobody.pw_gid


def drop(name: str | None, keep: Iterable[int] = (), late: Iterable[str] = ()) -> None:
    """Gives up all privileges: capabilities but those to `keep`, and, of root, the user.

    name: the user to change to; None for the usual one, as far as there is one to change to; root keeps everything.
    late: modules that are imported later, besides LATE. Raises UsageError, and PktError where something cannot be given up.
    """
    control(PR_SET_NO_NEW_PRIVS, 1)  # Linux 3.5
    if name == ROOT:
        return
    user, have = user_of(name), held()
    if not have and user in (None, (os.getuid(), os.getgid())):
        return
    number, parent = death_signal(), os.getppid()
    kept = sum(1 << capability for capability in keep) & have
    control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(MOST):
        if not control(PR_CAPBSET_DROP, capability):
            break  # there is none of that number, or it takes CAP_SETPCAP
    if user is not None:
        become(*user, must=name, keeps=bool(kept), late=[*LATE, *late])
    try:
        keep_capabilities(kept)
    except OSError as error:
        raise PktError(f"privileges cannot be given up: {error.strerror}; -Z root keeps them") from None
    if number:  # a change of user has taken it back
        control(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)


def makes_files(name: str | None, folder: str) -> bool:
    """Whether who goes on once privileges are given up may make files in a folder: a process tries it, and gives them up first.

    name: as `drop` takes it; who cannot change to that user is told by that.
    """
    child = os.fork()
    if not child:
        denied = False
        try:
            drop(name)
            denied = not os.access(folder, os.W_OK | os.X_OK)
        finally:
            os._exit(denied)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def control(option: int, second: int) -> bool:
    """prctl(2); whether the system could, and let us."""
    try:
        prctl(option, second)
    except OSError:
        return False
    return True


def held() -> int:
    """The capabilities that this process has in any way, a bit each; all, where the system does not say."""
    try:
        effective, permitted, inheritable = capabilities()
    except OSError:
        return (1 << MOST) - 1
    return effective | permitted | inheritable


def become(user: int, group: int, must: str | None, keeps: bool, late: list[str]) -> None:
    """Changes to a user, with no other groups, as far as that is possible. Raises PktError where it must be.

    In a namespace of one user there is nobody to change to. must: the user's name, where it was asked for. keeps: whether
    capabilities are to stay. late: modules to import first, unless that user can.
    """
    try:
        os.setgroups([])
        os.setresgid(group, group, group)
        if not reads(user):
            from importlib import import_module  # late: seldom, and dear

            for module in [*late, *(modules_of("pkttools.codec.python") if codec.BACKEND == "python" else ())]:
                import_module(module)
            for module in LIBRARIES:
                try:
                    import_module(module)
                except ImportError:
                    pass
        if keeps:
            control(PR_SET_KEEPCAPS, 1)
        os.setresuid(user, user, user)
    except OSError as error:
        if must is not None:
            raise PktError(f"-Z {must}: not allowed to change to that user: {error.strerror}") from None


def modules_of(package: str) -> list[str]:
    """The modules of a package."""
    from importlib import import_module
    from pkgutil import iter_modules

    return [f"{package}.{module.name}" for module in iter_modules(import_module(package).__path__)]


def reads(user: int) -> bool:
    """Whether a user can read what Python and we import; our own effective user is another one meanwhile. Raises OSError."""
    folders = [folder for folder in sys.path if os.access(folder, os.R_OK | os.X_OK)]
    own = os.geteuid()
    os.setresuid(-1, user, -1)
    try:
        return all(os.access(place, os.R_OK, effective_ids=True) for place in (__file__, *folders))
    finally:
        os.setresuid(-1, own, -1)
