"""Headers that are put in and taken off: where, by which numbers, with which lengths and checksums, and what is left as it is."""

from __future__ import annotations

import re
import shlex
import struct
import zlib
from types import BuiltinFunctionType

import pytest
from backends import on_both
from conftest import shell
from samples import batch, ethernet, frames, ipv4, ipv6, tags, tcp, udp, vxlan
from sections import packets_of

from pkttools import codec
from pkttools.batch import Batch, gathered
from pkttools.commands import find, read
from pkttools.errors import UsageError
from pkttools.work.headers import unwrapping, wrapping
from pkttools.work.shapes import Sample
from pkttools.work.wrapper import flow_ports

pytest_generate_tests, chosen = on_both("wrap", "walk", "select", "assign")

ADDRESSES = "--src 192.0.2.7 --dst 192.0.2.8"


def run(command: str, given: Batch) -> tuple[Batch, str]:
    """What a command makes of packets, all in one batch, and what it says."""
    name, *words = shlex.split(command)
    module = find(name)
    stage = module.stage(read(module, words))
    stream = stage.through(iter([given]))
    made = [batch.packet(i) for batch in stream for i in range(len(batch))]
    return gathered(made), "".join(stage.said([], []))


def made(command: str, *given: bytes, linktype: int = 1, size: int | None = None) -> tuple[bytes, str]:
    """The same of frames, one behind the other."""
    got, said = run(command, batch([(linktype, frame) for frame in given], size))
    return b"".join(bytes(got.frame(i)) for i in range(len(got))), said


def right(frame: bytes, linktype: int = 1) -> bytes:
    """A frame with right checksums."""
    return made("pkt-correct", frame, linktype=linktype)[0]


def sound(frame: bytes) -> bool:
    """Whether all checksums are right."""
    one = batch([(1, frame)])
    return codec.check(one.data, one.rows) == b"\0"


SEGMENT = right(ethernet(0x0800, ipv4(6, tcp(bytes(range(64)), b""))))
SEGMENT6 = right(ethernet(0x86DD, ipv6(6, tcp(bytes(range(64)), b""))))
ACK = right(ethernet(0x0800, ipv4(6, tcp(b"", b"")))) + bytes(6)  # a frame of 60 bytes, with padding
ARP = ethernet(0x0806, bytes.fromhex("0001080006040001 020000000001 c0000201 000000000000 c0000202")) + bytes(18)

HEADERS = {  # to what is put in, what begins the frame then: EtherType, and numbers at places
    "VLAN VLAN.ID=5 VLAN.PRIORITY=3": ("8100 6005 0800", 12),
    "qinq ETHERNET.VLAN_ID=7": ("88a8 0007 0800", 12),
    "MPLS MPLS.LABEL=16": ("8847 00010 1 40 45", 12),
    "pppoe PPPOE.SESSION=9": ("8864 1100 0009 006a 0021 45", 12),
    "snap": ("0070 aaaa03 000000 0800 45", 12),
    f"vxlan {ADDRESSES} VXLAN.VNI=7": ("0800 4500 009a 0001 0000 40 11", 12),
    f"gre {ADDRESSES}": ("0000 0800 45", 34),
    f"gre {ADDRESSES} GRE.KEY=9": ("2000 0800 00000009 45", 34),
    f"gretap {ADDRESSES}": ("0000 6558 0200", 34),
    f"gretap {ADDRESSES} GRE.KEY=9": ("2000 6558 00000009 0200", 34),  # whose description is another one
    f"ipip {ADDRESSES} IP.TTL=9": ("0800 4500 007c 0001 0000 09 04", 12),
    "ipip --src 2001:db8::7": ("86dd 60000000 0068 04 40 20010db8", 12),
    f"geneve {ADDRESSES} GENEVE.VNI=7": ("17c1 0086 ", 36),
    f"gtpu {ADDRESSES} GTP.TEID=9": ("30 ff 0068 00000009 45", 42),
    "nsh NSH.SPI=7": ("894f 0fc6 0103 000007 ff 00000000000000000000000000000000 0200", 12),  # RFC 8300 2.4: four words
    "nsh NSH.MD_TYPE=2 NSH.TTL=1": ("894f 0042 0203 000000 ff 0200", 12),
    f"erspan {ADDRESSES} ERSPAN.SESSION=3": ("1000 88be 00000000 1000 0003 00000000 0200", 34),
}


