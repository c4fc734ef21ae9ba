"""The commands as users meet them: what they write, what they say, how they end."""

from __future__ import annotations

import os
import select
import shlex
import signal
import struct
import subprocess
import sys

import pytest
from conftest import ROOT, load, shell
from peak import piped
from samples import ARP, ethernet, ipv4, ipv6, tags, tcp, udp

from pkttools import __version__, flow, main
from pkttools.command_line import options
from pkttools.commands import change
from pkttools.flow.stage import Stage
from pkttools.formats.files import Sink
from pkttools.protocols.fields import FIELDS

UDP = ethernet(0x0800, ipv4(17, udp()))


def packet(frame: bytes, number: int = 1, time: str = "1400167480.561500", more: str = "") -> str:
    """A packet as text, one line of bytes."""
    return f"-- {number} --\nTIME: {time}\nSIZE: {len(frame)}/{len(frame)}\n{frame.hex(' ')}\n{more}==\n"


def text(*frames: bytes) -> bytes:
    return "".join(packet(frame, i + 1) for i, frame in enumerate(frames)).encode()


def frames_of(out: bytes) -> list[str]:
    """The bytes of packets in text of -do, in hex."""
    return [part.split("==")[0].replace(" ", "").replace("\n", "").lower() for part in out.decode().split("--\n")[1:]]


def run(command: str, data: bytes = b"", code: int = 0, said: str = "", **more: str) -> bytes:
    """Runs a pipeline; its exit code and every byte on standard error are as they should be."""
    done = shell(command, data, **more)
    assert (done.returncode, done.stderr.decode()) == (code, said), done.stdout[-500:]
    return done.stdout


GOOD = packet(b"\x07", 1)  # five lines
MESSAGE = "pkt-correct: <stdin>:"
MISSING = "an expression is missing, such as 'UDP.DST_PORT==53' or --bpf 'udp port 53'"


# ---- what is wrong with the input ----


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("-- 4 --\n00 zz\n==\n", "17: bad hex digit 'zz'"),
        ("-- 4 --\nIP.TLL: 5\n==\n", "17: no field 'IP.TLL': did you mean IP.TTL?"),
        ("-- 4 --\nFOO.BAR: 5\n==\n", "17: no field 'FOO.BAR' (-k lists the fields)"),
        ("-- 4 --\nIP.TTL: 300\n==\n", "17: IP.TTL: 300 does not fit: at most 255"),
        ("-- 4 --\nIP.TTL: 3\nIP.TTL: x\n==\n", "18: IP.TTL: 'x' is not a number"),
        ("-- 4 --\nSIZE: 2000000000\n==\n", "17: bad size '2000000000': captured/original, captured up to 262144 bytes"),
        ("-- 4 --\nTIME: tomorrow\n==\n",
         "17: bad time 'tomorrow': seconds since 1970, up to 9223372035, such as 1400167480.561500"),
        ("LINKTYPE: eth\n", "16: bad link type 'eth'"),
        ("-- 4 --\n00\n", "16: the packet that begins here never ends: '==' is missing"),
        ("-- 4 --\n00\n-- 5 --\n==\n", "18: a packet begins here, but the one of line 16 has not ended with '=='"),
        ("-- 4 --\n" + "00 " * 262_145 + "\n==\n", "17: packet is longer than 262144 bytes"),
        ("-- 4 --\n00 z" + "\x1b[31m" + "\n==\n", "17: bad hex digit 'z'"),
        ("-- 4 --\nTIME: \x1b[31m\u00e9\n==\n",
         "17: bad time '?[31m??': seconds since 1970, up to 9223372035, such as 1400167480.561500"),
        ("-- 4 --\n00 " + "g" * 500 + "\n==\n", f"17: bad hex digit '{'g' * 40}...'"),
    ],
    ids=lambda text: text[:20].encode("ascii", "replace").decode().encode("unicode_escape").decode(),
)  # fmt: skip
def test_bad_text_is_named_with_its_line(backend, bad, said):
    """All packets before it are written."""
    out = run("pkt-correct -do", (GOOD * 3 + bad).encode(), 1, f"{MESSAGE}{said}\n", backend=backend)
    assert frames_of(out) == ["07"] * 3


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("-- 4 --\n00 123\n==\n", "17: odd number of hex digits '123'"),
        ("-- 4 --\n02:00:00\n==\n", "17: no blank behind the byte in '00:00'"),
        ("-- 4 --\n0000  02 00\n==\n", "17: offset '0000' without its colon"),
        ("-- 4 --\n00 11\n  000002: 22\x1b[m\n==\n-- 5",
         "18: indented data line '000002: 22 ?[m': data lines begin in the first column"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["pkt-correct -do", "pkt-pipe 'correct -do'"])
def test_a_dump_of_another_program_is_not_read_in_part(backend, bad, said, command):
    done = shell(command, (GOOD * 3 + bad.replace("\x1b", " \x1b")).encode(), backend=backend)
    assert frames_of(done.stdout) == ["07"] * 3
    assert done.returncode == 1
    assert done.stderr.decode().endswith(f"<stdin>:{said}; pkt-hex2txt reads the dumps of other programs\n")


