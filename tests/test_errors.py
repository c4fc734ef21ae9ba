"""What is said on standard error, and what comes from elsewhere in it."""

from __future__ import annotations

import os

import pytest
from conftest import shell

from pkttools.blocks import iface
from pkttools.errors import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [("plain \u00e9 \u65e5", "plain \u00e9 \u65e5"), ("a\x1b[31m\x7f\r", "a\\x1b[31m\\x7f\\x0d"), ("\u009b\u0085", "\\x9b\\x85"),
     ("\u202e\u2069\u200d", "\\u202e\\u2069\u200d"), ("\udc9b\udcff", "\\x9b\\xff"), ("\ud800", "\\ud800"),
     ("no\u00a0break", "no\u00a0break"),
     ("", "")],
)  # fmt: skip
def test_visible(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    "command", ["pkt-txt2txt --in", "pkt-txt2txt --in /dev/null --out", "pkt-recv -i", "pkt-send -i", "pkt-txt2txt --"]
)
def test_no_name_tells_a_terminal_anything(tmp_path, command):
    name = os.fsdecode("/no/\x1b[31m\u009b\u202e\u00e9".encode() + b"\x9b")
    done = shell(f"{command} '{name}'", LC_ALL="C.UTF-8")
    assert done.returncode in (1, 2)
    said = done.stderr.decode()
    assert visible(said.replace("\n", "")) == said.replace("\n", "")
    assert "\\x1b[31m" in said


def test_the_line_of_an_interface():
    assert iface("eth0") == b"IFACE: eth0\n"
    assert iface(os.fsdecode(b"a\x1b\x9b\xc2\x9bz")) == b"IFACE: a\\x1b\\x9b\\xc2\\x9bz\n"