@pytest.mark.parametrize("command", HEADERS)
def test_a_header_is_put_in_announced_and_taken_off_again(command):
    wanted, at = HEADERS[command]
    wrapped, said = made(f"pkt-wrap {command}", SEGMENT)
    assert said == ""
    octets = bytes.fromhex(wanted.replace(" ", ""))
    assert wrapped[at : at + len(octets)].hex() == octets.hex()
    assert sound(wrapped)
    assert made(f"pkt-unwrap {command.split()[0]}", wrapped) == (SEGMENT, "")


@pytest.mark.parametrize("command", ["VLAN", "MPLS", "gre", "vxlan", "ipip", "gtpu --src ::1", "pppoe"])
def test_what_is_inside_stays(command):
    back = f"pkt-unwrap {command.split()[0]}"
    assert made(back, made(f"pkt-wrap {command}", SEGMENT6)[0]) == (SEGMENT6, "")
    assert made(back, made(f"pkt-wrap {command}", ACK)[0])[0].ljust(60, b"\0") == ACK
    cut, said = run(f"pkt-wrap {command}", batch([(1, SEGMENT[:60])], len(SEGMENT)))
    assert (cut.packet(0).original - len(cut.packet(0).frame), said) == (len(SEGMENT) - 60, "")
    again, said = run(back, cut)
    assert (again.packet(0).frame, again.packet(0).original, said) == (SEGMENT[:60], len(SEGMENT), "")


def test_both_codecs_make_the_same(both):
    """All kinds of frames, cut and whole: what is put in, and taken off."""
    given = batch([*frames(), *((link, frame[:-3]) for link, frame in frames() if len(frame) > 40)])
    work = [wrapping(name, None, *ends, "copy", None, False) for name, *ends in (
        ("VLAN", None, None), ("MPLS", None, None), ("VXLAN", "192.0.2.1", None), ("GRE", None, "2001:db8::1"),
        ("SNAP", None, None), ("PPPOE", None, None),
    )]  # fmt: skip
    work += [unwrapping(name, True, None, False, again) for name, again in (
        ("VLAN", False), ("VLAN", True), ("IPIP", False), ("GRE", False), ("VXLAN", False), ("ETHERNET", False), ("MPLS", True),
        ("SLL", False), ("PPPOE", False), ("GENEVE", False),
    )]  # fmt: skip
    changed = 0
    for one in work:
        shapes, octets = bytearray(), bytearray()
        for i in range(len(given)):
            count = both[0].wrap(given.data, given.rows[i * 56 : i * 56 + 56], 0, b"", b"", b"", 0, False)[3][2]
            shape = next(
                shape for shape in one.planner(Sample(given, i, count)) if shape.why or one.right(shape, Sample(given, i, count))
            )
            packed = shape.packed(len(octets))
            shapes += packed
            octets += shape.octets
        args = given.data, bytes(given.rows), 0, bytes(shapes), bytes(octets), flow_ports(), 65535, False
        results = [codec.wrap(*args) for codec in both]
        (stop, data, rows, rest), other = results[0], results[1]
        assert (stop, packets_of(data, rows), rest) == (other[0], packets_of(other[1], other[2]), other[3])
        changed += rest[1][0]
    assert changed > 300


def test_a_packet_like_two_others_becomes_what_the_one_before_it_did():
    """One that says that it is of IP and is not becomes Raw IPv4, by its link type alone, others Raw IP."""
    broken, whole, alone = (ethernet(0x0800, octets) for octets in (bytes(40), SEGMENT[14:], b"\x45\0\0\x28\0\0\xe0" + bytes(33)))
    for given, linktypes in (((broken, whole, alone), [228, 101, 101]), ((broken, alone, whole, alone), [228, 228, 101, 101])):
        got, _ = run("pkt-unwrap ETHERNET", batch([(1, frame) for frame in given]))
        assert [got.packet(i).linktype for i in range(len(got))] == linktypes


