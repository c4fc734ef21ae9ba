"""pkt-map: addresses, ports, MAC and VLAN numbers become others, in every place; checksums are as right as they were."""

from __future__ import annotations

import ipaddress
import shutil
import struct
import subprocess
from pathlib import Path
from types import ModuleType
from zlib import crc32

import pytest
from backends import use
from conftest import shell
from netns import pcap
from samples import ARP, batch, ethernet, extension, frames, gre, icmp, ipv4, ipv6, over_udp, row_of, sctp, tags, tcp, udp, vxlan

from pkttools.batch import Batch, link_of
from pkttools.codec import ALL as CHECKSUMS
from pkttools.protocols import IPV4, IPV6, MAC
from pkttools.protocols.fields import TABLE
from pkttools.protocols.places import ADDRESS4, ADDRESS6, NONE, PORT, STATION, VLAN, WIDTHS, places
from pkttools.work.addresses import ASK, REFUSE, Mapper, rule
from pkttools.work.answering import Answers
from pkttools.work.mappings import Rules

OLD4, OLD6, OLD_MAC = bytes([192, 0, 2]), bytes.fromhex("20010db80000000000000000000000"), bytes.fromhex("0200000000")
MAPPING = ["192.0.2.0/24=198.51.100.0/24", "2001:db8::/120=fd00:1::ab00/120"]


def rules_of(pairs: list[str] = MAPPING, **others: str) -> bytes:
    rules = Rules()
    for pair in pairs:
        rules.add("map", pair)
    for option, pair in others.items():
        rules.add(option, pair)
    return bytes(rules.rules)


ALL = rules_of(port="1-1023=2001-3023", mac="02:00:00:00:00/40=06:00:00:00:11/40", vlan="1=17")


def mapped(codec: ModuleType, found: Batch, rules: bytes = ALL, *, keep: bool = False) -> tuple[object, ...]:
    """What the codec says of it; the batch is another one then."""
    table = codec.address_table(places())
    codec.address_rules(table, rules)
    return codec.map_addresses(found.data, found.rows, table, keep)


def one(codec: ModuleType, frame: bytes, rules: bytes = ALL, *, right: bool = True, linktype: int = 1) -> bytes:
    """A packet after it; right: its checksums are right first."""
    found = batch([(linktype, frame)])
    if right:
        codec.correct(found.data, found.rows, CHECKSUMS)
    mapped(codec, found, rules)
    return bytes(found.data)


def corrected(codec: ModuleType, frame: bytes, linktype: int = 1) -> bytes:
    found = batch([(linktype, frame)])
    codec.correct(found.data, found.rows, CHECKSUMS)
    return bytes(found.data)


