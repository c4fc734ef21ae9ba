"""pkt-ask on a wire, with the other host's kernel as the one who answers; and what it says without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import time

import pytest
from conftest import shell
from netns import IP, MAC, UNPRIVILEGED
from netns import lab as _lab
from netns import labs as _labs

import pkttools
from pkttools.commands.ask import endless

lab, labs = _lab, _labs
ENDS = f"--src {IP['a']} --dst {IP['b']} --src-mac {MAC['a']} --dst-mac {MAC['b']}"
PING = f"pkt-gen icmp {ENDS} |"


def test_pings_in_the_order_of_the_questions(labs, tmp_path):
    """Every question in front of its answer, times of the kernel, right checksums; the account as an object."""
    both = tmp_path / "both"
    done = labs.run("a", f"{PING} pkt-ask -i eth0 --both --report json ICMP.SEQ=1..200 ICMP.ID=7 > {both}; echo $?; "
                         f"pkt-check -cs --in {both}")  # fmt: skip
    facts = json.loads(next(line for line in done.stderr.decode().splitlines() if line.startswith("{")))["accounts"][0]
    assert (facts["sent"], facts["answered"], facts["lost"], facts["duplicates"]) == (200, 200, 0, 0)
    assert 0 <= facts["rtt"]["min"] <= facts["rtt"]["median"] <= facts["rtt"]["max"] < 1
    assert done.stdout.startswith(b"0\n")
    assert done.returncode == 0, done.stdout
    lines = shell(f"pkt-analyze --line --in {both}").stdout.decode().splitlines()
    seen = [re.search(r"(\S+) > .* echo (\w+), id 7, seq (\d+)", line).groups() for line in lines]
    assert seen == [(IP[of], kind, str(n)) for n in range(1, 201) for of, kind in (("a", "request"), ("b", "reply"))]


def test_who_waits_for_another_one_is_not_looked_at_for_each_answer(lab):
    """All questions are the same: one is on its way at a time, however many may be."""
    took = []
    for most in (1, 8192):
        before = os.times().children_user
        done = lab.run("a", f"{PING.replace('|', '--count 3000 |')} pkt-ask -Z root -i eth0 --in-flight {most} > /dev/null")
        assert b"3000 answered" in done.stderr
        took.append(os.times().children_user - before)
    assert took[1] < 2 * took[0] + 0.2, took


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
def test_round_trip_times_are_those_of_the_wire(lab, tmp_path):
    """By tcpdump on the same link: what lies between its times of a question and the answer."""
    capture, both, count = tmp_path / "wire.pcap", tmp_path / "both.pcap", 200
    words = f"-Z root -i eth0 -w {capture} --time-stamp-precision=nano --immediate-mode -U -s 128 -c {2 * count} icmp"
    watching = lab.start("a", f"exec tcpdump {words}")
    assert b"listening on" in watching.stderr.readline()
    done = lab.run("a", f"{PING} pkt-ask -i eth0 --both --report json -F pcap --nano ICMP.SEQ=1..{count} > {both}")
    assert done.returncode == 0, done.stderr
    watching.communicate(timeout=20)
    took = []
    for path in (capture, both):
        times = {(packet["ICMP.SEQ"], packet["ICMP.TYPE"]): packet.time for packet in pkttools.read(path)}
        took.append([times[number, 0] - times[number, 8] for number in range(1, count + 1)])
    apart = [abs(theirs - ours) for theirs, ours in zip(*took, strict=True)]
    assert sorted(apart)[count // 2] < 1000, apart
    facts = json.loads(next(line for line in done.stderr.decode().splitlines() if line.startswith("{")))["accounts"][0]
    assert facts["rtt"]["median"] == pytest.approx(sorted(took[0])[count // 2] / 1e9, rel=0.1)


def test_what_else_is_answered(labs):
    """ARP, TCP by a reset, a closed UDP port by an error that quotes; what nobody answers is lost, after a retry."""
    script = (
        f"{{ pkt-gen arp --src {IP['a']} --dst {IP['b']} --src-mac {MAC['a']}; pkt-gen tcp {ENDS} --dport 9; "
        f"pkt-gen udp {ENDS} --dport 9; pkt-gen icmp --src {IP['a']} --dst 10.0.0.99 --src-mac {MAC['a']}; }} | "
        "pkt-ask -i eth0 --timeout 0.2 --retries 1 | pkt-analyze --line --utc"
    )
    done = labs.run("a", script)
    lines = done.stdout.decode().splitlines()
    assert [word in line for line, word in zip(lines, ("is-at", "[R.]", "port unreachable"), strict=True)] == [True] * 3, lines
    assert "4 sent, 3 answered, 1 lost (25 %), 0 duplicates, 1 asked again; rtt min" in done.stderr.decode()
    assert done.returncode == 1


def test_equal_questions_wait_for_each_other(labs):
    """Nobody could say which of them an answer is for; they come one by one, at the pace that is asked for."""
    done = labs.run("a", f"{PING} pkt-ask -i eth0 --count 5 --interval 0.02 -F pcap | pkt-pcap2txt -v > /dev/null")
    assert "5 sent, 5 answered" in done.stderr.decode()
    assert done.returncode == 0, done.stderr


def test_an_answer_does_not_wait_for_the_next_question(labs):
    """Of who asks on: the answer is written, before more is read."""
    began = time.monotonic()
    process = labs.start("a", f"{{ {PING.removesuffix(' |')}; sleep 9; }} | pkt-ask -i eth0")
    assert process.stdout.read(1) == b"L"
    assert time.monotonic() - began < 8
    process.kill()


def test_a_signal_ends_with_the_account(labs):
    questions = f"--count 3 --timeout 60 ICMP.SEQ=1.. IP.DST_ADDR=10.0.0.99,{IP['b']}"
    done = labs.run("a", f"{PING} timeout -s INT 1.6 pkt-ask -i eth0 {questions}")
    said = done.stderr.decode()
    assert "stopped by a signal: no more was asked, and 2 not waited for" in said
    assert "3 sent, 1 answered, 2 lost" in said
    for asking in ("{ %s sleep 1.6; } | %s pkt-ask -i eth0", "%s %s pkt-ask -i eth0 --interval 9 --count 2"):
        begun = PING.replace("|", ";" if "sleep" in asking else "|")
        done = labs.run("a", asking % (begun, "timeout --preserve-status -s INT 1.2"))
        said = done.stderr.decode()
        assert "stopped by a signal: no more was asked, and 0 not waited for" in said
        assert (done.returncode, "1 sent, 1 answered, 0 lost" in said) == (1, True)  # more was to be asked


def test_an_interface_that_goes_down_is_waited_for(lab):
    """As pkt-recv and ping do; what could not be asked meanwhile is counted."""
    away = "{ sleep 0.6; ip link set eth0 down; sleep 0.6; ip link set eth0 up; ip neigh replace %s lladdr %s dev eth0; } &"
    done = lab.run("a", f"{away % (IP['b'], MAC['b'])} {PING} pkt-ask -Z root -i eth0 --interval 0.1 --timeout 0.3 ICMP.SEQ=1..30")
    said = done.stderr.decode()
    assert [said.count(f"eth0: {words}") for words in ("interface went down", "interface is up again")] == [1, 1], said
    counts = re.search(r"(\d+) sent, (\d+) answered, .*; (\d+) not sent \(\3 interface is down\)", said)
    sent, answered, unsent = map(int, counts.groups())
    assert (sent + unsent, done.returncode) == (30, 1)
    assert answered >= 10
    assert unsent >= 3


def test_of_an_interface_that_is_gone_all_that_is_left_is_counted_at_once(lab):
    lab.run("a", "ip link add gone type veth peer name other; ip link set gone up; ip link set other up")
    began = time.monotonic()
    asking = f"{PING} pkt-ask -Z root -i gone --interval 1 --timeout 0.2 ICMP.SEQ=1..300"
    done = lab.run("a", f"{{ sleep 1; ip link delete gone; }} & {asking}; echo $?")
    said = done.stderr.decode()
    sent, unsent = map(int, re.search(r"gone: (\d+) sent, 0 answered, .*; (\d+) not sent \(\2 interface is gone\)", said).groups())
    assert (sent + unsent, done.stdout.splitlines()[-1]) == (300, b"1"), said
    assert said.count("gone: interface is gone: nothing more can be sent") == 1
    assert time.monotonic() - began < 20


def test_what_it_says_without_an_interface_or_a_privilege(labs):
    done = labs.run("a", f"{PING} {UNPRIVILEGED} pkt-ask -i eth0")
    assert done.returncode == 1
    assert b"eth0: not allowed to capture: run it as root, with CAP_NET_RAW" in done.stderr
    done = labs.run("a", f"{PING} pkt-ask -i nowhere; pkt-txt2txt < /dev/null | pkt-ask -i eth0")
    assert b"nowhere: no such interface" in done.stderr
    assert b"0 sent, 0 answered" in done.stderr


@pytest.mark.parametrize(("words", "said"), [
    ("", "no interface given"), ("-i lo --rate 1 --interval 1", "only one of --rate and --interval"),
    ("-i lo --in-flight 0", "--in-flight: 0 is out of range"), ("-i lo IP.TTL=300", "IP.TTL"),
])  # fmt: skip
def test_wrong_usage(words, said):
    done = shell(f"pkt-ask {words}")
    assert done.returncode == 2
    assert said in done.stderr.decode()


def test_which_values_have_no_end():
    assert [endless(text) for text in ("1..", "1../2", "3,1..", "1..5", "1,2", "random")] == [True, True, True, False, False, False]
