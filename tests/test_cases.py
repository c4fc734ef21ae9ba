"""The inputs of ../shared/cases with their right values: on both codecs, as they are, as text, as pcap and as pcapng."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import SHARED, shell

CASES = SHARED / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"{SHARED.name}/cases is not there")
FORMS = {"as it is": "", "text": "pkt-txt2txt", "pcap": "pkt-txt2txt -F pcap", "pcapng": "pkt-txt2txt -F pcapng"}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


def given(name: str, form: str = "as it is", backend: str = "") -> bytes:
    """A case in a form."""
    path = CASES / name
    raw = subprocess.run(["sh", path], capture_output=True, check=True).stdout if name.endswith(".sh") else path.read_bytes()
    if not FORMS[form]:
        return raw
    done = shell(FORMS[form], raw, backend=backend)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frames(packets: bytes) -> list[bytes]:
    """The bytes of each packet of text or a capture."""
    done = shell("pkt-txt2txt -do -n 70000", packets)
    assert done.returncode == 0, done.stderr
    return [bytes.fromhex(line) for line in done.stdout.decode().splitlines() if not line.startswith(("--", "=="))]


def checked(command: str, packets: bytes, backend: str) -> subprocess.CompletedProcess[bytes]:
    done = shell(command, packets, backend=backend)
    assert done.returncode == 0, done.stderr
    return done


# ---- text ----


@pytest.mark.parametrize(("name", "line"), [("text-tshark-x", 2), ("text-tcpdump-xx", 2), ("text-indented-one", 4)])
def test_dumps_of_other_programs(name, line, backend):
    """An error with its line, which names the reader of dumps; no byte of them is taken for the packet's."""
    done = shell("pkt-txt2txt", given(f"{name}.txt"), backend=backend)
    assert done.returncode == 1
    assert not done.stdout
    assert re.search(rf"^pkt-txt2txt: <stdin>:{line}: .*pkt-hex2txt", done.stderr.decode())


def test_the_text_that_they_mean(backend):
    frame = frames(checked("pkt-txt2txt", given("text-right.txt"), backend).stdout)
    assert frame == [bytes.fromhex("020000000002 020000000001 0800 4500001c 00010000 4011f606 c0000201 c00002c8 270f270f 00082cf6")]


# ---- lengths ----


@pytest.mark.parametrize(
    ("name", "sizes", "udp"),
    [("pad-vlan", [33, 33, 33, 33, 40, 33], [13, 13, 13, 13, None, 13]),
     ("pad-fcs", [36, 40, 36, 36, None, 36], [16, None, 16, 16, 11, 16])],
)  # fmt: skip
def test_padding_and_fcs_are_no_payload(name, sizes, udp, form, backend):
    """Nothing changes, for all lengths were right."""
    before = given(f"{name}.pcap", form, backend)
    after = checked("pkt-correct -L", before, backend).stdout
    assert frames(after) == frames(before)
    shown = checked("pkt-txt2txt -aa", after, backend).stdout.decode()
    for field, wanted in (("IP.TOTAL_SIZE", sizes), ("UDP.SIZE", udp)):
        found = [re.findall(rf"^{field}:\s+0x(\w+)$", packet, re.MULTILINE)[-1:] for packet in shown.split("==\n")[:-1]]
        assert [int(value[0], 16) if value else None for value in found] == wanted, field


def test_fragments_with_priorities(form, backend):
    out = checked("pkt-defragment", given("frag-pcp.pcap", form, backend), backend)
    assert out.stderr == b""
    assert [len(frame) for frame in frames(out.stdout)] == [1046, 1566, 1046, 1050]
    assert checked("pkt-check -cs", out.stdout, backend).stderr == b""


# ---- checksums ----


def total(data: bytes) -> int:
    """The sum of one's complement of 16-bit words, RFC 1071."""
    return sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))) % 0xFFFF


def transport(frame: bytes) -> tuple[bytes, int, bytes]:
    """Addresses, protocol and payload of IPv4 without options or IPv6 without extension headers in Ethernet."""
    if frame[12:14] == b"\x08\0":
        size = int.from_bytes(frame[16:18], "big")
        return frame[26:34], frame[23], frame[34 : 14 + size] if size else frame[34:]
    return frame[22:54], frame[20], frame[54 : 54 + int.from_bytes(frame[18:20], "big")]


def sound(frame: bytes, pseudo: bool, covered: int | None = None) -> bool:
    """Whether the checksum of what IP carries is right. pseudo: it has a pseudo-header. covered: bytes, if not all."""
    addresses, protocol, data = transport(frame)
    head = addresses + struct.pack("!II", len(data), protocol) if pseudo else b""
    return total(head + data[:covered]) == 0


# OSPFv2, OSPFv3, VRRPv2, VRRPv3 (as RFC 5798 has it) on both, PIM, EIGRP, RSVP, UDP-Lite, DCCP, PIM over IPv6: which have a
# pseudo-header. OSPFv2 and EIGRP end with the packet here.
OTHERS = (False, True, False, True, True, False, False, False, True, True, True)


