"""pkt-sock: real sockets on the loopback interface, against Python's and against each other."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import waits
from conftest import ROOT, shell
from waits import connects, on_their_way, sleeps, until

from pkttools.errors import PktError, UsageError
from pkttools.formats.files import Input
from pkttools.sockets import Account, Peer, port_number
from pkttools.sockets.tcp import talk
from pkttools.sockets.udp import Cutter

PIPE = subprocess.PIPE
LONG = random.Random(1).randbytes(8 << 20)
LONG_ENOUGH = 7 << 20  # the rest of it fits in the sender's buffers
ANY = {"127.0.0.1": "0.0.0.0", "::1": "::"}


class Sock:
    """A running pkt-sock."""

    def __init__(self, words: str, stdin: int, stdout: int) -> None:
        command = [ROOT / "bin" / "pkt-sock", *words.split()]
        self.process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=PIPE, env={**os.environ, "LC_ALL": "C"})
        self.said = b""
        self.feeder: threading.Thread | None = None

    def line(self, seconds: float = 10) -> str:
        """The next line on standard error."""
        assert self.process.stderr
        end = time.monotonic() + seconds
        while b"\n" not in self.said:
            assert select.select([self.process.stderr], [], [], max(0, end - time.monotonic()))[0], "it says nothing"
            chunk = os.read(self.process.stderr.fileno(), 65536)
            assert chunk, self.said
            self.said += chunk
        line, _, self.said = self.said.partition(b"\n")
        return line.decode()

    @property
    def port(self) -> int:
        """The port that it listens on, as it says."""
        line = self.line()
        assert line.startswith("pkt-sock: listening on "), line
        return int(line.split()[-1])

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self, size: int) -> bytes:
        """So many bytes of its standard output."""
        assert self.process.stdout
        return waits.exactly(self.process.stdout.fileno(), size)

    def finish(self) -> None:
        """Ends its standard input."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.stdin = None

    def feed(self, data: bytes) -> None:
        """Writes all of its standard input, while the test does something else."""
        self.feeder = threading.Thread(target=self.pour, args=(data,))
        self.feeder.start()

    def pour(self, data: bytes) -> None:
        stream, self.process.stdin = self.process.stdin, None
        try:
            with stream:
                stream.write(data)
        except BrokenPipeError:
            pass

    def end(self, data: bytes | None = None, number: int = 0, seconds: float = 20) -> tuple[int, bytes, str]:
        """Exit code, standard output and standard error, after a signal if there is one."""
        if number:
            self.process.send_signal(number)
        out, said = self.process.communicate(data, seconds)
        return self.process.returncode, out or b"", (self.said + said).decode()


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """No test takes longer than a minute, whatever it waits for."""

    def stop(*_: object) -> None:
        raise TimeoutError("the test takes too long")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def start() -> Iterator[Callable[..., Sock]]:
    """Starts commands; what is left of them is ended."""
    started: list[Sock] = []

    def starter(words: str, stdin: int = PIPE, stdout: int = PIPE) -> Sock:
        started.append(Sock(words, stdin, stdout))
        return started[-1]

    yield starter
    for sock in started:
        if sock.process.poll() is None:
            sock.process.kill()
        if sock.feeder:
            sock.feeder.join(10)
        sock.process.communicate()


@pytest.fixture(params=["127.0.0.1", "::1"])
def host(request: pytest.FixtureRequest) -> str:
    """The loopback address, of both families."""
    if request.param == "::1":
        need_ipv6()
    return request.param


def need_ipv6() -> None:
    """Skips the test where the loopback interface has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("there is no ::1")


def words(host: str) -> str:
    """The options that a family needs."""
    return "-6" if ":" in host else ""


def opened(host: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> socket.socket:
    """A socket of Python's on a port that was free, listening if it is TCP's."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    sock.settimeout(10)
    sock.bind((host, 0))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock


def port_of(sock: socket.socket) -> int:
    return sock.getsockname()[1]


