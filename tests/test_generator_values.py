"""What fields hold in packet after packet, and when packets are due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkttools.errors import UsageError
from pkttools.generator.schedule import SECOND, Schedule
from pkttools.language.series import Drawn, Turns, field_values, least, most
from pkttools.protocols.values import field, parse_ipv4, parse_ipv6, parse_mac, rows_of


def values(name: str, text: str, seed: int = 1) -> Turns | Drawn:
    """What a field holds when the user wrote `text`."""
    return field_values(name, rows_of(field(name)[1]), text, seed)


@pytest.mark.parametrize(("name", "text", "period", "first"), [
    ("IP.TTL", "64", 1, [64, 64, 64]),
    ("IP.TTL", "0x10", 1, [16, 16]),
    ("IP.TTL", "1..3", 3, [1, 2, 3, 1, 2]),
    ("IP.TTL", "3..1", 3, [3, 2, 1, 3, 2]),
    ("IP.TTL", "1..6/2", 3, [1, 3, 5, 1]),
    ("IP.TTL", "6..1/2", 3, [6, 4, 2, 6]),
    ("IP.TTL", "254..", 2, [254, 255, 254]),
    ("IP.TTL", "250../4", 2, [250, 254, 250]),
    ("IP.TTL", "5..5", 1, [5, 5]),
    ("IP.TTL", "1,5,7", 3, [1, 5, 7, 1]),
    ("IP.TTL", "1..3, 9, 5..4", 6, [1, 2, 3, 9, 5, 4, 1]),
    ("IP.HEADER_SIZE", "20..28", 3, [20, 24, 28, 20]),
    ("IP.HEADER_SIZE", "20..60/8", 6, [20, 28, 36]),
    ("IP.PROTOCOL", "udp,tcp", 2, [17, 6, 17]),
    ("IP.SRC_ADDR", "10.0.0.254..10.0.1.1", 4, [0x0A0000FE, 0x0A0000FF, 0x0A000100, 0x0A000101, 0x0A0000FE]),
    ("IP.SRC_ADDR", "10.0.0.7/30", 4, [0x0A000004, 0x0A000005, 0x0A000006, 0x0A000007, 0x0A000004]),
    ("IPV6.SRC_ADDR", "::1..::5/2", 3, [1, 3, 5, 1]),
    ("ETHERNET.SRC_ADDR", "02:00:00:00:00:ff..02:00:00:00:01:00", 2, [0x0200000000FF, 0x020000000100, 0x0200000000FF]),
    ("UDP.SRC_PORT", "65535..", 1, [65535, 65535]),
])  # fmt: skip
def test_values(name: str, text: str, period: int, first: list[int]) -> None:
    found = values(name, text)
    assert (found.period, list(found.take(0, len(first)))) == (period, first)


def test_as_many_as_an_address_has_bits() -> None:
    found = values("IPV6.DST_ADDR", "::/0")
    assert found.period == 1 << 128
    assert found.take((1 << 128) - 1, 2) == [(1 << 128) - 1, 0]
    assert values("IPV6.DST_ADDR", "2001:db8::..").take(0, 2) == [0x20010DB8 << 96, (0x20010DB8 << 96) + 1]


@given(first=st.integers(0, 300), count=st.integers(0, 40), each=st.integers(1, 9), text=st.sampled_from(["1..7", "9..1/3,5", "4"]))
def test_a_part_is_what_it_is_in_the_whole(first: int, count: int, each: int, text: str) -> None:
    """Whatever the batches are."""
    found = values("IP.TTL", text)
    plain = found.take(0, found.period)
    found.each = each
    assert list(found.take(first, count)) == [plain[n // each % len(plain)] for n in range(first, first + count)]
    assert found.period == len(plain) * each


@pytest.mark.parametrize(("name", "text", "read", "low", "high"), [
    ("IP.TTL", "random", int, "0", "255"),
    ("IP.TTL", "random:3..9", int, "3", "9"),
    ("UDP.DST_PORT", "RANDOM", int, "0", "65535"),
    ("TCP.SEQ_NUMBER", "random", int, "0", "4294967295"),
    ("IP.SRC_ADDR", "random:10.0.0.0/8", parse_ipv4, "10.0.0.0", "10.255.255.255"),
    ("IP.SRC_ADDR", "random", parse_ipv4, "0.0.0.0", "255.255.255.255"),
    ("IPV6.SRC_ADDR", "random", parse_ipv6, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("IPV6.SRC_ADDR", "random:2001:db8::1..2001:db8::9", parse_ipv6, "2001:db8::1", "2001:db8::9"),
    ("ETHERNET.SRC_ADDR", "random:02:00:00:00:00:00..02:00:00:00:00:ff", parse_mac, "02:00:00:00:00:00", "02:00:00:00:00:ff"),
])  # fmt: skip
def test_random_ones_are_spread_over_their_range(name: str, text: str, read, low: str, high: str) -> None:
    drawn = list(values(name, text).take(0, 3000))
    low, high = read(low), read(high)
    assert all(low <= value <= high for value in drawn)
    width = high - low + 1
    quarters = [sum(1 for value in drawn if (value - low) * 4 // width == quarter) for quarter in range(4)]
    assert all(count > 200 for count in quarters), quarters
    assert (least(values(name, text)), most(values(name, text))) == (low, high)


def test_the_same_seed_gives_the_same_values_forever() -> None:
    """Also in other versions of Python: these numbers stand in captures that somebody keeps."""
    assert list(values("IP.TTL", "random", 7).take(0, 8)) == list(values("IP.TTL", "random", 7).take(0, 8))
    assert list(values("IP.TTL", "random", 7).take(0, 8)) == TTLS
    assert list(values("IPV6.SRC_ADDR", "random", 7).take(0, 1)) == ADDRESSES
    assert values("IP.TTL", "random", 8).take(0, 8) != values("IP.TTL", "random", 7).take(0, 8)
    one = values("IP.TTL", "random", 7)
    assert [*one.take(0, 3), *one.take(3, 1), *one.take(4, 4)] == list(values("IP.TTL", "random", 7).take(0, 8))


TTLS = [242, 101, 12, 210, 24, 149, 232, 54]
ADDRESSES = [0x6513270E269E0D37F2A74DE452E6B438]


def test_random_ones_of_a_list() -> None:
    drawn = values("IP.PROTOCOL", "random:udp,tcp,50..51").take(0, 500)
    assert set(drawn) == {17, 6, 50, 51}


@pytest.mark.parametrize(("name", "text", "said"), [
    ("IP.TTL", "256", "does not fit"), ("IP.TTL", "1..256", "does not fit"), ("IP.TTL", "x", "not a number"),
    ("IP.TTL", "1..9/0", "is not a step"), ("IP.TTL", "1..9/x", "is not a step"), ("IP.TTL", "1,,2", "a value is missing"),
    ("IP.TTL", "random:", "a value is missing"), ("IP.TTL", "", "a value is missing"), ("IP.TTL", "..9", "not a number"),
    ("IP.TTL", "1/2", "not a number"), ("IP.HEADER_SIZE", "21", "multiple"), ("IP.HEADER_SIZE", "20..28/3", "a multiple of 4"),
    ("IP.SRC_ADDR", "10.0.0.0/33", "prefix length up to 32"), ("IP.SRC_ADDR", "10.0.0.1..x", "not an IPv4 address"),
    ("IP.PROTOCOL", "udp..nothing", "neither a number nor one of"), ("UDP.DATA", "61", "does not count"),
    ("IP.TTL", "1," * 70000 + "1", "at most 65536 items"),
])  # fmt: skip
def test_what_is_no_value(name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        values(name, text)


# ---- when ----


def test_a_rate() -> None:
    assert Schedule(1000).times(0, 3) == [0, 1_000_000, 2_000_000]
    assert Schedule(3).times(2, 2) == [666_666_667, SECOND]
    assert [Schedule(10).before(seconds) for seconds in (0, 0.05, 0.1, 0.11, 1)] == [0, 1, 1, 2, 10]


@given(first=st.floats(1, 1e5), last=st.floats(1, 1e5), ramp=st.floats(0.1, 100))
def test_a_ramp(first: float, last: float, ramp: float) -> None:
    """As many packets before its end as the area under it, in order, and none before its time."""
    schedule = Schedule(first, last, ramp)
    total = (first + last) / 2 * ramp
    assert abs(schedule.before(ramp) - total) <= 1
    assert abs(schedule.before(2 * ramp) - total - last * ramp) <= 1.1
    times = schedule.times(0, 200)
    assert times == sorted(times)
    assert times[0] == 0
    for n in (1, 50, 199):
        assert schedule.before(times[n] / SECOND) - n in (0, 1) or abs(times[n] / SECOND * last) < 1e-3


def test_a_ramp_goes_on_at_its_last_rate() -> None:
    schedule = Schedule(100, 200, 1)
    assert schedule.at(150) == pytest.approx(1)
    assert schedule.at(350) == pytest.approx(2)
    assert schedule.before(1) == 150


@pytest.mark.parametrize(("text", "first"), [
    ("random:2001:db8::/64", ["2001:db8::f2a7:4de4:52e6:b438", "2001:db8::6513:270e:269e:d37"]),
    ("random:2001:db8::/63", ["2001:db8::ca26:4e1c:4d3c:1a6f", "2001:db8:0:1:a47e:1048:2516:5e66"]),
])  # fmt: skip
def test_what_a_seed_draws_of_wide_ranges_stays_the_same(text, first):
    """2^64 values take 64 bits each, one more takes 128: a seed means the same packets for ever."""
    assert list(values("IPV6.SRC_ADDR", text, 7).take(0, 2)) == [parse_ipv6(word) for word in first]


@pytest.mark.parametrize(("count", "good"), [(65536, True), (65537, False)])
def test_the_longest_list(count, good):
    text = ",".join(["1"] * count)
    if good:
        assert values("IP.TTL", text).period == count
    else:
        with pytest.raises(UsageError, match="at most 65536 items"):
            values("IP.TTL", text)
