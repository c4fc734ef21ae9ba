"""Interfaces that go down and come back, get another name, or are gone: who receives goes on, and says what happens."""

from __future__ import annotations

import os
import pty
import signal
import time

import pytest
from netns import frame, frames_of, opened, pcap
from netns import lab as _lab
from netns import labs as _labs
from waits import read_to, unread, until

lab, labs = _lab, _labs
RECEIVERS = {"kernel": "pkt-recv -i eth0 -ro -F pcap", "libpcap": "pkt-recv --libpcap -i eth0 -ro -F pcap"}


def written(process, count: int) -> None:
    """Waits until so many frames lie in the pipe that a receiver writes, as pcap, and that nobody reads."""
    until(lambda: unread(process.stdout) >= 24 + count * (16 + len(frame(0))), "frame in the pipe")


def said(process, line: str) -> None:
    """Waits for a line on standard error."""
    assert process.stderr.readline().decode() == f"pkt-recv: eth0: {line}\n"


@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_it_goes_on_when_the_interface_comes_back(labs, command):
    capture = labs.capture("a", f"exec {command} -l 4")
    for turn in range(3):
        labs.inject("b", [frame(turn)])
        written(capture, turn + 1)
        labs.must("a", "ip link set eth0 down")
        said(capture, "interface went down")
        labs.must("a", "ip link set eth0 up")
        said(capture, "interface is up again")
    labs.inject("b", [frame(3)])
    out, err = capture.communicate(timeout=20)
    assert (capture.returncode, frames_of(out)) == (0, [frame(i) for i in range(4)])
    assert err.decode() == "pkt-recv: eth0: 4 packets received, 0 dropped by the kernel\n"


@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_promiscuous_mode_is_there_again(lab, command):
    """Frames to another host are received before and afterwards."""
    strange = [b"\6\0\0\0\0\1" + frame(i)[6:] for i in range(2)]
    capture = lab.capture("a", f"exec {command} -l 2")
    lab.inject("b", strange[:1])
    written(capture, 1)
    lab.must("a", "ip link set eth0 down")
    said(capture, "interface went down")
    lab.must("a", "ip link set eth0 up")
    said(capture, "interface is up again")
    lab.inject("b", strange[1:])
    out, _ = capture.communicate(timeout=20)
    assert frames_of(out) == strange


@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_it_ends_while_the_interface_is_down(lab, command):
    for how in (signal.SIGINT, signal.SIGTERM):
        capture = lab.capture("a", f"exec {command}")
        lab.must("a", "ip link set eth0 down")
        said(capture, "interface went down")
        begun = time.monotonic()
        capture.send_signal(how)
        capture.communicate(timeout=20)
        assert (capture.returncode, time.monotonic() - begun < 2) == (0, True)
        lab.must("a", "ip link set eth0 up")
    capture = lab.capture("a", f"exec {command} --duration 1")
    lab.must("a", "ip link set eth0 down")
    capture.communicate(timeout=5)
    assert capture.returncode == 0


@pytest.mark.parametrize("down", [False, True], ids=["while up", "while down"])
@pytest.mark.parametrize("command", RECEIVERS.values(), ids=RECEIVERS)
def test_it_ends_when_the_interface_is_gone(lab, command, down):
    capture = lab.capture("a", f"exec {command}")
    lab.inject("b", [frame(1)])
    if down:
        lab.must("a", "ip link set eth0 down")
        said(capture, "interface went down")
    lab.must("a", "ip link del eth0")
    out, err = capture.communicate(timeout=20)
    assert (capture.returncode, frames_of(out)) == (1, [frame(1)])
    assert b"disappeared" in err if "libpcap" in command else b"pkt-recv: eth0: interface is gone\n" in err
    assert b"1 packet received" in err


def renamed(lab, host: str = "a", name: str = "eth0") -> None:
    """Gives an interface another name, while it is up."""
    if lab.run(host, f"ip link set {name} name other").returncode:
        pytest.skip("an interface that is up cannot be renamed here")