def connected(host: str, port: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
    """A socket of Python's that is connected."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    sock.settimeout(10)
    sock.connect((host, port))
    return sock


def accepted(server: socket.socket) -> socket.socket:
    connection, _ = server.accept()
    connection.settimeout(10)
    return connection


def everything(sock: socket.socket) -> bytes:
    """What comes until the end of the stream."""
    parts = []
    while part := sock.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes of a stream."""
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        assert part, "the stream is over"
        data += part
    return data


def reset(sock: socket.socket) -> None:
    """Closes a connection with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def full(host: str = "127.0.0.1") -> tuple[socket.socket, list[socket.socket]]:
    """A server whose queue is full: who connects gets no answer."""
    server = opened(host)
    server.listen(0)
    waiting = []
    for _ in range(3):
        sock = socket.socket(server.family)
        sock.setblocking(False)
        sock.connect_ex(server.getsockname())
        waiting.append(sock)
    until(lambda: select.select([], waiting, [], 0)[1], "connection")
    return server, waiting


def free_port(host: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    """A port that nobody listens on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as sock:
        sock.bind((host, 0))
        return port_of(sock)


# ---- TCP: send ----


def test_send(start, host):
    with opened(host) as server:
        sock = start(f"send {words(host)} {host} {port_of(server)}")
        sock.write(b"first")
        with accepted(server) as peer:
            assert peer.recv(100) == b"first"  # it does not wait for the end of its input
            sock.feed(LONG)
            assert everything(peer) == LONG
    assert sock.end() == (0, b"", "")


def test_send_waits_for_a_slow_reader(start):
    """The end of the input is not the end of the work: nothing that the kernel still holds is left to luck."""
    with opened() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock = start(f"send 127.0.0.1 {port_of(server)}")
        sock.feed(LONG)
        with accepted(server) as peer:
            assert exactly(peer, LONG_ENOUGH) == LONG[:LONG_ENOUGH]
            sock.feeder.join(10)
            time.sleep(1.5)  # longer than a peer that has everything is waited for: it has to be there still
            assert sock.process.poll() is None
            assert everything(peer) == LONG[LONG_ENOUGH:]
    assert sock.end() == (0, b"", "")


@pytest.mark.parametrize(("options", "least"), [("", 0.9), ("--timeout 2.5", 2.4)])
def test_send_to_a_peer_that_never_closes(start, options, least):
    """It ends a second after everything was acknowledged; --timeout says another time."""
    with opened() as server:
        sock = start(f"send {options} 127.0.0.1 {port_of(server)}")
        sock.feed(b"data")
        with accepted(server) as peer:
            begun = time.monotonic()
            assert everything(peer) == b"data"
            assert sock.end() == (0, b"", "")
            assert least <= time.monotonic() - begun <= least + 5


@pytest.mark.parametrize("size", [len(LONG), 1 << 20])
def test_send_to_a_peer_that_does_not_read(start, size):
    """Also when all of it fits in the buffers on our side: it is not acknowledged, and not taken for sent."""
    with opened() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock = start(f"send --timeout 1 127.0.0.1 {port_of(server)}")
        sock.feed(LONG[:size])
        with accepted(server):
            said = f"pkt-sock: 127.0.0.1 port {port_of(server)}: nothing moved for 1 s\n"
            assert sock.end() == (1, b"", said)


def test_send_says_what_came_back(start):
    with opened() as server:
        sock = start(f"send 127.0.0.1 {port_of(server)}")
        with accepted(server) as peer:
            peer.sendall(b"welcome")
            sock.write(b"data")
            sock.finish()
            assert everything(peer) == b"data"
            peer.sendall(b"bye")
    assert sock.end() == (0, b"", "pkt-sock: 10 bytes came back and went nowhere: request writes them\n")


def test_send_goes_on_when_the_peer_has_closed_its_side(start):
    with opened() as server:
        sock = start(f"send 127.0.0.1 {port_of(server)}")
        with accepted(server) as peer:
            peer.shutdown(socket.SHUT_WR)
            time.sleep(1.5)  # longer than it waits for a peer to close: nothing may happen
            sock.write(b"late")
            sock.finish()
            assert everything(peer) == b"late"
    assert sock.end() == (0, b"", "")


@pytest.mark.parametrize("closed", [True, False])
def test_send_to_a_peer_that_resets(start, closed):
    with opened() as server:
        name = f"127.0.0.1 port {port_of(server)}"
        sock = start(f"send 127.0.0.1 {port_of(server)}")
        peer = accepted(server)
        if closed:  # its end of the stream was seen before
            peer.shutdown(socket.SHUT_WR)
        sock.write(b"data")
        assert peer.recv(4) == b"data"
        reset(peer)
        code, out, said = sock.end(b"more data")
    assert (code, out) == (1, b"")
    assert said in [f"pkt-sock: {name}: Connection {how}\n" for how in ("reset by peer", "closed by the peer")]


def test_a_reset_after_everything_was_handed_to_the_kernel(start):
    """The peer has closed its side before: it is not waited for, but what it does not acknowledge is."""
    with opened() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock = start(f"send 127.0.0.1 {port_of(server)}")
        peer = accepted(server)
        peer.shutdown(socket.SHUT_WR)
        sock.feed(LONG[: 1 << 20])
        until(lambda: on_their_way(port_of(server)) >= 1 << 20, "megabyte in the kernel")
        assert sock.process.poll() is None
        reset(peer)
        assert sock.end() == (1, b"", f"pkt-sock: 127.0.0.1 port {port_of(server)}: Connection reset by peer\n")


# ---- TCP: recv ----


def test_recv(start, host):
    sock = start(f"recv {words(host)} {host} 0")
    port = sock.port
    with connected(host, port) as peer:
        peer.sendall(b"first")
        assert sock.read(5) == b"first"
        with pytest.raises(ConnectionRefusedError):
            connected(host, port)  # it takes one connection
    assert sock.end() == (0, b"", "")


@pytest.mark.parametrize("name", ["-", "0.0.0.0", "localhost"])
def test_recv_on_any_address(start, name):
    sock = start(f"recv {name} 0")
    with connected("127.0.0.1", sock.port) as peer:
        peer.sendall(b"data")
    assert sock.end() == (0, b"data", "")


def test_recv_of_much(start, tmp_path):
    with (tmp_path / "out").open("wb") as out:
        sock = start("recv 127.0.0.1 0", stdout=out.fileno())
    with connected("127.0.0.1", sock.port) as peer:
        peer.sendall(LONG)
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""  # it closes when it has everything
    assert sock.end() == (0, b"", "")
    assert (tmp_path / "out").read_bytes() == LONG


def test_recv_on_any_address_of_each_family(start):
    """:: is IPv6 alone: the same port of IPv4 stays free."""
    need_ipv6()
    six = start("recv -6 :: 0")
    port = six.port
    four = start(f"recv -v - {port}")
    assert four.port == port
    for sock, address in ((six, "::1"), (four, "127.0.0.1")):
        with connected(address, port) as peer:
            peer.sendall(address.encode())
        assert sock.end()[:2] == (0, address.encode())


def test_recv_from_a_peer_that_resets(start):
    sock = start("recv 127.0.0.1 0")
    peer = connected("127.0.0.1", sock.port)
    name = f"127.0.0.1 port {port_of(peer)}"
    peer.sendall(b"half of it")
    assert sock.read(10) == b"half of it"
    reset(peer)
    assert sock.end() == (1, b"", f"pkt-sock: {name}: Connection reset by peer\n")


def test_recv_times_out(start):
    sock = start("recv --timeout 0.3 127.0.0.1 0")
    port = sock.port
    assert sock.end() == (1, b"", f"pkt-sock: 127.0.0.1 port {port}: no connection within 0.3 s\n")
    sock = start("recv --timeout 1 127.0.0.1 0")
    with connected("127.0.0.1", sock.port) as peer:
        peer.sendall(b"data")
        said = f"pkt-sock: 127.0.0.1 port {port_of(peer)}: nothing moved for 1 s\n"
        assert sock.end() == (1, b"data", said)


def test_a_timeout_starts_again_with_every_byte(start):
    sock = start("recv --timeout 2 127.0.0.1 0")
    with connected("127.0.0.1", sock.port) as peer:
        for _ in range(8):
            peer.sendall(b"x")
            time.sleep(0.4)  # the time is what it is about: all of them together are more than the timeout, each is less
    assert sock.end() == (0, b"x" * 8, "")


# ---- TCP: request ----


def test_request(start, host):
    """The peer answers when it has everything."""
    with opened(host) as server:
        sock = start(f"request {words(host)} {host} {port_of(server)}")
        sock.feed(LONG)
        with accepted(server) as peer:
            assert everything(peer) == LONG
            peer.sendall(b"answer")
    assert sock.end() == (0, b"answer", "")


def test_request_and_reply(start, host):
    """Much more than all buffers hold goes there and comes back: both directions at once."""
    server = start(f"reply {words(host)} --count 2 {host} 0")
    port = server.port
    for data in (LONG * 3, b"short"):
        done = shell(f"pkt-sock request {words(host)} {host} {port}", data, timeout=30)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == data
    assert server.end() == (0, b"", "")


def test_request_to_a_server_of_python(start):
    """It sends and reads as it likes: first an answer longer than all buffers, then it reads."""
    with opened() as server:

        def serve() -> None:
            with accepted(server) as peer:
                peer.sendall(LONG)
                got.append(everything(peer))

        got: list[bytes] = []
        thread = threading.Thread(target=serve)
        thread.start()
        done = shell(f"pkt-sock request 127.0.0.1 {port_of(server)}", LONG, timeout=30)
        thread.join(10)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (done.stdout, got) == (LONG, [LONG])


def test_request_to_a_server_that_closes_first(start):
    """It knows from the request where that ends. Standard input may end a moment later."""
    with opened() as server:
        sock = start(f"request 127.0.0.1 {port_of(server)}")
        sock.write(b"question")
        with accepted(server) as peer:
            assert peer.recv(8) == b"question"
            peer.sendall(b"answer")
        assert sock.read(6) == b"answer"
        until(lambda: sleeps(sock.process), "wait for more input")
        assert sock.end() == (0, b"", "")


def test_request_when_nobody_answers_any_more(start):
    with opened() as server:
        sock = start(f"request 127.0.0.1 {port_of(server)}")
        sock.write(b"question")
        with accepted(server) as peer:
            assert peer.recv(8) == b"question"
            peer.sendall(b"answer")
        name = f"127.0.0.1 port {port_of(server)}"
        assert sock.process.wait(10) == 1  # the input has not ended
    assert sock.end() == (1, b"answer", f"pkt-sock: {name}: the peer closed before standard input ended\n")


def test_request_that_is_refused_in_the_middle(start):
    """What the peer said before it reset the connection is an answer."""
    with opened() as server:
        sock = start(f"request 127.0.0.1 {port_of(server)}")
        sock.feed(LONG)
        peer = accepted(server)
        peer.recv(1000)
        peer.sendall(b"413 too large")
        assert sock.read(13) == b"413 too large"
        peer.close()  # with data unread: a reset
        code, out, said = sock.end()
    assert (code, out) == (1, b"")
    assert said.count("\n") == 1 and "Connection " in said


def test_an_answer_that_comes_with_the_refusal(tmp_path):
    """Just between looking for an answer and sending: it is looked for once more."""

    class Late(Peer):
        """A peer to which nothing is sent before it has answered and refused."""

        def send(self, data: bytes | memoryview, address: tuple | None = None) -> int | None:
            other.sendall(b"no")
            other.close()  # with data unread: a reset
            return super().send(data, address)

    (tmp_path / "input").write_bytes(b"data")
    with opened() as server, connected("127.0.0.1", port_of(server)) as sock:
        other = accepted(server)
        sock.sendall(b"unread")
        got: list[bytes] = []
        with pytest.raises(PktError, match="Connection"):
            talk(Late(sock, "peer", Account()), Input([str(tmp_path / "input")]), got.append, None, answered=True)
    assert b"".join(got) == b"no"


def test_request_times_out(start):
    with opened() as server:
        sock = start(f"request --timeout 1 127.0.0.1 {port_of(server)}", subprocess.DEVNULL)
        with accepted(server) as peer:
            peer.sendall(b"answer without an end")
            said = f"pkt-sock: 127.0.0.1 port {port_of(server)}: nothing moved for 1 s\n"
            assert sock.end() == (1, b"answer without an end", said)


# ---- TCP: reply ----


def test_reply_serves_all_at_the_same_time(start):
    """One that is idle, or slow, keeps nobody out."""
    sock = start("reply -v --count 3 127.0.0.1 0")
    port = sock.port
    idle, first, second = (connected("127.0.0.1", port) for _ in range(3))
    second.sendall(b"second")
    first.sendall(b"first")
    assert first.recv(100) == b"first"
    assert second.recv(100) == b"second"
    first.sendall(b"more")
    assert first.recv(100) == b"more"
    second.shutdown(socket.SHUT_WR)
    assert second.recv(100) == b""
    idle.sendall(b"late")
    assert idle.recv(100) == b"late"
    for peer in (second, idle):
        peer.close()
    first.close()
    assert sock.end() == (0, b"", "pkt-sock: 19 bytes sent, 19 bytes received\n")


def test_reply_does_not_wait_for_who_takes_nothing(start):
    """Its answer stays where it is; all others have theirs."""
    sock = start("reply 127.0.0.1 0")
    port = sock.port
    with socket.socket() as greedy, connected("127.0.0.1", port) as other:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(("127.0.0.1", port))
        greedy.setblocking(False)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < len(LONG):
                sent += greedy.send(LONG[sent:])
        other.sendall(b"x" * 1000)
        assert other.recv(1000, socket.MSG_WAITALL) == b"x" * 1000
    sock.process.terminate()


def test_a_thousand_idle_ones_keep_nobody_out(start):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("ulimit -n is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sock = start("reply 127.0.0.1 0")
    port = sock.port
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(connected("127.0.0.1", port))
        with connected("127.0.0.1", port) as peer:
            peer.sendall(b"here")
            assert peer.recv(4) == b"here"
        assert "it was idle, and others waited" in sock.line()
    sock.process.kill()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_recv_takes_who_says_something(start):
    """Not who was there first and is idle, nor who only looked whether somebody listens."""
    sock = start("recv 127.0.0.1 0")
    port = sock.port
    with connected("127.0.0.1", port) as idle:
        connected("127.0.0.1", port).close()
        with connected("127.0.0.1", port) as peer:
            peer.sendall(b"data")
            peer.shutdown(socket.SHUT_WR)
            assert sock.end() == (0, b"data", "")
        assert not idle.recv(1)


def test_reply_outlives_what_goes_wrong_with_a_connection(start):
    sock = start("reply --timeout 1 127.0.0.1 0")
    port = sock.port
    bad = connected("127.0.0.1", port)
    names = [f"127.0.0.1 port {port_of(bad)}"]
    bad.sendall(b"x")
    assert bad.recv(1) == b"x"
    reset(bad)
    assert sock.line() == f"pkt-sock: {names[0]}: Connection reset by peer"
    with connected("127.0.0.1", port) as idle:
        assert sock.line() == f"pkt-sock: 127.0.0.1 port {port_of(idle)}: nothing moved for 1 s"
    with connected("127.0.0.1", port) as good:
        good.sendall(b"good")
        assert good.recv(4) == b"good"
    assert sock.end() == (1, b"", "")  # two connections failed


def test_reply_counts_who_did_not_take_the_answer(start):
    """All of it is in the kernel's hands, and stays there."""
    sock = start("reply --timeout 1 --count 1 127.0.0.1 0")
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(10)
        peer.connect(("127.0.0.1", sock.port))
        peer.sendall(LONG[: 1 << 20])
        peer.shutdown(socket.SHUT_WR)
        assert sock.end() == (1, b"", f"pkt-sock: 127.0.0.1 port {port_of(peer)}: nothing moved for 1 s\n")


def test_reply_times_out(start):
    sock = start("reply --timeout 0.3 127.0.0.1 0")
    port = sock.port
    assert sock.end() == (1, b"", f"pkt-sock: 127.0.0.1 port {port}: no connection within 0.3 s\n")
    sock = start("reply --timeout 1 127.0.0.1 0")
    connected("127.0.0.1", sock.port).close()
    assert sock.end() == (0, b"", "")
    sock = start("reply --timeout 1 --count 2 127.0.0.1 0")
    port = sock.port
    connected("127.0.0.1", port).close()
    said = f"pkt-sock: 127.0.0.1 port {port}: 1 of 2 connections came, and no more for 1 s\n"
    assert sock.end() == (1, b"", said)


# ---- UDP ----


@pytest.mark.parametrize(
    ("options", "data", "datagrams"),
    [
        ("", b"one\ntwo", [b"one\ntwo"]), ("", b"", [b""]), ("", b"\0" * 65507, [b"\0" * 65507]),
        ("--size 4", b"123456789", [b"1234", b"5678", b"9"]), ("--size 4", b"12345678", [b"1234", b"5678"]), ("--size 4", b"", []),
        ("--lines", b"one\n\ntwo\nend", [b"one\n", b"\n", b"two\n", b"end"]), ("--lines", b"", []),
    ],
)  # fmt: skip
def test_send_udp(host, options, data, datagrams):
    with opened(host, socket.SOCK_DGRAM) as server:
        done = shell(f"pkt-sock send -u {words(host)} {options} {host} {port_of(server)}", data)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        server.settimeout(0.2)
        assert [server.recv(65536) for _ in datagrams] == datagrams
        with pytest.raises(TimeoutError):
            server.recv(65536)


def test_datagrams_go_out_as_soon_as_they_are_complete(start):
    with opened(kind=socket.SOCK_DGRAM) as server:
        for options, first in (("--lines", b"a line\n"), ("--size 5", b"12345")):
            sock = start(f"send -u {options} 127.0.0.1 {port_of(server)}")
            sock.write(first + b"some")
            assert server.recv(100) == first
            assert sock.end(b"") == (0, b"", "")
            assert server.recv(100) == b"some"


@pytest.mark.parametrize(
    ("host", "options", "data", "before"),
    [
        ("127.0.0.1", "", b"x" * 65508, []), ("::1", "", b"x" * 65528, []), ("127.0.0.1", "", b"x" * 1_000_000, []),
        ("127.0.0.1", "--lines", b"short\n" + b"x" * 70_000 + b"\nshort\n", [b"short\n"]),
        ("127.0.0.1", "--lines", b"short\n" + b"x" * 1_000_000, [b"short\n"]),
        ("127.0.0.1", "--size 65508", b"x" * 70_000, []),
    ],
    indirect=["host"], ids=lambda value: value if isinstance(value, str) else str(len(value)),
)  # fmt: skip
def test_too_long_for_a_datagram(host, options, data, before):
    """Nothing is cut that nobody asked to cut; what came before it was sent."""
    with opened(host, socket.SOCK_DGRAM) as server:
        done = shell(f"pkt-sock send -u {words(host)} {options} {host} {port_of(server)}", data)
        said = f"pkt-sock: {host} port {port_of(server)}: Message too long for a datagram: --size or --lines cuts it\n"
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", said)
        server.settimeout(0.2)
        assert [server.recv(65536) for _ in before] == before
        with pytest.raises(TimeoutError):
            server.recv(65536)


@pytest.mark.parametrize("seed", range(100))
def test_cutting_loses_nothing(seed):
    """However the stream comes."""
    rng = random.Random(seed)
    stream = bytes(rng.choice(b"ab\n") for _ in range(rng.randrange(60)))
    size = rng.randrange(1, 9)
    lines = stream.splitlines(keepends=True)
    sizes = [stream[i : i + size] for i in range(0, len(stream), size)]
    for cutter, wanted in ((Cutter(None, False), [stream]), (Cutter(size, False), sizes), (Cutter(None, True), lines)):
        pieces, at = [], 0
        while at < len(stream):
            step = rng.randrange(1, 20)
            pieces += cutter.cut(memoryview(stream)[at : at + step])
            at += step
        assert pieces + cutter.cut(b"") == wanted


def test_send_udp_to_a_broadcast_address(start):
    """Of the loopback network: 127.255.255.255."""
    sock = start("recv -u --count 1 - 0")
    assert shell(f"pkt-sock send -u 127.255.255.255 {sock.port}", b"to all").returncode == 0
    assert sock.end() == (0, b"to all", "")


@pytest.mark.parametrize("mode", ["send", "request"])
def test_udp_refused(host, mode):
    port = free_port(host, socket.SOCK_DGRAM)
    done = shell(f"pkt-sock {mode} -u {words(host)} {host} {port}", b"data")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"pkt-sock: {host} port {port}: Connection refused\n"


def test_recv_udp(start, host):
    sock = start(f"recv -u {words(host)} --count 4 {host} 0")
    port = sock.port
    with connected(host, port, socket.SOCK_DGRAM) as one, connected(host, port, socket.SOCK_DGRAM) as two:
        for peer, data in ((one, b"one"), (two, b"two"), (one, b""), (two, bytes(65507)), (one, b"too many")):
            peer.send(data)
    assert sock.end() == (0, b"onetwo" + bytes(65507), "")


def test_recv_udp_ends_after_a_pause(start):
    sock = start("recv -u --timeout 0.5 127.0.0.1 0")
    port = sock.port
    assert sock.end() == (1, b"", f"pkt-sock: 127.0.0.1 port {port}: no datagram within 0.5 s\n")
    for options, code, said in (("", 0, ""), ("--count 3", 1, "1 of 3 datagrams came, and no more for 1 s\n")):
        sock = start(f"recv -u --timeout 1 {options} 127.0.0.1 0")
        port = sock.port
        connected("127.0.0.1", port, socket.SOCK_DGRAM).send(b"data")
        assert sock.end() == (code, b"data", said and f"pkt-sock: 127.0.0.1 port {port}: {said}")


def test_recv_udp_says_what_was_lost(start):
    """A burst that not even the large buffer holds, while nobody reads."""
    sock = start("recv -u -v --timeout 2 127.0.0.1 0")
    port = sock.port
    until(lambda: sleeps(sock.process), "wait")  # the buffer is asked for behind that line
    count, data = 60_000, bytes(1400)
    sock.process.send_signal(signal.SIGSTOP)
    with connected("127.0.0.1", port, socket.SOCK_DGRAM) as peer:
        for _ in range(count):
            peer.send(data)
    sock.process.send_signal(signal.SIGCONT)
    code, out, said = sock.end()
    lines = said.splitlines()
    assert (code, len(lines)) == (0, 2)
    assert lines[0].startswith(f"pkt-sock: 127.0.0.1 port {port}: ") and lines[0].endswith(" datagrams dropped by the kernel")
    dropped = int(lines[0].split()[-6])
    assert dropped > 0
    assert dropped + len(out) // 1400 == count


def test_request_udp(start, host):
    with opened(host, socket.SOCK_DGRAM) as server:
        sock = start(f"request -u --lines {words(host)} {host} {port_of(server)}")
        sock.write(b"one\ntwo\n")
        for wanted in (b"one\n", b"two\n"):
            data, address = server.recvfrom(100)
            assert data == wanted
            server.sendto(data.upper(), address)
            assert sock.read(4) == data.upper()
        begun = time.monotonic()
        assert sock.end(b"") == (0, b"", "")
        assert 1.5 < time.monotonic() - begun < 8  # two seconds without anything


def test_request_udp_without_an_answer():
    with opened(kind=socket.SOCK_DGRAM) as server:
        name = f"pkt-sock: 127.0.0.1 port {port_of(server)}"
        done = shell(f"pkt-sock request -u --timeout 0.3 127.0.0.1 {port_of(server)}", b"question")
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"{name}: no answer within 0.3 s\n")
        begun = time.monotonic()
        done = shell(f"pkt-sock request -u 127.0.0.1 {port_of(server)}", b"question")
        assert (done.returncode, done.stderr.decode()) == (1, f"{name}: no answer within 2 s\n")
        assert time.monotonic() - begun > 2


def test_request_udp_waits_for_its_input(start):
    """Who thinks before typing is not cut off, unless with --timeout."""
    with opened(kind=socket.SOCK_DGRAM) as server:
        sock = start(f"request -u --lines --count 1 127.0.0.1 {port_of(server)}")
        hasty = start(f"request -u --lines --timeout 0.5 127.0.0.1 {port_of(server)}")
        assert hasty.process.wait(10) == 1
        assert hasty.end()[2] == f"pkt-sock: 127.0.0.1 port {port_of(server)}: nothing moved for 0.5 s\n"
        time.sleep(2)  # as long as it waits for an answer: nothing may happen
        sock.write(b"question\n")
        _, address = server.recvfrom(100)
        server.sendto(b"answer", address)
        assert sock.end(b"") == (0, b"answer", "")


def test_request_and_reply_udp(start, host):
    sock = start(f"reply -u -v {words(host)} --count 3 {host} 0")
    port = sock.port
    done = shell(f"pkt-sock request -u -v {words(host)} --count 3 --size 60000 {host} {port}", LONG[:130_000])
    assert (done.returncode, done.stdout) == (0, LONG[:130_000])
    said = "pkt-sock: 130000 bytes in 3 datagrams sent, 130000 bytes in 3 datagrams received\n"
    assert done.stderr.decode() == said
    assert sock.end() == (0, b"", said)


def test_reply_udp_answers_everyone(start, host):
    sock = start(f"reply -u {words(host)} --timeout 1 {ANY[host]} 0")
    port = sock.port
    with connected(host, port, socket.SOCK_DGRAM) as one, connected(host, port, socket.SOCK_DGRAM) as two:
        one.send(b"one")
        two.send(b"")
        assert (one.recv(100), two.recv(100)) == (b"one", b"")
    assert sock.end() == (0, b"", "")


def test_reply_udp_does_not_mind_who_is_gone(start):
    sock = start("reply -u --count 2 127.0.0.1 0")
    port = sock.port
    with connected("127.0.0.1", port, socket.SOCK_DGRAM) as gone:
        gone.send(b"gone")
    with connected("127.0.0.1", port, socket.SOCK_DGRAM) as peer:
        peer.send(b"here")
        assert peer.recv(100) == b"here"
    assert sock.end() == (0, b"", "")


# ---- what goes wrong before anything moves ----


@pytest.mark.parametrize("mode", ["send", "request"])
def test_refused(host, mode):
    port = free_port(host)
    done = shell(f"pkt-sock {mode} {words(host)} {host} {port}", b"data")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"pkt-sock: {host} port {port}: Connection refused\n"


@pytest.mark.parametrize("mode", ["recv", "reply"])
@pytest.mark.parametrize(("option", "kind"), [("", socket.SOCK_STREAM), ("-u", socket.SOCK_DGRAM)])
def test_address_in_use(host, mode, option, kind):
    with opened(host, kind) as other:
        for name in (host, ANY[host]):
            done = shell(f"pkt-sock {mode} {option} {words(host)} {name} {port_of(other)}")
            assert (done.returncode, done.stdout) == (1, b"")
            assert done.stderr.decode() == f"pkt-sock: {name} port {port_of(other)}: Address already in use\n"


def test_a_port_can_be_used_again_at_once(start):
    sock = start("recv 127.0.0.1 0")
    port = sock.port
    with connected("127.0.0.1", port) as peer:
        peer.sendall(b"x")
        assert sock.read(1) == b"x"
        sock.process.kill()
        sock.process.wait(10)
        assert peer.recv(1) == b""
        again = start(f"recv -v 127.0.0.1 {port}")
        assert again.port == port


def test_connecting_times_out(start):
    server, waiting = full()
    done = shell(f"pkt-sock send --timeout 0.4 127.0.0.1 {port_of(server)}", b"data")
    said = f"pkt-sock: 127.0.0.1 port {port_of(server)}: no connection within 0.4 s\n"
    assert (done.returncode, done.stderr.decode()) == (1, said)
    for sock in (server, *waiting):
        sock.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("send ::1 9", "::1: Address family for hostname not supported; -6 is for IPv6"),
        ("send -6 127.0.0.1 9", "127.0.0.1: Address family for hostname not supported"),
        ("send a..b 9", "a..b: Name or service not known"),
        ("recv " + "x" * 70 + ".example 9", "x" * 70 + ".example: Name or service not known"),
        ("send 255.255.255.255 9", "255.255.255.255 port 9: Network is unreachable"),
        ("recv 192.0.2.1 9", "192.0.2.1 port 9: Cannot assign requested address"),
        ("recv -u 192.0.2.1 9", "192.0.2.1 port 9: Cannot assign requested address"),
    ],
)
def test_addresses_that_cannot_be_used(line, said):
    """Nothing of this asks a name server, or sends anything."""
    done = shell(f"pkt-sock {line}", b"data")
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"pkt-sock: {said}\n")


