"""Captures in parts, by Dask: with two worker processes, one of which is killed; in threads; of fsspec's memory and local files."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT, shell

import pkttools
from pkttools import PktError, PktWarning, UsageError
from pkttools.formats.borders import parts

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
from pkttools.dask import Behind, Ended, Piece, _opened, _told, captures  # noqa: E402

STAGES = {"filter": ["not TCP"], "change": ["IP.TTL-=1", "UDP.DATA=68656c6c6f"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captures of all kinds: pcap in either order, pcapng of two sections with interfaces, text, compressed, without packets."""
    folder = tmp_path_factory.mktemp("captures")
    done = shell(
        f"cd {folder} && pkt-gen udp --count 3000 --seed 1 IP.ID=1..65535 --out 1.pcap"
        " && pkt-gen tcp --count 2000 --seed 2 | pkt-txt2pcap -be --nano > 2.pcap"
        " && { pkt-gen icmp --count 2000 --seed 3 | awk '{print} /^TIME/ {print \"IFACE: eth\" n++ % 3}'"
        " | pkt-txt2pcapng; pkt-gen arp --count 500 --seed 4 | pkt-txt2pcapng -be; } > 3.pcapng && pkt-gen icmp6 --count 50 > 4.txt"
        " && cat 2.pcap 1.pcap > 5.pcap && head -c 24 1.pcap > 6.pcap"
    )
    assert done.returncode == 0, done.stderr
    (folder / "7.pcap.gz").write_bytes(gzip.compress((folder / "1.pcap").read_bytes()))
    return folder


def alone(folder: Path, target: Path) -> bytes:
    """What one process makes of the same captures."""

    def packets():
        for path in sorted(folder.iterdir()):
            yield from pkttools.read(path)

    pkttools.pipe("filter 'not TCP' | change IP.TTL-=1 UDP.DATA=68656c6c6f", packets()).write(target)
    return target.read_bytes()


def worked(folder: Path, to: str, size: int = 30_000) -> list[str]:
    """What Dask has made of them."""
    return captures(f"{folder}/*", size=size).filter(*STAGES["filter"]).change(*STAGES["change"]).to_pcapng(to)


@pytest.mark.filterwarnings("ignore::pkttools.PktWarning")
def test_two_workers_and_one_that_is_killed(made, tmp_path, monkeypatch):
    """To the byte what one process writes. What the killed one had done, and had in hand, is done again."""
    wanted = alone(made, tmp_path / "alone.pcapng")
    monkeypatch.setenv("PKTTOOLS_CODEC", "python")  # in the workers: they take so long that one can be killed amidst
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ended: list[object] = []
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        before = client.run(os.getpid)
        thread = threading.Thread(target=lambda: ended.append(worked(made, f"{tmp_path}/parts/*.pcapng", 15_000)))
        thread.start()
        until = time.monotonic() + 30
        while len([*tmp_path.glob("parts/*")]) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(next(iter(before.values())), signal.SIGKILL)
        assert thread.is_alive()
        thread.join(60)
        assert ended and len(set(before.values()) & set(client.run(os.getpid).values())) == 1
        (names,) = ended
        assert len(names) > 30 and [str(one) for one in sorted(tmp_path.glob("parts/*"))] == names
        bag = captures(f"{made}/1.pcap", size=30_000).fields("IP.ID", "UDP.DST_PORT")
        assert [one["IP.ID"] for one in bag.compute()] == [packet["IP.ID"] for packet in pkttools.read(made / "1.pcap")]
    monkeypatch.delenv("PKTTOOLS_CODEC")
    assert captures(f"{tmp_path}/parts/*").to_pcapng(f"{tmp_path}/one.pcapng") == [f"{tmp_path}/one.pcapng"]
    assert (tmp_path / "one.pcapng").read_bytes() == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone.pcapng", "one.pcapng", "parts"]  # nothing is left beside it


