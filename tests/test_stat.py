"""pkt-stat: what it says of a stream, as tables and as JSON, at the end and at intervals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

import pytest
from conftest import ROOT, shell
from waits import sleeps, until

from pkttools.protocols.shown import format_seconds
from pkttools.statistics import records, tables
from pkttools.statistics.figures import rate_of

PING = (ROOT / "examples" / "ping.txt").read_bytes()
DNS = (ROOT / "examples" / "dns.txt").read_bytes()
ENVIRONMENT = {**os.environ, "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "TZ": "UTC"}


def figures(command: str, data: bytes, backend: str = "") -> dict[str, Any]:
    done = shell(f"pkt-stat --json {command}", data, backend=backend)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return json.loads(done.stdout)


def at(time: str, text: bytes = PING) -> bytes:
    """The first packet of a text, at another time."""
    first = text.split(b"\n==\n")[0] + b"\n==\n"
    lines = [f"TIME: {time}".encode() if line.startswith(b"TIME:") else line for line in first.split(b"\n")]
    return b"\n".join(lines)


def test_a_golden_report(backend):
    done = shell("pkt-stat --top 2", PING + DNS, backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (ROOT / "tests/data/views/stat.txt").read_text()
    assert max(map(len, done.stdout.decode().splitlines())) <= 80


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 ns"), (999, "999 ns"), (1000, "1 us"), (999_499, "999 us"), (999_500, "1 ms"), (999_999, "1 ms"), (999_600_000, "1 s"),
     (999_499_999_999, "999 s"), (999_500_000_000, "1,000 s"), (1_234_600_000_000, "1,235 s"), (-999_600_000, "-1 s"),
     (-1_234_600_000_000, "-1,235 s")],
)  # fmt: skip
def test_durations_are_rounded(nanoseconds, text):
    """Where three digits become four, too: no 1e+03 ms."""
    assert tables.short(nanoseconds) == text


@pytest.mark.parametrize(
    ("count", "duration", "text"),
    [(1200, 120_024_882_000, "10.0"), (3, 120_024_882_000, "0.025"), (1, 10**9, "1"), (19_996, 10**10, "2,000"),
     (2, 3 * 10**9, "0.7"), (12_345_678, 10**10, "1,234,568"), (9_999_499, 10**10, "999,950"), (9_996, 10**10, "999.6"),
     (99_996, 10**11, "1,000.0"), (1, 10**13, "0")],
)  # fmt: skip
def test_rates_are_rounded(count, duration, text):
    assert tables.rate(rate_of(count, duration)) == text


def test_no_table_counts_fewer_bytes_than_were_captured(backend):
    """Where a packet says that fewer were on the wire: totals, protocols, groups, talkers and conversations alike."""
    text = PING.replace(b"SIZE: 98/98", b"SIZE: 98/60")
    found = figures("--by IP.TTL --show totals,protocols,talkers,conversations", text, backend)
    assert found["bytes"] == 2 * 98 and found["protocols"][0]["bytes"] == 2 * 98
    assert [row["bytes"] for row in found["groups"]["rows"]] == [2 * 98]
    assert [row["there"]["bytes"] + row["back"]["bytes"] for row in found["conversations"]["rows"]] == [2 * 98]
    assert sum(row["sent"]["bytes"] for row in found["talkers"]["rows"]) == 2 * 98


def test_a_golden_table_of_groups(backend):
    done = shell("pkt-stat --by IP.PROTOCOL,UDP.DST_PORT --sort bytes", PING + DNS, backend=backend)
    assert done.stdout.decode() == (ROOT / "tests/data/views/stat_by.txt").read_text()


@pytest.mark.parametrize(("name", "locale"), [("stat_plot", "C"), ("stat_plot_utf8", "C.UTF-8")])
def test_golden_bars(name, locale):
    done = shell("pkt-stat --show totals --plot", PING + DNS, LC_ALL=locale)
    assert done.stdout.decode() == (ROOT / f"tests/data/views/{name}.txt").read_text()
    assert max(map(len, done.stdout.decode().splitlines())) <= 80


@pytest.mark.parametrize("text", [b"", at("5") * 3, at("5") + at("1") + at("9000000000")])
def test_bars_of_anything(text, backend):
    """Nothing, no duration, time that goes backwards and far."""
    assert shell("pkt-stat --plot", text, backend=backend).returncode == 0
    picture = shell("pkt-stat --svg -", text, backend=backend).stdout.decode()
    assert picture.startswith("<svg ")
    assert f"{text.count(b'SIZE:')} packets" in picture


def test_conversations(backend):
    """Both ways are one, a VLAN tells them apart, of TCP the handshake is known."""
    text = (ROOT / "examples/vlan-tcp.txt").read_bytes()
    shown = shell("pkt-stat --show conversations", text, backend=backend).stdout.decode().splitlines()
    assert shown[1] == "tcp 192.0.2.1:40963 <> 198.51.100.80:80 in VLAN 100"
    assert shown[2].split() == ["3", "219", "2", "147", "17", "ms", "8.29", "ms", "0", "0"]
    other = shell("pkt-change ETHERNET.VLAN_ID=101", text).stdout
    for words, count in (("", 2), ("--between network", 2), ("--between link", 2), ("ETHERNET.VLAN_ID==100", 1)):
        found = figures(f"--show conversations {words}", text + other, backend)["conversations"]
        assert (found["count"], len(found["rows"])) == (count, count)
        assert found["rows"][0]["there"] == {"packets": 3, "bytes": 219}
        assert words or found["rows"][0]["tcp"]["handshake"] == {"least": 8290000, "most": 8290000}


def test_the_longest_handshake_comes_first(backend):
    """Of all connections of a conversation; without one, by the packet that came first."""
    text = (ROOT / "examples/vlan-tcp.txt").read_bytes()
    slow = shell("pkt-change TCP.SRC_PORT=7 --if TCP.SRC_PORT==40963", text).stdout
    slow = shell("pkt-time --scale 3 | pkt-change TCP.DST_PORT=7 --if TCP.DST_PORT==40963", slow).stdout
    found = figures("--show conversations --sort handshake", PING + text + slow, backend)["conversations"]["rows"]
    assert [row.get("source_port") for row in found] == [7, 40963, None]
    done = shell("pkt-stat --by IP.TTL --sort handshake", PING)
    assert done.returncode == 2 and b"--sort handshake is for --show conversations" in done.stderr


def test_conversations_without_room_are_others(backend):
    found = figures("--show conversations --memory 100", PING + DNS, backend)
    rows = found["conversations"]["rows"]
    assert sum(row[way]["packets"] for row in rows for way in ("there", "back")) + found["conversations"]["others"]["packets"] == 6
    assert found["conversations"]["others"]["packets"] > 0


def test_json_has_the_same_figures(backend):
    found = figures("--by IP.SRC_ADDR,DNS.ID --show totals,sizes,protocols,talkers", PING + DNS, backend)
    assert found["packets"] == sum(size["packets"] for size in found["sizes"]["classes"])
    assert found["protocols"][0]["name"] == "ETHERNET"
    assert found["protocols"][0]["bytes"] == found["bytes"]
    assert sum(group["packets"] for group in found["groups"]["rows"]) == found["packets"]
    assert found["groups"]["rows"][0].keys() == {"IP.SRC_ADDR", "DNS.ID", "packets", "bytes"}
    assert found["talkers"]["rows"][0]["address"].startswith("192.0.2.")
    assert found["earliest_utc"].startswith("2023-11-14T22:13:20.")


def test_no_packets(backend):
    assert shell("pkt-stat", b"", backend=backend).stdout == b"packets     0\nbytes       0 on the wire, 0 captured\n"
    found = figures("--by IP.TTL --show totals,sizes,protocols,talkers", b"", backend)
    assert (found["packets"], found["earliest"], found["rates"], found["sizes"], found["protocols"]) == (0, None, None, None, [])


def test_a_duration_of_0_has_no_rate(backend):
    found = figures("", at("1700000000.5") * 3, backend)
    assert (found["packets"], found["duration"], found["rates"]) == (3, 0, None)
    assert b"rates       none: all packets have the same time\n" in shell("pkt-stat", at("5") * 2, backend=backend).stdout


def test_the_earliest_and_the_latest_wherever_they_stand(backend):
    found = figures("", at("7") + at("3.25") + at("9.000000001") + at("8"), backend)
    assert (found["earliest"], found["latest"], found["backwards"]) == (3_250_000_000, 9_000_000_001, 2)
    assert found["duration"] == 5_750_000_001


def test_before_1970():
    """Of -9.5 s the second is -10; as a number it is -9.5. In captures such times are put to 1970, and that is said."""
    assert format_seconds(-9_500_000_000) == "-9.500000"
    assert format_seconds(-1) == "-0.000000001"
    assert tables.date(-9_500_000_000).startswith("1969-12-31 23:59:50.500000 ")
    assert records.iso(-9_500_000_000) == "1969-12-31T23:59:50.500000000Z"


def test_after_2106():
    assert figures("", at("5000000000.5"))["earliest_utc"] == "2128-06-11T08:53:20.500000000Z"


def test_rates_go_by_what_was_on_the_wire(backend):
    cut = at("10").replace(b"SIZE: 98/98", b"SIZE: 98/1000") + at("12").replace(b"SIZE: 98/98", b"SIZE: 98/1000")
    found = figures("", cut, backend)
    assert (found["bytes"], found["captured_bytes"], found["cut_short"]) == (2000, 196, 2)
    assert found["rates"] == {"packets": 1, "bytes": 1000, "bits": 8000}


def test_filters_and_limits():
    both = PING + DNS
    datagrams = shell("pkt-filter UDP", both).stdout.count(b"SIZE:")
    assert figures("UDP", both)["packets"] == figures("--bpf udp", both)["packets"] == datagrams
    assert figures("-s 1 -l 2", both)["packets"] == 2
    assert figures("--in - ", both)["packets"] == both.count(b"SIZE:")


@pytest.mark.parametrize("way", ["pkt-txt2pcap", "pkt-txt2pcapng", "pkt-txt2txt"])
def test_all_formats(way):
    done = shell(f"{way} | pkt-stat --json", PING)
    assert done.stdout == shell("pkt-stat --json", PING).stdout


def test_several_files_are_one_stream(tmp_path):
    (tmp_path / "one").write_bytes(PING)
    (tmp_path / "two").write_bytes(DNS)
    assert figures(f"--in {tmp_path}/one --in {tmp_path}/two", b"") == figures("", PING + DNS)


def test_what_had_no_room_is_counted_as_others(backend):
    found = figures("--by IP.ID --memory 200 --top 0", PING + DNS, backend)["groups"]
    assert found["count"] == len(found["rows"]) == 2
    assert found["others"]["packets"] > 0
    total = figures("", PING + DNS)
    assert sum(row["packets"] for row in found["rows"]) + found["others"]["packets"] == total["packets"]
    assert sum(row["bytes"] for row in found["rows"]) + found["others"]["bytes"] == total["bytes"]
    assert b"\nothers  " in shell("pkt-stat --by IP.ID --memory 200", PING + DNS, backend=backend).stdout


def test_groups_by_what_lines_say(backend):
    before, first, second = PING.split(b"\nSIZE:")
    text = before + b"\nNOTE: \x1b[2J\nIFACE: eth0\nWAY: in\nSIZE:" + first + b"\nIFACE: eth1\nSIZE:" + second
    done = shell("pkt-stat --by IFACE,WAY,NOTE[-1] --json", text, backend=backend)
    rows = [(one["IFACE"], one["WAY"], one["NOTE[-1]"], one["packets"]) for one in json.loads(done.stdout)["groups"]["rows"]]
    assert ("eth0", "in", "\\x1b[2J", 1) in rows and ("eth1", None, None, 1) in rows
    assert sum(packets for *_, packets in rows) == json.loads(done.stdout)["packets"]
    said = shell("pkt-analyze --fields NOTE[-1]", text).stdout.decode().splitlines()[1:]
    assert {note or None for note in said} == {note for *_, note, _ in rows}  # the same characters, to join both by
    head, *lines = shell("pkt-stat --by IFACE,IP.TTL", text, backend=backend).stdout.decode().splitlines()
    assert head.split()[:2] == ["IFACE", "IP.TTL"] and any(line.split()[:2] == ["eth1", "64"] for line in lines)


def test_text_of_packets_is_safe_for_a_terminal():
    for field, evil in (("UDP.DATA", "1b5d303b7807"), ("UDP.DATA", "0de280ae0a"), ("UDP.DATA", "c29b316d7f")):
        for words in ("", "--json"):
            done = shell(f"pkt-change '{field}={evil}' | pkt-stat --by {field} {words}", DNS)
            assert done.returncode == 0
            assert all(0x20 <= c <= 0x7E or c == 10 for c in done.stdout)
            assert evil.encode() in done.stdout


def test_characters_of_packets_are_safe_for_a_terminal(backend):
    target = b"/\x1b]0;x\x07\xe2\x80\xae\xc2\x9b1m"
    segment = bytes.fromhex("9c4000500000000100000002501002000000 0000") + b"GET " + target + b" HTTP/1.1\r\n\r\n"
    head = bytes.fromhex("0200000000020200000000010800 4500") + (20 + len(segment)).to_bytes(2, "big")
    text = shell("pkt-bin2txt", head + bytes.fromhex("00010000 40060000 c0000201 c0000202") + segment).stdout
    for words in ("", "--json"):
        done = shell(f"pkt-stat --by HTTP.URI {words}", text, backend=backend)
        assert done.returncode == 0
        assert all(0x20 <= c <= 0x7E or c == 10 for c in done.stdout)
        assert b"x1b]0;x" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--by IP.TLL", "no field 'IP.TLL': did you mean IP.TTL?"),
        ("--by IP.TTL,IP.TTL", "--by IP.TTL,IP.TTL: a field is there twice"),
        ("--by ''", "no field '': did you mean"),
        ("--show sizes,nothing", "--show sizes,nothing: 'nothing' is not one of totals, sizes, protocols, talkers, conversations"),
        ("--svg x --every 1", "--svg is written once, at the end: not with --every"),
        ("--every 0", "--every: 0 is out of range: at least 0.001"),
    ],
)  # fmt: skip
def test_usage(words, said):
    done = shell(f"pkt-stat {words}", PING)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[0].startswith(f"pkt-stat: {said[:40]}")


def started(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["pkt-stat", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )


def test_figures_come_at_intervals_also_while_nothing_is_received():
    """The first ones while input is waited for; the last ones are whole."""
    with started("--every", "0.05", "--json", "--show", "totals") as process:
        process.stdin.write(PING)
        process.stdin.flush()
        first = next(line for line in process.stdout if json.loads(line)["packets"])
        following = json.loads(process.stdout.readline())
        process.stdin.close()
        last = process.stdout.read().splitlines()[-1]
    assert json.loads(first)["packets"] == following["packets"] == json.loads(last)["packets"] == PING.count(b"SIZE:")
    assert following["interval"]["packets"] == 0
    assert following["interval"]["duration"] > 0
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_last_figures_come_when_a_signal_ends_it(number):
    """^C is let pass once where a pipe is read: its end comes from the pipe."""
    with started("--json") as process:
        process.stdin.write(PING)
        process.stdin.flush()
        until(lambda: sleeps(process), "wait for more")
        process.send_signal(number)
        if number == signal.SIGINT:
            until(lambda: sleeps(process), "wait after the signal")
            process.stdin.close()
        out = process.stdout.read()
        assert process.wait(10) == 0
    assert json.loads(out)["packets"] == PING.count(b"SIZE:")


def test_it_is_the_last_of_a_pipe():
    done = shell("pkt-pipe 'filter UDP | stat --json'", PING + DNS)
    assert json.loads(done.stdout) == figures("UDP", PING + DNS)
    assert b"stat: has to be the last command of the pipe\n" in shell("pkt-pipe 'stat | correct'").stderr


def test_records_beside_each_other_are_one_level(backend):
    """Two chunks in a segment are no chunk in a chunk; a packet counts once in each."""
    frame = bytes.fromhex("0200000000020200000000010800") + bytes.fromhex("450000280001000040060000c0000201c0000202")
    tls = bytes.fromhex("9c4001bb00000001000000025010020000000000") + bytes.fromhex("17030300021122") * 2
    text = shell("pkt-bin2txt", (frame + tls).replace(b"\x00\x28\x00\x01", b"\x00\x36\x00\x01")).stdout
    found = figures("", text, backend)["protocols"]
    names = []
    while found:
        assert len(found) == 1
        names.append(found[0]["name"])
        assert found[0]["packets"] == 1
        found = found[0]["inside"]
    assert names == ["ETHERNET", "IP", "TCP", "TLS"]
