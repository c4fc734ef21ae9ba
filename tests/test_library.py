"""The library: packets as objects, and streams that go through the stages of the commands."""

from __future__ import annotations

import copy
import gzip
import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shell

import pkttools
from pkttools import library

PING = ROOT / "examples" / "ping.txt"
TUNNEL = ROOT / "examples" / "tunnel.txt"
MANY = 3000  # packets: several batches, of which each read brings some


@pytest.fixture
def ping() -> list[pkttools.Packet]:
    return list(pkttools.read(PING))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.pcap"
    made = pkttools.pipe(f"gen udp --count {MANY} --size 400 IP.ID=1..60000 IP.TTL=1..200 --start 1577836800 --rate 1000")
    assert made.write(path) == MANY
    return path


# ---- fields ----


def test_values_are_of_the_kind_that_the_field_is(ping: list[pkttools.Packet]) -> None:
    one, two = ping[0], next(iter(pkttools.read(TUNNEL)))
    assert [one[name] for name in ("IP.TTL", "ip.src_addr", "ETHERNET.DST_ADDR", "ICMP.TYPE")] == [
        64, "192.0.2.1", "02:00:00:00:00:02", 8,
    ]  # fmt: skip
    assert one["ICMP.DATA"] == bytes(one)[-len(one["ICMP.DATA"]) :] != b""
    assert one.time == 1700000000250131000
    assert (len(one), one.original, one.linktype) == (98, 98, 1)
    assert one.headers == ["ETHERNET", "IP", "ICMP"]
    assert (one["IP.TTL[1]"], one["IP.TTL[*]"], one.get("IP.TTL[2]")) == (64, [64], None)
    assert two.headers.count("IP") == len(two["IP.TTL[*]"])
    assert two["IP.TTL[-1]"] == two["IP.TTL[*]"][-1]


def test_what_is_not_there_is_told_from_what_does_not_exist(ping: list[pkttools.Packet]) -> None:
    one = ping[0]
    assert ["ICMP" in one, "TCP" in one, "IP.TTL" in one, "TCP.FLAGS" in one] == [True, False, True, False]
    assert (one.get("TCP.FLAGS"), one.get("TCP.FLAGS", 7)) == (None, 7)
    for failing in (lambda: one["TCP.FLAGS"], lambda: one.__setitem__("TCP.FLAGS", 1)):
        with pytest.raises(KeyError, match=r"TCP\.FLAGS"):
            failing()
    for failing in (
        lambda: one["IP.TLL"],
        lambda: one.get("IP.TLL"),
        lambda: "IP.TLL" in one,
        lambda: one.__setitem__("IP.TLL", 1),
    ):
        with pytest.raises(pkttools.NoField, match=r"^no field 'IP.TLL': did you mean IP.TTL\?$") as caught:
            failing()
        assert isinstance(caught.value, KeyError)
    with pytest.raises(pkttools.NoField, match="no header 'ICPM'"):
        assert "ICPM" in one


@pytest.mark.parametrize(
    ("field", "value", "after"),
    [
        ("IP.TTL", 3, 3),
        ("IP.TTL", "0x40", 64),
        ("IP.TTL", True, 1),
        ("IP.SRC_ADDR", "198.51.100.7", "198.51.100.7"),
        ("ICMP.TYPE", "echo-reply", 0),
        ("ETHERNET.SRC_ADDR", "02:00:00:00:00:99", "02:00:00:00:00:99"),
    ],
)
def test_setting_is_what_pkt_change_assigns(ping: list[pkttools.Packet], field: str, value: object, after: object) -> None:
    before = bytes(ping[1])
    assert ping[0][field] != after or field == "IP.TTL"
    ping[0][field] = value
    assert ping[0][field] == after
    text = f"{field}={int(value) if isinstance(value, bool) else value}"
    done = shell(f"pkt-change -l 1 '{text}' --in {PING} -F pcap")
    assert done.stdout[40:] == bytes(ping[0])
    assert bytes(ping[1]) == before