@pytest.mark.parametrize("command", [*RECEIVERS.values(), "pkt-xdp -i eth0 --mode generic -F pcap"], ids=[*RECEIVERS, "xdp"])
def test_a_receiver_does_not_mind_another_name(lab, command):
    if "xdp" in command:
        process = lab.start("a", f"exec {command} -v -l 2")
        line = process.stderr.readline()
        if b"receiving" not in line:
            pytest.skip(line.decode())
    else:
        process = lab.capture("a", f"exec {command} -l 2")
    lab.inject("b", [frame(1)])
    written(process, 1)
    renamed(lab)
    time.sleep(0.5)  # nothing may happen, though it has had the time to look for its name
    lab.inject("b", [frame(2)])
    out, err = process.communicate(timeout=20)
    assert (process.returncode, frames_of(out)) == (0, [frame(1), frame(2)]), err


@pytest.mark.parametrize("command", ["pkt-send -i eth0", "pkt-send --libpcap -i eth0", "pkt-gen raw -i eth0 --rate 20"])
def test_a_sender_does_not_mind_another_name(lab, command):
    watch = lab.watch("b", 40)
    process = lab.start("a", f"exec {command}", stdin=-1)
    process.stdin.write(pcap([frame(i, source="a") for i in range(40)], 0.05))
    process.stdin.close()
    process.stdin = None
    until(lambda: lab.counters("b")["rx"] >= 5, "fifth frame")
    renamed(lab)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, b"40 attempted = 40 sent + 0 failed" in err) == (0, True), err
    assert frames_of(watch.communicate(timeout=20)[0]) == [frame(i, source="a") for i in range(40)]


def shown(lab) -> dict[str, str]:
    """How many frames came in by each port."""
    lines = lab.must("a", "pkt-switch show").decode().splitlines()[1:-1]
    return {line.split()[0]: line.split()[2] for line in lines}


def test_a_switch_does_not_mind_another_name():
    for lab in opened("", ["wire a:p2 c:eth0"]):
        switch = lab.start("a", "exec pkt-switch run eth0 p2 tap:t0")
        until(lambda lab=lab: len(lab.listeners("a")) == 2, "ports")
        renamed(lab, "a", "p2")
        lab.must("a", "ip link set t0 name t1")
        watch = lab.watch("c", 1)
        lab.inject("b", [frame(1)])
        assert frames_of(watch.communicate(timeout=20)[0]) == [frame(1)]
        lab.inject("c", [frame(2, source="a")])
        until(lambda lab=lab: shown(lab)["p2"] == "1", "frame from the port")
        switch.send_signal(signal.SIGTERM)
        _, err = switch.communicate(timeout=20)
        assert (switch.returncode, b"no port" in err) == (0, False), err


@pytest.mark.parametrize("command", [*RECEIVERS.values(), "pkt-xdp -i eth0 --mode generic", "pkt-pipe -v 'recv -i eth0'"])
def test_it_says_when_it_receives(lab, command):
    """What is sent after that line is received."""
    process = lab.start("a", f"exec {command} {'' if 'pipe' in command else '-v -l 1'}")
    line = process.stderr.readline().decode()
    if "not allowed" in line:
        pytest.skip(line)
    assert line == f"{command.split()[0]}: eth0: receiving\n"
    lab.inject("b", [frame(1)])
    if "pipe" in command:
        until(lambda: unread(process.stdout), "packet")
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, b"1 packet" in err or b"1 matched" in err) == (0, True), err


def test_it_says_so_on_a_terminal(lab):
    ours, theirs = pty.openpty()
    process = lab.start("a", f"exec pkt-recv -i eth0 -l 1 2> {os.ttyname(theirs)}")
    assert read_to(ours, b"\n") == b"pkt-recv: eth0: receiving\r\n"
    lab.inject("b", [frame(1)])
    assert process.wait(20) == 0
    os.close(ours)
    os.close(theirs)
    quiet = lab.capture("a", "exec pkt-recv -i eth0 -l 1")
    lab.inject("b", [frame(1)])
    assert b"receiving" not in quiet.communicate(timeout=20)[1]
