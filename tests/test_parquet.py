"""pkt-analyze --fields -F parquet: read back by pyarrow and DuckDB, where they are installed."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ROOT, shell
from peak import peak

from tests.benchmarks.capture import write_capture

EXAMPLES = ROOT / "examples"
COLUMNS = (
    "NUMBER,TIME,TIME_UTC,CAPTURED,IP.SRC_ADDR,IP.TTL,IP.TTL[2],IP.TTL[*],UDP.DST_PORT,TCP.SEQ_NUMBER,ETHERNET.SRC_ADDR,"
    "PKTAP.COMM,UDP.DATA,IFACE,NOTE[*]"
)
INPUTS = f"--in {EXAMPLES}/tunnel.txt --in {EXAMPLES}/dns.txt --in {EXAMPLES}/pktap.txt --in {EXAMPLES}/vlan-tcp.txt"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyarrow", exc_type=ImportError)
    path = tmp_path_factory.mktemp("parquet") / "packets.parquet"
    done = shell(f"pkt-analyze --fields '{COLUMNS}' {INPUTS} --out {path}")
    assert done.returncode == 0, done.stderr
    said = done.stderr.decode().splitlines()
    assert said[0] == "pkt-analyze: IP.SRC_ADDR: 3 packets with more than one: the first is there, IP.SRC_ADDR[*] has all"
    return path


def test_types_and_values(made: Path) -> None:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(made)
    assert {field.name: str(field.type).replace("item", "element") for field in table.schema} == {
        "NUMBER": "uint64", "TIME": "timestamp[ns, tz=UTC]", "TIME_UTC": "string", "CAPTURED": "uint32", "IP.SRC_ADDR": "string",
        "IP.TTL": "uint8", "IP.TTL[2]": "uint8", "IP.TTL[*]": "list<element: uint8>", "UDP.DST_PORT": "uint16",
        "TCP.SEQ_NUMBER": "uint32", "ETHERNET.SRC_ADDR": "string", "PKTAP.COMM": "string", "UDP.DATA": "string", "IFACE": "string",
        "NOTE[*]": "list<element: string>",
    }  # fmt: skip
    wanted = [json.loads(line) for line in shell(f"pkt-analyze --fields '{COLUMNS}' -F jsonl {INPUTS}").stdout.splitlines()]
    times = table["TIME"].cast("int64").to_pylist()
    for row, one, time in zip(table.drop_columns("TIME").to_pylist(), wanted, times, strict=True):
        assert time == one.pop("TIME")
        assert row == {name: value[0] if isinstance(value, list) and name != "IP.TTL[*]" else value for name, value in one.items()}


def test_duckdb_reads_it(made: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    ports = duckdb.sql(f"""select "UDP.DST_PORT", count(*), min("TIME") from '{made}' where "UDP.DST_PORT" = 53 group by 1""")
    [(port, count, first)] = ports.fetchall()
    assert (port, count) == (53, 3)
    assert first.astimezone(UTC).replace(microsecond=0) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    inner = duckdb.sql(f"""select count(*) from '{made}' where "IP.TTL[2]" = 64 and len("IP.TTL[*]") = 2""")
    assert inner.fetchall() == [(3,)]


def test_duckdb_reads_csv(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "x.csv"
    assert shell(f"pkt-analyze --fields 'TIME_UTC,UDP.DST_PORT,PKTAP.COMM' {INPUTS} --out {path}").returncode == 0
    found = duckdb.sql(
        f"""select "PKTAP.COMM", sum("UDP.DST_PORT") from '{path}' where "PKTAP.COMM" is not null group by 1 order by 1"""
    )
    assert found.fetchall()[0][0] == "mDNSResponder"


def test_row_groups_are_bounded(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", exc_type=ImportError)
    import pyarrow.parquet

    path = tmp_path / "x.parquet"
    many = "for i in $(seq 300); do cat ping.txt; done"
    done = shell(f"cd {EXAMPLES} && ({many}) | pkt-analyze --fields NUMBER,FRAME -F parquet > {path}")
    assert (done.returncode, done.stderr) == (0, b"")
    found = pyarrow.parquet.ParquetFile(path)
    assert found.metadata.num_rows == 600 and found.read()["NUMBER"].to_pylist() == list(range(1, 601))
    assert shell(f"pkt-analyze --fields NUMBER,IP.TTL -F parquet --out {path} < /dev/null").returncode == 0
    assert pyarrow.parquet.read_table(path).num_rows == 0  # a stream without packets has columns
    before = path.read_bytes()
    done = shell(f"echo bad | pkt-analyze --fields NUMBER -F parquet --out {path}")
    assert (done.returncode, path.read_bytes()) == (1, before)  # where nothing can be read, there is nothing to write


@pytest.mark.parametrize("names", ["TIME,IP.SRC_ADDR,IP.TTL", "NUMBER,IP.TTL[*],IP.SRC_ADDR[*]"])
def test_memory_is_bounded(names: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", exc_type=ImportError)
    many, few = tmp_path / "many.pcap", tmp_path / "few.pcap"
    words: list[str | Path] = [ROOT / "bin" / "pkt-analyze", "--fields", names, "-F", "parquet", "--in"]
    for path, count in ((few, 1000), (many, 200_000)):
        write_capture(path, count)
    with (tmp_path / "x").open("wb") as file:
        least, most = (peak([*words, path], stdout=file) for path in (few, many))
    assert most < least + (12 << 20) and least < 68 << 20  # 52 MiB of it are pyarrow's, without one packet


def test_a_program_gets_memory_of_malloc_and_its_environment_stays_as_it_was() -> None:
    pytest.importorskip("pyarrow", exc_type=ImportError)
    told = "print(imported().default_memory_pool().backend_name, os.getenv(POOL))"
    run = f"{sys.executable} -c 'import os; from pkttools.views.parquet import POOL, imported; {told}'"
    done = shell(f"cd {ROOT}; unset ARROW_DEFAULT_MEMORY_POOL; {run}; ARROW_DEFAULT_MEMORY_POOL=mimalloc {run}")
    assert done.stdout == b"system None\nmimalloc mimalloc\n", done.stderr


def test_a_full_disk_is_an_error() -> None:
    pytest.importorskip("pyarrow", exc_type=ImportError)
    done = shell(f"pkt-analyze --fields NUMBER,FRAME -F parquet --in {EXAMPLES}/ping.txt > /dev/full")
    assert done.returncode == 1 and done.stderr == b"pkt-analyze: <stdout>: No space left on device\n"


def test_without_pyarrow_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('none')")
    words = f"--fields NUMBER -F parquet --in {EXAMPLES}/ping.txt"
    done = shell(f"pkt-analyze {words} --out {tmp_path}/x", PYTHONPATH=str(tmp_path))
    said = rb"pkt-analyze: -F parquet takes pyarrow \(none\): /.*/python[0-9.]* -m pip install pyarrow\n"
    assert done.returncode == 1 and re.fullmatch(said, done.stderr), done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal by script(1)")
def test_it_is_not_written_to_a_terminal() -> None:
    done = shell(f"script -qec 'pkt-analyze --fields NUMBER -F parquet --in {EXAMPLES}/ping.txt' /dev/null")
    assert b"binary, and not written to a terminal" in done.stdout and b"PAR1" not in done.stdout
