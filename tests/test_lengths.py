"""pkt-correct -L, on both codecs: what follows a datagram is no payload, and payload that was added is."""

from __future__ import annotations

import struct
from zlib import crc32

import pytest
from conftest import shell
from samples import ethernet, extension, gre, icmp, ipv4, ipv6, row_of, tags, tcp, udp, vxlan

from pkttools.codec import ALL, LENGTHS

V4 = {
    "udp": ipv4(17, udp(b"short")), "tcp": ipv4(6, tcp(b"", b"")), "tcp with options": ipv4(6, tcp(b"")),
    "icmp": ipv4(1, icmp(8, b"ping")), "igmp": ipv4(2, bytes.fromhex("16000000 e0000009")),
    "options": ipv4(17, udp(b"x"), b"\x07\x07\x04" + bytes(5)),
}  # fmt: skip
V6 = {
    "udp6": ipv6(17, udp(b"x")), "icmpv6": ipv6(58, icmp(128, b"")), "tcp6": ipv6(6, tcp()),
    "options6": ipv6(0, extension(17, bytes([1, 4, 0, 0, 0, 0])) + udp(b"abc")),
}  # fmt: skip
DATAGRAMS = [*((0x0800, d) for d in V4.values()), *((0x86DD, d) for d in V6.values())]
NAMES = [*V4, *V6]

LINKS = {
    "Ethernet": (1, lambda kind, rest: ethernet(kind, rest)),
    "VLAN": (1, lambda kind, rest: ethernet(0x8100, tags([0x8100], kind, rest))),
    "QinQ": (1, lambda kind, rest: ethernet(0x88A8, tags([0x88A8, 0x8100], kind, rest))),
    "SLL": (113, lambda kind, rest: struct.pack("!HHH8sH", 0, 1, 6, b"\2" * 8, kind) + rest),
    "SLL2": (276, lambda kind, rest: struct.pack("!HHIHBB8s", kind, 0, 3, 1, 0, 6, b"\2" * 8) + rest),
    "loopback": (0, lambda kind, rest: struct.pack("<I", 2 if kind == 0x0800 else 30) + rest),
    "raw": (101, lambda kind, rest: rest),
    "GRE": (1, lambda kind, rest: ethernet(0x0800, ipv4(47, gre(0x6558, ethernet(kind, rest))))),
    "GRE over IPv6": (1, lambda kind, rest: ethernet(0x86DD, ipv6(47, gre(0x6558, ethernet(0x8100, tags([0x8100], kind, rest)))))),
    "VXLAN": (101, lambda kind, rest: ipv4(17, vxlan(ethernet(kind, rest)))),
}  # fmt: skip


def corrected(
    codec, linktype: int, frame: bytes, what: int = LENGTHS, original: int | None = None
) -> tuple[bytes, tuple[int, int]]:
    """The frame afterwards; and whether bytes behind it were taken for a trailer, or for payload, in doubt."""
    data = bytearray(frame)
    row = row_of(frame, linktype, original)
    counts = codec.correct(data, row, what)
    return bytes(data), counts[-2:]


def made(codec, link: str, kind: int, datagram: bytes, tail: bytes) -> tuple[int, bytes]:
    """A frame with right checksums, of which a tail is no payload."""
    linktype, build = LINKS[link]
    datagram = corrected(codec, 101, datagram, ALL)[0]  # in a tunnel, UDP's 0 would stay
    return linktype, corrected(codec, linktype, build(kind, datagram + tail), ALL)[0]


def with_fcs(frame: bytes) -> bytes:
    return frame + crc32(frame).to_bytes(4, "little")


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("kind", "datagram"), DATAGRAMS, ids=NAMES)
def test_padding(codec, link, kind, datagram):
    """IEEE 802.3: 46 bytes at least, to which tags and other link layers add or take nothing; zeros, and nobody has to be asked."""
    for least in (46, 45, len(datagram)):
        linktype, frame = made(codec, link, kind, datagram, bytes(max(0, least - len(datagram))))
        assert corrected(codec, linktype, frame) == (frame, (0, 0))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("kind", "datagram"), DATAGRAMS, ids=NAMES)
