"""What is true of every kind of header: each protocol's packets go through the commands that act."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from conftest import shell
from samples import batch, ethernet, frames, gre, ipv4, ipv6, udp
from test_corners import gtp, ospf

import pkttools.codec.python as python_codec
from pkttools.codec import WRONG, text_encode
from pkttools.protocols.fields import HEADERS

SAMPLES = sorted((Path(__file__).parent / "data/protocols").glob("*.txt"))
WLAN = bytes.fromhex("08010000 020000000001 020000000002 020000000003 0000 aaaa03000000 0800")
MADE = [  # what no sample there has
    *frames(),
    (1, ethernet(0x0800, ipv4(47, gre(0x0800, ipv4(17, udp()), 2)))),
    (101, gtp(0x34, 26, b"\0\0\0\xc0" + b"\1\0\7\0" + b"\x10\0\0\0\7")),
    (101, ospf(0x10, bytes(8), 2, bytes(24))),
    (253, bytes.fromhex("00000338") + bytes(12) + struct.pack("!IHHII", 20, 3, 0, 1, 2) + bytes(4)),
    (239, bytes([2, 0, 0, 5]) + struct.pack("!HHIHH", 8, 2, 7, 4 + len(ipv4(17, udp())), 9) + ipv4(17, udp())),
    (127, struct.pack("<BBHIII", 0, 0, 16, 0x80000000, 0x80000000, 0) + WLAN + ipv4(17, udp())),
]


def text(linktype: int, frame: bytes) -> bytes:
    """A packet as text."""
    made = batch([(linktype, frame)])
    return b"LINKTYPE: %d\n" % linktype + text_encode(made.data, bytes(made.rows), 0, 1, 16, False, 0)[0]


PACKETS = b"".join(re.sub(rb"(?m)^#.*\n", b"", path.read_bytes()) for path in SAMPLES) + b"".join(text(*packet) for packet in MADE)
COUNT = PACKETS.count(b"\n==\n")


@pytest.fixture(scope="module")
def right() -> bytes:
    """All packets, their checksums as they should be."""
    return shell("pkt-correct", PACKETS).stdout


def hex_of(text: bytes) -> list[bytes]:
    """The packets' bytes."""
    return [b"".join(re.findall(rb"(?m)^[0-9A-F]{6}: (.*?)(?: : |$)", one)) for one in text.split(b"\n==\n")]


def test_swapped_twice_is_what_it_was(backend, right):
    """And once, with checksums that follow, as sound as before; what a tunnel carries is found as before."""
    once = shell("pkt-change -u --swap", right, backend=backend).stdout
    assert hex_of(shell("pkt-change -u --swap", once, backend=backend).stdout) == hex_of(right)
    assert shell("pkt-check -cs", once).stdout.count(b"\n==\n") == shell("pkt-check -cs", right).stdout.count(b"\n==\n")
    both = [re.findall(r"^ *([A-Z0-9_]+\.[A-Z0-9_]+)", shell("pkt-txt2txt -aa", of).stdout.decode(), re.M) for of in (right, once)]
    tunnels = [[name for name in names if re.match(r"(VXLAN|GENEVE|GTP|GRE|L2TP|TEREDO|VXLAN_GPE)\.", name)] for names in both]
    assert tunnels[0] == tunnels[1]


def test_fields_are_read_as_they_were_shown(backend, right):
    """-a shows what is there, and to read it changes nothing."""
    shown = shell("pkt-txt2txt -a", right, backend=backend)
    assert (shown.stderr, hex_of(shell("pkt-txt2txt", shown.stdout, backend=backend).stdout)) == (b"", hex_of(right))


def test_corrected_once_is_corrected(backend, right):
    assert hex_of(shell("pkt-correct", right, backend=backend).stdout) == hex_of(right)


def test_each_is_shown(backend, right):
    done = shell("pkt-analyze -lv 5", right, backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")


def packets(text: bytes) -> list[tuple[int, bytes]]:
    """Link types and bytes."""
    found = re.findall(rb"(?m)^LINKTYPE: (\d+)|^(==)$", text)
    links, linktype = [], 1
    for number, end in found:
        linktype = int(number or linktype)
        links += [linktype] if end else []
    return [*zip(links, (bytes.fromhex(row.decode()) for row in hex_of(text)), strict=False)]


def test_each_is_checked(codec, right):
    """The C codec says what Python's does, of each packet as it is and with its checksums right: then none is wrong."""
    found = [batch(packets(text)) for text in (PACKETS, right)]
    said = [codec.check(one.data, bytes(one.rows)) for one in found]
    assert said == [python_codec.check(one.data, bytes(one.rows)) for one in found]
    assert WRONG not in said[1] and len(said[1]) == COUNT


def test_every_kind_is_there(codec):
    """Each kind of header that is described has a packet; but for those that are there where a setting says so."""
    of = batch(packets(PACKETS))
    kinds = {HEADERS[kind] for i in range(len(of)) for kind, *_ in codec.walk(of.data, bytes(of.part(i, i + 1).rows))}
    assert {name for name in HEADERS if name not in kinds and not re.match("L2TPV3_(COOKIE|SUBLAYER)|SCTP_ZERO", name)} == set()


@pytest.mark.parametrize("name", ["dccp", "udplite", "vxlan", "geneve"])
def test_ports_are_exchanged_whoever_has_them(backend, name):
    """But for those of a tunnel, which say that it is one."""
    sample = (Path(__file__).parent / f"data/protocols/{name}.txt").read_bytes()
    before, after = (
        re.findall(r"^ *((?:DCCP|UDPLITE|UDP)\.)(SRC|DST)_PORT:\s*(\w+)", shell("pkt-txt2txt -aa", of).stdout.decode(), re.M)
        for of in (sample, shell("pkt-change --swap", sample, backend=backend).stdout)
    )
    swapped = {"SRC": "DST", "DST": "SRC"}
    assert before
    if name in ("dccp", "udplite"):
        assert sorted((layer, swapped[end], port) for layer, end, port in before) == sorted(after)
    else:
        assert before == after


@pytest.mark.parametrize(("kind", "carried"), [(0x0800, ipv4(17, udp())), (0x86DD, ipv6(17, udp()))], ids=["IP", "IPV6"])
@pytest.mark.parametrize("first", [0x02, 0x40, 0x62], ids=hex)
def test_ethernet_behind_labels(codec, first, kind, carried):
    """Without a control word only what is inside tells: an address may begin like IP."""
    inner = bytes([first]) + ethernet(kind, carried)[1:]
    found = batch([(1, ethernet(0x8847, b"\0\2\1\x40" + inner))])
    names = [HEADERS[header[0]] for header in codec.walk(found.data, bytes(found.rows))]
    assert names == ["ETHERNET", "MPLS", "ETHERNET", {0x0800: "IP", 0x86DD: "IPV6"}[kind], "UDP"]


def test_a_control_word_says_where_a_short_frame_ends(codec):
    """RFC 4385 section 3: bytes with the word, below 64; else 0."""
    inner = ethernet(0x0800, ipv4(17, udp(b"1")))
    found = batch([(1, ethernet(0x8847, b"\0\2\1\x40\0" + bytes([4 + len(inner), 0, 7]) + inner + bytes(9)))])
    assert [end for _, _, _, end in codec.walk(found.data, bytes(found.rows))][2] == 14 + 4 + 4 + len(inner)
