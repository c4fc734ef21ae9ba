"""--report json: the accounts of what sends and receives, for programs; and the files of pkt-recv --rotate."""

from __future__ import annotations

import json
from pathlib import Path
from signal import SIGINT

import pytest
import sections
from captured import opened
from conftest import shell
from netns import finish, frame, frames_of, lab_of_two, pcap
from waits import until
from xdp import need_xdp

from pkttools.batch import Packet, gathered
from pkttools.command_line.options import Values
from pkttools.commands import recv
from pkttools.errors import OutputError, UsageError
from pkttools.formats import packets, pieces, rotated
from pkttools.formats.files import Input

lab = lab_of_two


def report(said: bytes | list[str]) -> dict:
    """The object that is the last line of standard error."""
    return json.loads((said.decode().splitlines() if isinstance(said, bytes) else said)[-1])


def test_of_sending_and_receiving(lab):
    capture = lab.capture("b", "pkt-recv -i eth0 -l 3 --report json -F pcap")
    sent = [frame(i, source="a") for i in range(3)]
    done = lab.run("a", "pkt-send -i eth0 --via eth1=ARP --pps 1000 --report json", pcap([*sent, frame(9, 2000, source="a")]))
    code, out, said = finish(capture)
    assert (code, frames_of(out)) == (0, sent)
    assert report(said) == {
        "command": "pkt-recv", "accounts": [{"interface": "eth0", "received": 3, "dropped": 0, "unfinished": 0}]
    }  # fmt: skip
    assert done.returncode == 1
    found = report(done.stderr)
    first, second = found["accounts"]
    assert found["command"] == "pkt-send"
    assert (first["interface"], first["attempted"], first["sent"], first["failed"]) == ("eth0", 4, 3, 1)
    assert (first["reasons"], first["bytes"]) == ({"too long for the MTU": 1}, 180)
    assert 0 <= first["late"]["median"] <= first["late"]["worst"] < 1
    assert (second["interface"], second["attempted"], "late" in second) == ("eth1", 0, False)


def test_of_a_pipe_in_one_process(lab):
    process = lab.start("b", "exec pkt-pipe 'recv -i eth0 -l 2 --report json | send -i eth1 --report json'")
    until(lambda: lab.listeners("b"), "packet socket")
    lab.inject("a", [frame(i, source="a") for i in range(2)])
    code, _, said = finish(process)
    assert code == 0
    assert [json.loads(line)["command"] for line in said] == ["pkt-recv", "pkt-send"]


def test_of_generating_and_checking(lab):
    capture = lab.capture("b", "pkt-recv -i eth0 -l 5 | pkt-gen check --report json")
    done = lab.run("a", "pkt-gen udp --stamp --count 5 -i eth0 --report json")
    (account,) = report(done.stderr)["accounts"]
    assert (account["interface"], account["sent"], account["failed"]) == ("eth0", 5, 0)
    checked = json.loads(finish(capture)[1])
    assert (checked["command"], checked["stamped"], checked["lost"]) == ("pkt-gen check", 5, 0)
    assert checked["delay"]["least"] <= checked["delay"]["50%"] <= checked["delay"]["worst"]


def test_of_a_switch(lab):
    process = lab.start("b", "exec pkt-switch run eth0 eth1 --name report --report json")
    until(lambda: lab.run("b", "pkt-switch show --name report").returncode == 0, "switch")
    lab.inject("a", [frame(i, source="a") for i in range(3)])
    shown = json.loads(lab.must("b", "pkt-switch show --name report --report json"))
    assert [port["port"] for port in shown["ports"]] == ["eth0", "eth1"]
    assert lab.run("b", "pkt-switch add eth9 --name report --report json").returncode == 2
    code, _, said = finish(process, 2)
    found = json.loads(said[-1])
    assert (code, found["command"]) == (0, "pkt-switch")
    assert [(port["interface"], port["received"], port["sent"]) for port in found["accounts"]] == [("eth0", 3, 0), ("eth1", 0, 3)]


def test_of_xdp(lab):
    need_xdp(lab)
    process = lab.start("b", "exec pkt-xdp -i eth0 -l 2 --report json -v")
    assert b"receiving" in process.stderr.readline()
    lab.inject("a", [frame(i, source="a") for i in range(2)])
    said = finish(process)[2]
    (account,) = json.loads(said[-1])["accounts"]
    assert (account["interface"], account["matched"], account["lost"]) == ("eth0", 2, 0)
    done = lab.run("b", "pkt-send -i eth0 --xdp --receive --loop 5 --report json", pcap([frame(1)]))
    (account,) = report(done.stderr)["accounts"]
    assert (account["attempted"], account["received"] + account["failed"]) == (5, 5)