def test_checksums_of_other_protocols_follow(backend):
    """As right as before: tshark calls all of these right."""
    before = given("csum-other.pcap")
    words = "pkt-change -u IP.SRC_ADDR=192.0.2.77 IPV6.SRC_ADDR=fe80::77"
    after = checked(words, before, backend)
    assert b"could not follow" not in after.stderr
    for packets in (before, after.stdout):
        found = [
            sound(frame, pseudo, 8 if i == 8 else None)
            for i, (frame, pseudo) in enumerate(zip(frames(packets), OTHERS, strict=True))
        ]
        assert found == [True] * 11
    assert all(one != other for one, other in zip(frames(before), frames(after.stdout), strict=True))


@pytest.mark.parametrize("command", ["pkt-check -cs", "pkt-correct", "pkt-correct -L"])
def test_source_routes(command, form, backend):
    """RFC 1122 section 4.1.3.5: of one that is not used up the last address counts, of one that is the header's."""
    before = given("csum-lsrr.pcap", form, backend)
    done = checked(command, before, backend)
    assert (frames(done.stdout), done.stderr) == (frames(before), b"")


def test_source_routes_shown(backend):
    shown = checked("pkt-analyze", given("csum-lsrr.pcap"), backend).stdout.decode()
    assert shown.count("(Valid") == 6, shown


@pytest.mark.parametrize("form", ["as it is", "text", "pcapng"])
def test_segments_whose_length_is_0(form, backend):
    """BIG TCP: to the end of the frame."""
    before = given("bigtcp4.txt", form, backend)
    assert frames(checked("pkt-check", before, backend).stdout) == frames(before)
    mended = checked("pkt-correct", before, backend)
    filled = b"pkt-correct: <stdin>: 1 packet filled with zeros to what SIZE says: bytes are missing\n"
    assert mended.stderr == (filled if form == "as it is" else b"")  # the sample has the headers alone
    after = checked("pkt-change -u IP.SRC_ADDR=198.51.100.1", mended.stdout, backend)
    assert after.stderr == b""
    for packets in (mended.stdout, after.stdout):
        (frame,) = frames(packets)
        assert sound(frame, True)
        assert checked("pkt-check -cs", packets, backend).stdout.count(b"\n==\n") == 1
    assert frames(after.stdout)[0][26:30] == bytes([198, 51, 100, 1])


def test_tcp_over_64k(backend):
    before = given("tcp-over-64k.sh")
    shown = checked("pkt-analyze -l 1", before, backend).stdout.decode()
    assert "None" not in shown
    assert "0x1234" in shown
    mended = checked("pkt-correct", before, backend).stdout
    (frame,) = frames(mended)
    assert sound(frame, True)
    assert f"0x{int.from_bytes(frame[50:52], 'big'):x} (Valid" in checked("pkt-analyze", mended, backend).stdout.decode()


def test_jumbogram(backend):
    """RFC 2675: the length is in an option."""
    mended = checked("pkt-correct -L", given("jumbogram.sh"), backend)
    assert mended.stderr == b""
    (frame,) = frames(mended.stdout)
    assert (len(frame), frame[18:20], frame[62:66]) == (65590, b"\0\0", b"\x80\0\x7e\xaf")
    assert checked("pkt-check -cs", mended.stdout, backend).stdout.count(b"\n==\n") == 1


# ---- encapsulations and link types ----


@pytest.mark.parametrize("address", ["IP.SRC_ADDR[-1]=203.0.113.7", "IP.SRC_ADDR[-1]=203.0.113.7 UDP.SRC_PORT[-1]=7"])
def test_encapsulations_are_followed(address, form, backend):
    """The innermost addresses are set in all, and checksums are right again: they follow, or are corrected."""
    before = given("encapsulations.pcap", form, backend)
    words = " ".join(f"'{word}'" for word in address.split())
    for command in (f"pkt-change -u {words}", f"pkt-change {words} | pkt-correct"):
        done = checked(f"{command} | pkt-check -cs", before, backend)
        assert b"not followed" not in done.stderr
        assert done.stdout.count(b"\n==\n") == 16
        set_in = checked("pkt-filter 'IP.SRC_ADDR[-1]==203.0.113.7'", done.stdout, backend).stdout
        assert set_in.count(b"\n==\n") == 15  # one is IPv6


def test_a_change_inside_makes_checksums_wrong(backend):
    """Without -u, of all that have IPv4 inside: pkt-check sees it."""
    wrong = shell("pkt-change 'IP.SRC_ADDR[-1]=203.0.113.7' | pkt-check -cs", given("encapsulations.pcap"), backend=backend)
    assert wrong.stdout.count(b"\n==\n") == 1


