"""Frame check sequences at the end of packets: kept through captures and text, shown, not sent, not payload."""

from __future__ import annotations

import itertools
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from conftest import SHARED, shell
from samples import ethernet, ipv4, udp
from sections import ORDERS, block, enhanced, flags, interface, section

from pkttools import codec
from pkttools.batch import Batch, Packet, count_of, fcs_of, gathered, link_of, linktype_of
from pkttools.protocols.fields import HEADERS

FCS_OPTION = 13
DATAGRAM = ipv4(17, udp(b"hi"))


def framed(frame: bytes, octets: int = 4) -> bytes:
    """A frame and its check sequence: of Ethernet where it has four octets, else something."""
    return frame + (zlib.crc32(frame).to_bytes(4, "little") if octets == 4 else bytes(range(0xA0, 0xA0 + octets)))


def mended(frame: bytes) -> bytes:
    """An Ethernet frame with checksums."""
    data = bytearray(frame)
    codec.correct(data, one(frame, None).rows, codec.ALL)
    return bytes(data)


def pcap(word: int, *frames: bytes, order: str = "<", cut: int = 0) -> bytes:
    """A pcap file with this last word in its header; `cut` bytes at the end of each packet were not captured."""
    head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, word)
    made = (struct.pack(order + "IIII", 1, 2, len(f) - cut, len(f)) + f[: len(f) - cut] for f in frames)
    return head + b"".join(made)


def word_of(raw: bytes) -> int:
    return struct.unpack_from("<I" if raw[:1] == b"\xd4" else ">I", raw, 20)[0]


def one(frame: bytes, fcs: int | None, linktype: int = 1, original: int | None = None) -> Batch:
    """A batch of one packet."""
    return gathered([Packet(frame, len(frame) if original is None else original, 0, link_of(linktype, fcs))])


FRAME = mended(ethernet(0x0800, DATAGRAM + bytes(46 - len(DATAGRAM))))  # of Ethernet's least size

# ---- what stands in a row ----


def test_rows() -> None:
    for linktype, octets in itertools.product((0, 1, 113, 0xFFFFFFFF), range(32)):
        for count in (None, *range(16)):
            link = link_of(linktype, octets, count)
            assert (linktype_of(link), fcs_of(link)) == (linktype, octets)
            assert count_of(link) == (None if count is None or 2 * count == octets else count)
        assert fcs_of(link_of(linktype)) is None
        assert link_of(linktype) == linktype
        assert count_of(link_of(linktype)) is None


@pytest.mark.parametrize(
    ("captured", "original", "octets", "left"),
    [(64, 64, 4, (60, 60)), (62, 64, 4, (60, 60)), (60, 64, 4, (60, 60)), (59, 64, 4, (59, 60)), (20, 1518, 4, (20, 1514)),
     (64, 0, 4, (60, 0)), (64, 62, 4, (60, 60)), (3, 3, 4, (0, 0)), (0, 0, 4, (0, 0)), (5, 5, 0, (5, 5)), (64, 64, 31, (33, 33))],
)  # fmt: skip
def test_it_is_at_the_original_end(codec, captured, original, octets, left) -> None:
    """Of a packet that was truncated less of it, or nothing, is there; without a size on the wire it ends what was captured."""
    batch = one(bytes(captured), octets, 147, original)
    assert codec.walk(batch.data, batch.rows) == [(HEADERS.index("UNKNOWN"), 0, 0, left[0])]
    assert codec.check(batch.data, batch.rows)[0] == (1 if left[1] > left[0] else 0)
    rows = list(batch.columns())
    bare = batch.without_fcs()
    assert tuple(bare.columns()[1:3]) == left
    assert bare.columns()[4] == 147
    assert rows[3] == bare.columns()[3]


# ---- captures and text ----