def alone(*more: str) -> list[str]:
    """The words that run a command in namespaces of its own, without any network; skips where they are forbidden."""
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")
    for ways in (["-n", *more], ["-Urn", *more]):
        if subprocess.run(["unshare", *ways, "true"], capture_output=True, check=False).returncode == 0:
            return ["unshare", *ways]
    pytest.skip("no namespaces here")


def test_a_name_without_a_name_server():
    done = shell(f"{' '.join(alone())} pkt-sock send host.example 9")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() in [
        f"pkt-sock: host.example: {why}\n" for why in ("Temporary failure in name resolution", "Name or service not known")
    ]


# A name server that never answers, and a command that asks it: says the command's number once it has, and how it ended.
SILENT = """
import socket, subprocess, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
command = subprocess.Popen([sys.argv[1], "send", "host.example", "9"])
server.recv(512)
print(command.pid, flush=True)
print(command.wait(), flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_a_name_server_is_silent(tmp_path, number):
    """The resolver of the C library knows nothing of Python's handlers."""
    if not shutil.which("ip"):
        pytest.skip("ip is not installed")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:20 attempts:1\n")
    process = subprocess.Popen(
        [*alone("-m"), "sh", "-c", 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && exec "$2" -c "$3" "$4"', "sh",
         tmp_path / "resolv.conf", sys.executable, SILENT, ROOT / "bin" / "pkt-sock"],
        stdin=subprocess.DEVNULL, stdout=PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        if not select.select([process.stdout], [], [], 10)[0] or not (line := process.stdout.readline()):
            pytest.skip("names are not asked for in this way here")
        os.kill(int(line), number)
        assert select.select([process.stdout], [], [], 5)[0], "it does not end"
        assert int(process.stdout.readline()) == -number
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_port_of_the_system(start):
    limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if not shutil.which("setpriv") or not limit.exists() or int(limit.read_text()) < 10:
        pytest.skip("no setpriv, or no privileged ports here")
    drop = "" if os.geteuid() else "setpriv --bounding-set=-net_bind_service --inh-caps=-net_bind_service"
    done = shell(f"{drop} pkt-sock recv 127.0.0.1 9")
    assert (done.returncode, done.stderr) == (1, b"pkt-sock: 127.0.0.1 port 9: Permission denied\n")


# ---- usage ----


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "wanted: send|recv|request|reply HOST PORT"), ("send", "wanted: send|recv|request|reply HOST PORT"),
        ("send 127.0.0.1", "wanted: send|recv|request|reply HOST PORT"),
        ("listen 127.0.0.1 9", "wanted: send|recv|request|reply HOST PORT"),
        ("send 127.0.0.1 9 x", "wanted: send|recv|request|reply HOST PORT"),
        ("send 127.0.0.1 65536", "PORT: 65536 is out of range: from 1 to 65535"),
        ("send 127.0.0.1 0", "PORT: 0 is out of range: from 1 to 65535"),
        ("recv 127.0.0.1 65536", "PORT: 65536 is out of range: from 0 to 65535"),
        ("send 127.0.0.1 " + "9" * 5000, f"PORT: '{'9' * 40}' is not a number"),
        ("send 127.0.0.1 80x", "PORT: no tcp service '80x'"), ("send -u 127.0.0.1 ''", "PORT: no udp service ''"),
        ("send 127.0.0.1 ²", "PORT: no tcp service '²'"),
        ("send '' 9", "HOST is empty"), ("send - 9", "HOST -, any address, is for recv and reply"),
        ("request -u - 9", "HOST -, any address, is for recv and reply"),
        ("send --count 1 127.0.0.1 9", "--count is for reply, and with -u for recv and request"),
        ("send -u --count 1 127.0.0.1 9", "--count is for reply, and with -u for recv and request"),
        ("recv --count 1 127.0.0.1 9", "--count is for reply, and with -u for recv and request"),
        ("send --size 1 127.0.0.1 9", "--size and --lines are for send and request with -u"),
        ("recv -u --lines 127.0.0.1 9", "--size and --lines are for send and request with -u"),
        ("send -u --lines --size 3 127.0.0.1 9", "only one of --size and --lines"),
        ("send -u --size 65528 127.0.0.1 9", "--size: 65528 is out of range: from 1 to 65527"),
        ("send --timeout 0 127.0.0.1 9", "--timeout: 0 is out of range: from 0.001 to 86400"),
        ("send --timeout 90000 127.0.0.1 9", "--timeout: 90000 is out of range: from 0.001 to 86400"),
        ("send -4 127.0.0.1 9", None), ("send -k", None),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_wrong_usage(line, said):
    done = shell(f"pkt-sock {line}", b"data", LC_ALL="C.UTF-8")
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout, lines[1:]) == (2, b"", ["Try 'pkt-sock --help'."])
    assert said is None or lines[0] == f"pkt-sock: {said}"