ERROR4 = ipv4(1, bytes([3, 4, 0, 0, 0, 0, 5, 220]) + ipv4(17, udp()))
ERROR6 = ipv6(58, bytes([2, 0, 0, 0, 0, 0, 5, 0]) + ipv6(6, tcp()[:8]))
TARGET = bytes.fromhex("20010db8000000000000000000000007")
KINDS = {
    "solicitation": ethernet(0x86DD, ipv6(58, bytes([135]) + bytes(7) + TARGET + b"\1\1\2\0\0\0\0\1")),
    "advertisement": ethernet(0x86DD, ipv6(58, bytes([136]) + bytes(7) + TARGET + b"\2\1\2\0\0\0\0\1")),
    "redirect": ethernet(0x86DD, ipv6(58, bytes([137]) + bytes(7) + TARGET * 2 + b"\2\1\2\0\0\0\0\1")),
    "routes": ethernet(
        0x86DD,
        ipv6(
            58,
            bytes([134])
            + bytes(15)
            + b"".join(bytes([24, 1 + size // 8, 64, 0, 0, 0, 0, 9]) + TARGET[:size] for size in (8, 16, 0))
            + bytes([38, 2, 0, 8])
            + TARGET[:12],
        ),
    ),
    "ARP": ethernet(0x0806, ARP),
    "ARP in a tag": ethernet(0x8100, tags([0x8100, 0x88A8], 0x0806, ARP)),
    "error": ethernet(0x0800, ERROR4),
    "error over IPv6, cut": ethernet(0x86DD, ERROR6),
    "error in VXLAN": ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, ERROR4)))),
    "error in GRE": ethernet(0x86DD, ipv6(47, gre(0x0800, ERROR4, 0x8000))),
    "recorded route": ethernet(0x0800, ipv4(17, udp(), b"\x07\x0b\x0c" + OLD4 + b"\7" + OLD4 + b"\x08\0")),
    "source route": ethernet(0x0800, ipv4(17, udp(), b"\x83\x07\x04" + OLD4 + b"\7\0")),
    "home address": ethernet(0x86DD, ipv6(60, extension(17, bytes([1, 2, 0, 0, 0xC9, 16]) + TARGET) + udp())),
    "groups": ethernet(0x0800, ipv4(2, bytes([0x16, 0, 0, 0]) + OLD4 + b"\7")),
    "IPv6 in IPv4 in IPv4": ethernet(0x0800, ipv4(4, ipv4(41, ipv6(17, udp())))),
    "source route of IPv6": ethernet(0x86DD, ipv6(43, extension(17, bytes([0, 1]) + bytes(4) + TARGET * 2) + udp())),
    "route to a home address": ethernet(0x86DD, ipv6(43, extension(6, bytes([2, 1]) + bytes(4) + TARGET) + tcp())),
    "segment routing": ethernet(0x86DD, ipv6(43, extension(17, bytes([4, 1, 1, 0, 0, 0]) + TARGET * 2) + udp())),
    "raw": ipv4(6, tcp()),
}


@pytest.mark.parametrize("name", KINDS)
def test_no_old_address_is_left(codec, name):
    """And what was right is right, in all headers, and in what is quoted."""
    linktype = 101 if name == "raw" else 1
    made = one(codec, KINDS[name], linktype=linktype)
    assert OLD4 not in made and OLD6 not in made and OLD_MAC not in made
    assert len(made) == len(KINDS[name])
    assert made == corrected(codec, made, linktype)


def test_every_kind_of_frame_is_as_right_as_before(codec):
    """Of each kind that samples have."""
    found = batch(frames())
    codec.correct(found.data, found.rows, CHECKSUMS)
    before = codec.check(found.data, found.rows)
    said = mapped(codec, found)
    assert said[0] > 40 and codec.check(found.data, found.rows) == before


@pytest.mark.parametrize(
    "carried", [ipv4(17, udp(bytes(64))), ipv4(6, tcp(bytes(64))), ipv4(17, vxlan(ethernet(0x0800, ipv4(6, tcp(bytes(64))))))]
)
def test_truncated_packets_come_out_right(codec, carried):
    """They have the sums that the whole has."""
    whole = corrected(codec, ethernet(0x0800, carried))
    cut = Batch(bytearray(whole[:-30]), bytearray(row_of(whole[:-30], original=len(whole))))
    said = mapped(codec, cut)
    assert said[:4] == (1, 0, 0, 0) and cut.data == one(codec, whole, right=False)[:-30]


@pytest.mark.parametrize("protocol", [17, 6, 136, 33])
@pytest.mark.parametrize("version", [4, 6])
def test_wrong_sums_stay_wrong_by_as_much(codec, protocol, version):
    """Of all with a pseudo header: TCP, UDP, UDP-Lite, DCCP; a packet is not left out for it (RFC 1624)."""
    messages = {17: udp(), 6: tcp(), 136: udp(size=13), 33: bytes.fromhex("0400 0035 05 00 0000 00 000001 0000 0000") + b"hello"}
    message = messages[protocol]
    carried = ethernet(0x0800, ipv4(protocol, message)) if version == 4 else ethernet(0x86DD, ipv6(protocol, message))
    place = {17: 6, 6: 16, 136: 6, 33: 6}[protocol] + (34 if version == 4 else 54)
    frame = bytearray(corrected(codec, carried))
    sum_of = struct.unpack_from("!H", frame, place)[0]
    assert sum_of
    struct.pack_into("!H", frame, place, (sum_of + 0x100) % 0xFFFF)
    made = bytearray(one(codec, bytes(frame), right=False))
    struct.pack_into("!H", made, place, (struct.unpack_from("!H", made, place)[0] - 0x100) % 0xFFFF)
    assert made == corrected(codec, bytes(made))


