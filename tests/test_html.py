"""The page of --html as a file: whole, of every kind of frame, with nothing in it that is not text; in a browser: test_pages.py."""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
from backends import use
from captured import captured
from conftest import shell
from samples import ethernet, frames, ipv4, over_udp, tcp
from test_analyze import Kept

from pkttools.batch import Packet, gathered
from pkttools.views.html import PageSink
from pkttools.views.ladder import Text, picture
from pkttools.views.sequence import Sequence


class Tags(HTMLParser):
    """Whether each tag is ended where it should be; and what stands in scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]].append(data)


def is_sound(page: str) -> None:
    """Whether a page is whole, has nothing that is not printed, and asks for nothing from elsewhere."""
    tags = Tags(page)
    assert (tags.open, tags.wrong) == ([], [])
    assert page.isascii() or all(c.isprintable() for c in page if not c.isascii())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", page)
    assert len(tags.inside["script"]) == len(tags.inside["style"]) == 1
    for name, (text,) in tags.inside.items():
        assert f"{name}-src 'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in page
    assert not re.search(r"<[^>]* (src|style|on\w+)=|url\(|@import", page.replace(tags.inside["script"][0], ""))


@pytest.fixture
def each_codec(codec: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runs on both backends."""
    use(codec, monkeypatch, "walk", "items", "verify", "correct", "check", "tell", "line_encode", "conversation_table")


def written(batches: list, most: int = 1000) -> str:
    """The page of some batches."""
    output = Kept()
    sink = PageSink(output, most, "x")
    for batch in batches:
        sink.write(batch)
    sink.close()
    return output.text.decode()


def test_of_every_kind_of_frame(each_codec):
    """Whole and cut; each byte is there once."""
    every = [(link, frame[:at]) for link, frame in frames() for at in (None, 15, 40)]
    page = written([gathered([Packet(frame, len(frame), 10**9, link) for link, frame in every])])
    is_sound(page)
    shown = re.findall(r'<b class="[a-z]+" data-f="[0-9 ]+" data-at="[0-9]+">([0-9A-F ]+)</b>', page)
    assert bytes.fromhex("".join(shown)) == b"".join(frame for _, frame in every)


def test_of_real_and_malformed_captures() -> None:
    for _, batch in captured(40):
        is_sound(written([batch], 20))


HOSTILE = ["\x1b[31m", "\x9b31m", "\u202e", "\u200f", "\u2066", "<b>", "&amp;", "\"'", "]]>", "\x07", "\\", "\x00", "\xff", "-->"]


def of_names(name: bytes) -> list[bytes]:
    """Frames that bring a name: in DNS, in HTTP, and in a TLS hello."""
    label = name[:63]
    dns = b"\0\7\1\0\0\1\0\0\0\0\0\0" + bytes([len(label)]) + label + b"\0\0\1\0\1"
    request = b"GET /" + name.replace(b"\n", b"") + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    segment = tcp(request, b"")
    return [ethernet(0x0800, ipv4(17, over_udp(53, dns))), ethernet(0x0800, ipv4(6, segment[:2] + b"\0\x50" + segment[4:]))]


def test_names_never_leave_the_text(each_codec) -> None:
    """Neither on a terminal nor in a picture or a page: control characters, marks of direction, markup."""
    packets = [
        Packet(frame, len(frame), 10**9, 1)
        for name in HOSTILE
        for frame in of_names(f"a{name}b".encode("utf-8", "surrogateescape"))
    ]
    batch = gathered(packets)
    is_sound(written([batch]))
    sequence = Sequence()
    sequence.add(batch)
    for text in ("".join(Text(sequence, False).lines()), picture(sequence).document().decode().replace("\n", "")):
        assert text.isascii() and text.isprintable()
    ElementTree.fromstring(picture(sequence).document())
    marked = "".join(Text(sequence, True).lines())
    assert re.sub(r"\x1b\[[0-9;]*m", "", marked).isprintable()


def test_a_limit_is_said(tmp_path: Path) -> None:
    done = shell(f"pkt-gen udp --count 1002 --seed 1 | pkt-analyze --html {tmp_path}/page.html")
    assert (done.returncode, done.stderr) == (0, b"pkt-analyze: 2 more packets are not drawn: 1000 are, -l says how many\n")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<details") == 1000 and '<p id="count">1000 packets. 2 more are not in this page.</p>' in page
    assert shell("pkt-gen udp --count 1002 --seed 1 | pkt-analyze -l 3 --html -").stdout.count(b"<details") == 3


def test_without_packets() -> None:
    done = shell("pkt-analyze --html - < /dev/null")
    assert done.returncode == 0
    is_sound(done.stdout.decode())
    assert b"No packets." in done.stdout


def test_of_what_is_no_capture_there_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("no packets")
    for output in ("page.html", "-"):
        done = shell(f"cd {tmp_path} && pkt-analyze --html {output} bad")
        assert (done.returncode, done.stdout, [path.name for path in tmp_path.iterdir()]) == (1, b"", ["bad"])


def test_one_file_is_written(tmp_path: Path) -> None:
    for words in (
        "--html x.pcap",
        "--ladder --svg x.pcapng",
        "--html x.html.zip",
        "--html x --out y",
        "--html x --ladder",
        "--html x --svg y",
        "--html x -lv 2",
    ):
        assert shell(f"cd {tmp_path} && pkt-analyze {words}", b"").returncode == 2
    assert list(tmp_path.iterdir()) == []
    assert shell(f"cd {tmp_path} && pkt-analyze --html x.html.gz").returncode == 0
    assert gzip.decompress((tmp_path / "x.html.gz").read_bytes()) == shell("pkt-analyze --html -").stdout