@pytest.mark.parametrize(("value", "octets", "shown"), [
    ("\u00fc", b"\xc3\xbc", r"\xc3\xbc"), ("\u20ac", b"\xe2\x82\xac", r"\xe2\x82\xac"), (b"\xfc", b"\xfc", r"\xfc"),
    (r"\xfc", b"\xfc", r"\xfc"), (r"a\b", rb"a\b", r"a\x5cb"), ('a"b', b'a"b', r"a\x22b"),
    ("", b"", ""), ("a b\n", b"a b\n", r"a b\x0a"),
])  # fmt: skip
def test_text_is_set_as_it_is_read(value: str | bytes, octets: bytes, shown: str) -> None:
    """As assignments and filters have it: other characters are octets in UTF-8. What was read is what it was, once it is set."""
    packet = next(iter(pkttools.read(ROOT / "tests/data/protocols/ospf-simple.txt")))
    packet["OSPF.PASSWORD"] = value
    assert packet["OSPF.PASSWORD"] == shown
    assert octets.ljust(8, b"\0") in bytes(packet)
    before = bytes(packet)
    packet["OSPF.PASSWORD"] = packet["OSPF.PASSWORD"]
    assert bytes(packet) == before
    if isinstance(value, str) and value.isprintable() and value.isalnum():
        assert packet.matches(f'OSPF.PASSWORD=="{value}"')


def test_octets_are_set_as_bytes_and_others_are_refused(ping: list[pkttools.Packet]) -> None:
    room = len(ping[0]["ICMP.DATA"])
    for octets in (bytes(range(room)), bytearray(room)):
        ping[0]["ICMP.DATA"] = octets
        assert ping[0]["ICMP.DATA"] == ping[0].frame[-room:] == octets
    ping[0]["ICMP.DATA"] = "FF" * room
    assert ping[0].frame[-room:] == b"\xff" * room
    for field, value, message in (
        ("IP.TTL", 256, "at most 255"),
        ("IP.TTL", -1, "neither|not a number"),
        ("IP.TTL", b"x", "no value for it"),
        ("IP.TTL", [1], "no value|is not"),
        ("ICMP.DATA", 7, "bytes are"),
        ("ICMP.DATA", b"x", f"1 byte in place of {room}"),
        ("IP.HEADER_SIZE", 21, "multiple"),
    ):
        with pytest.raises(pkttools.UsageError, match=message):
            ping[0][field] = value


def test_columns_stay_right_when_packets_change(many: Path) -> None:
    """In whatever order: values that were read before, after, of this packet or of others."""
    for number, packet in enumerate(pkttools.read(many)):
        ttl = number % 200 + 1
        assert (packet["IP.TTL"], packet.get("TCP.FLAGS"), "UDP" in packet) == (ttl, None, True)
        if number % 3 == 0:
            packet["IP.TTL"] -= 1
            assert packet["IP.TTL"] == ttl - 1
        if number % 5 == 0:
            packet["IP.PROTOCOL"] = 6
            assert ("UDP" in packet, "TCP" in packet, packet.matches("IP.PROTOCOL==6")) == (False, True, True)
            assert packet.get("UDP.DST_PORT") is None
            assert "TCP.FLAGS" in packet
    assert number == MANY - 1


def test_packets_outlive_what_they_were_read_with(many: Path) -> None:
    held = [packet for packet in pkttools.read(many) if packet["IP.ID"] % 2]
    assert [packet["IP.ID"] for packet in held] == list(range(1, MANY + 1, 2))
    assert len({packet.time for packet in held}) == len(held)
    copies = [packet.copy() for packet in held[:3]]
    copies[0]["IP.ID"] = 9
    assert (held[0]["IP.ID"], copies[0]["IP.ID"], repr(copies[1])) == (1, 9, "<Packet ETHERNET/IP/UDP, 400 bytes>")