@ORDERS
@pytest.mark.parametrize("linktype", [1, 113])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 15])
def test_pcap_and_text_and_back(backend, count, linktype, order) -> None:
    """The header counts in 16 bits; four on Ethernet were meant as octets, for its FCS has no more."""
    word = count << 28 | 0x04000000 | linktype
    raw = pcap(word, framed(FRAME), order=order)
    octets = 4 if (count, linktype) == (4, 1) else 2 * count
    option = {"<": "", ">": " -be"}[order]
    command = f"pkt-pcap2txt | tee >(cat >&2) | pkt-txt2txt | pkt-txt2pcap{option}"
    done = shell(command, raw, backend=backend)
    assert done.returncode == 0
    assert done.stdout == raw[:16] + struct.pack(order + "I", 262144) + raw[20:]
    lines = done.stderr.decode().splitlines()
    assert lines[1] == (f"TRAILER: {octets}/4 (FCS)" if octets == 4 and count == 4 else f"TRAILER: {octets} (FCS)")
    assert [line for line in lines if line.startswith("TRAILER")] == lines[1:2]


@pytest.mark.parametrize("word", [1, 0x40000001, 0xF0000001, 0x00000071])
def test_a_length_without_its_bit_means_nothing(word: int) -> None:
    done = shell("pkt-pcap2txt", pcap(word, FRAME))
    assert b"TRAILER" not in done.stdout
    assert word_of(shell("pkt-txt2txt -F pcap", pcap(word, FRAME)).stdout) == word & 0xFFFF


def ng(
    order: str = "<", length: int | None = None, word: int | None = None, frame: bytes = framed(FRAME), linktype: int = 1
) -> bytes:
    """A section with if_fcslen and a packet with epb_flags."""
    given = [] if length is None else [(FCS_OPTION, bytes([length]))]
    more = [] if word is None else [flags(word, order)]
    return section(order) + interface(linktype, given, order) + enhanced(frame, 1_000_002, given=more, order=order)


def lengths_of(raw: bytes) -> list[int | None]:
    """if_fcslen of each interface of a section in little-endian order."""
    found, at = [], 0
    while at < len(raw):
        kind, size = struct.unpack_from("<II", raw, at)
        if kind == 1:
            place, value = at + 16, None
            while place < at + size - 4:
                code, length = struct.unpack_from("<HH", raw, place)
                value = raw[place + 4] if code == FCS_OPTION else value
                place += 4 + (length + 3) // 4 * 4
            found.append(value)
        at += size
    return found


@ORDERS
@pytest.mark.parametrize(
    ("length", "octets"), [(0, 0), (1, 1), (2, 2), (4, 4), (7, 7), (8, 1), (16, 2), (32, 4), (33, 4), (255, 31)]
)
def test_pcapng_says_it_in_bits(backend, order, length, octets) -> None:
    """Below eight in octets, as Wireshark reads it too; bits are written."""
    done = shell("pkt-pcapng2txt | tee >(cat >&2) | pkt-txt2pcapng", ng(order, length), backend=backend)
    assert done.stderr.decode().splitlines()[:2] == ["LINKTYPE: 1 (Ethernet)", f"TRAILER: {octets} (FCS)"]
    assert lengths_of(done.stdout) == [8 * octets]


