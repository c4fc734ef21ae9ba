"""What is written where: a file's ending says the format, a command's name may contradict it, a terminal gets text alone."""

from __future__ import annotations

import gzip
import os
import pty
import select
import struct
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shell

from pkttools.formats.guarded import holds_packets

TEXT = b"LINKTYPE: 1 (Ethernet)\n-- 1 --\nTIME: 1.000000 Thu Jan  1 00:00:01 1970\nSIZE: 3/3\n000000: 00 01 02\n==\n"
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + struct.pack("<IIII", 1, 0, 3, 3) + b"\0\1\2"
BEGINNINGS = {"text": b"LINKTYPE: 1", "pcap": PCAP[:24], "pcapng": b"\n\r\r\n\x1c\0\0\0"}
ENDINGS = [("x.txt", "text"), ("x.pcap", "pcap"), ("x.PCAP", "pcap"), ("x.cap", "pcap"), ("x.pcapng", "pcapng"),
           ("x.y.PcapNg", "pcapng"), ("x", "text"), ("x.dat", "text"), (".pcap", "text"), ("pcap", "text"), ("x.pcap.txt", "text"),
           ("d.pcap/x", "text")]  # fmt: skip


def form_of(raw: bytes) -> str:
    return next(form for form, beginning in BEGINNINGS.items() if raw.startswith(beginning))


@pytest.mark.parametrize(("name", "form"), ENDINGS)
def test_the_ending_says_it(backend, tmp_path: Path, name: str, form: str) -> None:
    (tmp_path / "d.pcap").mkdir()
    done = shell(f"cd {tmp_path} && pkt-txt2txt --out {name}", TEXT, backend=backend)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert form_of((tmp_path / name).read_bytes()) == form


@pytest.mark.parametrize("command", ["pkt-correct", "pkt-pcap2txt", "pkt-pcapng2txt", "pkt-bin2txt", "pkt-gen udp", "pkt-fragment",
                                     "pkt-defragment", "pkt-pingrep", "pkt-check", "pkt-pipe 'change IP.TTL=1'",
                                     "pkt-pipe 'correct | txt2txt'"])  # fmt: skip
def test_of_any_command(tmp_path: Path, command: str) -> None:
    """Also in pkt-pipe, which else writes what it reads."""
    for name, form in (("x.pcap", "pcap"), ("x.pcapng", "pcapng"), ("x.txt", "text")):
        shell(f"cd {tmp_path} && {command} --out {name}", TEXT)
        if (tmp_path / name).stat().st_size:  # text of no packets is nothing
            assert form_of((tmp_path / name).read_bytes()) == form
        else:
            assert form == "text"
    done = shell(f"cd {tmp_path} && pkt-pipe 'correct | txt2txt --out y.pcapng'", TEXT)
    assert (done.returncode, form_of((tmp_path / "y.pcapng").read_bytes())) == (0, "pcapng")


def test_the_option_comes_first(tmp_path: Path) -> None:
    for name, form in (("x.txt", "pcap"), ("x.pcap", "pcapng"), ("x.pcapng", "text")):
        for command in ("pkt-txt2txt", "pkt-txt2pcap", "pkt-txt2pcapng", "pkt-txt2bin", "pkt-pipe change"):
            done = shell(f"cd {tmp_path} && {command} -F {form} --out {name}", TEXT)
            assert (done.returncode, form_of((tmp_path / name).read_bytes())) == (0, form)


@pytest.mark.parametrize(
    ("command", "names", "writes"),
    [("pkt-txt2pcap", "x.txt x.pcapng", "pcap"), ("pkt-txt2pcapng", "x.txt x.pcap x.cap", "pcapng"),
     ("pkt-txt2bin", "x.txt x.pcap x.pcapng", "bare bytes")],
)  # fmt: skip
def test_names_that_contradict_each_other(tmp_path: Path, command: str, names: str, writes: str) -> None:
    for name in names.split():
        (tmp_path / name).write_bytes(b"kept")
        done = shell(f"cd {tmp_path} && {command} --out {name}", TEXT)
        named = {"txt": "text", "cap": "pcap"}.get(name[2:], name[2:])
        said = f"{command}: --out {name}: that is the name of {named}, and {writes} is written; -F says which\n"
        assert (done.returncode, done.stderr.decode()) == (2, f"{said}Try '{command} --help'.\n")
        assert (tmp_path / name).read_bytes() == b"kept"
    for name in {"pcap": "x.pcap y.cap z.bin z", "pcapng": "x.pcapng z", "bare bytes": "x.bin z"}[writes].split():
        assert shell(f"cd {tmp_path} && {command} --out {name}", TEXT).returncode == 0


