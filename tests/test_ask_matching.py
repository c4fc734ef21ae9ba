"""Which packet answers which: real captures with tshark as judge, and packets of which everybody can say it."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from conftest import ROOT
from samples import ethernet, ipv4, ipv6, tags, vxlan

from pkttools.ask.asker import Asker
from pkttools.ask.keys import QUOTE, answered, asked
from pkttools.ask.matching import Matcher
from pkttools.batch import Batch, Packet, gathered
from pkttools.formats import joined, packets
from pkttools.formats.files import Input

RESPONSES = ("icmp.resp_to", "icmpv6.resp_to", "dns.response_to")
# Plain ones, and in VXLAN, Geneve, MPLS in UDP, ERSPAN and Cisco's HDLC; how many pairs tshark finds.
JUDGED = {"dnssec": 3, "edns-opts": 21, "dns_tcp": 1, "vxlan": 4, "geneve": 3, "mpls-over-udp": 1, "erspan-type-i-1": 1, "HDLC": 5}
# What tshark does not tell: who of these answers which number, counted from 1.
KNOWN = {
    "icmp-rfc8335": {6: 5, 8: 7, 10: 9},
    "dhcpv6-ia-na": {2: 1, 4: 3},
    "ntp-time": {2: 1},
    "802.1ad_QinQ": {2: 1},
    "mpls-traceroute": {2: 1, 4: 3, 6: 5, 8: 7, 10: 9, 12: 11, 14: 13, 16: 15, 18: 17},
}


def batches(path: Path) -> Iterator[Batch]:
    return joined(Input([str(path)]), packets)


def pairs(path: Path) -> dict[int, int]:
    """Which packet answers which: every one is a question, once it has been looked at as an answer."""
    found, number, matcher = {}, 0, Matcher()
    for batch in batches(path):
        for asks, answers in zip(asked(batch), answered(batch), strict=True):
            number += 1
            if question := matcher.question(answers):
                found[number] = question
            matcher.ask(number, asks)
    return found


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_tshark_finds_the_same_questions(shared):
    for name, count in JUDGED.items():
        path = shared / f"captures/tcpdump/{name}.pcap"
        fields = [word for field in ("frame.number", *RESPONSES) for word in ("-e", field)]
        command = ["tshark", "-r", path, "-Y", " or ".join(RESPONSES), "-T", "fields", *fields]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        rows = [line.split() for line in said.stdout.splitlines()]
        judged = {int(number): int(question) for number, question in rows}
        assert len(judged) == count, name
        assert judged.items() <= pairs(path).items(), name


def test_answers_that_tshark_does_not_tell(shared):
    for name, known in KNOWN.items():
        assert pairs(shared / f"captures/tcpdump/{name}.pcap") == known, name


# ---- packets of which everybody can say it ----

A, B, ROUTER = (ip_address(f"192.0.2.{n}").packed for n in (1, 2, 9))
A6, B6 = (ip_address(f"2001:db8::{n}").packed for n in (1, 2))
NOBODY, ALL = bytes(4), b"\xff" * 4


def four(protocol: int, content: bytes, source: bytes = A, destination: bytes = B) -> bytes:
    datagram = bytearray(ipv4(protocol, content))
    datagram[12:20] = source + destination
    return bytes(datagram)


def six(protocol: int, content: bytes, source: bytes = A6, destination: bytes = B6) -> bytes:
    datagram = bytearray(ipv6(protocol, content))
    datagram[8:40] = source + destination
    return bytes(datagram)


def udp(source: int, destination: int, content: bytes = b"hello") -> bytes:
    return struct.pack("!HHHH", source, destination, 8 + len(content), 0) + content


def frame4(*datagram: object, **ends: bytes) -> bytes:
    return ethernet(0x0800, four(*datagram, **ends))  # type: ignore[arg-type]


def back(protocol: int, content: bytes) -> bytes:
    return frame4(protocol, content, source=B, destination=A)


def icmp(kind: int, code: int = 0, word: bytes = b"\0\1\0\2", rest: bytes = b"") -> bytes:
    return bytes([kind, code, 0, 0]) + word + rest


def segment(ports: tuple[int, int], flags: int, seq: int = 0, ack: int = 0, data: bytes = b"") -> bytes:
    return struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, 512, 0, 0) + data


def arp(operation: int, sender: bytes, target: bytes) -> bytes:
    return ethernet(0x0806, struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, bytes(6), sender, bytes(6), target))


def to_all(frame: bytes) -> bytes:
    return b"\xff" * 6 + frame[6:]


FIN, SYN, RST, ACK = 1, 2, 4, 16
DNS = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0)
DNS_ANSWER = struct.pack("!6H", 7, 0x8180, 1, 0, 0, 0)
PING, PONG = icmp(8), icmp(0)
NS = bytes([135, 0, 0, 0]) + bytes(4) + B6
NA = bytes([136, 0, 0, 0]) + bytes(4) + B6
QUESTION_4 = four(17, udp(1000, 33434))
QUESTION_6 = six(17, udp(1000, 33434))
DHCP = bytes([1, 1, 6, 0, 1, 2, 3, 4]) + bytes(20) + b"\2" * 6 + bytes(202) + b"\x63\x82\x53\x63"
OFFER = b"\2" + DHCP[1:]


def expired(quoted: bytes, extension: bytes = b"") -> bytes:
    """Time exceeded, with as much of the datagram as RFC 792 wants, or more of it and an extension behind 128 bytes."""
    if extension:
        return icmp(11, word=bytes([0, 32, 0, 0]), rest=quoted.ljust(128, b"\0") + extension)
    return icmp(11, word=bytes(4), rest=quoted[:28])


SENT = frame4(17, udp(1000, 33434))
DISCOVER = to_all(frame4(17, udp(68, 67, DHCP), source=NOBODY, destination=ALL))
MPLS = b"\x20\0\0\0\0\x08\1\1\0\1\1\1"


def from_router(content: bytes) -> bytes:
    return frame4(1, content, source=ROUTER, destination=A)


@pytest.mark.parametrize(("question", "answer", "is_one"), [
    (frame4(1, PING), back(1, PONG), True),
    (frame4(1, PING), frame4(1, PONG), False),  # not from there
    (frame4(1, PING), back(1, icmp(0, word=b"\0\1\0\3")), False),
    (frame4(1, PING), back(1, PING), False),
    (to_all(frame4(1, PING)), from_router(PONG), True),  # asked were all
    (frame4(1, PING), from_router(PONG), False),
    (frame4(1, icmp(13)), back(1, icmp(14)), True),
    (frame4(1, PING), ethernet(0x8100, tags([0x8100], 0x0800, four(1, PONG, B, A))), True),
    (frame4(17, vxlan(ethernet(0x0800, four(1, PING)))), back(17, vxlan(ethernet(0x0800, four(1, PONG, B, A)))), True),
    (SENT, from_router(expired(QUESTION_4)), True),
    (SENT, from_router(expired(four(17, udp(1000, 33435)))), False),
    (SENT, from_router(expired(QUESTION_4, MPLS)), True),
    (ethernet(0x86DD, QUESTION_6), ethernet(0x86DD, six(58, icmp(3, word=bytes(4), rest=QUESTION_6), B6, A6)), True),
    (frame4(6, segment((9, 80), SYN, 4)), from_router(expired(four(6, segment((9, 80), SYN, 4)))), True),
    (ethernet(0x86DD, six(58, NS)), ethernet(0x86DD, six(58, NA, B6, A6)), True),
    (ethernet(0x86DD, six(58, NS)), ethernet(0x86DD, six(58, NA[:-1] + b"\7", B6, A6)), False),
    (arp(1, A, B), arp(2, B, A), True),
    (to_all(arp(1, A, B)), arp(2, B, A), True),
    (to_all(arp(1, A, B)), arp(2, ROUTER, A), False),
    (to_all(arp(1, NOBODY, B)), arp(2, B, NOBODY), True),  # a probe: RFC 5227
    (to_all(arp(1, A, B)), arp(2, B, ROUTER), False),  # it is for somebody else
    (frame4(6, segment((9, 80), SYN, 4)), back(6, segment((80, 9), SYN | ACK, 900, 5)), True),
    (frame4(6, segment((9, 80), SYN, 4)), back(6, segment((80, 9), RST | ACK, 0, 5)), True),
    (frame4(6, segment((9, 80), SYN, 4)), back(6, segment((80, 9), SYN | ACK, 900, 6)), False),
    (frame4(6, segment((9, 80), SYN, (1 << 32) - 1)), back(6, segment((80, 9), SYN | ACK, 900, 0)), True),
    (frame4(6, segment((9, 80), ACK, 4, 7)), back(6, segment((80, 9), RST, 7)), True),
    (frame4(6, segment((9, 80), ACK, 4, 7, b"abc")), back(6, segment((80, 9), ACK, 7, 7)), True),
    (frame4(6, segment((9, 80), ACK | FIN, 4, 7, b"abc")), back(6, segment((80, 9), ACK, 7, 8)), True),
    (frame4(17, udp(1000, 7)), back(17, udp(7, 1000)), True),
    (frame4(17, udp(1000, 7)), back(17, udp(7, 1001)), False),
    (frame4(17, udp(1000, 53, DNS)), back(17, udp(53, 1000, DNS_ANSWER)), True),
    (frame4(17, udp(1000, 53, DNS)), back(17, udp(53, 1000, b"\0\x08" + DNS_ANSWER[2:])), False),
    (DISCOVER, frame4(17, udp(67, 68, OFFER), source=B, destination=ALL), True),
    (DISCOVER, frame4(17, udp(67, 68, OFFER), source=B, destination=A), True),
    (DISCOVER,
     frame4(17, udp(67, 68, OFFER[:7] + b"\7" + OFFER[8:]), source=B, destination=A), False),
])  # fmt: skip
def test_an_answer(question, answer, is_one):
    matcher = Matcher()
    ask, come = (gathered([Packet(one, len(one), 0, 1)]) for one in (question, answer))
    matcher.ask(5, asked(ask)[0])
    assert [*map(matcher.question, answered(come))] == [5 if is_one else None]
    assert [*map(matcher.question, answered(ask))] == [None]


def test_a_truncated_packet_has_no_key_of_what_is_not_there():
    whole = frame4(1, PING)
    for size in range(len(whole)):
        batch = gathered([Packet(whole[:size], size, 0, 1)])
        assert all(key.startswith(QUOTE) for key in asked(batch)[0]) or size >= 42
        assert [*answered(batch)[0]] == []


def test_no_more_questions_are_open_than_may_be():
    matcher = Matcher(most=2)
    for number in range(5):
        matcher.ask(number, [("key", number), ("of all",)])
    assert [matcher.question([("key", number)]) for number in range(5)] == [None, None, None, 3, 4]
    matcher.close(3)
    assert matcher.question([("of all",)]) == 4
    matcher.close(4)
    assert not matcher.by_key


# Two packets of a protocol that only a user's file knows; the second one is of another room, the third the answer.
OWN = """
from sys import argv
from pkttools.protocols.kept import install
install([argv[1]], [])
import struct
from pkttools.ask.keys import answered, asked
from pkttools.ask.matching import Matcher
from pkttools.batch import Packet, gathered

