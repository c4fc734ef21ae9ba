"""The ladder: hosts as columns, packets as arrows; as text and as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from backends import use
from conftest import ROOT, shell
from samples import frames

from pkttools.batch import Packet, gathered
from pkttools.views.ladder import WIDTH, Text, picture
from pkttools.views.sequence import Sequence, said

VIEWS = ROOT / "tests" / "data" / "views"
HOSTS = (VIEWS / "hosts.txt").read_bytes()
SVG = "{http://www.w3.org/2000/svg}"


def test_as_text(backend):
    """ARP, answers, broadcast, groups, loops, hosts by MAC address and without one, long names, more hosts than columns."""
    drawn = shell("pkt-analyze --ladder", HOSTS, backend=backend)
    assert (drawn.returncode, drawn.stderr) == (0, b"")
    assert drawn.stdout.decode() == (VIEWS / "ladder.txt").read_text()


def test_colours_change_nothing_else() -> None:
    coloured = shell("pkt-analyze --ladder --color always", HOSTS).stdout
    assert b"\x1b[32m" in coloured
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", coloured) == (VIEWS / "ladder.txt").read_bytes()


def of(packets: list[tuple[int, bytes]], times: list[int] | None = None) -> Sequence:
    """What is drawn of frames, each with its link type."""
    sequence = Sequence(1 << 20)
    times = times or [10**9] * len(packets)
    batch = [Packet(frame, len(frame), time, link) for (link, frame), time in zip(packets, times, strict=True)]
    sequence.add(gathered(batch))
    return sequence


def test_whatever_a_packet_is(codec, monkeypatch):
    """Of each kind of frame, by itself and among the others, whole and cut: nothing is wider, each has its arrow or mark."""
    use(codec, monkeypatch, "walk", "line_encode", "conversation_table")
    every = frames()
    for some in (every, *([one] for one in every), [(link, frame[:at]) for link, frame in every[:20] for at in (0, 9, 15, 30)]):
        lines = Text(of(some), False).lines()
        assert max(map(len, lines)) <= WIDTH or "seconds since" in max(lines, key=len)
        assert sum(re.match(r" *[0-9]+ +-?[0-9.]+ ", line) is not None for line in lines) == len(some)


@pytest.mark.parametrize(
    ("times", "shown"),
    [((5, 5), ["0.000000", "0.000000"]), ((3_000_000_000, 2_500_000_000), ["0.000000", "-0.500000"]),
     ((-9_500_000_000, -9_000_000_001), ["0.000000000", "0.499999999"]), ((1, 3_000_000_001), ["0.000000", "3.000000"])],
)  # fmt: skip
def test_times(times: tuple[int, int], shown: list[str]) -> None:
    """Since the first packet; whole microseconds with six digits; before 1970, and out of order, too."""
    assert of(frames()[:2], list(times)).times() == shown


def test_before_1970() -> None:
    """Half a second before the tenth one: the fraction is carried."""
    assert of(frames()[:1], [-9_500_000_000]).begins().startswith("seconds since -9.500000 ")


def test_a_limit_is_said() -> None:
    """A thousand packets are drawn, the others are counted; -l says how many, and then nobody counts what is behind."""
    many = shell("pkt-gen udp --count 1003 --seed 1 | pkt-analyze --ladder")
    assert (many.returncode, many.stdout.count(b"UDP")) == (0, 1000)
    assert many.stderr == b"pkt-analyze: 3 more packets are not drawn: 1000 are, -l says how many\n"
    more = shell("pkt-gen udp --count 1003 --seed 1 | pkt-analyze --ladder -l 1002")
    assert (more.stdout.count(b"UDP"), more.stderr) == (1002, b"")


@pytest.mark.parametrize(
    ("words", "message"),
    [("--ladder -lv 2", "--level is for the listing"), ("--svg x.svg", "--svg is for "),
     ("--ladder --svg x.svg --out y", "--svg and --out: one file is written")],
)  # fmt: skip
def test_options_of_other_views(tmp_path: Path, words: str, message: str) -> None:
    done = shell(f"cd {tmp_path} && pkt-analyze {words}", HOSTS)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, b"", [])
    assert message in done.stderr.decode()


def test_as_a_picture(tmp_path: Path) -> None:
    """All that the text says, and nothing outside; hosts have columns of their own where text has none left."""
    done = shell(f"pkt-analyze --ladder --svg {tmp_path}/x.svg", HOSTS)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    assert root.get("role") == "img" and root.get("aria-label") == "15 packets between 12 hosts"
    width, height = (float(root.get(side) or 0) for side in ("width", "height"))
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert {"2001:db8:1:2:3:4:5:6", "(no address)", "UDP 9>9 18 bytes to 224.0.0.1", "14"} <= words
    assert any(word and word.startswith("TCP 80>40000 ") for word in words)
    for text in root.iter(f"{SVG}text"):
        x, length = float(text.get("x") or 0), float(text.get("textLength") or 0)
        left = x - {"start": 0, "middle": length / 2, "end": length}[text.get("text-anchor") or "start"]
        assert left >= 0 and left + length <= width and 0 < float(text.get("y") or 0) < height, text.text
    assert shell("pkt-analyze --ladder --svg -", HOSTS).stdout == (tmp_path / "x.svg").read_bytes()


def test_pictures_of_many_hosts() -> None:
    """Those behind the first ones share a column, and are named where they speak."""
    drawn = shell("pkt-gen udp --src 10.0.0.1..10.0.0.40 --count 40 --seed 1 | pkt-analyze --ladder --svg -").stdout.decode()
    assert ">others<" in drawn and "from 10.0.0.40" in drawn and "from 10.0.0.20" not in drawn


def test_no_packets() -> None:
    assert shell("pkt-analyze --ladder < /dev/null").stdout == b"no packets\n"
    ElementTree.fromstring(shell("pkt-analyze --ladder --svg - < /dev/null").stdout)
    assert picture(Sequence()).height > 0


def test_what_a_line_says() -> None:
    """An application that speaks stands for what carries it; what is quoted stays; the size is said where nothing else is."""
    marked = "\x1b[{}m{}\x1b[m".format
    front = f"{marked(1, '4 0.1')} {marked(3, 'a > b')} "
    vlan = marked(2, "(vlan 100)")
    web = f"{front}{marked(4, 'TCP 41')} [P.] seq 1:42: {marked(5, 'HTTP')} GET / HTTP/1.1 {vlan}"
    assert said(web, "9>80") == (5, "HTTP 9>80 GET / HTTP/1.1 (vlan 100)", "TCP 9>80 [P.] seq 1:42: HTTP GET / HTTP/1.1 (vlan 100)")
    tunnel = (
        f"{front}{marked(4, 'VXLAN 98')} vni 42 > {marked(3, 'c > d')} {marked(4, 'TCP 9')} [P.] seq 1: {marked(5, 'HTTP')} GET /"
    )
    assert said(tunnel, "9>4789") == (
        4,
        "VXLAN 9>4789 vni 42 > HTTP GET /",
        "VXLAN 9>4789 vni 42 > c > d TCP 9 [P.] seq 1: HTTP GET /",
    )
    quoted = f"{front}{marked(4, 'ICMP 36')} unreachable [{marked(3, 'c > d')} {marked(5, 'DNS 33')}]"
    assert said(quoted, "") == (4, *["ICMP unreachable [c > d DNS 33]"] * 2)
    assert said(f"{front}{marked(4, 'UDP 18')}", "9>9") == (4, *["UDP 9>9 18 bytes"] * 2)
    assert said(f"{marked(1, '4 0.1')} {marked(2, 'Unknown 2')}", "") == (2, *["Unknown 2 bytes"] * 2)


def test_an_address_that_ends_with_a_colon_begins_nothing() -> None:
    """Behind `2001:db8:: ` an aside is no other header."""
    marked = "\x1b[{}m{}\x1b[m".format
    front = f"{marked(1, '4 0.1')} {marked(3, ':: > ff02::1')} {marked(4, 'ICMPv6 24')}"
    line = f"{front} who has 2001:db8:: {marked(6, '(wrong ICMPv6 checksum)')}"
    assert said(line, "") == (4, *["ICMPv6 who has 2001:db8:: (wrong ICMPv6 checksum)"] * 2)
