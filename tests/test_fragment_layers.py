"""Datagrams inside of something are cut and joined: what is around them says how long they are by then, and is right."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from functools import partial

import pytest
from backends import on_both
from conftest import shell
from samples import ethernet, gre, ipv4, ipv6, over_udp, tags, udp, vxlan

from pkttools import codec
from pkttools.batch import Packet, gathered
from pkttools.codec import CORRECTED
from pkttools.errors import UsageError
from pkttools.work.fragments import OUTERMOST, Fragmenter, layer_of
from pkttools.work.reassembly import Reassembler

pytest_generate_tests, chosen = on_both("fragment", "datagrams", "reassemble", "reassemble_rest")


PAYLOAD = bytes(range(1, 251))
INNER = ipv4(17, udp(PAYLOAD))
INNER6 = ipv6(17, udp(PAYLOAD))


SEGMENT = struct.pack("!II", 0x08000000, 42 << 8) + ethernet(0x0800, INNER)  # of VXLAN


with_sum = partial(over_udp, checksum=0xFFFF)  # one that has to follow


def gtp(payload: bytes) -> bytes:
    return struct.pack("!BBHI", 0x30, 255, len(payload), 77) + payload


def pppoe(protocol: int, payload: bytes) -> bytes:
    return struct.pack("!BBHHH", 0x11, 0, 9, 2 + len(payload), protocol) + payload


def l2tp(payload: bytes) -> bytes:
    return struct.pack("!HHHH", 0x4002, 12 + len(payload), 1, 2) + b"\xff\x03\x00\x21" + payload


def snap(kind: int, payload: bytes) -> bytes:
    return ethernet(8 + len(payload), b"\xaa\xaa\3\0\0\0" + struct.pack("!H", kind) + payload)


def macsec(payload: bytes, length: int = 0, channel: bytes = b"") -> bytes:
    """With the channel if one is given."""
    return ethernet(0x88E5, bytes([0x20 if channel else 0, length]) + b"\0\0\0\1" + channel + b"\x08\0" + payload + b"I" * 16)


def pptp(payload: bytes, ack: bytes = b"") -> bytes:
    """Behind PPP without compression."""
    ppp = b"\xff\x03\0\x21" + payload
    return struct.pack("!HHHHI", 0x3081 if ack else 0x3001, 0x880B, len(ppp), 7, 1) + ack + ppp


def radio(payload: bytes) -> bytes:
    """802.11 data in radiotap, with a check sequence, which our tools do not make anew."""
    head = b"\0\0\x09\0\2\0\0\0\x10" + b"\x08\x02\0\0" + bytes.fromhex("020000000002 020000000001 020000000001") + b"\0\0"
    return head + b"\xaa\xaa\3\0\0\0\x08\0" + payload + b"FCS!"


AROUND = {  # link type, frame, which header
    "PPPoE": (1, ethernet(0x8864, pppoe(0x21, INNER)), None),
    "PPPoE, IPv6": (1, ethernet(0x8864, pppoe(0x57, INNER6)), None),
    "MPLS": (1, ethernet(0x8847, b"\0\1\0\x40\0\2\1\x40" + INNER), None),
    "MPLS, IPv6": (1, ethernet(0x8100, tags([0x8100], 0x8847, b"\0\2\1\x40" + INNER6)), None),
    "pseudowire": (1, ethernet(0x8847, b"\0\2\1\x40\0\0\0\7" + ethernet(0x0800, INNER)), None),
    "SNAP": (1, snap(0x0800, INNER), None),
    "MACsec": (1, macsec(INNER), None),
    "MACsec with a channel": (1, macsec(INNER, 0, bytes(6) + b"\0\1"), None),
    "802.11": (127, radio(INNER), None),
    "IPIP": (101, ipv4(4, INNER), "IP[2]"),
    "in IPv6": (101, ipv6(4, INNER), "ip[-1]"),
    "IPv6 in IPv6": (1, ethernet(0x86DD, ipv6(41, INNER6)), "IPV6[2]"),
    "6in4": (1, ethernet(0x0800, ipv4(41, INNER6)), "IPV6"),
    "GRE": (1, ethernet(0x0800, ipv4(47, gre(0x0800, INNER, 0xB000))), "IP[2]"),
    "VXLAN": (1, ethernet(0x8100, tags([0x8100], 0x0800, ipv4(17, vxlan(ethernet(0x0800, INNER))))), "IP[2]"),
    "VXLAN over IPv6": (1, ethernet(0x86DD, ipv6(17, vxlan(ethernet(0x86DD, INNER6)))), "IPV6[-1]"),
    "VXLAN with a checksum": (1, ethernet(0x0800, ipv4(17, with_sum(4789, b"\x08" + bytes(7) + ethernet(0x0800, INNER)))), "IP[2]"),
    "GTP": (101, ipv4(17, with_sum(2152, gtp(INNER))), "IP[2]"),
    "GTP over IPv6": (101, ipv6(17, with_sum(2152, gtp(INNER))), "IP[1]"),
    "L2TP": (101, ipv4(17, with_sum(1701, l2tp(INNER))), "IP[2]"),
    "PPTP": (101, ipv4(47, pptp(INNER)), "IP[2]"),
    "PPTP with an acknowledgement": (1, ethernet(0x0800, ipv4(47, pptp(INNER, bytes(4)))), "IP[2]"),
    "thrice": (1, ethernet(0x0800, ipv4(4, ipv4(17, vxlan(ethernet(0x0800, ipv4(47, gre(0x86DD, INNER6, 0x8000))))))), "IPV6"),
    "the one between": (101, ipv4(4, ipv4(47, gre(0x0800, INNER, 0x8000))), "IP[2]"),
}  # fmt: skip


def mended(linktype: int, frame: bytes) -> Packet:
    batch = gathered([Packet(frame, len(frame), 0, linktype)])
    codec.correct(batch.data, bytes(batch.rows), codec.ALL)
    return batch.packet(0)


def through(stage, packets: list[Packet]) -> list[Packet]:
    return [batch.packet(i) for batch in stage(iter([gathered(packets)])) for i in range(len(batch))]


def cut(packet: Packet, layer: str | None, mtu: int = 100) -> list[Packet]:
    return through(Fragmenter(mtu, False, 1, layer_of(layer) if layer else OUTERMOST), [packet])


@pytest.mark.parametrize("name", AROUND)
def test_cut_and_joined(codec, name):
    """Each fragment is sound, and the whole comes back as it was."""
    linktype, frame, layer = AROUND[name]
    whole = mended(linktype, frame)
    pieces = cut(whole, layer)
    assert len(pieces) > 3
    batch = gathered(pieces)
    assert set(codec.check(batch.data, batch.rows)) == {CORRECTED}
    back = through(Reassembler(layer=layer_of(layer) if layer else OUTERMOST), pieces[::-1])
    assert [p.frame for p in back] == [whole.frame]


def test_tshark_finds_nothing_wrong(tmp_path):
    """Around fragments behind the first: of that one it misses what the others have."""
    if not shutil.which("tshark"):
        pytest.skip("needs tshark")
    for linktype in (1, 101):
        pieces = [p for link, frame, layer in AROUND.values() if link == linktype for p in cut(mended(link, frame), layer)[1:]]
        records = b"".join(struct.pack("<IIII", 0, 0, len(p.frame), len(p.frame)) + p.frame for p in pieces)
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype)
        (tmp_path / "x.pcap").write_bytes(head + records)
        told = subprocess.run(
            ["tshark", "-r", tmp_path / "x.pcap", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
             "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "--disable-protocol", "dns", "-T", "json",
             "-Y", "_ws.expert.severity >= 6291456", "-e", "frame.number", "-e", "_ws.expert.message"],
            capture_output=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        said = {message for of in json.loads(told) for message in of["_source"]["layers"]["_ws.expert.message"]}
        assert said <= {"Illegal checksum value (0)"}  # over IPv6, where those of tunnels may be: RFC 6935


def test_a_wrong_checksum_inside_stays():
    """Only what is around it was made anew: what the datagram carries is its sender's."""
    whole = mended(1, AROUND["VXLAN"][1])
    wrong = bytearray(whole.frame)
    wrong[-1] ^= 1
    pieces = cut(Packet(bytes(wrong), len(wrong), 0, 1), "IP[2]")
    assert [p.frame for p in through(Reassembler(layer=layer_of("IP[2]")), pieces)] == [bytes(wrong)]


