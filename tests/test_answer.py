"""pkt-answer: rules of a file, by streams; and on a wire, with the other host's kernel and resolver as judges."""

from __future__ import annotations

import json
import re
import signal
import struct
from pathlib import Path

import pytest
from conftest import ROOT, shell
from netns import finish
from netns import lab as _lab
from netns import labs as _labs
from samples import ethernet, ipv4, ipv6, vxlan

from pkttools import codec
from pkttools.ask import answering
from pkttools.ask.rules import read
from pkttools.ask.zone import Zone
from pkttools.batch import Packet, gathered
from pkttools.errors import PktError, UsageError

lab, labs = _lab, _labs
EXAMPLES = ROOT / "examples" / "answers"
WEB, DNS = EXAMPLES / "web.rules", EXAMPLES / "dns.rules"
TO = "--dst 192.0.2.80"
REQUESTS = [  # what makes them, and what the answer's line has
    (f"tcp {TO} --dport 80", r"192.0.2.80.80 > 192.0.2.1.9 TCP 0 \[S\.\]"),
    (f"tcp {TO} --dport 81", r"\[R\.\] seq ~1 ack ~1"),
    (f"tcp {TO} --dport 82 --flags A TCP.ACK_NUMBER=77", r"\[R\] seq"),
    (f"tcp {TO} --dport 80 --flags FA --payload GET", r"\[FP\.\] .* ack ~4 .*200 OK"),
    (f"tcp {TO} --dport 80 --flags RA", None),
    (f"icmp {TO}", "192.0.2.80 > 192.0.2.1 ICMP 26 echo reply"),
    (f"arp {TO} --src 192.0.2.3", "192.0.2.80 is-at 00:11:c0:00:02:50"),
    ("icmp --dst 192.0.2.81", None),
    (f"udp {TO} --dport 9000 --payload 'oh hello there'", r"192.0.2.80.9000 > 192.0.2.1.9 UDP 15\b"),
    (f"udp {TO} --dport 7 --payload 'what comes back'", r"192.0.2.80.7 > 192.0.2.1.9 UDP 18\b"),
    (f"udp {TO} --dport 8", None),
]


def test_a_service_of_tcp_and_what_else_is_there(backend):
    """Each request has one answer at most, in order, with right lengths and checksums; vague ones are counted."""
    makes = "; ".join(f"pkt-gen {words}" for words, _ in REQUESTS)
    done = shell(f"{{ {makes}; }} | pkt-answer {WEB} -v | pkt-check -cs | pkt-analyze --line", backend=backend)
    assert done.returncode == 0, done.stderr
    wanted = [pattern for _, pattern in REQUESTS if pattern]
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(wanted), lines
    assert [bool(re.search(pattern, line)) for pattern, line in zip(wanted, lines, strict=True)] == [True] * len(wanted), lines
    assert f"{len(wanted)} packets answered, {len(REQUESTS) - len(wanted)} not" in done.stderr.decode()


def test_questions_of_dns(backend):
    """IPv4 and IPv6; the real question of the example has the number and the name that it asked with."""
    done = shell(f"pkt-answer {DNS} -v --in {ROOT}/examples/dns.txt | pkt-check -cs | pkt-analyze --line", backend=backend)
    assert [line.partition(" DNS ")[2] for line in done.stdout.decode().splitlines()] == [
        "100 31248*- A? www.example.com. 2/0/0 CNAME example.com., A 192.0.2.1",
        "112 31249*- AAAA? www.example.com. 2/0/0 CNAME example.com., AAAA 2001:db8::1",
    ]
    assert b"2 packets answered, 2 not" in done.stderr


def question(name: bytes, kind: int = 1, flags: int = 0x100, count: int = 1) -> bytes:
    return struct.pack("!6H", 7, flags, count, 0, 0, 0) + name + struct.pack("!2H", kind, 1)


EXAMPLE = b"\7example\3com\0"


def code_and_count(answer: bytes | None) -> tuple[int, int] | None:
    return None if answer is None else (answer[3] & 15, struct.unpack_from("!H", answer, 6)[0])


