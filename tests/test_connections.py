"""What is said of segments of TCP: by octets seen, not by times; on both codecs."""

from __future__ import annotations

import random
from struct import pack
from types import ModuleType
from typing import Any

import pytest
from conftest import load
from segments import MS, A, B, batch_of, framed, segment, table, words

QUIET = {"SEGMENT", "FROM_SYN", "ACK_FROM_SYN", "SCALED"}
SCALE = bytes.fromhex("01030307")
Sent = tuple[Any, ...]  # who, flags, sequence number, acknowledgement, octets, and window, options


def sent(packets: list[Sent], step: int = 1) -> list[tuple[int, bytes]]:
    """Frames, a while apart, or at times of their own."""
    made = []
    for i, (who, *rest) in enumerate(packets):
        time, who = (who[1], who[0]) if isinstance(who, tuple) else (i * step, who)
        ends = (A, B) if who == "a" else (B, A)
        made.append((time, framed(segment(*ends, *rest))))
    return made


def told(codec: ModuleType, packets: list[Sent], **of: Any) -> list[tuple[int, ...]]:
    """What is told of each."""
    batch = batch_of(sent(packets))
    return codec.follow(table(of=codec, **of), batch.data, bytes(batch.rows), True)


def rows(codec: ModuleType, packets: list[Sent]) -> list[tuple[Any, ...]]:
    """The conversations of packets."""
    batch, made = batch_of(sent(packets)), table(of=codec)
    codec.follow(made, batch.data, bytes(batch.rows), False)
    return codec.conversation_rows(made, 0, 100)


def said(codec: ModuleType, packets: list[Sent]) -> list[set[str]]:
    """What is said of each, but for what is said of all."""
    return [words(one[2]) - QUIET for one in told(codec, packets)]


OPENED: list[Sent] = [("a", "S", 100, 0), ("b", "S.", 500, 101), ("a", ".", 101, 501)]


def test_numbers_count_from_the_syn_of_each_way(codec):
    found = told(codec, [*OPENED, ("a", ".", 101, 501, 10), ("b", ".", 501, 111, 7)])
    assert [(one[3], one[4]) for one in found[1:]] == [(500, 100), (100, 500), (100, 500), (500, 100)]
    assert all(words(one[2]) >= {"FROM_SYN", "ACK_FROM_SYN"} for one in found[1:])
    assert words(found[0][2]) & {"FROM_SYN", "ACK_FROM_SYN"} == {"FROM_SYN"}
    assert [one[5] for one in found] == [0, 0, 0, 10, 7]


def test_without_a_syn_both_ways_count_from_one(codec):
    """And it is said that the start was not seen (tcpdump counts one side from 0, the other one from 1)."""
    found = told(codec, [("a", ".", 7000, 9000, 10), ("b", ".", 9000, 7010, 5), ("a", ".", 7010, 9005)])
    assert [(one[3], one[4]) for one in found] == [(6999, 8999), (8999, 6999), (6999, 8999)]
    assert all(not words(one[2]) - {"SEGMENT"} for one in found)


def test_numbers_go_on_behind_their_end(codec):
    """All arithmetic is modulo 2^32."""
    base, end = 2**32 - 5, 2**32 - 4
    packets = [("a", "S", base, 0), ("b", "S.", base, end), ("a", ".", end, end), ("a", ".", end, end, 100), ("b", ".", end, 96)]
    found = told(codec, [*packets, ("a", ".", 96, end, 10), ("a", ".", 96, end, 10), ("a", ".", 120, end, 1)])
    assert [words(one[2]) - QUIET for one in found] == [set()] * 6 + [{"REPEATED"}, {"GAP"}]
    assert found[4][3:5] == (base, base) and found[-1][8] == 14