@pytest.mark.parametrize("order", "<>")
def test_packets_that_begin_alike_or_not_and_their_records(order):
    """What one began with serves the next ones; the record of a capture goes along, and all is written from where it lies."""
    other = b"\2" * 12 + SEGMENT[12:]
    tagged = SEGMENT[:12] + bytes.fromhex("81006007") + SEGMENT[12:]
    cut = SEGMENT[:70]
    strange = [SEGMENT[:14] + begin + SEGMENT[14 + len(begin) :] for begin in (b"\x44", b"\x4f", b"\x65", b"\x45\0\0\x69")]
    strange += [right(ethernet(0x0800, ipv4(17, udp(b"", 9), b"\1" * 8))), SEGMENT[:40]]
    given = [SEGMENT, SEGMENT, other, SEGMENT, tagged, tagged, SEGMENT6, ACK, cut, ARP, other]  # ACK and ARP have padding
    given += [frame for one in strange for frame in (SEGMENT, one)]

    def records(frames: list[bytes]) -> bytes:
        sizes = [len(frame) + 9 * frame.endswith(cut[12:]) for frame in frames]
        parts = zip(range(len(frames)), frames, sizes, strict=True)
        return b"".join(struct.pack(order + "4I", i, 5, len(frame), size) + frame for i, frame, size in parts)

    read_ = bytearray(records(given))
    _, rows, _ = codec.pcap_decode(read_, 0, len(read_), True, order == ">", False, 16, 0, 1)
    work = wrapping("VLAN", None, None, None, "copy", None, False)
    [*work(iter([Batch(read_, rows)]))]  # it learns what they are like
    (got,) = work(iter([Batch(read_, rows)]))
    wanted = [(frame[:12] + b"\x81\0\0\1" + frame[12:])[: 60 if len(frame) == 60 else None] for frame in given]
    written, stop, _ = codec.pcap_encode(got.data, got.rows, 0, order == ">", False)
    assert (stop, bytes(written)) == (len(given), records(wanted))
    assert isinstance(written, memoryview) == isinstance(codec.wrap, BuiltinFunctionType)


@pytest.mark.parametrize("shapes", [
    b"1234567", struct.pack("=13q", 14, *[1] * 12), struct.pack("=14q", 14, 1, 1, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 7),
    struct.pack("=14q", 14, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 7), struct.pack("=14q", 14, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 7),
])  # fmt: skip
def test_shapes_that_are_not_sound(shapes, codec):
    with pytest.raises(ValueError, match="shapes or number out of range"):
        codec.wrap(bytearray(), b"", 0, shapes, b"", b"", 0, False)


# ---- where ----


def test_a_tag_goes_in_front_of_tags_and_keeps_their_number():
    tagged = ethernet(0x88A8, tags([0x88A8], 0x0800, ipv4(17, udp())))
    assert made("pkt-wrap VLAN VLAN.ID=9", tagged)[0][12:20].hex() == "8100000988a80001"
    assert made("pkt-unwrap VLAN", tagged)[0] == tagged[:12] + tagged[16:]


def test_which_of_several_and_all():
    tagged = ethernet(0x8100, tags([0x8100, 0x8100, 0x8100], 0x0800, ipv4(17, udp())))
    assert made("pkt-unwrap 'VLAN[2]'", tagged)[0] == tagged[:16] + tagged[20:]
    assert made("pkt-unwrap 'VLAN[-1]'", tagged)[0] == tagged[:20] + tagged[24:]
    assert made("pkt-unwrap --all VLAN", tagged) == (tagged[:12] + tagged[24:], "")
    assert made("pkt-unwrap 'VLAN[4]'", tagged) == (
        tagged, "1 packet passed as they came: 1 without such a header",
    )  # fmt: skip


def test_labels_say_which_is_the_last():
    one, _ = made("pkt-wrap MPLS MPLS.LABEL=16", SEGMENT)
    two, _ = made("pkt-wrap MPLS MPLS.LABEL=17", one)
    assert two[14:22].hex() == "0001104000010140"
    assert made("pkt-unwrap MPLS", two)[0] == one
    assert made("pkt-unwrap 'MPLS[2]'", two)[0][14:19].hex() == "0001114045"