def test_a_bad_field_line_comes_after_the_packets_before_it(backend):
    data = (GOOD * 2 + packet(UDP, more="IP.TTL: 5\n") + packet(UDP, more="IP.TTL: 6\nIP.TLL: 7\n")).encode()
    out = run("pkt-txt2txt -do", data, 1, "pkt-txt2txt: <stdin>:22: no field 'IP.TLL': did you mean IP.TTL?\n", backend=backend)
    assert [frame[44:46] for frame in frames_of(out)] == ["", "", "05"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x0a\x0d\x0d\x0a" + bytes(30), "at byte 0: byte-order magic 00000000 of a section is neither 1a2b3c4d nor 4d3c2b1a"),
        (b"\x0a\x0d\x0d\x0a" + bytes(3), "at byte 0: file is truncated: 7 of a block header's 8 bytes"),
        (b"\x1f\x9d\x90" + bytes(30), "this is compressed by compress: put zcat in front"),
        (b"\x02\x21\x4c\x18" + bytes(30), "this is lz4 of the old format: put lz4 -dc in front"),
        (b"\x5d\0\0\x80\0" + b"\xff" * 8 + bytes(20), "this is LZMA of before xz: put xz -dc in front"),
        (b"PK\3\4" + bytes(30), "this is a ZIP archive: put unzip -p in front"),
        (b"\x7fELF\2\1\1\0" + bytes(100), "neither packet text nor a capture file"),
        (b"\xd4\xc3\xb2\xa1\2\0", "file is truncated: 6 of the file header's 24 bytes"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 3, 1, 0, 0, 0, 1), "version 3.1 of pcap is not supported, only 2.0 to 2.4 and 543.0"),
    ],
)  # fmt: skip
def test_other_files_are_named(data, said):
    assert run("pkt-txt2txt", data, 1, f"pkt-txt2txt: <stdin>: {said}\n") == b""


def test_binary_further_on_is_seen_too():
    """Whatever has no packet, and bytes that no text has, is not text."""
    data = b"no magic at all" + b"\xff" * 20 + b"\0" * 50
    assert run("pkt-txt2txt", data, 1, "pkt-txt2txt: <stdin>: neither packet text nor a capture file\n") == b""


NO_PACKETS = {
    "some notes\nand no packet": "not packet text",
    "# Title\n\n    -- 1 --\n    000000: 00 11\n    ==\n": "not packet text",
    "==\n": "not packet text",
    "\n": "not packet text but only blank lines",
    " \t\n\r\n  ": "not packet text but only blank lines",
    " LINKTYPE: 1\n": "not packet text",
    "\ufeff<!DOCTYPE html>\n": "not packet text but HTML",
    "<?xml version='1.0'?>\n": "not packet text but XML",
    '[\n  {"_index": 1}]\n': "not packet text but JSON, which pkt-json2txt reads",
    "00000000  02 00 00 00 00 02\n": "not packet text but a dump, which pkt-hex2txt reads",
    "\t0x0000:  4500 001c 0001\n": "not packet text but a dump, which pkt-hex2txt reads",
    "17:30:40.995508 IP 192.0.2.1.9999 > 192.0.2.200.9999: UDP, length 0\n":
        "not packet text but what tcpdump or tshark print: both write a capture with -w",
    "    1   0.000000    192.0.2.1 -> 192.0.2.2    ICMP 98\n":
        "not packet text but what tcpdump or tshark print: both write a capture with -w",
    "TIME: 1.0 x\nSIZE: 1/1\n00\n":
        "not packet text but lines of packets, of which each begins with '--' and ends with '=='",
    "#\n" * 100_000: "not packet text",
    "x" * 200_000: "not packet text",
}  # fmt: skip


@pytest.mark.parametrize("text", NO_PACKETS, ids=range(len(NO_PACKETS)))
def test_text_without_packets(backend, text):
    said = f"<stdin>: no packets: {NO_PACKETS[text]}\n"
    assert run("pkt-txt2txt", text.encode(), 1, f"pkt-txt2txt: {said}", backend=backend) == b""


@pytest.mark.parametrize(
    "command",
    ["pkt-txt2pcap", "pkt-filter -F pcapng IP", "pkt-txt2bin", "pkt-analyze", "pkt-pipe 'check | correct -F pcap'",
     "pkt-send --dry-run",
     "pkt-txt2txt -do", "pkt-pcap2txt", "pkt-defragment", "pkt-pipe 'check | send --dry-run'"],
)  # fmt: skip
def test_text_without_packets_ends_every_command(tmp_path, backend, command):
    path = tmp_path / "README.md"
    path.write_text("# Packets\n")
    for name, given in (("<stdin>", command), (path, command.replace("check", f"check --in {path}"))):
        if given == command and name == path:
            given += f" --in {path}"
        done = shell(given, path.read_bytes(), backend=backend)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.decode().endswith(f"{name}: no packets: not packet text\n")


@pytest.mark.parametrize(("text", "said"), [("", ""), ("LINKTYPE: 1 (Ethernet)\n", "in 1 line"), ("LINKTYPE: 1\r\n", "in 1 line"),
                                            ("#\nLINKTYPE: 9", "in 2 lines")])  # fmt: skip
@pytest.mark.parametrize("command", ["pkt-txt2txt", "pkt-analyze", "pkt-filter IP"])
def test_streams_without_packets_are_no_error(backend, text, said, command):
    said = said and f"{command.split()[0]}: <stdin>: no packets {said}\n"
    assert run(command, text.encode(), 0, said, backend=backend) == b""


@pytest.mark.parametrize(
    "text", ["LINKTYPE: 101 (Raw IP)\n-- 1 --\nTIME: 1\n45 00\n==\n", "-- 1 --\nTIME: 1\n02\n==\n", "LINKTYPE: 9", ""]
)
def test_the_mark_before_a_text_of_windows_hides_no_line(tmp_path, backend, text):
    (tmp_path / "marked").write_text("\ufeff" + text)
    bare = shell("pkt-txt2txt", text.encode(), backend=backend)
    assert bare.returncode == 0
    for command in (f"pkt-txt2txt < {tmp_path}/marked", f"cat {tmp_path}/marked | pkt-txt2txt"):
        marked = shell(command, backend=backend)
        assert (marked.returncode, marked.stdout, marked.stderr) == (0, bare.stdout, bare.stderr)


def test_a_stream_without_packets_arrives_byte_by_byte():
    for text, code in ((b"\nLINKTYPE: 1\n", 0), (b"\nx\n", 1)):
        feed = f"for byte in $(printf '{text.decode()}' | od -An -v -tu1); do printf \"\\\\$(printf %03o $byte)\"; sleep 0.02; done"
        done = shell(f"{{ {feed}; }} | pkt-txt2txt")
        assert (done.returncode, done.stdout) == (code, b"")


