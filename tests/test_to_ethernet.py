"""pkt-change --to-ethernet of link types beyond raw IP and cooked ones: what they carry, their addresses, and what cannot be."""

from __future__ import annotations

import struct

import pytest
from conftest import shell
from samples import ARP, ipv4, ipv6, udp

V4, V6 = ipv4(17, udp()), ipv6(17, udp())
A, B, C, D = (bytes([2, 0, 0, 0, 0, last]) for last in (10, 11, 12, 13))
NOBODY = bytes(12)
SNAP = b"\xaa\xaa\3\0\0\0"


def wlan(flags: int, payload: bytes, subtype: int = 0, more: bytes = b"", fragment: int = 0) -> bytes:
    """Data of 802.11: addresses A to C, then what `more` has."""
    return bytes([subtype << 4 | 8, flags, 0, 0]) + A + B + C + struct.pack("<H", fragment) + more + payload


def radiotap(frame: bytes, flags: int | None = None) -> bytes:
    head = struct.pack("<BBHI", 0, 0, 8, 0) if flags is None else struct.pack("<BBHIB", 0, 0, 9, 2, flags)
    return head + frame


def cooked(hardware: int, protocol: int, frame: bytes) -> bytes:
    """Linux's, of a type of interface."""
    return struct.pack("!HHHQH", 0, hardware, 0, 0, protocol) + frame


