"""Text through a filter and assignments, to text, in one step: on both codecs what is done one by one."""

from __future__ import annotations

import pytest
from conftest import ROOT
from relays import LINK, NOW, ONE, PING, packets_of, relay, usual
from samples import TEXT
from test_lane import text_with

from pkttools.batch import LANE_MARK, link_of
from pkttools.codec import ALL, LENGTHS, TRANSPORT
from pkttools.language.assignments import Assignments
from pkttools.protocols.names import link_lines


def with_fcs(text: bytes) -> bytes:
    """A text in which frames end in a frame check sequence."""
    return "".join(f"{line}\n" for line in link_lines(link_of(1, 4))).encode() + text


@pytest.mark.parametrize("keep", [None, "ICMP", "UDP", "IP.TTL==64"])
@pytest.mark.parametrize(("guard", "items"), [
    (None, ()), (None, [("ICMP.TYPE", "=", "8")]), ("IP.TTL>9", [("IP.TTL", "-=", "1"), ("UDP.DST_PORT", "=", "53")]),
])  # fmt: skip
def test_a_step_is_what_is_done_one_by_one(codec, keep, guard, items):
    for text in (text_with(5).removeprefix(LINK), b"".join(packets_of(PING))):
        made = relay(codec, keep, guard, items)
        assert codec.relay_step(made, text, NOW) == usual(codec, text, keep, guard, items)


def test_steps_are_counted(codec):
    made = relay(codec, "ICMP", "IP.TTL>1", [("ICMP.TYPE", "=", "8"), ("UDP.DST_PORT", "=", "53")], number=7)
    packets = packets_of(PING)
    out = b"".join(codec.relay_step(made, packet, NOW) for packet in packets)
    count = len(packets)
    assert out.count(b"\n==\n") == count
    assert out.startswith(b"-- 7 --\n")
    assert f"\n-- {6 + count} --\n".encode() in out
    assert codec.relayed(made) == (b"".join(packets).count(b"\n"), count, count, count, 0, (count, 0), (0, 0))
    none = relay(codec, "UDP")
    assert codec.relay_step(none, packets[0], NOW) == b""
    assert codec.relayed(none) == (packets[0].count(b"\n"), 1, 0, 0, 0, (), ())


@pytest.mark.parametrize("text", [
    b"", b"\n", b"-- 1 --\n00 11\n", b"-- 1 --\n00 11\n==", ONE + b"-- 2 --\n", ONE[:-1], b"-- 1 --\n00 111\n==\n",
    b"00 11\n==\n" + ONE, b"-- 1 --\nSIZE: 1/9\n00 11\n==\n", b"-- 1 --\nSIZE: 9/9\n00 11\n==\n", b"-- 1 --\nSIZE: 99/99\n==\n",
    b"LINKTYPE: 113\n" + ONE, b"LINKTYPE: 113\n" + ONE + b"LINKTYPE: 1\n" + ONE, with_fcs(ONE),
    b"-- 1 --\n00 11\nIP.TTL: 9\n==\n", b"-- 1 --\n00 11\nNO.FIELD: 9\n==\n", LANE_MARK + bytes(99), b"\0",
])  # fmt: skip
def test_what_is_not_plain_is_left_alone(codec, text):
    made = relay(codec)
    assert codec.relay_step(made, text, NOW) is None
    assert codec.relayed(made) == (0, 0, 0, 0, 0, (), ())
    assert codec.relay_step(made, ONE, NOW) == usual(codec, ONE)


def test_more_lines_that_are_plain(codec):
    """Comments, the same link type once more, notes, other ends of lines: what text may have, as it is read otherwise."""
    for text in (b"# a\n" + ONE, LINK + ONE, ONE.replace(b"==", b"NOTE: a\n=="), ONE.replace(b"\n", b"\r\n"), ONE + b"# b\n",
                 b"-- 1 --\nTIME: 5\n00\n==\n"):  # fmt: skip
        assert codec.relay_step(relay(codec), text, NOW) == usual(codec, text)


def test_the_first_packet_of_a_link_type_is_left_alone_once_it_passes(codec):
    """In front of it a line is to be written."""
    for said in (-1, 113):
        assert codec.relay_step(relay(codec, "UDP", said=said), PING.removeprefix(LINK), NOW) == b""
        made = relay(codec, "ICMP", said=said)
        assert codec.relay_step(made, b"".join(packets_of(PING)), NOW) is None
        assert codec.relayed(made)[1] == 0


