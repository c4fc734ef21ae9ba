"""Tags within tags in Linux's cooked captures: the sockets say what is behind all of them, and show the inner ones."""

from __future__ import annotations

import struct

import pytest
from conftest import shell
from netns import MAC, finish, frames_of, pcap
from netns import lab as _lab
from samples import ARP, ipv4, ipv6, row_of, udp
from waits import unread, until

from pkttools.protocols.fields import HEADERS

lab = _lab
IP4, IP6, ARP_TYPE = 0x0800, 0x86DD, 0x0806
BODIES = {IP4: ipv4(17, udp()), IP6: ipv6(17, udp()), ARP_TYPE: ARP}
LAST = {IP4: "UDP", IP6: "UDP", ARP_TYPE: "ARP"}
TAGS = {
    "a tag": "8100 0064 T", "none": "T", "an outer tag put back": "88a8 0064 T 00c8 T", "two 802.1Q": "8100 0064 T 60c8 T",
    "the outer one lost": "T 00c8 T", "three": "88a8 0064 T 00c8 8100 0007 T", "priority 2, as version 4": "88a8 0064 T 45c8 T",
    "priority 3, as version 6": "88a8 0064 T 6064 T", "priority 7": "88a8 e064 T e0c8 T",
}  # fmt: skip


def cooked(linktype: int, text: str, kind: int) -> bytes:
    """A packet with these types and tags; T: the type of its body."""
    words = bytes.fromhex(text.replace("T", f"{kind:04x}"))
    first, rest = words[:2], words[2:]
    sender = bytes.fromhex("020000000002")
    if linktype == 113:
        return struct.pack("!HHH6s2x", 0, 1, 6, sender) + first + rest + BODIES[kind]
    return first + struct.pack("!2xIHBB6s2x", 1, 1, 0, 6, sender) + rest + BODIES[kind]


@pytest.mark.parametrize("linktype", [113, 276])
@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("text", TAGS.values(), ids=TAGS)
def test_all_tags_are_found(codec, text, kind, linktype):
    frame = cooked(linktype, text, kind)
    headers = codec.walk(bytearray(frame), row_of(frame, linktype))
    names = [HEADERS[header[0]] for header in headers]
    assert names.count("VLAN") == (len(text.split()) - 1) // 2
    assert names[-1] == LAST[kind]


@pytest.mark.parametrize("linktype", [113, 276])
@pytest.mark.parametrize("kind", [IP4, IP6])
@pytest.mark.parametrize("text", TAGS.values(), ids=TAGS)
def test_as_ethernet_every_tag_is_announced(text, kind, linktype, backend):
    done = shell("pkt-change --to-ethernet -F pcap", pcap([cooked(linktype, text, kind)], 0, linktype), backend=backend)
    (frame,) = frames_of(done.stdout)
    words = text.split()
    expected = [word if word != "T" or i == len(words) - 1 else "8100" for i, word in enumerate(words)]
    assert frame == bytes.fromhex("000000000000 020000000002" + "".join(expected).replace("T", f"{kind:04x}")) + BODIES[kind]


@pytest.mark.parametrize("body", ["51", "00", "35c80801", "7"])
def test_what_is_no_tag_stays_what_was_announced(codec, body):
    """A datagram of a wrong version is one: nothing behind it is the type of a tag."""
    data = bytes.fromhex(body.ljust(8, "1")) + ipv4(17, udp())[4:]
    frame = cooked(113, "8100 0064 T", IP4)[:20] + data
    headers = codec.walk(bytearray(frame), row_of(frame, 113))
    assert [HEADERS[header[0]] for header in headers][:3] == ["SLL", "VLAN", "IP"]


@pytest.mark.parametrize("kind", [IP4, IP6])
@pytest.mark.parametrize("tags", ["88a80064810000c8", "81000007810000c8", "88a80064810060c8", "88a80064810040c8"])
def test_frames_of_the_wire(lab, tags, kind):
    """What any interface receives is what was sent, but for the address that a cooked capture does not have."""
    sent = bytes.fromhex((MAC["a"] + MAC["b"]).replace(":", "") + tags) + struct.pack("!H", kind) + BODIES[kind]
    capture = lab.capture("a", "exec pkt-recv --libpcap -i any -ro -F pcap 'UDP.DST_PORT==53'", everywhere=True)
    lab.inject("b", [sent] * 3)
    until(lambda: unread(capture.stdout) >= 24 + 3 * (16 + len(sent)), "third frame")
    code, out, said = finish(capture, 2)
    assert code == 0, said
    assert len(frames_of(out)) == 3
    assert struct.unpack_from("<I", out, 20)[0] == 113
    frames = frames_of(shell("pkt-change --to-ethernet -F pcap", out).stdout)
    assert [frame[:12].hex() for frame in frames] == ["000000000000" + MAC["b"].replace(":", "")] * 3
    assert {frame[12:] for frame in frames} == {sent[12:]}
    raw = lab.capture("a", "exec pkt-recv -i eth0 -ro -l 1 -F pcap 'UDP.DST_PORT==53'")
    lab.inject("b", [sent])
    assert frames_of(finish(raw)[1]) == [sent]