def test_cut_pcap(backend):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    record = struct.pack("<IIII", 1, 2, 3, 3) + b"abc"
    for rest, said in (
        (record[:-1], "at byte 43: file is truncated: 2 of a packet's 3 bytes"),
        (record[:5], "at byte 43: file is truncated: 5 of a record header's 16 bytes"),
        (struct.pack("<IIII", 1, 2, 2**31 + 1, 3), "at byte 43: record of 2147483649 bytes: a packet has at most 262144"),
    ):  # fmt: skip
        out = run("pkt-pcap2txt -do", head + record + rest, 1, f"pkt-pcap2txt: <stdin>: {said}\n", backend=backend)
        assert frames_of(out) == ["616263"]


def test_empty_input(backend):
    assert run("pkt-txt2txt", backend=backend) == b""
    assert run("pkt-txt2pcap", backend=backend) == struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    assert run("pkt-txt2pcap -lt 113 -be", backend=backend) == struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 113)


# ---- files and descriptors ----


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--in missing", "missing: No such file or directory"), ("--in .", ".: Is a directory"), ("--out .", ".: Is a directory"),
        ("--out missing/file", "missing/file: No such file or directory"),
        ("--in packets --out packets", "packets: input and output are the same file"),
        ("--in packets --out ./packets", "./packets: input and output are the same file"),
        ("--in packets --out link", "link: input and output are the same file"),
        ("--in packets --out hard", "hard: input and output are the same file"),
        ("< packets >> packets", "<stdout>: input and output are the same file"),
        ("--in packets >> packets", "<stdout>: input and output are the same file"),
        ("--out packets < packets", "packets: input and output are the same file"),
        ("--in packets > /dev/full", "<stdout>: No space left on device"),
        ("--in packets --out /dev/full", "/dev/full: No space left on device"),
        ("--in packets >&-", "<stdout>: Bad file descriptor"), ("<&-", "<stdin>: Bad file descriptor"),
        ("--in .<&-", ".: Is a directory"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", ["text", "pcap", "pcapng"])
def test_files_that_cannot_be_used(tmp_path, words, said, format):
    """One line each, and no file is harmed."""
    path = tmp_path / "packets"
    path.write_bytes(text(UDP))
    (tmp_path / "link").symlink_to("packets")
    (tmp_path / "hard").hardlink_to(path)
    assert run(f"cd '{tmp_path}' && pkt-txt2txt -F {format} {words}", b"", 1, f"pkt-txt2txt: {said}\n") == b""
    assert path.read_bytes() == text(UDP)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["hard", "link", "packets"]


@pytest.mark.parametrize("command", ["pkt --help", "pkt --version", "pkt help sort", "pkt-sort --help", "pkt-sort --version",
                                     "pkt-sort -k", "pkt-filter -d IP", "pkt-lab demo"])  # fmt: skip
@pytest.mark.parametrize(("where", "said"), [(">&-", "Bad file descriptor"), ("> /dev/full", "No space left on device")])
def test_what_is_shown_instead_of_packets_cannot_be_written(command, where, said):
    name = "pkt-sort" if "help sort" in command else command.split()[0]
    assert run(f"{command} {where}", b"", 1, f"{name}: <stdout>: {said}\n") == b""


def test_descriptors_that_are_closed_are_not_mixed_up(tmp_path):
    """Files opened while 0, 1 or 2 are free get those numbers; still each is what it should be."""
    (tmp_path / "in").write_bytes(text(UDP))
    for closed in ("<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"):
        run(f"cd '{tmp_path}' && pkt-txt2txt -do --in in --out out {closed}")
        assert frames_of((tmp_path / "out").read_bytes()) == [UDP.hex()], closed
    assert run(f"cd '{tmp_path}' && pkt-txt2txt --in missing --out out 2>&-", b"", 1) == b""


@pytest.mark.parametrize(("closed", "found"), [("<&-", "0"), (">&-", "1"), ("2>&-", "2"), ("<&- >&- 2>&-", "0 1 2")])
def test_a_closed_stream_gives_its_number_to_nothing(tmp_path, closed, found):
    """Else a packet socket may get it, and be read or written as if it were the stream."""
    script = (
        "import os, sys; from pkttools import main\n"
        "fds = lambda *_: [fd for fd in range(3) if os.readlink(f'/proc/self/fd/{fd}') == os.devnull]\n"
        f"main.guarded = lambda *_: open({str(tmp_path / 'found')!r}, 'w').write(' '.join(map(str, fds()))) and 0\n"
        "main.main()"
    )
    given = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(script)} {closed}"
    subprocess.run(["bash", "-c", command], cwd=ROOT, timeout=20, check=True, **given)
    assert (tmp_path / "found").read_text() == found


def test_a_longer_output_file_is_replaced(tmp_path):
    out = tmp_path / "out"
    out.write_bytes(b"x" * 10_000)
    run(f"pkt-txt2txt -do --out '{out}'", text(b"\1"))
    assert out.read_bytes().startswith(b"-- 1 --\n01 ")
    assert len(out.read_bytes()) < 100


def test_a_dash_is_standard_input_and_output():
    assert frames_of(run("pkt-txt2txt -do --in - --out -", text(b"\1"))) == ["01"]


@pytest.mark.parametrize("tail", ["head -1", "head -c 1", "true"])
def test_a_reader_that_has_had_enough(backend, tail):
    """Quiet: SIGPIPE ends it, as it ends cat."""
    done = shell(f"pkt-txt2txt | {tail}; echo ${{PIPESTATUS[0]}} >&2", text(*[bytes(1000)] * 2000), backend=backend)
    assert done.stderr in (b"141\n", b"0\n")