def test_zeros_of_udp(codec):
    """None stays none; a computed 0 is written as 0xFFFF (RFC 768)."""
    made = one(codec, ethernet(0x0800, ipv4(17, udp())), right=False)
    assert made[40:42] == b"\0\0" and made[26:29] != OLD4
    for number in range(65536):
        frame = bytearray(ethernet(0x0800, ipv4(17, udp(struct.pack("!H", number)))))
        struct.pack_into("!4s", frame, 26, bytes([198, 51, 100, 1]))
        struct.pack_into("!4s", frame, 30, bytes([198, 51, 100, 2]))
        total = sum(struct.unpack("!10H", frame[26:42] + frame[42:44] + bytes(2))) + 17 + 10
        if total % 0xFFFF == 0:
            break
    struct.pack_into("!4s4s", frame, 26, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    made = one(codec, corrected(codec, bytes(frame)), rules_of(), right=False)
    assert made[40:42] == b"\xff\xff"


def test_fragments(codec):
    """A first one has the sum of the whole; ports of later ones are data."""
    later = ethernet(0x0800, ipv4(17, b"\4\0\0\x35" + b"x" * 20, fragment=3))
    made = one(codec, later)
    assert made[34:] == later[34:] and made[26:29] == bytes([198, 51, 100])
    whole = corrected(codec, ethernet(0x0800, ipv4(17, udp(bytes(24)))))
    first = bytearray(whole[: 34 + 16])
    struct.pack_into("!HHH", first, 16, 36, 7, 0x2000)
    assert one(codec, bytes(first), right=False)[40:42] == one(codec, whole)[40:42]


@pytest.mark.parametrize("version", [4, 6])
def test_all_of_a_datagram_in_fragments(codec, version):
    """It is not put together for it: each keeps its size, ID, place, and Don't Fragment; the sum of the whole is right."""
    data = bytes(range(200)) * 3
    if version == 4:
        whole = corrected(codec, ethernet(0x0800, ipv4(17, over_udp(53, data, 1024))))
        pieces = [ethernet(0x0800, ipv4(17, whole[34 + at : 34 + at + 200], fragment=0x4000 | 0x2000 * (at < 400) | at // 8))
                  for at in range(0, 608, 200)]  # fmt: skip
    else:
        whole = corrected(codec, ethernet(0x86DD, ipv6(17, over_udp(53, data, 1024))))
        pieces = [ethernet(0x86DD, ipv6(44, struct.pack("!BBHI", 17, 0, at | (at < 400), 7) + whole[54 + at : 54 + at + 200]))
                  for at in range(0, 608, 200)]  # fmt: skip
    head = 34 if version == 4 else 62
    pieces = [corrected(codec, piece) for piece in pieces]
    for order in (pieces, pieces[::-1]):  # the first one comes last, too: nobody waits for it
        made = [one(codec, piece, right=False) for piece in order]
        assert [len(piece) for piece in made] == [len(piece) for piece in order]
        for before, after in zip(order, made, strict=True):
            assert before[18:22] == after[18:22] and after == corrected(codec, after)  # of IPv6 the size, and what follows
            assert OLD4 not in after[:34] and OLD6 not in after[:54] and (head == 34 or before[54:62] == after[54:62])
    joined = b"".join(piece[head:] for piece in made[::-1])
    assert joined == one(codec, whole, right=False)[head - 8 * (version == 6) :]


def test_the_same_for_every_destination(codec):
    """It is a map, no translation with a table of connections: a port stays free of chance, and so does the id of an echo."""
    rules = rules_of(port="1024=40000")

    def sent(to: int, way: int, message: bytes, protocol: int = 17) -> bytes:
        packet = bytearray(ipv4(protocol, message))
        packet[12:20] = [bytes([192, 0, 2, 1, 203, 0, 113, to]), bytes([203, 0, 113, to, 192, 0, 2, 1])][way]
        return corrected(codec, ethernet(0x0800, bytes(packet)))

    for to in (1, 2):
        there = one(codec, sent(to, 0, over_udp(53, b"?", 1024)), rules)
        back = one(codec, sent(to, 1, over_udp(1024, b"!", 53)), rules)
        assert there[34:38] == struct.pack("!HH", 40000, 53) and back[34:38] == struct.pack("!HH", 53, 40000)
        assert there[30:34] == back[26:30] == bytes([203, 0, 113, to])
        echo = sent(to, 0, icmp(8, b"")[:4] + struct.pack("!HH", 1024, 1), 1)
        assert one(codec, echo, rules)[34:] == echo[34:]


def test_prefixes_of_routes(codec):
    """Of as many bits as there are; what is behind them in the number is nobody's."""
    made = one(codec, KINDS["routes"], rules_of(["2001:db8::/32=fd00:1::/32"]))
    for at, size in ((78, 8), (94, 16), (122, 12)):
        assert made[at : at + size] == (bytes.fromhex("fd000001") + TARGET[4:])[:size]
    made = one(codec, KINDS["routes"], rules_of(["2001:db8::/64=fd00:1::9:0:0:0:5/128"]))
    assert made[78:86] == made[122:130] == bytes.fromhex("fd00000100000009") and made[94:110] != TARGET


def test_sctp(codec):
    """Addresses alone touch no CRC32c; a port does. A wrong one is not healed."""
    whole = corrected(codec, ethernet(0x0800, ipv4(132, sctp(bytes(8)))))
    assert one(codec, whole, rules_of(), right=False)[34:] == whole[34:]
    ports = rules_of(port="2905=5092")
    made = one(codec, whole, ports, right=False)
    assert made[34:36] == struct.pack("!H", 5092) and made == corrected(codec, made)
    wrong = whole[:42] + bytes([whole[42] ^ 1]) + whole[43:]
    assert one(codec, wrong, ports, right=False)[42:46] == wrong[42:46]


def test_sides_and_what_is_quoted(codec):
    """What is quoted went the other way: what is for destinations is for its source."""
    rules = rules_of(["dst:192.0.2.1=198.51.100.9", "dst:192.0.2.2=198.51.100.8"])
    made = one(codec, KINDS["error"], rules)
    quoted = made[42:]
    assert made[26:34] == bytes([192, 0, 2, 1, 198, 51, 100, 8])
    assert quoted[12:20] == bytes([198, 51, 100, 9, 192, 0, 2, 2])
    arp = one(codec, KINDS["ARP"], rules_of(["src:192.0.2.0/24=203.0.113.0/24"]))
    assert arp[28:32] == bytes([203, 0, 113, 1]) and arp[38:42] == bytes([192, 0, 2, 2])


def test_the_longest_rule_counts_and_all_at_once(codec):
    """So addresses are exchanged, and one stays of a prefix."""
    rules = rules_of(["192.0.2.1=192.0.2.2", "192.0.2.2=192.0.2.1"])
    assert one(codec, ethernet(0x0800, ipv4(17, udp())), rules)[26:34] == bytes([192, 0, 2, 2, 192, 0, 2, 1])
    rules = rules_of(["192.0.2.1=192.0.2.1", "192.0.0.0/16=10.0.0.0/8", "0.0.0.0/0=203.0.113.9"])
    assert one(codec, ethernet(0x0800, ipv4(17, udp())), rules)[26:34] == bytes([192, 0, 2, 1, 10, 0, 2, 2])


def test_a_check_sequence_follows(codec):
    """Known, or only there; a wrong one stays wrong."""
    frame = corrected(codec, ethernet(0x0800, ipv4(17, udp())) + bytes(13))
    whole = frame + crc32(frame).to_bytes(4, "little")
    for link in (1, link_of(1, 4)):
        found = Batch(bytearray(whole), bytearray(row_of(whole, link)))
        mapped(codec, found)
        assert found.data[:-4] != frame and found.data[-4:] == crc32(found.data[:-4]).to_bytes(4, "little")
    wrong = whole[:-1] + bytes([whole[-1] ^ 1])
    assert one(codec, wrong, right=False)[-4:] == wrong[-4:]


def test_what_is_asked_for(codec):
    """Each number once; packets wait for it, and all else is done. What has no other one passes as it came."""
    table = codec.address_table(places())
    codec.address_rules(table, rule(ADDRESS4, 0, 0, treatment=ASK) + rule(ADDRESS6, 16, 0x2001 << 112, treatment=REFUSE))
    found = batch([(1, ethernet(0x0800, ipv4(17, udp())))] * 3 + [(1, KINDS["advertisement"]), (1, ethernet(0x88F7, b"time"))])
    before = bytes(found.data)
    mapped, refused, _, _, _, asked, waiting = codec.map_addresses(found.data, found.rows, table, True)
    assert (mapped, refused, len(waiting), bytes(found.data)) == (0, 1, 3 * 56, before)
    assert [*struct.iter_unpack("q2Q", asked)] == [(ADDRESS4, 0, 0xC0000201), (ADDRESS4, 0, 0xC0000202)]
    codec.address_rules(table, rule(ADDRESS4, 32, 0xC0000201, 0x01020304) + rule(ADDRESS4, 32, 0xC0000202, 0xC0000202))
    mapped, *_, asked, waiting = codec.map_addresses(found.data, waiting, table, True)
    assert (mapped, asked, waiting) == (3, b"", b"") and found.data.count(b"\1\2\3\4\xc0\0\2\2") == 3


def test_what_is_not_sound(codec):
    table = codec.address_table(places())
    unsound = [rule(7, 1, 0), rule(ADDRESS4, 33, 0), rule(PORT, 16, 1 << 16), rule(PORT, 8, 1), rule(VLAN, 12, 1, 9999)]
    unsound += [rule(STATION, 0, 0, treatment=4), rule(PORT, 0, 0, treatment=ASK, sides=1), rule(PORT, 0, 0, sides=8)]
    for wrong in (b"x", *unsound):
        with pytest.raises(ValueError, match="rules are not sound"):
            codec.address_rules(table, wrong)
    for place in (
        (1 << 40, 0, 1, 0, 32, 0),
        (1, 8, 1, 0, 32, 0),
        (1, 0, 3, 0, 32, 0),
        (1, 0, 1, 0, 32, 2),
        (1, 1, 1, 0, 128, 3),
        (1, 0, 1, -1, 32, 0),
        (1, 0, 1, 0, 64, 0),
    ):
        with pytest.raises(ValueError, match="places are not sound"):
            codec.address_table(struct.pack("6q", *place))
    with pytest.raises(TypeError):
        codec.map_addresses(bytearray(), b"", object(), False)


def test_all_that_is_an_address_has_a_place():
    """A new field of a description is one by its form; what has an address's name is one, or is said not to be."""
    there = {(header, bit): sort for header, sort, _, bit, *_ in struct.iter_unpack("6q", places())}
    sorts = {IPV4: ADDRESS4, IPV6: ADDRESS6, MAC: STATION}
    missing = [row.name for row in TABLE if row.kind in sorts and there.get((row.header, row.bit)) != sorts[row.kind]]
    assert sorted({*missing}) == sorted(NONE)
    assert set(there.values()) == {*range(len(WIDTHS))}


# ---- the command ----

DNS = Path(__file__).parent.parent.joinpath("examples", "dns.txt").read_bytes()


def test_the_command(backend):
    done = shell("pkt-map --map 0.0.0.0/0=203.0.113.0/24 --port 53=5353 -v -a", DNS, backend=backend)
    assert done.returncode == 0, done.stderr
    assert b"203.0.113." in done.stdout and b"pkt-map: not looked into, though addresses may stand there: DNS (" in done.stderr
    assert b"0.0.0.0/0 has more addresses than 203.0.113.0/24: different ones may have become the same" in done.stderr
    sound = shell("pkt-check -cs | pkt-stat", done.stdout, backend=backend)
    assert sound.stderr == shell("pkt-check -cs | pkt-stat", DNS, backend=backend).stderr


def test_rarp(backend):
    """RFC 903: it has what ARP has."""
    message = bytes.fromhex("0001080006040004 020000000002 0a000002 020000000001 0a000001")
    text = shell("pkt-pcap2txt", pcap([ethernet(0x8035, message)])).stdout
    done = shell("pkt-map --map 10.0.0.0/8=11.0.0.0/8 | pkt-analyze --line", text, backend=backend)
    assert b"11.0.0.2 > 11.0.0.1 ARP 28 02:00:00:00:00:01 at 11.0.0.1" in done.stdout and done.stderr == b""


@pytest.mark.parametrize("number", [0xD5, 0xD6, 0xF1])
def test_arp_whose_hardware_addresses_have_a_byte(backend, number):
    """In ARCNET: its addresses have no fields, and that they stay is said. It was taken for something without addresses."""
    head = f"be 00 00 00 {number:02x}" + (" 00 00 01" if number != 0xF1 else "")
    text = f"LINKTYPE: 129\n-- 1 --\n{head} 00 07 08 00 01 04 00 01 50 0a 00 00 02 be 0a 00 00 01\n==\n"
    done = shell("pkt-map --map 10.0.0.0/8=11.0.0.0/8 | pkt-analyze --line", text.encode(), backend=backend)
    assert b"ARP 18 who-has 10.0.0.1 tell 10.0.0.2" in done.stdout
    assert done.stderr == b"pkt-map: not looked into, though addresses may stand there: ARP (1)\n"


def test_rules_of_a_file_and_a_guard(backend, tmp_path):
    """Assignments are for the packets that the guard accepts, as they came."""
    file = tmp_path / "rules"
    file.write_text("# hosts\n192.0.2.1 = 198.51.100.1 # the first\n\nport 53=5353\nmac 02:00:00:00:00/40=06:00:00:00:11/40\n")
    text = shell("pkt-pcap2txt", pcap([ethernet(0x0800, ipv4(17, udp())), ethernet(0x0800, ipv4(6, tcp()))])).stdout
    done = shell(f"pkt-map --file {file} --if UDP.DST_PORT==53 IP.TTL=9 -a", text, backend=backend)
    first, second = done.stdout.decode().split("-- 2 --")
    assert "198.51.100.1" in first and "06:00:00:00:11:01" in first and "0x14e9" in first and "IP.TTL:\t\t\t0x9\n" in first
    assert "198.51.100" not in second and "IP.TTL:\t\t\t0x40\n" in second


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "nothing to map: --map, --port, --mac, --vlan, --file, --nptv6, --endpoints, --random or --anonymise says what"),
        ("--map 10.0.0.1", "--map: '10.0.0.1' is not FROM=TO"),
        ("--map 10.0.0.1=::1", "--map: 10.0.0.1 and ::1 are of different lengths: a packet has no room"),
        ("--map 10.0.0.1/8=11.0.0.0/8", "--map: '10.0.0.1/8' says more than its first 8 bits"),
        ("--map 10.0.0.1=11.0.0.0/8", "--map: one address, 10.0.0.1, becomes one, not all of 11.0.0.0/8"),
        ("--map 10.0.0.0/33=11.0.0.0/8", "--map: '10.0.0.0/33': bits from 0 to 32"),
        ("--map x=10.0.0.1", "--map: 'x' is not an IP address, or some first bits of one, such as 192.0.2.0/24"),
        ("--mac zz=06", "--mac: 'zz' is not a MAC address, or some first bits of one, such as 02:00:5e/24"),
        ("--mac 02/4=06/8", "--mac: '02/4' says more than its first 4 bits"),
        ("--port 80=65536", "--port: '65536' is not a number up to 65535, or a range of such"),
        ("--port 80-81=1-3", "--port: 80-81 are not as many as 1-3"),
        ("--vlan 5=4096", "--vlan: '4096' is not a number up to 4095, or a range of such"),
        ("--nptv6 2001:db8::/48", "--nptv6: '-' is not an IP address"),
        ("--nptv6 2001:db8::/65=fd00::/64", "--nptv6: '2001:db8::/65=fd00::/64': prefixes have up to 64 bits (RFC 6296 section 3)"),
        ("--endpoints 10.0.0.1", "--endpoints: '10.0.0.1' is not A:B, such as"),
        ("--endpoints 10.0.0.1:[::1]", "--endpoints: '10.0.0.1:[::1]' is not A:B, such as"),
        ("--endpoints 10.0.0.0/8:11.0.0.0/8", "--endpoints: '10.0.0.0/8:11.0.0.0/8': two addresses of the same length"),
        ("--endpoints 1.1.1.1:2.2.2.2 --sides last", "--sides: 'last' is neither first nor port, nor an address"),
        ("--sides port --random", "--sides says whose packets are those of the first host of --endpoints"),
        ("--map 10.0.0.1=10.0.0.2 --map 10.0.0.1=10.0.0.3", "--map: 10.0.0.1 is given twice"),
    ],
)
def test_wrong_usage(words, said):
    done = shell(f"pkt-map {words}", DNS)
    assert (done.returncode, done.stdout) == (2, b"") and said in done.stderr.decode()