def test_services():
    try:
        socket.getservbyname("domain", "udp")
    except OSError:
        pytest.skip("this system knows no services")
    assert port_number("domain", "udp", 1) == 53
    assert port_number("053", "tcp", 1) == 53
    with pytest.raises(UsageError, match="no tcp service 'tftp'"):  # it is one of UDP
        port_number("tftp", "tcp", 1)


# ---- signals and descriptors ----


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["connecting", "sending", "waiting for an answer", "listening", "receiving"])
def test_a_signal_ends_what_has_an_end_of_its_own(start, number, stage):
    sockets = []
    if stage == "connecting":
        server, sockets = full()
        sock = start(f"send 127.0.0.1 {port_of(server)}", subprocess.DEVNULL)
        sockets.append(server)
        until(lambda: connects(sock.process, port_of(server)), "attempt to connect")
    elif stage in ("sending", "waiting for an answer"):
        server = opened()
        sock = start(f"request 127.0.0.1 {port_of(server)}")
        peer = accepted(server)
        sockets += [server, peer]
        sock.write(LONG[:100] if stage == "sending" else b"x")
        if stage == "waiting for an answer":
            sock.finish()
            assert everything(peer) == b"x"
        elif number == signal.SIGINT:  # the first one is for what is in front of it in a pipe
            assert exactly(peer, 100) == LONG[:100]
            sock.process.send_signal(number)
            until(lambda: sleeps(sock.process), "sleep")
            assert sock.process.poll() is None
            sock.write(b"still")
            assert exactly(peer, 5) == b"still"
        else:
            assert exactly(peer, 100) == LONG[:100]
        until(lambda: sleeps(sock.process), "sleep")
    else:
        sock = start("recv 127.0.0.1 0")
        port = sock.port
        if stage == "receiving":
            sockets.append(connected("127.0.0.1", port))
            sockets[0].sendall(b"data")
            assert sock.read(4) == b"data"
    sock.process.send_signal(number)
    assert sock.process.wait(10) == -number
    assert sock.end()[1:] == (b"", "")
    for one in sockets:
        one.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("line", ["recv -u", "reply -u", "reply"])