def test_where_there_is_no_account():
    done = shell("pkt-gen udp --report json")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, b"pkt-gen: --report needs -i, or check")


# ---- --rotate ----


@pytest.mark.parametrize(("text", "limits"), [
    ("1", 1), ("20k", 20480), ("1M", 1 << 20), ("3G", 3 << 30),
    ("5s", 5 * 10**9), ("2min", 120 * 10**9), ("1h", 3600 * 10**9), ("1d", 86400 * 10**9),
])  # fmt: skip
def test_limits(text, limits):
    cut = pieces.size_or_span("--rotate", text, Values(recv.OPTIONS), "pcap")
    assert limits == (cut.size if isinstance(cut, pieces.BySize) else cut.span)


@pytest.mark.parametrize("text", ["", "0", "k", "0s", "1m", "1 s", "-1", "1.5h", "1kB", "٣"])
def test_no_limits(text):
    with pytest.raises(UsageError, match="wanted is a size, such as 100M"):
        pieces.size_or_span("--rotate", text, Values(recv.OPTIONS), "pcap")


def rotating(folder: Path, name: str, form: str, rotate: str, keep: int | None = None) -> rotated.Rotated:
    values = Values(recv.OPTIONS)
    values.output, values.format, values.rotate, values.keep = str(folder / name), form, rotate, keep
    return rotated.Rotated(values, form, 1)


def made(count: int, size: int = 100, gap: int = 10**9):
    return gathered(Packet(bytes([i]) * size, size, 10**18 + i * gap, 1) for i in range(count))


def stored(folder: Path, form: str) -> dict[str, list[int]]:
    """Which packets are in each file."""
    found = {}
    for path in sorted(folder.iterdir()):
        if form == "text":
            with opened(path) as source:
                frames = [bytes(batch.frame(i)) for batch in packets(source) for i in range(len(batch))]
        else:
            data = path.read_bytes()
            frames = [packet.data for packet in sections.records(data)] if form == "pcapng" else frames_of(data)
        found[path.name] = [frame[0] for frame in frames]
    return found


@pytest.mark.parametrize(("form", "each"), [("pcap", 116), ("pcapng", 132), ("text", 0)])
@pytest.mark.parametrize("whole", [False, True], ids=["packet by packet", "at once"])
def test_files_of_a_size(tmp_path, form, each, whole):
    """Each ends with the packet that makes it large enough; nothing is lost between them."""
    sink = rotating(tmp_path, "x.cap", form, "1k")
    batch = made(50)
    for part in [batch] if whole else [batch.part(i, i + 1) for i in range(50)]:
        sink.write(part)
    said = sink.close()
    found = stored(tmp_path, form)
    assert [number for packets in found.values() for number in packets] == list(range(50))
    assert [*found] == [f"x-{number:05}.cap" for number in range(1, len(found) + 1)]
    assert said == [f"{len(found)} files written, the last one {tmp_path}/x-{len(found):05}.cap"]
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    last = each or max(sizes) // 2
    assert all(1024 <= size < 1024 + last for size in sizes[:-1])
    assert len({len(packets) for packets in [*found.values()][:-1]}) == 1


