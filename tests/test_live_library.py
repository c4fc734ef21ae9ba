"""The library on wires: labs, captures in them, and packets received and sent by a program in a host."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from conftest import ROOT
from suites import suite
from test_manual import examples, plain
from test_readme import blocks

import pkttools
from pkttools.lab import running
from pkttools.pytest_plugin import assert_packets

PING = ROOT / "examples" / "ping.txt"
WIRE = "wire a 10.0.0.1/24 b 10.0.0.2/24"
RECEIVE = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import pkttools
got = pkttools.live.receive("eth0", "ICMP", limit=2, duration=20)
print("ready", flush=True)
print([packet["IP.TTL"] for packet in got.filter("IP.TTL>5")], *got.said)
print(len(list(pkttools.receive("eth0", duration=0.1))))
"""
SEND = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import pkttools
packets = pkttools.parse(sys.stdin.read())
print(pkttools.send("eth0", packets), [packet["IP.TTL"] for packet in packets])
try:
    pkttools.send("eth0", pkttools.Packet(bytes(2000)))
except pkttools.PktError as error:
    print(error)
try:
    pkttools.receive("nothere")
except pkttools.PktError as error:
    print(error)
"""
ASK = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import pkttools
question = next(iter(pkttools.read(sys.argv[1])))
print([packet["ICMP.SEQ"] for packet in pkttools.ask("eth0", question, "ICMP.SEQ=1..5", complete=True)])
print([packet["ICMP.TYPE"] for packet in pkttools.ask("eth0", question, complete=True, both=True)])
question["IP.DST_ADDR"] = "10.0.0.99"
question.correct()
answers = pkttools.ask("eth0", question, complete=True, timeout=0.2)
print(list(answers))
print(*answers.said)
for words in ("IP.TTL=300", "no"), ("IP.NOPE=1",), ("((",):
    try:
        pkttools.ask("eth0", question, *words)
    except pkttools.UsageError:
        print("wrong")
"""


@pytest.mark.lab(WIRE)
def test_text_goes_in_and_comes_out(lab):
    done = lab.run("a", "cat; echo é >&2; exit 3", input="ö", text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("ö", "é\n", 3)
    assert lab.run("a", ["cat"], input="ö").stdout == lab.run("a", ["cat"], input="ö".encode()).stdout == "ö".encode()


@pytest.mark.lab(WIRE)
def test_what_a_command_does_is_captured_as_a_whole(lab, capture):
    for count in (1, 40):
        with capture("b:eth0", "ICMP.TYPE==8") as got, capture("a:eth0", "ICMP.TYPE==0", receive_only=True) as answers:
            lab.run("a", f"ping -q -c {count} -i 0.002 b")
        assert [packet["ICMP.SEQ"] for packet in got] == list(range(1, count + 1))
        assert len(answers) == count
        assert " 0 dropped" in got.said[-1]
    assert got[0].line().endswith("10.0.0.1 > 10.0.0.2 ICMP 64 echo request, id " + f"{got[0]['ICMP.ID']}, seq 1")


@pytest.mark.lab(WIRE)
def test_what_is_sent_comes_as_it_is(lab, capture, packets):
    sent = packets("../examples/ping.txt")
    sent[0]["IP.CHECKSUM"] = 0xBAD
    with capture("b:eth0", receive_only=True) as got:
        lab.send("a:eth0", pkttools.change(sent, "IP.TTL-=1"))
    assert_packets(got, sent, ignore="TTL")
    with pytest.raises(pytest.fail.Exception, match=r"packet 1: .*\n  IP.TTL +64 -> 63\npacket 2: .*\n  IP.TTL +64 -> 63$"):
        assert_packets(got, sent)


def test_a_program_in_a_host_receives_and_sends(lab):
    made = lab(WIRE)
    receiving = made.start("b", [sys.executable, "-c", RECEIVE], stdout=-1)
    assert receiving.stdout.readline() == b"ready\n"
    ping = PING.read_bytes()
    first, second, third = made.run("a", [sys.executable, "-c", SEND], input=ping).stdout.decode().splitlines()
    assert first == "2 [64, 64]"
    assert "1 failed (1 too long for the MTU of 1500)" in second
    assert third.startswith("nothere: ")
    said, more = receiving.communicate(timeout=20)[0].decode().splitlines()
    assert said.startswith("[64, 64] eth0: ")
    assert more == "0"


def test_a_program_in_a_host_asks(lab, tmp_path):
    """A ping of each size is answered; hosts that are not there say nothing, which is told; so are wrong words."""
    made = lab(WIRE)
    made.run("a", "ping -c 1 b")  # they know each other
    mac = made.run("a", "cat /proc/net/arp").stdout.decode().split()[12]
    questions = pkttools.pipe(f"gen icmp --src 10.0.0.1 --dst 10.0.0.2 --dst-mac {mac}")
    pkttools.write(tmp_path / "questions.txt", questions)
    done = made.run("a", [sys.executable, "-X", "dev", "-c", ASK, str(tmp_path / "questions.txt")])
    first, second, third, said, *wrong = done.stdout.decode().splitlines()
    assert (first, second, third, wrong) == ("[1, 2, 3, 4, 5]", "[8, 0]", "[]", ["wrong"] * 3)
    assert "1 sent, 0 answered, 1 lost" in said
    assert b"ResourceWarning" not in done.stderr  # nothing is opened before it is known what is asked


def test_what_fails_in_a_host_is_said(lab):
    with pytest.raises(pkttools.UsageError, match="no statement 'wier'"):
        pkttools.Lab("wier a b")
    made = lab("host a", "wire b c")
    for failing, message in (
        (lambda: made.run("a", "echo no >&2; exit 3"), "a: echo no >&2; exit 3: exit code 3: no"),
        (lambda: made.run("a", "sleep 9", timeout=0.1), "a: sleep 9: it does not end within 0.1 s"),
        (lambda: made.capture("b:eth9").__enter__(), "b:eth9: pkt-recv: eth9: "),
        (lambda: made.send("b:eth9", pkttools.read(PING)), "eth9"),
    ):
        with pytest.raises(pkttools.PktError, match=message.replace(">", r"\>")):
            failing()
    for failing, message in (
        (lambda: made.run("z", "true"), "no host z in this lab; there are a, b, c"),
        (lambda: made.capture("b").__enter__(), "HOST:INTERFACE is wanted"),
        (lambda: made.open(), "is up"),
    ):
        with pytest.raises(pkttools.UsageError, match=message):
            failing()
    assert made.run("a", "exit 3", check=False).returncode == 3
    process = made.start("b", "sleep 60")
    assert running.hosts(made.name) == ["a", "b", "c"]
    made.close()
    assert (process.returncode != 0, running.hosts(made.name)) == (True, [])


def test_programs_of_the_page_run_with_their_labs(lab, tmp_path):
    lab("host a")  # else this is skipped, with the reason
    programs = {words: plain(block) for kind, words, block in examples(ROOT / "man/pkttools.3") if kind == "python"}
    (tmp_path / "ping.txt").write_bytes(PING.read_bytes())
    (tmp_path / "test_page.py").write_text(programs["test"])
    (tmp_path / "test_readme.py").write_text(blocks("In Python, and in tests")[1])
    before = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run([sys.executable, "-c", before + programs["lab"]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"ICMP 64 (echo \w+)", done.stdout) == ["echo request", "echo reply"]
    done = suite(tmp_path)
    assert "2 passed" in done.stdout, done.stdout