def test_a_wrong_file(tmp_path):
    file = tmp_path / "rules"
    file.write_text("10.0.0.1=10.0.0.2\nport 1\n")
    done = shell(f"pkt-map --file {file}", DNS)
    said = f"pkt-map: {file}, line 2: --port: '1' is not FROM=TO\nTry 'pkt-map --help'.\n"
    assert (done.returncode, done.stderr.decode()) == (2, said)
    assert shell(f"pkt-map --file {tmp_path}/none", DNS).returncode == 1


@pytest.mark.skipif(not shutil.which("tcprewrite"), reason="tcprewrite is not installed")
def test_prefixes_as_tcprewrite_maps_them(backend, tmp_path):
    """TCP, UDP and ICMP over IPv4, and ARP; of the protocols whose sums it forgets there are none here."""
    found = [ethernet(0x0800, ipv4(17, udp(b"hello!"))), ethernet(0x0800, ipv4(6, tcp())), ethernet(0x0800, ipv4(1, icmp(8))),
             ethernet(0x0806, ARP)]  # fmt: skip
    source, theirs, ours = (tmp_path / name for name in ("source.pcap", "theirs.pcap", "ours.pcap"))
    source.write_bytes(shell("pkt-correct -F pcap", pcap(found)).stdout)
    subprocess.run(["tcprewrite", "--pnat=192.0.2.0/24:10.9.8.0/24", "-i", source, "-o", theirs], check=True)
    assert shell(f"pkt-map --map 192.0.2.0/24=10.9.8.0/24 --in {source} --out {ours}", backend=backend).returncode == 0
    read = [shell(f"pkt-pcap2txt --in {path} -do").stdout for path in (theirs, ours)]
    assert read[0] == read[1]


