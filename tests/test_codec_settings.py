"""Field lines of text that are set: names, values, their order; and what the language makes of them as assignments."""

from __future__ import annotations

import random
from types import ModuleType

import pytest
from samples import batch, ethernet, frames, ipv4, ipv6, over_udp, pktap, tags, tcp, udp

from pkttools.errors import BAD_FIELD, UsageError
from pkttools.formats.text import wrong_field
from pkttools.language.assigning import assignments
from pkttools.protocols.fields import DATA, FIELDS, IPV4, IPV6, MAC, TABLE, TEXT
from pkttools.protocols.values import largest

UDP = ethernet(0x0800, ipv4(17, udp(b"data")))


def read(codec: ModuleType, linktype: int, frame: bytes, *lines: str) -> tuple[bytes | None, int, int | None]:
    """The frame that lines make of one, how many have no place, and which one, from 0 on, is wrong."""
    head = f"LINKTYPE: {linktype}\n-- 1 --\n{frame.hex()}\n"
    text = bytearray((head + "".join(f"{line}\n" for line in lines) + "==\n").encode("latin-1"))
    _, data, rows, _, _, error, passed_over = codec.text_decode(text, 0, len(text), True, 1, 0, 7)
    if error:
        assert error[0] == BAD_FIELD and not rows
        return None, passed_over[3], error[1] - 4
    return bytes(data), passed_over[3], None


def set_to(codec: ModuleType, linktype: int, frame: bytes, *lines: str) -> bytes:
    """The frame that lines make of one, all of which have a place."""
    made, unplaced, wrong = read(codec, linktype, frame, *lines)
    assert made is not None and (unplaced, wrong) == (0, None)
    return made


GOOD = {
    "IP.TTL: 9": (22, "09"), "ip.ttl:\t\t0x09": (22, "09"), "IP.TTL: 0X9 \t": (22, "09"), "IP.TTL: 000000000000000009": (22, "09"),
    "IP.PROTOCOL: 0x00000000000000000000000000000000000001": (23, "01"), "IP.PROTOCOL: ICMP": (23, "01"),
    "IP.HEADER_SIZE: 24": (14, "46"), "IP.FRAGMENT: 0xFfFf": (20, "ffff"), "IP.OFFSET: 65528": (20, "1fff"),
    "IP.SRC_ADDR: 1.02.003.255": (26, "010203ff"), "ETHERNET.SRC_ADDR: 1-2:a:0B:ff:0": (6, "01020a0bff00"),
    "UDP.DATA: 1 2  0304": (42, "01020304"), "UDP.DATA: ff": (42, "ff617461"), "UDP.DATA: aabbccddeeff": (42, "aabbccdd"),
    "UDP.DATA:": (42, "64617461"), "ETHERNET.TYPE[1]: 0x800": (12, "0800"), "IP.TTL[-1]: 7": (22, "07"),
    "IP.TTL[0000000001]: 7": (22, "07"), "IP.DSCP: \xa0\x1f46\x85": (15, "b8"),
}  # fmt: skip


@pytest.mark.parametrize("line", [line for line in GOOD if "[0000000001]" not in line])
def test_values(codec: ModuleType, line: str) -> None:
    at, wanted = GOOD[line]
    value = bytes.fromhex(wanted)
    assert set_to(codec, 1, UDP, line) == UDP[:at] + value + UDP[at + len(value) :]


def test_addresses_of_ipv6(codec: ModuleType) -> None:
    frame = ethernet(0x86DD, ipv6(59, b""))
    for text, value in (("::", bytes(16)), ("2001:DB8::1", bytes.fromhex("20010db8" + 11 * "00" + "01")),
                        ("::ffff:1.2.3.4", bytes.fromhex(10 * "00" + "ffff01020304")),
                        ("64:ff9b::1.2.3.4", bytes.fromhex("0064ff9b" + 8 * "00" + "01020304")),
                        ("::0.1.0.2", bytes.fromhex(12 * "00" + "00010002"))):  # fmt: skip
        assert set_to(codec, 1, frame, f"IPV6.SRC_ADDR: {text}")[22:38] == value


