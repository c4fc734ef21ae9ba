"""Packets as JSON: what is told of one, in which objects, and that no byte of it is lost or reaches a terminal."""

from __future__ import annotations

import json
from types import ModuleType
from zlib import crc32

import pytest
from samples import batch, ethernet, frames, gre, icmp, ipv4, ipv6, over_udp, pktap, tags, tcp, udp, vxlan
from test_codec_lines import lines

from pkttools.batch import Batch, Packet, gathered, link_of


def written(codec: ModuleType, b: Batch) -> bytes:
    """A batch as JSON."""
    out, first = b"", 0
    while first < len(b):
        more, first = codec.json_encode(b.data, bytes(b.rows), first, first + 1)
        out += more
    return out


def told(codec: ModuleType, frame: bytes, linktype: int = 1) -> dict:
    """A frame as JSON."""
    return json.loads(written(codec, batch([(linktype, frame)])))


def test_a_packet(codec: ModuleType) -> None:
    frame = ethernet(0x0800, ipv4(1, icmp(8, bytes(20) + b"abc")))
    packet = Packet(frame, 98, 1_700_000_000_250_131_000, 1)
    assert written(codec, gathered([packet])).decode() == (
        '{"number":1,"time":1700000000250131000,"time_utc":"2023-11-14T22:13:20.250131Z","captured":65,"original":98,"linktype":1,'
        f'"frame":"{frame.hex()}","check":"{crc32(frame, 1):08x}",'
        '"ETHERNET":{"DST_ADDR":"02:00:00:00:00:02","SRC_ADDR":"02:00:00:00:00:01","TYPE":2048},'
        '"IP":{"VERSION":4,"HEADER_SIZE":20,"TOS":0,"DSCP":0,"ECN":0,"TOTAL_SIZE":51,"ID":7,"FRAGMENT":0,"DF":0,"MF":0,"OFFSET":0,'
        '"TTL":64,"PROTOCOL":1,"CHECKSUM":0,"SRC_ADDR":"192.0.2.1","DST_ADDR":"192.0.2.2"},'
        '"ICMP":{"TYPE":8,"CODE":0,"CHECKSUM":0,"ID":77,"SEQ":1,"DATA":"616263"}}\n'
    )


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
        (4_294_967_296_999_999_000, "2106-02-07T06:28:16.999999Z"),
        (-500_000_000, "1969-12-31T23:59:59.500000Z"),
        ((1 << 63) - 1, "2262-04-11T23:47:16.854775807Z"),
        (-(1 << 63), "1677-09-21T00:12:43.145224192Z"),
    ],
)
def test_times_are_integers_and_dates_in_utc(codec: ModuleType, time: int, shown: str) -> None:
    found = json.loads(written(codec, gathered([Packet(b"", 0, time, 1)])))
    assert (found["time"], found["time_utc"]) == (time, shown)


def test_headers_that_repeat_are_lists(codec: ModuleType) -> None:
    inner = ethernet(0x0800, ipv4(6, tcp()))
    found = told(codec, ethernet(0x0800, ipv4(17, vxlan(inner))))
    assert [header["PROTOCOL"] for header in found["IP"]] == [17, 6] and len(found["ETHERNET"]) == 2
    assert found["VXLAN"]["VNI"] == 42 and found["UDP"]["DST_PORT"] == 4789
    found = told(codec, ethernet(0x0800, ipv4(47, gre(0x86DD, ipv6(4, ipv4(4, ipv4(17, udp())))))))
    assert len(found["IP"]) == 3 and found["IPV6"]["NEXT_HEADER"] == 4


def test_tags_and_extension_headers_go_on_with_the_header_in_front(codec: ModuleType) -> None:
    found = told(codec, ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, ipv4(17, udp()))))["ETHERNET"]
    assert found["TYPE"] == [0x88A8, 0x8100, 0x0800] and len(found["VLAN_TAG"]) == 2 and found["SRC_ADDR"] == "02:00:00:00:00:01"
    extended = bytes.fromhex("3c00010400000000 1100010400000000") + udp()
    found = told(codec, ipv6(0, extended), 229)
    assert found["IPV6"]["NEXT_HEADER"] == [0, 60, 17] and found["IPV6"]["EXT_DATA"] == ["010400000000"] * 2
    twice = told(codec, ipv6(0, extended[:8] + b"\x29\0\1\4\0\0\0\0" + ipv6(59, b"")), 229)["IPV6"]
    assert [header["NEXT_HEADER"] for header in twice] == [[0, 60, 41], 59]