def test_in_front_of_a_header():
    tagged = ethernet(0x8100, tags([0x8100], 0x0800, ipv4(17, udp())))
    assert made("pkt-wrap --at IP MPLS", tagged)[0][12:19].hex() == "81000001884700"
    assert made("pkt-wrap --at VLAN MPLS", tagged)[1].endswith("1 nothing announces it there")
    inside, said = made("pkt-wrap --at 'IP[2]' VLAN", right(ethernet(0x0800, ipv4(17, vxlan(SEGMENT)))))
    assert said == ""
    assert inside[62:68].hex() == "810000010800"
    assert struct.unpack("!H", inside[16:18])[0] == 20 + 8 + 8 + len(SEGMENT) + 4
    assert sound(inside)


def test_what_is_wrong_around_stays_wrong():
    tunnel = bytearray(right(ethernet(0x0800, ipv4(47, b"\0\0\x08\0" + SEGMENT[14:]))))
    tunnel[24:26] = b"\x12\x34"
    wrong, _ = made("pkt-wrap --at 'IP[2]' MPLS", bytes(tunnel))
    assert wrong[16:18] == struct.pack("!H", struct.unpack("!H", tunnel[16:18])[0] + 4)
    assert not sound(wrong)
    assert made("pkt-unwrap MPLS", wrong)[0] == tunnel
    kept, _ = made("pkt-wrap --keep --at 'IP[2]' MPLS", bytes(tunnel))
    assert kept[14:34] == tunnel[14:34]


# ---- link layers ----


def test_link_layers_are_taken_off_and_put_in():
    def first(command: str, frame: bytes, linktype: int) -> tuple[int, bytes]:
        got, _ = run(command, batch([(linktype, frame)]))
        return got.packet(0).linktype, got.packet(0).frame

    assert first("pkt-unwrap ETHERNET", SEGMENT, 1) == (101, SEGMENT[14:])
    assert first("pkt-unwrap ETHERNET", ACK, 1) == (101, ACK[14:54])
    cooked = bytes.fromhex("0000 0001 0006 020000000001 0000 0800") + SEGMENT[14:]
    assert first("pkt-unwrap SLL", cooked, 113) == (101, SEGMENT[14:])
    assert first("pkt-wrap ETHERNET", cooked, 113) == first("pkt-change --to-ethernet", cooked, 113)
    assert first("pkt-unwrap PKTAP", cooked, 113) == first("pkt-change --unwrap", cooked, 113)
    assert first("pkt-wrap gre", SEGMENT[14:], 101)[0] == 101
    assert first("pkt-wrap vxlan", SEGMENT[14:], 101)[1][36:52] == bytes(12) + b"\x08\0" + SEGMENT[14:16]


DATAGRAM, DATAGRAM6 = ipv4(17, udp()), ipv6(17, udp())
OF_A_KIND = {  # link type and packet, before and behind
    "ah": (1, ethernet(0x86DD, ipv6(51, bytes.fromhex("1101 0000 00000100 00000001") + udp())), 1, ethernet(0x86DD, DATAGRAM6)),
    "loopback": (108, bytes.fromhex("00000002") + DATAGRAM, 101, DATAGRAM), "ppp": (9, b"\x21" + DATAGRAM, 101, DATAGRAM),
    "radiotap": (127, bytes.fromhex("0000 0c00 00000080 00000000") + b"\x08\0" + bytes(22), 105, b"\x08\0" + bytes(22)),
    "frame_relay": (107, bytes.fromhex("4ae1 0800") + DATAGRAM, 101, DATAGRAM),
    "arcnet": (129, bytes.fromhex("be00 ea08 f0") + DATAGRAM, 101, DATAGRAM),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_A_KIND)
def test_a_header_of_several_kinds_has_the_name_that_filters_know(name):
    """IPV6_AH, LOOP, PPP_SHORT, RADIOTAP_2, FRAME_RELAY_CISCO, ARCNET_LINUX_1051: that there is none was said."""
    linktype, frame, behind, wanted = OF_A_KIND[name]
    assert made(f"pkt-filter {name}", frame, linktype=linktype) == (frame, "")
    assert made(f"pkt-unwrap {name}", right(frame, linktype), linktype=linktype)[0].hex() == right(wanted, behind).hex()


