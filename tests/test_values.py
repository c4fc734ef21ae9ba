"""Values of fields: what is read, what is refused, and how it is printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkttools.errors import UsageError
from pkttools.protocols.fields import DATA, FIELDS, TABLE, TEXT
from pkttools.protocols.shown import data_rows, format_value, label
from pkttools.protocols.values import check_assignable, field, largest, parse_step, parse_value, rows_of


def parse(name: str, text: str) -> int | bytes:
    return parse_value(name, rows_of(FIELDS[name]), text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("IP.TTL", "64", 64), ("IP.TTL", "0x40", 64), ("IP.TTL", "0XfF", 255), ("IP.TTL", " 64 ", 64), ("IP.TTL", "0064", 64),
        ("IP.ID", "65535", 65535), ("IP.HEADER_SIZE", "60", 60), ("IP.OFFSET", "65528", 65528),
        ("TCP.SEQ_NUMBER", "0xffffffff", 2**32 - 1),
        ("IP.PROTOCOL", "udp", 17), ("IP.PROTOCOL", "UDP", 17), ("IP.PROTOCOL", "99", 99), ("ETHERNET.TYPE", "ipv6", 0x86DD),
        ("ICMP.TYPE", "echo-request", 8), ("IPV6.EXT_SIZE", "8", 8), ("IPV6.EXT_SIZE", "2048", 2048),
        ("ETHERNET.SRC_ADDR", "00:11:22:aa:BB:cc", 0x001122AABBCC), ("ETHERNET.SRC_ADDR", "0-1-2-3-4-f", 0x00010203040F),
        ("IP.SRC_ADDR", "192.0.2.1", 0xC0000201), ("IP.SRC_ADDR", "255.255.255.255", 2**32 - 1),
        ("IP.SRC_ADDR", "010.0.0.1", 0x0A000001),
        ("IPV6.SRC_ADDR", "::1", 1), ("IPV6.SRC_ADDR", "2001:DB8::1", 0x20010DB8 << 96 | 1),
        ("IPV6.SRC_ADDR", "::ffff:1.2.3.4", 0xFFFF01020304),
        ("UDP.DATA", "61 62 63", b"abc"), ("UDP.DATA", "616263", b"abc"), ("UDP.DATA", "6 1 f", b"\6\1\x0f"), ("UDP.DATA", "", b""),
        ("UDP.DATA", "6162  63\t64", b"abcd"), ("UDP.DATA", "AbCd", b"\xab\xcd"), ("ICMPV6.DATA", "0x1234", 0x1234),
    ],
)  # fmt: skip
def test_values(name, text, value):
    assert parse(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("IP.TTL", "256", "IP.TTL: 256 does not fit: at most 255"), ("IP.TTL", "300", "IP.TTL: 300 does not fit: at most 255"),
        ("IP.TTL", "-1", "IP.TTL: '-1' is not a number"), ("IP.TTL", "", "IP.TTL: '' is not a number"),
        ("IP.TTL", "0x", "IP.TTL: '0x' is not a number"), ("IP.TTL", "ff", "IP.TTL: 'ff' is not a number"),
        ("IP.TTL", "6_4", "IP.TTL: '6_4' is not a number"), ("IP.TTL", "0x6_4", "IP.TTL: '0x6_4' is not a number"),
        ("IP.TTL", "\u0664", "IP.TTL: '\u0664' is not a number"), ("IP.TTL", "6 4", "IP.TTL: '6 4' is not a number"),
        ("IP.TTL", "0x-5", "IP.TTL: '0x-5' is not a number"), ("IP.TTL", "0x+5", "IP.TTL: '0x+5' is not a number"),
        ("IP.TTL", "0x 5", "IP.TTL: '0x 5' is not a number"),
        ("IP.HEADER_SIZE", "64", "IP.HEADER_SIZE: 64 does not fit: at most 60"),
        ("IP.OFFSET", "65536", "IP.OFFSET: 65536 does not fit: at most 65528"),
        ("ETHERNET.VLAN_ID", "4096", "ETHERNET.VLAN_ID: 4096 does not fit: at most 4095"),
        ("IP.SRC_ADDR", "1.2.3", "IP.SRC_ADDR: '1.2.3' is not an IPv4 address"),
        ("IP.SRC_ADDR", "1.2.3.256", "IP.SRC_ADDR: '1.2.3.256' is not an IPv4 address"),
        ("IP.SRC_ADDR", "1.2.3.4.5", "IP.SRC_ADDR: '1.2.3.4.5' is not an IPv4 address"),
        ("IP.SRC_ADDR", "::1", "IP.SRC_ADDR: '::1' is not an IPv4 address"),
        ("IP.SRC_ADDR", "5", "IP.SRC_ADDR: '5' is not an IPv4 address"),
        ("IPV6.SRC_ADDR", "1.2.3.4", "IPV6.SRC_ADDR: '1.2.3.4' is not an IPv6 address"),
        ("IPV6.SRC_ADDR", "::1::", "IPV6.SRC_ADDR: '::1::' is not an IPv6 address"),
        ("IPV6.SRC_ADDR", "fe80::1%eth0", "IPV6.SRC_ADDR: 'fe80::1%eth0' is not an IPv6 address"),
        ("IPV6.SRC_ADDR", "::1\0", "IPV6.SRC_ADDR: '::1\0' is not an IPv6 address"),
        ("ETHERNET.SRC_ADDR", "0:1:2:3:4", "ETHERNET.SRC_ADDR: '0:1:2:3:4' is not a MAC address"),
        ("ETHERNET.SRC_ADDR", "0:1:2:3:4:100", "ETHERNET.SRC_ADDR: '0:1:2:3:4:100' is not a MAC address"),
        ("ETHERNET.SRC_ADDR", "0:1:2:3:4:", "ETHERNET.SRC_ADDR: '0:1:2:3:4:' is not a MAC address"),
        ("UDP.DATA", "zz", "UDP.DATA: bad hex digit 'zz'"), ("UDP.DATA", "0x61", "UDP.DATA: bad hex digit '0x61'"),
        ("UDP.DATA", "61626", "UDP.DATA: '61626' has an odd number of hex digits"),
        ("IPV6.EXT_SIZE", "2049", "IPV6.EXT_SIZE: 2049 does not fit: at most 2048"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(name, text, said):
    with pytest.raises(UsageError) as caught:
        parse(name, text)
    assert str(caught.value) == said


def test_names_are_listed_where_there_are_any():
    with pytest.raises(UsageError, match=r"^ARP.OPERATION: 'ask' is neither a number nor one of request, reply, reverse-request"):
        parse("ARP.OPERATION", "ask")


@pytest.mark.parametrize("text", ["9" * 41, "9" * 100_000, "0x" + "f" * 100_000, "9" * 40])
def test_huge_numbers_take_no_time(text):
    """int() of a huge one takes for ever, CVE-2020-10735."""
    with pytest.raises(UsageError):
        parse("IPV6.FLOWID", text)


@pytest.mark.parametrize(
    ("name", "value"), [("IP.HEADER_SIZE", 21), ("IP.OFFSET", 7), ("TCP.OFFSET", 1), ("IPV6.EXT_SIZE", 9), ("IPV6.EXT_SIZE", 4)]
)
def test_values_between_steps_are_refused(name, value):
    with pytest.raises(UsageError, match=f"^{name}: {value} is not a multiple of"):
        check_assignable(name, rows_of(FIELDS[name]), value)


@pytest.mark.parametrize(
    ("name", "value"), [("IP.HEADER_SIZE", 0), ("IP.HEADER_SIZE", 60), ("IPV6.EXT_SIZE", 12), ("IPV6.EXT_SIZE", 8)]
)
def test_values_that_a_header_can_hold(name, value):
    check_assignable(name, rows_of(FIELDS[name]), value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("IP.TTL", "1", 1), ("IP.TTL", "0xff", 255), ("IP.SRC_ADDR", "256", 256), ("IPV6.SRC_ADDR", "0x1" + "0" * 31, 1 << 124),
     ("ETHERNET.SRC_ADDR", "1", 1), ("IP.HEADER_SIZE", "4", 4)],
)  # fmt: skip
def test_steps(name, text, value):
    assert parse_step(name, rows_of(FIELDS[name]), text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("IP.TTL", "256"), ("IP.TTL", "x"), ("IP.TTL", "-1"), ("IP.HEADER_SIZE", "3"), ("IP.SRC_ADDR", "1.2.3.4"), ("UDP.DATA", "1"),
     ("IP.PROTOCOL", "udp")],
)  # fmt: skip
def test_bad_steps(name, text):
    with pytest.raises(UsageError, match=f"^{name}: "):
        parse_step(name, rows_of(FIELDS[name]), text)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("IP.TTL", 64, "0x40"), ("IP.TTL", 0, "0x0"), ("ETHERNET.SRC_ADDR", 0x1A2B, "00:00:00:00:1a:2b"),
     ("IP.SRC_ADDR", 0xC0000201, "192.0.2.1"),
     ("IPV6.SRC_ADDR", 1, "::1"), ("IPV6.SRC_ADDR", 0x20010DB8 << 96, "2001:db8::"), ("IP.PROTOCOL", 17, "0x11")],
)  # fmt: skip
def test_values_are_printed(name, value, shown):
    assert format_value(TABLE[FIELDS[name][0]], value) == shown


@given(st.data())
def test_what_is_printed_is_read_back(data):
    row = data.draw(st.sampled_from([row for row in TABLE if row.kind not in (DATA, TEXT)]))
    value = (data.draw(st.integers(0, (1 << row.width) - 1)) + row.bias) * row.scale
    rows = rows_of(FIELDS[row.name])
    assert parse_value(row.name, rows, format_value(row, value)) == value <= max(map(largest, rows))


@given(st.binary(max_size=100))
def test_data_is_read_back(data):
    assert parse("UDP.DATA", " ".join(data_rows(data))) == parse("UDP.DATA", data.hex()) == data


def test_data_is_printed():
    assert data_rows(bytes(range(18))) == ["00 01 02 03  04 05 06 07  08 09 0A 0B  0C 0D 0E 0F", "10 11"]
    assert data_rows(b"") == []


@pytest.mark.parametrize(("name", "tabs"),
    [("IP.ID", 3), ("ICMP.TYPE", 2), ("ETHERNET.TYPE", 2), ("ETHERNET.SRC_ADDR", 1), ("IP.FRAGMENT", 2),
                                            ("UDP.SIZE", 2), ("IP.TTL", 3), ("ARP.SENDER_MACADDR", 1)])  # fmt: skip
def test_values_line_up_at_column_24(name, tabs):
    text = label(name)
    assert text == f"{name}:" + "\t" * tabs
    assert len((text + "x").expandtabs(8)) == 25


def test_occurrences():
    assert field("ip.ttl") == ("IP.TTL", FIELDS["IP.TTL"], None)
    assert field("ETHERNET.type[2]")[2] == 2
    assert field("ETHERNET.TYPE[-1]")[2] == -1
