"""What differs between two packets, by field: each case is a change of ours, and what is said of it."""

from __future__ import annotations

import random
from zlib import crc32

import pytest
from conftest import ROOT, shell

from pkttools import codec
from pkttools.batch import OFFSET, ROW_BYTES, Batch, Packet, gathered, link_of
from pkttools.compare.differences import Difference, differences
from pkttools.compare.doubles import Doubles
from pkttools.compare.ignoring import Ignored, checksums
from pkttools.errors import UsageError

UDP = "pkt-gen udp --size 80 --seed 1"
TCP = "pkt-gen tcp --seed 1 --payload hello --vlan 5"
HTTP = "pkt-gen tcp --seed 1 --dport 80 --payload 0x474554202f20485454502f312e310d0a"
REQUEST = "pkt-gen tcp --seed 1 --dport 80 --payload 0x474554202f612e68746d6c"
ANSWER = "pkt-gen tcp --seed 1 --sport 80 --payload 0x485454502f312e3120323030204f4b0d0a0d0a"
SIP = "pkt-gen udp --seed 1 --dport 5060 --payload 0x41434b207369703a61204950322e300d0a"
SIZES = "SIZE,CAPTURED"
SYN = """echo '-- 1 --
TIME: 1.0
020000000002020000000001080045000039000040004006b69bc0000201c0000202
0009005000000000000000009002000000000000020405b4080a0000000700000000010168656c6c6f
=='"""
PING, PING6 = "pkt-gen icmp --seed 1 --payload", "pkt-gen icmp6 --seed 1 --payload"
NEIGHBOUR = """echo '-- 1 --
TIME: 1.0
020000000002 020000000001 86DD 60000000 0020 3A FF fe800000000000000000000000000001 fe800000000000000000000000000002
8700 0000 00000000 fe800000000000000000000000000002 0101 02000000beef
=='"""
ADVERTISED = "8600000040000708 0000000000000000 0101020000000001"
MTU, PREFIX = "05010000000005dc", "030440c0000000010000000100000000 20010db8000000000000000000000000"
EXTENSIONS, UDP6 = "3C00010400000000 1100010400000000", "0009000900080000"
TAGS = "0103000431323334 010400026566 01050002 6768"


def neighbours(options: str) -> str:
    """A router advertisement with more options."""
    return ipv6(58, ADVERTISED + options)


def ipv6(following: int, payload: str) -> str:
    """A packet of IPv6."""
    size = len(payload.replace(" ", "")) // 2
    addresses = "fe800000000000000000000000000001 ff020000000000000000000000000001"
    return typed(f"86DD 60000000 {size:04x} {following:02x} FF {addresses} {payload}")


def discovery(tags: str) -> str:
    """A packet of PPPoE discovery, whatever its size says: tags behind the first one, and the last one."""
    return typed(f"8863 1107 0000 0028 0101000461626364 {tags} 00000000")


def typed(octets: str) -> str:
    """A frame of Ethernet, as it is typed."""
    return f"echo '-- 1 --\nTIME: 1.0\n020000000002 020000000001 {octets}\n=='"