def test_text(codec: ModuleType) -> None:
    frame = pktap(1, UDP)
    for text, value in (
        (r"a\x42c", b"aBc"),
        ('"Google Chrome"', b"Google Chrome"),
        (r"\y", rb"\y"),
        ('""', b""),
        ("x" * 17, b"x" * 17),
    ):
        assert set_to(codec, 149, frame, f"PKTAP.COMM: {text}")[56:76] == value.ljust(20, b"\0")


WRONG = [
    "IP.TLL: 5", "IP.TTL: 256", "IP.TTL: 0x", "IP.TTL: -1", "IP.TTL: 1 2", "IP.TTL:", "IP.TTL: " + "0" * 41, "IP.TTL: " + "9" * 40,
    "IP.TTL: 0x" + "f" * 38, "IP.TTL[0]: 1", "IP.TTL[-0]: 1", "IP.TTL[0000000001]: 7", "IP.HEADER_SIZE: 21", "IP.HEADER_SIZE: 64",
    "IP.PROTOCOL: icmpp", "IP.SRC_ADDR: 1.2.3", "IP.SRC_ADDR: 1.2.3.4.5", "IP.SRC_ADDR: 1.2.3.0004", "IP.SRC_ADDR: 1.2.3.256",
    "IP.SRC_ADDR: 1.2..4", "IP.SRC_ADDR: 1.2.3.4.", "IP.SRC_ADDR: 9", "ETHERNET.SRC_ADDR: 1:2:3:4:5",
    "ETHERNET.SRC_ADDR: 1:2:3:4:5:6:", "ETHERNET.SRC_ADDR: 001:2:3:4:5:6", "ETHERNET.SRC_ADDR: 1::2:3:4:5", "IPV6.SRC_ADDR: 1:2",
    "IPV6.SRC_ADDR: ::%eth0",
    "IPV6.SRC_ADDR: " + "0" * 70 + "::", "IPV6.SRC_ADDR: ::\0", "UDP.DATA: 123", "UDP.DATA: 1g", "UDP.DATA: 0x41",
    "UDP.DATA: 41,42",
    'PKTAP.COMM: "', 'PKTAP.COMM: "a', 'PKTAP.COMM: "a"b"', r"PKTAP.COMM: \x4", r"PKTAP.COMM: \x00", r"PKTAP.COMM: \x\x41",
    "PKTAP.COMM: \xe4", "PKTAP.COMM: a\tb", "PKTAP.COMM: " + "x" * 21, "X" * 200 + ".Y: 1", "IPV6.FLOWID: 0x100000",
]  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_what_is_no_value(codec: ModuleType, line: str) -> None:
    assert read(codec, 1, UDP, "IP.TTL: 1", line, "IP.TTL: x") == (None, 0, 1)
    name, _, value = line.partition(":")
    stripped = value.strip(" \t\r\v\f")
    assert wrong_field(f"{name}:{stripped}".encode("latin-1")) != "bad field line"  # who says what is wrong with it finds something
    if line.isascii():  # assignments take other characters, too
        with pytest.raises(UsageError):
            assignments([(name, "=", stripped)])


def test_occurrences(codec: ModuleType) -> None:
    """The k-th value goes to the k-th occurrence, further ones to the last; one that is named has to be there."""
    frame = ethernet(0x8100, tags([0x88A8, 0x8100], 0x0800, ipv4(17, udp())))
    made = set_to(codec, 1, frame, "ETHERNET.VLAN_TAG: 1", "IP.TTL: 9", "ethernet.vlan_tag: 2", "ETHERNET.VLAN_TAG: 3", "IP.TTL: 8")
    assert (made[14:16], made[18:20], made[30]) == (b"\0\1", b"\0\3", 8)
    made, unplaced, _ = read(codec, 1, frame, "ETHERNET.VLAN_TAG[-1]: 1", "ETHERNET.VLAN_TAG: 7", "ETHERNET.VLAN_TAG[3]: 9")
    assert (made[14:16], made[18:20], unplaced) == (frame[14:16], b"\0\7", 1)
    assert read(codec, 1, frame, "TCP.NS: 1", "ETHERNET.VLAN_TAG[-3]: 9")[1:] == (2, None)