def test_options_stand_in_their_header(codec: ModuleType) -> None:
    options = b"\x02\x04\x05\xb4\x01\x01\x01\x03\x03\x07"
    found = told(codec, ethernet(0x0800, ipv4(4, ipv4(6, tcp(b"", options + b"\x01\x00"), b"\x94\x04\0\0"), b"\x94\x04\0\1")))
    assert found["TCP"]["OPT_MSS"] == 1460 and isinstance(found["TCP"]["OPT_KIND"], list)
    assert [header["OPT_RA"] for header in found["IP"]] == [1, 0]


def test_numbers_are_exact(codec: ModuleType) -> None:
    """NTP's times have 64 bits; a header length in eights of the largest number has more."""
    stamps = bytes.fromhex("ffffffffffffffff 8000000000000001")
    found = told(codec, ethernet(0x0800, ipv4(17, over_udp(123, b"\x23\1\2\3" + bytes(12) + stamps * 2))))
    line = written(codec, batch([(1, ethernet(0x0800, ipv4(17, over_udp(123, b"\x23\1\2\3" + bytes(12) + stamps * 2))))]))
    assert {18446744073709551615, 9223372036854775809} <= set(found["NTP"].values())
    assert b":18446744073709551615" in line


def test_text_gives_back_every_byte(codec: ModuleType) -> None:
    hostile = b'a"\\\x01\x1b[31m\x7f\xc2\x9b\xe2\x80\xae'
    frame = bytearray(pktap(1, ethernet(0x0800, ipv4(17, udp()))))
    frame[56:76] = hostile.ljust(20, b"\0")
    notes = b"IFACE: eth0\nNOTE: \x1b]0;x\x07 \xe2\x80\xae\xff\\n\n"
    line = written(codec, gathered([Packet(bytes(frame), len(frame), 0, 149, notes)]))
    assert all(0x20 <= c <= 0x7E for c in line[:-1])
    found = json.loads(line)
    assert found["PKTAP"]["COMM"] == r"a\x22\x5c\x01\x1b[31m\x7f\xc2\x9b\xe2\x80\xae"
    assert found["notes"] == ["IFACE: eth0", r"NOTE: \x1b]0;x\x07 \xe2\x80\xae\xff\x5cn"]


@pytest.mark.parametrize(
    ("fcs", "count", "wanted"), [(4, 2, (4, None)), (4, 3, (4, 3)), (0, None, (0, None)), (None, None, (None, None))]
)
def test_the_frame_check_sequence(codec: ModuleType, fcs: int | None, count: int | None, wanted: tuple) -> None:
    found = json.loads(written(codec, gathered([Packet(b"datafour", 8, 0, link_of(147, fcs, count))])))
    assert (found.get("fcs"), found.get("fcs_count")) == wanted and found["frame"] == b"datafour".hex() and found["linktype"] == 147
    assert found["UNKNOWN"]["DATA"] == (b"datafour"[: 8 - (fcs or 0)]).hex()


def test_every_field_is_there(codec: ModuleType) -> None:
    """Just those that `-aa` has, as often."""
    for linktype, frame in frames():
        wanted = sorted({line.partition(":")[0].partition("[")[0] for line in lines(codec, linktype, frame)})
        found = told(codec, frame, linktype)
        objects = [(name, one) for name, of in found.items() if name.isupper() for one in (of if isinstance(of, list) else [of])]
        assert sorted({f"{name}.{field}" for name, one in objects for field in one}) == wanted


def test_many_options_take_no_time(codec: ModuleType) -> None:
    """A quarter of a megabyte of the smallest items: what is linear in them ends."""
    options = bytes.fromhex("350101") + b"\x0c\x01a" * 20000
    message = b"\1\1\6\0" + bytes(232) + bytes.fromhex("63825363") + options
    found = told(codec, ethernet(0x0800, ipv4(17, over_udp(67, message, 68))))
    assert max(len(value) for value in found["DHCP"].values() if isinstance(value, list)) > 10000


def test_a_call_stops_after_a_megabyte(codec: ModuleType) -> None:
    b = batch([(147, bytes(1000))] * 600)
    more, stop = codec.json_encode(b.data, bytes(b.rows), 0, 7)
    assert 100 < stop < 400 and more.count(b"\n") == stop and more.startswith(b'{"number":7,')
    with pytest.raises(ValueError, match="first packet out of range"):
        codec.json_encode(b.data, bytes(b.rows), 601, 1)