def test_a_protocol_of_ones_own(tmp_path, backend):
    (tmp_path / "mine.protocol").write_text(
        'protocol MINE "Mine"\nsource page 1\nis tunnel\nafter ethertype 0x88B5\nfield VERSION 8 "3"\nfield SIZE 8 * 4 "of this"\n'
        'field NUMBER 16 "which"\nfield TYPE 16 "what follows"\nfield - 16\nsize SIZE\nnext ethertype TYPE\n'
    )
    given = f"--protocols {tmp_path}/mine.protocol"
    done = shell(f"pkt-wrap {given} mine MINE.NUMBER=7 | pkt-unwrap {given} mine", TEXT, backend=backend)
    assert (done.stdout, done.stderr) == (TEXT, b"")
    assert b"88 B5 03 02  00 07 08 00  00 00" in shell(f"pkt-wrap {given} mine MINE.NUMBER=7 -n 24", TEXT, backend=backend).stdout


# ---- congestion: RFC 6040 sections 4.1 and 4.2 ----


def marked(bits: int) -> bytes:
    return made(f"pkt-change -u IP.ECN={bits}", SEGMENT)[0]


@pytest.mark.parametrize(("ecn", "outer"), [("copy", [0, 1, 2, 3]), ("kernel", [0, 1, 2, 2]), ("0", [0, 0, 0, 0])])
def test_congestion_is_told_outside(ecn, outer):
    for name in "ipip", "vxlan":
        assert [made(f"pkt-wrap {name} --ecn {ecn}", marked(bits))[0][15] for bits in range(4)] == outer
    assert made("pkt-wrap vxlan", ARP)[0][15] == 0


@pytest.mark.parametrize(("inner", "outcome"), [(0, [0, 0, 0, None]), (1, [1, 1, 1, 3]), (2, [2, 1, 2, 3]), (3, [3, 3, 3, 3])])
def test_congestion_is_told_inside(inner, outcome):
    for bits in range(4):
        wrapped, _ = made(f"pkt-wrap ipip IP.ECN={bits}", marked(inner))
        done, said = made("pkt-unwrap ipip", wrapped)
        if outcome[bits] is None:
            assert (done, "1 packet dropped" in said) == (b"", True)
        else:
            assert (done, said) == (marked(outcome[bits] or 0), "")
            assert made("pkt-unwrap --ecn keep ipip", wrapped)[0] == marked(inner)


# ---- VXLAN as the kernel has it, and RFC 7348 ----