def test_endings_of_what_is_not_written(tmp_path: Path) -> None:
    """It is known, and not taken for text; -F says what is meant, and what is no format takes no such name either."""
    for command, name, noun in (
        ("pkt-txt2txt", "x.snoop", "snoop"), ("pkt-txt2pcap", "x.ERF", "ERF"), ("pkt-pipe correct", "x.pcap.Z", "compress"),
        ("pkt-split --count 1", "x.tgz", "tar"), ("pkt-recv -i nothing", "x.zip.gz", "ZIP"),
    ):  # fmt: skip
        done = shell(f"cd {tmp_path} && {command} --out {name}", TEXT)
        said = f": {name}: that is the name of a file of {noun}, which is not written; -F says what is"
        assert (done.returncode, done.stderr.decode().splitlines()[0].endswith(said)) == (2, True), done.stderr
    done = shell(f"cd {tmp_path} && pkt-code --as c --out x.zip", TEXT)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        b"pkt-code: x.zip: that is the name of a file of ZIP, which is not written",
    )
    assert not list(tmp_path.iterdir())
    for form in ("pcap", "text"):
        assert shell(f"cd {tmp_path} && pkt-txt2txt -F {form} --out x.erf", TEXT).returncode == 0
        assert form_of((tmp_path / "x.erf").read_bytes()) == form


@pytest.mark.parametrize(
    "command", ["pkt-analyze --out {}", "pkt-pipe 'correct | analyze --out {}'", "pkt-pipe 'analyze' --out {}"]
)
def test_what_is_shown_to_people_is_no_capture(tmp_path: Path, command: str) -> None:
    for name in ("x.pcap", "x.pcapng", "x.CAP"):
        done = shell(f"cd {tmp_path} && {command.format(name)}", TEXT)
        assert (done.returncode, done.stdout, (tmp_path / name).exists()) == (2, b"", False)
        assert f"--out {name}: that is the name of a capture, and text is written" in done.stderr.decode()
    assert shell(f"cd {tmp_path} && {command.format('x.txt')}", TEXT).returncode == 0


HELD = {
    "text": TEXT, "marked.txt": b"\xef\xbb\xbf" + TEXT, "bare.txt": b"by hand\n--\r\n45\r\n==\r\n", "empty.txt": b"LINKTYPE: 101\n",
    "page.html": b"<!doctype html>\n-- 1 --\n", "notes.txt": b"a - b\n -- 1 --\n", "none": b"", "other.gz": gzip.compress(b"<svg"),
    "cut.gz": gzip.compress(TEXT)[:15],
}  # fmt: skip


def test_no_page_or_picture_over_packets(tmp_path: Path) -> None:
    """`pkt-analyze --html x.txt` means x.txt to be read, and overwrote it."""
    held = {**HELD, "x.gz": gzip.compress(TEXT)}
    held |= {name: shell(f"pkt-txt2{name}", TEXT).stdout for name in ("pcap", "pcapng")}
    free = {"page.html", "notes.txt", "none", "other.gz", "cut.gz"}
    for name, data in held.items():
        (tmp_path / name).write_bytes(data)
        assert holds_packets(str(tmp_path / name)) == (name not in free), name
    os.mkfifo(tmp_path / "fifo")
    assert not any(holds_packets(str(tmp_path / name)) for name in ("fifo", "absent", "."))
    said = "is written, and this file holds packets; files are read without an option"
    for command, what in (
        ("analyze --html {}", "a page"), ("analyze --ladder --svg {}", "a picture"),
        ("pipe 'filter IP | analyze --html {}'", "a page"),
        ("stat --svg {}", "a picture"), ("expect IP --junit {}", "a report"),
    ):  # fmt: skip
        done = shell(f"cd {tmp_path} && pkt-{command.format('text')}", TEXT)
        option = command.split()[-2]
        assert (done.returncode, f"{option} text: {what} {said}" in done.stderr.decode()) == (2, True), done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in held} == held
    for _ in range(2):
        assert shell(f"cd {tmp_path} && pkt-analyze --html none", TEXT).returncode == 0
    for command in ("stat --svg x.pcap", "stat --out x.pcap", "diff a b --out x.pcap", "expect IP --junit x.pcap"):
        done = shell(f"cd {tmp_path} && pkt-{command}", TEXT)
        assert (done.returncode, b"x.pcap: that is the name of a capture" in done.stderr) == (2, True), done.stderr


# ---- terminals ----


