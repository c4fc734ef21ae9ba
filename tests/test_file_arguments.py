"""Files as arguments: what exists and is no filter or assignment is read, several one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import shell
from netns import pcap

from pkttools.command_line.options import own_arguments
from pkttools.commands import commands, find, read
from pkttools.commands.pipe import joined
from pkttools.errors import UsageError
from pkttools.language.arguments import filter_of
from pkttools.library import pipe

FRAMES = [bytes(12) + b"\x08\x00" + bytes([i]) * 46 for i in range(3)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files whose names are a capture's, a filter's, a value's, an operator's, an assignment's."""
    for name in ("a.pcap", "b", "UDP", "100", "02", "and", "IP.TTL=9", "--x"):
        (tmp_path / name).write_bytes(pcap(FRAMES[:1]))
    (tmp_path / "d").mkdir()
    (tmp_path / "gone").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "files", "rest"),
    [
        ("a.pcap", "a.pcap", ""), ("a.pcap b UDP", "a.pcap b", "UDP"), ("UDP a.pcap IP.TTL=9 b", "a.pcap b", "UDP IP.TTL=9"),
        ("UDP", "", "UDP"), ("./UDP UDP", "./UDP", "UDP"), ("- a.pcap", "- a.pcap", ""), ("-- --x UDP", "--x", "UDP"),
        ("UDP.SIZE gt 100", "", "UDP.SIZE gt 100"), ("UDP.SIZE gt 100 100", "100", "UDP.SIZE gt 100"),
        ("UDP.DATA contains 01 02", "", "UDP.DATA contains 01 02"), ("a.pcap UDP and TCP", "a.pcap", "UDP and TCP"),
        ("( UDP ) a.pcap", "a.pcap", "( UDP )"), ("UPD a.pcap", "a.pcap", "UPD"), ("UPD", "", "UPD"), ("gone", "gone", ""),
        ("IP.TTL=9", "", "IP.TTL=9"), ("./IP.TTL=9", "./IP.TTL=9", ""), ("a.pcap a.pcap", "a.pcap a.pcap", ""),
        ("/dev/null", "/dev/null", ""), ("UPD==10.0.0.0/8", "", "UPD==10.0.0.0/8"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_which_arguments_are_files(words: str, files: str, rest: str) -> None:
    values = read(find("pkt-filter"), ["--in", "first", *words.split()])
    assert (values.input, values.files, values.arguments) == (["first", *files.split()], files.split(), rest.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("d UDP", "d: this is a directory; d/* names the files in it"), ("./d/", "./d/: this is a directory; ./d/* names"),
        ("no.pcap", "no.pcap: there is no such file, and it is no filter"), ("UDP a.pcap /no/file", "/no/file: there is no such"),
        ("no.txt.gz", "no.txt.gz: there is no such"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_what_is_no_file(words: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(find("pkt-filter"), words.split())
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("merge nothere other", "nothere: there is no such file, and no layer 'NOTHERE'"),
        ("filter UPD", "UPD: there is no such file, and no layer 'UPD': did you mean UDP?"),
        ("filter IP nothere", "nothere: there is no such file, and no layer 'NOTHERE'"),
        ("filter IP and nothere", "no layer 'NOTHERE'"), ("filter '(IP' 'nothere)'", "no layer 'NOTHERE'"),
        ("sort b other UDP", "other: there is no such file"), ("dedupe trace.1", "trace.1: there is no such file"),
        ("split --count 1 --out {n} UDP trace-2", "trace-2: there is no such file"),
        ("wrap vlan nothere", "nothere: there is no such file"), ("merge IP.TLL", "no field 'IP.TLL'"),
        ("merge any", "no layer 'ANY'"), ("merge b and", "filter 'and': "), ("merge udp port 53", "no layer '53'"),
        ("merge IP.TLL==1 nothere", "no field 'IP.TLL'"), ("merge UPD==1", "no layer 'UPD'"),
        ("merge b UPD[2]", "no layer 'UPD[2]'"), ("merge b b|correct nothere", "no layer 'NOTHERE'"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_what_is_neither_file_nor_filter(words: str, said: str) -> None:
    """Both is said, where a file is read, and no filter was begun."""
    with pytest.raises(UsageError) as raised:
        joined(read(find("pkt-pipe"), []), words)
    name = words.partition("|")[2].split() or words.split()
    assert str(raised.value).startswith(f"{name[0]}: {said}")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("name", "hint"), [("filter", "; to read a file: --in b"), ("recv", "")])
def test_an_option_is_named_where_there_is_one(name: str, hint: str) -> None:
    values = read(find(f"pkt-{name}"), [])
    with pytest.raises(UsageError) as raised:
        filter_of(values, ["UPD[2]", "b"], one=True)
    assert str(raised.value) == f"no layer 'UPD[2]' (-k lists the fields){hint}"


NO_FILTER = "-r turns the filter around, and there is none"
NO_OPTION = "files are read without an option"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("txt2txt -r b UDP", 0, f"pkt-txt2txt: -r b: -r turns the filter around; {NO_OPTION}\n"),
        ("txt2txt UDP -r b", 0, "-r b: -r"), ("txt2txt -r UDP b", 0, ""), ("txt2txt --reverse b UDP", 0, ""),
        ("txt2txt b UDP", 0, ""),
        ("filter -r b --numbers 2", 0, "-r b:"), ("pipe 'txt2txt -r b UDP | sort'", 0, "-r b: -r turns"),
        ("txt2txt b -r", 2, f"pkt-txt2txt: {NO_FILTER}\nTry"), ("txt2txt b -r -nb", 2, f"{NO_FILTER}\n"),
        ("txt2txt -r b IP.TTL=9", 2, f"{NO_FILTER}; {NO_OPTION}\n"), ("sort -r b", 2, f"{NO_FILTER}; --by -TIME"),
        ("sort -r b UDP", 0, "-r b: -r"), ("analyze -nr b", 2, f"no option '-nr': {NO_OPTION}\n"),
        ("analyze -nr UPD", 2, "no option '-nr': did you mean -r?\n"), ("analyze --rever b", 2, "did you mean --reverse?\n"),
        ("txt2txt -w b", 2, "no option '-w': did you mean --out?\n"),
        ("txt2txt -c 3", 2, "no option '-c': did you mean --limit?\n"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_who_means_to_read_by_r(words: str, code: int, said: str) -> None:
    """As tcpdump and tshark do: what -r means stays, and is said."""
    done = shell(f"pkt-{words}")
    found = done.stderr.decode()
    assert done.returncode == code, found
    assert said in found if said else not found


def test_all_that_read_take_them(folder: Path) -> None:
    """Unless arguments are something else. What stands in front is what it is: a header, rules."""
    (folder / "vlan").write_bytes(b"")
    without = {"pkt-diff", "pkt-expect", "pkt-gen", "pkt-lab", "pkt-pipe", "pkt-recv", "pkt-sock", "pkt-switch", "pkt-xdp"}
    for name in commands():
        own = own_arguments(find(name))
        assert (own is None) == (name in without), name
        values = read(find(name), ["vlan", "b"])
        assert values.arguments == ["vlan", "b"] if own is None else ["vlan"] if own or "vlan" in values.arguments else []
        assert own is None or values.input == ["b"]


def test_commands_read_them(folder: Path, backend: str) -> None:
    for words, count in (("pkt-txt2txt a.pcap b", 2), ("pkt-pipe -F text 'txt2txt b a.pcap | filter ETHERNET'", 2),
                         ("pkt-analyze --line a.pcap - < b", 2), ("pkt-filter b ETHERNET.TYPE==ip and ETHERNET", 1)):  # fmt: skip
        done = shell(f"cd {folder}; {words}", backend=backend)
        assert (done.returncode, done.stderr) == (0, b""), words
        assert done.stdout.count(b"\n" if "--line" in words else b"==\n") == count, words
    assert len(list(pipe(f"filter {folder}/b {folder}/a.pcap ETHERNET"))) == 2


def test_behind_the_first_stage(folder: Path) -> None:
    done = shell(f"cd {folder}; pkt-pipe 'correct | filter a.pcap ETHERNET'")
    said = b"pkt-pipe: filter: a.pcap: a file is read by the first command of the pipe\n"
    assert (done.returncode, done.stderr.partition(b"Try")[0]) == (2, said)
    done = shell(f"cd {folder}; pkt-txt2txt gone")
    assert (done.returncode, done.stderr) == (1, b"pkt-txt2txt: gone: No such file or directory\n")
