"""An interface is a port of one switch: a second one is refused, whosever it is, and nobody can keep a switch out by a name."""

from __future__ import annotations

import sys

import pytest
from netns import finish
from switched import Switched
from switched import net as _net
from waits import until

net = _net
# Takes the names that ports have: numbers. Then it waits.
SQUAT = """
import socket, sys, time
kept = []
for index in range(1, 50):
    kept.append(socket.socket(socket.AF_UNIX))
    kept[-1].bind(f"\\0pkttools/port/{index}".encode())
    if sys.argv[1] == "listen":
        kept[-1].listen(5)
print("ready", flush=True)
time.sleep(60)
"""


def refused(net: Switched, words: str) -> None:
    done = net.run("sw", f"pkt-switch run {words} --name second")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"pkt-switch: p2: it is a port of another switch" in done.stderr


def test_a_second_switch_is_refused(net):
    switch = net.switch("p1 p2 --mirror p3")
    for words in ("p2", "p4 p2", "p4 --mirror p2"):
        refused(net, words)
    assert b"p3: it is a port of another switch" in net.run("sw", "pkt-switch run p3 --name second").stderr
    net.must("sw", "pkt-switch delete p2")
    second = net.switch("p2", name="second")
    done = net.run("sw", "pkt-switch add p2 --name switch")
    assert (done.returncode, b"p2: it is a port of another switch" in done.stderr) == (1, True)
    net.stop(second)
    net.must("sw", "pkt-switch add p2")
    assert net.promiscuity("p2") == 1
    switch.kill()
    switch.wait()
    net.stop(net.switch("p2"))


def test_an_interface_of_two_names_is_one_port(net):
    switch = net.switch("p1 p2")
    if net.run("sw", "ip link set p2 name other").returncode:
        pytest.skip("an interface that is up cannot be renamed here")
    done = net.run("sw", "pkt-switch add other")
    assert (done.returncode, b"other: it is a port already, as p2" in done.stderr) == (1, True)
    assert b"other: it is a port of another switch" in net.run("sw", "pkt-switch run other --name second").stderr
    net.stop(switch)


def test_a_second_switch_of_another_user(net):
    if net.rootless:
        pytest.skip("there is one user")
    switch = net.switch("p1 p2")
    as_other = "setpriv --reuid 65534 --clear-groups --inh-caps +net_raw,+net_admin --ambient-caps +net_raw,+net_admin"
    refused_so = f"{as_other} pkt-switch run p2 --name second"
    done = net.run("sw", refused_so)
    if b"not allowed" in done.stderr or b"setpriv" in done.stderr:
        pytest.skip(done.stderr.decode())
    assert (done.returncode, b"p2: it is a port of another switch" in done.stderr) == (1, True)
    net.stop(switch)


@pytest.mark.parametrize("how", ["listen", "bind alone"])
def test_whoever_takes_the_names_keeps_nobody_out(net, how):
    """A user without privileges could; what counts is a packet socket of whoever has the name."""
    squatter = net.start("sw", f"exec {sys.executable} -c '{SQUAT}' '{how}'")
    assert squatter.stdout.readline() == b"ready\n"
    net.stop(net.switch("p1 p2"))


def test_other_listeners_are_none_of_its_business(net):
    watch = net.start("sw", "exec pkt-recv -i p2")
    until(lambda: len(net.listeners("sw")) == 1, "packet socket")
    net.stop(net.switch("p1 p2"))
    finish(watch, 2)
