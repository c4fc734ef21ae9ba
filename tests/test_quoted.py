"""What errors of ICMP quote: headers for filters, assignments and people, and of another packet for all that corrects and checks.

And what stands behind it (RFC 4884).
"""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from conftest import shell
from samples import ethernet, extension, gre, icmp, ipv4, ipv6, row_of, tags, tcp, udp, vxlan

from pkttools.language import assigning, expression
from pkttools.protocols.fields import HEADERS

NEVER_THERE = bytes([0xDE, 0xAD])


def error4(quoted: bytes, kind: int = 3, word: bytes = bytes(4)) -> bytes:
    return ipv4(1, bytes([kind, 0, 0, 0]) + word + quoted)


def error6(quoted: bytes, kind: int = 1, word: bytes = bytes(4)) -> bytes:
    return ipv6(58, bytes([kind, 0, 0, 0]) + word + quoted)


def extended(*objects: tuple[int, int, bytes]) -> bytes:
    """An extension structure of RFC 4884; its checksum is 0: there is none."""
    return struct.pack("!HH", 0x2000, 0) + b"".join(struct.pack("!HBB", 4 + len(data), *of) + data for *of, data in objects)


def label(number: int, bottom: bool = True) -> bytes:
    return struct.pack("!I", number << 12 | bottom << 8 | 9)


MPLS = extended((1, 1, label(16004, False) + label(24)), (2, 8, struct.pack("!I", 7)))

CARRIED = {
    "4": lambda quoted: ethernet(0x0800, error4(quoted)),
    "6": lambda quoted: ethernet(0x86DD, error6(quoted)),
    "redirect": lambda quoted: ethernet(0x0800, error4(quoted, 5)),
    "quench": lambda quoted: ethernet(0x0800, error4(quoted, 4)),
    "expired": lambda quoted: ethernet(0x0800, error4(quoted, 11)),
    "parameter": lambda quoted: ethernet(0x0800, error4(quoted, 12)),
    "too big": lambda quoted: ethernet(0x86DD, error6(quoted, 2)),
    "expired 6": lambda quoted: ethernet(0x86DD, error6(quoted, 3)),
    "parameter 6": lambda quoted: ethernet(0x86DD, error6(quoted, 4)),
    "tagged": lambda quoted: ethernet(0x8100, tags([0x8100, 0x8100], 0x0800, error4(quoted))),
    "in IP": lambda quoted: ethernet(0x0800, ipv4(4, error4(quoted))),
    "in GRE": lambda quoted: ethernet(0x0800, ipv4(47, gre(0x86DD, error6(quoted)))),
    "in VXLAN": lambda quoted: ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, error4(quoted))))),
}


def names(codec: ModuleType, frame: bytes, own: bool = False) -> list[str]:
    return [HEADERS[kind] for kind, *_ in codec.walk(bytearray(frame), row_of(frame), own)]


def passes(codec: ModuleType, frame: bytes, filter: str) -> bool:
    return bool(codec.select(bytearray(frame), row_of(frame), expression.compiled(expression.any_of([filter]))))


def corrected(codec: ModuleType, frame: bytes, what: int = 0) -> bytes:
    data = bytearray(frame)
    codec.correct(data, row_of(frame), what)
    return bytes(data)


def assigned(codec: ModuleType, frame: bytes, *texts: str, follow: bool = False) -> bytes:
    data = bytearray(frame)
    codec.assign(data, row_of(frame), assigning.assignments([tuple(text.partition("=")) for text in texts]), None, follow)
    return bytes(data)


def right(codec: ModuleType, packet: bytes) -> bytes:
    """A packet of IP with its checksums."""
    data = bytearray(packet)
    codec.correct(data, row_of(packet, 101), 0)
    return bytes(data)