def test_a_zone():
    zone = Zone(str(EXAMPLES / "example.zone"))
    assert [code_and_count(zone.answer(asked)) for asked in (
        question(EXAMPLE), question(b"\7ExAmple\3COM\0"), question(EXAMPLE, 15), question(EXAMPLE, 255), question(EXAMPLE, 99),
        question(b"\2no" + EXAMPLE), question(EXAMPLE, flags=0x8000), question(EXAMPLE, flags=0x2800), question(EXAMPLE, count=2),
        question(b"\xc0\x0c"), question(EXAMPLE)[:-1], b"",
    )] == [(0, 1), (0, 1), (0, 1), (0, 4), (0, 0), (3, 0), None, (4, 0), (1, 0), (1, 0), (1, 0), None]  # fmt: skip


def test_a_chain_of_names_ends(tmp_path):
    (tmp_path / "zone").write_text("a. CNAME b.\nb. 5 IN CNAME a.\n")
    assert code_and_count(Zone(str(tmp_path / "zone")).answer(question(b"\1a\0"))) == (0, 8)


def test_what_is_not_answered():
    """In a tunnel, a wrong checksum, a fragment; and all of a batch go through one rule after the other."""
    answers = answering.Answering([answering.Echo([53])])
    inner = ethernet(0x0800, ipv4(17, struct.pack("!4H", 9, 53, 8, 0)))
    batch = gathered([Packet(frame, len(frame), 3, 1) for frame in (ethernet(0x0800, ipv4(17, vxlan(inner))), inner, inner)])
    codec.correct(batch.data, batch.rows, codec.ALL)
    batch.frame(1)[40] ^= 1  # its checksum is of another datagram
    [made] = answers(iter([batch]))
    assert len(made) == 1
    assert made.packet(0).time == 3
    assert bytes(made.frame(0))[34:38] == struct.pack("!2H", 53, 9)
    assert (answers.answered, answers.unanswered, answers.refused) == (1, 0, 2)


@pytest.mark.parametrize(("text", "said"), [
    ("", ": there is no rule"),
    ("# nothing\n", ": there is no rule"),
    ("smtp 25", ":1: no rule 'smtp'; there are arp, nd, ping"),
    ("\n  IP.TTL=1", ":2: what is indented belongs below `when`"),
    ("arp 300.1", ":1: '300.1' does not appear to be an IPv4 or IPv6 address"),
    ("arp 10.0.0.1 10.0.0.2", ":1: wanted: arp [CIDR,...]"),
    ("echo x", ":1: 'x' is no list of ports"),
    ("tcp 80 GET", ":1: 'GET' is no text in quotes"),
    ("tcp", ':1: wanted: tcp PORT,... ["TEXT"]'),
    ("reset now", ":1: wanted: reset"),
    ("when IP", ":1: no line below `when` says what the answer is"),
    ("when IP.TTTL==1\n  drop", ":1: no field 'IP.TTTL': did you mean IP.TTL?"),
    ("when IP\n  IP.TTL=1\n\n  IP.TTL=300", ":4: IP.TTL: 300 does not fit"),
    ("when IP\n  answer", ":2: 'answer' is neither payload, FIELD=VALUE nor drop"),
    ("when IP\n  payload hex:1", ":2: 'hex:1': two hex digits a byte"),
    ("when", ":1: wanted: when FILTER"),
    ("when IP\n  drop # no\n  IP.TTL=1", ":3: behind drop nothing is said of an answer"),
    ("when IP\n  IP.TTL=1\n  drop", ":3: drop stands alone"),
    ("when IP\n  payload a\n  payload b", ":3: there is a payload already"),
    ('when IP\n  payload "a\\q"', ":2: \\q is not \\r, \\n"),
    ('tcp 80 "\\x1"', ":1: \\x is not \\r, \\n"),
    (f'tcp 80 "{"a" * 1440}\\n"', ":1: 1441 bytes of text: 1440 fit a segment"),
    ('tcp 80 "a', ':1: \'"a\' is no text in quotes'),
    ("arp ::1", ":1: ::1/128 is no address of IPv4"),
    ("nd 2001:db8::1,10.0.0.0/8", ":1: 10.0.0.0/8 is no address of IPv6"),
])  # fmt: skip
def test_what_is_wrong_with_rules(text, said, tmp_path):
    rules = tmp_path / "my.rules"
    rules.write_text(text)
    with pytest.raises(UsageError) as error:
        read(str(rules))
    assert str(error.value).startswith(f"{rules}{said}")


