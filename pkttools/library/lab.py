"""Labs for programs: hosts in namespaces as long as a `with` lasts, commands in them, and packets from and to their interfaces."""

from __future__ import annotations

import itertools
import os
import sys

from ..errors import PktError, need
from ..lab import LINGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import CompletedProcess, Popen
    from typing import Any, Self

    from ..lab.holder import Started
    from .packet import Packet
    from .stream import Several

NUMBERS = itertools.count(1)
PATIENCE = 60.0  # seconds that a command takes at most, if nothing else is said


class Lab:
    """Hosts and wires, as pkt-lab builds them, without being root where the system allows that.

        with Lab("wire alice 10.0.0.1/24 bob 10.0.0.2/24") as lab, lab.capture("bob:eth0", "ICMP") as packets:
            lab.run("alice", "ping -c 1 bob")

    name: of the lab, for pkt-lab. hosts: their names.
    """

    def __init__(self, *topology: str, name: str | None = None, root: bool = False) -> None:
        """topology: statements, one a line, or files of them. root: without a user namespace. Raises UsageError, PktError."""
        if sys.platform != "linux":
            raise PktError("namespaces are Linux's")
        from ..lab import topology as language

        self.topology = language.read(language.lines([*topology]))
        self.name = name or f"lab-{os.getpid()}-{next(NUMBERS)}"
        self.hosts = [*self.topology.hosts]
        self.root = root or self.topology.root
        self._started: Started | None = None
        self._running: list[Popen[Any]] = []

    def open(self) -> Self:
        """Builds it. Raises PktError, and of these Forbidden (pkttools.live.linux.namespaces) where there are no namespaces."""
        from ..lab import holder

        need(self._started is None, f"lab {self.name} is up")
        self._started = holder.start(self.topology, self.name, root=self.root, stays=False)
        return self

    def close(self) -> None:
        """Ends it, and all that runs in it."""
        started, self._started = self._started, None
        if started:
            started.end()
        for process in self._running:
            process.wait(PATIENCE)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()
        self._running.clear()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def words(self, host: str, command: str | Sequence[str]) -> list[str]:
        """The words that run a command in a host: for a shell, if it is one str. Raises UsageError for a host that is not there."""
        need(host in self.hosts, f"no host {host} in this lab; there are {', '.join(self.hosts)}")
        shell = ["sh", "-c", command] if isinstance(command, str) else command
        return [tool("pkt-lab"), "exec", "--name", self.name, host, *shell]

    def run(self, host: str, command: str | Sequence[str], *, input: bytes | str | None = None, timeout: float = PATIENCE,
            check: bool = True, text: bool = False) -> CompletedProcess[Any]:  # fmt: skip
        """Runs a command in a host to its end. text: what it writes is str, not bytes; what it reads may always be.

        Raises PktError with what it said where it fails, unless `check` is False.
        """
        from subprocess import CompletedProcess, TimeoutExpired, run

        try:
            octets = input.encode() if isinstance(input, str) else input or b""
            done = run(self.words(host, command), input=octets, capture_output=True, timeout=timeout, check=False)
        except TimeoutExpired:
            raise PktError(f"{host}: {shown(command)}: it does not end within {timeout:g} s") from None
        if check and done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise PktError(f"{host}: {shown(command)}: exit code {done.returncode}{said and ': ' + said}")
        if text:
            written = [each.decode(errors="replace") for each in (done.stdout, done.stderr)]
            return CompletedProcess(done.args, done.returncode, *written)
        return done

    def start(self, host: str, command: str | Sequence[str], **options: Any) -> Popen[bytes]:  # noqa: ANN401  of Popen
        """Starts a command in a host; it ends with the lab. options: of subprocess.Popen."""
        from subprocess import Popen

        process: Popen[bytes] = Popen(self.words(host, command), **options)
        self._running.append(process)
        return process

    def send(self, place: str, packets: Several, **options: object) -> None:
        """Sends packets from an interface, `alice:eth0`, as fast as it goes; options are those of pkt-send. Raises PktError."""
        from io import BytesIO

        from .wire import paced
        from .writing import write

        host, interface = split(place)
        capture = BytesIO()
        write(capture, packets, format="pcapng")
        self.run(host, [tool("pkt-send"), f"--interface={interface}", *paced(options)], input=capture.getvalue())

    def capture(self, place: str, *expressions: str, linger: float = LINGER, **options: object) -> Capture:
        """What an interface, `bob:eth0`, receives and sends while a `with` lasts, as a list once it is left.

        linger: seconds that it goes on behind the end, for what is on its way. options: those of pkt-recv. Nothing is lost at
        either end: the `with` begins once all is received, and what came until its end is read.
        """
        return Capture(self, place, expressions, linger, options)


class Capture(list["Packet"]):
    """Packets of an interface of a lab: they are there when its `with` is left. said: the account."""

    def __init__(self, lab: Lab, place: str, expressions: Sequence[str], linger: float, options: dict[str, object]) -> None:
        super().__init__()
        self._lab, self._place, self._expressions, self._linger, self._options = lab, place, expressions, linger, options
        self.said: list[str] = []

    def __enter__(self) -> Self:
        """Begins. Raises PktError."""
        from subprocess import DEVNULL, PIPE
        from tempfile import NamedTemporaryFile

        from ..lab import capture
        from .stages import words_of

        host, interface = split(self._place)
        self._file = NamedTemporaryFile(prefix="pkttools-", suffix=".pcapng")
        ours = [tool(capture.RECEIVES), f"--interface={interface}", f"--out={self._file.name}", *words_of(self._options)]

        def start(ready: int) -> Popen[bytes]:
            words = [*ours, f"--ready={ready}", *self._expressions]
            return self._lab.start(host, words, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, pass_fds=[ready])

        self._process, receives = capture.begun(start)
        if not receives:
            raise PktError(f"{self._place}: {self._end()}")
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, and reads what came. Raises PktError where something was lost."""
        from ..lab.capture import end
        from .stream import read

        if self._process.poll() is None:
            end(self._process.pid, self._linger)
        said = self._end()
        try:
            if self._process.returncode:
                raise PktError(f"{self._place}: {said}")
            self.said = said.splitlines()
            self[:] = read(self._file.name)
        finally:
            self._file.close()

    def _end(self) -> str:
        _, said = self._process.communicate(timeout=PATIENCE)
        return said.decode(errors="replace").strip()


def split(place: str) -> tuple[str, str]:
    """Host and interface of `bob:eth0`. Raises UsageError."""
    host, colon, interface = place.partition(":")
    need(bool(host and colon and interface), f"'{place}': HOST:INTERFACE is wanted, such as bob:eth0")
    return host, interface


def shown(command: str | Sequence[str]) -> str:
    """A command, in a message."""
    return command if isinstance(command, str) else " ".join(command)


def tool(name: str) -> str:
    """Where a command of ours is: in the checkout, beside this Python, or in the PATH. Raises PktError."""
    from pathlib import Path
    from shutil import which

    for folder in (Path(__file__).parents[2] / "bin", Path(sys.executable).parent):
        if (folder / name).is_file():
            return str(folder / name)
    found = which(name)
    if not found:
        raise PktError(f"{name} is not in the PATH")
    return found