def on_terminal(command: str, **more: object) -> tuple[int, bytes, bytes]:
    """Runs a command whose standard output is a terminal, and whose input never comes: exit code, what it wrote, what it said."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "PKTTOOLS_UTC": "1"}
    read, write = os.pipe()
    try:
        process = subprocess.run(["bash", "-c", command], stdin=read, stdout=theirs, stderr=subprocess.PIPE, env=environment,
                                 timeout=60, check=False, **more)  # fmt: skip
        written = b""
        while select.select([ours], [], [], 0)[0]:
            written += os.read(ours, 65536)
        return process.returncode, written, process.stderr
    finally:
        for fd in (ours, theirs, read, write):
            os.close(fd)


@pytest.mark.parametrize(
    ("command", "form"),
    [("pkt-txt2pcap", "pcap"), ("pkt-txt2pcapng", "pcapng"), ("pkt-txt2bin", "bare bytes"), ("pkt-txt2txt -F pcap", "pcap"),
     ("pkt-correct -F pcapng", "pcapng"), ("pkt-gen udp -F pcap", "pcap"), ("pkt-txt2pcap --out -", "pcap"),
     ("pkt-txt2pcap --out /dev/stdout", "pcap"), ("pkt-recv -i nothing -F pcap", "pcap"),
     ("pkt-pipe 'change | txt2pcap'", "pcap"), ("pkt-pipe change -F pcapng", "pcapng"),
     ("pkt-txt2bin -F pcap --in missing", "pcap")],
)  # fmt: skip
def test_binary_is_not_for_terminals(command: str, form: str) -> None:
    """It is said before anything is read, or opened."""
    name = command.split()[0]
    code, written, said = on_terminal(command)
    hint = f"{form} is binary, and not written to a terminal: --out FILE, or a pipe; -F text shows packets"
    assert (code, written) == (2, b"")
    assert said.decode() == f"{name}: {hint}\nTry '{name} --help'.\n"


def test_what_a_pipe_reads_is_not_for_terminals_either(tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(PCAP)
    code, written, said = on_terminal(f"pkt-pipe 'change' --in {tmp_path}/x.pcap")
    assert (code, written) == (2, b"")
    assert b"pcap is binary, and not written to a terminal" in said


def test_text_is(tmp_path: Path) -> None:
    (tmp_path / "x.pcap").write_bytes(PCAP)
    for command in ("pkt-pcap2txt", "pkt-pipe 'change IP.TTL=1 | txt2txt' -F text", "pkt-analyze", "pkt-txt2pcap -F text"):
        code, written, _ = on_terminal(f"{command} --in {tmp_path}/x.pcap")
        assert (code, written[:11]) == (0, b"LINKTYPE: 1")
    code, written, said = on_terminal(f"pkt-txt2pcap --in {tmp_path}/x.pcap --out {tmp_path}/y.pcap")
    assert (code, written, said, (tmp_path / "y.pcap").read_bytes()) == (0, b"", b"", PCAP)
    code, written, said = on_terminal(f"pkt-txt2pcap --in {tmp_path}/x.pcap | cat > {tmp_path}/z.pcap")
    assert (code, written, said, (tmp_path / "z.pcap").read_bytes()) == (0, b"", b"", PCAP)


def test_a_new_file_that_gets_nothing_is_taken_away(tmp_path: Path) -> None:
    """Of input that is bad from its beginning; what was there before stays as it was, and an empty file is one, too."""
    (tmp_path / "bad").write_bytes(b"garbage")
    (tmp_path / "old").write_bytes(TEXT)
    (tmp_path / "empty").touch()
    (tmp_path / "dangling").symlink_to("target")
    commands = [
        *(f"pkt-txt2txt --in bad --out {name}" for name in ("new", "new.pcap", "new.pcapng", "new.gz")),
        "pkt-pcap2txt --in bad --out new",
        "pkt-pipe --in bad --out new 'change IP.TTL=9 | correct'",
        "pkt-pipe --jobs 2 --in bad --out new.pcap 'change IP.TTL=9 | correct'",
        "pkt-pipe --each bad --out-dir . -F pcap 'change IP.TTL=9'",
        "pkt-analyze --line --in bad --out new",
        "pkt-analyze --html new --in bad",
        "pkt-analyze --line --in bad --out old",
        "pkt-diff bad old --out new",
        *(f"pkt-filter IP --in bad --out {name}" for name in ("old", "empty", "dangling")),
    ]
    done = shell(f"cd {tmp_path}; " + "; ".join(f"{command}; echo $?" for command in commands))
    assert done.stdout.split() == [b"2" if "diff" in command else b"1" for command in commands]
    assert done.stderr.count(b"bad: no packets: not packet text\n") == len(commands)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "dangling", "empty", "old", "target"]
    assert (tmp_path / "old").read_bytes() == TEXT


def test_a_new_file_that_nothing_could_be_written_into_is_taken_away(tmp_path: Path) -> None:
    """As on a disk that is full; here it may have no bytes. One that was there before stays."""
    (tmp_path / "text").write_bytes(TEXT)
    (tmp_path / "large").write_bytes(TEXT * 9999)
    (tmp_path / "old").write_bytes(TEXT)
    commands = [f"{command} --out {name}" for name in ("new", "new.pcap", "new.gz", "old") for command in (
        "pkt-txt2txt text", "pkt-txt2txt large", "pkt-pipe --jobs 2 --in large 'change IP.TTL=9 | correct'")]  # fmt: skip
    commands += ["pkt-analyze --html new text", "pkt-diff --json text large --out new"]
    done = shell(f"cd {tmp_path}; " + "; ".join(f"(ulimit -f 0; {command}); echo $?" for command in commands))
    assert done.stdout.split() == [b"2" if "diff" in command else b"1" for command in commands]
    assert done.stderr.count(b": File too large\n") == len(commands), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large", "old", "text"]


def test_a_new_file_with_nothing_in_it_stays_where_nothing_went_wrong(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(TEXT)
    done = shell(f"cd {tmp_path} && pkt-filter UDP --in text --out none && pkt-diff text text --out same")
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["none", "same", "text"]
