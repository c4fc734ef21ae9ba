"""pkt-analyze --fields: the cells of a table, in each format, on both codecs."""

from __future__ import annotations

import csv
import io
import json
from types import ModuleType

import pytest
from conftest import ROOT, shell
from samples import batch, ethernet, ipv4, over_udp, pktap, tags, tcp, udp
from test_analyze import Kept

from pkttools.batch import Batch, Packet, gathered
from pkttools.errors import UsageError
from pkttools.views import fields
from pkttools.views.fields import FieldsSink, columns_of

TUNNEL = ethernet(0x0800, ipv4(4, ipv4(4, ipv4(17, udp(b"abc")))))


def table(codec: ModuleType, monkeypatch: pytest.MonkeyPatch, b: Batch, names: str, form: str = "tsv") -> str:
    """What is written of a batch."""
    monkeypatch.setattr(fields, "codec", codec)
    out = Kept()
    sink = FieldsSink(out, columns_of(names), form)
    sink.write(b)
    return out.text.decode("ascii")


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        ("NUMBER,CAPTURED,ORIGINAL,LINKTYPE", "1\t85\t1500\t1"),
        ("size", "1500"),
        ("TIME,TIME_UTC", "1700000000000000001\t2023-11-14T22:13:20.000000001Z"),
        ("FRAME", TUNNEL.hex()),
        ("IP.TTL,UDP.DST_PORT,TCP.DST_PORT", "64,64,64\t53\t"),
        ("IP.TOTAL_SIZE[2],IP.TOTAL_SIZE[-1],IP.TOTAL_SIZE[4],IP.TOTAL_SIZE[-4],IP.TOTAL_SIZE", "51\t31\t\t\t71,51,31"),
        ("ip.src_addr[1], UDP.DATA ,ETHERNET.SRC_ADDR,IP.DF[*]", "192.0.2.1\t616263\t02:00:00:00:00:01\t0,0,0"),
        ("PKTAP.COMM,TCP.OPT_MSS", "\t"),
    ],
)
def test_cells(codec: ModuleType, monkeypatch: pytest.MonkeyPatch, names: str, cells: str) -> None:
    b = gathered([Packet(TUNNEL, 1500, 1_700_000_000_000_000_001, 1)])
    head, line = table(codec, monkeypatch, b, names).splitlines()
    assert line == cells
    assert head == names.upper().replace(" ", "").replace(",", "\t")


