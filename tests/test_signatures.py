"""What authenticates a packet takes a key, so that it cannot follow a change: that is told, where what it covers was changed."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from conftest import shell
from samples import batch, ethernet, extension, gre, icmp, ipv4, ipv6, over_udp, tags, tcp, udp

from pkttools.codec import ALL, LENGTHS
from pkttools.language.assigning import assignments
from pkttools.protocols.names import beyond_name

MD5, AO = b"\x13\x12" + bytes(16) + b"\1\1", b"\x1d\x10\1\2" + bytes(12)
AH = struct.pack("!BBHII12x", 17, 4, 0, 7, 1)
DATAGRAM = udp(b"data", 9)
MD5_4, MD5_6 = ipv4(6, tcp(b"bgp", options=MD5)), ipv6(6, tcp(b"bgp", options=MD5))
WRONG = DATAGRAM[:6] + b"\1\2" + DATAGRAM[8:]  # its checksum is
AH_4, AH_6 = ipv4(51, AH + DATAGRAM), ipv6(51, struct.pack("!BBHII16x", 17, 5, 0, 7, 1) + DATAGRAM)
OSPF = struct.pack("!BBH4s4sHHHBBI", 2, 4, 28, b"\xc0\0\2\1", bytes(4), 0, 2, 0, 1, 16, 7) + bytes(4 + 16)
OSPF3 = struct.pack("!BBH4s4sHBB", 3, 1, 24, b"\xc0\0\2\1", bytes(4), 0, 0, 0) + struct.pack("!IBBBB", 5, 1, 0, 4, 0x13) + bytes(36)
BFD = struct.pack("!BBBB5I", 0x20, 0xC4, 3, 52, 1, 2, 3, 4, 5) + bytes(28)
CARP = struct.pack("!BBBBBBHQ", 0x21, 1, 0, 7, 0, 1, 0, 1) + bytes(20)
MACSEC = ethernet(0x88E5, bytes(6) + b"\x08\0" + ipv4(17, DATAGRAM) + bytes(16))
AUTH = b"\1\1\0" + bytes(8) + b"\0\0\0\5" + bytes(16)
DHCP = b"\1\1\6\0" + bytes(232) + b"\x63\x82\x53\x63\x5a" + bytes([len(AUTH)]) + AUTH + b"\xff"
AUTH_6 = b"\3\1\0" + bytes(8) + b"\2" + bytes(16)
RECONFIGURE = b"\x0a\1\2\3" + struct.pack("!HH", 11, len(AUTH_6)) + AUTH_6
RSVP = struct.pack("!BBHBBH", 0x10, 20, 0, 64, 0, 44) + struct.pack("!HBB", 36, 4, 1) + bytes(32)
CHUNKS = struct.pack("!HHII", 1, 2, 3, 0) + b"\6\0\0\4" + b"\x0f\0\0\x0c\0\0\0\1" + bytes(4) + b"\0\3\0\x10" + bytes(12)
NTP, KEY = b"\x23\x02" + bytes(46), b"\0\0\0\x08" + bytes(range(16))
COOKIE = struct.pack("!HH16x", 0x0204, 20)
NTS = NTP + COOKIE + struct.pack("!HH36x", 0x0404, 40)
# link type, packet, what is said of it, an assignment that it covers, and one that it does not
SIGNED = {
    "AH": (101, AH_4, "AH", "UDP.DST_PORT=7", "IP.TTL=7"),
    "AH, the header in front": (101, AH_4, "AH", "IP.DST_ADDR=192.0.2.9", "IP.DSCP=7"),
    "AH in IPv6": (101, AH_6, "AH", "UDP.DST_PORT=7", "IPV6.HOP_LIMIT=7"),
    "AH in IPv6, the header in front": (
        1, ethernet(0x86DD, AH_6), "AH", "IPV6.SRC_ADDR=2001:db8::9", "ETHERNET.DST_ADDR=2:0:0:0:0:9"),
    "AH behind another extension": (
        101, ipv6(0, extension(51, bytes(6)) + AH_6[40:]), "AH", "IPV6.SRC_ADDR=2001:db8::9", "IPV6.FLOWID=7"),
    "AH around a tunnel": (101, ipv4(51, b"\4" + AH[1:] + ipv4(17, DATAGRAM)), "AH", "IP.TTL[2]=7", "IP.TTL[1]=7"),
    "AH, a sum behind it": (101, AH_4, "AH", "UDP.CHECKSUM=7", "IP.CHECKSUM=7"),
    "MD5": (101, MD5_4, "TCP MD5", "TCP.WINDOW=7", "IP.TTL=7"),
    "MD5: the sum in front of it is 0 (RFC 2385 2.0)": (101, MD5_6, "TCP MD5", "IPV6.DST_ADDR=2001:db8::9", "TCP.CHECKSUM=7"),
    "MD5 behind two tags": (
        1, ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, MD5_4)), "TCP MD5", "IP.SRC_ADDR=192.0.2.9", "ETHERNET.VLAN_TAG=7"),
    "MD5 in a tunnel": (101, ipv4(47, gre(0x0800, MD5_4)), "TCP MD5", "TCP.SEQ_NUMBER=7", "IP.DST_ADDR[1]=192.0.2.9"),
    "MD5 in VXLAN": (
        101, ipv6(17, over_udp(4789, b"\x08" + bytes(7) + ethernet(0x0800, MD5_4))), "TCP MD5", "IP.DST_ADDR=192.0.2.9",
        "VXLAN.VNI=7"),
    "AO": (101, ipv4(6, tcp(options=AO)), "TCP AO", "TCP.DST_PORT=7", "IP.ECN=1"),
    "AO in IPv6": (101, ipv6(6, tcp(options=AO)), "TCP AO", "TCP.DST_PORT=7", "IPV6.TRAFFIC_CLASS=1"),
    "OSPF": (101, ipv4(89, OSPF), "OSPF", "OSPF.AREA=0.0.0.9", "IP.TTL=7"),
    "OSPFv3": (101, ipv6(89, OSPF3), "OSPFv3", "OSPF.AREA=0.0.0.9", "IPV6.HOP_LIMIT=7"),
    "BFD": (101, ipv4(17, over_udp(3784, BFD)), "BFD", "BFD.STATE=up", "UDP.SRC_PORT=7"),
    "DHCP": (101, ipv4(17, over_udp(67, DHCP)), "DHCP", "DHCP.XID=7", "DHCP.HOPS=7"),
    "DHCP, the relay": (101, ipv4(17, over_udp(67, DHCP)), "DHCP", "DHCP.YIADDR=192.0.2.9", "DHCP.GIADDR=192.0.2.9"),
    "DHCPv6": (101, ipv6(17, over_udp(546, RECONFIGURE)), "DHCPv6", "DHCPV6.TYPE=7", "IPV6.DST_ADDR=2001:db8::9"),
    "NTP": (101, ipv4(17, over_udp(123, NTP + KEY)), "NTP MAC", "NTP.STRATUM=7", "UDP.SRC_PORT=7"),
    "NTP, SHA-1": (101, ipv6(17, over_udp(123, NTP + KEY + bytes(4))), "NTP MAC", "NTP.POLL=7", "IPV6.DST_ADDR=2001:db8::9"),
    "NTP behind an extension field": (101, ipv4(17, over_udp(123, NTP + COOKIE + KEY)), "NTP MAC", "NTP.MODE=4", "IP.TTL=9"),
    "NTS": (101, ipv4(17, over_udp(123, NTS)), "NTS", "NTP.POLL=7", "UDP.DST_PORT=123"),
    "RSVP": (101, ipv4(46, RSVP), "RSVP", "RSVP.TTL=7", "IP.TTL=7"),
    "SCTP AUTH": (101, ipv4(132, CHUNKS), "SCTP AUTH", "SCTP.DATA_TSN=7", "SCTP.TAG=7"),
    "SCTP AUTH, chunks": (101, ipv6(132, CHUNKS), "SCTP AUTH", "SCTP.CHUNK_FLAGS[2]=7", "SCTP.CHUNK_FLAGS[1]=7"),
    "CARP": (101, ipv4(112, CARP), "CARP", "CARP.ADVSKEW=9", "IP.TTL=9"),
    "MACsec": (1, MACSEC, "MACsec", "ETHERNET.DST_ADDR=2:0:0:0:0:9", "TIME=1"),
    "MACsec, what is in it": (1, MACSEC, "MACsec", "IP.TTL=7", "TIME=1"),
}  # fmt: skip
UNSIGNED = {
    "a segment without options": (101, ipv4(6, tcp(b"bgp")), "TCP.WINDOW=7"),
    "with others": (101, ipv4(6, tcp(options=b"\x08\x0a" + bytes(8) + b"\1\1")), "TCP.WINDOW=7"),
    "OSPF with a password": (101, ipv4(89, OSPF[:14] + b"\0\1" + OSPF[16:]), "OSPF.AREA=0.0.0.9"),
    "BFD without": (101, ipv4(17, over_udp(3784, b"\x20\xc0\3\x18" + BFD[4:24])), "BFD.STATE=up"),
    "DHCP with a token": (101, ipv4(17, over_udp(67, DHCP.replace(AUTH, b"\0" + AUTH[1:]))), "DHCP.XID=7"),
    "DHCPv6, the key itself": (
        101, ipv6(17, over_udp(546, RECONFIGURE.replace(b"\2" + bytes(16), b"\1" + bytes(16)))), "DHCPV6.TYPE=7"),
    "NTP without": (101, ipv4(17, over_udp(123, NTP)), "NTP.STRATUM=7"),
    "NTP with a cookie alone": (101, ipv4(17, over_udp(123, NTP + COOKIE)), "NTP.STRATUM=7"),
    "what is quoted": (101, ipv4(1, icmp(3, MD5_4)), "IP.TTL[1]=7"),
}  # fmt: skip


def told(codec, linktype: int, packet: bytes, assignment: str, follow: bool = False) -> list[str]:
    """What is said of a packet that is changed."""
    name, _, value = assignment.partition("=")
    if name == "TIME":
        return []
    b, counts = batch([(linktype, packet)] * 2), {}
    met, placed, *_ = codec.assign(b.data, bytes(b.rows), assignments([(name, "=", value)]), None, follow, counts)
    assert (met, placed) == (2, (2,))
    assert set(counts.values()) <= {2}
    return [beyond_name(code) for code in counts]


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("name", SIGNED)
def test_what_a_signature_covers(codec, name, follow):
    linktype, packet, title, covered, other = SIGNED[name]
    assert told(codec, linktype, packet, covered, follow) == [title]
    assert told(codec, linktype, packet, other, follow) == []


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_is_not_signed(codec, name):
    assert told(codec, *UNSIGNED[name]) == []


def corrected(codec, linktype: int, packet: bytes, what: int = ALL) -> list[str]:
    """What is said of a packet that is corrected; of a right one nothing is."""
    b, counts = batch([(linktype, packet)]), {}
    codec.correct(b.data, bytes(b.rows), what, counts)
    again: dict[int, int] = {}
    codec.correct(b.data, bytes(b.rows), what, again)
    assert again == {}
    return [beyond_name(code) for code in counts]


def test_sums_behind_a_signature_are_covered(codec):
    """Its own message's sum is not: that is 0 where a digest is computed, or has none; nor is that of the IP header in front."""
    assert corrected(codec, 101, ipv4(51, AH + WRONG)) == ["AH"]
    assert corrected(codec, 101, ipv6(51, AH_6[40:68] + WRONG)) == ["AH"]
    b = batch([(101, AH_4)])
    codec.correct(b.data, bytes(b.rows), ALL)
    assert corrected(codec, 101, bytes(b.data[:10] + b"\1\2" + b.data[12:])) == []
    assert corrected(codec, 101, MD5_4[:36] + b"\1\2" + MD5_4[38:]) == []
    assert corrected(codec, 101, MD5_6[:56] + b"\1\2" + MD5_6[58:]) == []