def test_a_signal_is_the_end_of_what_has_no_other(start, number, line):
    sock = start(f"{line} -v 127.0.0.1 0")
    port = sock.port
    with connected("127.0.0.1", port, socket.SOCK_DGRAM if "-u" in line else socket.SOCK_STREAM) as peer:
        peer.send(b"data")
        if "reply" in line:
            assert peer.recv(4) == b"data"
        else:
            assert sock.read(4) == b"data"
        code, out, said = sock.end(number=number)
    assert (code, out) == (0, b"")
    assert said.count("\n") == 1 and " 4 bytes" in said and said.endswith(" received\n")


def test_an_interrupt_while_an_answer_is_waited_for(start):
    """The input has ended: the interrupt is not for what was in front of it any more."""
    with opened(kind=socket.SOCK_DGRAM) as server:
        sock = start(f"request -u --timeout 30 127.0.0.1 {port_of(server)}")
        sock.feed(b"question")
        assert server.recv(100) == b"question"
        sock.feeder.join(10)
        until(lambda: sleeps(sock.process), "sleep")
        assert sock.end(number=signal.SIGINT) == (-signal.SIGINT, b"", "")


def test_what_the_kernel_holds_at_a_signal_is_written(start):
    sock = start("recv -u 127.0.0.1 0")
    port = sock.port
    until(lambda: sleeps(sock.process), "sleep")
    sock.process.send_signal(signal.SIGSTOP)
    with connected("127.0.0.1", port, socket.SOCK_DGRAM) as peer:
        for i in range(100):
            peer.send(bytes([i]))
    sock.process.send_signal(signal.SIGTERM)
    sock.process.send_signal(signal.SIGCONT)
    assert sock.end() == (0, bytes(range(100)), "")


