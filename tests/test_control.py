"""Names under which commands that run in the background are found."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from pkttools.errors import PktError

if sys.platform != "linux":
    pytest.skip("abstract Unix sockets are Linux's", allow_module_level=True)

import resource

from pkttools.live.linux import control

NAME = f"test-{os.getpid()}"


def test_a_question_is_answered():
    with control.listen("test", NAME) as listener:

        def serve() -> None:
            with control.accept(listener) as sock:
                message, _ = control.receive(sock)
                control.send(sock, {"asked": message, "long": "x" * 300_000}, [0])

        server = threading.Thread(target=serve)
        server.start()
        with control.connect("test", NAME) as sock:
            assert control.peer(sock) == (os.getpid(), os.getuid())
            control.send(sock, {"request": "show", "name": "ö"})
            answer, fds = control.receive(sock)
        server.join()
    assert answer == {"asked": {"request": "show", "name": "ö"}, "long": "x" * 300_000}
    assert len(fds) == 1
    assert os.path.samestat(os.fstat(fds[0]), os.fstat(0))
    os.close(fds[0])


def test_a_message_may_be_as_long_as_a_million_stations():
    message = {"stations": [["02:00:00:00:00:01", "p1", 300]] * 1_000_000}
    here, there = socket.socketpair()
    with here, there:
        sender = threading.Thread(target=control.send, args=(here, message))
        sender.start()
        received, _ = control.receive(there)
        sender.join()
    assert received == message


def test_a_name_is_there_as_long_as_its_process_listens():
    assert NAME not in control.names("test")
    with control.listen("test", NAME):
        assert NAME in control.names("test")
        assert NAME not in control.names("tes")
        with pytest.raises(PktError, match=f"test {NAME}: there is one already"):
            control.listen("test", NAME)
    assert NAME not in control.names("test")
    with pytest.raises(PktError, match=f"no test {NAME} is running"):
        control.connect("test", NAME)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a@b", "x" * 65, "a\n"])
def test_what_is_no_name(name: str):
    with pytest.raises(PktError, match="a name is up to 64 characters"):
        control.listen("test", name)


OTHER = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sock = socket.socket(socket.AF_UNIX)
if sys.argv[1] == "listen":
    sock.bind(b"\\0" + sys.argv[2].encode("latin-1")); sock.listen(0 if int(sys.argv[3]) else 9)
    full = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[3]))]
    for one in full:
        one.connect(b"\\0" + sys.argv[2].encode("latin-1"))
    print(flush=True); sys.stdin.read()
else:
    sock.connect(b"\\0" + sys.argv[2].encode("latin-1"))
    sys.exit(len(sock.recv(1)))
"""  # another user: listens under a name, with some who wait there already, or connects and is not answered


@pytest.fixture
def other():
    """Lets another user listen under addresses."""
    if os.getuid():
        pytest.skip("to be another user takes root")
    started = []

    def listen(address: bytes, waiting: int = 0) -> None:
        words = [sys.executable, "-c", OTHER, "listen", address[1:].decode("latin-1"), str(waiting)]
        started.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert started[-1].stdout.read(1) == b"\n"

    yield listen
    for process in started:
        process.communicate()


def test_another_user_is_turned_away(other):
    with control.listen("test", NAME) as listener:
        here = subprocess.Popen([sys.executable, "-c", OTHER, "connect", control.address("test", NAME)[1:].decode()])
        assert control.accept(listener) is None
        assert here.wait(10) == 0


def test_names_of_others_are_not_seen(other):
    """Neither listed nor connected to, whatever they are called, and however little they answer."""
    begin = control.address("test", "x")[:-1]
    other(begin + f"other-{os.getpid()}".encode())
    other(begin + f"full-{os.getpid()}".encode(), 1)  # another one who connects would wait
    other(begin + b"\x1b[31m" + str(os.getpid()).encode())
    other(begin + b"a\n0: 00000002 00000000 00010000 0001 01 1 @" + begin[1:] + b"forged")
    with control.listen("test", NAME):
        assert control.names("test") == [NAME]
    with pytest.raises(PktError, match="belongs to another user"):
        control.connect("test", f"other-{os.getpid()}")
    with pytest.raises(PktError, match="does not answer"):
        control.connect("test", f"full-{os.getpid()}", 0.2)


@pytest.mark.parametrize("name", [b"\x1b[31m", b"a b", b"a\nb", b"\xff", b"a@b", b"x" * 80, "\u202e".encode()])
def test_names_that_are_none_are_not_listed(name: bytes):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(control.address("test", "x")[:-1] + name)
        sock.listen()
        assert control.names("test") == []


def test_who_does_not_listen_yet_is_not_listed():
    with control.bind("test", NAME):
        assert control.names("test") == []


def test_a_name_that_is_refused_leaves_no_socket():
    code = "from pkttools.live.linux import control\nfor do in (control.bind, control.connect):"
    code += "\n try: do('test', 'a b')\n except Exception as e: print(e)"
    words = [sys.executable, "-X", "dev", "-W", "error", "-c", code]
    done = subprocess.run(words, capture_output=True, cwd=ROOT, check=True, text=True)
    assert done.stdout.count("a name is up to 64 characters") == 2
    assert not done.stderr


@pytest.fixture
def many():
    """Both ends of a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4000:
        pytest.skip("ulimit -n is too low")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Served:
    """Callers that are answered, by a thread, with what they say."""

    def __init__(self) -> None:
        self.listener = control.listen("test", NAME)
        self.ended = False
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        callers = control.Callers(self.listener, lambda line: (line, [0]))
        while not self.ended:
            waiting, (reading, writing) = select.poll(), callers.waited()
            for fds, event in ((reading, select.POLLIN), (writing, select.POLLOUT)):
                for fd in fds:
                    waiting.register(fd, event)
            callers.turn([fd for fd, _ in waiting.poll(50)])
        callers.close()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended = True
        self.thread.join()
        self.listener.close()


def test_a_thousand_at_once_are_answered(many: None):
    with Served(), contextlib.ExitStack() as stack:
        socks = [stack.enter_context(control.connect("test", NAME)) for _ in range(1000)]
        for number, sock in enumerate(socks):
            control.send(sock, {"number": number})
            answer, (fd,) = control.receive(sock)  # in its turn, however many have asked nothing yet
            os.close(fd)
            assert answer == {"number": number}


def test_who_says_nothing_or_little_keeps_nobody_out(many: None):
    with Served(), contextlib.ExitStack() as stack:
        slow = [stack.enter_context(control.connect("test", NAME)) for _ in range(control.CALLERS + 50)]
        for sock in slow[::2]:
            sock.send(b"{")
        began = time.monotonic()
        with control.connect("test", NAME) as sock:
            control.send(sock, {"asked": 1})
            answer, (fd,) = control.receive(sock)
            os.close(fd)
        assert answer == {"asked": 1}
        assert time.monotonic() - began < control.PATIENCE / 2


def test_too_many_descriptors_are_said_to_be():
    here, there = socket.socketpair()
    with here, there:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        control.send(here, {"a": 1}, [0, 1, 2])
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
        try:
            with pytest.raises(PktError, match="Too many open files; ulimit -n"):
                control.receive(there)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert os.dup(0) == lowest, "a descriptor is left open"
        os.close(lowest)


def test_who_has_gone_is_an_error():
    with control.listen("test", NAME) as listener, control.connect("test", NAME) as sock:
        control.accept(listener).close()
        with pytest.raises(PktError, match="the other end has gone"):
            control.receive(sock)