def test_options_and_tags_come_in_their_order(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    options = b"\x02\x04\x05\xb4\x01\x01\x01\x03\x03\x07\x01\x00"
    frame = ethernet(0x88A8, tags([0x88A8, 0x8100], 0x0800, ipv4(6, tcp(b"", options))))
    found = table(codec, monkeypatch, batch([(1, frame)]), "TCP.OPT_KIND,TCP.OPT_MSS,ETHERNET.TYPE[-1],ETHERNET.VLAN_ID")
    kinds, *rest = found.splitlines()[1].split("\t")
    assert kinds.startswith("2,1,") and rest == ["1460", "2048", "1,2"]


def named(comm: bytes) -> Packet:
    """A packet of macOS, of a program of that name."""
    frame = bytearray(pktap(1, ethernet(0x0800, ipv4(17, udp()))))
    frame[56:76] = comm.ljust(20, b"\0")
    return Packet(bytes(frame), len(frame), 0, 149)


HOSTILE = b'a,"\t\n\r\\\x1b[2J\xe2\x80\xae\x9b'


def test_no_text_leaves_its_cell(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    b = gathered([named(HOSTILE), named(b""), Packet(TUNNEL, 85, 0, 1)])
    asked = "PKTAP.COMM,PKTAP.COMM[1],NUMBER"
    tsv = table(codec, monkeypatch, b, asked)
    shown = r"\x22\x09\x0a\x0d\x5c\x1b[2J\xe2\x80\xae\x9b"
    assert tsv.splitlines()[1:] == [rf"a\x2c{shown}" + "\t" + f"a,{shown}\t1", "\t\t2", "\t\t3"]
    text = table(codec, monkeypatch, b, asked, "csv")
    assert text.split("\r\n")[1:] == [rf'"a\x2c{shown}","a,{shown}",1', '"","",2', ",,3", ""]
    assert list(csv.reader(io.StringIO(text)))[1] == [rf"a\x2c{shown}", f"a,{shown}", "1"]
    objects = [json.loads(line) for line in table(codec, monkeypatch, b, asked, "jsonl").splitlines()]
    assert [one["PKTAP.COMM"] for one in objects] == [f"a,{shown}", "", None]


def test_what_lines_say_is_there_too(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several lines all, or one; a line that says nothing is not one that is not there."""
    lines = [b"IFACE: eth0\nWAY:\tin \nNOTE: a,b\nNOTE: " + HOSTILE.replace(b"\n", b"") + b"\nLOST: 1\n", b"IFACE:\n", b""]
    b = gathered(Packet(TUNNEL, 85, 0, 1, notes) for notes in lines)
    asked = "IFACE,WAY,NOTE,NOTE[1],note[-1],NOTE[3],NOTE[*]"
    shown = r"\x22\x09\x0d\x5c\x1b[2J\xe2\x80\xae\x9b"
    both = rf"a\x2cb,a\x2c{shown}"
    assert table(codec, monkeypatch, b, asked).splitlines()[1:] == [
        "\t".join(("eth0", "in", both, "a,b", f"a,{shown}", "", both)), "\t" * 6, "\t" * 6]  # fmt: skip
    assert table(codec, monkeypatch, b, "IFACE,NOTE[2],WAY", "csv").split("\r\n")[1:] == [
        f'"eth0","a,{shown}","in"', '"",,', ",,", ""]  # fmt: skip
    objects = [json.loads(line) for line in table(codec, monkeypatch, b, asked, "jsonl").splitlines()]
    assert [one["IFACE"] for one in objects] == ["eth0", "", None]
    assert [one["NOTE"] for one in objects] == [["a,b", f"a,{shown}"], None, None] == [one["NOTE[*]"] for one in objects]
    assert objects[0]["NOTE[-1]"] == f"a,{shown}" and objects[0]["NOTE[3]"] is None


def test_json_lines_have_types(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    b = batch([(1, TUNNEL), (1, ethernet(0x0800, ipv4(17, udp()))), (1, ethernet(0x0806, b""))])
    asked = "NUMBER,IP.TTL,IP.TTL[*],IP.SRC_ADDR[1],UDP.DATA,TIME_UTC"
    found = [json.loads(line) for line in table(codec, monkeypatch, b, asked, "jsonl").splitlines()]
    assert [list(one) for one in found] == [asked.split(",")] * 3
    assert [one["IP.TTL"] for one in found] == [[64] * 3, 64, None]
    assert [one["IP.TTL[*]"] for one in found] == [[64] * 3, [64], None]
    assert found[0]["UDP.DATA"] == "616263" and found[2]["NUMBER"] == 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("IP.TTTL", "no field 'IP.TTTL': did you mean IP.TTL?"),
        ("IP.TTL[0]", "occurrences count from 1"),
        ("IP.TTL[2", "no field"),
        ("IP.TTL[x]", "no field"),
        ("NUMBER[1]", "there is one of a packet"),
        (" , ", "no field is named"),
        ("IP.TTL,ip.ttl", "IP.TTL is there twice"),
    ],
)
def test_wrong_columns(names: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        columns_of(names)
    assert said in str(error.value)


def test_calls_that_are_not_sound(codec: ModuleType) -> None:
    b = batch([(1, TUNNEL)])
    good = columns_of("NUMBER,IP.TTL")
    code = b"".join(column.code() for column in good)
    for columns, before, style in (
        (code, b"\0\0", 0),
        (code, b"\0\0\0x", 0),
        (code, b"\0\0\0", 3),
        (code, b"\0\0\0", -1),
        (code[:-8], b"\0\0", 0),
        (b"\xf5" + b"\xff" * 7 + bytes(16), b"\0\0", 0),
        (b"\xff\xff\0\0\0\0\0\0" + bytes(16), b"\0\0", 0),
    ):
        with pytest.raises(ValueError, match="columns are not sound"):
            codec.columns_encode(b.data, bytes(b.rows), 0, 1, columns, before, style)
    with pytest.raises(ValueError, match="first packet out of range"):
        codec.columns_encode(b.data, bytes(b.rows), 2, 1, code, b"\0\0\0", 0)
    assert codec.columns_encode(b.data, bytes(b.rows), 1, 1, code, b"\0\0\0", 0)[1] == 1


def test_a_call_stops_after_a_megabyte(codec: ModuleType) -> None:
    b = batch([(147, bytes(1000))] * 1200)
    code = columns_of("FRAME")[0].code()
    text, stop = codec.columns_encode(b.data, bytes(b.rows), 0, 1, code, b"\0\n\0", 0)
    assert 500 < stop < 600 and text.count(b"\n") == stop


# ---- the command ----


def test_the_command(backend: str) -> None:
    done = shell(
        f"pkt-analyze --fields TIME_UTC,DNS.ID,UDP.DST_PORT UDP.DST_PORT==53 --in {ROOT}/examples/dns.txt", backend=backend
    )
    assert done.stdout.decode().splitlines()[:2] == [
        "TIME_UTC\tDNS.ID\tUDP.DST_PORT", "2023-11-14T22:13:30.000215Z\t31248\t53",
    ]  # fmt: skip
    assert done.stderr == b"" and done.returncode == 0


@pytest.mark.parametrize(("words", "ending"), [("-F csv", b"\r\n"), ("--out {}.csv", b"\r\n"), ("--out {}.tsv", b"\n")])
def test_a_stream_without_packets_has_names(words: str, ending: bytes, tmp_path) -> None:
    done = shell(f"pkt-analyze --fields NUMBER {words.format(tmp_path / 'x')} < /dev/null")
    found = done.stdout + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (done.returncode, found) == (0, b"NUMBER" + ending)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--fields ''", "--fields: no field is named"),
        ("--fields IP.TTTL", "did you mean IP.TTL?"),
        ("-F csv", "--format is for --fields"),
        ("--fields IP.TTL --json", "one view at a time"),
        ("--fields IP.TTL -F xml", "is not one of"),
    ],
)
def test_wrong_usage(words: str, said: str) -> None:
    done = shell(f"pkt-analyze {words} < /dev/null")
    assert done.returncode == 2 and said in done.stderr.decode()


def test_protocols_of_ones_own(backend: str) -> None:
    words = f"--protocols {ROOT}/examples/protocols/chat.protocol --in {ROOT}/examples/protocols/chat.txt"
    done = shell(f"pkt-analyze {words} --fields CHAT.TYPE,CHAT.DATA,UDP.DST_PORT", backend=backend)
    assert done.returncode == 0 and done.stdout.splitlines()[0] == b"CHAT.TYPE\tCHAT.DATA\tUDP.DST_PORT"
    assert done.stdout.splitlines()[1].split(b"\t")[0].isdigit()
    done = shell(f"pkt-analyze {words} --json", backend=backend)
    assert json.loads(done.stdout.splitlines()[0])["CHAT"]["VERSION"] == 1


def test_a_header_that_was_cut_has_no_fields(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = ethernet(0x0800, ipv4(17, over_udp(53, b"")))[:36]
    found = table(codec, monkeypatch, batch([(1, frame)], original=60), "UDP.SRC_PORT,UDP.DST_PORT,IP.TTL")
    assert found.splitlines()[1] == "\t\t64"
