"""Several --in: files of any formats, read one after the other by one process, each as if it were alone."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from conftest import load, shell
from netns import frames_of, pcap
from sections import block, enhanced, interface, section

from pkttools.formats.files import Input

ETHERNET = [bytes(12) + b"\x08\x00" + bytes([i]) * 40 for i in range(5)]
RAW = b"E\0\0\x14" + bytes(16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One packet a file, each of another kind: a pcap, b pcapng with an interface's name, c text, raw another link type."""
    (tmp_path / "a").write_bytes(pcap(ETHERNET[:1]))
    (tmp_path / "b").write_bytes(section() + interface(given=[(2, b"eth7")]) + enhanced(ETHERNET[1], 7_000_000))
    (tmp_path / "c").write_bytes(shell("pkt-pcap2txt", pcap(ETHERNET[2:3])).stdout)
    (tmp_path / "d").write_bytes(pcap(ETHERNET[3:4]))
    (tmp_path / "raw").write_bytes(pcap([RAW], linktype=101))
    (tmp_path / "none").write_bytes(pcap([], linktype=101))
    (tmp_path / "cut").write_bytes(pcap(ETHERNET[4:5])[:-1])
    (tmp_path / "bad").write_bytes(b"-- 1 --\n00\n==\n-- 2 --\n0g\n==\n")
    (tmp_path / "empty").write_bytes(b"")
    return tmp_path


def test_formats_and_pipes_in_turn(folder: Path, backend: str) -> None:
    """A capture of either kind, text, standard input and another pipe; what is written has one header."""
    done = shell(f"cd {folder}; pkt-txt2pcap --in a --in b --in empty --in c --in - --in <(cat a) < d", backend=backend)
    assert (done.returncode, frames_of(done.stdout)) == (0, [*ETHERNET[:4], ETHERNET[0]])
    assert done.stderr == b"pkt-txt2pcap: 1 packet lost the lines IFACE, WAY, NOTE, LOST: pcap has no place for them\n"


def test_what_our_commands_hand_on_may_be_among_them(folder: Path, backend: str) -> None:
    """Whoever writes finds out only when it is the pipe's turn, and may have written text before."""
    for wait in ("", "sleep 0.3; "):
        line = f"cd {folder}; ({wait}pkt-txt2txt --in b --in d) | pkt-txt2txt -v --in c --in - --in a | pkt-txt2pcap"
        done = shell(line, backend=backend)
        assert frames_of(done.stdout) == [ETHERNET[i] for i in (2, 1, 3, 0)]
    assert b"pkt-txt2txt: 2 packets came as batches\n" in done.stderr


def test_the_same_as_one_behind_the_other(folder: Path, backend: str) -> None:
    """Captures: as `cat` joins them; limits, skipped packets and numbers run through all."""
    for options in ("", "-l 3", "-s 2", "-s 1 -l 2", "-aa"):
        lines = f"cat a b raw d | pkt-txt2txt {options}", f"pkt-txt2txt {options} --in a --in b --in raw --in d"
        one, all_of = (shell(f"cd {folder}; {line}", backend=backend) for line in lines)
        assert (one.returncode, one.stdout) == (all_of.returncode, all_of.stdout) and one.stdout, options


def test_each_begins_anew(folder: Path, backend: str) -> None:
    """Text without LINKTYPE is Ethernet, whatever was before it; lines and bytes are counted from its begin."""
    (folder / "bare").write_bytes(b"-- 1 --\n01 02\n==\n")
    done = shell(f"cd {folder}; pkt-txt2txt --in raw --in bare --in bad --in a", backend=backend)
    assert re.findall(rb"LINKTYPE: (\d+)|^-- (\d+)", done.stdout, re.M) == [
        (b"101", b""), (b"", b"1"), (b"1", b""), (b"", b"2"), (b"", b"3")
    ]  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == b"pkt-txt2txt: bad:5: bad hex digit '0g'\npkt-txt2txt: not read: 1 file behind bad\n"
    done = shell(f"cd {folder}; pkt-txt2pcap --in d --in cut", backend=backend)
    assert frames_of(done.stdout) == ETHERNET[3:4]
    assert re.fullmatch(rb"pkt-txt2pcap: cut: at byte 24: .*\n", done.stderr)


def test_what_is_missing_is_found_before_anything_is_read(folder: Path, backend: str) -> None:
    done = shell(f"cd {folder}; pkt-txt2txt --in a --in nowhere", backend=backend)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"pkt-txt2txt: nowhere: No such file or directory\n")


def test_a_folder_among_them_is_an_error_with_its_name(folder: Path, backend: str) -> None:
    done = shell(f"cd {folder}; pkt-txt2pcap --in a --in . --in b --in c", backend=backend)
    assert (done.returncode, frames_of(done.stdout)) == (1, ETHERNET[:1])
    assert done.stderr == b"pkt-txt2pcap: .: Is a directory\npkt-txt2pcap: not read: 2 files behind .\n"