def test_what_is_wrong_with_zones_and_files(tmp_path):
    rules, zone = tmp_path / "my.rules", tmp_path / "zone"
    rules.write_text("dns zone\n")
    for text, said in (("a. A", "wanted: NAME [TTL]"), ("a. FOO x", "no type 'FOO'"), ("a. A 1.2.3", "Expected 4 octets"),
                       ("a..b. A 1.2.3.4", "'a..b.' is no name"), ("a. 99999999999 A 1.2.3.4", "bad TTL"),
                       ("a. CNAME b. c.", "'b. c.' is no name"), ("a. MX 10 \u00e4.", "'\u00e4.' is no name"),
                       ('a. TXT "b" c', '"b" c: all of a text stands in quotes')):  # fmt: skip
        zone.write_text(f"; a zone\n{text}\n")
        with pytest.raises(PktError, match=re.escape(f"{zone}:2: {said}")):
            read(str(rules))
    rules.write_text("#" * (1 << 20) + "\ndrop")
    with pytest.raises(PktError, match="longer than 1048576 characters"):
        read(str(rules))
    rules.write_text("when IP\n  payload @missing\n")
    with pytest.raises(PktError, match=re.escape(f"{rules}:2: missing: No such file")):
        read(str(rules))
    with pytest.raises(PktError, match="No such file"):
        read(str(tmp_path / "missing"))


def test_comments_and_texts(tmp_path):
    """A # in quotes begins none; texts are UTF-8, whatever escapes are in them; strings of TXT stay as they are written."""
    rules, zone = tmp_path / "my.rules", tmp_path / "zone"
    texts = 'dns zone # names\nwhen UDP # all\n  payload "\u2192 # \\"\\x0d\\n" # an arrow\n  IP.TTL=3 # 3\necho 7 # 7\n'
    rules.write_text(texts)
    zone.write_text('a. A 192.0.2.1 ; home\na. TXT "b;  c" "#d" # e\na. TXT f  g\na. CNAME b. ; c\n')
    template = read(str(rules))[1]
    frame = ethernet(0x0800, ipv4(17, struct.pack("!4H", 9, 53, 8, 0)))
    [made] = template.answers(gathered([Packet(frame, len(frame), 0, 1)])).values()
    assert bytes(made.frame)[42:] == b'\xe2\x86\x92 # "\r\n'
    assert [data for *_, data in Zone(str(zone)).records[b"\1a\0"]] == [bytes([192, 0, 2, 1]), b"\5b;  c\2#d", b"\4f  g", b"\1b\0"]


def test_nothing_is_sent_in_the_name_of_a_group():
    """RFC 1122 section 3.2.1.3: a group, or all, sends nothing; where a template says who, it does."""
    udp = struct.pack("!4H", 9, 7, 8, 0)
    frames = [ethernet(0x0800, ipv4(17, udp))]
    frames += [frames[0][:30] + bytes(group) + frames[0][34:] for group in ((224, 0, 0, 1), (255, 255, 255, 255), (239, 1, 2, 3))]
    batch = gathered([Packet(frame, len(frame), 0, 1) for frame in frames])
    codec.correct(batch.data, batch.rows, codec.ALL)
    for rule, count in (answering.Echo([7]), 1), (answering.Template("UDP", None, [], False), len(frames)):
        assert len(rule.answers(batch)) == count