def test_packets_are_compared_by_what_they_are(tmp_path: Path) -> None:
    """Whichever they were read with, from whatever keeps all of it; each thing that may differ does make a difference."""
    first, second = read_ping()
    assert first == first.copy() == next(iter(read_ping())) and first != second and [first, second] == [*read_ping()]
    assert first != bytes(first) and first != None and second in [*read_ping()]  # noqa: E711  that is what is asked
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)
    for name in ("a.txt", "a.pcapng"):
        pkttools.write(tmp_path / name, first.copy())
        (back,) = pkttools.read(tmp_path / name)
        assert back == first, name
    same = {"time": 5, "linktype": 1, "original": 70}
    for change in {"time": 6}, {"linktype": 101}, {"original": 71}:
        assert pkttools.Packet(bytes(60), **same) != pkttools.Packet(bytes(60), **{**same, **change})
    assert pkttools.Packet(bytes(60), **same) != pkttools.Packet(bytes(59) + b"1", **same)
    noted = io.StringIO(str(first).replace("TIME:", "NOTE: here\nTIME:", 1))
    (other,) = pkttools.read(noted)
    assert other.notes == ["NOTE: here"] and other != first and bytes(other) == bytes(first)


def test_packets_are_copied_and_pickled_by_themselves(many: Path) -> None:
    """A large batch does not go along."""
    packet = next(iter(pkttools.read(many)))
    packet["IP.TTL"] = 3
    stored = pickle.dumps(packet)
    assert len(stored) < 600  # of each packet are 400 bytes
    for made in (copy.copy(packet), copy.deepcopy([packet])[0], pickle.loads(stored)):
        assert made == packet and made["IP.TTL"] == 3 and made is not packet
        made["IP.TTL"] = 4
        assert packet["IP.TTL"] == 3 and made != packet


def test_checksums_are_corrected_when_asked_for(ping: list[pkttools.Packet]) -> None:
    one = ping[0]
    one["IP.TTL"] = 9
    assert "wrong IP checksum" in one.line()
    assert "CHECKSUM is wrong: 0x7c54, and should be 0xb354" in one.explain()
    assert one.correct()
    assert "wrong" not in one.line()
    cut = pkttools.Packet(one.frame[:60], original=98, time=one.time)
    cut["ICMP.CHECKSUM"] = 0
    assert not cut.correct()
    assert one.to_dict()["IP"]["TTL"] == 9


def test_a_packet_is_made_of_bytes_and_said_as_text(ping: list[pkttools.Packet]) -> None:
    made = pkttools.Packet(ping[0].frame, time=ping[0].time)
    assert str(made) == str(ping[0]) == "-- 1 --" + PING.read_text().split("-- 1 --")[1].split("-- 2 --")[0]
    raw = pkttools.Packet(ping[0].frame[14:], linktype=101)
    assert raw.headers == ["IP", "ICMP"]
    (again,) = pkttools.parse(str(raw))
    assert (again.linktype, again.frame) == (101, raw.frame)
    made.time = 7
    with pytest.raises(pkttools.UsageError, match="time: -1 is not a whole number from 0 to "):
        made.time = -1
    assert made.time == 7
    for wrong in ({"time": 1.5}, {"time": 1 << 63}, {"linktype": -1}, {"original": 1 << 40}, {"frame": bytes(300_000)}):
        with pytest.raises(pkttools.UsageError, match=f"{next(iter(wrong))}: .* is not a whole number from 0 to "):
            pkttools.Packet(**{"frame": b"x", **wrong})


# ---- streams ----


def test_every_kind_of_file_is_read_and_written(tmp_path: Path, many: Path) -> None:
    reference = [packet.frame for packet in pkttools.read(many)]
    for name in ("a.txt", "a.pcapng", "a.cap"):
        assert pkttools.write(tmp_path / name, pkttools.read(many)) == MANY
        assert [packet.frame for packet in pkttools.read(str(tmp_path / name))] == reference
    assert (tmp_path / "a.pcapng").read_bytes().startswith(b"\n\r\r\n")
    with gzip.open(tmp_path / "a.pcap.gz", "wb") as packed:
        packed.write(many.read_bytes())
    with gzip.open(tmp_path / "a.pcap.gz") as packed:
        assert [packet.frame for packet in pkttools.read(packed)] == reference
    taken, text = io.BytesIO(), io.StringIO()
    pkttools.write(taken, pkttools.read(many), format="pcap")
    assert taken.getvalue() == many.read_bytes()
    pkttools.read(many).filter("IP.ID in 1..3").write(text, all_fields=True)
    assert [packet["IP.ID"] for packet in pkttools.parse(text.getvalue())] == [1, 2, 3]
    assert "IP.TTL:" in text.getvalue()
    with pytest.raises(pkttools.PktError, match="a capture is no text"):
        pkttools.write(io.StringIO(), pkttools.read(many), format="pcap")