# ---- what is computed and drawn ----


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("fd01:203:405::/48=2001:db8:1::/48", "fd01:203:405:1::1234", "2001:db8:1:d550::1234"),  # RFC 6296 appendix B
        ("2001:db8:1::/48=fd01:203:405::/48", "2001:db8:1:d550::1234", "fd01:203:405:1::1234"),
        ("fd01:203:405:7::/64=2001:db8:1:2::/64", "fd01:203:405:7:ffff:1::", "2001:db8:1:2:ffff:d555::"),
        ("fd01:203:405::/48=2001:db8:1::/48", "fd01:203:405:ffff::1", "2001:db8:1:d54f::1"),  # as 0
        ("fd01:203:405:7::/64=2001:db8:1:2::/64", "fd01:203:405:7:ffff:ffff:ffff:ffff", None),
    ],
)
def test_translated_prefixes_touch_no_sum(codec, monkeypatch, text, before, after):
    """And the packet passes as it came where there is no other address."""
    answers = Answers()
    answers.translate(text)
    use(codec, monkeypatch, "address_table", "address_rules", "map_addresses")
    source = ipaddress.ip_address(before).packed
    frame = bytearray(ethernet(0x86DD, ipv6(17, udp())))
    frame[22:38] = source
    found = batch([(1, corrected(codec, bytes(frame)))])
    was = bytes(found.data)
    mapper = Mapper(answers.rules, answer=answers)
    assert [*mapper([found])] == [found]
    if after is None:
        assert found.data == was
        assert mapper.said() == ["1 packet passed as they came: an address has no other one"]
    else:
        assert found.data == was.replace(source, ipaddress.ip_address(after).packed)
        assert found.data == corrected(codec, bytes(found.data)) and mapper.said() == []