CASES = {  # name: two packets, what may differ, what is said
    "equal": (UDP, UDP, "", []),
    "the checksum follows": (UDP, f"{UDP} IP.TTL=9 | pkt-correct", "", ["IP.TTL: 64, 9"]),
    "the checksum is wrong": (UDP, f"{UDP} | pkt-change IP.CHECKSUM=1", "", ["IP.CHECKSUM: 0xb6a7, 0x1"]),
    "and may be": (UDP, f"{UDP} | pkt-change IP.CHECKSUM=1", "CHECKSUMS", []),
    "narrow fields": (TCP, f"{TCP} --flags SA", "", ["TCP.ACK: 0, 1"]),
    "of which all may differ": (TCP, f"{TCP} --flags SA", "tcp.flags", []),
    "names of addresses": (UDP, f"{UDP} --src 192.0.2.9 --sport 5", "", ["IP.SRC_ADDR: 192.0.2.1, 192.0.2.9",
                                                                        "UDP.SRC_PORT: 9, 5"]),
    "either end": (UDP, f"{UDP} --src 192.0.2.9 --sport 5", "IP.ADDR, port", []),
    "whole headers": (UDP, f"{UDP} --src 192.0.2.9 --sport 5", "ip,udp", []),
    "short name": (UDP, f"{UDP} IP.TTL=9 IP.ID=8", "ttl,ip.id", []),
    "routing": (UDP, f"{UDP} --dst-mac 02:00:00:00:00:09 IP.TTL=9 IP.DSCP=3", "routing", ["IP.DSCP: 0, 3"]),
    "nat": (UDP, f"{UDP} --dst-mac 02:00:00:00:00:09 --dst 192.0.2.77 --dport 7", "nat", []),
    "the ARP's own addresses": ("pkt-gen arp --seed 1", "pkt-gen arp --seed 1 ARP.SENDER_MACADDR=02:00:00:00:00:07", "MAC",
                                ["ARP.SENDER_MACADDR: 02:00:00:00:00:01, 02:00:00:00:00:07"]),
    "a tag": (TCP, f"{TCP} | pkt-unwrap vlan", "SIZE,CAPTURED", ["ETHERNET.TYPE: 0x8100, 0x800", "VLAN: only in A: 4 bytes"]),
    "options": (SYN, f"{SYN} | pkt-change TCP.OPT_MSS=9 TCP.OPT_TSVAL=5", "checksums",
                ["TCP.OPT_MSS: 1460, 9", "TCP.OPT_TSVAL: 7, 5"]),
    "of which one may differ": (SYN, f"{SYN} | pkt-change TCP.OPT_MSS=9 TCP.OPT_TSVAL=5", "checksums,tcp.opt_mss",
                                ["TCP.OPT_TSVAL: 7, 5"]),
    "others": (SYN, f"{SYN} | sed s/020405b4/01010101/ | pkt-txt2txt", "checksums",
               ["TCP.OPT_MSS: only in A: 1460", *(f"TCP.OPT_KIND{k}: only in B: 1" for k in ("", "[2]", "[3]", "[4]"))]),
    "payload": (TCP, TCP.replace("hello", "hexlo,you"), "SIZE,CAPTURED", ["IP.TOTAL_SIZE: 45, 49",
                "TCP.DATA: 6C 6C 6F, 78 6C 6F 2C 79 6F 75 (from byte 2 on, of 5 and 9 bytes)"]),
    "a first line, in pieces": (HTTP, HTTP.replace("474554", "676574"), "TCP.DATA", ["HTTP: only in A: 16 bytes"]),
    "the other way round": (HTTP.replace("474554", "676574"), HTTP, "TCP.DATA", ["HTTP: only in B: 16 bytes"]),
    "a piece of it may differ": (HTTP, HTTP.replace("474554", "676574"), "TCP.DATA,HTTP_URI", ["HTTP: only in A: 14 bytes"]),
    "all of it may": (HTTP, HTTP.replace("474554", "676574"), "TCP.DATA,HTTP", []),
    "a first line that is cut short": (REQUEST, REQUEST.replace("474554", "676574"), "TCP.DATA", ["HTTP: only in A: 11 bytes"]),
    "an answer": (ANSWER, ANSWER.replace("48545450", "68747470"), "TCP.DATA", ["HTTP_RESPONSE: only in A: 17 bytes"]),
    "whose first piece may differ": (ANSWER, ANSWER.replace("48545450", "68747470"), "TCP.DATA,HTTP_RESPONSE",
                                     ["HTTP_STATUS[2]: only in A: 9 bytes"]),
    "a first line of SIP": (SIP, SIP.replace("41434b", "61636b"), "UDP.DATA", ["SIP: only in A: 17 bytes"]),
    "options of neighbours": (neighbours(MTU + PREFIX), neighbours(""), f"{SIZES},IPV6.PAYLOAD_SIZE,CHECKSUMS",
                              ["ND_MTU[4]: only in A: 8 bytes", "ND_PREFIX[5]: only in A: 32 bytes"]),
    "one of which may be missing": (neighbours(MTU + PREFIX), neighbours(""), f"{SIZES},IPV6.PAYLOAD_SIZE,CHECKSUMS,ND_MTU",
                                    ["ND_PREFIX[5]: only in A: 32 bytes"]),
    "the other one": (neighbours(""), neighbours(MTU + PREFIX), f"{SIZES},IPV6.PAYLOAD_SIZE,CHECKSUMS,ND_PREFIX",
                      ["ND_MTU[4]: only in B: 8 bytes"]),
    "extension headers": (ipv6(0, EXTENSIONS + UDP6), ipv6(17, UDP6), f"{SIZES},IPV6.PAYLOAD_SIZE,IPV6.NEXT_HEADER",
                          ["IPV6_OPTIONS: only in A: 2 bytes", "IPV6_OPTIONS[2]: only in A: 2 bytes"]),
    "tags of PPPoE": (discovery(TAGS), discovery(""), f"{SIZES},PPPOE.TAG_TYPE,PPPOE.TAG_SIZE,PPPOE.TAG_DATA",
                      [f"PPPOE_TAG[{k}]: only in A: 4 bytes" for k in (4, 5, 6)]),
    "another protocol": (UDP, f"{UDP} | pkt-change IP.PROTOCOL=136", "CHECKSUMS", ["IP.PROTOCOL: 17, 136",
                         "UDP: only in A: 8 bytes",
                         "UDPLITE: only in B: 8 bytes"]),
    "times": ("pkt-gen udp --seed 1", "pkt-gen udp --seed 1 | pkt-time --shift 2500us", "",
              ["TIME: 0.000000, 0.002500 (0.002500 s)"]),
    "times that may": ("pkt-gen udp --seed 1", "pkt-gen udp --seed 1 | pkt-time --shift 2500us", "time", []),
    "cut short": (TCP, f"{TCP} | pkt-cut --snap 60", "", ["CAPTURED: 63, 60",
                  "TCP.DATA: 6C 6C 6F,  (from byte 2 on, of 5 and 2 bytes)"]),
    "an option that may differ": (SYN, f"{SYN} | pkt-change TCP.OPT_TSVAL=5", "checksums,TCP.OPT_TSVAL", []),
    "data of an echo": (f"{PING} {'a' * 20}lo", f"{PING} {'a' * 20}ping", "SIZE,CAPTURED",
                        ["IP.TOTAL_SIZE: 50, 52", "ICMP.DATA: 6C 6F, 70 69 6E 67 (from byte 20 on, of 22 and 24 bytes)"]),
    "data of a short echo": (f"{PING} hello", f"{PING} help", "",
                             [f"ICMP.DATA: 6C 6F{' 00' * 13}, 70{' 00' * 14} (from byte 3 on, of 18 bytes)"]),
    "of 1.16's as well": (f"{PING} {'a' * 40}", f"{PING} b{'a' * 38}b", "",
                          [f"ICMP.DATA: {'61 ' * 24}..., 62 {'61 ' * 23}... (from byte 0 on, of 40 bytes)"]),
    "these may differ": (f"{PING} {'a' * 40}", f"{PING} b{'a' * 38}b", "ICMP.DATA", []),
    "data of an echo of IPv6": (f"{PING6} hello", f"{PING6} helpy", "", ["ICMPV6.DATA: 6C 6F, 70 79 (from byte 3 on, of 5 bytes)"]),
    "which may differ": (f"{PING6} hello", f"{PING6} helpy", "ICMPV6.DATA", []),
    "an option of a neighbour": (NEIGHBOUR, f"{NEIGHBOUR} | sed s/beef/bee5/ | pkt-txt2txt", "checksums",
                                 ["ICMPV6.OPT_ADDR: 02:00:00:00:be:ef, 02:00:00:00:be:e5"]),
    "as far as both have it": (TCP, f"{TCP} | pkt-cut --snap 60", "CAPTURED", []),
}  # fmt: skip