def test_lengths_are_covered(codec):
    assert corrected(codec, 101, MD5_4[:2] + b"\0\0" + MD5_4[4:], LENGTHS) == ["TCP MD5"]
    assert corrected(codec, 101, AH_6[:4] + b"\0\1" + AH_6[6:], LENGTHS) == ["AH"]


def test_a_place_of_its_own(codec):
    """What others change is asked by its place."""
    b = batch([(101, MD5_4), (101, AH_4), (101, ipv4(17, DATAGRAM))])
    for end, mutable_end, said in (
        (0, 0, []),
        (9, 0, ["AH", "TCP MD5"]),
        (0, 9, []),
        (0, 42, ["TCP MD5"]),
        (0, 48, ["AH", "TCP MD5"]),
    ):
        counts: dict[int, int] = {}
        codec.signed(b.data, bytes(b.rows), end, mutable_end, counts)
        assert sorted(beyond_name(code) for code in counts) == said
    with pytest.raises(ValueError, match="no such place"):
        codec.signed(b.data, bytes(b.rows), -1, 0, {})


PACKETS = [(101, MD5_4), (101, MD5_4), (101, ipv4(51, AH + WRONG)), (101, ipv4(17, DATAGRAM)), (101, ipv4(55, DATAGRAM))]
SAID = "3 packets with signatures that do not follow what was changed: 2 TCP MD5, 1 AH"
COMMANDS = {
    "pkt-change IP.SRC_ADDR=192.0.2.9": SAID, "pkt-change -u IP.SRC_ADDR=192.0.2.9": SAID, "pkt-change --swap": SAID,
    "pkt-txt2txt IP.SRC_ADDR=192.0.2.9": SAID, "pkt-filter IP IP.SRC_ADDR=192.0.2.9": SAID, "pkt-gen raw IP.ID=1..9": SAID,
    "pkt-pipe 'change IP.SRC_ADDR=192.0.2.9 | analyze'": f"change: {SAID}",
    "pkt-correct": "1 packet with signatures that do not follow what was changed: 1 AH",
    "pkt-change IP.TTL=9": "", "pkt-check": "", "pkt-gen raw": "", "pkt-fragment -fm 60": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packets") / "some.txt"
    path.write_text("".join(f"LINKTYPE: {link}\n-- 1 --\n000000: {frame.hex(' ')}\n==\n" for link, frame in PACKETS))
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_change_say_so(backend, capture, command):
    """Once, beside what is not followed."""
    said = shell(f"{command} --in {capture} --out /dev/null", backend=backend).stderr.decode()
    lines = [line for line in said.splitlines() if "signatures" in line]
    assert lines == ([f"{command.split()[0]}: {COMMANDS[command]}"] if COMMANDS[command] else [])
    assert "not followed: 1 minimal encapsulation\n" in said