def test_drawn_addresses(backend):
    """By a seed the same again; two stay two; what an address is, it stays; and sums are as right."""
    frames_ = [ethernet(0x0800, ipv4(17, udp())), KINDS["ARP"], KINDS["advertisement"], KINDS["groups"]]
    text = shell("pkt-pcap2txt | pkt-correct", pcap(frames_)).stdout
    seven, again, eight = (shell(f"pkt-map --random --seed {seed} -do", text, backend=backend).stdout for seed in (7, 7, 8))
    assert seven == again != eight
    for name, address in (
        ("IP.SRC_ADDR", "192.0.2.1"),
        ("ETHERNET.SRC_ADDR", "02:00:00:00:00:01"),
        ("IPV6.DST_ADDR", "2001:db8::2"),
    ):
        assert not shell(f"pkt-filter {name}=={address}", seven).stdout.count(b"==")
    assert shell("pkt-check -cs -do", seven, backend=backend).stdout == seven
    assert shell("pkt-filter ARP -a | grep -c ADDR", seven).stdout == shell("pkt-filter ARP -a | grep -c ADDR", text).stdout
    fields = "ARP.SENDER_IPADDR,IP.SRC_ADDR,ARP.TARGET_IPADDR,IP.DST_ADDR"
    columns = [line.split("\t") for line in shell(f"pkt-analyze --fields {fields}", seven).stdout.decode().splitlines()]
    assert columns[1][1] == columns[2][0] and columns[1][3] == columns[2][2]