def test_what_a_path_names_is_read_anew_and_a_file_once(many: Path) -> None:
    packets = pkttools.read(many).filter("IP.TTL==1")
    assert len(list(packets)) == len(list(packets)) == MANY // 200
    with many.open("rb") as file:
        packets = pkttools.read(file)
        assert sum(1 for _ in packets) == MANY
        with pytest.raises(pkttools.UsageError, match="were read before"):
            list(packets)


def test_streams_say_what_they_are_of(many: Path) -> None:
    said = f"<Packets of {many}: list(...) reads them>"
    assert [repr(pkttools.read(many)), repr(pkttools.read(many).filter("IP"))] == [said, said]
    with many.open("rb") as file:
        once = pkttools.read(file)
        assert repr(once) == "<Packets: list(...) reads them>"
        list(once)
    assert repr(once) == "<Packets, read already: list(...) reads them>"


def test_a_file_is_not_written_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(PING.read_bytes())
    with pytest.raises(pkttools.PktError, match="the same file"):
        pkttools.read(path).change("IP.TTL=1").write(path)
    assert path.read_bytes() == PING.read_bytes()


def test_stages_are_those_of_the_commands(many: Path) -> None:
    """The bytes of the pipe, whether packets are in batches or are given one by one."""
    words = "filter IP.TTL in 2..9 | change IP.TTL=64 --if UDP | correct | fragment --mtu 300 --force-cut"
    expected = shell(f"pkt-pipe '{words}' < {many}").stdout
    for given in (pkttools.read(many), list(pkttools.read(many)), (packet for packet in pkttools.read(many))):
        taken = io.BytesIO()
        pkttools.pipe(words, given).write(taken, format="pcap")
        assert taken.getvalue() == expected
    one_by_one = pkttools.read(many).filter("IP.TTL in 2..9").change("IP.TTL=64", if_="UDP").correct()
    assert [packet.frame for packet in one_by_one.pipe("fragment --mtu 300 --force-cut")] == [
        packet.frame for packet in pkttools.parse(expected)
    ]


def test_stages_leave_the_packets_that_they_are_given(ping: list[pkttools.Packet]) -> None:
    before = [packet.frame for packet in ping]
    changed = list(pkttools.change(ping, "IP.TTL=1", ip_id=5, update_checksums=True))
    assert {(packet["IP.TTL"], packet["IP.ID"]) for packet in changed} == {(1, 5)}
    assert [packet.frame for packet in ping] == before
    assert [packet["IP.TTL"] for packet in pkttools.change(ping[0], "IP.TTL=7")] == [7]


def test_no_packet_waits_for_the_next_one() -> None:
    """Who reads from a generator gets what has come."""
    came = []

    def trickle():
        for packet in pkttools.read(PING):
            came.append(packet)
            yield packet.copy()

    for number, packet in enumerate(pkttools.filter(trickle(), "ICMP"), 1):
        assert (len(came), packet["ICMP.TYPE"] in (0, 8)) == (number, True)