QUOTED = {
    "UDP": (ipv4(17, udp(bytes(90)))[:60], ["IP", "UDP", "DNS"]),
    "UDP in IPv6": (ipv6(17, udp(bytes(90)))[:80], ["IPV6", "UDP", "DNS"]),
    "a part of TCP": (ipv4(6, tcp())[:28], ["IP", "TCP"]),
    "a part of TCP in IPv6": (ipv6(6, tcp())[:48], ["IPV6", "TCP"]),
    "behind options": (ipv6(60, extension(6, bytes(6)) + tcp())[:56], ["IPV6", "IPV6_OPTIONS", "TCP"]),
    "behind a fragment header": (ipv6(44, bytes([17, 0, 0, 1, 0, 0, 0, 9]) + bytes(60))[:60], ["IPV6", "IPV6_FRAGMENT"]),
    "a fragment": (ipv4(17, udp(bytes(40)), fragment=0x2000), ["IP"]),
    "an echo request": (ipv4(1, icmp(8)), ["IP", "ICMP"]),
    "a tunnel": (ipv4(4, ipv4(17, udp(bytes(40))))[:48], ["IP", "IP", "UDP"]),
    "GRE": (ipv4(47, gre(0x0800, ipv4(17, udp())))[:52], ["IP", "GRE", "IP", "UDP"]),
    "an error": (error4(ipv4(17, udp())), ["IP", "ICMP", "ICMP_UNREACHABLE", "IP", "UDP"]),
    "a part of IP": (ipv4(17, udp())[:12], ["IP"]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("what", QUOTED)
@pytest.mark.parametrize("carried", ["4", "6", "in VXLAN"])
def test_quoted_packets_are_walked(codec: ModuleType, carried: str, what: str) -> None:
    quoted, expected = QUOTED[what]
    frame, bare = CARRIED[carried](quoted), names(codec, CARRIED[carried](b""))
    assert [name for name in names(codec, frame)[len(bare) :] if name not in ("DNS",)] == [n for n in expected if n != "DNS"]
    assert names(codec, frame, True) == bare


@pytest.mark.parametrize("carried", CARRIED)
def test_a_quoted_packet_is_neither_judged_nor_corrected(codec: ModuleType, carried: str) -> None:
    """Its lengths go beyond what is there, its checksums are wrong, or of 0."""
    quoted = bytearray(ipv4(17, udp(bytes(90)))[:60])
    quoted[10:12] = quoted[26:28] = NEVER_THERE
    frame = CARRIED[carried](bytes(quoted))
    once = corrected(codec, frame, 1)
    assert once.endswith(bytes(quoted))
    assert codec.check(bytearray(once), row_of(once)) == b"\0"
    count = len(names(codec, once)) - len(names(codec, once, True))
    assert codec.verify(bytearray(once), row_of(once))[-count:] == [0] * count


@pytest.mark.parametrize("carried", CARRIED)
def test_filters_and_assignments_see_it(codec: ModuleType, carried: str) -> None:
    frame = CARRIED[carried](ipv4(6, tcp())[:28])
    assert passes(codec, frame, "TCP.DST_PORT==80") and passes(codec, frame, "TCP.SEQ_NUMBER==1") and passes(codec, frame, "TCP")
    assert not passes(codec, frame, "TCP.FLAGS>=0") and not passes(codec, frame, "TCP.ACK_NUMBER>=0")
    assert passes(codec, frame, "IP.DST_ADDR[-1]==192.0.2.2 and not IP.DST_ADDR[-1]==192.0.2.1")
    changed = assigned(codec, frame, "TCP.DST_PORT=8080", "IP.TTL[-1]=3")
    assert changed == frame[:-20] + bytes([3]) + frame[-19:-6] + struct.pack("!H", 8080) + frame[-4:]


def followed(codec: ModuleType, frame: bytes, texts: tuple[str, ...], linktype: int = 1, cut: int = 0) -> tuple[bytes, int, int]:
    """What `-u` makes of a frame, and how many packets it counts where a checksum could not follow, or is not known.

    cut: bytes that were not captured.
    """
    data = bytearray(frame)
    program = assigning.assignments([tuple(text.partition("=")) for text in texts])
    rows = struct.pack("=7q", 0, len(frame), len(frame) + cut, 0, linktype, 0, 0)
    *_, stale, unknown = codec.assign(data, rows, program, None, True)
    return bytes(data), stale, unknown


EDITS = {  # what is quoted, as far as it is, and what is changed in it
    "IPv4": (ipv4(17, udp()), 0, ("IP.TTL[-1]=9", "UDP.DST_PORT[-1]=54")),
    "addresses": (ipv4(6, tcp()), 0, ("IP.SRC_ADDR[-1]=10.1.2.3",)),
    "IPv6": (ipv6(6, tcp()), 0, ("IPV6.DST_ADDR[-1]=2001:db8::99", "TCP.SEQ_NUMBER=7")),
    "SCTP": (ipv4(132, bytes(12) + b"\3\0\0\4"), 0, ("SCTP.DST_PORT=7",)),
    "a tunnel": (ipv4(4, ipv4(17, udp())), 0, ("IP.TTL[-1]=9",)),
    "what was cut": (ipv4(17, udp(bytes(90))), 60, ("IP.DST_ADDR[-1]=10.1.2.3", "UDP.SRC_PORT[-1]=7")),
    "of IPv6": (ipv6(17, udp(bytes(90))), 50, ("UDP.SRC_PORT[-1]=7",)),
}  # fmt: skip


@pytest.mark.parametrize("wrong", [0, 1])
@pytest.mark.parametrize("what", EDITS)
@pytest.mark.parametrize("carried", ["4", "6", "in VXLAN"])
def test_checksums_of_what_is_quoted_follow(codec: ModuleType, carried: str, what: str, wrong: int) -> None:
    """As those of the packet itself do: right ones are right, others as wrong as they were. And those of the error are right."""
    whole, cut, texts = EDITS[what]
    quoted = bytearray(right(codec, whole)[: len(whole) - cut])
    if wrong:
        quoted[10] ^= quoted[0] >> 4 == 4
        quoted[26] ^= quoted[9] == 17
    expected = followed(codec, bytes(quoted), texts, 101, cut)[0]
    assert expected != quoted
    made, *untold = followed(codec, corrected(codec, CARRIED[carried](bytes(quoted))), texts)
    assert made.endswith(expected)
    assert untold == [0, 0]
    assert corrected(codec, made) == made


@pytest.mark.parametrize(("quoted", "text"), [
    (ipv4(6, tcp())[:28], "TCP.DST_PORT=8080"), (ipv6(6, tcp())[:48], "IPV6.DST_ADDR[-1]=::1"),
    (ipv4(17, udp())[:9], "IP.TTL[-1]=9"), (ipv4(17, udp(bytes(40)), fragment=0x2005), "IP.DATA[-1]=0102"),
], ids=["TCP", "TCP in IPv6", "a part of IP", "a fragment"])  # fmt: skip
def test_a_checksum_that_is_not_quoted_is_no_loss(codec: ModuleType, quoted: bytes, text: str) -> None:
    """It was cut off when the error was sent, and is in no packet."""
    made, *untold = followed(codec, corrected(codec, CARRIED["4"](quoted)), (text,))
    assert untold == [0, 0]
    assert corrected(codec, made) == made


def test_what_is_quoted_follows_for_what_was_set(codec: ModuleType) -> None:
    """A checksum in it that was set stays; and without `-u` all others do."""
    frame = CARRIED["4"](right(codec, ipv4(17, udp())))
    made = followed(codec, frame, ("IP.TTL[-1]=9", "IP.CHECKSUM[-1]=0xDEAD", "UDP.DST_PORT=54", "UDP.CHECKSUM=0xBEEF"))[0]
    assert (made[52:54], made[68:70]) == (b"\xde\xad", b"\xbe\xef")
    assert assigned(codec, frame, "IP.TTL[-1]=9") == frame[:50] + b"\x09" + frame[51:]


def test_addresses_are_exchanged_of_the_error_alone(codec: ModuleType) -> None:
    program = assigning.assignments([], (("IP.SRC_ADDR", "IP.DST_ADDR"), ("UDP.SRC_PORT", "UDP.DST_PORT")))
    frame = CARRIED["4"](ipv4(17, udp()))
    data = bytearray(frame)
    codec.assign(data, row_of(frame), program, None, False)
    assert data == frame[:26] + frame[30:34] + frame[26:30] + frame[34:]


def test_a_quoted_fragment_waits_for_nobody(backend: str) -> None:
    """Nor is it counted as one inside a tunnel; and what is fragmented is the error."""
    frames = [CARRIED[carried](ipv4(17, udp(bytes(600)), fragment=0x2000)) for carried in ("4", "6")]
    text = "".join(f"-- 1 --\n{frame.hex(' ')}\n==\n" for frame in frames).encode()
    whole = shell("pkt-correct -do", text, backend=backend).stdout
    done = shell("pkt-defragment -do", whole, backend=backend)
    assert (done.stdout, done.stderr) == (whole, b"")
    assert shell("pkt-fragment -fm 400 | pkt-defragment -do", whole, backend=backend).stdout == whole


# ---- what stands behind ----

EXTENDED = {
    "by its length": (CARRIED["4"], 128, 5, 32),
    "more of it": (CARRIED["expired"], 136, 5, 34),
    "behind 128 bytes": (CARRIED["4"], 128, 5, 0),
    "behind 128 bytes of a time that expired": (CARRIED["expired"], 128, 5, 0),
    "of a parameter problem": (CARRIED["parameter"], 128, 5, 32),
    "of ICMPv6": (CARRIED["6"], 128, 4, 16),
    "in a tunnel": (CARRIED["in GRE"], 136, 4, 17),
    "tagged": (CARRIED["tagged"], 128, 5, 32),
}


def with_length(carry: object, size: int, at: int, value: int, behind: bytes, quoted: bytes = b"") -> bytes:
    """An error that quotes `size` bytes, its length at byte `at` of ICMP."""
    body = (quoted or ipv4(17, udp(bytes(300)))[:size]).ljust(size, b"\0") + behind
    frame = bytearray(carry(body))
    frame[-len(body) - 8 + at] = value
    return bytes(frame)


@pytest.mark.parametrize("what", EXTENDED)
@pytest.mark.parametrize("quoted", [b"", ipv4(17, udp()), ipv6(6, tcp(bytes(500)))[:120]], ids=["cut", "padded", "of IPv6"])
def test_extensions(codec: ModuleType, what: str, quoted: bytes) -> None:
    carry, size, at, value = EXTENDED[what]
    frame = with_length(carry, size, at, value, MPLS, quoted)
    found = ["ICMP_EXT", "ICMP_OBJECT", "ICMP_LABEL", "ICMP_LABEL", "ICMP_OBJECT", "ICMP_INTERFACE"]
    assert names(codec, frame)[-6:] == names(codec, frame, True)[-6:] == found
    wanted = "MPLS.LABEL[1]==16004 and MPLS.LABEL[2]==24 and MPLS.BOTTOM[2]==1 and ICMP_OBJECT.CLASS[2]==interface"
    assert passes(codec, frame, f"{wanted} and ICMP_OBJECT.IF_INDEX==7 and ICMP_EXT.VERSION==2 and ICMP_EXT.CHECKSUM==0")


@pytest.mark.parametrize("behind", [b"", MPLS], ids=["alone", "in front of another one"])
def test_the_extension_of_an_error_that_is_quoted_is_quoted(codec: ModuleType, behind: bytes) -> None:
    """It is neither judged nor corrected, as what is in front of it."""
    inner = error4(ipv4(17, udp()).ljust(128, b"\0") + MPLS[:2] + NEVER_THERE + MPLS[4:], 11, b"\0\x20\0\0")
    frame = CARRIED["4"](inner)
    if behind:
        frame = ethernet(0x0800, error4(inner.ljust(192, b"\0") + behind, 3, b"\0\x30\0\0"))
    own = ["ETHERNET", "IP", "ICMP", "ICMP_UNREACHABLE"]
    found = ["ICMP_EXT", "ICMP_OBJECT", "ICMP_LABEL", "ICMP_LABEL", "ICMP_OBJECT", "ICMP_INTERFACE"]
    assert names(codec, frame, True) == own + (found if behind else [])
    assert inner in corrected(codec, frame)


NO_EXTENSION = {
    "another version": (32, b"\x10" + MPLS[1:]),
    "old, of another version": (0, b"\x10" + MPLS[1:]),
    "old, and no object": (0, MPLS[:4] + bytes(20)),
    "nothing": (32, b""),
    "a length beyond the packet": (200, MPLS),
}


@pytest.mark.parametrize("what", NO_EXTENSION)
def test_what_is_no_extension(codec: ModuleType, what: str) -> None:
    value, behind = NO_EXTENSION[what]
    frame = with_length(CARRIED["4"], 128, 5, value, behind)
    assert "ICMP_EXT" not in names(codec, frame) and names(codec, frame)[2] == "ICMP"
    assert codec.check(bytearray(once := corrected(codec, frame)), row_of(once)) == b"\0"


INDEX, ADDR, ADDR6 = struct.pack("!I", 7), bytes([0, 1, 0, 0, 192, 0, 2, 9]), b"\0\2\0\0\xfe\x80" + bytes(13) + b"\x09"
NAME, MTU = b"\x08eth0\0\0\0", struct.pack("!I", 1500)
OBJECTS = {
    "an interface": (
        extended((2, 15, INDEX + ADDR + NAME + MTU)),
        "ICMP_OBJECT.IF_INDEX==7 and ICMP_OBJECT.IF_ADDR==192.0.2.9 and "
        "ICMP_OBJECT.IF_NAME==eth0 and ICMP_OBJECT.IF_NAME_SIZE==8 and ICMP_OBJECT.IF_MTU==1500",
    ),
    "its address alone": (extended((2, 4, ADDR6)), "ICMP_OBJECT.IF_ADDR6==fe80::9 and ICMP_OBJECT.IF_FAMILY==2"),
    "its name alone": (extended((2, 0xC2, NAME)), "ICMP_OBJECT.IF_NAME==eth0 and not ICMP_OBJECT.IF_MTU>=0"),
    "a name behind an address": (extended((2, 6, ADDR + NAME)), "ICMP_OBJECT.IF_NAME==eth0 and not ICMP_OBJECT.IF_INDEX>=0"),
    "an MTU behind an address": (
        extended((2, 13, INDEX + ADDR6 + MTU)),
        "ICMP_OBJECT.IF_MTU==1500 and ICMP_OBJECT.IF_ADDR6==fe80::9",
    ),
    "an MTU alone": (extended((2, 1, MTU), (2, 9, INDEX + MTU)), "ICMP_OBJECT.IF_MTU[2]==1500 and ICMP_OBJECT.IF_INDEX==7"),
    "an address of another family": (
        extended((2, 5, b"\0\x06\0\0" + MTU)),
        "not ICMP_OBJECT.IF_MTU>=0 and not ICMP_OBJECT.IF_ADDR",
    ),
    "a name beyond its object": (
        extended((2, 3, b"\x40eth0\0\0\0" + MTU)),
        "ICMP_OBJECT.IF_NAME_SIZE==64 and not ICMP_OBJECT.IF_MTU>=0",
    ),
    "no room for an index": (extended((2, 8, b"\0\0"), (1, 1, label(3))), "MPLS.LABEL==3 and not ICMP_OBJECT.IF_INDEX>=0"),
    "unknown": (extended((9, 1, b"abcd"), (1, 1, label(3))), "ICMP_OBJECT.DATA[1]==61626364 and MPLS.LABEL==3"),
    "empty": (extended((9, 1, b""), (1, 1, label(3))), "MPLS.LABEL==3"),
    "of a size that cannot be": (MPLS[:4] + b"\0\3" + MPLS[6:], "ICMP_OBJECT.SIZE==3 and not ICMP_OBJECT.SIZE[2]>=0"),
    "beyond the end": (MPLS[:4] + b"\1\0" + MPLS[6:], "ICMP_OBJECT.SIZE==256 and not ICMP_OBJECT.SIZE[2]>=0"),
    "half a label": (extended((1, 1, label(3) + b"\0\0"), (9, 1, b"x")), "MPLS.LABEL==3 and ICMP_OBJECT.CLASS[2]==9"),
}


@pytest.mark.parametrize("what", OBJECTS)
def test_objects(codec: ModuleType, what: str) -> None:
    behind, wanted = OBJECTS[what]
    assert passes(codec, with_length(CARRIED["4"], 128, 5, 32, behind), wanted)


def test_options_behind_a_redirected_packet(codec: ModuleType) -> None:
    option = bytes([4, 7]) + bytes(6) + ipv6(17, udp())[:48]
    body = bytes(4) + bytes(32) + option + bytes([2, 1, 2, 0, 0, 0, 0, 9])
    frame = ethernet(0x86DD, ipv6(58, bytes([137, 0, 0, 0]) + body))
    assert names(codec, frame)[-5:] == ["ICMPV6_REDIRECT", "ND_REDIRECTED", "IPV6", "UDP", "ND_ADDRESS"]
    assert names(codec, frame, True)[-3:] == ["ICMPV6_REDIRECT", "ND_REDIRECTED", "ND_ADDRESS"]


def test_what_is_shown(backend: str) -> None:
    """The lines of 1.16 are what they were; for people the quoted packet is there, and its checksums are no verdict's."""
    frame = CARRIED["4"](ipv4(17, udp())[:28])
    text = f"-- 1 --\n{frame.hex(' ')}\n==\n".encode()
    lines = shell("pkt-txt2txt -a", text, backend=backend).stdout.decode()
    assert lines.count("IP.SRC_ADDR") == 1 and "UDP." not in lines
    assert shell("pkt-txt2txt -do 'ICMP.DATA=aa bb'", text, backend=backend).returncode == 0
    everything = shell("pkt-txt2txt -aa", text, backend=backend).stdout.decode()
    assert everything.count("IP.SRC_ADDR") == 2 and "UDP.DST_PORT" in everything
    shown = shell("pkt-analyze", text, backend=backend).stdout.decode()
    assert shown.count("(Quoted)") == 2 and "1024 / 53" in shown