@pytest.mark.parametrize(
    ("name", "packets", "last"),
    [
        ("again", [("a", ".", 101, 501, 10), ("a", ".", 101, 501, 10)], {"REPEATED"}),
        ("partly again", [("a", ".", 101, 501, 10), ("a", ".", 105, 501, 10)], {"REPEATED"}),
        ("next", [("a", ".", 101, 501, 10), ("a", ".", 111, 501, 10)], set()),
        ("gap", [("a", ".", 101, 501, 10), ("a", ".", 121, 501, 10)], {"GAP"}),
        ("filled", [("a", ".", 111, 501, 10), ("a", ".", 101, 501, 10)], {"FILLS"}),
        ("filled, and again", [("a", ".", 111, 501, 10), ("a", ".", 101, 501, 15)], {"FILLS", "REPEATED"}),
        ("filled twice", [("a", ".", 111, 501, 10), ("a", ".", 101, 501, 10), ("a", ".", 101, 501, 10)], {"REPEATED"}),
        ("filled in the middle", [("a", ".", 131, 501, 10), ("a", ".", 111, 501, 10), ("a", ".", 121, 501, 10)], {"FILLS"}),
        ("acknowledged, not seen", [("b", ".", 501, 111)], {"UNSEEN"}),
        ("acknowledged, seen late", [("b", ".", 501, 111), ("a", ".", 101, 501, 10)], {"FILLS"}),
        ("a gap acknowledged", [("a", ".", 111, 501, 10), ("b", ".", 501, 121)], {"UNSEEN"}),
        ("and only once", [("a", ".", 111, 501, 10), ("b", ".", 501, 121), ("b", ".", 501, 121)], set()),
        ("keep-alive", [("a", ".", 101, 501, 10), ("b", ".", 501, 111), ("a", ".", 110, 501)], {"KEEP_ALIVE"}),
        ("with an octet", [("a", ".", 101, 501, 10), ("b", ".", 501, 111), ("a", ".", 110, 501, 1)], {"KEEP_ALIVE"}),
        ("an octet again", [("a", ".", 101, 501, 10), ("a", ".", 110, 501, 1)], {"REPEATED"}),
        ("a FIN is none", [("a", "F.", 101, 501), ("b", ".", 501, 102), ("a", "F.", 101, 501)], {"REPEATED"}),
        ("probe", [("b", ".", 501, 101, 0, 0), ("a", ".", 101, 501, 1)], {"PROBE"}),
        ("probe again", [("b", ".", 501, 101, 0, 0), ("a", ".", 101, 501, 1), ("a", ".", 101, 501, 1)], {"PROBE"}),
        ("probe of Linux", [("b", ".", 501, 101, 0, 0), ("a", ".", 100, 501)], {"PROBE"}),
        ("probe, then its octet with others",
         [("b", ".", 501, 101, 0, 0), ("a", ".", 101, 501, 1), ("b", ".", 501, 101), ("a", ".", 101, 501, 20)], set()),
        ("probe that was taken",
         [("b", ".", 501, 101, 0, 0), ("a", ".", 101, 501, 1), ("b", ".", 501, 102), ("a", ".", 102, 501, 20)], set()),
        ("duplicate", [("a", ".", 101, 501, 10), ("b", ".", 501, 101), ("b", ".", 501, 101)], {"DUPLICATE_ACK"}),
        ("window update", [("a", ".", 101, 501, 10), ("b", ".", 501, 101), ("b", ".", 501, 101, 0, 2000)], set()),
        ("nothing under way", [("b", ".", 501, 101), ("b", ".", 501, 101)], set()),
        ("outside", [("a", ".", 101 + 2**31, 501, 10)], {"OUTSIDE"}),
        ("reset from anywhere", [("a", "R", 0xC0000000, 0)], {"OUTSIDE"}),
        ("a reset is no gap", [("a", "R", 150, 0)], set()),
        ("SYN again", [("a", "S", 100, 0)], {"REPEATED"}),
        ("SYN-ACK again", [("b", "S.", 500, 101)], {"REPEATED"}),
        ("new connection", [("a", "S", 90000, 0)], {"NEW_CONNECTION"}),
        ("from the other side", [("b", "S", 90000, 0)], {"NEW_CONNECTION"}),
        ("another answer to the same SYN", [("b", "S.", 90000, 101)], {"NEW_CONNECTION"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_octets_decide(codec, name, packets, last):
    """Behind a handshake; of the last packet."""
    assert said(codec, [*OPENED, *packets])[-1] == last


def test_how_many_octets(codec):
    found = told(codec, [*OPENED, ("a", ".", 111, 501, 10), ("a", ".", 106, 501, 10), ("b", ".", 501, 131)])
    octets, *_, gap, unseen = range(5, 10)
    assert [one[gap] for one in found[3:]] == [10, 0, 0]
    assert found[4][octets : gap + 1] == (10, 5, 5, 0)
    assert found[5][unseen] == 5 + 10  # what is missing in front, and what was not seen behind
    there = rows(codec, [*OPENED, ("a", ".", 111, 501, 10), ("a", ".", 106, 501, 10), ("b", ".", 501, 131)])[0][-1][4]
    assert there == (1, 1, 1, 0, 0, 0, 0, 5, 5, 15, 15)


def test_a_half_new_segment(codec):
    """Tells how much of it is new, which tshark does not."""
    found = told(codec, [*OPENED, ("a", ".", 101, 501, 100), ("a", ".", 151, 501, 100)])
    assert found[-1][5:7] == (100, 50)


def test_time_says_nothing(codec):
    """tshark's words change with the delay; ours do not."""
    packets = [*OPENED, ("a", ".", 111, 501, 10), ("a", ".", 101, 501, 10), ("a", ".", 101, 501, 10)]
    found = []
    for step in (0, 1, 100, 5000, -7):
        batch = batch_of(sent(packets, step))
        found.append(codec.follow(table(of=codec), batch.data, bytes(batch.rows), True))
    assert found[1:] == found[:-1]


def test_simultaneous_open(codec):
    """SYN, SYN, SYN-ACK, SYN-ACK is a handshake without loss."""
    packets: list[Sent] = [("a", "S", 100, 0), ("b", "S", 500, 0), ("a", "S.", 100, 501), ("b", "S.", 500, 101)]
    assert said(codec, packets) == [set(), set(), {"SIMULTANEOUS"}, {"SIMULTANEOUS"}]
    connection = rows(codec, packets)[0][-1]
    assert connection[:2] == (1, (3 * MS, 3 * MS)) and connection[3] & 16
    assert connection[4][0] == connection[5][0] == 0
    assert said(codec, [*packets, ("b", "S.", 500, 101)])[-1] == {"REPEATED"}


def test_handshake_time(codec):
    assert rows(codec, OPENED)[0][-1][:2] == (1, (2 * MS, 2 * MS))


def test_handshake_time_with_a_repeated_syn(codec):
    """Which one was answered cannot be known (RFC 6298 section 3): it is between two times."""
    packets: list[Sent] = [
        (("a", 0), "S", 100, 0),
        (("a", 1000), "S", 100, 0),
        (("b", 1050), "S.", 500, 101),
        (("a", 1051), ".", 101, 501),
    ]
    assert rows(codec, packets)[0][-1][1] == (51 * MS, 1051 * MS)


def test_handshake_time_of_an_answer_that_is_captured_first(codec):
    packets: list[Sent] = [(("b", 5), "S.", 500, 101), (("a", 4), "S", 100, 0), (("a", 9), ".", 101, 501)]
    assert rows(codec, packets)[0][-1][1] == (5 * MS, 5 * MS)


def test_handshake_times_of_several_connections(codec):
    """From the shortest to the longest: the first one may be the quickest."""
    packets: list[Sent] = []
    for base, start, took in ((100, 0, 10), (70000, 1000, 500), (140000, 2000, 20)):
        packets += [
            (("a", start), "S", base, 0),
            (("b", start + took - 1), "S.", base + 7, base + 1),
            (("a", start + took), ".", base + 1, base + 8),
        ]
    assert rows(codec, packets)[0][-1][:2] == (3, (10 * MS, 500 * MS))
    assert rows(codec, packets[:6])[0][-1][1] == (10 * MS, 500 * MS)
    assert rows(codec, packets[3:])[0][-1][1] == (20 * MS, 500 * MS)


def test_handshake_time_beyond_what_can_be_said(codec):
    most = (2**63 - 1) // MS
    packets: list[Sent] = [(("a", -most), "S", 100, 0), (("b", 0), "S.", 500, 101), (("a", most), ".", 101, 501)]
    assert rows(codec, packets)[0][-1][1] == (2**63 - 1, 2**63 - 1)


@pytest.mark.parametrize(
    "packets", [OPENED[:1], OPENED[:2], OPENED[1:], [("a", "S", 1, 0), ("b", "R.", 0, 2)], [("a", "S.", 1, 8), ("b", "S.", 7, 2)]]
)
def test_no_handshake_time(codec, packets):
    assert rows(codec, packets)[0][-1][1] is None


def test_a_new_connection_counts(codec):
    """Its numbers count anew; the same SYN again is a repetition."""
    again: list[Sent] = [("a", "S", 70000, 0), ("a", "S", 70000, 0), ("b", "S.", 80000, 70001), ("a", ".", 70001, 80001)]
    found = told(codec, [*OPENED, *again])
    assert [one[3] for one in found[3:]] == [70000, 70000, 80000, 70000]
    assert [words(one[2]) - QUIET for one in found[3:]] == [{"NEW_CONNECTION"}, {"REPEATED"}, set(), set()]
    assert rows(codec, [*OPENED, *again])[0][-1][0] == 2


def test_data_on_a_syn(codec):
    """Fast Open (RFC 7413): numbers do not begin again; what the server did not take comes again."""
    taken: list[Sent] = [("a", "S", 100, 0, 10), ("b", "S.", 500, 111), ("a", ".", 111, 501, 5)]
    refused: list[Sent] = [("a", "S", 100, 0, 10), ("b", "S.", 500, 101), ("a", ".", 101, 501, 10)]
    assert said(codec, taken) == [{"FAST_OPEN"}, set(), set()]
    assert said(codec, refused) == [{"FAST_OPEN"}, set(), {"REPEATED"}]
    assert [one[3] for one in told(codec, taken)] == [100, 500, 100]


def test_a_reset_that_refuses(codec):
    """Its number is 0: that is no base of what may come later."""
    packets: list[Sent] = [("a", "S", 100, 0), ("b", "R.", 0, 101), ("a", "S", 100, 0), ("b", "S.", 7000, 101)]
    found = told(codec, packets)
    assert [words(one[2]) - QUIET for one in found] == [set(), set(), {"REPEATED"}, set()]
    assert (found[1][3], found[3][3]) == (2**32 - 1, 7000)
    assert rows(codec, packets)[0][-1][2] == 1


def test_one_way_alone(codec):
    """Where nothing of a side was captured, what is acknowledged of it is not counted as missing."""
    packets = [("a", ".", 1000, 5000, 10), ("a", ".", 1010, 6000, 10), ("a", ".", 1020, 9000, 10)]
    assert said(codec, packets) == [set()] * 3
    assert said(codec, [*packets, ("b", ".", 5000, 1030, 10)])[-1] == {"EARLIER"}


def test_numbers_that_went_on_unseen(codec):
    """The second segment of a row far away is followed: nothing was captured for a while."""
    far = 101 + 2**31
    packets = [
        *OPENED,
        ("a", ".", far, 501, 10),
        ("a", ".", far + 10, 501, 10),
        ("a", ".", far + 20, 501, 10),
        ("a", ".", far + 20, 501, 10),
    ]
    assert said(codec, packets)[3:] == [{"OUTSIDE"}, set(), set(), {"REPEATED"}]


def test_windows(codec):
    """RFC 7323 sections 2.2 and 2.3: never scaled in SYN; both must have the option; above 14 is 14; unknown without SYN."""

    def windows(one: bytes, other: bytes, packets: list[int]) -> list[int]:
        all_of_them: list[Sent] = [
            ("a", "S", 100, 0, 0, 1000, one), ("b", "S.", 500, 101, 0, 1000, other), ("a", ".", 101, 501, 0, 1000),
            ("b", ".", 501, 101, 0, 10),
        ]  # fmt: skip
        found = told(codec, [all_of_them[i] for i in packets])
        return [one[-1] if words(one[2]) & {"SCALED"} else -1 for one in found]

    both = [0, 1, 2, 3]
    assert windows(SCALE, SCALE, both) == [1000, 1000, 1000 << 7, 10 << 7]
    assert windows(SCALE, b"", both) == [1000, 1000, 1000, 10]
    assert windows(b"", SCALE, both) == [1000, 1000, 1000, 10]
    assert windows(b"\x01\x03\x03\x0f", b"\x01\x03\x03\xff", both) == [1000, 1000, 1000 << 14, 10 << 14]
    assert windows(SCALE, SCALE, [2, 3]) == [-1, -1]
    assert windows(SCALE, SCALE, [0, 2, 3]) == [1000, -1, -1]
    assert windows(SCALE, SCALE, [1, 2, 3]) == [1000, -1, 10 << 7]  # who answers has it only where the other one has
    assert windows(SCALE, b"", [1, 2, 3]) == [1000, 1000, 10]
    assert windows(b"\0" + SCALE, SCALE, both)[2] == 1000  # behind the end of options is none
    assert windows(b"\x03\x02\x01" + SCALE, SCALE, both)[2] == 1000 << 7  # of another size it says nothing
    assert windows(b"\x03\x01" + SCALE, SCALE, both)[2] == 1000  # a broken option ends reading (RFC 9293 section 3.1)


def test_a_window_of_other_size_in_the_syn_is_another_one(codec):
    """A field that is the same, but scaled now, is no duplicate acknowledgement."""
    packets: list[Sent] = [
        ("a", "S", 100, 0, 0, 1000, SCALE), ("b", "S.", 500, 101, 0, 1000, SCALE), ("a", ".", 101, 501, 10),
        ("b", ".", 501, 101, 0, 1000), ("b", ".", 501, 101, 0, 1000),
    ]  # fmt: skip
    assert said(codec, packets)[3:] == [set(), {"DUPLICATE_ACK"}]


def sack(*blocks: tuple[int, int]) -> bytes:
    """The option."""
    return b"\x01\x01\x05" + bytes([2 + 8 * len(blocks)]) + b"".join(pack("!II", *block) for block in blocks)


def test_octets_that_came_twice(codec):
    """D-SACK (RFC 2883): the first block is below the acknowledgement, or in the second one."""
    data = [*OPENED, ("a", ".", 101, 501, 30), ("a", ".", 101, 501, 10)]
    below = [*data, ("b", ".", 501, 131, 0, 1000, sack((101, 111)))]
    assert "D_SACK" in said(codec, below)[-1]
    assert "D_SACK" in said(codec, [*data, ("b", ".", 501, 111, 0, 1000, sack((121, 126), (121, 131)))])[-1]
    assert "D_SACK" not in said(codec, [*data, ("b", ".", 501, 111, 0, 1000, sack((121, 131)))])[-1]
    assert rows(codec, below)[0][-1][4][3] == 1  # of who sent them


def test_many_gaps_are_bounded(codec):
    """Of more than 64 the first ones are forgotten: what comes there was before what is known."""
    packets: list[Sent] = [("a", ".", 101 + 20 * i, 501, 10) for i in range(1, 200)]
    filled = [*OPENED, *packets, ("a", ".", 111, 501, 10), ("a", ".", 101 + 20 * 199 - 10, 501, 10)]
    assert said(codec, filled)[-2:] == [{"EARLIER"}, {"FILLS"}]
    assert rows(codec, filled)[0][-1][4][9] == 20 + 198 * 10 - 10  # all that was missing is counted


def test_any_segments_give_the_same_on_both_codecs():
    dice = random.Random(15)
    numbers = [0, 1, 100, 101, 102, 110, 111, 150, 2**31, 2**32 - 1, 5000, 5001, 5010]
    for _ in range(60):
        packets: list[Sent] = []
        for _ in range(dice.randrange(1, 60)):
            options = dice.choice(
                [b"", b"", SCALE, b"\x01\x03\x03\x0f", sack((100, 110)), sack((101, 105), (101, 111)), dice.randbytes(12)]
            )
            flags = dice.choice(["S", "S.", ".", ".", ".", ".", "F.", "R", "R.", "P.", "SF", ""])
            size, window = dice.choice([0, 0, 1, 10, 20, 1000]), dice.choice([0, 1, 1000, 65535])
            packets.append(
                (
                    dice.choice("ab"),
                    flags,
                    dice.choice(numbers) + dice.randrange(3) * 10,
                    dice.choice(numbers),
                    size,
                    window,
                    options,
                )
            )
        c, python = (told(load(name), packets) for name in ("c", "python"))
        assert c == python
        assert rows(load("c"), packets) == rows(load("python"), packets)
