"""pkt-pingrep, on both codecs: answers by hand, whom it answers, and whom not."""

from __future__ import annotations

import random
import struct

import pytest
from backends import on_both
from conftest import shell
from samples import ARP, ethernet, gre, icmp, ipv4, ipv6, pktap, tags, udp, vxlan

from pkttools import codec
from pkttools.batch import Batch, Packet, gathered
from pkttools.language.expression import any_of, compiled
from pkttools.work.answers import Responder, network

MAC4 = bytes.fromhex("0011 c0000202")
MAC6 = bytes.fromhex("0011 00000002")
A, B = bytes.fromhex("20010db8000000000000000000000001"), bytes.fromhex("20010db8000000000000000000000002")


pytest_generate_tests, chosen = on_both("answer")


def mended(frame: bytes, linktype: int = 1) -> bytes:
    batch = gathered([Packet(frame, len(frame), 0, linktype)])
    codec.correct(batch.data, bytes(batch.rows), codec.ALL)
    return bytes(batch.data)


def answers(frame: bytes, linktype: int = 1, networks: tuple[str, ...] = ()) -> list[bytes]:
    responder = Responder([network(text) for text in networks])
    return [
        bytes(batch.frame(i))
        for batch in responder(iter([gathered([Packet(frame, len(frame), 7, linktype)])]))
        for i in range(len(batch))
    ]


def solicitation(source: bytes = A, target: bytes = B, options: bytes = b"\1\1\2\0\0\0\0\1") -> bytes:
    message = b"\x87\0\0\0" + bytes(4) + target + options
    datagram = bytearray(ipv6(58, message))
    datagram[7] = 255
    datagram[8:24] = source
    datagram[24:40] = bytes.fromhex("ff0200000000000000000001ff000002")
    return mended(bytes.fromhex("3333ff000002 020000000001 86dd") + bytes(datagram))


def test_arp():
    """RFC 826, with whatever stands behind it."""
    reply = bytes.fromhex("0001 0800 06 04 0002") + MAC4 + bytes.fromhex("c0000202 020000000001 c0000201")
    ends = bytes.fromhex("020000000001") + MAC4
    assert answers(ethernet(0x0806, ARP)) == [ends + b"\x08\x06" + reply]
    assert answers(ethernet(0x0806, ARP + bytes(18))) == [ends + b"\x08\x06" + reply + bytes(18)]
    assert answers(ethernet(0x8100, tags([0x8100], 0x0806, ARP))) == [ends + b"\x81\0\0\1\x08\x06" + reply]


def test_echo():
    """The same data, other ends, a fresh TTL, right checksums."""
    request = mended(ethernet(0x0800, ipv4(1, icmp(8))))
    [got] = answers(request)
    assert got[:14] == bytes.fromhex("020000000001") + MAC4 + b"\x08\0"
    assert (got[22], got[26:34], got[34]) == (255, bytes([192, 0, 2, 2, 192, 0, 2, 1]), 0)
    assert got[38:] == request[38:]
    assert mended(got) == got


@pytest.mark.parametrize(
    ("linktype", "front"), [(101, b""), (0, b"\2\0\0\0"), (113, struct.pack("!HHH8sH", 0, 1, 6, b"\2" * 8, 0x0800))]
)
def test_echo_without_ethernet(linktype, front):
    request = mended(front + ipv4(1, icmp(8)), linktype)
    [got] = answers(request, linktype)
    assert got[: len(front)] == front
    assert mended(got, linktype) == got
    assert got[len(front) + 12 :][:8] == bytes([192, 0, 2, 2, 192, 0, 2, 1])


def test_requests_in_pktap():
    """The answer goes the other way."""
    request = ethernet(0x0806, ARP)
    for order, dlt, frame in (("<", 1, request), (">", 1, request), ("<", 12, mended(ipv4(1, icmp(8)), 101))):
        [alone] = answers(frame, {1: 1, 12: 101}[dlt])
        assert answers(pktap(dlt, frame, order, flags=0x4001), 258) == [pktap(dlt, alone, order, flags=0x4002)]