@ORDERS
@pytest.mark.parametrize("octets", range(16))
@pytest.mark.parametrize("length", [None, 0, 16])
def test_flags_of_a_packet_come_first(codec, order, octets, length, monkeypatch) -> None:
    """They count octets; 0 says nothing. What else they say is counted, this is not."""
    from test_joined_captures import Chunks

    from pkttools.batch import LINKTYPE
    from pkttools.formats import packets

    monkeypatch.setattr("pkttools.codec.pcapng_decode", codec.pcapng_decode)
    source = Chunks(ng(order, length, octets << 5 | 2))
    [batch] = packets(source)
    expected = octets or (None if length is None else length // 8)
    assert fcs_of(batch.column(LINKTYPE)[0]) == expected
    assert source.said == []
    source = Chunks(ng(order, length, octets << 5 | 2 | 4))
    list(packets(source))
    assert source.said == ["<memory>: not kept: 1 packet option"]


def test_between_pcap_and_pcapng(backend) -> None:
    for words in ("pkt-txt2txt -F pcapng | pkt-txt2txt -F pcap", "pkt-txt2txt -F pcapng | pkt-txt2txt | pkt-txt2pcap",
                  "pkt-pipe 'txt2txt | txt2pcap'"):  # fmt: skip
        assert word_of(shell(words, pcap(0x24000001, framed(FRAME)), backend=backend).stdout) == 0x24000001
    done = shell("pkt-txt2txt -F pcapng", pcap(0x24000001, framed(FRAME)), backend=backend)
    assert lengths_of(done.stdout) == [32]


def test_pcap_cannot_say_all(backend) -> None:
    done = shell("pkt-txt2txt -F pcap", ng(length=24), backend=backend)
    assert (done.returncode, word_of(done.stdout)) == (0, 1)
    assert done.stderr == b"pkt-txt2txt: an FCS of 3 octets is not said: pcap counts them in pairs, up to 30\n"
    done = shell("pkt-txt2txt -F pcap", ng(length=32) + ng(), backend=backend)
    assert done.returncode == 1
    assert b"has one link type, 1 with an FCS of 4 octets, and here is a packet of type 1: write pcapng" in done.stderr


def test_packets_of_several_lengths(backend) -> None:
    """The line holds up to the next LINKTYPE; in pcapng they are interfaces."""
    joined = ng(length=32) + ng() + ng(length=0) + ng(length=16, word=4 << 5) + ng(linktype=113)
    done = shell("pkt-txt2txt", joined, backend=backend)
    lines = [line for line in done.stdout.decode().splitlines() if line.startswith(("LINKTYPE", "TRAILER", "--"))]
    assert lines == ["LINKTYPE: 1 (Ethernet)", "TRAILER: 4 (FCS)", "-- 1 --", "LINKTYPE: 1 (Ethernet)", "-- 2 --",
                     "LINKTYPE: 1 (Ethernet)", "TRAILER: 0 (FCS)", "-- 3 --", "LINKTYPE: 1 (Ethernet)", "TRAILER: 4 (FCS)",
                     "-- 4 --", "LINKTYPE: 113 (Linux SLL)", "-- 5 --"]  # fmt: skip
    done = shell("pkt-txt2txt -F pcapng", done.stdout, backend=backend)
    assert lengths_of(done.stdout) == [32, None, 0, None]
    assert shell("pkt-txt2txt | pkt-txt2txt", done.stdout).stdout == shell("pkt-txt2txt", joined).stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [("4", ""), ("04/02", ""), ("4/4", ""), ("31", ""), ("0", ""), ("5/15 (what)", ""), ("32", "32"), ("4/16", "4/16"),
     ("4/", "4/"), ("4x", "4x"), ("", ""), ("-4", "-4"), ("FCS", "FCS"), ("1" * 400, "1" * 40 + "..."), ("/2", "/2")],
)  # fmt: skip
def test_lines_of_text(backend, line, said) -> None:
    text = f"LINKTYPE: 1\nTRAILER: {line}\n-- 1 --\n00 11 22\n==\n".encode()
    done = shell("pkt-txt2txt", text, backend=backend)
    if said or not line:
        message = f"pkt-txt2txt: <stdin>:2: bad trailer '{said}': octets of the frame check sequence, up to 31, such as 4\n"
        assert (done.returncode, done.stderr.decode()) == (1, message)
    else:
        assert done.returncode == 0
        octets, _, count = line.split()[0].partition("/")
        wanted = f"{int(octets)}" + (f"/{int(count)}" if count and 2 * int(count) != int(octets) else "")
        assert f"TRAILER: {wanted} (FCS)\n".encode() in done.stdout


def test_within_a_packet_it_is_a_comment_as_linktype_is() -> None:
    done = shell("pkt-txt2txt", b"-- 1 --\nTRAILER: 4\n00 11\n==\n")
    assert (done.returncode, b"TRAILER" in done.stdout) == (0, False)


def test_another_link_type_leaves_it() -> None:
    done = shell("pkt-txt2txt -lt 113", pcap(0x24000001, framed(FRAME)))
    assert done.stdout.startswith(b"LINKTYPE: 113 (Linux SLL)\nTRAILER: 4 (FCS)\n")


# ---- no payload ----


def test_fields_end_before_it(backend) -> None:
    raw = ng(length=32, linktype=147, frame=bytes(range(8)))
    assert b"UNKNOWN.DATA:\t\t00 01 02 03\n=" in shell("pkt-txt2txt -a", raw, backend=backend).stdout
    for expression, passes in (("UNKNOWN.DATA==00010203", True), ("UNKNOWN.DATA==0001020304050607", False)):
        assert bool(shell(f"pkt-filter '{expression}' -F pcap | tail -c +25", raw, backend=backend).stdout) == passes
    done = shell("pkt-change UNKNOWN.DATA=FFFFFFFFFFFFFFFF | pkt-txt2bin", raw, backend=backend)
    assert done.stdout == b"\xff" * 4 + bytes(range(4, 8))