def test_no_frame_comes_from_a_group():
    """What went to a group of MAC addresses is answered by who has the address of IP, as pkt-pingrep answers, or as a rule says."""
    udp = struct.pack("!4H", 9, 7, 8, 0)
    ip4, ip6 = ethernet(0x0800, ipv4(17, udp)), ethernet(0x86DD, ipv6(17, udp))
    arp = ethernet(0x0806, bytes.fromhex("0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000250"))
    kinds = ip4, ip6, arp, ethernet(0x88B5, b"text")
    frames = [bytes.fromhex(group) + frame[6:] for group in ("ff" * 6, "01005e000001") for frame in kinds]
    batch = gathered([Packet(frame, len(frame), 0, 1) for frame in [ip4, *frames]])
    codec.correct(batch.data, batch.rows, codec.ALL)
    rule = answering.Template("ETHERNET", None, [], False)
    made = [bytes(packet.frame) for packet in rule.answers(batch).values() if packet]
    ours = [frame[6:12].hex() for frame in made]
    want = ["0011" + ip4[30:34].hex(), "0011" + ip6[50:54].hex(), "0011c0000201", "001100000000"]
    assert ours == ["020000000002", *want, *want]
    assert {frame[:6] for frame in made} == {bytes.fromhex("020000000001")}
    [made] = answering.Echo([7]).answers(batch.part(1, 2)).values()
    assert bytes(made.frame)[6:12].hex() == want[0]
    said = answering.Template("ETHERNET", None, [("ETHERNET.SRC_ADDR", "=", "02:00:00:00:00:09")], False)
    assert [bytes(packet.frame)[6:12].hex() for packet in said.answers(batch.part(0, 2)).values() if packet] == ["020000000009"] * 2


def test_templates_drop_and_copy(tmp_path):
    """The first rule that is for a packet is the one; fields of the request stand in the answer."""
    rules = tmp_path / "my.rules"
    rules.write_text("when ICMP.SEQ==2\n  drop\nwhen ICMP.TYPE==8\n  ICMP.TYPE=0\n  IP.ID=ICMP.SEQ\n  payload hex:0102\n")
    shown = "pkt-check -cs | pkt-analyze --fields ICMP.TYPE,IP.ID,IP.SRC_ADDR"
    done = shell(f"pkt-gen icmp --count 3 ICMP.SEQ=1.. | pkt-answer {rules} | {shown}")
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()[1:]]
    assert [(kind, int(number, 0)) for kind, number, _ in rows] == [("0", 1), ("0", 3)]
    assert {address for *_, address in rows} == {"192.0.2.2"}


def test_usage():
    assert [(done.returncode, said in done.stderr.decode()) for done, said in (
        (shell("pkt-answer"), "by which rules?"), (shell("pkt-answer ''"), "by which rules?"),
        (shell(f"pkt-answer {WEB} --duration 1"), "--duration needs -i"),
        (shell(f"pkt-answer {WEB} -i lo -F pcap"), "--format is not for -i"),
        (shell(f"pkt-pipe 'answer {WEB} -i lo | correct'"), "is its own pipe"),
    )] == [(2, True)] * 5  # fmt: skip


SILENT = "ip addr flush dev eth0 && ip neigh flush dev eth0"
FETCH = (
    "python3 -c \"import urllib.request; print(urllib.request.urlopen('http://10.0.0.80/', timeout=8).read().decode(), end='')\""
)


def test_the_kernel_gets_a_page(labs, tmp_path):
    """ARP, a connection with data, and its end, for a host that is not there; and another port refuses."""
    rules = tmp_path / "web.rules"
    rules.write_text(Path(WEB).read_text().replace("192.0.2.80", "10.0.0.80"))
    labs.must("b", SILENT)
    serving = labs.capture("b", f"pkt-answer {rules} -i eth0 'ARP or IP.DST_ADDR==10.0.0.80' --report json")
    assert labs.must("a", FETCH) == b"Hello.\n"
    waits = "import socket as s; c = s.create_connection(('10.0.0.80', 80), 5); c.shutdown(s.SHUT_WR); print(c.recv(9))"
    assert labs.must("a", f'python3 -c "{waits}"') == b"b''\n"  # who sends nothing is not kept waiting for the end
    refused = labs.run("a", "timeout 5 bash -c '< /dev/tcp/10.0.0.80/81'")
    assert b"refused" in refused.stderr
    code, _, said = finish(serving, signal.SIGINT)
    assert code == 0, said
    facts = json.loads(said[-1])["accounts"]
    assert [of["failed"] for of in facts if "failed" in of] == [0]
    assert next(of["answered"] for of in facts if "answered" in of) >= 5