def test_trailers(codec, link, kind, datagram):
    """What is right by its checksum stays so; whoever added bytes is told."""
    for tail in (b"TRAILER-ts-8bytes", b"\1\2\3\4", bytes(60), b"\0\0\0\1", bytes(1)):
        linktype, frame = made(codec, link, kind, datagram, tail)
        got, doubt = corrected(codec, linktype, frame)
        assert got == frame
        assert doubt in ((1, 0), (0, 0))
        assert doubt == (1, 0) or (len(datagram) + len(tail) <= 50 and not any(tail[: 46 - len(datagram)]))


@pytest.mark.parametrize("link", ["Ethernet", "VLAN", "QinQ"])
@pytest.mark.parametrize(("kind", "datagram"), DATAGRAMS, ids=NAMES)
@pytest.mark.parametrize("fill", [b"", b"\0", b"U"])
def test_fcs(codec, link, kind, datagram, fill):
    """Behind padding of any kind, behind the datagram, of larger frames; one that is right says that nothing was changed."""
    linktype, frame = made(codec, link, kind, datagram, fill * max(0, 46 - len(datagram)))
    frame = with_fcs(frame)
    assert corrected(codec, linktype, frame) == (frame, (0, 0))
    large = with_fcs(made(codec, link, kind, (ipv4 if kind == 0x0800 else ipv6)(17, udp(bytes(range(200)))), b"")[1])
    assert corrected(codec, linktype, large) == (large, (0, 0))


@pytest.mark.parametrize("link", ["Ethernet", "VLAN", "QinQ"])
def test_a_frame_with_fcs_was_changed(codec, link):
    """Its FCS and its checksum are those of before: four bytes are an FCS, also behind zeros."""
    for datagram in (ipv4(17, udp(b"x" * 100)), ipv4(6, tcp(b"x" * 100)), ipv4(17, udp(b"short")) + bytes(13)):
        linktype, frame = made(codec, link, 0x0800, datagram, b"")
        right = with_fcs(frame)
        at = frame.index(b"\x11" if datagram[9] == 17 else b"\6", 20) + 13  # a port
        changed = right[: at + 1] + b"\7" + right[at + 2 :]
        got, (trailer, payload) = corrected(codec, linktype, changed)
        assert got == corrected(codec, linktype, changed, ALL)[0]
        assert payload == 0
        assert trailer == (datagram[-1] != 0)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("kind", "datagram"), DATAGRAMS, ids=NAMES)
@pytest.mark.parametrize("size", [3, 100])
def test_payload_that_was_added(codec, link, kind, datagram, size):
    """Somebody put bytes into the payload: the checksum is wrong by the length, what there is counts, and that is said."""
    if kind == 0x0800 and datagram[9] == 2:
        return
    linktype, before = made(codec, link, kind, datagram, b"")
    build = LINKS[link][1]
    grown = build(kind, datagram[:-1] + b"!" * size + datagram[-1:])
    longer = before[: len(before) - 1] + b"!" * size + before[-1:]
    got, (trailer, payload) = corrected(codec, linktype, longer)
    if "GRE" not in link and link != "VXLAN":
        at = len(longer) - len(datagram) - size
        assert (
            struct.unpack_from("!H", got, at + (2 if kind == 0x0800 else 4))[0] + (0 if kind == 0x0800 else 40)
            == len(datagram) + size
        )
    outer = len(datagram) + size if link in ("Ethernet", "VLAN", "QinQ", "SLL", "SLL2", "loopback", "raw") else 1500
    assert (trailer, payload) == (0, int(outer >= 46))  # shorter frames are on no wire: nothing is behind them
    assert len(grown) == len(got)
    assert corrected(codec, linktype, got) == (got, (0, 0))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(("kind", "datagram"), DATAGRAMS, ids=NAMES)