def test_what_is_wrong_is_said_at_once_in_the_commands_words(tmp_path: Path) -> None:
    for failing, message in (
        (lambda: pkttools.filter([], "IP.TLL==1"), r"filter: no field 'IP.TLL': did you mean IP.TTL\?"),
        (lambda: pkttools.change([], "IP.TTL=300"), "change: IP.TTL: 300 does not fit"),
        (lambda: pkttools.correct([], length=True), "no option '--length': did you mean --lengths"),
        (lambda: pkttools.pipe("change IP.TTL=1 | send -i lo", []), "send"),
        (lambda: pkttools.pipe("change --in x IP.TTL=1", []), "--in is for a command that reads files"),
        (lambda: pkttools.pipe("nothing", []), "no such command"),
    ):
        with pytest.raises(pkttools.UsageError, match=message):
            failing()
    one = pkttools.Packet(b"")
    for slip, message in (
        (lambda: one[5], "5 is no name of a field, such as 'IP.TTL'"), (lambda: one.get(None), "None is no name of a field"),
        (lambda: one.__setitem__(5, 1), "5 is no name of a field"), (lambda: 5 in one, "5 is no name of a header or a field"),
        (lambda: one.matches(5), "5 is no filter"), (lambda: pkttools.filter([], 5), "5 is no filter or assignment"),
        (lambda: pkttools.read(None), "None is neither a path nor a file that is open"), (lambda: list(one), "0 is no name"),
        (lambda: pkttools.read(PING).change(5), "5 is no filter or assignment"), (lambda: pkttools.pipe(5), "5 is no"),
        (lambda: pkttools.Packet(5), "5 is no frame: bytes"), (lambda: pkttools.Packet("ab"), "'ab' is no frame: bytes"),
        (lambda: pkttools.write(None, one), "None is neither a path nor a file that is open"),
        (lambda: pkttools.diff(5, 6), "5 is no packet"), (lambda: list(pkttools.filter(5, "IP")), "5 is no packet"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=message):
            slip()
    with pytest.raises(TypeError, match="'p' is no packet; read\\(path\\) gives those of a file"):
        pkttools.diff("ping.txt", "ping.txt")
    with pytest.raises(pkttools.PktError, match="nothere: No such file"):
        pkttools.read(tmp_path / "nothere")


def test_what_is_lost_is_warned_of_and_what_is_broken_raised_behind_the_rest(tmp_path: Path) -> None:
    with pytest.warns(pkttools.PktWarning, match="TCP.FLAGS=1 met no packet with that field"):
        stream = pkttools.read(PING).change("TCP.FLAGS=1")
        count = len(list(stream))
    assert stream.said == [f"change: TCP.FLAGS=1 met no packet with that field, of {count}"]
    for options, message in (({"fail_empty": True}, "--fail-empty: no packet passed"), ({"fail_if": "ICMP"}, "--fail-if: 2 of 2")):
        with pytest.raises(pkttools.PktError, match=message):
            list(pkttools.filter(read_ping(), "TCP" if "fail_empty" in options else "ICMP", **options))
    broken = tmp_path / "broken.txt"
    broken.write_text(PING.read_text() + "-- 9 --\n000000: XX\n==\n")
    taken = []
    for packets in (pkttools.read(broken), pkttools.read(broken).change("IP.TTL=64")):
        with pytest.raises(pkttools.PktError, match=r"broken.txt:\d+: bad hex digit 'XX'"):
            for packet in packets:
                taken.append(packet["IP.TTL"])
    assert taken == [64] * 2 * count


def test_differences_are_told_field_by_field(ping: list[pkttools.Packet]) -> None:
    assert pkttools.diff(ping, read_ping()) == []
    changed = list(pkttools.change(ping, "IP.TTL-=1", update_checksums=True))
    found = pkttools.diff(ping, changed)
    assert [(one.number_a, one.number_b) for one in found] == [(1, 1), (2, 2)]
    assert [(one.name, one.a, one.b) for one in found[0].differences] == [("IP.TTL", "64", "63")]
    assert (found[0].a["IP.TTL"], found[0].b["IP.TTL"]) == (64, 63)
    assert str(found[1]).splitlines()[1].split() == ["IP.TTL", "64", "->", "63"]
    assert pkttools.diff(ping, changed, ignore="routing") == pkttools.diff(ping[0], changed[0], ignore=["TTL"]) == []
    (only,) = pkttools.diff(ping[:1], [])
    assert (only.number_b, only.b, str(only).partition(":")[0]) == (None, None, "packet 1 only in A")
    assert len(pkttools.diff(ping, ping[::-1])) == len(ping)
    assert [one.moved for one in pkttools.diff(ping, ping[::-1], key="ICMP.TYPE")] == [True]
    assert len(pkttools.diff(ping, ping[1:], align=True)) == 1


def read_ping() -> pkttools.Packets:
    return pkttools.read(PING)


# ---- the package ----


def test_protocols_of_ones_own(tmp_path: Path) -> None:
    """Of this program and the commands that it starts; a file that is wrong leaves all as it was; too late is said."""
    (tmp_path / "own.protocol").write_text('protocol OWN "Own"\nsource s\nis application\nafter udp 9\nfield KIND 8\nsize 1\n')
    (tmp_path / "bad.protocol").write_text("protocol OWN\n")
    program = """if True:
        import os, subprocess, sys, pkttools
        there = {}
        for path in "none", "bad.protocol", "a:b":
            try:
                pkttools.use_protocols(path)
            except Exception as error:
                print(type(error).__name__, str(error).rpartition("/")[2])
            assert all(sys.modules.get(name) is module for name, module in there.items())
            there = {name: module for name, module in sys.modules.items() if name.startswith("pkttools")}
            assert "PKTTOOLS_PROTOCOLS" not in os.environ
        from pathlib import Path
        os.mkfifo("pipe.protocol")
        writer = subprocess.Popen("exec cat own.protocol > pipe.protocol", shell=True)  # what is read once
        pkttools.use_protocols(Path("pipe.protocol"))
        os.environ["PKTTOOLS_PROTOCOLS"] = os.path.abspath("own.protocol")  # the command reads it again
        (packet,) = pkttools.pipe("gen udp --payload 0x05")
        print(packet.headers[-1], packet["OWN.KIND"], packet.matches("OWN.KIND==5"))
        print(subprocess.run([sys.argv[1], "OWN.KIND==5"], input=str(packet).encode(), capture_output=True).returncode)
        try:
            pkttools.use_protocols("own.protocol")
        except pkttools.UsageError as error:
            print(error)
    """
    words = [sys.executable, "-c", program, str(ROOT / "bin" / "pkt-filter")]
    found = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False, env=found)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "PktError none: No such file or directory", "UsageError bad.protocol:1: OWN has no bytes",
        "UsageError use_protocols: a ':' in a path is what stands between paths", "OWN 5 True", "0",
        "use_protocols comes before anything else of pkttools: its tables of protocols are in use"]  # fmt: skip