def test_none_of_them_is_written_to(folder: Path, backend: str) -> None:
    before = (folder / "d").read_bytes()
    for out in ("--out d", ">> d"):
        done = shell(f"cd {folder}; pkt-txt2pcap --in a --in d --in b {out}", backend=backend)
        assert (done.returncode, (folder / "d").read_bytes()) == (1, before)
        assert b"input and output are the same file" in done.stderr


def test_standard_input_is_read_once(backend: str) -> None:
    done = shell("pkt-txt2txt --in - --in - < /dev/null", backend=backend)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-txt2txt: --in -: standard input is read once")


def test_link_types_of_one_pcap_file(folder: Path, backend: str) -> None:
    """Text and pcapng take any; pcap one, and it is said which file has another."""
    done = shell(f"cd {folder}; pkt-txt2pcapng --in a --in raw --in none | pkt-pcapng2txt", backend=backend)
    assert (done.returncode, re.findall(rb"LINKTYPE: (\d+)", done.stdout)) == (0, [b"1", b"101"])
    done = shell(f"cd {folder}; pkt-txt2pcap --in a --in raw --in b", backend=backend)
    assert (done.returncode, frames_of(done.stdout)) == (1, ETHERNET[:1])
    assert b"write pcapng, or one file a type; it comes from raw\n" in done.stderr
    assert b"not read: 1 file behind raw\n" in done.stderr


def test_the_first_one_says_what_no_packet_does(folder: Path, backend: str) -> None:
    """The link type of a capture that stays empty; pkt-pipe writes the format of the first file."""
    (folder / "none.ng").write_bytes(section() + interface(linktype=1))
    done = shell(f"cd {folder}; pkt-pipe --in none --in none.ng correct", backend=backend)
    assert (done.returncode, struct.unpack_from("<I", done.stdout, 20)[0]) == (0, 101)
    done = shell(f"cd {folder}; pkt-pipe --in b --in a correct | pkt-pcapng2txt", backend=backend)
    assert (done.returncode, done.stdout.count(b"\n==\n")) == (0, 2)


def test_what_is_said_of_each_is_said(folder: Path, backend: str) -> None:
    odd = section() + interface() + block(5, bytes(12))
    for name in ("odd", "odder"):
        (folder / name).write_bytes(odd)
    done = shell(f"cd {folder}; pkt-pcapng2txt --in odd --in odder", backend=backend)
    assert done.stderr.splitlines() == [f"pkt-pcapng2txt: {n}: not kept: 1 interface statistics".encode() for n in ("odd", "odder")]


@pytest.mark.parametrize(
    "command",
    ["pkt-analyze -lv 1", "pkt-filter IP.VERSION==0 ETHERNET.TYPE==2048", "pkt-bin2txt", "pkt-gen raw", "pkt-pipe -F text correct"],
)
def test_every_command_that_reads(folder: Path, command: str) -> None:
    done = shell(f"cd {folder}; {command} --in a --in d")
    assert (done.returncode, len(re.findall(rb"^-- \d+ --", done.stdout, re.M))) == (0, 2), done.stderr


@pytest.mark.parametrize("paths", ["--in a --in b --in <(cat c)", "--in <(cat a) --in - --in b < c"])
def test_rounds_go_through_all(folder: Path, paths: str, backend: str) -> None:
    """What comes from a pipe is kept for the second round."""
    for more in ("", "--in big"):
        (folder / "big").write_bytes(pcap([bytes(1500)] * 30_000) if more else b"")  # too much to be kept in memory
        done = shell(f"cd {folder}; pkt-send --dry-run -f --loop 3 {more} {paths}", backend="c" if more else backend)
        count = 3 * (3 + 30_000 * bool(more))
        assert f"would send {count} packets".encode() in done.stderr, done.stderr


def test_one_is_open_at_a_time(folder: Path) -> None:
    load("c")
    done = shell(f"cd {folder}; ulimit -n 20; pkt-txt2pcap $(yes -- '--in a' | head -200)")
    assert (done.returncode, frames_of(done.stdout)) == (0, ETHERNET[:1] * 200)


def test_how_much_was_read(folder: Path) -> None:
    """In percent of all files, for who waits at a terminal."""
    for name in "xyz":
        (folder / name).write_bytes(b"-" * 100)
    source, seen = Input([str(folder / name) for name in "xyz"]), []
    buffer = bytearray(50)
    while True:
        while source.fill(buffer, 0):
            seen.append(source.percent)
        if not source.next():
            break
    assert seen == [16, 33, 50, 66, 83, 100]