@pytest.mark.parametrize("tail", [b"", bytes(46)], ids=["alone", "padded"])
def test_wrong_lengths(codec, link, kind, datagram, tail):
    """Too large, too small, zero; padding is known by the length in the pseudo-header, and by UDP's own."""
    if tail and (datagram[9 if kind == 0x0800 else 6] in (1, 2) or len(datagram) > 46):
        return  # nothing says where they end
    tail = tail[: max(0, 46 - len(datagram))]
    linktype, right = made(codec, link, kind, datagram, tail)
    at = len(right) - len(tail) - len(datagram) + (2 if kind == 0x0800 else 4)
    for value in (0, 1, 0xFFFF, "more"):
        wrong = struct.unpack_from("!H", right, at)[0] + len(tail) + 1 if value == "more" else value
        broken = right[:at] + struct.pack("!H", wrong) + right[at + 2 :]
        assert corrected(codec, linktype, broken)[0] == right
        if "udp" in NAMES[DATAGRAMS.index((kind, datagram))]:
            place = len(right) - len(tail) - len(datagram) + (20 if kind == 0x0800 else 40) + 4
            wrong = broken[:place] + struct.pack("!H", 0 if value == "more" else value) + broken[place + 2 :]
            assert corrected(codec, linktype, wrong)[0] == right
            assert corrected(codec, linktype, right[:place] + wrong[place : place + 2] + right[place + 2 :])[0] == right


def test_lengths_inside_agree(codec):
    """The smaller reading: UDP's own length, or that of a datagram inside, where the outer one cannot be."""
    for datagram in (ipv4(17, udp(b"x" * 60)), ipv4(4, ipv4(6, tcp(b"x" * 60))), ipv4(41, ipv6(17, udp(b"x" * 60)))):
        right = corrected(codec, 101, datagram + b"trailer", ALL)[0]
        for total in (0, 0xFFFF, len(datagram) + 3000):
            got, doubt = corrected(codec, 101, right[:2] + struct.pack("!H", total) + right[4:])
            assert (got, doubt) == (right, (1, 0))


def test_a_surplus_of_udp_stays(codec):
    """RFC 9868: options of UDP stand behind what it says is its own."""
    right = corrected(codec, 101, ipv4(17, udp(b"hello") + b"\1\1\0\0"), ALL)[0]
    assert corrected(codec, 101, right) == (right, (0, 0))


def test_what_was_left_to_the_card_vouches_too(codec):
    """Packets of this host, captured before the card has finished the checksum: the pseudo-header's sum has the length."""
    right = corrected(codec, 101, ipv4(17, udp(b"hello")), ALL)[0]
    pseudo = sum(struct.unpack("!4H", right[12:20])) + 17 + 13
    left = right[:26] + struct.pack("!H", (pseudo & 0xFFFF) + (pseudo >> 16)) + right[28:] + b"trailing bytes"
    assert corrected(codec, 101, left)[0][:26] == right[:26]


@pytest.mark.parametrize(
    "datagram",
    [ipv4(17, bytes(range(32)), fragment=0x2001), ipv4(50, b"esp" * 9), ipv6(99, b"what" * 9), ipv4(17, udp(b"x" * 33))],
    ids=["fragment", "ESP", "IPv6", "UDP without"],
)
def test_without_a_checksum(codec, datagram):
    """Nothing vouches but IPv4's own sum: the smaller reading, and that is said. Bytes behind short ones were written."""
    right = corrected(codec, 101, datagram, ALL)[0][:20] + datagram[20:]
    frame = right + b"0123456789" * 4
    got, doubt = corrected(codec, 101, frame)
    assert (got[:20], doubt) == (frame[:20], (1, 0))
    if datagram[0] == 0x45 and datagram[6:8] == b"\0\0":
        got, doubt = corrected(codec, 101, frame[:8] + b"\1" + frame[9:])  # the TTL
        assert (got[2:4], doubt) == (struct.pack("!H", len(frame)), (0, 1))
        short = corrected(codec, 101, ipv4(50, b"esp" * 5), ALL)[0] + b"!"
        assert corrected(codec, 101, short)[0][3] == len(short)