def test_echo6():
    request = mended(ethernet(0x86DD, ipv6(58, icmp(128))))
    [got] = answers(request)
    assert got[:12] == bytes.fromhex("020000000001") + MAC6
    assert (got[21], got[22:38], got[38:54], got[54]) == (255, B, A, 129)
    assert got[58:] == request[58:]
    assert mended(got) == got


def test_neighbour():
    """RFC 4861 section 7.2.4."""
    for options in (b"\1\1\2\0\0\0\0\1", b"", b"\x0e\1noncex"):
        [got] = answers(solicitation(options=options))
        assert got[:14] == bytes.fromhex("020000000001") + MAC6 + b"\x86\xdd"
        assert (got[18:20], got[20:22], got[22:38], got[38:54]) == (b"\0\x20", b"\x3a\xff", B, A)
        assert got[54:56] + got[58:] == b"\x88\0" + b"\x60\0\0\0" + B + b"\2\1" + MAC6
        assert mended(got) == got


def test_whether_an_address_is_free():
    """Nobody could have one if all of them were taken; of --addr they are."""
    probe = ARP[:14] + bytes(4) + ARP[18:]
    announcement = ARP[:24] + ARP[14:18]
    for frame in (ethernet(0x0806, probe), ethernet(0x0806, announcement), solicitation(source=bytes(16), options=b"")):
        assert answers(frame) == []
    assert len(answers(ethernet(0x0806, probe), networks=("192.0.2.2",))) == 1
    [got] = answers(solicitation(source=bytes(16), options=b""), networks=("2001:db8::/64",))
    assert (got[:6], got[38:54], got[58]) == (bytes.fromhex("333300000001"), bytes.fromhex("ff02" + "00" * 13 + "01"), 0x20)
    assert mended(got) == got


ECHO, ECHO6 = ethernet(0x0800, ipv4(1, icmp(8))), ethernet(0x86DD, ipv6(58, icmp(128)))