def flow(*packets: tuple[str, str, int, int]) -> bytes:
    """Packets of UDP by addresses and ports."""
    made = []
    for source, destination, port, other in packets:
        frame = bytearray(ethernet(0x0800, ipv4(17, udp())))
        frame[26:34] = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
        frame[34:38] = struct.pack("!HH", port, other)
        frame[6:12] = bytes([2, 0, 0, 0, 0, frame[29]])
        made.append(bytes(frame))
    return pcap(made)


@pytest.mark.parametrize(
    ("sides", "ways"),
    [
        ("", "ABBAB"),
        ("--sides port", "BAAAB"),
        ("--sides 10.0.0.2", "BAAAB"),
        ("--sides 02:00:00:00:00:03", "ABBAB"),
        ("--sides 10.0.0.1", "ABBBA"),
        ("--sides 02:00:00:00:00:02", "BAABB"),
    ],
)
def test_two_hosts_for_all(backend, sides, ways):
    """By who asked first, who has the higher port, whose address or MAC address it is; else the first decides."""
    text = flow(("10.0.0.1", "10.0.0.2", 53, 4000), ("10.0.0.2", "10.0.0.1", 4000, 53), ("10.0.0.2", "10.0.0.1", 4001, 53),
                ("10.0.0.3", "10.0.0.1", 999, 99), ("10.0.0.1", "10.0.0.3", 77, 77))  # fmt: skip
    shown = "pkt-analyze --fields IP.SRC_ADDR,IP.DST_ADDR"
    done = shell(f"pkt-map --endpoints 198.51.100.1:198.51.100.2 {sides} -F pcap | {shown}", text, backend=backend)
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()[1:]]
    assert "".join("A" if line == ["198.51.100.1", "198.51.100.2"] else "B" for line in lines) == ways, done.stderr
    assert {address for line in lines for address in line} == {"198.51.100.1", "198.51.100.2"}


def test_two_hosts_for_arp_and_groups(backend):
    """ARP goes with them; a group stays one."""
    found = [
        ethernet(0x0806, ARP),
        ethernet(0x0800, ipv4(17, udp())),
        ethernet(0x0800, ipv4(17, udp())[:16] + bytes([224, 0, 0, 9]) + udp()),
    ]
    done = shell("pkt-map --endpoints 198.51.100.1:198.51.100.2 -a", shell("pkt-pcap2txt", pcap(found)).stdout, backend=backend)
    out = done.stdout.decode()
    assert (
        out.count("198.51.100.1") == 3 and out.count("198.51.100.2") == 2 and out.count("224.0.0.9") == 1 and "192.0.2" not in out
    )