def batch_of(text: bytes) -> Batch:
    """The packets of a text."""
    _, data, rows, _, _, error, _ = codec.text_decode(bytearray(text), 0, len(text), True, 1, 0, 0)
    assert not error
    return Batch(data, rows)


def compared(a: Batch, b: Batch, ignore: Ignored | None = None, i: int = 0) -> list[Difference]:
    """What differs between packets of the same number."""
    rows = (bytes(batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]) for batch in (a, b))
    return differences(a.data, next(rows), b.data, next(rows), ignore)


@pytest.fixture(scope="module")
def made() -> dict[str, Batch]:
    """The packet that each command of CASES makes; one shell makes all."""
    commands = list(dict.fromkeys(command for a, b, *_ in CASES.values() for command in (a, b)))
    done = shell(" && printf '\\0' && ".join(f"({command})" for command in commands))
    assert done.returncode == 0, done.stderr.decode()
    return {command: batch_of(text) for command, text in zip(commands, done.stdout.split(b"\0"), strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_what_differs(name: str, made: dict[str, Batch]):
    a, b, ignore, said = CASES[name]
    assert [str(one) for one in compared(made[a], made[b], Ignored.of(ignore))] == said


def test_time_within(made: dict[str, Batch]):
    a, b, *_ = CASES["times"]
    for within, count in (2_499_999, 1), (2_500_000, 0):
        assert len(compared(made[a], made[b], Ignored(within=within))) == count


def test_values_and_occurrences():
    """The second header of a name is told as filters count; numbers are there as they are."""
    made = [shell(f"pkt-gen udp --seed 1 | pkt-wrap IP IP.SRC_ADDR=192.0.2.8 | {change}").stdout
            for change in ("pkt-correct", "pkt-change 'IP.TTL[2]=3'")]  # fmt: skip
    (one,) = compared(*map(batch_of, made))
    assert (one.name, one.header, one.index, one.field, one.values, one.a, one.b) == (
        "IP.TTL[2]", "IP", 2, "IP.TTL", (64, 3), "64", "3")  # fmt: skip


def test_notes_are_compared_where_they_are_asked_for():
    text = shell("pkt-gen udp --seed 1").stdout
    a, b = (batch_of(text.replace(b"\nSIZE", b"\n" + lines + b"\nSIZE")) for lines in (b"IFACE: eth0", b"IFACE: eth1\nNOTE: here"))
    assert compared(a, b) == []
    assert [str(one) for one in compared(a, b, Ignored.of("", notes=True))] == ["IFACE: eth0, eth1", "NOTE: only in B: here"]


def framed(octets: str, fcs: str, known: int = 4, size: int | None = None) -> Batch:
    """A frame that ends in a check sequence, which is known to be one, or may be padding."""
    frame = bytes.fromhex(octets)
    frame += crc32(frame).to_bytes(4, "little") if fcs == "right" else bytes.fromhex(fcs)
    return gathered([Packet(frame[:size], len(frame), 0, link_of(1, known or None))])


@pytest.mark.parametrize(("a", "b", "ignore", "said"), [
    (("64", "right"), ("64", "01020304"), "", ["FCS: FCS, 01 02 03 04 (from byte 0 on, of 4 bytes)"]),
    (("64", "right"), ("64", "01020304"), "FCS", []), (("64", "right"), ("64", "01020304"), "routing", []),
    (("64", "right"), ("64", "01020304"), "PADDING", ["FCS: FCS, 01 02 03 04 (from byte 0 on, of 4 bytes)"]),
    (("64", "right"), ("64", "01020304"), "checksums", []),
    (("64", "right"), ("63", "right"), "IP.CHECKSUM", ["IP.TTL: 64, 63"]),  # it follows
    (("64", "right"), ("63", "01020304"), "ttl,IP.CHECKSUM", ["FCS: FCS, 01 02 03 04 (from byte 0 on, of 4 bytes)"]),
    (("64", "01020304", 0), ("64", "01020305", 0), "", ["ETHERNET.DATA: 04, 05 (from byte 29 on, of 30 bytes)"]),
    (("64", "01020304", 4), ("64", "", 0), "SIZE,CAPTURED", ["FCS: only in A: 01 02 03 04 (from byte 0 on, of 4 and 0 bytes)"]),
    (("64", "01020304", 2), ("64", "05020305", 2), "", [
        "ETHERNET.DATA: 01 02, 05 02 (from byte 26 on, of 28 bytes)", "FCS: 04, 05 (from byte 1 on, of 2 bytes)"]),
    (("64", "01020304", 4, 62), ("64", "01050304", 4, 62), "", ["FCS: 02, 05 (from byte 1 on, of 2 bytes)"]),
])  # fmt: skip
def test_a_check_sequence_is_no_padding(a, b, ignore, said):
    frame = "020000000002 020000000001 0800 45000014 00010000 {:02x}FD0000 C0000201 C0000202" + " 00" * 26
    both = [framed(frame.format(int(ttl)), *rest) for ttl, *rest in (a, b)]
    right = bytes(both[0].frame(0)[-4:]).hex(" ").upper()
    assert [str(one) for one in compared(*both, Ignored.of(ignore))] == [line.replace("FCS, ", f"{right}, ") for line in said]
    if ignore in ("", "FCS"):
        doubles = Doubles(Ignored.of(ignore))
        list(doubles([gathered([batch.packet(0) for batch in both])]))
        assert doubles.doubles == (not said)


def test_every_bit_is_told():
    """Whichever bit of a packet is another one, something is said of it; of any protocol."""
    draw = random.Random(1)
    tried = 0
    for path in sorted((ROOT / "tests/data/protocols").glob("*.txt")):
        batch = batch_of(path.read_bytes())
        for i in range(len(batch)):
            at = batch.column(OFFSET)[i]
            for _ in range(4):
                bit = draw.randrange(len(batch.frame(i)) * 8)
                other = Batch(bytearray(batch.data), batch.rows)
                other.data[at + bit // 8] ^= 128 >> bit % 8
                assert compared(batch, other, i=i), (path.name, i, bit)
                tried += 1
    assert tried > 1000


def test_unknown_names():
    with pytest.raises(UsageError, match=r"no field 'IP.TLT': did you mean IP.TTL?"):
        Ignored.of("IP.TLT")
    with pytest.raises(UsageError, match=r"no set 'rooting': did you mean routing?"):
        Ignored.named("rooting")
    assert {"IP.CHECKSUM", "TCP.CHECKSUM"} < Ignored.named("checksums").fields == checksums()