def test_the_outer_header_of_vxlan():
    two, _ = made(f"pkt-wrap vxlan {ADDRESSES}", SEGMENT, SEGMENT)
    one, other = two[: len(two) // 2], two[len(two) // 2 :]
    assert one[15:24].hex() == "00" + "009a" + "0001" + "0000" + "4011"  # DSCP 0, own ID, no DF, TTL 64, UDP
    assert other[18:20].hex() == "0002"
    port = 49152 + zlib.crc32(SEGMENT[26:34] + b"\6" + SEGMENT[34:38]) % 16384
    assert struct.unpack("!HHHH", one[34:42])[:3] == (port, 4789, 16 + len(SEGMENT))
    assert one[40:42] != b"\0\0"
    assert made("pkt-wrap vxlan UDP.CHECKSUM=0", SEGMENT)[0][40:42] == b"\0\0"
    assert made("pkt-wrap vxlan UDP.SRC_PORT=7", SEGMENT)[0][34:36] == b"\0\7"


def test_what_is_no_vxlan():
    wrapped = bytearray(made("pkt-wrap vxlan", SEGMENT)[0])
    reserved = bytes(wrapped[:43]) + b"\1" + bytes(wrapped[44:])
    assert made("pkt-unwrap vxlan", right(reserved))[0] == SEGMENT
    none = bytes(wrapped[:42]) + b"\0" + bytes(wrapped[43:])
    assert "passed as they came" in made("pkt-unwrap vxlan", right(none))[1]
    wrapped[40] ^= 1
    assert made("pkt-unwrap vxlan", bytes(wrapped)) == (
        bytes(wrapped), "1 packet passed as they came: 1 with a wrong checksum around it",
    )  # fmt: skip
    wrapped[40:42] = b"\0\0"
    assert made("pkt-unwrap vxlan", bytes(wrapped)) == (SEGMENT, "")
    assert made("pkt-unwrap vxlan", made("pkt-wrap vxlan --src ::1 UDP.CHECKSUM=0", SEGMENT)[0]) == (SEGMENT, "")  # RFC 6935


def test_padding_is_no_part_of_what_is_wrapped():
    tagged, _ = made("pkt-wrap VLAN", ACK)
    assert (len(tagged), tagged[18:58], tagged[58:]) == (60, ACK[14:54], bytes(2))
    assert made("pkt-unwrap VLAN", tagged)[0] == ACK
    assert len(made("pkt-wrap vxlan", ACK)[0]) == 50 + 54


def test_padding_is_no_part_of_what_a_tunnel_carried():
    """RFC 894: the packet inside ends where it says; a frame that was filled up is so again; a trailer is of the outer frame."""
    small = right(ipv4(4, ipv4(17, udp(b""))), 101)[20:]
    outer = right(ethernet(0x0800, ipv4(4, small)))
    assert len(outer) == 62
    assert made("pkt-unwrap ipip", outer) == (outer[:14] + small, "")  # nobody filled up what came
    fragile = right(ethernet(0x0800, ipv4(4, small[:20])))  # 54 octets, and 6 of what was on the stack of a card
    assert made("pkt-unwrap ipip", fragile + b"secret") == (fragile[:14] + small[:20] + b"secret" + bytes(20), "")
    for name in "vxlan", "gretap", "geneve":
        wrapped, _ = made(f"pkt-wrap {name}", ARP[:42])
        assert made(f"pkt-unwrap {name}", wrapped + b"trailer") == (ARP[:42], "")
        assert made(f"pkt-unwrap {name}", made(f"pkt-wrap {name}", ACK)[0]) == (ACK[:54], "")


# ---- the command line ----


def test_only_some_and_then_assignments():
    got, _ = run("pkt-wrap VLAN --if IP.TTL==64 VLAN.ID=9 IP.TTL-=1", batch([(1, SEGMENT), (1, SEGMENT6)]))
    frame = bytes(got.frame(0))
    assert frame[12:23].hex() == "81000009" + "0800" + SEGMENT[14:19].hex()
    assert (frame[26], sound(frame), bytes(got.frame(1))) == (63, True, SEGMENT6)


@pytest.mark.parametrize(("command", "said"), [
    ("pkt-wrap", "wanted: HEADER"), ("pkt-wrap VLNA", "no header 'VLNA': did you mean VLAN?"),
    ("pkt-wrap VLAN[2]", "it is --at that says where"), ("pkt-wrap vxlan --src 1.2.3", "--src '1.2.3': that is no IP address"),
    ("pkt-wrap vxlan --src 1.2.3.4 --dst ::1", "of different versions"), ("pkt-unwrap --all VLAN[2]", "--all are all"),
    ("pkt-wrap IPV6 --src 1.2.3.4", "IPV6: --src and --dst are of IP"), ("pkt-unwrap", "wanted: HEADER"),
])  # fmt: skip
def test_wrong_usage(command, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        run(command, batch([(1, SEGMENT)]))


def test_tcprewrite_puts_the_same_tag_in(tmp_path):
    if shell("command -v tcprewrite").returncode:
        pytest.skip("tcprewrite is not there")
    done = shell(
        f"cd {tmp_path} && pkt-txt2pcap --out a.pcap && tcprewrite --enet-vlan=add --enet-vlan-tag=5 --enet-vlan-pri=3"
        " --enet-vlan-cfi=0 -i a.pcap -o b.pcap"
        " && pkt-wrap VLAN VLAN.ID=5 VLAN.PRIORITY=3 --in a.pcap | cmp - <(pkt-pcap2txt --in b.pcap)", TEXT
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b""), done.stderr


TEXT = shell("pkt-txt2txt", b"LINKTYPE: 1\n-- 1 --\nTIME: 5\n" + SEGMENT.hex(" ").encode() + b"\n==\n").stdout