def test_names_that_fields_had(codec: ModuleType) -> None:
    frame = ethernet(0x0800, ipv4(6, tcp()))
    assert set_to(codec, 1, frame, "TCP.NS: 1") == set_to(codec, 1, frame, "TCP.AE: 1") != frame


def test_data_lines_continue_each_other(codec: ModuleType) -> None:
    data = bytes(range(40))
    frame = ethernet(0x0800, ipv4(17, udp(bytes(40))))
    rows = [f"UDP.DATA: {data[at : at + 16].hex(' ')}" for at in (0, 16, 32)]
    assert set_to(codec, 1, frame, *rows)[42:] == data
    assert set_to(codec, 1, frame, *rows[:2], "IP.TTL: 9", rows[2])[42:] == data[32:] + data[8:32] + bytes(8)  # the last one wins
    assert set_to(codec, 1, frame, rows[0], rows[1].lower())[42:] == data[16:32] + bytes(24)  # another name: another line
    made, unplaced, _ = read(codec, 1, frame, "TCP.DATA: 1", "TCP.DATA: 2", "TCP.DATA[2]: 3", "TCP.DATA: 4")
    assert (made, unplaced) == (frame, 3)  # as many as there are assignments
    assert read(codec, 1, frame, "UDP.DATA: 1", "UDP.DATA: 2", "UDP.DATA: 3x", "UDP.DATA: y")[2] == 2


def test_later_lines_meet_the_headers_as_they_are_by_then(codec: ModuleType) -> None:
    ip = ("IP.VERSION: 4", "IP.HEADER_SIZE: 20", "IP.TOTAL_SIZE: 40", "IP.PROTOCOL: udp")
    made = set_to(codec, 1, ethernet(0x0800, bytes(40)), *ip, "UDP.DST_PORT: 53", "UDP.SIZE: 20", "UDP.DATA: aa")
    assert made[14:18] + made[23:24] + made[36:40] + made[42:43] == bytes.fromhex("45000028 11 0035 0014 aa")
    bare = bytes(60)
    assert read(codec, 1, bare, "IP.TTL: 9", "ETHERNET.TYPE: 0x800")[1] == 1


def test_lines_in_tunnels_and_lists(codec: ModuleType) -> None:
    inner = ethernet(0x0800, ipv4(6, tcp(b"", b"\2\4\5\xb4")))
    frame = ethernet(0x0800, ipv4(17, over_udp(4789, bytes.fromhex("0800000000002a00") + inner)))
    made = set_to(codec, 1, frame, "IP.TTL[2]: 9", "TCP.OPT_MSS: 9", "VXLAN.VNI: 7")
    assert (made[50 + 22], made[-2:], made[46:49]) == (9, b"\0\x09", b"\0\0\7")


def test_the_frame_check_sequence_is_in_no_field(codec: ModuleType) -> None:
    text = bytearray(b"LINKTYPE: 147\nTRAILER: 2 (FCS)\n-- 1 --\n00 11 22 33\nUNKNOWN.DATA: FF FF FF\n==\n")
    assert bytes(codec.text_decode(text, 0, len(text), True, 1, 0, 7)[1]) == bytes.fromhex("FFFF2233")


def test_bytes_may_come_behind_and_be_missing(codec: ModuleType) -> None:
    text = bytearray(b"-- 1 --\nETHERNET.TYPE: 5\nSIZE: 14/14\n==\n-- 2 --\nETHERNET.TYPE: 6\n" + UDP.hex().encode() + b"\n==\n")
    _, data, *_, passed_over = codec.text_decode(text, 0, len(text), True, 1, 0, 7)
    assert bytes(data) == bytes(12) + b"\0\5" + UDP[:12] + b"\0\6" + UDP[14:]
    assert passed_over == (0, 0, 0, 0, 0)