def nflog(packet: bytes, family: int = 2, order: str = "<", *attributes: tuple[int, bytes]) -> bytes:
    """A logged packet behind attributes, each with its type and value."""
    found = bytes([family, 0, 0, 5])
    for kind, value in (*attributes, (9, packet)):
        found += struct.pack(order + "HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return found


def text(frame: bytes, linktype: int, size: str = "") -> bytes:
    lines = [
        f"LINKTYPE: {linktype}",
        "-- 1 --",
        "TIME: 5.0",
        *([f"SIZE: {size}"] if size else []),
        f"000000: {frame.hex(' ')}",
        "==",
    ]
    return ("\n".join(lines) + "\n").encode()


CONVERTED = {
    "PPP": (9, b"\xff\3\0\x21" + V4, NOBODY + b"\x08\0" + V4),
    "PPP, short": (9, b"\x57" + V6, NOBODY + b"\x86\xdd" + V6),
    "PPP, bare": (9, b"\0\x57" + V6, NOBODY + b"\x86\xdd" + V6),
    "PPP in HDLC": (50, b"\xff\3\x21" + V4, NOBODY + b"\x08\0" + V4),
    "Cisco's": (50, b"\x0f\0\x08\0" + V4, NOBODY + b"\x08\0" + V4),
    "PPP with a label": (9, b"\xff\3\2\x81\0\2\1\x40" + V4, NOBODY + b"\x88\x47\0\2\1\x40" + V4),
    "PPP with direction": (204, b"\0\xff\3\0\x21" + V4, NOBODY + b"\x08\0" + V4),
    "PPPoE": (51, b"\x11\0\0\7\0\x2f\0\x21" + V4, NOBODY + b"\x88\x64\x11\0\0\7\0\x2f\0\x21" + V4),
    "PPPoE discovery": (51, b"\x11\x09\0\0\0\4\1\1\0\0", NOBODY + b"\x88\x63\x11\x09\0\0\0\4\1\1\0\0"),
    "HDLC": (104, b"\x8f\0\x86\xdd" + V6, NOBODY + b"\x86\xdd" + V6),
    "to an access point": (105, wlan(1, SNAP + b"\x08\0" + V4), C + B + b"\x08\0" + V4),
    "from one": (105, wlan(2, SNAP + b"\x86\xdd" + V6), A + C + b"\x86\xdd" + V6),
    "without one": (105, wlan(0, SNAP + b"\x08\6" + ARP), A + B + b"\x08\6" + ARP),
    "between two": (105, wlan(3, SNAP + b"\x08\0" + V4, 8, D + b"\0\0"), C + D + b"\x08\0" + V4),
    "QoS and HTC": (105, wlan(0x81, SNAP + b"\x08\0" + V4, 8, bytes(6)), C + B + b"\x08\0" + V4),
    "802.1H": (105, wlan(1, b"\xaa\xaa\3\0\0\xf8\x08\0" + V4), C + B + b"\x08\0" + V4),
    "LLC": (105, wlan(1, b"\x42\x42\3" + bytes(35)), C + B + b"\0\x26\x42\x42\3" + bytes(35)),
    "somebody's SNAP": (105, wlan(1, b"\xaa\xaa\3\0\0\x0c\x20\0" + bytes(9)), C + B + b"\0\x11\xaa\xaa\3\0\0\x0c\x20\0" + bytes(9)),
    "radiotap": (127, radiotap(wlan(1, SNAP + b"\x08\0" + V4)), C + B + b"\x08\0" + V4),
    "with an FCS": (127, radiotap(wlan(1, SNAP + b"\x08\0" + V4) + b"fcs!", 0x10), C + B + b"\x08\0" + V4),
    "padded": (127, radiotap(wlan(1, SNAP + b"\x08\0" + V4, 8, bytes(4)), 0x20), C + B + b"\x08\0" + V4),
    "802.11 of a cooked socket": (
        113, cooked(803, 4, radiotap(wlan(1, SNAP + b"\x08\0" + V4))), C + B + b"\x08\0" + V4),
    "the same without radiotap": (113, cooked(801, 4, wlan(2, SNAP + b"\x86\xdd" + V6)), A + C + b"\x86\xdd" + V6),
    "NFLOG": (239, nflog(V4), NOBODY + b"\x08\0" + V4),
    "NFLOG, big": (239, nflog(V6, 10, ">"), NOBODY + b"\x86\xdd" + V6),
    "NFLOG, received": (239, nflog(V4, 2, "<", (8, b"\0\6\0\0" + A + b"\0\0")), bytes(6) + A + b"\x08\0" + V4),
    "NFLOG, a header": (239, nflog(V4, 2, ">", (15, b"\0\1"), (16, B + A + b"\x08\0"), (17, b"\0\x0e")), B + A + b"\x08\0" + V4),
}  # fmt: skip

LEFT = {
    "LCP": (9, b"\xff\3\xc0\x21\1\1\0\4"), "HDLC's own": (104, b"\x8f\0\x80\x35" + bytes(18)), "OSI": (104, b"\x0f\0\xfe\xfe\3abc"),
    "management": (105, b"\x80\0\0\0" + A + B + C + bytes(12)), "control": (105, b"\xd4\0\0\0" + A),
    "nothing in it": (105, wlan(1, b"", 4)), "encrypted": (105, wlan(0x41, SNAP + b"\x08\0" + V4)),
    "A-MSDU": (105, wlan(1, A + B + struct.pack("!H", len(V4) + 8) + SNAP + b"\x08\0" + V4, 8, b"\x80\0")),
    "a fragment": (105, wlan(5, SNAP + b"\x08\0" + V4)), "the next": (105, wlan(1, SNAP + b"\x08\0" + V4, fragment=1)),
    "NFLOG of ARP": (239, nflog(ARP, 3)), "NFLOG without": (239, bytes([2, 0, 0, 5])), "radiotap alone": (127, radiotap(b"")),
    "netlink of a cooked socket": (113, cooked(824, 0x0800, struct.pack("<IHHII", 16, 16, 0, 1, 2))),
    "frame relay": (113, cooked(770, 0x0800, b"\x18\x41\3\xcc" + V4)),
    "too long for a length": (105, wlan(1, b"\x42\x42\3" + bytes(1498))),
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERTED)
def test_converted(backend, name):
    linktype, frame, wanted = CONVERTED[name]
    done = shell("pkt-change --to-ethernet", text(frame, linktype), backend=backend)
    assert done.stderr == b""
    assert done.stdout == shell("pkt-txt2txt", text(wanted, 1)).stdout


def test_what_stays_as_it_is(backend):
    """It is counted."""
    data = b"".join(text(frame, linktype) for linktype, frame in LEFT.values())
    done = shell("pkt-change --to-ethernet", data, backend=backend)
    assert done.stderr == b"pkt-change: %d packets not converted: nothing is known of what they carry\n" % len(LEFT)
    assert done.stdout == shell("pkt-txt2txt", data).stdout


@pytest.mark.parametrize("captured", [78, 76, 74, 50])
def test_an_fcs_that_was_not_captured(backend, captured):
    """Of a truncated frame the check sequence is missing first; the sizes are those without it."""
    frame = radiotap(wlan(1, SNAP + b"\x08\0" + V4) + b"fcs!", 0x10)
    there = min(captured, 74) - 27
    done = shell("pkt-change --to-ethernet", text(frame[:captured], 127, f"{captured}/78"), backend=backend)
    assert done.stdout == shell("pkt-txt2txt", text((C + B + b"\x08\0" + V4)[:there], 1, f"{there}/47")).stdout


def test_what_comes_out_is_ethernet(backend):
    """Assignments are to the frame that it has become, and checksums follow."""
    data = b"".join(text(frame, linktype) for name, (linktype, frame, _) in CONVERTED.items() if name != "LLC")
    done = shell("pkt-correct | pkt-change --to-ethernet -u IP.TTL=9 | pkt-filter IP.TTL==9 | pkt-check -cs", data, backend=backend)
    assert done.stdout.count(b"\n==\n") == sum(V4 in frame for _, frame, _ in CONVERTED.values())


def test_a_protocol_of_the_user(tmp_path, backend):
    """What has an EtherType, whoever describes it, is put under Ethernet with that."""
    own = tmp_path / "game.protocol"
    own.write_text("protocol GAME\nafter ethertype 0x88B5\nafter ppp 0x4221\nafter linktype 147\nfield TYPE 8\n")
    for linktype, frame in ((9, b"\xff\3\x42\x21\7"), (147, b"\7")):
        done = shell(f"pkt-change --protocols {own} --to-ethernet", text(frame, linktype), backend=backend)
        assert (done.stderr, done.stdout) == (b"", shell("pkt-txt2txt", text(NOBODY + b"\x88\xb5\7", 1)).stdout)
