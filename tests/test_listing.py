"""pkt-analyze's listing: templates of descriptions, and that both codecs print the same."""

from __future__ import annotations

from types import ModuleType

import pytest
from captured import captured
from conftest import load, shell
from samples import batch, ethernet, frames, icmp, ipv4, udp

from pkttools.batch import LINKTYPE, Batch
from pkttools.command_line.colour import BY_LAYER

PROTOCOL = """protocol P "P"
after udp 9000
is application
names KINDS
1 one
field KIND 8 names KINDS
field BIG 64
field ADDR 48 mac
field WORD 32 text
field BITS 8
flag UP 7
data "more"
flags UP
"""
BYTES = bytes.fromhex("01 00000000000000ff 020000000001 61620063 80") + b"xyz"
CHOICES = [(1, 0, 5, False), (2, 0, 5, True), (3, 0, 4, False), (4, 0, 5, False), (5, 0, 5, False), (3, 3, 3, True)]


def listed(codec: ModuleType, packets: Batch, level: int, lowest: int, highest: int, dump: bool) -> list[object]:
    """What is printed of a batch, and what is counted."""
    found: list[object] = []
    first = 0
    while first < len(packets):
        text, stop, *counts = codec.listing_encode(
            packets.data, packets.rows, first, first + 1, level, lowest, highest, dump, True, None
        )
        found += [bytes(text), *counts]
        assert stop > first
        first = stop
    return found


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_real_captures_are_the_same_to_both(choice):
    """The first packets of each."""
    count = 0
    for _, packets in captured(5):
        part = packets.part(0, 6)
        assert listed(load("c"), part, *choice) == listed(load("python"), part, *choice)
        count += len(part)
    assert count > 300


@pytest.mark.parametrize("choice", CHOICES[1::2], ids=str)
def test_kinds_cut_short_are_the_same_to_both(choice):
    """Every kind of frame, with a frame check sequence, a note that is no ASCII, and cut anywhere."""
    packets = batch([(linktype, frame[:size]) for linktype, frame in frames() for size in range(0, len(frame) + 1, 7)])
    notes = "NOTE: caf\u00e9 \x1b \u202e\r\nA: b\n\nC: \x7f".encode() + b"\xff"
    rows = packets.columns()
    for i in range(len(packets)):
        rows[i * 7 + LINKTYPE] |= (i % 6) << 32
        rows[i * 7 + 2] += i % 3
        rows[i * 7 + 3] = (i - 99) * 7_000_000_123
        rows[i * 7 + 5], rows[i * 7 + 6] = len(packets.data), len(notes)
    rows.release()
    packets.data += notes
    assert listed(load("c"), packets, *choice) == listed(load("python"), packets, *choice)


@pytest.mark.parametrize(("template", "text"), [
    ("{KIND} {KIND:02} {KIND:#x} {KIND:#06x} {KIND:4}|{KIND:x}", "1 01 0x1 0x0001    1|1"),
    ("{named[KIND]} {named[BITS]} {named[WORD]}", "one 128 ab"),
    ("{BIG} {BIG:#018x} {ADDR} {WORD} {DATA}", "255 0x00000000000000ff 02:00:00:00:00:01 ab xyz"),
    ("{size} {size:#06x} {{{flags}}}", "23 0x0017 {UP }"),
])  # fmt: skip
def test_what_templates_say(tmp_path, backend, template, text):
    path = tmp_path / "p.protocol"
    path.write_text(PROTOCOL + f'show "it" "{template}"\n')
    frame = ethernet(0x0800, ipv4(17, b"\x23\x28\x23\x28" + udp(BYTES)[4:]))
    done = shell(f"pkt-analyze --protocols {path} -ll 4", f"-- 1 --\n{frame.hex(' ')}\n==\n".encode(), backend=backend)
    assert done.stdout.decode().splitlines()[-2] == f"P\tit\t\t: {text}"


@pytest.mark.parametrize(("template", "said"), [
    ("{ADDR:#06x}", "P.ADDR is no number"),
    ("{WORD:x}", "P.WORD is no number"),
    ("{KIND:>5}", "a format is such as 02, x, #x or #06x, not >5"),
    ("{KIND!r}", "a format is such as 02, x, #x or #06x, not !r"),
    ("{KIND:#065x}", "a number has at most 64 figures, not #065x"),
    ("{KIND[0]}", "it is {FIELD}, {FIELD:format} or {named[FIELD]}"),
    ("{named}", "it is {FIELD}, {FIELD:format} or {named[FIELD]}"),
    ("{KIND", "expected '}' before end of string"),
    ("{NONE}", "P has no field NONE"),
])  # fmt: skip
def test_templates_that_are_wrong(tmp_path, template, said):
    path = tmp_path / "p.protocol"
    path.write_text(PROTOCOL + f'show "it" "{template}"\n')
    done = shell(f"pkt-analyze --protocols {path}", b"")
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"{path}:{len(PROTOCOL.splitlines()) + 1}: " in done.stderr.decode()
    assert said in done.stderr.decode()


def test_names_beside_numbers(backend):
    """With -v; 1.16 had neither."""
    frame = ethernet(0x8100, b"\xa0\xa5\x08\x00" + ipv4(1, icmp(8)))
    text = f"-- 1 --\n{frame.hex(' ')}\n==\n".encode()
    done = shell("pkt-analyze -v", text, backend=backend).stdout.decode()
    assert "  (VLAN tag: 0xa0a5, VLAN 165, priority 5) (type: 0x0800 (ip))\n" in done
    assert "\tTTL/protocol\t: 64 / 1 (icmp)\n" in done
    plain = shell("pkt-analyze", text, backend=backend).stdout.decode()
    assert "  (VLAN tag: 0xa0a5) (type: 0x0800)\n" in plain
    assert "\tTTL/protocol\t: 64 / 1\n" in plain


def test_colours_by_layer(backend):
    """Without them it is the same."""
    text = f"-- 1 --\nTIME: .5\n{ethernet(0x0800, ipv4(17, udp())).hex(' ')}\n==\n".encode()
    plain = shell("pkt-analyze --color never", text, backend=backend).stdout
    painted = shell("pkt-analyze --color always", text, backend=backend).stdout
    for layer, title in ((2, b"Ethernet"), (3, b"IP"), (4, b"UDP")):
        colour = b"\033[%sm%s\033[m" % (BY_LAYER[layer].encode(), title)
        assert colour + b"\t" in painted
        assert colour + b":" in shell("pkt-analyze --color always -lv 1", text, backend=backend).stdout or layer == 2
        painted = painted.replace(colour, title)
    assert painted.replace(b"\033[2mreceived", b"received").replace(b"\033[m\n", b"\n") == plain


@pytest.mark.parametrize(("first", "level", "colours", "error"), [
    (2, 3, None, ValueError), (-1, 3, None, ValueError), (0, 0, None, ValueError), (0, 6, None, ValueError),
    (0, 3, ("1",), TypeError),
])  # fmt: skip
def test_what_is_out_of_range(codec, first, level, colours, error):
    packets = batch([(1, b"")])
    with pytest.raises(error):
        codec.listing_encode(packets.data, packets.rows, first, 1, level, 0, 4, False, False, colours)
