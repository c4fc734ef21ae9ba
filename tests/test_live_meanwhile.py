"""What is made by a thread while something else is done: it is there once it is asked for, and so is what went wrong."""

from __future__ import annotations

import _thread
import errno
import time

import pytest

from pkttools.errors import PktError
from pkttools.live.linux.meanwhile import Meanwhile


@pytest.mark.parametrize("threads", [True, False])
def test_it_is_there_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, threads: bool) -> None:
    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    if not threads:
        monkeypatch.setattr(_thread, "start_new_thread", refused)
    where: list[int] = []

    def made() -> str:
        time.sleep(0.02)
        where.append(_thread.get_ident())
        return "a ring"

    its = Meanwhile(made)
    assert [its.get(), its.get()] == ["a ring"] * 2
    assert (where == [_thread.get_ident()]) is not threads


def test_what_went_wrong_is_raised_where_it_is_asked_for() -> None:
    def fails() -> None:
        raise PktError("eth0: " + errno.errorcode[1])

    its = Meanwhile(fails)
    for _ in range(2):
        with pytest.raises(PktError, match="eth0: EPERM"):
            its.get()