def chat(kind, room, source, destination):
    ends = bytes([192, 0, 2, source, 192, 0, 2, destination])
    ports = (1000, 9000) if kind == 1 else (9000, 1000)
    message = bytes([0x13, kind, 0, 0, 0, 0]) + struct.pack("!H", room) + bytes(4)
    datagram = struct.pack("!4H", *ports, 8 + len(message), 0) + message
    return bytes(12) + b"\\x08\\0\\x45\\0" + struct.pack("!H", 20 + len(datagram)) + bytes(5) + b"\\x11\\0\\0" + ends + datagram

frames = chat(1, 7, 1, 2), chat(2, 8, 2, 1), chat(2, 7, 2, 1)
batch, matcher = gathered([Packet(frame, len(frame), 0, 1) for frame in frames]), Matcher()
matcher.ask(0, asked(batch)[0])
print([*map(matcher.question, answered(batch))])
"""


def test_a_protocol_of_a_user(tmp_path):
    own = tmp_path / "chat.protocol"
    chat = (ROOT / "examples/protocols/chat.protocol").read_text()
    own.write_text(chat.replace("show ", "after udpsource 9000\nanswers CHAT if TYPE == 2 to TYPE == 1 by ROOM\nshow ", 1))
    done = subprocess.run([sys.executable, "-c", OWN, own], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[None, None, 0]\n"


# ---- what is counted of them ----


class Scripted:
    """A wire whose other end answers each try of each question as it is told: it sends, and shows what left and what came.

    answers: by question and try, the numbers that answers have. refused: the question that is not sent.
    """

    ring = sender = property(lambda self: self)
    gone = False
    name, attempted = "wire", 0

    def __init__(self, answers: dict[tuple[int, int], tuple[int, ...]], refused: int = 0) -> None:
        self.answers, self.refused, self.tries = answers, refused, dict.fromkeys(range(9), 0)
        self.fd, self.bell = os.pipe()
        self.due: list[Batch] = []

    def fail(self, reason: str, count: int = 1) -> None:
        """What a sender counts by itself."""

    def send(self, questions: Batch, first: int, stop: int) -> None:
        came = []
        for packet in questions.packets(first, stop):
            number = packet.frame[-1]
            self.tries[number] += 1
            if number == self.refused:
                self.fail("refused")
            else:
                came += [ping(8, number), *(ping(0, n) for n in self.answers.get((number, self.tries[number]), ()))]
            self.attempted += 1
        self.due.append(gathered(came))
        os.write(self.bell, b"!")

    def take(self) -> Batch | None:
        if not self.due:
            return None
        os.read(self.fd, 1)
        return self.due.pop(0)

    def outgoing(self, batch: Batch) -> list[bool]:
        return [packet.frame[34] == 8 for packet in batch.packets()]

    def finish(self, batch: Batch) -> None:
        """Its checksums are of no matter."""

    def give(self) -> None:
        """Its memory is nobody's."""

    def close(self) -> int:
        os.close(self.fd)
        os.close(self.bell)
        return 0


