"""pkt-expect on files: what is met and what is not, what is said of it, and the reports that programs read."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT, shell
from samples import ethernet, ipv4, tcp

import pkttools
from pkttools.language.constants import lettered
from pkttools.protocols.fields import FIELDS, TABLE

PING = ROOT / "examples" / "ping.txt"
NOT_MET = ["IP.TTL==64 and ICMP.TYPE==0", "none: UDP", "2: ICMP", "ARP"]


def expect(words: str, data: bytes | None = None, code: int = 0, before: str = "") -> str:
    """What pkt-expect reports of packets, by default of a ping and its answer."""
    done = shell(f"{before}pkt-expect {words}", PING.read_bytes() if data is None else data)
    assert (done.returncode, done.stderr.decode()) == (code, ""), done.stdout.decode()
    return done.stdout.decode()


def times(*which: int) -> bytes:
    """Requests (0) and answers (1) of the ping, in this order; each a tenth of a second after the one before."""
    head, *packets = re.split(r"(?m)^(?=-- )", PING.read_text())
    return (head + "".join(
        re.sub(r"TIME: \S+ .*", f"TIME: 1700000000.{number}00000", packets[one]) for number, one in enumerate(which)
    )).encode()  # fmt: skip


def outcomes(report: str) -> list[str]:
    """ok, FAILED, skipped: of each expectation."""
    return re.findall(r"^(ok|FAILED|skipped): ", report, re.MULTILINE)


@pytest.mark.parametrize(
    ("which", "words", "found"),
    [
        ((0, 1), "ICMP.TYPE==0 'none: UDP' '2..: ICMP' '1..2: IP' '..1: ICMP.TYPE==8' '2: IP.TTL==64'", "ok ok ok ok ok ok"),
        ((0, 1), "'none: ICMP.TYPE==0' ARP", "FAILED skipped"),
        ((0, 1), "'1: ICMP' ARP", "FAILED skipped"),
        ((0, 1), "'3: ICMP' ICMP.TYPE==0", "FAILED ok"),
        ((0, 1), "--count 2 ICMP '1: ICMP.TYPE==0'", "ok ok"),
        ((0, 1), "--none UDP ARP", "ok ok"),
        ((0, 1, 0, 1), "--ordered ICMP.TYPE==8 ICMP.TYPE==0 ICMP.TYPE==8 ICMP.TYPE==0", "ok ok ok ok"),
        ((1, 0), "--ordered ICMP.TYPE==8 ICMP.TYPE==0", "ok FAILED"),
        ((0, 0, 1), "--ordered '2: ICMP.TYPE==8' ICMP.TYPE==0", "ok ok"),
        ((0, 0, 0, 1), "--ordered '2: ICMP.TYPE==8' ICMP.TYPE==0", "FAILED skipped"),
        ((0, 0, 1), "--ordered ICMP.TYPE==8 'none: ICMP.TYPE==8' ICMP.TYPE==0", "ok ok ok"),  # at least one: it has them both
        ((0, 1), "'2..: IP' '..1: IP'", "ok FAILED"),
        ((0, 1), "'..1: IP' '2..: IP'", "FAILED ok"),
        ((0, 1), "'1: ICMP.TYPE==8' '1: ICMP.TYPE==8' 'none: ARP' 'none: ARP'", "ok ok ok ok"),
        ((0, 1, 1), "--ordered '1: ICMP.TYPE==8' 'none: ICMP.TYPE==0' ICMP.TYPE==3", "ok FAILED skipped"),
        ((0, 1, 0), "--ordered '1: ICMP.TYPE==8' ICMP.TYPE==0", "FAILED ok"),  # another one, when its turn is over
        ((0, 1), "--ordered '1: ICMP.TYPE==8' ICMP.TYPE==0 'none: ICMP.TYPE==8'", "ok ok ok"),
        ((0, 1), "--ordered '..5: ARP' ICMP.TYPE==8 ICMP.TYPE==0", "ok ok ok"),
        ((0, 1), "--only ICMP", "ok ok"),
        ((0, 1), "--only ICMP.TYPE==0", "skipped FAILED"),
        ((0, 0, 0, 1), "--within 300ms ICMP.TYPE==0", "ok"),
        ((0, 0, 0, 1), "--within 299ms ICMP.TYPE==0", "FAILED"),
        ((), "ICMP 'none: UDP'", "FAILED ok"),
    ],
)  # fmt: skip
def test_what_is_met(which, words, found):
    code = int("FAILED" in found)
    assert " ".join(outcomes(expect(words, times(*which) if which else b"", code))) == found


def test_what_is_said_of_those_that_are_not_met():
    """What came instead, the nearest packet by field, and one that came too early."""
    report = expect("'ICMP.TYPE==0 and IP.TTL==65 and IP.SRC_ADDR==192.0.2.0/24' 'UDP.DST_PORT==53 and IFACE==x'", None, 1)
    assert report.splitlines() == [
        "FAILED: ICMP.TYPE==0 and IP.TTL==65 and IP.SRC_ADDR==192.0.2.0/24: no packet; wanted: at least 1",
        "    nearest: packet 2",
        "      IP.TTL==65: it is 64",
        "    2 packets came that nobody expects:",
        "      1 0.000000 192.0.2.1 > 192.0.2.2 ICMP 64 echo request, id 8002, seq 1",
        "      2 0.000263 192.0.2.2 > 192.0.2.1 ICMP 64 echo reply, id 8002, seq 1",
        "FAILED: UDP.DST_PORT==53 and IFACE==x: no packet; wanted: at least 1",
        "    2 packets came that nobody expects:",
        "      1 0.000000 192.0.2.1 > 192.0.2.2 ICMP 64 echo request, id 8002, seq 1",
        "      2 0.000263 192.0.2.2 > 192.0.2.1 ICMP 64 echo reply, id 8002, seq 1",
    ]
    report = expect("--ordered ICMP.TYPE==8 ICMP.TYPE==0", times(1, 0), 1)
    assert "    packet 1 matches, and came too early, while 'ICMP.TYPE==8' was waited for\n" in report
    report = expect("'not ICMP' 'IP.ADDR==10.0.0.1' '(UDP or TCP) and NUMBER>1'", None, 1)
    assert "not ICMP: does not hold" not in report  # nothing of it is there: no packet is near
    assert "IP.ADDR==10.0.0.1: it is 192.0.2.1 and 192.0.2.2" in report
    assert "\n    nearest: packet 2\n      ( UDP or TCP ): does not hold\n" in report
    assert "and 3 more" in expect("ARP", times(*[0] * 8), 1)
    assert "no packet came at all" in expect("ARP", b"", 1)


FILE = """
# comments
-- low ttl --
IP.TTL: 60..64
IP.SRC_ADDR: 192.0.2.0/30
ICMP.TYPE: 8,13
ICMP.ID: *
==
-- answer --
COUNT: 1
FILTER: ICMP.TYPE==echo-reply and IP.TTL>1
SIZE: 90..100
ICMP.DATA:  14 15 16 17  18 19 1A 1B  1C 1D 1E 1F  20 21 22 23
ICMP.DATA:  24 25 26 27  28 29 2A 2B  2C 2D 2E 2F  30 31 32 33
ICMP.DATA:  34 35 36 37
==
-- nothing --
COUNT: none
UDP.DST_PORT: *
==
"""


def test_files(tmp_path: Path):
    (tmp_path / "expect.txt").write_text(FILE)
    report = expect(f"--file {tmp_path}/expect.txt --ordered")
    assert report == "ok: low ttl: 1 packet, number 1\nok: answer: 1 packet, number 2\nok: nothing: no packet\n"


def test_octets_that_go_on(tmp_path: Path):
    """Of later occurrences, too; and not where another line is between."""
    values = bytes(range(20)), bytes(range(30, 50))
    frame = bytes.fromhex("0180c200000e02000000000188cc") + b"".join(b"\x0a" + bytes([len(one)]) + one for one in values) + b"\0\0"
    text = shell("pkt-bin2txt | pkt-txt2txt -aa", frame).stdout
    lines = "".join(line for line in text.decode().splitlines(True) if not re.match("[0-9A-F]{6}:|SIZE", line))
    assert len(re.findall(r"(?m)^LLDP.VALUE\S*:", lines)) > 3
    (tmp_path / "e").write_text(lines)
    assert outcomes(expect(f"--file {tmp_path}/e", text)) == ["ok"]
    (tmp_path / "e").write_text(
        "-- a --\nLLDP.VALUE: " + values[0].hex() + "\nLLDP.TYPE[2]: *\nLLDP.VALUE: " + values[1].hex() + "\n==\n"
    )
    assert outcomes(expect(f"--file {tmp_path}/e", text)) == ["ok"]


def test_whole_packets(tmp_path: Path):
    """Each byte counts, but for fields that may vary, what IGNORE says, and checksums that follow; twice is twice."""
    whole = shell("pkt-txt2txt -aa", PING.read_bytes()).stdout.decode()
    (tmp_path / "whole").write_text(whole)
    assert outcomes(expect(f"--file {tmp_path}/whole --ordered --only")) == ["ok", "ok", "ok"]
    report = expect(f"--file {tmp_path}/whole", None, 1, "pkt-change -u IP.TTL=9 ICMP.SEQ=2 | ")
    assert report.splitlines()[:4] == ["FAILED: 1: no packet; wanted: at least 1", "    nearest: packet 1",
                                       "      IP.TTL==64: it is 9", "      ICMP.SEQ==1: it is 2"]  # fmt: skip
    bits = "TCP: 0x1 in bit 102, which has no name: it is 0x0"
    with_bit, without = (str(pkttools.Packet(ethernet(0x0800, ipv4(6, struct.pack("!HHIIBBHHH", 9, 9, 1, 0, first, 2, 9, 0, 0)))))
                         for first in (0x52, 0x50))  # fmt: skip
    (tmp_path / "bit").write_text(with_bit)
    assert bits in expect(f"--file {tmp_path}/bit", without.encode(), 1)
    may = whole.replace("IP.TTL:\t\t\t0x40", "IP.TTL: 9..63").replace("ICMP.SEQ:\t\t0x1", "ICMP.SEQ: *")
    assert may.count("9..63") == may.count("SEQ: *") == 2
    (tmp_path / "may").write_text(may)
    assert outcomes(expect(f"--file {tmp_path}/may", None, 0, "pkt-change -u IP.TTL=9 ICMP.SEQ=2 | ")) == ["ok", "ok"]
    assert "IP.TTL in 9..63: it is 8" in expect(f"--file {tmp_path}/may", None, 1, "pkt-change -u IP.TTL=8 ICMP.SEQ=2 | ")
    (tmp_path / "routed").write_text(whole.replace("\nSIZE", "\nIGNORE: routing\nSIZE"))
    assert outcomes(expect(f"--file {tmp_path}/routed", None, 0, "pkt-change -u IP.TTL=9 | ")) == ["ok", "ok"]
    (tmp_path / "twice").write_bytes(times(0, 0))
    assert outcomes(expect(f"--file {tmp_path}/twice", times(0, 1, 0))) == ["ok"]
    assert "1 packet, number 1; wanted: at least 2" in expect(f"--file {tmp_path}/twice", times(0, 1), 1)
    (tmp_path / "one").write_text(may.split("==\n")[0] + "==\n")
    strict = whole.split("==\n")[0] + "==\n"
    (tmp_path / "other").write_text(strict)
    (tmp_path / "loose").write_text(strict.replace("\nSIZE", "\nIGNORE: routing\nSIZE"))
    for first, second in (("loose", "other"), ("other", "loose"), ("one", "other")):  # each differs in its own way
        found = expect(f"--file {tmp_path}/{first} --file {tmp_path}/{second}", None, 1, "pkt-change -u IP.TTL=9 | ")
        assert sorted(outcomes(found)) == ["FAILED", "ok"]


def test_what_helps_who_is_surprised(tmp_path: Path) -> None:
    """What differs of a packet that came instead; what took a packet before; flags as they are written; a file to be read."""
    (tmp_path / "e").write_bytes(shell("pkt-txt2txt -a", PING.read_bytes()).stdout)
    for words in (f"--file {tmp_path}/e --only", "--only ICMP.TYPE==8 'ICMP.TYPE==0 and IP.TTL==9'"):
        said = expect(words, None, 1, "pkt-change IP.TTL=8 | ")
        assert re.search(r"(?m)^    nearest to '.*': packet \d\n      IP.TTL==\d+: it is 8$", said), said
    segment = tcp(b"")
    handshake = [segment[:13] + bytes([flags]) + segment[14:] for flags in (2, 0x12, 0x10)]
    packets = "".join(f"-- a --\n{ethernet(0x0800, ipv4(6, one)).hex()}\n==\n" for one in handshake).encode()
    assert "packet 2 matches, and counts for 'TCP.SYN==1', which takes all that match: with COUNT 1 it takes one" in expect(
        "--ordered TCP.SYN==1 TCP.FLAGS==SA", packets, 1
    )
    assert outcomes(expect("--ordered '1: TCP.SYN==1' TCP.FLAGS==SA", packets)) == ["ok", "ok"]
    assert "TCP.FLAGS==SF: it is 2, S\n" in expect("TCP.FLAGS==SF", packets, 1)
    assert [lettered(TABLE[FIELDS[name][0]], 0xF2) for name in ("TCP.FLAGS", "IP.TTL")] == ["SAUEC", ""]
    done = shell(f"cd {tmp_path} && pkt-expect ICMPP e", PING.read_bytes())
    assert (done.returncode, b"; to read a file" in done.stderr) == (2, False)
    done = shell(f"cd {tmp_path} && pkt-expect ICMP e", PING.read_bytes())
    assert (done.returncode, b"; to read a file: --in e\n" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ": no expectations: -- NAME -- begins one, == ends it"),
        ("x\n", ":1: 'x' stands outside of expectations: -- NAME -- begins one"),
        ("-- a --\nIP.TTL: 1\n", ":1: the expectation that begins here never ends: '==' is missing"),
        ("-- a --\nIP.TTL: 1\n-- b --\n", ":3: an expectation begins here, but the one of line 1 has not ended with '=='"),
        ("-- a --\n==\n", ":2: a: nothing is expected of the packet: a field, bytes, or FILTER"),
        ("\n-- a --\nIP.TLL: 1\n==\n", ":3: no field 'IP.TLL': did you mean IP.TTL?"),
        ("-- a --\nIP.TLL: *\n==\n", ":2: no field 'IP.TLL': did you mean IP.TTL?"),
        ("-- a --\nIP.TTL: 9..8\n==\n", ":2: IP.TTL: 9..8: the range is empty"),
        ("-- a --\nCOUNT: few\n==\n", ":2: 'few' is not a count: 3, 3.., ..3, 1..3 or none"),
        ("-- a --\nCOUNT: 1\nCOUNT: 1\n==\n", ":3: COUNT stands here twice"),
        ("-- a --\nIGNORE: TTL\nIP.TTL: 1\n==\n", ":4: IGNORE is for bytes, and there are none"),
        ("-- a --\nIP.TTL: *\n\n00 0g\n==\n", ":4: bad hex digit '0g'"),
        ("-- a --\n00 11\nPKTAP.COMM: \u20ac\n==\n", ":3: PKTAP.COMM: '??????' is not printable ASCII; "
                                                  "other bytes are written as \\x and two hex digits"),
        ("-- a --\nFILTER: IP.TTL==\n==\n", ":2: filter 'IP.TTL==': a value expected, not the end"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(text, said, tmp_path: Path):
    (tmp_path / "e").write_text(text)
    done = shell(f"cd {tmp_path}; pkt-expect --file e", PING.read_bytes())
    assert (done.returncode, done.stderr.decode()) == (2, f"pkt-expect: e{said}\nTry 'pkt-expect --help'.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "what is expected? Such as 'ICMP.TYPE==0', or --file FILE"),
        ("IP.TLL==1", "no field 'IP.TLL': did you mean IP.TTL?"),
        ("'1: '", "an expectation is a filter, such as 'ICMP.TYPE==0'"),
        ("'3..2: IP'", "'3..2': the range is empty"),
        ("--count x IP", "'x' is not a count: 3, 3.., ..3, 1..3 or none"),
        ("--count 1 --none IP", "--none and --count: one of them"),
        ("--json --tap IP", "--json and --tap: one report goes to standard output"),
        ("--junit - IP", "--junit: a file; standard output has the other report"),
        ("'x: IP'", "'x' is not a count: 3, 3.., ..3, 1..3 or none"),
        ("'none:'", "an expectation is a filter, such as 'ICMP.TYPE==0'"),
        ("IP -- true", "a command is for -i: it is run once that receives"),
        ("--ready 1 IP", "--ready is for -i"),
        ("-i lo --in x IP", "-i and --in: packets come from one of them"),
        ("-i lo 'none: IP'", "whether more comes is never known without an end: --within TIME"),
        ("-i lo --only IP", "whether more comes is never known without an end: --within TIME"),
        (
            "--within soon IP",
            "--within: 'soon' is not a time: a number and ns, us, ms, s, min, h, d, such as 20ms; without, seconds",
        ),
        ("--within -1s IP", "--within: -1s goes back: it is no time between two packets"),
    ],
)
def test_wrong_usage(words, said):
    done = shell(f"pkt-expect {words}", b"")
    assert (done.returncode, done.stderr.decode().partition("\n")[0]) == (2, f"pkt-expect: {said}")


def quoted() -> str:
    """Expectations that are met, not met, and exceeded, and one with characters that XML and TAP take for their own."""
    return " ".join(f"'{one}'" for one in [*NOT_MET, 'UDP.DATA contains "<&#"'])


def test_json():
    report = json.loads(expect(f"--json {quoted()}", None, 1, "pkt-change IP.TTL=63 | "))
    assert (report["passed"], report["packets"]) == (False, 2)
    assert [one["outcome"] for one in report["expectations"]] == ["failed", "passed", "passed", "failed", "failed"]
    first = report["expectations"][0]
    assert first["nearest"] == {"number": 2, "misses": [{"field": "IP.TTL", "expected": "IP.TTL==64", "value": "63"}]}
    assert (first["matched"], first["wanted"], report["expectations"][2]["numbers"]) == (0, "at least 1", [1, 2])


def test_tap():
    lines = expect(f"--tap {quoted()}", None, 1).splitlines()
    assert lines[:2] == ["TAP version 14", "1..5"]
    points = [line for line in lines[2:] if not line.startswith(" ")]
    assert points == ["ok 1 - IP.TTL==64 and ICMP.TYPE==0", "ok 2 - none: UDP", "ok 3 - 2: ICMP", "not ok 4 - ARP",
                      'not ok 5 - UDP.DATA contains "<&\\#"']  # fmt: skip
    values = [line.partition(": ") for line in lines if line.startswith("  ") and ": " in line and not line.startswith("    ")]
    assert all(json.loads(value) is not None for key, _, value in values if key.strip() != "severity")
    assert lines.count("  ---") == lines.count("  ...") == 2
    assert "ok 2 - ARP # SKIP no packet; wanted: at least 1; not waited for" in expect("--tap 'none: ICMP' ARP", None, 1)


# What Jenkins' junit-10.xsd and surefire-test-report.xsd both take: attributes that have to be there, others, elements inside.
JUNIT = {
    "testsuites": ((), {"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (("name", "tests", "failures", "errors"), {"skipped", "time", "timestamp"}, {"testcase"}),
    "testcase": (("name", "classname", "time"), set(), {"failure", "skipped"}),
    "failure": ((), {"message", "type"}, set()),
    "skipped": ((), {"message"}, set()),
}


def test_junit(tmp_path: Path):
    """By the structure of both schemas; counts are those of the cases."""
    for words, code, wanted in ((quoted(), 1, (5, 2, 0)), ("'none: ICMP' ARP", 1, (2, 1, 1)), ("ICMP", 0, (1, 0, 0))):
        expect(f"--junit {tmp_path}/report.xml {words}", None, code)
        root = ElementTree.parse(tmp_path / "report.xml").getroot()
        for element in root.iter():
            needed, others, inside = JUNIT[element.tag]
            assert set(needed) <= set(element.keys()) <= set(needed) | others
            assert {child.tag for child in element} <= inside
        suite = root.find("testsuite")
        cases, failures, skipped = (len([*root.iter(tag)]) for tag in ("testcase", "failure", "skipped"))
        assert (cases, failures, skipped) == wanted
        assert [int(suite.get(name)) for name in ("tests", "failures", "skipped", "errors")] == [*wanted, 0]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
        assert all(float(case.get("time")) >= 0 for case in root.iter("testcase"))
    expect(f"--junit {tmp_path}/report.xml {quoted()}", None, 1)
    failure = [*ElementTree.parse(tmp_path / "report.xml").getroot().iter("failure")][-1]
    assert failure.get("message") == "no packet; wanted: at least 1"
    assert failure.text == "2 packets came, all expected by others\n"
    assert shell(f"pkt-expect ICMP --junit {tmp_path}/no/where", PING.read_bytes()).returncode == 1


def test_junit_as_others_read_it(tmp_path: Path):
    junitparser = pytest.importorskip("junitparser", reason="the extra judges is not installed")
    expect(f"--junit {tmp_path}/report.xml 'none: ICMP' ARP IP", None, 1)
    report = junitparser.JUnitXml.fromfile(str(tmp_path / "report.xml"))
    assert (report.tests, report.failures, report.errors, report.skipped) == (3, 1, 0, 1)
    cases = {case.name: [type(one).__name__ for one in case.result] for suite in report for case in suite}
    assert cases == {"none: ICMP": ["Failure"], "ARP": ["Skipped"], "IP": []}


def test_input_that_breaks_off_is_reported():
    """What came before it counts, and the exit code is 1 in any case."""
    done = shell("pkt-expect '2: ICMP'", PING.read_bytes() + b"-- 3 --\n00 zz\n==\n")
    assert (done.returncode, done.stdout.decode()) == (1, "ok: 2: ICMP: 2 packets, numbers 1, 2\n")
    assert "bad hex digit 'zz'" in done.stderr.decode()


def test_many_packets():
    """Of those that were not expected only some are kept, and each is looked at once."""
    done = shell("pkt-gen udp --src 10.0.0.1 --dst 10.0.0.2 --count 20000 IP.ID=1.. | pkt-expect 'IP.ID==9999' '20000: UDP' ARP")
    assert done.returncode == 1
    assert done.stdout.decode().startswith("ok: IP.ID==9999: 1 packet, number 9999\nok: 20000: UDP: 20000 packets, numbers 1, 2, ")


def test_ends_of_files():
    """A full disk, a reader that has had enough, a file that is none, and no end of the input: the time is over."""
    full = shell("pkt-expect ICMP > /dev/full", PING.read_bytes())
    assert (full.returncode, full.stderr.decode()) == (1, "pkt-expect: <stdout>: No space left on device\n")
    folder = shell("pkt-expect ICMP --in /tmp", PING.read_bytes())
    assert (folder.returncode, folder.stdout, folder.stderr.decode()) == (1, b"", "pkt-expect: /tmp: Is a directory\n")
    waits = shell("(cat; sleep 0.7) | timeout 20 pkt-expect '2: ICMP' --within 300ms", PING.read_bytes())
    assert (waits.returncode, waits.stdout) == (0, b"ok: 2: ICMP: 2 packets, numbers 1, 2\n")