def test_standard_error_that_is_closed():
    assert run("pkt-txt2txt -v 2>&-", text(b"\1"))
    assert run("pkt-txt2txt -q 2>&-", b"", 2) == b""
    assert run("pkt-txt2txt 2>/dev/full", b"-- 1 --\n", 1) == b""


# ---- options ----


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("pkt-txt2txt -q", "no option '-q'"), ("pkt-txt2txt --widht 3", "no option '--widht': did you mean --width?"),
        ("pkt-change --icmp-typ 8", "no option '--icmp-typ': did you mean --icmp-type?"), ("pkt-txt2txt -n", "-n needs a value"),
        ("pkt-txt2txt -n 0", "--width: 0 is out of range: from 1 to 262144"),
        ("pkt-txt2txt -n 262145", "--width: 262145 is out of range: from 1 to 262144"),
        ("pkt-txt2txt -F erf", "--format: 'erf' is not one of text, pcap, pcapng"),
        ("pkt-txt2txt -lt 67108864", "--link-type: 67108864 is out of range: from 0 to 67108863"),
        ("pkt-txt2txt IP.TTL=300", "IP.TTL: 300 does not fit: at most 255"),
        ("pkt-txt2txt IP.SRC_ADDR=1.2.3", "IP.SRC_ADDR: '1.2.3' is not an IPv4 address"),
        ("pkt-txt2txt IP.TLL==3", "no field 'IP.TLL': did you mean IP.TTL?"),
        ("pkt-txt2txt IP.TLL=3", "no field 'IP.TLL': did you mean IP.TTL?"),
        ("pkt-change --ip-ttl 300", "IP.TTL: 300 does not fit: at most 255"),
        ("pkt-change --if 'IP.TTL=3'", "filter 'IP.TTL=3': to compare, write IP.TTL==..."),
        ("pkt-filter", MISSING), ("pkt-filter -d -l 3", MISSING), ("pkt-filter ''", MISSING),
        ("pkt-filter IP ''", "filter '': a field expected, not the end"),
        ("pkt-txt2txt IP ''", "filter '': a field expected, not the end"),
        ("pkt-filter IP.TTL=5", f"{MISSING}; 'IP.TTL=5' assigns, to compare write =="),
        ("pkt-txt2pcap -le -be", "only one of -le, -be and -ne"),
        ("pkt-send -f --pps 5", "only one of -f, --speed, --pps and --mbps"),
        ("pkt-send --pps 0", "--pps: 0 is out of range: at least 1e-06"), ("pkt-recv -ro -so", "-ro and -so leave nothing"),
        ("pkt-send --loop -1", None), ("pkt-recv --snaplen 0", None),
    ],
)  # fmt: skip
def test_wrong_usage(command, said):
    """Exit code 2, a line that says what, a line that says where to look; nothing is read."""
    done = shell(command, b"not even read")
    name = command.split()[0]
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode().splitlines()
    assert lines[1:] == [f"Try '{name} --help'."]
    assert lines[0].startswith(f"{name}: ")
    assert said is None or lines[0] == f"{name}: {said}"


def test_a_file_named_within_an_argument(tmp_path):
    (tmp_path / "packets").write_bytes(b"")
    done = shell(f"cd '{tmp_path}' && pkt-txt2txt 'UDP packets'")
    assert (done.returncode, done.stderr.splitlines()[0].endswith(b"; to read a file: --in packets")) == (2, True)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "bin").glob("pkt-*")))
def test_version_help_and_keys(name):
    assert (
        run(f"{name} --version", backend="python").decode()
        == f"{name} (pkttools) {__version__}, codec in Python (PKTTOOLS_CODEC=python)\n"
    )
    screen = run(f"{name} --help")
    assert run(f"{name} -h") == screen
    assert b"Usage: " + name.encode() in screen
    assert b"\x1b" not in screen
    if name in ("pkt-lab", "pkt-sock"):  # they know no fields
        return
    keys = run(f"{name} -k").decode().splitlines()
    assert [line.split()[0] for line in keys[:3]] == ["UNKNOWN.DATA", "LOOPBACK.FAMILY", "LOOPBACK.DATA"]
    assert "IP.TTL                  8 bits" in keys


NUMBERED = text(*[bytes([i]) for i in range(1, 10)])


@pytest.mark.parametrize(("words", "kept"), [("-l 3", "123"), ("-s 7", "89"), ("-s 3 -l 1", "4")])
def test_a_filter_of_nothing_but_how_many(words, kept, backend):
    assert frames_of(run(f"pkt-filter -do {words}", NUMBERED, backend=backend)) == [f"0{digit}" for digit in kept]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("", "123456789"), ("-s 3", "456789"), ("-l 3", "123"), ("-s 3 -l 2", "45"), ("-s 99", ""), ("-l 0", "123456789"),
        ("-l 99", "123456789"), ("-s 0", "123456789"),
        ("-lt 147 UNKNOWN.DATA==03 UNKNOWN.DATA==05", "35"), ("-lt 147 -r UNKNOWN.DATA==03", "12456789"),
        ("-lt 147 'UNKNOWN.DATA>03' -s 1 -l 2", "56"),
        ("-lt 147 -r -s 1 UNKNOWN.DATA==01", "3456789"), ("IP", ""), ("-r IP", "123456789"),
    ],
)  # fmt: skip
def test_picking(backend, words, kept):
    assert frames_of(run(f"pkt-txt2txt -do {words}", NUMBERED, backend=backend)) == [f"0{digit}" for digit in kept]