def ping(kind: int, number: int) -> Packet:
    """Of a question, or its answer, which comes as many milliseconds later as its number is."""
    message = struct.pack("!BBHHH", kind, 0, 0, 77, number)
    ends = bytes([192, 0, 2, 1, 192, 0, 2, 2]) if kind == 8 else bytes([192, 0, 2, 2, 192, 0, 2, 1])
    frame = ethernet(0x0800, b"\x45\0" + struct.pack("!H", 20 + len(message)) + b"\0\7\0\0\x40\1\0\0" + ends + message)
    return Packet(frame, len(frame), 10**18 + (number * 10**6 if kind == 0 else 0), 1)


@pytest.mark.parametrize(("in_flight", "answers", "refused", "order", "counted"), [
    (1, {(1, 1): (1, 1), (2, 2): (2,), (4, 1): (8, 3, 4), (5, 1): (6,), (5, 2): (5, 5, 5)}, 0, [1, 2, 4, 5], (5, 4, 3, 1, 3, 0)),
    (9, {(5, 1): (5, 3, 1, 1, 4, 2, 8)}, 0, [1, 2, 3, 4, 5], (5, 5, 1, 0, 0, 0)),
    (9, {(1, 1): (1,), (5, 1): (3, 5)}, 4, [1, 3, 5], (4, 3, 0, 0, 1, 1)),
])  # fmt: skip
def test_what_comes_is_counted(in_flight, answers, refused, order, counted):
    """Twice, too late, in another order, of nobody; what is asked again, is lost, or was not sent."""
    asker = Asker(in_flight=in_flight, retries=1, timeout=0.05)
    asker.open(Scripted(answers, refused))
    found = asker(iter([gathered([ping(8, number) for number in range(1, 6)])]))
    assert [packet.frame[-1] for batch in found for packet in batch.packets()] == order
    counts = asker.counts
    assert (counts.sent, counts.answered, counts.duplicates, counts.late, counts.retried, counts.unsent) == counted
    assert (counts.open, counts.least, counts.most, counts.total) == (0, order[0] * 10**6, order[-1] * 10**6, sum(order) * 10**6)
    assert counts.median == (order[(len(order) - 1) // 2] + order[len(order) // 2]) * 10**6 / 2
    assert not asker.leaving