def test_packets_of_which_something_is_to_be_said_are_left_alone(codec):
    """An ESP header, behind which nothing is followed: assignments say so, filters do not."""
    esp = b"-- 1 --\n" + b" ".join(b"%02x" % octet for octet in bytes(12) + b"\x08\x00" + bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 9, 50])
                                   + bytes(30)) + b"\n==\n"  # fmt: skip
    made = relay(codec, items=[("IP.TTL", "=", "3")])
    assert codec.relay_step(made, esp, NOW) is None
    assert codec.relayed(made) == (0, 0, 0, 0, 0, (0,), (0,))
    assert codec.relay_step(relay(codec, "IP"), esp, NOW) == usual(codec, esp, "IP")


@pytest.mark.parametrize("what", [ALL, LENGTHS, TRANSPORT])
def test_checksums_are_corrected(codec, what):
    """Between the filter and what is assigned, as a stage does; wrong ones are counted."""
    bad = usual(codec, PING.removeprefix(LINK), items=[("IP.TTL", "=", "3")])
    packets = packets_of(bad)
    for items in ((), [("IP.TTL", "=", "5")]):
        made = relay(codec, "ICMP", None, items, corrects=what)
        assert codec.relay_step(made, bad, NOW) == usual(codec, bad, "ICMP", None, items, what)
        wrong = 0 if what == TRANSPORT else len(packets)
        assert codec.relayed(made)[1:5] == (len(packets), len(packets), len(packets) if items else 0, wrong)


@pytest.mark.parametrize("octets", [
    "45 00 00 40 00 00 00 00 09 01 00 00 0a 00 00 01 0a 00 00 02 08 00 00 00 00 01 00 01",  # truncated
    "45 00 00 1c 00 00 20 00 09 11 00 00 0a 00 00 01 0a 00 00 02 00 07 00 07 00 20 12 34",  # a fragment
    "45 00 00 1c 00 00 00 00 09 11 26 cf 0a 00 00 01 0a 00 00 02 00 07 00 07 00 08 14 1c",  # UDP, its sum left to the card
])  # fmt: skip
def test_what_cannot_be_corrected_in_full_is_left_alone(codec, octets):
    text = f"-- 1 --\n{'00 ' * 12}08 00 {octets}\n==\n".encode()
    made = relay(codec, corrects=ALL)
    assert codec.relay_step(made, text, NOW) is None
    assert codec.relayed(made) == (0, 0, 0, 0, 0, (), ())
    assert codec.relay_step(relay(codec), text, NOW) == usual(codec, text)


def test_numbers_go_on(codec):
    made = relay(codec, "NUMBER==3", "NUMBER==1", [("IP.TTL", "=", "3")])
    packets = packets_of(PING) * 2
    assert [bool(codec.relay_step(made, packet, NOW)) for packet in packets[:4]] == [False, False, True, False]
    assert codec.relayed(made)[2:] == (1, 1, 0, (1,), (0,))


@pytest.mark.parametrize(("arguments", "error"), [
    ((None, None, None, 3, 16, False, 1, 1, 1), ValueError), ((None, None, None, -2, 16, False, 1, 1, 1), ValueError),
    ((None, None, None, -1, 0, False, 1, 1, 1), ValueError), ((None, None, None, -1, 1 << 20, False, 1, 1, 1), ValueError),
    (((b"", b"x", b""), None, None, -1, 16, False, 1, 1, 1), ValueError),
    ((None, (b"", b"x", b""), None, -1, 16, False, 1, 1, 1), ValueError),
    ((None, None, (b"", bytes([9]) * 80, b""), -1, 16, False, 1, 1, 1), ValueError),
    ((None, None, Assignments([("IP.TTL", "=", "1..9")]).program, -1, 16, False, 1, 1, 1), ValueError),
])  # fmt: skip
def test_what_is_no_relay(codec, arguments, error):
    with pytest.raises(error):
        codec.text_relay(*arguments)


def test_both_codecs_leave_the_same_alone(both):
    """Of all that tests have as text, whole packets and pieces of them."""
    texts = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.txt"))] + [
        TEXT if isinstance(TEXT, bytes) else TEXT.encode()
    ]
    for text in texts:
        for piece in [text, *(part + b"==\n" for part in text.split(b"==\n")[:30]), text[: len(text) // 2]]:
            for words, what in (((None, None, ()), -1), ((None, None, ()), LENGTHS),
                                (("IP.TTL>3", "UDP", [("IP.TTL", "-=", "1"), ("UDP.DST_PORT", "=", "99")]), ALL)):  # fmt: skip
                c, python = (relay(codec, *words, corrects=what) for codec in both)
                assert both[0].relay_step(c, piece, NOW) == both[1].relay_step(python, piece, NOW)
                assert both[0].relayed(c) == both[1].relayed(python)