@pytest.mark.parametrize("option", ["all_fields", "width"])
def test_sizes_of_text_with_more(tmp_path, option):
    """No file is a packet longer than it has to be, however much a packet takes."""
    sink = rotating(tmp_path, "x", "text", "8k")
    setattr(sink.values, option, 1)
    sink = rotated.Rotated(sink.values, "text", 1)
    sink.write(made(40, 60))
    sink.close()
    found = stored(tmp_path, "text")
    assert [number for packets in found.values() for number in packets] == list(range(40))
    sizes = [path.stat().st_size for path in sorted(tmp_path.iterdir())]
    assert len(sizes) > 3
    assert all(8192 <= size < 8192 + size // len(packets) * 2 for size, packets in zip(sizes[:-1], found.values(), strict=False))


def test_files_of_a_time(tmp_path):
    """Counted from the first packet; a time without packets has no file."""
    sink = rotating(tmp_path, "x", "pcap", "5s", keep=2)
    batch = made(14)
    batch.columns()[13 * 7 + 3] += 60 * 10**9
    sink.write(batch)
    said = sink.close()
    assert stored(tmp_path, "pcap") == {"x-00003": [10, 11, 12], "x-00004": [13]}
    assert said == [f"4 files written, the last one {tmp_path}/x-00004; 2 kept"]


def test_a_file_is_closed_once(tmp_path):
    """Where the next one cannot be opened: the descriptor may be somebody else's by then."""
    sink = rotating(tmp_path, "x", "pcap", "1k")
    (tmp_path / "x-00002").mkdir()
    with pytest.raises(OutputError, match="x-00002: Is a directory"):
        sink.write(made(50))
    with (tmp_path / "x-00001").open("rb") as other:  # it gets the same one
        with pytest.raises(OutputError, match="x-00001: Bad file descriptor"):
            sink.close()
        assert len(frames_of(other.read())) == sink.output.there


@pytest.mark.parametrize(("ending", "piped"), [(".pcap", False), ("", True)])
def test_rotation_of_what_is_received(lab, tmp_path, ending, piped):
    """Also where no name says a format, and a pipe would go on in the one that is read."""
    words = f"recv -i eth0 -l 60 --rotate 1k --keep 3 -Z root --out {tmp_path}/x{ending}"
    capture = lab.capture("b", f"pkt-pipe '{words}'" if piped else f"pkt-{words}")
    sent = [frame(i, source="a") for i in range(60)]
    lab.inject("a", sent)
    code, _, said = finish(capture)
    assert code == 0, said
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    kept = [bytes(batch.frame(i)) for path in files for batch in packets(Input([str(path)])) for i in range(len(batch))]
    assert kept == sent[-len(kept) :]
    assert any(f"the last one {files[-1]}; 3 kept" in line for line in said)


@pytest.mark.parametrize(("ending", "unpack"), [("pcap.gz", "gzip"), ("pcapng.zst", "zstd")])
def test_compressed_files_are_whole_after_a_signal(lab, tmp_path, ending, unpack):
    """Each by itself, as other programs read it, and together all that was sent."""
    lab.need(unpack, "tshark")
    capture = lab.capture("b", f"exec pkt-recv -i eth0 --rotate 2k -Z root --out {tmp_path}/x.{ending}")
    sent = [frame(i, source="a") for i in range(60)]
    lab.inject("a", sent)
    code, _, said = finish(capture, SIGINT)
    assert code == 0 and any(f"3 files written, the last one {tmp_path}/x-00003.{ending}" in line for line in said), said
    found = shell(f"for file in {tmp_path}/*; do {unpack} -dc $file | tshark -r - -T fields -e frame.number -e data.data; done")
    rows = [line.split() for line in found.stdout.decode().splitlines()]
    assert [data for _, data in rows] == [one[14:].hex() for one in sent], found.stderr
    assert [number for number, _ in rows].count("1") == 3


def test_files_of_a_split_say_where_packets_came_in(lab, tmp_path):
    """As files of --out do: what is received says so where what is written has a place for it."""
    capture = lab.capture("b", f"pkt-pipe 'recv -i eth0 -l 2 -Z root | split --count 5 --out {tmp_path}/x.pcapng'")
    lab.inject("a", [frame(i, source="a") for i in range(2)])
    code, _, said = finish(capture)
    assert code == 0, said
    (path,) = tmp_path.iterdir()
    notes = [batch.packet(i).notes for batch in packets(Input([str(path)])) for i in range(len(batch))]
    assert notes == [b"IFACE: eth0\nWAY: in\n"] * 2


def test_whoever_asks_where_packets_came_in_learns_it(lab, tmp_path):
    """Also further on in a pipe, and where pcap is written, which has no place for it."""
    pipe = "recv -i eth0 -l 4 -Z root | filter WAY==in IFACE==eth0 | time --shift 1s --if IFACE==eth0 | split --by WAY --out"
    capture = lab.capture("b", f"pkt-pipe '{pipe} {tmp_path}/{{IFACE}}.pcap'")
    lab.inject("a", [frame(i, source="a") for i in range(4)])
    code, _, said = finish(capture)
    assert code == 0, said
    assert sum(len(batch) for batch in packets(Input([f"{tmp_path}/eth0.pcap"]))) == 4


def test_a_folder_that_the_user_may_not_write(lab, tmp_path):
    """Said before there is a first file, not when the second one begins."""
    tmp_path.chmod(0o755)
    if lab.rootless:
        pytest.skip("there is one user")
    done = lab.run("b", f"pkt-recv -i eth0 -l 1 --rotate 1k --out {tmp_path}/x.pcap -Z nobody")
    assert (done.returncode, [*tmp_path.iterdir()]) == (1, [])
    assert f"{tmp_path}: the user that goes on may make no files there: -Z says who does" in done.stderr.decode()


@pytest.mark.parametrize(("words", "said"), [
    ("--keep 3", "--keep is of the files of --rotate"), ("--rotate 1k", "--rotate is for files: --out FILE"),
    ("--rotate 1k --out /dev/null", "--rotate is for files: --out FILE"),
])  # fmt: skip
def test_wrong_usage(words, said):
    done = shell(f"pkt-recv -i lo {words}")
    assert (done.returncode, done.stderr.decode().splitlines()[0]) == (2, f"pkt-recv: {said}")