@pytest.mark.parametrize(
    "frame",
    [
        ethernet(0x0806, ARP[:7] + b"\2" + ARP[8:]), ethernet(0x0800, ipv4(1, icmp(0))), ethernet(0x0800, ipv4(17, udp())),
        ECHO[:30] + b"\xe0\0\0\1" + ECHO[34:], ECHO[:30] + b"\xff" * 4 + ECHO[34:], ECHO[:30] + bytes(4) + ECHO[34:],
        ethernet(0x0800, ipv4(1, icmp(8), fragment=0x2000)), ethernet(0x0800, ipv4(4, ipv4(1, icmp(8)))),
        ECHO6[:38] + b"\xff\2" + ECHO6[40:], ethernet(0x86DD, ipv6(58, b"\x87\0\0\0" + bytes(4) + B)),
        ethernet(0x86DD, ipv6(58, icmp(129))), b"", ethernet(0x0806, ARP[:20]),
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_not_answered(frame):
    assert answers(mended(frame)) == []


WORD = b"\0\1\1\x40" + bytes(4)  # a label, and a control word


@pytest.mark.parametrize("inner", [ethernet(0x0806, ARP), ethernet(0x0800, ipv4(1, icmp(8))), solicitation()])
@pytest.mark.parametrize(
    "carried",
    [
        lambda frame: ethernet(0x0800, ipv4(17, vxlan(frame))), lambda frame: ethernet(0x86DD, ipv6(47, gre(0x6558, frame))),
        lambda frame: ethernet(0x8847, WORD + frame), lambda frame: ethernet(0x88E7, bytes(4) + frame),
        lambda frame: ethernet(0x894F, b"\0\x42\2\3\0\0\1\1" + frame),
    ],
    ids=["VXLAN", "GRE", "MPLS", "802.1ah", "NSH"],
)  # fmt: skip
def test_what_a_tunnel_carries_is_not_answered(carried, inner):
    """Its end answers; our answer would have exchanged the outer addresses only."""
    assert len(answers(mended(inner))) == 1
    assert answers(mended(carried(inner))) == []


@pytest.mark.parametrize("size", range(4, 24))
def test_a_solicitation_without_a_target_ends_nothing(size):
    """RFC 4861 section 7.1.1: 24 bytes or more; what follows in the stream is answered."""
    message = (b"\x87\0\0\0" + bytes(4) + B)[:size]
    short = bytearray(ethernet(0x86DD, ipv6(58, message)))
    short[21] = 255
    responder = Responder([])
    asked = [mended(bytes(short)), mended(bytes(short) + b"trailer of the frame"), solicitation()]
    batches = list(responder(iter([gathered([Packet(frame, len(frame), 7, 1) for frame in asked])])))
    assert [len(batch) for batch in batches] == [1]
    assert (responder.answered, responder.unanswered) == (1, 2)


@pytest.mark.parametrize(("at", "value"), [(2, b"\x86\xdd"), (4, b"\2"), (4, b"\x08"), (5, b"\x10"), (5, b"\0")])
def test_arp_with_addresses_of_other_sizes_is_not_answered(at, value):
    """Sender and target stand elsewhere then; nothing is known of who asks."""
    assert answers(ethernet(0x0806, ARP[:at] + value + ARP[at + len(value) :] + bytes(18))) == []


def test_a_wrong_checksum_is_not_answered():
    request = mended(ECHO)
    assert answers(request[:-1] + b"!") == []
    assert answers(request[:22] + b"\7" + request[23:]) == []


@pytest.mark.parametrize(
    ("networks", "count"),
    [(("192.0.2.2",), 1), (("192.0.2.0/24",), 1), (("192.0.2.3",), 0), (("2001:db8::/32",), 0), (("10.0.0.0/8", "192.0.2.2/31"), 1),
     (("192.0.2.9/24",), 1), (("0.0.0.0/0",), 1)],
)  # fmt: skip
def test_for_whom(networks, count):
    assert len(answers(mended(ECHO), networks=networks)) == count
    assert len(answers(ethernet(0x0806, ARP), networks=networks)) == count


@pytest.mark.parametrize(
    "word", ["x", "192.0.2.0/33", "192.0.2", "", "192.0.2.0/24,", "2001:db8::/129", "192.0.2.0/-1", "192.0.2.0/"]
)
def test_wrong_networks(word):
    done = shell(f"pkt-pingrep --addr '{word}'")
    assert done.returncode == 2
    assert b"pkt-pingrep: --addr: " in done.stderr


@pytest.mark.parametrize(("linktype", "front"), [(1, b""), (101, None)])
def test_what_authenticates_a_request_is_told(linktype, front):
    """AH covers addresses, which an answer exchanges."""
    packet = ipv4(51, struct.pack("!BBHII12x", 1, 4, 0, 7, 1) + icmp(8))
    request = mended(packet if front is None else ethernet(0x0800, packet), linktype)
    responder = Responder([])
    [got] = [b.frame(0) for b in responder(iter([gathered([Packet(request, len(request), 7, linktype)])]))]
    assert len(got) == len(request) and [*responder.beyond.values()] == [1]


def test_lengths_in_front_of_an_advertisement_follow():
    """IEEE 802.3 says how long what it carries is."""
    datagram = solicitation(options=b"")[14:]
    front = bytes.fromhex("3333ff000002 020000000001") + struct.pack("!H", 8 + len(datagram)) + b"\xaa\xaa\3\0\0\0\x86\xdd"
    [got] = answers(front + datagram)
    assert struct.unpack_from("!H", got, 12)[0] == len(got) - 14
    assert got[22:] == answers(solicitation(options=b""))[0][14:]


RULE = Responder([]).rules[0]


@pytest.mark.parametrize(
    ("at", "value"),
    [(1, (b"", b"", b"")), (2, b"x"), (3, struct.pack("5q", 1, -1, 8, 1, 0)), (4, -1), (4, 262_145),
     (2, struct.pack("5q", 1, 0, 65, -1, 0)), (2, struct.pack("5q", 1, 0, 0, -1, 0)), (2, struct.pack("5q", 1, 0, 8, 1, -1)),
     (2, struct.pack("5q", 1, 0, 8, -2, 0))],
)  # fmt: skip
def test_rules_that_are_none(codec, at, value):
    with pytest.raises(ValueError, match=r"program is not valid|edits are not sound|end out of range"):
        codec.answer(bytearray(), b"", ((*RULE[:at], value, *RULE[at + 1 :]),), None)
    with pytest.raises(TypeError, match="a rule is a tuple"):
        codec.answer(bytearray(), b"", (None,), None)
    with pytest.raises(TypeError, match="counts are a dict or None"):
        codec.answer(bytearray(), b"", (RULE,), ())


@pytest.mark.parametrize("networks", [(), ("192.0.2.0/24", "2001:db8::/64", "10.0.0.1")])
def test_both_codecs_answer_the_same(both, networks):
    """Requests with a byte changed, in other places, cut; and the other way round: mended again, so that they are sound."""
    dice, rules = random.Random(3), Responder([network(text) for text in networks]).rules
    seeds = [
        ethernet(0x0806, ARP + bytes(18)),
        mended(ECHO),
        mended(ECHO6),
        solicitation(),
        solicitation(source=bytes(16), options=b""),
    ]
    seeds += [ethernet(0x8100, tags([0x8100], 0x0800, ipv4(1, icmp(8)))), mended(ethernet(0x0800, ipv4(4, ipv4(1, icmp(8)))))]
    requests = []
    for frame in seeds * 40:
        changed = bytearray(frame)
        changed[dice.randrange(len(frame))] = dice.choice((0, 1, 4, 6, 8, 128, 135, 255, dice.randrange(256)))
        requests.append(Packet(mended(bytes(changed)), len(frame), 5, 1, b"NOTE: x\n"))
        requests.append(Packet(mended(frame[: dice.randrange(len(frame))]), len(frame), 5, 1))
    batch = gathered(requests)
    found = []
    for backend in both:
        counts = {}
        made = Batch(*backend.answer(batch.data, bytes(batch.rows), rules, counts))
        packets = [made.packet(i) for i in range(len(made))]
        found.append(([(p.frame, p.original, p.time, p.linktype, p.notes) for p in packets], counts))
    assert found[0] == found[1] and len(found[0][0]) > 30


def test_what_is_not_followed_is_counted_while_requests_are_sought(both):
    """The same as `beyond` counts, of those that are no requests, too; the same packets pass, by a filter of idle headers, too."""
    frames = [mended(ECHO), ethernet(0x0800, ipv4(99, bytes(8))), ethernet(0x0801, bytes(46)), mended(ECHO6)]
    batch = gathered([Packet(frame, len(frame), 5, 1) for frame in frames])
    for backend in both:
        for tests in (Responder([]).requests, compiled(any_of(["DNS or ICMP"]))):
            met, counts = {}, {}
            backend.beyond(batch.data, batch.rows, met)
            assert backend.select(batch.data, batch.rows, tests, 1, counts) == backend.select(batch.data, batch.rows, tests)
            assert counts == met and len(met) >= 1
        with pytest.raises(TypeError, match="dict"):
            backend.select(batch.data, batch.rows, tests, 1, ())


def test_the_command(backend):
    """Notes, time and link type of a request are its answer's; the rest is dropped, what went unanswered counted."""
    text = shell("pkt-txt2txt | pkt-correct", b"-- 1 --\nTIME: 5\nIFACE: eth0\n" + ECHO.hex(" ").encode() + b"\n==\n").stdout
    text += text + b"-- 3 --\nTIME: 6\n" + ECHO[:-1].hex(" ").encode() + b"\n==\n"
    done = shell("pkt-pingrep -v", text, backend=backend)
    assert done.returncode == 0
    assert done.stdout.count(b"\n==") == 2
    assert done.stdout.count(b"IFACE: eth0\n") == 2
    assert b"2 requests answered, 1 not" in done.stderr
    assert shell("pkt-pingrep -l 1", text, backend=backend).stdout.count(b"\n==") == 1