@pytest.mark.parametrize("command", ["pkt-change -u IP.TTL=9", "pkt-change IP.TTL=9 | pkt-correct"])
def test_link_types_are_followed(command, backend):
    done = checked(f"{command} | pkt-check -cs", given("linktypes.pcapng"), backend)
    assert done.stderr == b""
    assert done.stdout.count(b"\n==\n") == 8
    assert checked("pkt-filter IP.TTL==9", done.stdout, backend).stdout.count(b"\n==\n") == 7  # one is IPv6


def test_link_types_are_converted_to_ethernet_or_it_is_said(backend):
    done = checked("pkt-change --to-ethernet", given("linktypes.pcapng"), backend)
    ethernet = checked("pkt-change --to-ethernet | pkt-filter ETHERNET", given("linktypes.pcapng"), backend)
    said = re.search(r"^pkt-change: (\d+) packets? not converted", done.stderr.decode(), re.MULTILINE)
    assert done.stdout.count(b"\n==\n") == 8
    assert ethernet.stdout.count(b"\n==\n") + (int(said[1]) if said else 0) == 8
    assert ethernet.stdout.count(b"\n==\n") >= 6


# ---- captures ----


def test_fcs_bits_are_kept(backend):
    """The bits of pcap's link type that tell the length of the FCS, through each form and back."""
    raw = given("fcsbits.pcap")
    for command, word in (
        ("pkt-txt2txt -F pcap", 0x44000001), ("pkt-pcap2txt | pkt-txt2pcap", 0x44000001),
        ("pkt-txt2pcapng | pkt-txt2pcap", 0x24000001),  # pcapng has octets, of which a pcap header counts two as one
    ):  # fmt: skip
        out = checked(command, raw, backend).stdout
        assert struct.unpack_from("<I", out, 20) == (word,), command
        assert frames(out) == frames(raw)
    assert b"\x0d\0\1\0\x20" in checked("pkt-txt2pcapng", raw, backend).stdout  # if_fcslen, in bits


def test_fcs_is_not_sent(backend):
    whole, size = given("fcsbits.pcap"), len(frames(given("fcsbits.pcap"))[0])
    assert f"\t{size - 4} bytes\t" in checked("pkt-send --dry-run", whole, backend).stdout.decode()


def test_blocks_that_are_dropped_are_said(backend):
    """Secrets, names, the custom block and options of packets, until they are kept."""
    raw = given("dsb.pcapng")
    done = checked("pkt-change IP.TTL=9 -F pcapng", raw, backend)
    for number, what in ((0x0A, "decryption secrets"), (4, "name resolution"), (0x0BAD, "custom block")):
        there = blocks(done.stdout).count(number) == blocks(raw).count(number)
        assert there or f"1 {what}" in done.stderr.decode()


def blocks(raw: bytes) -> list[int]:
    """The types of the blocks of a pcapng file in little-endian order."""
    found, at = [], 0
    while at < len(raw):
        kind, size = struct.unpack_from("<II", raw, at)
        found.append(kind)
        at += size
    return found


@pytest.mark.parametrize("command", ["pkt-pcap2txt", "pkt-txt2txt", "pkt-correct -F pcap", "pkt-txt2pcapng"])
def test_captures_one_behind_the_other(command, backend):
    """The packets of both, or an error that says that another capture begins there; no ghost."""
    first, second = given("twoway.pcap"), given("mcast-mac.pcap")
    done = shell(command, first + second, backend=backend)
    wanted = frames(first) + (frames(second) if done.returncode == 0 else [])
    assert frames(done.stdout) == wanted
    assert done.returncode == 0 or "another capture begins" in done.stderr.decode()


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_loopback_of_another_system(order, backend):
    """IPv6 is 24, 28 or 30 in saved captures of link type 0, in either byte order, as for tcpdump -r."""
    raw = given("loopback-ip6.pcap")
    packet = raw[44:]
    for family in (24, 28, 30):
        head = struct.pack(order + "IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 0, 0, 0, len(packet), len(packet))
        data = head + struct.pack(order + "I", family) + packet[4:]
        assert checked("pkt-filter --bpf ip6", data, backend).stdout.count(b"\n==\n") == 1
        assert not checked("pkt-filter --bpf ip", data, backend).stdout.count(b"\n==\n")
    assert checked("pkt-filter --bpf ip6", raw, backend).stdout.count(b"\n==\n") == 1


# ---- sending ----


def test_time_counts_from_the_first_packet_read(form, backend):
    done = checked("pkt-send --dry-run IP.SRC_ADDR==192.0.2.2", given("twoway.pcap", form, backend), backend)
    assert re.findall(r"^\d+\t([\d.]+) s\t", done.stdout.decode(), re.MULTILINE) == ["1.000000", "3.000000"]


def test_the_cases_are_all_here():
    """Each file of INDEX.md is a test above."""
    named = set(re.findall(r"[\w-]+\.(?:pcap|pcapng|txt|sh)\b", (CASES / "INDEX.md").read_text()))
    source = Path(__file__).read_text()
    assert not [name for name in named if name not in source and name.removesuffix(".txt").removesuffix(".pcap") not in source]