def test_bpf_sees_all_of_a_frame_as_tcpdump_does(backend, tmp_path: Path) -> None:
    raw = pcap(0x24000001, framed(FRAME))
    (tmp_path / "f.pcap").write_bytes(raw)
    for expression in ("greater 64", "less 63", f"ether[62] = {framed(FRAME)[62]}", "greater 65"):
        ours = shell(f"pkt-filter --bpf '{expression}' -F pcap | tail -c +25 | wc -c", raw, backend=backend)
        assert ours.returncode == 0
        if shutil.which("tcpdump"):
            done = subprocess.run(["tcpdump", "-r", tmp_path / "f.pcap", "-w", "-", expression], capture_output=True, check=True)
            assert int(ours.stdout) == len(done.stdout) - 24
    both = "not UDP.DST_PORT==53 or IP"
    assert shell(f"pkt-filter --bpf 'greater 64' '{both}' -F pcap | wc -c", raw, backend=backend).stdout.strip() == b"104"


def test_lengths_and_checksums_do_not_count_it(backend) -> None:
    """A frame without padding: what -L finds ends before the FCS; and -u and checks of what ends with the frame."""
    whole = framed(ethernet(0x0800, ipv4(17, udp(b"x" * 80))))
    done = shell(
        "pkt-change IP.TOTAL_SIZE=20 UDP.SIZE=8 | pkt-correct -L | pkt-check -cs | pkt-txt2bin",
        pcap(0x24000001, whole),
        backend=backend,
    )
    assert done.returncode == 0
    assert struct.unpack_from("!H", done.stdout, 16)[0] == 108
    assert struct.unpack_from("!H", done.stdout, 38)[0] == 88
    assert done.stdout[-4:] == whole[-4:]
    # Total length 0: the datagram goes to the end of the frame, and that is before the FCS.
    big = bytearray(whole)
    big[16:18] = b"\0\0"
    batch = one(bytes(big), 4)
    ends = {HEADERS[kind]: end for kind, _, _, end in codec.walk(batch.data, batch.rows)}
    assert ends["ETHERNET"] == ends["IP"] == len(whole) - 4


def test_cut_packets(backend) -> None:
    """The FCS is what is missing first."""
    for cut, code in ((0, 0), (3, 0), (4, 0), (5, 1)):
        done = shell(
            "pkt-correct | pkt-check -cs | wc -c", pcap(0x24000001, framed(ethernet(0x0800, DATAGRAM)), cut=cut), backend=backend
        )
        assert (int(done.stdout) == 0) == bool(code), cut


def test_a_change_leaves_it(backend) -> None:
    done = shell("pkt-change IP.TTL=9 | pkt-correct | pkt-txt2txt -F pcap", pcap(0x24000001, framed(FRAME)), backend=backend)
    assert word_of(done.stdout) == 0x24000001
    assert done.stdout[-4:] == framed(FRAME)[-4:]


# ---- where frames are made or sent ----


@pytest.mark.parametrize(
    "command",
    ["pkt-fragment -fm 60 -fc", "pkt-fragment", "pkt-defragment", "pkt-change --to-ethernet", "pkt-change --unwrap",
     "pkt-fragment -fm 60 -fc | pkt-defragment", "pkt-pipe 'fragment -fm 60 -fc | defragment'"],
)  # fmt: skip
def test_frames_that_are_made_have_none(backend, command) -> None:
    whole = framed(ethernet(0x0800, ipv4(17, udp(b"x" * 80))))
    done = shell(f"pkt-correct -F pcap | {command} -F pcap", pcap(0x24000001, whole, framed(FRAME)), backend=backend)
    assert (done.returncode, word_of(done.stdout)) == (0, 1)
    pieces, at = [], 24
    while at < len(done.stdout):
        captured, original = struct.unpack_from("<II", done.stdout, at + 8)
        assert captured == original
        pieces.append(done.stdout[at + 16 : at + 16 + captured])
        at += 16 + captured
    assert pieces[-1] == FRAME or "fragment" in command
    assert not any(piece.endswith((whole[-4:], framed(FRAME)[-4:])) for piece in pieces)
    assert len(pieces) == (2 if "60" not in command or "defragment" in command else 4)