def test_nobody_reads_any_more(start):
    sock = start("recv 127.0.0.1 0")
    with connected("127.0.0.1", sock.port) as peer:
        sock.process.stdout.close()
        peer.sendall(b"data")
        assert sock.process.wait(10) == -signal.SIGPIPE
        assert sock.process.stderr.read() == b""


@pytest.mark.parametrize(("target", "reason"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")])
def test_output_that_cannot_be_written(target, reason):
    with opened() as server:

        def serve() -> None:
            with accepted(server) as peer:
                peer.sendall(b"answer")
                everything(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        done = shell(f"pkt-sock request 127.0.0.1 {port_of(server)} {target}", b"question")
        thread.join(10)
    assert (done.returncode, done.stderr.decode()) == (1, f"pkt-sock: <stdout>: {reason}\n")


def test_input_that_cannot_be_read():
    with opened() as server:
        done = shell(f"pkt-sock send 127.0.0.1 {port_of(server)} <&-")
        assert (done.returncode, done.stderr) == (1, b"pkt-sock: <stdin>: Bad file descriptor\n")


def test_verbose(start):
    sock = start("recv -v 127.0.0.1 0")
    done = shell(f"pkt-sock send -v 127.0.0.1 {sock.port}", b"x")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"pkt-sock: 1 byte sent, 0 bytes received\n")
    assert sock.end() == (0, b"x", "pkt-sock: 0 bytes sent, 1 byte received\n")


def test_packets_through_a_connection(start, tmp_path):
    """What the socket helpers are for: a stream of packets from one host to another."""
    sock = start("recv 127.0.0.1 0")
    source = ROOT / "examples" / "dns.txt"
    assert shell(f"pkt-txt2pcap < '{source}' | pkt-sock send 127.0.0.1 {sock.port}").returncode == 0
    code, out, said = sock.end()
    assert (code, said) == (0, "")
    assert shell("pkt-pcap2txt", out).stdout == shell(f"pkt-txt2txt < '{source}'").stdout


def test_the_manual_names_all_sixteen_commands_of_1_16():
    page = (ROOT / "man" / "pkt-sock.1").read_text().replace("\\-", "-")
    for protocol, option in (("tcp", ""), ("udp", " -u"), ("tcp6", " -6"), ("udp6", " -u -6")):
        for mode in ("send", "recv", "request", "reply"):
            assert f"\n{protocol}-{mode} HOST PORT" in page
            assert f"pkt-sock {mode}{option} HOST PORT\n" in page
