"""Names under which commands that run in the background are found."""

from __future__ import annotations

import os
import socket
import sys
import threading

import pytest

from pkttools.errors import PktError

if sys.platform != "linux":
    pytest.skip("abstract Unix sockets are Linux's", allow_module_level=True)

from pkttools.linux import control

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


def test_another_user_is_turned_away(monkeypatch: pytest.MonkeyPatch):
    with control.listen("test", NAME) as listener:
        monkeypatch.setattr(control, "peer", lambda sock: (1, os.getuid() + 1))
        with pytest.raises(PktError, match="belongs to another user"):
            control.connect("test", NAME)
        assert control.accept(listener) is None


def test_who_has_gone_is_an_error():
    with control.listen("test", NAME) as listener, control.connect("test", NAME) as sock:
        control.accept(listener).close()
        with pytest.raises(PktError, match="the other end has gone"):
            control.receive(sock)