def test_of_packets_that_were_cut(codec):
    """What was not captured cannot be looked at."""
    frame = corrected(codec, 1, ethernet(0x0800, ipv4(17, udp(b"x" * 400))), ALL)[0]
    got, doubt = corrected(codec, 1, frame[:100], original=len(frame) + 4)
    assert (got, doubt) == (frame[:100], (1, 0))


def test_lengths_that_were_zeroed_say_nothing(backend):
    """How whoever added bytes says that they are payload."""
    packet = corrected_text(ipv4(17, udp(b"hello")) + b" and more of it, well beyond")
    done = shell("pkt-correct -L | pkt-txt2bin | wc -c; ", packet, backend=backend)
    assert (done.stdout.strip(), b"taken for a trailer in 1" in done.stderr) == (b"61", True)
    grown = shell(
        "pkt-change IP.TOTAL_SIZE=0 UDP.SIZE=0 | pkt-correct -L | pkt-filter 'IP.TOTAL_SIZE==61 and UDP.SIZE==41'", packet
    )
    assert (grown.stdout.count(b"\n=="), grown.stderr) == (1, b"")


def corrected_text(datagram: bytes) -> bytes:
    """As text, with right checksums."""
    text = b"LINKTYPE: 101\n-- 1 --\nTIME: 1\n" + datagram.hex(" ").encode() + b"\n==\n"
    return shell("pkt-correct", text).stdout


def test_the_command(backend, shared):
    """What could not be decided is counted at the end."""
    decided = b"pkt-correct: 1 packet could not be decided: bytes behind a datagram were taken for a trailer in 1\n"
    for name, said in (("pad-vlan", b""), ("pad-fcs", decided)):
        path = shared / "cases" / f"{name}.pcap"
        done = shell(f"pkt-correct -L -F pcap --in {path}", backend=backend)
        assert (done.returncode, done.stdout, done.stderr) == (0, path.read_bytes(), said)


@pytest.mark.parametrize("size", [65534, 65535, 65536])
@pytest.mark.parametrize("version", [4, 6])
def test_the_largest_length_of_udp(codec, version, size):
    """RFC 2675 section 4: beyond 65,535 bytes it is 0 in IPv6; IPv4 has no word for it, and what stands there stays."""
    message = udp(b"\xff" * (size - 8), 3)  # less than its header: it says nothing
    zeroed = bytearray(ipv4(17, b"") if version == 4 else ipv6(17, b""))
    place = 2 if version == 4 else 4
    zeroed[place : place + 2] = b"\0\0"  # the datagram goes on to the end of what holds it
    got, _ = corrected(codec, 101, bytes(zeroed) + message)
    (said,) = struct.unpack_from("!H", got, len(zeroed) + 4)
    assert said == (size if size <= 65535 else 3 if version == 4 else 0)


@pytest.mark.parametrize(
    ("place", "whole"),
    [(2, ipv4(6, tcp(b"\xff" * 65491))), (4, ipv6(6, tcp(b"\xff" * 65511)))],
    ids=["IPv4", "IPv6"],
)  # fmt: skip
def test_the_largest_datagram_is_vouched_for(codec, place, whole):
    """Of 65,535 bytes, by all of which its checksum is right: they are its, whatever less it says."""
    right, _ = corrected(codec, 101, whole, ALL)
    assert struct.unpack_from("!H", right, place) == (65535,)
    said_less = right[:place] + struct.pack("!H", 1000) + right[place + 2 :]
    assert corrected(codec, 101, said_less) == (right, (0, 0))
