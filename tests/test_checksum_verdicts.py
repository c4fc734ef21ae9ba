"""What the commands say of checksums: right, wrong, or left to the network card; and of those that nobody can know."""

from __future__ import annotations

import struct

import pytest
from conftest import shell
from samples import ethernet, ipv4, ipv6, tcp, udp
from test_codec_rules import CASES, FAR6, PARTIAL, big, completed, routing, seeded

import pkttools.codec as any_codec
from pkttools.batch import MAX_FRAME


def text(*frames: bytes) -> bytes:
    return b"LINKTYPE: 101\n" + b"".join(b"-- 1 --\n" + frame.hex(" ").encode() + b"\n==\n" for frame in frames)


def seven() -> bytes:
    """Two that are right, one that is wrong, three that are unfinished, one whose sum cannot be known."""
    rights, lefts = zip(*(seeded(any_codec, PARTIAL[name]) for name in ("tcp", "udp6", "loose route, udp")), strict=True)
    wrong = completed(CASES["udp-lite, all"])[:-1] + b"!"
    obscure = ipv6(43, routing(17, 99, 1, bytes(4) + FAR6) + udp())
    return text(*rights[:2], wrong, *lefts, obscure)


def test_check(backend: str) -> None:
    done = shell("pkt-check -cs", seven(), backend=backend)
    assert (done.returncode, done.stdout.count(b"\n==\n")) == (0, 3)
    assert done.stderr.decode().splitlines() == [
        "pkt-check: 4 packets not valid: 3 unfinished (left to the network card), 1 wrong",
        "pkt-check: 1 packet whose checksum is not known: it covers the end of an unknown route",
    ]
    done = shell("pkt-check", seven(), backend=backend)
    assert (done.stdout.count(b"\n==\n"), done.stderr) == (7, b"")
    done = shell("pkt-check -v", seven(), backend=backend)
    assert b"valid without -cs: 3 unfinished (left to the network card), 1 wrong\n" in done.stderr
    assert shell("pkt-check -cs -rc", seven(), backend=backend).stdout.count(b"\n==\n") == 4


ZEROS, ONES = bytes(6), b"\xff\xff" + bytes(4)


@pytest.mark.parametrize(
    ("data", "checksum", "wrong"), [(ZEROS, b"\0\0", 1), (ZEROS, b"\xff\xff", 0), (ONES, b"\0\0", 0), (ONES, b"\xff\xff", 0)]
)
def test_both_zeros(backend: str, data: bytes, checksum: bytes, wrong: int) -> None:
    """Receivers want all ones as the sum (RFC 1071 section 1): of zeros alone they find none, as the kernel and tshark do."""
    packet = bytearray(ipv4(1, b"\0\0" + checksum + data))
    packet[10:12] = (0xFFFF - sum(struct.unpack("!10H", packet[:20])) % 0xFFFF).to_bytes(2, "big")
    done = shell("pkt-check -cs > /dev/null", text(bytes(packet)), backend=backend)
    assert (b"1 with a wrong checksum" in done.stderr) == wrong


def test_correct(backend: str) -> None:
    done = shell("pkt-correct", seven(), backend=backend)
    assert done.stderr.decode().splitlines() == [
        "pkt-correct: checksums corrected: 3 unfinished (left to the network card), 1 wrong",
        "pkt-correct: 1 packet not corrected in full: 1 on an unknown route",
    ]
    again = shell("pkt-correct", done.stdout, backend=backend)
    assert again.stderr == b"pkt-correct: 1 packet not corrected in full: 1 on an unknown route\n"
    wrong = text(ipv4(17, udp()))
    assert shell("pkt-correct", wrong, backend=backend).stderr == b""
    assert (
        b"checksums corrected: 0 unfinished (left to the network card), 1 wrong"
        in shell("pkt-correct -v", wrong, backend=backend).stderr
    )


def test_what_was_mended(backend: str) -> None:
    """By protocol, with -v alone; in tunnels too, and lengths."""
    inner = ipv4(17, udp(size=9))
    wrong = text(ipv4(6, tcp()), ipv6(17, udp()), ipv4(4, inner), completed(CASES["udp-lite, all"]))
    done = shell("pkt-correct -v -L", wrong, backend=backend)
    assert "mended in 3 packets: 3 IP.CHECKSUM, 1 TCP.CHECKSUM, 1 UDP.CHECKSUM, 1 UDP.SIZE\n" in done.stderr.decode()
    assert b"mended" not in shell("pkt-correct -v", done.stdout, backend=backend).stderr


def test_analyze(backend: str) -> None:
    """As 1.16 showed them, and with their word where that was asked for."""
    done = shell("pkt-analyze -v", seven(), backend=backend)
    assert done.stdout.count(b"(Unfinished, 0x") == 3
    assert b"checksums shown: 3 unfinished (left to the network card), 1 wrong\n" in done.stderr
    done = shell("pkt-analyze", seven(), backend=backend)
    assert b"Unfinished" not in done.stdout
    assert done.stdout.count(b"(Unchecked)") == 1
    assert done.stderr == b"pkt-analyze: checksums shown: 3 unfinished (left to the network card), 1 wrong\n"
    assert shell("pkt-analyze", shell("pkt-correct", seven()).stdout, backend=backend).stderr == b""


def test_change(backend: str) -> None:
    frames = text(*(completed(case) for case in CASES.values()), ipv4(50, bytes(40)), ipv4(253, bytes(8)))
    done = shell("pkt-change -u IP.SRC_ADDR=198.51.100.1 IPV6.SRC_ADDR=fe80::1", frames, backend=backend)
    assert done.stderr.splitlines() == [
        b"pkt-change: 2 packets with a checksum that may have to follow and is not known",
        b"pkt-change: 2 packets with headers that are not followed: 1 ESP, 1 IP protocol 253",
        b"pkt-change: 1 packet with signatures that do not follow what was changed: 1 CARP",
    ]
    checked = shell("pkt-check -cs", done.stdout, backend=backend)
    # The IP headers of the last two were never right.
    assert checked.stderr.startswith(b"pkt-check: 2 packets not valid: 2 with a wrong checksum\n")
    assert checked.stdout.count(b"\n==\n") == len(CASES)


@pytest.mark.parametrize("v6", [False, True])
def test_super_segments(v6: bool, backend: str) -> None:
    """In Ethernet and raw, as text, pcap and pcapng: never without a verdict."""
    frame = completed(big(6, v6))
    packets = text(frame) + b"LINKTYPE: 1\n-- 1 --\n" + ethernet(0x86DD if v6 else 0x0800, frame).hex(" ").encode() + b"\n==\n"
    shown = shell("pkt-analyze", packets, backend=backend).stdout
    assert (shown.count(b"(Valid)"), shown.count(b"(None)")) == (2 if v6 else 4, 0)
    edit = "IPV6.SRC_ADDR=::9" if v6 else "IP.SRC_ADDR=9.9.9.9"
    for form in ("text", "pcapng"):
        done = shell(f"pkt-check -cs -F {form} | pkt-change -u {edit} | pkt-check -cs", packets, backend=backend)
        assert (done.stdout.count(b"\n==\n"), done.stderr) == (2, b""), form
    assert len(frame) < MAX_FRAME