@pytest.mark.filterwarnings("ignore::pkttools.PktWarning")
def test_in_threads_and_in_memory(made, tmp_path):
    """Without a cluster, from one file system into another; one file and many."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.rm("/captures", recursive=True) if memory.exists("/captures") else None
    for path in made.iterdir():
        memory.pipe(f"/captures/{path.name}", path.read_bytes())
    wanted = alone(made, tmp_path / "alone.pcapng")
    many = captures("memory://captures/*", size="30 kiB").filter("not TCP").change("IP.TTL-=1", "UDP.DATA=68656c6c6f")
    assert many.to_pcapng("memory://captures-out/all.pcapng") == ["memory://captures-out/all.pcapng"]
    assert memory.cat("/captures-out/all.pcapng") == wanted and len(memory.ls("/captures-out")) == 1
    assert worked(made, str(tmp_path / "all.pcapng")) and (tmp_path / "all.pcapng").read_bytes() == wanted


def test_parts_in_memory_have_a_place_of_their_own(made):
    """All opened before any is read, as threads may do; fsspec itself opens one file for all of them."""
    memory = pytest.importorskip("fsspec").filesystem("memory")
    data = (made / "1.pcap").read_bytes()
    memory.pipe("/in-turns.pcap", data)
    files = captures("memory://in-turns.pcap", size=20_000).parts
    read = [Behind(_opened(file), part) for file, part in files]
    pieces = [b"".join(iter(lambda one=one: one.read(1 << 30), b"")) for one in read]
    alone = [part.front + data[part.start : part.stop] for _, part in files]
    assert len(read) > 2 and pieces == alone


@pytest.mark.parametrize("name", ["1.pcap", "2.pcap", "3.pcapng", "4.txt", "5.pcap", "6.pcap", "7.pcap.gz"])
@pytest.mark.parametrize("size", [1, 20_000, 1 << 30])
def test_parts_are_the_whole(made, name, size):
    """Wherever a capture is cut, its parts have the same packets, with their interfaces; and each has some."""
    whole = made / name
    files = captures(str(whole), size=size if size > 1 else 1000)
    read = [[(bytes(one), one.time, one.notes) for one in Piece(file, part, ()).packets()] for file, part in files.parts]
    assert [one for part in read for one in part] == [(bytes(one), one.time, one.notes) for one in pkttools.read(whole)]
    cut = name[0] in "1235" and size < 1 << 30
    assert (len(read) > 2) == cut and (not cut or all(read))


def test_what_is_damaged_is_in_the_last_part(made, tmp_path):
    """Packets in front of it are there, and others' are; it fails all the same, with its place."""
    for name in "1.pcap", "3.pcapng":
        data = bytearray((made / name).read_bytes())
        data[-90_000:-89_900] = b"\xff" * 100
        (tmp_path / name).write_bytes(data)
        with (tmp_path / name).open("rb") as file:
            found = parts(file, 20_000)
        assert len(found) > 2 and found[-1].stop is None and found[-1].start < len(data) - 89_900
    (tmp_path / "4.pcap").write_bytes((made / "1.pcap").read_bytes()[:24] + b"\xff" * 100)  # no packet stands in front of that
    failed = rf"3 of \d+ parts failed: {tmp_path}/1.pcap, from byte \d+ on: .*; {tmp_path}/3.pcapng.*; {tmp_path}/4.pcap"
    files = captures(f"{tmp_path}/*.pcap*", size=20_000)
    with pytest.raises(PktError, match=failed):
        files.to_pcapng(f"{tmp_path}/out-*.pcapng")
    assert len([*pkttools.read(tmp_path / "out-01.pcapng")]) > 100
    names = sorted(path.name for path in tmp_path.glob("out-*"))  # of that nothing is left
    assert names == [f"out-{number:02}.pcapng" for number in range(1, len(files.parts))]
    with pytest.raises(PktError, match="at byte"):
        captures(f"{tmp_path}/1.pcap", size=None).fields("IP.TTL").compute(scheduler="sync")


def test_fields_are_those_of_pkt_analyze(made):
    done = shell(f"pkt-analyze --in {made}/3.pcapng --fields TIME,IP.TTL,ICMP.SEQ[1],ARP.OPERATION -F jsonl | tail -1")
    bag = captures(f"{made}/3.pcapng", size=20_000).fields("TIME", "IP.TTL", "ICMP.SEQ[1]", "ARP.OPERATION")
    rows = bag.compute(scheduler="threads")
    assert len(rows) == 2500 and done.returncode == 0
    assert json.loads(done.stdout) == rows[-1]