def test_no_checksum_stays_none():
    """Of a tunnel, RFC 7348 section 4.1."""
    pieces = cut(mended(1, AROUND["VXLAN over IPv6"][1]), "IPV6[2]")
    assert {p.frame[60:62] for p in pieces} == {b"\0\0"}


def test_padding_goes_and_a_trailer_stays():
    whole = mended(1, macsec(INNER))
    assert all(p.frame.endswith(b"I" * 16) for p in cut(whole, None))
    padded = mended(1, ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, INNER) + bytes(9)))))
    assert not any(p.frame.endswith(bytes(9)) for p in cut(padded, "IP[2]"))


@pytest.mark.parametrize(("size", "short"), [(44, 44), (52, 0)])
def test_the_length_of_macsec_is_of_short_frames(size, short):
    """IEEE 802.1AE 9.7: below 48 bytes, with the type; padding is behind the check value."""
    whole = mended(1, macsec(ipv4(17, udp(bytes(210 + size)))))
    pieces = cut(whole, None)
    assert [p.frame[15] for p in pieces] == [0] * (len(pieces) - 1) + [short]
    last = pieces[-1].frame
    assert len(last) == 20 + size + 16
    padding = bytes(5 if short else 0)
    pieces[-1] = Packet(last + padding, len(last + padding), 0, 1)
    assert [p.frame for p in through(Reassembler(), pieces)] == [whole.frame]


def test_the_length_of_pptp_is_of_what_is_behind_the_header():
    """RFC 2637 4.1. What stands behind it is none of the datagram."""
    whole = mended(101, ipv4(47, pptp(INNER, bytes(4)) + b"behind"))
    pieces = [p.frame for p in cut(whole, "IP[2]")]
    assert [struct.unpack("!H", p[24:26])[0] for p in pieces] == [len(p) - 36 for p in pieces]


