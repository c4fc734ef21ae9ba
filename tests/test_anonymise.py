"""pkt-map --anonymise: addresses by a key in every place, payloads, names; what stays, and what is said of it."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest
from conftest import ROOT, shell
from netns import frames_of, pcap
from samples import ARP, ethernet, extension, ipv4, ipv6, over_udp, tcp
from test_cryptopan import KEY, OTHERS, PUBLISHED

pytest.importorskip("cryptography", reason="cryptography is not installed")

SECRET = b"a secret"
DATAGRAM = over_udp(9999, SECRET, checksum=1)
OSPF = b"\2\1\0\x2c\xc0\0\2\1" + bytes(6) + b"\0\1" + SECRET + bytes.fromhex("ffffff00000a020100000028c000020100000000")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    return path


def right(frames: list[bytes]) -> bytes:
    """A capture of these, with right checksums."""
    return shell("pkt-correct -F pcap", pcap(frames)).stdout


def anonymised(capture: bytes, key: Path, words: str = "", backend: str = "") -> tuple[list[bytes], str]:
    done = shell(f"pkt-map -F pcap --anonymise --key-file {key} {words}", capture, backend=backend)
    assert done.returncode == 0, done.stderr
    return frames_of(done.stdout), done.stderr.decode()


def test_addresses_become_what_others_make_of_them(key: Path, backend: str) -> None:
    given = {**PUBLISHED, **{address: other for address, other in OTHERS.items() if address in ("192.0.2.1", "2001:db8::1")}}
    frames = []
    for address in map(ip_address, given):
        v4 = address.version == 4
        packet = bytearray(ipv4(17, DATAGRAM) if v4 else ipv6(17, DATAGRAM))
        packet[12 if v4 else 8 : 16 if v4 else 24] = address.packed
        frames.append(ethernet(0x0800 if v4 else 0x86DD, bytes(packet)))
    made, said = anonymised(right(frames), key, backend=backend)
    sources = [str(ip_address(frame[26:30] if frame[12] == 8 else frame[22:38])) for frame in made]
    assert sources == [*given.values()]
    assert f"payloads of {len(frames)} packets stayed, with all that may stand in them (--wipe makes zeros of them): UDP" in said
    assert all(SECRET in frame for frame in made)
    assert "addresses were ciphered; special ones stayed what they are: 0.0.0.0" in said
    assert "left as they were: ports, VLAN numbers" in said
    assert frames_of(shell("pkt-check -cs -F pcap", pcap(made)).stdout) == made


def test_payloads_and_names_are_gone_with_wipe(key: Path, backend: str, tmp_path: Path) -> None:
    frames = [ethernet(0x0800, ipv4(17, DATAGRAM)), ethernet(0x86DD, ipv6(6, tcp(SECRET))), ethernet(0x88B5, SECRET)]
    made, said = anonymised(right(frames), key, "--wipe", backend)
    assert [len(frame) for frame in made] == [len(frame) for frame in frames] and not any(SECRET in frame for frame in made)
    assert "payloads of 3 packets became zeros: Ethernet (1), TCP (1), UDP (1)" in said and "not looked into" not in said
    kept, _ = anonymised(right(frames), key, "--wipe --keep", backend)
    assert kept[0][-8:] == bytes(8) and kept[0][40:42] != made[0][40:42]
    some, _ = anonymised(right(frames), key, "--wipe --if UDP", backend)
    assert some[1:] == frames_of(right(frames))[1:] and some[0] == made[0]


LLDP = b"\2\7\4\2\0\0\0\0\1" + b"\4\x09\5" + SECRET + b"\6\2\0\x78" + b"\x0a\x08" + SECRET + bytes(2)
ELEMENTS = {
    "the elements of LLDP": b"\x88\xcc" + LLDP,
    "tags of PPPoE": b"\x88\x63\x11\x09\0\0\0\x18" + b"\1\2\0\x08" + SECRET + b"\1\3\0\x08" + SECRET,
    "a password of OSPF": b"\x08\0" + ipv4(89, OSPF),
    "in front of LLS": b"\x08\0" + ipv4(89, OSPF[:30] + b"\x12" + OSPF[31:] + bytes.fromhex("fff600030001000400000001")),
}


@pytest.mark.parametrize("case", ELEMENTS)
def test_what_stands_in_headers_is_gone_with_wipe(case: str, key: Path, backend: str) -> None:
    """Values of elements are no headers, though these say how long they are; a password is in one. Lengths and types stay."""
    frame = bytes(6) + b"\2\0\0\0\0\1" + ELEMENTS[case]
    (before,) = frames_of(right([frame]))
    (made,), said = anonymised(right([frame]), key, "--wipe", backend)
    assert SECRET in before and SECRET not in made and len(made) == len(before)
    if "LLS" not in case:  # which a hello says to be there, and that is payload
        layers = [shell("pkt-analyze -lv 1", pcap([one])).stdout.splitlines()[2:] for one in (before, made)]
        assert layers[0] == layers[1]
        assert frames_of(shell("pkt-check -cs -F pcap", pcap([made])).stdout) == [made]
    (kept,), left = anonymised(right([frame]), key, "", backend)
    assert SECRET in kept and re.search(r"payloads of 1 packet stayed.*: (LLDP|PPPoE|OSPF)", left), left
    assert re.search(r"1 packet became zeros: (LLDP|PPPoE|OSPF)", said)


def test_comments_and_names_of_interfaces_are_dropped(key: Path, backend: str) -> None:
    text = b"-- 1 --\nIFACE: of alice\nWAY: in\nNOTE: of bob\nLOST: 3\n02 00\n==\n"
    text += b"-- 2 --\nIFACE: of alice\n02\n==\n-- 3 --\nWAY: out\n02\n==\n"
    done = shell(f"pkt-map -v --anonymise --key-file {key}", text, backend=backend)
    lines = [line for line in done.stdout.decode().splitlines() if re.match("[A-Z]+:", line)]
    lines = [line for line in lines if not line.startswith(("LINKTYPE", "TIME", "SIZE"))]
    assert lines == ["WAY: in", "LOST: 3", "WAY: out"]
    assert b"comments and names of interfaces were dropped from 2 packets" in done.stderr


def test_ports_vendors_and_special_addresses(key: Path, backend: str) -> None:
    frame = ethernet(0x0800, ipv4(17, DATAGRAM))
    frame = bytes.fromhex("001122334455 665544332211") + frame[12:26] + bytes([127, 0, 0, 1]) + frame[30:]
    usual, vendors, none = (anonymised(right([frame]), key, words, backend)[0][0]
                            for words in ("", "--leave vendors,ports,special", "--leave none"))  # fmt: skip
    assert usual[26:30] == vendors[26:30] == bytes([127, 0, 0, 1]) and none[26:30] == bytes([33, 0, 243, 129])
    assert usual[:3] != frame[:3] == vendors[:3] and vendors[3:6] != frame[3:6]
    assert vendors[6:12] == usual[6:12] != frame[6:12]  # whose vendor is none
    assert usual[34:38] == vendors[34:38] == frame[34:38] and none[34:36] != frame[34:36] and none[36:38] != frame[36:38]


def test_vlans(key: Path, backend: str) -> None:
    """Where they are asked for: a number stays one, and those of priority tags, and what 802.1Q keeps for itself, stay."""
    inner = ipv4(17, DATAGRAM)
    frames = [ethernet(0x8100, struct.pack("!HHHH", 0xA000 | number, 0x88A8, 5, 0x0800) + inner) for number in (0, 5, 4095, 5, 6)]
    usual, said = anonymised(right(frames), key, "", backend)
    assert [frame[14:16] for frame in usual] == [frame[14:16] for frame in frames] and "ports, VLAN numbers, ident" in said
    made, said = anonymised(right(frames), key, "--leave ports,special", backend)
    outer, tags = ([struct.unpack_from("!H", frame, at)[0] for frame in made] for at in (14, 18))
    assert [number & 0xF000 for number in outer] == [0xA000] * 5 and [outer[0], outer[2]] == [0xA000, 0xAFFF]
    assert outer[1] == outer[3] == tags[0] | 0xA000 and outer[1] not in (0xA005, outer[4])
    assert (outer[1] ^ outer[4]).bit_length() == 2  # as 5 and 6
    assert "VLAN" not in said and frames_of(shell("pkt-check -cs -F pcap", pcap(made)).stdout) == made


def test_what_no_field_holds_is_told(key: Path, backend: str) -> None:
    """Addresses in routes of RPL (RFC 6554) and of unknown types, and in options of Mobility (RFC 6275): with --wipe, too."""
    address = ip_address("2001:db8:1::9").packed
    routes = [(3, 0x88), (253, 0), (0, 0), (4, 0)]
    frames = [
        ethernet(0x86DD, ipv6(43, extension(17, bytes([kind, 1, more, 0, 0, 0]) + address) + DATAGRAM)) for kind, more in routes
    ]
    frames.append(ethernet(0x86DD, ipv6(135, bytes([59, 3, 5]) + bytes(9) + bytes([3, 16]) + address + b"\1\0")))
    for words in ("", "--wipe"):
        made, said = anonymised(right(frames), key, words, backend)
        assert [address in frame for frame in made] == [True, True, False, False, True]
        assert re.search(r"not looked into, though addresses may stand there: (.*, )?IPv6 route \(2\), Mobility \(1\)", said), said


def test_times_move(key: Path, backend: str) -> None:
    text = b"-- 1 --\nTIME: 1700000000.000001\n02\n==\n-- 2 --\nTIME: 1700000001.5\n02\n==\n"

    def times(shift: str) -> list[str]:
        done = shell(f"pkt-map --anonymise --key-file {key} --shift {shift}", text, backend=backend)
        assert done.returncode == 0 and b"left as they were" in done.stderr and b"times" not in done.stderr.split(b"left")[1]
        return re.findall(r"^TIME: (\S+)", done.stdout.decode(), re.MULTILINE)

    assert times("-1d") == ["1699913600.000001", "1699913601.500000"]
    first, second = map(float, times("random"))
    assert second - first == pytest.approx(1.499999) and 86400 <= 1700000000 - first <= 6 * 365 * 86400
    assert times("random") == times("random")


def test_rules_of_other_options_count_first(key: Path) -> None:
    frame = anonymised(right([ethernet(0x0800, ipv4(17, DATAGRAM))]), key, "--map 192.0.2.1=10.9.9.9")[0][0]
    assert frame[26:30] == bytes([10, 9, 9, 9]) and frame[30:34] != bytes([192, 0, 2, 2])


def test_arp_says_the_same_as_ip(key: Path, backend: str) -> None:
    made, _ = anonymised(right([ethernet(0x0806, ARP), ethernet(0x0800, ipv4(17, DATAGRAM))]), key, "", backend)
    assert made[0][22:28] == made[0][6:12] != ARP[8:14]
    assert ARP[14:18] not in made[0] and made[0][28:32] == made[1][26:30]


def test_a_key_that_is_drawn_is_another_one_each_time() -> None:
    capture = right([ethernet(0x0800, ipv4(17, DATAGRAM))])
    assert len({shell("pkt-map -F pcap --anonymise", capture).stdout for _ in range(3)}) > 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--anonymise --key-file {short}", 1, "a key has 32 octets, this file 31"),
        ("--anonymise --key-file {long}", 1, "a key has 32 octets, this file more"),
        ("--anonymise --key-file /nowhere", 1, "/nowhere: No such file or directory"),
        ("--anonymise --leave macs", 2, "--leave: 'macs' is not none, and not all of it is of ports, special, vendors, vlans"),
        ("--anonymise --shift soon", 2, "--shift: 'soon' is not a time"),
        ("--map 1.1.1.1=2.2.2.2 --wipe", 2, "--wipe is for --anonymise"),
        ("--map 1.1.1.1=2.2.2.2 --key-file x", 2, "--key-file is for --anonymise"),
    ],
)
def test_wrong_usage(words: str, code: int, said: str, tmp_path: Path) -> None:
    paths = {"short": tmp_path / "short", "long": tmp_path / "long"}
    paths["short"].write_bytes(KEY[1:])
    paths["long"].write_bytes(KEY + b"\n")
    done = shell("pkt-map " + words.format(**paths), b"")
    assert done.returncode == code and said in done.stderr.decode()


def test_without_the_package_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "cryptography.py").write_text("raise ImportError('none')")
    done = shell("pkt-map --anonymise", b"", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"--anonymise takes cryptography" in done.stderr and b" -m pip install cryptography" in done.stderr


def test_traceanon_makes_the_same_of_ordinary_addresses(key: Path, tmp_path: Path) -> None:
    if not shutil.which("traceanon"):
        pytest.skip("traceanon is not installed")
    frames = []
    for i in range(200):
        packet = bytearray(ipv4(17, DATAGRAM))
        packet[12:20] = bytes([1 + i % 99, i * 7 % 256, i * 31 % 256, i, 1 + (i * 5) % 99, i, 9, i * 3 % 256])
        frames.append(ethernet(0x0800, bytes(packet)))
    before, after = tmp_path / "before.pcap", tmp_path / "after.pcap"
    before.write_bytes(right(frames))
    subprocess.run(["traceanon", "-s", "-d", "-f", key, f"pcapfile:{before}", f"pcapfile:{after}"], check=True)
    theirs = [frame[26:34] for frame in frames_of(after.read_bytes())]
    assert [frame[26:34] for frame in anonymised(before.read_bytes(), key, "")[0]] == theirs


def test_example_of_the_manual(tmp_path: Path) -> None:
    block = re.search(r"^\.EX\n(head.*?)^\.EE$", (ROOT / "man/pkt-map.1").read_text(), re.MULTILINE | re.DOTALL)
    shutil.copy(ROOT / "examples/dns.txt", tmp_path)
    done = shell(f"cd '{tmp_path}' && " + block[1].replace("\\-", "-"))
    assert done.returncode == 0 and b"payloads of 4 packets became zeros: DNS (4)" in done.stderr