def test_parquet(made, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")
    names = captures(f"{made}/1.pcap", size=60_000).filter("UDP").to_parquet(str(tmp_path / "table"), "IP.ID", "TIME")
    assert len(names) > 2 and names[0].endswith("/table/part-1.parquet")
    assert parquet.read_table(tmp_path / "table")["IP.ID"].to_pylist() == [one["IP.ID"] for one in pkttools.read(made / "1.pcap")]


def test_what_goes_on_from_packet_to_packet_is_refused(made):
    many = captures(f"{made}/*.pcap", size=30_000)
    for wrong in (
        lambda: many.filter("UDP", limit=3), lambda: many.filter("UDP", skip=1), lambda: many.filter("NUMBER<9"),
        lambda: many.filter(numbers="1-9"), lambda: many.filter(every=3), lambda: many.filter(sample="1/2", seed=1),
        lambda: many.filter(from_="+1ms"), lambda: many.filter("UDP", until="+1ms"), lambda: many.change("IP.ID=1..9"),
        lambda: many.change("IP.TTL=9", if_="UDP and NUMBER<9"), lambda: many.change(payload="x", follow_tcp=True),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="and captures are worked on in parts"):
            wrong()
    many.filter("UDP", "NOTE=='NUMBER'", and_=True, from_="2020-01-01").change("IP.TTL=9", if_="UDP")
    assert len(captures(f"{made}/4.txt").filter("ICMPV6", limit=3).fields("IPV6.HOP_LIMIT").compute(scheduler="sync")) == 3
    for wrong, message in (
        (lambda: many.filter("UPD"), "UPD"),
        (lambda: many.fields("IP.TLT"), "did you mean"),
        (lambda: many.to_pcapng("a*b*"), r"one \*"),
        (lambda: captures(f"{made}/1.pcap", size=0), "no size"),
    ):
        with pytest.raises(UsageError, match=message):
            wrong()
    with pytest.raises((PktError, FileNotFoundError)):
        captures(f"{made}/nothing/*")
    with pytest.warns(PktWarning, match="x.pcap: 1 lost"):
        _told((Ended("x.pcap", ["1 lost"], "", 0),))  # of another process, which nobody looks at
    with pytest.warns(PktWarning, match="longer than the field"):
        captures(f"{made}/1.pcap", size=None).change(f"UDP.DATA={'00' * 999}").to_pcapng(f"{made.parent}/cut-*.pcapng")
    assert "parts: filter UDP" in repr(many.filter("UDP"))


@pytest.mark.parametrize("to", ["all.pcapng", "*.pcapng"])
def test_what_stands_beside_packets_is_not_kept_and_that_is_said(made, tmp_path, to):
    """Secrets and names of the file, once, wherever it is cut."""
    data = shell(f"pkt-txt2pcapng {made}/1.pcap").stdout
    packets = sum(struct.unpack_from("<I", data, at)[0] for at in (4, struct.unpack_from("<I", data, 4)[0] + 4))
    secrets = struct.pack("<6I", 10, 24, 0x544C534B, 4, 0x41414141, 24)  # TLS key log
    names = struct.pack("<IIHH4s4sII", 4, 28, 1, 8, bytes([192, 0, 2, 1]), b"a.b\0", 0, 28)
    (tmp_path / "in.pcapng").write_bytes(data[:packets] + secrets + names + data[packets:])
    with pytest.warns(PktWarning) as said:
        captures(f"{tmp_path}/in.pcapng", size=30_000).to_pcapng(f"{tmp_path}/out-{to}")
    assert [str(one.message) for one in said] == [f"{tmp_path}/in.pcapng: not kept: 1 decryption secrets, 1 name resolution"]
    assert len([*tmp_path.glob("out-*")]) > 3 or "*" not in to


def test_programs_of_the_manual(made, tmp_path, monkeypatch):
    """That of pkttools(3), with a cluster of its own, and the line of README, as they stand there."""
    pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd", reason="zstd is not installed")
    (tmp_path / "captures").mkdir()
    pkttools.read(made / "1.pcap").write(tmp_path / "captures/1.pcap.zst")
    page = (ROOT / "man/pkttools.3").read_text()
    (program,) = re.findall(r"^\.EX\n(from pkttools\.dask .*?)^\.EE$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "[(9, 3000)]\n"), done.stderr
    assert {one["IP.TTL"] for one in pkttools.read(tmp_path / "out/1.pcapng")} == {9}
    (line,) = re.findall(r"`(from pkttools\.dask .*?)`", (ROOT / "README.md").read_text())
    monkeypatch.chdir(tmp_path / "captures")
    exec(line, {})
    assert len([*pkttools.read("udp-1.pcapng")]) == 3000


def recipes() -> tuple[str, str]:
    """Those of pkttools(7): for GNU parallel, and what each task of Slurm runs."""
    page = (ROOT / "man/pkttools.7").read_text().replace("\\-", "-").replace("\\(aq", "'")
    (parallel,) = re.findall(r"^parallel .*", page, re.MULTILINE)
    (slurm,) = re.findall(r"^sbatch .* --wrap '(.*?)'$", page, re.MULTILINE | re.DOTALL)
    return parallel, slurm


def test_recipes_of_the_manual(made, tmp_path):
    """As they stand there: a file that fails does not stop the others, and the exit code says how many did."""
    parallel, slurm = recipes()
    for name in "1.pcap", "2.pcap", "6.pcap":
        shutil.copy(made / name, tmp_path)
    (tmp_path / "bad.pcap").write_bytes((made / "1.pcap").read_bytes()[:-3])
    (tmp_path / "out").mkdir()
    done = shell(f"cd {tmp_path} && ls *.pcap > captures.txt && {slurm}", SLURM_ARRAY_TASK_ID="1")
    assert done.returncode == 0, done.stderr
    assert {one["IP.TTL"] for one in pkttools.read(tmp_path / "out/1.pcap")} == {9}
    if not shutil.which("parallel"):
        pytest.skip("GNU parallel is not installed")
    done = shell(f"cd {tmp_path} && {parallel}", PARALLEL_HOME=str(tmp_path))
    assert done.returncode == 1 and b"bad.pcap" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1.pcap", "2.pcap", "6.pcap", "bad.pcap"]
    assert len([*pkttools.read(tmp_path / "out/1.pcap")]) == 3000 and not [*pkttools.read(tmp_path / "out/2.pcap")]