def test_values_without_room_are_counted(codec: ModuleType) -> None:
    """Lines that go on are one value. Neither what fits nor what has no place is counted."""
    bare = ethernet(0x0800, ipv4(253, b"abc"))
    for frame, lines, cut in ((UDP, ["UDP.DATA: 61626364", "IP.TTL: 9", "TCP.DATA: 61626364 6566"], 0),
                              (UDP, ["UDP.DATA: 61 62 63 64 65", "UDP.DATA[1]: " + "61" * 13], 2),
                              (UDP, ["UDP.DATA: 616263", "UDP.DATA: 6465"], 1),
                              (bare, ["IP.DATA: 616263", "IP.DATA: ff"], 1)):  # fmt: skip
        head = f"-- 1 --\n{frame.hex()}\n"
        text = bytearray((head + "".join(f"{line}\n" for line in lines) + "==\n").encode())
        assert codec.text_decode(text, 0, len(text), True, 1, 0, 7)[6][4] == cut, lines


def by_chance(dice: random.Random, name: str) -> str:
    """A value for a field, mostly one that fits."""
    row = TABLE[FIELDS[name][0]]
    if not dice.randrange(40):
        return dice.choice(["", "x", "0x", "-1", "1" * 39, "1.2.3.4", "::1", "a b", "\xa07", "012", "1:2:3:4:5:6", '"', "\\x41"])
    number = dice.choice((0, 1, largest(row), dice.randrange(largest(row) + 1), dice.randrange(16) * row.scale))
    if row.kind == DATA:
        return dice.randbytes(dice.randrange(9)).hex(
            dice.choice((" ", ":", " ")) if dice.randrange(9) else " ", dice.choice((1, 2))
        )
    if row.kind == TEXT:
        return dice.choice(("", "a", "eth0", '"x y"', r"\xff\x01"))
    if row.kind == MAC:
        return number.to_bytes(6, "big").hex(":")
    if row.kind == IPV4:
        return ".".join(map(str, number.to_bytes(4, "big")))
    if row.kind == IPV6:
        return number.to_bytes(16, "big").hex(":", 2)
    word = dice.choice([*(row.names or {0: "x"}).values()]) if row.names and not dice.randrange(3) else ""
    return word or dice.choice((str(number), f"{number:#x}"))


@pytest.mark.parametrize("seed", range(12))
def test_lines_do_what_assignments_of_the_language_do(codec: ModuleType, seed: int) -> None:
    dice = random.Random(seed)
    names, samples = list(FIELDS), [(linktype, frame) for linktype, frame in frames() if frame]
    for _ in range(40):
        linktype, frame = dice.choice(samples)
        kinds = {header[0] for header in codec.walk(*(lambda b: (b.data, bytes(b.rows)))(batch([(linktype, frame)])))}
        near = [row.name for row in TABLE if row.header in kinds] or names
        lines = []
        for _ in range(dice.randrange(1, 7)):
            name = dice.choice(near if dice.randrange(4) else names)
            suffix = dice.choice(("", "", "", "", "[1]", "[2]", "[-1]", "[-2]", "[10]"))
            lines += [(name + suffix, by_chance(dice, name))] * dice.choice((1, 1, 1, 2))
        made, unplaced, wrong = read(codec, linktype, frame, *(f"{name}: {value}" for name, value in lines))
        items: list[tuple[str, str, str]] = []
        for number, (name, value) in enumerate(lines):
            try:
                assignments([(name, "=", value)])
            except UsageError:
                assert wrong == number, lines
                break
            if items and items[-1][0] == name and TABLE[FIELDS[name.partition("[")[0]][0]].kind == DATA:
                value = f"{items.pop()[2]} {value}"
            items.append((name, "=", value))
        else:
            b = batch([(linktype, frame)])
            _, placed, *_ = codec.assign(b.data, bytes(b.rows), assignments(items), None, False)
            assert (made, unplaced, wrong) == (bytes(b.frame(0)), placed.count(0), None), lines