@pytest.mark.parametrize(
    ("other", "together"),
    [(vxlan(ethernet(0x0800, INNER), 2), False), (with_sum(4789, SEGMENT, 1), True)],
    ids=["network", "source port"],
)
def test_which_belong_together(other, together):
    """Fragments of one network; a tunnel's source port is of what is inside, and may differ."""
    first, second = (cut(mended(101, ipv4(17, each)), "IP[2]") for each in (with_sum(4789, SEGMENT), other))
    mixed = [*first[::2], *second[1::2]]
    assert (len(through(Reassembler(layer=layer_of("IP[2]")), mixed)) == 1) == together


@pytest.mark.parametrize(("kind", "flags", "keys", "together"), [
    (0x6558, 0x2000, (0x102A05, 0x102A07), True), (0x6558, 0x2000, (0x102A05, 0x102B05), False),
    (0x0800, 0x2000, (0x102A05, 0x102A07), False), (0x6558, 0x3000, (0x102A05, 0x102A07), False),
    (0x6558, 0x2000, (7, 8), False), (0x6558, 0x2000, (7, 7), True), (0x6558, 0x2000, (0xFFFFE, 0xFFFFF), False),
    (0x6558, 0x2000, (0xFFFFF, 0x100000), False), (0x6558, 0x2000, (0x100000, 0x1000FF), True),
])  # fmt: skip
def test_the_network_of_nvgre(kind, flags, keys, together):
    """RFC 7637 3.2: it is 24 bits of the key, from 0x1000 on; a flow in it is the rest.

    Other keys are one as a whole (RFC 2890 2.1), as those of Linux's gretap.
    """
    carried = ethernet(0x0800, INNER) if kind == 0x6558 else INNER
    number = bytes(4) if flags & 0x1000 else b""
    both = (struct.pack("!HHI", flags, kind, key) + number + carried for key in keys)
    first, second = (cut(mended(101, ipv4(47, each)), "IP[2]") for each in both)
    mixed = [*first[::2], *second[1::2]]
    assert (len(through(Reassembler(layer=layer_of("IP[2]")), mixed)) == 1) == together


def test_labels_and_sessions_keep_apart():
    for kind, payload in ((0x8847, b"\0\x09\1\x40" + INNER), (0x8864, pppoe(0x21, INNER))):
        others = ethernet(kind, payload), ethernet(kind, payload.replace(b"\0\x09", b"\0\x0a", 1))
        first, second = (cut(mended(1, frame), None) for frame in others)
        assert len(through(Reassembler(), [*first[::2], *second[1::2]])) == len(first)


def test_frames_with_lengths_belong_together():
    """IEEE 802.3 has a length where Ethernet has a type, which the last fragment has of its own."""
    assert len(through(Reassembler(), cut(mended(1, snap(0x0800, INNER)), None))) == 1


def test_what_has_no_such_header(backend):
    """It passes, and is counted."""
    records = b"".join(struct.pack("<IIII", 0, 0, len(f), len(f)) + f for f in (INNER, ipv4(4, INNER)))
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101) + records
    done = shell("pkt-fragment -fm 100 --layer IP[2] -F pcap", data, backend=backend)
    assert done.stderr == b"pkt-fragment: 1 packet above the MTU passed as they came: 1 without such a header\n"
    back = shell("pkt-defragment --layer ip[2] -F pcap", done.stdout, backend=backend)
    assert (back.stderr, len(back.stdout)) == (b"", len(data))
    outer = shell("pkt-fragment -fm 100 -F pcap | pkt-defragment --layer ip[2] -F pcap", data, backend=backend)
    assert b"8 fragments passed as they came: 8 of another header" in outer.stderr


@pytest.mark.parametrize("text", ["UDP", "IP[0]", "IP[x]", "IP[1", "IP[-]", "", "IP.TTL"])
def test_other_words_are_none(text):
    with pytest.raises(UsageError):
        layer_of(text)


@pytest.mark.parametrize("version", [4, 6])
def test_what_authenticates_the_whole_does_not_follow(version):
    """AH around a tunnel: its sender's key would be needed; said once for each datagram that was divided, or put together."""
    ah = struct.pack("!BBHII", 4, 4 if version == 4 else 5, 0, 7, 1) + bytes(12 if version == 4 else 16)
    whole = mended(101, (ipv4 if version == 4 else ipv6)(51, ah + INNER))
    fragmenter, reassembler = Fragmenter(100, False, 1, layer_of("ip[-1]")), Reassembler(layer=layer_of("ip[-1]"))
    pieces = through(fragmenter, [whole])
    assert [p.frame for p in through(reassembler, pieces)] == [whole.frame]
    assert [[*fragmenter.beyond.values()], [*reassembler.beyond.values()]] == [[1], [1]]
    outer = Fragmenter(100, False, 1)  # what is in it does not change
    assert len(through(outer, [whole])) > 1 and not outer.beyond
