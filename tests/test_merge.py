"""pkt-merge: captures become one, by time or one after the other; mergecap, tcpslice and capinfos as judges."""

from __future__ import annotations

import gzip
import random
import re
import shutil
import struct
from pathlib import Path

import pytest
from conftest import ROOT, shell
from peak import peak
from sections import block, blocks_of, enhanced, interface, section

MICRO, NANO = 0xA1B2C3D4, 0xA1B23C4D
SECOND = 10**9


def pcap(times: list[int], name: str = "", magic: int = MICRO, order: str = "<", linktype: int = 1) -> bytes:
    """A pcap file of packets whose bytes are a name and their place; times in nanoseconds."""
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, linktype)
    for i, time in enumerate(times):
        frame = f"{name}{i}".encode().ljust(60)
        unit = 1 if magic == NANO else 1000
        out += struct.pack(order + "IIII", time // SECOND, time % SECOND // unit, 60, 60) + frame
    return out


def records(data: bytes) -> list[tuple[int, str]]:
    """Time and name of each packet of a little-endian pcap file."""
    unit, found, at = 1 if data[:4] == struct.pack("<I", NANO) else 1000, [], 24
    while at < len(data):
        seconds, fraction, size, _ = struct.unpack_from("<IIII", data, at)
        found.append((seconds * SECOND + fraction * unit, data[at + 16 : at + 16 + size].decode().strip()))
        at += 16 + size
    return found


def told(text: bytes) -> list[tuple[str, str]]:
    """What each packet of a text is called by its bytes, and its line IFACE; `-`: none."""
    found = []
    for packet in text.decode().split("\n-- ")[1:]:
        octets = bytes.fromhex("".join(re.findall(r"^[0-9A-F]{6}: (.*) : ", packet, re.MULTILINE)))
        found.append((octets.decode().strip(), (re.findall(r"^IFACE: (.*)$", packet, re.MULTILINE) or ["-"])[0]))
    return found


def judge(name: str) -> None:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_by_time(folder: Path, backend: str) -> None:
    """Files of one, no, some packets; what mergecap and tcpslice make of them is the same to the byte, but for
    the order at equal times, which is that of the command line (mergecap has the last file first, files 1)."""
    judge("mergecap")
    judge("tcpslice")
    chance = random.Random(3)
    times = chance.sample(range(10**6, 10**7), 900)
    for i in range(5):
        own = [1000 * time for time in sorted(times[i::5])]
        Path(f"{i}.pcap").write_bytes(pcap(own[: (1, 0, 170, 180, 180)[i]], f"{i}-"))
    names = " ".join(f"{i}.pcap" for i in range(5))
    done = shell(f"pkt-merge {names} --out ours.pcap && mergecap -F pcap -w theirs.pcap {names}", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path("ours.pcap").read_bytes() == Path("theirs.pcap").read_bytes()
    names = " ".join(f"{i}.pcap" for i in (2, 3, 4))  # it refuses a file of one packet
    done = shell(f"tcpslice -w theirs.pcap {names} && pkt-merge -F pcap {names} | cmp - theirs.pcap && capinfos -Mcor ours.pcap")
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.findall(rb": +(\S+)\n", done.stdout)[-2:] == [b"531", b"True"]
    Path("left").write_bytes(pcap([SECOND, SECOND, 3 * SECOND], "left"))
    Path("right").write_bytes(pcap([SECOND, 2 * SECOND, 3 * SECOND], "right"))
    done = shell("tcpslice -D -w theirs left right && pkt-merge -F pcap left right --out ours.pcap && cmp ours.pcap theirs")
    assert (done.returncode, done.stderr) == (0, b"")
    order = ["left0", "left1", "right0", "right1", "left2", "right2"]
    assert [name for _, name in records(Path("ours.pcap").read_bytes())] == order
    assert [name for name, _ in told(shell("pkt-merge right left", backend=backend).stdout)] == [
        "right0", "left0", "left1", "right1", "right2", "left2"
    ]  # fmt: skip


def test_whatever_they_are(folder: Path, backend: str) -> None:
    """Text, pcap of either order, pcapng, standard input, files without packets or bytes, captures joined in one (files 40).
    Packets without IFACE get their file's name there, where there is a place (files 7)."""
    Path("big.pcap").write_bytes(pcap([2 * SECOND, 6 * SECOND], "big", order=">"))
    blocks = section() + interface(given=((2, b"eth0"),)) + interface() + enhanced(b"named".ljust(60), 3_000_000)
    Path("x.pcapng").write_bytes(blocks + enhanced(b"unnamed".ljust(60), 3_500_000, 1))
    Path("t.txt").write_bytes(
        shell("pkt-pcap2txt", pcap([SECOND, 4 * SECOND], "t")).stdout.replace(b"\n000000:", b"\nNOTE: n\n000000:", 1)
    )
    Path("joined").write_bytes(pcap([5 * SECOND], "one") + section(">") + interface(order=">") + pcap([7 * SECOND], "two", NANO))
    octets = Path("big.pcap").read_bytes()
    Path("big.pcap.gz").write_bytes(gzip.compress(octets[:100]) + gzip.compress(octets[100:]))
    Path("none.pcap").write_bytes(pcap([]))
    Path("empty").touch()
    names = "big.pcap.gz x.pcapng - t.txt joined none.pcap empty"
    done = shell(f"pkt-merge {names}", pcap([SECOND], "in"), backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    expected = [("in0", "stdin"), ("t0", "t.txt"), ("big0", "big.pcap.gz"), ("named", "eth0"), ("unnamed", "x.pcapng"),
                ("t1", "t.txt"), ("one0", "joined"), ("big1", "big.pcap.gz"), ("two0", "joined")]  # fmt: skip
    assert told(done.stdout) == expected
    assert done.stdout.count(b"IFACE: t.txt\nNOTE: n\n") == 1
    assert b"joined: 2 captures behind the first, from byte 100 on\n" in shell("pkt-merge -v joined t.txt", backend=backend).stderr
    done = shell(f"pkt-merge {names} -F pcapng | tee out.pcapng | pkt-pcapng2txt", pcap([SECOND], "in"), backend=backend)
    assert told(done.stdout) == expected
    done = shell("pkt-merge --no-iface big.pcap t.txt x.pcapng -l 4; pkt-merge big.pcap --limit 1")
    assert [name for _, name in told(done.stdout)] == ["-", "-", "eth0", "-", "-"]
    done = shell("pkt-merge --no-iface big.pcap t.txt x.pcapng -F pcap | pkt-pcap2txt -do | wc -l")
    assert done.stderr == b"pkt-merge: 2 packets lost the lines IFACE, WAY, NOTE, LOST: pcap has no place for them\n"
    Path("d").mkdir()
    shutil.copy("big.pcap", "d")
    assert {name for _, name in told(shell("pkt-merge big.pcap d/big.pcap").stdout)} == {"big.pcap", "d/big.pcap"}
    done = shell(f"pkt-merge {'big.pcap ' * 65} - -F pcap < none.pcap | pkt-stat --show totals | grep packets")
    assert (done.returncode, done.stderr, b" 130" in done.stdout) == (0, b"", True)
    done = shell("pkt-merge - -")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-merge: standard input is read once")


def test_sections(folder: Path, backend: str) -> None:
    """What pcapng says beside packets goes along from all files: comments apart, secrets, interfaces that nobody uses
    (files 7, 18, 19); those without a name have that of their file."""
    judge("tshark")
    for at, name in enumerate("ab", 1):
        comment = 1, f"about {name}".encode()
        secret = struct.pack("<II", 0x544C534B, 5) + f"key {name}".encode() + bytes(3)
        Path(name).write_bytes(
            section(given=(comment,)) + interface(given=((2, b"unused"), (3, name.encode())))
            + interface() + block(10, secret)
            + enhanced(name.encode().ljust(60), at * 10**6, 1, given=((1, b"first"),))
            + enhanced(name.encode().ljust(60), 5 * 10**6, 1)
        )  # fmt: skip
    Path("c").write_bytes(pcap([3 * SECOND], "c"))
    for command in ("pkt-merge a c b --out out.pcapng", "pkt-pipe --out out.pcapng 'merge a c b'"):
        done = shell(f"{command} && pkt-pcapng2txt --in out.pcapng 2> /dev/null", backend=backend)
        assert (done.returncode, done.stderr) == (0, b"")
        assert [*dict.fromkeys(told(done.stdout))] == [("a", "a"), ("b", "b"), ("c0", "c")]
        assert b"NOTE: first\n" in done.stdout
        data = Path("out.pcapng").read_bytes()
        assert data.count(b"\n\r\r\n") == 1
        assert all(data.count(word) == 1 for word in (b"about a", b"about b", b"key a", b"key b"))
        assert (data.count(b"unused"), data.count(b"first")) == (2, 2)
    done = shell("tshark -r out.pcapng -T fields -e frame.interface_name -e frame.comment 2> /dev/null; capinfos -I out.pcapng")
    assert done.stdout.decode().split("File name")[0].splitlines() == ["a\tfirst", "b\tfirst", "c\t", "a\t", "b\t"]
    assert done.stdout.count(b"Interface #") == 5


def test_what_pipes_say_beside_packets(folder: Path, backend: str) -> None:
    """It goes along as that of files does, compressed or not, and from a file as standard input; too much of it is said."""
    raw = section(given=((1, b"about"),)) + interface(given=((2, b"eth0"),)) + block(10, struct.pack("<II", 1, 4) + b"keys")
    raw += enhanced(b"first".ljust(60), 5, given=((1, b"note"),)) + block(0xBAD, b"custom  ") + enhanced(b"last".ljust(60), 7)
    Path("x.pcapng").write_bytes(raw)
    Path("z.pcapng.gz").write_bytes(gzip.compress(raw))
    Path("a.pcap").write_bytes(pcap([6000], "a"))
    merge = "pkt-merge --no-iface -F pcapng - a.pcap"
    wanted = shell("pkt-merge --no-iface -F pcapng x.pcapng a.pcap", backend=backend)
    assert wanted.stderr == b""
    assert all(wanted.stdout.count(word) == 1 for word in (b"about", b"keys", b"custom", b"note"))
    for command in (f"cat x.pcapng | {merge}", f"cat z.pcapng.gz | {merge}", f"{merge} < x.pcapng", f"{merge} < z.pcapng.gz"):
        done = shell(command, backend=backend)
        assert (sorted(blocks_of(done.stdout)), done.stderr) == (sorted(blocks_of(wanted.stdout)), b""), command
    Path("much").write_bytes(section() + block(0xBAD, bytes(1 << 20)) * 17 + raw)
    assert shell(f"{merge} < much | wc -c", backend=backend).stderr.endswith(b"packets of other files: 1 section comment\n")
    done = shell(f"cat much | {merge} | wc -c", backend=backend)
    assert done.stderr == (b"pkt-merge: <stdin>: not kept: 18 custom blocks, 1 section comment, 1 decryption secrets\n")


def test_link_types_without_packets(folder: Path, backend: str) -> None:
    """What has no packets has a link type nevertheless, and its interface in pcapng, as mergecap has it (files 7)."""
    Path("none.pcapng").write_bytes(section())
    Path("x.pcapng").write_bytes(section() + interface(113) + enhanced(b"x".ljust(60), 5))
    Path("empty.pcap").write_bytes(pcap([], linktype=101))
    Path("full.pcap").write_bytes(pcap([SECOND]))

    def links(command: str) -> list[int]:
        done = shell(command, backend=backend)
        assert (done.returncode, done.stderr) == (0, b""), command
        return [one[8] for one in blocks_of(done.stdout) if one[0] == 1]

    for files, wanted in (
        ("none.pcapng empty.pcap", [101]), ("empty.pcap none.pcapng", [101]), ("x.pcapng empty.pcap", [113, 101]),
        ("empty.pcap x.pcapng", [113, 101]), ("empty.pcap", [101]), ("empty.pcap full.pcap", [1, 101]), ("none.pcapng", []),
    ):  # fmt: skip
        assert links(f"pkt-merge -F pcapng {files}") == wanted, files
    for files in ("none.pcapng empty.pcap", "empty.pcap none.pcapng"):
        assert links(f"pkt-time --shift 1s -F pcapng {files}") == [101], files


def test_appended(folder: Path, backend: str) -> None:
    """One after the other; mergecap -a as a judge."""
    judge("mergecap")
    Path("a").write_bytes(pcap([5 * SECOND, 9 * SECOND], "a"))
    Path("b").write_bytes(pcap([SECOND, 7 * SECOND], "b"))
    done = shell(
        "pkt-merge --append b a b --out out.pcap && mergecap -a -F pcap -w theirs b a b && cmp out.pcap theirs", backend=backend
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert told(shell("pkt-merge --append a b", backend=backend).stdout) == [("a0", "a"), ("a1", "a"), ("b0", "b"), ("b1", "b")]
    done = shell("pkt-merge --append --unsorted keep a b")
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2, b"pkt-merge: --unsorted is for files that are merged by time, not for --append"
    )  # fmt: skip


def test_not_in_order(folder: Path, backend: str) -> None:
    """A time that goes back is said, with file and packet, and the packet follows the one before it (files 2)."""
    Path("a").write_bytes(pcap([SECOND, 5 * SECOND, 2 * SECOND, 4 * SECOND, 3 * SECOND], "a"))
    Path("b").write_bytes(pcap([2 * SECOND, 6 * SECOND], "b"))
    order = ["a0", "b0", "a1", "a2", "a3", "a4", "b1"]
    for option, code in (("", 1), ("--unsorted keep", 0)):
        done = shell(f"pkt-merge {option} a b", backend=backend)
        assert (done.returncode, [name for name, _ in told(done.stdout)]) == (code, order)
        assert done.stderr == b"pkt-merge: a: not in order: 2 packets earlier than the last, first packet 3\n"

    done = shell("pkt-merge --unsorted sort a b", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert told(done.stdout) == [(name, name[0]) for name in ("a0", "a2", "b0", "a4", "a3", "a1", "b1")]


def test_times_are_compared_and_kept_exactly(folder: Path, backend: str) -> None:
    """10.999999 of microseconds is before 10.999999999 of nanoseconds; pcap has nanoseconds as soon as one input has (files 4)."""
    micro, nano = 10 * SECOND + 999_999_000, 10 * SECOND + 999_999_999
    Path("micro").write_bytes(pcap([SECOND, micro, 11 * SECOND], "m"))
    Path("nano").write_bytes(pcap([2 * SECOND, nano], "n", NANO))
    wanted = [(SECOND, "m0"), (2 * SECOND, "n0"), (micro, "m1"), (nano, "n1"), (11 * SECOND, "m2")]
    for command in (
        "pkt-merge -F pcap nano micro",
        "pkt-pipe 'merge nano micro'",
        "pkt-pipe -F pcap 'merge micro nano | cut --snap 90'",
    ):
        done = shell(command, backend=backend)
        assert (done.returncode, done.stderr, done.stdout[:4]) == (0, b"", struct.pack("<I", NANO))
        assert records(done.stdout) == wanted
    resolution = (9, b"\x09")
    Path("ng").write_bytes(section() + interface(given=(resolution,)) + enhanced(b"ng".ljust(60), nano))
    text = shell("pkt-txt2txt", Path("ng").read_bytes()).stdout
    for other in ("ng", "-"):
        assert records(shell(f"pkt-merge -F pcap micro {other}", text, backend=backend).stdout)[2] == (nano, "ng")
    assert shell("pkt-merge -F pcap micro micro").stdout[:4] == struct.pack("<I", MICRO)


def test_link_types(folder: Path, backend: str) -> None:
    """Into pcap they have to be one, which is seen before the output is opened (files 3, 5); pcapng has an interface for each."""
    judge("capinfos")
    Path("a.pcap").write_bytes(pcap([2 * SECOND], "a"))
    Path("raw.pcap").write_bytes(pcap([SECOND], "raw", linktype=101))
    Path("old.pcap").write_bytes(b"precious")
    done = shell("pkt-merge a.pcap raw.pcap --out new.pcap; pkt-merge --append a.pcap raw.pcap --out old.pcap", backend=backend)
    assert (done.returncode, Path("new.pcap").exists(), Path("old.pcap").read_bytes()) == (1, False, b"precious")
    said = "pkt-merge: a.pcap is of link type 1, raw.pcap of 101: pcap has one a file, pcapng any\n"
    assert done.stderr.decode() == 2 * said
    done = shell("pkt-merge a.pcap raw.pcap --out out.pcapng && capinfos -I out.pcapng | grep -c '^Interface #'", backend=backend)
    assert (done.returncode, done.stderr, done.stdout) == (0, b"", b"2\n")
    assert shell("pkt-pipe 'merge a.pcap raw.pcap' | pkt-txt2txt | grep LINKTYPE", backend=backend).stdout.count(b"\n") == 2
    assert records(shell("pkt-merge -lt 1 -F pcap a.pcap raw.pcap", backend=backend).stdout) == [
        (SECOND, "raw0"),
        (2 * SECOND, "a0"),
    ]
    assert shell("pkt-merge raw.pcap raw.pcap -F pcap 'not IP'").stdout[20:24] == struct.pack("<I", 101)


def test_what_cannot_be_read(folder: Path, backend: str) -> None:
    """A file that breaks off is merged so far, the others to their end; what is no capture ends all before anything is written."""
    Path("a").write_bytes(pcap([SECOND, 4 * SECOND], "a"))
    Path("b").write_bytes(pcap([2 * SECOND, 3 * SECOND], "b")[:-7])
    Path("wrong").write_bytes(bytes(range(200)))
    shutil.copy("b", "c")
    done = shell("pkt-merge b a c", backend=backend)
    assert (done.returncode, [name for name, _ in told(done.stdout)]) == (1, ["a0", "b0", "b0", "a1"])
    said = "pkt-merge: {}: at byte 100: file is truncated: 53 of a packet's 60 bytes\n"
    assert done.stderr.decode() == said.format("b") + said.format("c")
    for words, said in (
        ("a wrong", "wrong: neither packet text nor a capture file"), ("a nothing.pcap", "nothing.pcap: there is no such file"),
        ("a --in nothing", "nothing: No such file or directory"), ("a .", ".: this is a directory"),
    ):  # fmt: skip
        done = shell(f"pkt-merge {words} --out new", backend=backend)
        assert done.returncode > 0
        assert not Path("new").exists()
        assert done.stderr.decode().startswith(f"pkt-merge: {said}")
    for words in ("--out a b a", "-F pcap a b > b"):
        done = shell(f"pkt-merge {words.replace('> b', '--out b')}")
        assert (done.returncode, done.stderr.endswith(b"input and output are the same file\n")) == (1, True)
    assert len(Path("a").read_bytes()) == 24 + 2 * 76
    done = shell("pkt-merge a a -F pcap > /dev/full")
    assert (done.returncode, done.stderr) == (1, b"pkt-merge: <stdout>: No space left on device\n")


def test_as_a_stage(folder: Path) -> None:
    """It is the first one."""
    Path("a").write_bytes(pcap([SECOND, 4 * SECOND], "a"))
    Path("b").write_bytes(pcap([2 * SECOND], "b"))
    done = shell("pkt-pipe 'merge a b | cut --snap 2' --out out.pcap && tail -c 18 out.pcap")
    assert (done.returncode, done.stderr, done.stdout[-2:]) == (0, b"", b"a1")
    done = shell("pkt-pipe 'cut --snap 2 | merge a b'")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-pipe: merge: has to be the first command of the pipe")


def test_packets_without_a_byte(folder: Path) -> None:
    """Of those only rows are there: no more of them at a time than of others."""
    for name in ("a", "b"):
        Path(name).write_bytes(b"-- 1 --\nTIME: 1.0\n==\n" * 500_000)
    memory = peak([ROOT / "bin/pkt-merge", "--no-iface", "--out", "out.pcap", "a", "b"])
    assert Path("out.pcap").stat().st_size == 24 + 16 * 1_000_000
    assert memory < 50 << 20


def test_ten_thousand_files(folder: Path) -> None:
    """With 40 descriptors and little memory, whose packets lie between each other; the bytes are those of one file."""
    count = 10_000
    for i in range(count):
        octets = pcap([i * 1000, SECOND + i * 1000])
        Path(f"{i}.pcap").write_bytes(octets if i % 100 else gzip.compress(octets))
    names = [f"{i}.pcap" for i in range(count)]
    limited = ["bash", "-c", 'ulimit -n 40; exec "$@"', "-", ROOT / "bin/pkt-merge", "--out", "out", "-F", "pcap", *names]
    memory = peak(limited)
    found = records(Path("out").read_bytes())
    assert found == [(i * 1000, "0") for i in range(count)] + [(SECOND + i * 1000, "1") for i in range(count)]
    assert memory < 160 << 20


def test_packets_that_come_as_batches_are_counted(folder):
    """As by every command that reads one input; what is written before it is known that they are understood is text."""
    Path("one.pcap").write_bytes(pcap([i * SECOND for i in range(9_000)]))
    done = shell("pkt-pcap2txt < one.pcap | pkt-merge -v - one.pcap -F pcap")
    assert len(records(done.stdout)) == 18_000
    assert re.search(rb"pkt-merge: [1-9][0-9]* packets came as batches", done.stderr), done.stderr