@pytest.mark.parametrize(("commands", "said"), [
    ("stat", "stat: gives no packets; run it as a command, with subprocess, or Lab.run in a lab; "),
    ("expect UDP", "expect: gives no packets; "), ("gen udp", "gen: brings packets itself, and takes none: "),
    ("filter IP --out x", "filter: --out is for what is written: pkttools.write takes it"),
    ("filter IP --protocols x", "filter: --protocols is for commands: pkttools.use_protocols, before anything else"),
    ("filter IP --in x", "filter: --in is for a command that reads files: "),
])  # fmt: skip
def test_what_is_no_stage_of_a_program(ping: list[pkttools.Packet], commands: str, said: str) -> None:
    with pytest.raises(pkttools.UsageError) as error:
        pkttools.pipe(commands, ping)
    assert str(error.value).startswith(said)


def test_it_is_imported_when_it_is_used_and_left_alone_else() -> None:
    """The names are the same in both places; to import the package takes one module, and no time."""
    assert set(pkttools.LIBRARY) == set(library.__all__)
    assert set(dir(pkttools)) >= {"live", "read", "__version__"}
    words = "import sys; before = set(sys.modules); import pkttools; print(*sorted(set(sys.modules) - before)); "
    words += "pkttools.read; print('pkttools.library' in sys.modules, pkttools.live.receive is pkttools.receive)"
    done = subprocess.run([sys.executable, "-S", "-c", words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("pkttools\nTrue True\n", "")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pkttools.nothing  # noqa: B018


def test_signals_stay_the_programs() -> None:
    words = (
        "import signal, pkttools; before = [signal.getsignal(n) for n in (2, 15)]; "
        "list(pkttools.pipe('gen udp --count 2 | correct')); print(before == [signal.getsignal(n) for n in (2, 15)])"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