def test_answers_have_none(backend) -> None:
    from samples import icmp

    ping = framed(ethernet(0x0800, ipv4(1, icmp(8))))
    done = shell("pkt-correct -F pcap | pkt-pingrep -F pcap", pcap(0x24000001, ping), backend=backend)
    assert (word_of(done.stdout), len(done.stdout)) == (1, 24 + 16 + len(ping) - 4)


def test_it_is_not_sent(backend) -> None:
    raw = pcap(0x24000001, framed(FRAME), framed(FRAME))
    done = shell("pkt-send --dry-run -f --loop 2", raw, backend=backend)
    assert done.stderr == b"pkt-send: would send 4 packets, 240 bytes, in 0.000 s\n"
    assert shell("pkt-gen raw -F pcap", raw, backend=backend).stdout[24 + 8 :].count(FRAME) == 2
    assert word_of(shell("pkt-gen raw -F pcap", raw, backend=backend).stdout) == 1


# ---- shown ----


@pytest.mark.parametrize(
    ("frame", "cut", "shown"),
    [(framed(FRAME), 0, "FCS: {} (right)"), (framed(FRAME)[:-1] + b"\0", 0, "FCS: {} (wrong)"),
     (framed(FRAME), 1, "FCS: {} (truncated)"), (framed(FRAME), 4, "FCS: (not captured)"),
     (framed(FRAME), 9, "FCS: (not captured)")],
)  # fmt: skip
def test_people_see_it(backend, frame, cut, shown) -> None:
    done = shell("pkt-analyze", pcap(0x24000001, frame, cut=cut), backend=backend)
    there = frame[-4 : len(frame) - cut].hex(" ").upper()
    lines = done.stdout.decode().splitlines()
    assert lines[:2] == ["LINKTYPE: 1 (Ethernet)", "TRAILER: 4 (FCS)"]
    assert lines[4] == shown.format(there)
    assert not any(line.startswith("FCS") for line in shell("pkt-analyze", pcap(0x04000001, frame)).stdout.decode().splitlines())


# ---- others agree ----


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
@pytest.mark.parametrize("octets", [0, 2, 4, 8, 14])
def test_tshark_finds_what_we_write(tmp_path: Path, form: str, octets: int) -> None:
    """Its payload of an Ethernet frame of no known type ends where ours does, in both formats."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    frame = bytes(12) + b"\x88\xb5" + bytes(range(0x20, 0x60))
    path = tmp_path / "f"
    path.write_bytes(shell(f"pkt-txt2txt -F {form}", ng(length=8 * octets, frame=frame)).stdout)
    done = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "data.len"], capture_output=True, check=True)
    assert int(done.stdout) == 64 - octets


def test_the_case(backend) -> None:
    """It counts octets, as the check sequences in it show."""
    path = SHARED / "cases" / "fcsbits.pcap"
    if not path.exists():
        pytest.skip("the case is not there")
    raw = path.read_bytes()
    for command in ("pkt-txt2txt -F pcap", "pkt-pcap2txt | pkt-txt2pcap", "pkt-pipe 'change IP.TTL=64'"):
        assert shell(command, raw, backend=backend).stdout == raw
    assert shell("pkt-send --dry-run", raw, backend=backend).stderr.endswith(b"would send 2 packets, 120 bytes, in 1.000 s\n")
    assert shell("pkt-analyze | grep -c 'FCS: .* (right)'", raw, backend=backend).stdout == b"2\n"


def test_simple_and_obsolete_blocks(backend) -> None:
    """They are of an interface, too; the flags of an obsolete one are like those of an enhanced one."""
    from sections import obsolete, simple

    raw = section() + interface(1, [(FCS_OPTION, b"\x20")]) + simple(framed(FRAME)) + obsolete(FRAME, given=[flags(2 << 5)])
    done = shell("pkt-txt2txt | grep TRAILER", raw, backend=backend)
    assert done.stdout == b"TRAILER: 4 (FCS)\nTRAILER: 2 (FCS)\n"
    assert lengths_of(block(5, b"none")) == []