def test_the_limit_ends_a_live_stream():
    """It does not wait for what comes after."""
    done = subprocess.Popen([ROOT / "bin" / "pkt-txt2txt", "-l", "2"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert done.stdin
    done.stdin.write(NUMBERED)
    done.stdin.flush()
    assert done.wait(10) == 0
    done.stdin.close()


def test_broadcast_and_groups():
    frames = [UDP, b"\xff" * 6 + UDP[6:], b"\1\0\x5e\0\0\1" + UDP[6:]]
    for words, kept in (("-nb", [0, 2]), ("-nm", [0, 1]), ("-nb -nm", [0]), ("-nb -nm -r IP", []), ("-nm -r ARP", [0, 1])):
        assert frames_of(run(f"pkt-txt2txt -do {words}", text(*frames))) == [frames[i].hex() for i in kept], words
    assert len(frames_of(run("pkt-filter -do -nb", text(*frames)))) == 2


def test_usual_form(backend):
    out = run(
        "pkt-txt2txt",
        b"# mine\n--\nTIME: 1400167480.5615\n0 1 2\n==\nLINKTYPE: 113\n--\nTIME: 1.000000001\nNOTE: kept\nSIZE: 1/\n==\n",
        backend=backend,
    )
    assert out.decode() == (
        "LINKTYPE: 1 (Ethernet)\n-- 1 --\nTIME: 1400167480.561500 Thu May 15 15:24:40 2014\nSIZE: 3/3\n"
        "000000: 00 01 02" + " " * 43 + ": ..." + " " * 14 + "\n==\n"
        "LINKTYPE: 113 (Linux SLL)\n-- 2 --\nTIME: 1.000000001 Thu Jan  1 00:00:01 1970\nSIZE: 1/0\nNOTE: kept\n"
        "000000: 00" + " " * 49 + ": ." + " " * 16 + "\n==\n"
    )  # fmt: skip


def test_width_and_data_only():
    assert run("pkt-txt2txt -n 2 -l 1", text(b"abc")).splitlines()[4:] == [b"000000: 61 62 : ab", b"000002: 63    : c ", b"=="]
    assert run("pkt-txt2txt -n 2 -do", text(b"abc")) == b"-- 1 --\n61 62 \n63    \n==\n"


def test_fields(backend):
    """In the layout of 1.16; -aa has what 1.16 did not have too."""
    lines = run("pkt-txt2txt -a", text(ethernet(0x0806, ARP)), backend=backend).decode().splitlines()
    assert lines[7:] == [
        "ETHERNET.DST_ADDR:\t02:00:00:00:00:02", "ETHERNET.SRC_ADDR:\t02:00:00:00:00:01", "ETHERNET.TYPE:\t\t0x806",
        "ARP.HARDWARE:\t\t0x1",
        "ARP.PROTOCOL:\t\t0x800", "ARP.HARDWARE_SIZE:\t0x6", "ARP.PROTOCOL_SIZE:\t0x4", "ARP.OPERATION:\t\t0x1",
        "ARP.SENDER_MACADDR:\t02:00:00:00:00:01", "ARP.SENDER_IPADDR:\t192.0.2.1", "ARP.TARGET_MACADDR:\t00:00:00:00:00:00",
        "ARP.TARGET_IPADDR:\t192.0.2.2", "==",
    ]  # fmt: skip
    some = set(run("pkt-txt2txt -a", text(UDP), backend=backend).decode().splitlines())
    every = set(run("pkt-txt2txt -aa", text(UDP), backend=backend).decode().splitlines())
    assert some < every
    assert {"IP.DSCP:\t\t0x0", "IP.MF:\t\t\t0x0", "IP.OFFSET:\t\t0x0"} <= every - some


def test_field_lines_survive_a_round_trip(backend):
    frames = [
        UDP,
        ethernet(0x86DD, ipv6(6, tcp())),
        ethernet(0x8100, tags([0x8100], 0x0800, ipv4(17, udp()))),
        ethernet(0x0806, ARP + bytes(18)),
    ]
    for option in ("-a", "-aa"):
        assert frames_of(run(f"pkt-txt2txt {option} | pkt-txt2txt -do", text(*frames), backend=backend)) == [
            frame.hex() for frame in frames
        ]


def test_an_editor_between_two_commands():
    edited = [(UDP[:22] + b"\x09" + UDP[23:]).hex()]
    for without in ("^#", "^0000"):  # the fields alone say it all
        out = run(f"pkt-txt2txt -a | sed 's/^IP.TTL:.*/IP.TTL: 9/' | grep -v '{without}' | pkt-txt2txt -do", text(UDP))
        assert frames_of(out) == edited


def test_pkt_is_all_of_them():
    """`pkt recv ...` is `pkt-recv ...`, messages and all."""
    assert run("pkt txt2txt", text(UDP)) == run("pkt-txt2txt", text(UDP))
    assert run("pkt filter ICMP | pkt pkt-correct", text(UDP)) == b""
    assert run("pkt change --help") == run("pkt-change --help")
    run("pkt filter", code=2, said=shell("pkt-filter").stderr.decode())
    run("pkt nothing", code=2, said=shell("pkt nothing").stderr.decode())
    assert shell("pkt nothing").stderr.startswith(b"pkt-nothing: no such command; there are pkt-analyze, ")
    assert shell("pkt").stderr.startswith(b"pkt: which command? There are analyze, ")
    assert shell("pkt help").stdout == shell("pkt --help").stdout
    assert shell("pkt help sort").stdout == shell("pkt-sort --help").stdout
    assert (shell("pkt").returncode, shell("pkt --nothing").returncode) == (2, 2)
    assert run("pkt --version", backend="c").decode() == f"pkt (pkttools) {__version__}, codec in C\n"
    screen = run("pkt --help", COLUMNS="80").decode().splitlines()
    assert len(screen) <= 45
    assert max(map(len, screen)) <= 80
    listed = [line.strip() for line in screen if line.startswith("  ") and line[2] != " "]
    assert {word for line in listed for word in line.partition(": " if "2" in line else "  ")[0].split(", ")} >= {
        path.name.removeprefix("pkt-") for path in (ROOT / "bin").glob("pkt-*")
    }


def test_verbose(backend):
    codec = backend + (" (PKTTOOLS_CODEC=python)" if backend == "python" else "")
    run(
        "pkt-filter UDP -v",
        text(UDP, b"\1"),
        said=f"pkt-filter: 2 packets read, 1 passed on; codec in {codec}\n",
        backend=backend,
    )
    run("pkt-filter UDP -v", text(UDP), said=f"pkt-filter: 1 packet read, 1 passed on; codec in {codec}\n", backend=backend)


# ---- pcap ----


def test_pcap_and_back(backend):
    data = text(UDP, b"", b"abc")
    there = run("pkt-txt2pcap", data, backend=backend)
    assert there[:24] == struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    assert there[24:40] == struct.pack("<IIII", 1400167480, 561500, len(UDP), len(UDP))
    assert run("pkt-txt2txt -F pcap", data, backend=backend) == there
    assert run("pkt-pcap2txt", there, backend=backend) == run("pkt-txt2txt", data, backend=backend)
    for words in ("-be", "--nano", "-be --nano", "-ne", "-le"):
        assert run(f"pkt-txt2pcap {words} | pkt-pcap2txt", data, backend=backend) == run("pkt-txt2txt", data, backend=backend), (
            words
        )


@pytest.mark.parametrize(
    ("times", "words", "magic", "lost"),
    [(["1.000001", "2.5"], "", 0xA1B2C3D4, 0), (["1.000000001", "2.5"], "", 0xA1B23C4D, 0),
     (["1.5", "2.000000001", "2.000000999"], "", 0xA1B2C3D4, 2),
     (["1.5", "2.000000001"], "", 0xA1B2C3D4, 1), (["1.5", "2.000000001"], "--nano", 0xA1B23C4D, 0),
     (["1.5"], "--nano", 0xA1B23C4D, 0)],
)  # fmt: skip
def test_nanoseconds(backend, times, words, magic, lost):
    data = "".join(packet(b"\1", time=time) for time in times).encode()
    said = f"pkt-txt2pcap: {lost} time{'s' * (lost > 1)} lost the digits below a microsecond: --nano keeps them\n" if lost else ""
    out = run(f"pkt-txt2pcap {words}", data, int(lost > 0), said, backend=backend)
    assert struct.unpack_from("<I", out) == (magic,)


def test_two_link_types_do_not_fit_in_a_pcap_file(backend):
    data = text(b"\1") + b"LINKTYPE: 113\n" + text(b"\2")
    said = "pkt-txt2pcap: <stdout>: a pcap file has one link type, 1, and here is a packet of type 113: "
    said += "write pcapng, or one file a type\n"
    assert len(run("pkt-txt2pcap", data, 1, said, backend=backend)) == 24 + 17
    assert len(run("pkt-txt2pcap -lt 101", data, backend=backend)) == 24 + 2 * 17


def test_what_pcap_cannot_hold():
    late = packet(b"\1", time="4294967296.0").encode()
    said = "pkt-txt2pcap: <stdout>: a pcap file holds times up to 2106, not 4294967296\n"
    assert len(run("pkt-txt2pcap", text(b"\1") + late, 1, said)) == 24 + 17
    said = "pkt-txt2pcap: <stdout>: link type 67108864 does not fit in a pcap file\n"
    run("pkt-txt2pcap", b"LINKTYPE: 67108864\n" + text(b"\1"), 1, said)
    said = "pkt-txt2pcap: 1 packet lost the lines IFACE, WAY, NOTE, LOST: pcap has no place for them\n"
    run("pkt-txt2pcap", packet(b"\1", more="NOTE: x\n").encode(), 0, said)


# ---- the commands' own work ----


def test_change(backend):
    frames = [UDP, ethernet(0x0806, ARP), ethernet(0x0800, ipv4(6, tcp()))]

    def changed(words: str) -> list[bytes]:
        return [bytes.fromhex(frame) for frame in frames_of(run(f"pkt-change -do {words}", text(*frames), backend=backend))]

    unchanged = "pkt-change: nothing was changed: FIELD=value assigns, FIELD==value filters\n"
    assert frames_of(run("pkt-change -do", text(*frames), 0, unchanged, backend=backend)) == [frame.hex() for frame in frames]
    got = changed("--ip-ttl 9 --ip-ttl=10 UDP.DST_PORT+=1000 --tcp-syn 0")
    assert (got[0][22], got[0][36:38], got[1], got[2][47]) == (10, struct.pack("!H", 1053), frames[1], 0x10)
    got = changed("--ip-ttl 9 --if 'UDP.DST_PORT==53'")
    assert (got[0][22], got[2]) == (9, frames[2])
    assert changed("--ip-ttl 9 IP.TTL==65") == []  # a filter, not a condition
    swapped = changed("--swap")
    assert swapped[0][:12] == UDP[6:12] + UDP[:6]
    assert swapped[0][26:38] == UDP[30:34] + UDP[26:30] + UDP[36:38] + UDP[34:36]
    assert swapped[1][14:] == ARP
    assert changed("--swap --if TCP")[0] == UDP
    assert changed("--swap --udp-dst-port 7 --if UDP")[0][34:38] == struct.pack("!HH", 53, 7)  # assignments come last
    assert [frame[:6] for frame in changed("--ethernet-dst-addr 1:2:3:4:5:6")] == [b"\1\2\3\4\5\6"] * 3
    assert changed("'--udp-data=61 62'")[0][-5:] == b"abllo"


def test_correct_and_assignments_after_it(backend):
    """Assignments are the last step: a checksum that was set stays set, even when wrong."""
    [frame] = frames_of(run("pkt-correct -do", text(UDP), backend=backend))
    assert (frame[48:52], frame[80:84]) == ("f6c1", "33c9")
    [frame] = frames_of(run("pkt-correct -do IP.CHECKSUM=0x1234 IP.TTL=9", text(UDP), backend=backend))
    assert (frame[44:46], frame[48:52], frame[80:84]) == ("09", "1234", "33c9")
    [frame] = frames_of(run("pkt-change IP.TTL=9 | pkt-correct -do", text(UDP), backend=backend))
    assert (frame[44:46], frame[48:52]) == ("09", "2dc2")


def test_field_lines_come_before_the_filter_and_the_work():
    [frame] = frames_of(run("pkt-correct -do IP.TTL==9", packet(UDP, more="IP.TTL: 9\n").encode()))
    assert frame[48:52] == "2dc2"


def test_correct_says_what_it_could_not(backend):
    cut = packet(UDP).replace(f"SIZE: {len(UDP)}/{len(UDP)}", f"SIZE: {len(UDP) - 2}/{len(UDP)}")
    fragment, malformed = packet(ethernet(0x0800, ipv4(17, udp(), fragment=1))), packet(ethernet(0x0800, ipv4(17, udp(size=7))))
    data = (packet(UDP) + cut + fragment * 2 + malformed).encode()
    size = "pkt-correct: <stdin>: 1 packet truncated to what SIZE says: without SIZE all bytes count\n"
    said = size + "pkt-correct: 4 packets not corrected in full: 1 truncated, 2 fragments, 1 malformed\n"
    assert len(frames_of(run("pkt-correct -do", data, 0, said, backend=backend))) == 5
    run("pkt-correct", cut.encode(), 0, size + "pkt-correct: 1 packet not corrected in full: 1 truncated\n", backend=backend)


def test_correct_lengths(backend):
    wrong = packet(UDP + b"12345").encode()
    assert run("pkt-correct -do", wrong, backend=backend) != run("pkt-correct -do -L", wrong, backend=backend)
    [frame] = frames_of(run("pkt-correct -do -L", wrong, backend=backend))
    assert (frame[32:36], frame[76:80]) == (f"{33 + 5:04x}", f"{13 + 5:04x}")


@pytest.mark.parametrize(
    "words",
    [
        "UDP",
        "udp and ip",
        "'UDP and IP'",
        "UDP.DST_PORT in 53,54 and not ARP",
        "not ARP and not TCP",
        "UDP.DST_PORT == 53",
        "IP.SRC_ADDR==192.0.2.0/24 and UDP",
    ],
)
def test_filter_needs_no_quotes(words):
    frames = [ethernet(0x0806, ARP), UDP, ethernet(0x0800, ipv4(6, tcp()))]
    assert frames_of(run(f"pkt-filter -do {words}", text(*frames))) == [UDP.hex()]


SLIP = "pkt-filter: IP.TTL=9 was assigned in 1 packet; == compares\n"


def test_filter_assigns_too():
    [frame] = frames_of(run("pkt-filter -do UDP IP.TTL=9", text(ethernet(0x0806, ARP), UDP), said=SLIP))
    assert frame[44:46] == "09"


def test_several_filters_on_any_command_let_through_what_matches_one():
    frames = [ethernet(0x0806, ARP), UDP, ethernet(0x0800, ipv4(6, tcp()))]
    assert len(frames_of(run("pkt-txt2txt -do UDP.DST_PORT==53 TCP.DST_PORT==80", text(*frames)))) == 2
    assert frames_of(run("pkt-txt2txt -do -r UDP.DST_PORT==53 TCP.DST_PORT==80", text(*frames))) == [frames[0].hex()]


def test_dry_run_sends_nothing():
    data = (packet(UDP) + packet(UDP, time="1400167481.061500") * 2).encode()
    out = run("pkt-send --dry-run", data, 0, f"pkt-send: would send 3 packets, {3 * len(UDP)} bytes, in 0.500 s\n")
    assert out.decode().splitlines() == [
        f"{n}\t{at} s\t{len(UDP)} bytes\tlink type 1" for n, at in ((1, "0.000000"), (2, "0.500000"), (3, "0.500000"))
    ]
    said = "pkt-send: no-such-if0: no such interface; there are "
    done = shell("pkt-send --dry-run -i no-such-if0", data)
    assert (done.returncode, done.stderr.decode().startswith(said)) == (1, True)


def twoway() -> str:
    """Packets a second apart from either side in turn: two senders have a side each, and keep the order."""
    there = ethernet(0x0800, ipv4(17, udp()))
    sides = [there, there[:26] + there[30:34] + there[26:30] + there[34:]]
    return "".join(packet(sides[i % 2], time=f"{1700000000 + i}.000000") for i in range(4))


@pytest.mark.parametrize(("words", "due"), [
    ("pkt-send --dry-run IP.SRC_ADDR==192.0.2.2", [1, 3]),
    ("pkt-send --dry-run IP.SRC_ADDR==192.0.2.1", [0, 2]),
    ("pkt-send --dry-run --speed 2 IP.SRC_ADDR==192.0.2.2", [0.5, 1.5]),
    ("pkt-send --dry-run -j IP.SRC_ADDR==192.0.2.2", [1, 3]),
    ("pkt-send --dry-run -w 500000 IP.SRC_ADDR==192.0.2.2", [1, 3.5]),
    ("pkt-send --dry-run --pps 1 IP.SRC_ADDR==192.0.2.2", [0, 1]),
    ("pkt-send --dry-run -f IP.SRC_ADDR==192.0.2.2", [0, 0]),
    ("pkt-send --dry-run -s 1 -l 1", [1]),
    ("pkt-send --dry-run -s 1 --loop 2", [1, 2, 3, 4, 5, 6]),
    ("pkt-send --dry-run -r IP.SRC_ADDR==192.0.2.1", [1, 3]),
    ("pkt-send --dry-run --loop 2 IP.SRC_ADDR==192.0.2.2", [1, 3, 4, 6]),
    ("pkt-pipe 'filter IP.SRC_ADDR==192.0.2.2 | change IP.TTL=9 | send --dry-run'", [1, 3]),
    ("pkt-pipe 'txt2txt | send --dry-run --speed 2 IP.SRC_ADDR==192.0.2.2'", [0.5, 1.5]),
    ("pkt-txt2pcapng | pkt-send --dry-run IP.SRC_ADDR==192.0.2.2", [1, 3]),
    ("pkt-txt2pcap | pkt-send --dry-run IP.SRC_ADDR==192.0.2.2", [1, 3]),
])  # fmt: skip
def test_time_counts_from_the_first_packet_that_is_read(words, due):
    done = shell(f"{words} 2> /dev/null", twoway().encode())
    assert [float(line.split("\t")[1].split()[0]) for line in done.stdout.decode().splitlines()] == due


def test_two_senders_of_two_sides_keep_their_order(shared):
    lines = shell(
        f"for n in 1 2; do pkt-send --dry-run IP.SRC_ADDR==192.0.2.$n --in {shared / 'cases' / 'twoway.pcap'}; done | cut -f 2"
    )
    assert lines.stdout.split(b"\n") == [b"0.000000 s", b"2.000000 s", b"1.000000 s", b"3.000000 s", b""]


# ---- streams ----


@pytest.mark.parametrize(
    "words",
    [["pkt-txt2txt"], ["pkt-filter", "UDP"], ["pkt-correct", "IP.TTL=5"], ["pkt-change", "--swap"], ["pkt-txt2txt", "-F", "pcap"]],
)
def test_a_live_pipe_is_not_buffered(backend, words):
    """Each packet comes out before the next one goes in."""
    environment = {**os.environ, "PKTTOOLS_CODEC": backend}
    with subprocess.Popen(
        [ROOT / "bin" / words[0], *words[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdin and process.stdout
        try:
            for _ in range(3):
                process.stdin.write(packet(UDP).encode())
                process.stdin.flush()
                got = b""
                while not (got.endswith((b"==\n", UDP))):
                    assert select.select([process.stdout], [], [], 10)[0], got
                    got += os.read(process.stdout.fileno(), 65536)
            process.stdin.close()
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_a_packet_that_comes_in_pieces():
    """However a pipe cuts it."""
    out = run("dd bs=1 2> /dev/null | pkt-txt2txt -do", text(UDP, b"\1"))
    assert frames_of(out) == [UDP.hex(), "01"]


@pytest.mark.parametrize(
    ("words", "size", "backend"),
    [(["pkt-txt2txt"], 200, "c"), (["pkt-correct", "IP.TTL=5"], 200, "c"), (["pkt-txt2pcap", "UDP"], 200, "c"),
     (["pkt-txt2txt"], 10, "python")],
)  # fmt: skip
def test_memory_does_not_grow_with_the_stream(words, size, backend, monkeypatch, tmp_path):
    """Megabytes of text; below 64 MiB, interpreter and all."""
    load(backend)
    monkeypatch.setenv("PKTTOOLS_CODEC", backend)
    block = shell("pkt-txt2txt", text(*[ethernet(0x0800, ipv4(17, udp(bytes(1000))))] * 200)).stdout
    (tmp_path / "block").write_bytes(block)
    blocks = [tmp_path / "block"] * (size * 1_000_000 // len(block))
    assert piped([ROOT / "bin" / words[0], *words[1:]], *blocks) < 64 << 20


def test_a_packet_that_never_ends_does_not_fill_the_memory():
    done = shell("{ echo '-- 1 --'; yes '# nothing' | head -c 40000000; } | pkt-txt2txt")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"pkt-txt2txt: <stdin>:1: the text of one packet goes on for more than 32 MiB\n"


def test_bad_input_before_any_packet_ends_what_writes_no_file(tmp_path):
    """The sink gives its account all the same; an output file would have been left as it was."""

    class Seen(Sink):
        ended = False

        def close(self) -> list[str]:
            self.ended = True
            return ["the account"]

    (tmp_path / "bad").write_bytes(b"-- 1 --\n0g\n==\n")
    seen = Seen()
    values = options.read(options.FILTER, ["--in", str(tmp_path / "bad")])
    said, code = flow.run([Stage(values, sink=lambda _: seen)])
    assert code == 1 and "bad hex digit" in said[0] and said[1:] == ["the account"] and seen.ended


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory"),
        (OSError(5, "Input/output error", "f"), "f: Input/output error"),
        (ValueError("x"), "internal error"),
    ],
)
def test_whatever_ends_a_command_is_a_line_and_exit_code_1(monkeypatch, capfd, error, said):
    def start(*_):
        raise error

    monkeypatch.setattr(main, "start", start)
    monkeypatch.delenv("PKTTOOLS_DEBUG", raising=False)
    assert main.guarded("pkt-txt2txt", []) == 1
    assert said in capfd.readouterr().err


def test_an_interrupt_as_python_has_it_ends_a_command_as_the_signal_does():
    """Where somebody runs a command whose handler is Python's own."""
    script = (
        "import os, signal, sys; from pkttools import main\n"
        "main.start = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.exit(main.guarded('pkt-txt2txt', []))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_a_reader_that_ends_early_ends_the_command_by_sigpipe(backend):
    """More than a pipe holds, so that it cannot have been written before the reader was gone."""
    done = shell("pkt-txt2txt | head -1 > /dev/null; echo ${PIPESTATUS[0]}", text(*[bytes(1000)] * 2000), backend=backend)
    assert done.stdout == b"141\n"


def test_every_field_is_an_option_and_nothing_else():
    more = change.more_options()
    assert {option: more[option] for option in more} == {
        "--" + name.lower().replace(".", "-").replace("_", "-"): name + "=" for name in FIELDS
    }
    for option in ("--ip", "--ip-", "--IP-TTL", "--ip.ttl", "--udp-dst_port", "ip-ttl", "-ip-ttl", "--ip-ttl-", "--", ""):
        assert option not in more
        with pytest.raises(KeyError):
            more[option]
