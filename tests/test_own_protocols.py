"""Protocols that a user describes, and what is decoded as what: on every command, with both codecs, nothing rebuilt."""

from __future__ import annotations

import marshal
import os
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import SimpleNamespace

import pytest
from conftest import shell
from samples import batch, ethernet, gre, ipv4, ipv6, row_of, udp, vxlan

from pkttools.codec import BAD, NONE, RIGHT, UNCERTAIN, text_encode
from pkttools.codec.program import NUMBER, SWAP
from pkttools.commands import commands, find
from pkttools.protocols import _walk, kept
from pkttools.protocols.compile import descriptions, made, our_files

OURS = our_files()

GAME = """
names     GAME_TYPE
1         move
2         chat

protocol  GAME "Our game"
source    nothing that exists
is        application
after     udp 7777 if VERSION == 2
after     protocol 253 game
after     ethertype 0x88B5
field     VERSION  4 "2"
field     SIZE     4 * 2 "bytes of this header"
field     TYPE     8 names GAME_TYPE
field     ROOM    16
data      "what it carries"
size      SIZE
next      MOVE if TYPE == 1

header    MOVE "Move"
field     X        8
field     Y        8
"""
MOVE = bytes([0x22, 1, 0x12, 0x34, 5, 6])
CHAT = bytes([0x24, 2, 0, 7]) + b"\xaa\xbb\xcc\xddhello"
OTHER = bytes([0x12, 1, 0, 0, 5, 6])


def to(port: int, data: bytes) -> bytes:
    """UDP to a port."""
    return udp(data)[:2] + port.to_bytes(2, "big") + udp(data)[4:]


FRAMES = [
    ethernet(0x0800, ipv4(17, to(7777, MOVE))), ethernet(0x86DD, ipv6(17, to(7777, CHAT))),
    ethernet(0x0800, ipv4(17, to(7777, OTHER))), ethernet(0x0800, ipv4(253, CHAT)), ethernet(0x88B5, MOVE),
    ethernet(0x0800, ipv4(47, gre(0x86DD, ipv6(17, to(7777, MOVE))))),
    ethernet(0x0800, ipv4(17, to(53, MOVE))),
]  # fmt: skip


def text(frames: list[bytes]) -> bytes:
    """Packets as text."""
    made = batch([(1, frame) for frame in frames])
    return bytes(text_encode(made.data, bytes(made.rows), 0, 1, 16, False, 0)[0]) if frames else b""


@cache
def described(text: str) -> SimpleNamespace:
    """The tables of ours and of a file of that text; made once: that takes a tenth of a second."""
    return made(descriptions(OURS, [("mine.protocol", text.encode())]))


@cache
def of_ours(text: str) -> SimpleNamespace:
    """The same of a file that is one of ours."""
    with NamedTemporaryFile(suffix=".protocol") as file:
        Path(file.name).write_text(text)
        return made(descriptions([*OURS, Path(file.name)]))


def rows(frame: bytes, original: int | None = None) -> bytes:
    """The row of a packet of Ethernet."""
    return row_of(frame, 1, original)


@pytest.fixture(autouse=True, scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for tables that are kept; without one each command makes them."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        yield folder


@pytest.fixture
def game(tmp_path: Path) -> Path:
    path = tmp_path / "game.protocol"
    path.write_text(GAME)
    return path


def out(command: str, frames: list[bytes], backend: str = "", **env: str) -> list[str]:
    """The lines that a command writes, which has nothing to say on standard error."""
    done = shell(command, text(frames), backend=backend, **env)
    assert (done.returncode, done.stderr) == (0, b"")
    return shown(done.stdout)


def shown(written: bytes) -> list[str]:
    """Lines, a blank between their words."""
    return [" ".join(line.split()) for line in written.decode().splitlines()]


def numbers(lines: list[str]) -> int:
    """How many packets these are."""
    return sum(line.startswith("-- ") for line in lines)


@pytest.mark.parametrize(
    ("expression", "packets"),
    [
        ("GAME", 5), ("GAME.TYPE==move", 3), ("GAME.TYPE==chat", 2), ("GAME.SIZE==8", 2), ("GAME.ROOM==0x1234 and UDP", 2),
        ("GAME.X==5", 3), ("IP.PROTOCOL==game", 1), ("not GAME", 2), ("GAME and GRE", 1), ("GAME.VERSION!=2", 0),
    ],
)  # fmt: skip
def test_it_is_filtered(game, backend, expression, packets):
    assert numbers(out(f"pkt-filter --protocols {game} '{expression}'", FRAMES, backend)) == packets


def test_it_is_set_and_shown(game, backend):
    own = f"--protocols {game}"
    lines = out(f"pkt-change {own} GAME.X=9 --game-room 77 GAME.TYPE==move | pkt-filter {own} GAME.X==9 -aa", FRAMES, backend)
    assert numbers(lines) == 3
    assert lines.count("GAME.ROOM: 0x4d") == lines.count("GAME.X: 0x9") == 3
    assert "GAME.X: 0x9" not in out("pkt-txt2txt -aa", FRAMES, backend)


@pytest.mark.parametrize(("last", "inplace", "names"), [
    ("", "", ["NEXT", "SIZE", "MORE", "TEXT"]), ("last", "", ["SIZE", "NEXT", "MORE", "TEXT"]),
    ("last", "inplace", ["SIZE", "TEXT", "NEXT", "MORE"]),
])  # fmt: skip
def test_where_its_fields_are_printed(tmp_path, backend, last, inplace, names):
    """In wire order, data behind the fields of all headers, unless it says otherwise."""
    path = tmp_path / "note.protocol"
    header = f"field NEXT 8 {last}\nfield SIZE 8\ndata TEXT at 3 {inplace}\nnext MORE\nheader MORE\nfield MORE 8\n"
    path.write_text(f"protocol NOTE\nafter udp 9000\n{header}")
    lines = out(f"pkt-txt2txt -aa --protocols {path}", [ethernet(0x0800, ipv4(17, to(9000, b"12345")))], backend)
    assert [line.partition(":")[0] for line in lines if line.startswith("NOTE.")] == [f"NOTE.{name}" for name in names]


def test_its_fields_are_read_from_text(game, backend):
    changed = text(FRAMES[:1]).replace(b"==\n", b"GAME.TYPE: move\nGAME.Y: 99\n==\n")
    done = shell(f"pkt-txt2txt --protocols {game} -aa", changed, backend=backend)
    assert (done.returncode, "GAME.Y: 0x63" in shown(done.stdout)) == (0, True)


def test_it_is_listed(game):
    lines = out(f"pkt-filter -k --protocols {game}", [])
    assert "GAME.TYPE 8 bits move, chat" in lines
    assert not any(line.startswith("GAME") for line in out("pkt-filter -k", []))
    done = shell(f"pkt-change --protocols {game} GAME.ROOOM=1")
    assert (done.returncode, b"GAME.ROOM" in done.stderr) == (2, True)


def test_analyze_shows_it(game, backend):
    lines = out(f"pkt-analyze --protocols {game}", FRAMES[:2], backend)
    assert [line for line in lines if line.startswith(("Our game", "Move"))] == [
        "Our game version : 2", "Move x : 5", "Our game version : 2",
    ]  # fmt: skip
    assert "room : 4660" in lines


def test_a_pipe_goes_by_the_options_of_its_own(game, backend):
    words = "pkt-pipe {} 'filter GAME | change GAME.ROOM=1 | filter GAME.ROOM==1'"
    assert numbers(out(words.format(f"--protocols {game}"), FRAMES, backend)) == 5
    done = shell(f"pkt-pipe 'filter UDP | filter --protocols {game} GAME'")
    said = b"pkt-pipe: filter: --protocols is for pkt-pipe itself: all of the pipe goes by it"
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, said)


def test_files_are_named_by_the_environment(game, tmp_path, backend):
    second = tmp_path / "second.protocol"
    second.write_text("protocol SECOND\nafter udp 53\nfield A 8\n")
    own = {"PKTTOOLS_PROTOCOLS": f"{game}:{second}"}
    assert numbers(out("pkt-filter SECOND", FRAMES, backend, **own)) == 1
    assert numbers(out("pkt-filter SECOND or GAME", FRAMES, backend, **own)) == 6
    several = f"pkt-filter --protocols {game} --protocols={second} 'SECOND or GAME'"
    assert numbers(out(several, FRAMES, backend)) == numbers(out(several, FRAMES, backend, PKTTOOLS_PROTOCOLS=":")) == 6
    third = tmp_path / "third.protocol"
    third.write_text("protocol THIRD\nafter udp 54\nfield A 8\n")
    assert numbers(out(f"pkt-filter --protocols {third} 'SECOND or GAME or THIRD'", FRAMES, backend, **own)) == 6


def test_commands_without_packets_leave_the_environment_alone():
    assert shell("pkt-lab --version", PKTTOOLS_PROTOCOLS="/nothing").returncode == 0
    assert shell("pkt-txt2txt", PKTTOOLS_PROTOCOLS="/nothing").returncode == 1


@pytest.mark.parametrize("name", [name for name in commands() if name not in ("pkt-lab", "pkt-sock")])
def test_every_command_knows_it(game, name):
    assert {"protocols", "decode"} <= {option.attribute for option in find(name).OPTIONS}
    done = shell(f"{name} -k --protocols {game}")
    assert (done.returncode, b"GAME.ROOM" in done.stdout) == (0, True)


def test_generated_packets_have_its_fields(game, backend):
    done = shell(f"pkt-gen raw --protocols {game} --count 4 GAME.ROOM=1..2 -aa", text(FRAMES[:1]), backend=backend)
    rooms = [line for line in shown(done.stdout) if line.startswith("GAME.ROOM")]
    assert rooms == ["GAME.ROOM: 0x1", "GAME.ROOM: 0x2"] * 2


# ---- tables that are kept ----


def made_anew(path: Path, folder: Path | str, words: str = "", backend: str = "", **env: str) -> bool:
    """Whether a command that knows a file and keeps tables in a folder had to make them; what it writes is the same in any case."""
    command = f"pkt-filter --protocols {path} {words} GAME.TYPE==chat"
    env = {"XDG_RUNTIME_DIR": str(folder), "PYTHONPROFILEIMPORTTIME": "1", **env}
    done = shell(command, text(FRAMES), backend=backend, **env)
    assert (done.returncode, numbers(shown(done.stdout))) == (0, 2)
    assert b"pkttools.protocols.kept" in done.stderr, "nothing was counted"
    return b"pkttools.protocols.statements" in done.stderr


def test_tables_are_kept_in_a_folder_of_the_user_alone(game, tmp_path, backend):
    tmp_path.chmod(0o700)
    assert made_anew(game, tmp_path, backend=backend)
    (path,) = tmp_path.glob("pkttools-*")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not made_anew(game, tmp_path, backend=backend)
    assert made_anew(game, "", backend=backend)
    path.unlink()
    tmp_path.chmod(0o750)
    assert made_anew(game, tmp_path) and not [*tmp_path.glob("pkttools-*")]


def test_without_a_session_tables_are_kept_in_the_cache(game, tmp_path):
    """One that nobody else can write to, as that of whoever calls sudo is not root's; it is not made."""
    cache = tmp_path / ".cache"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    assert made_anew(game, "", **home)
    assert not cache.exists()
    cache.mkdir(mode=0o755)
    assert [made_anew(game, "", **home) for _ in range(2)] == [True, False]
    assert not made_anew(game, "", XDG_CACHE_HOME=str(cache))
    assert (cache / "pkttools").stat().st_mode & 0o777 == 0o700
    assert len([*(cache / "pkttools").iterdir()]) == 1
    for mode in (0o777, 0o775):
        cache.chmod(mode)
        assert made_anew(game, "", **home)
    cache.chmod(0o755)
    (cache / "pkttools").chmod(0o770)
    assert made_anew(game, "", **home)


def test_tables_are_made_anew_of_what_is_something_else(game, tmp_path):
    """Another description, other options, other protocols of ours, a file that is damaged or cannot be used."""
    tmp_path.chmod(0o700)
    for words in ("", "--decode UDP.DST_PORT==1=GRE", "--decode UDP.DST_PORT==2=GRE"):
        assert made_anew(game, tmp_path, words)
        assert not made_anew(game, tmp_path, words)
    game.write_text(GAME + "\n# of the same meaning\n")
    assert made_anew(game, tmp_path)
    assert not made_anew(game, tmp_path)
    other = game.with_name("other")
    other.write_bytes(game.read_bytes())
    assert not made_anew(other, tmp_path)
    for damaged in (b"", b"\xff" * 40, marshal.dumps("x")):
        for path in tmp_path.glob("pkttools-*"):
            path.write_bytes(damaged)
        assert made_anew(game, tmp_path)
        assert not made_anew(game, tmp_path)
    for path in tmp_path.glob("pkttools-*"):
        path.unlink()
        path.mkdir()
    assert made_anew(game, tmp_path)
    assert not [*tmp_path.glob("*.[0-9]*")], "what could not be put there is left"


def origin(monkeypatch: pytest.MonkeyPatch, ours: Path) -> tuple[object, ...]:
    """What tables are made of where our own descriptions are in a folder."""
    monkeypatch.setattr(kept, "FOLDER", str(ours))
    return kept.origin([], [])


def test_a_file_is_read_once(game, tmp_path):
    """It may be a pipe."""
    tmp_path.chmod(0o700)
    for _ in range(2):  # also of tables that are kept
        lines = out(f"pkt-filter --protocols <(cat {game}) GAME.TYPE==chat", FRAMES, XDG_RUNTIME_DIR=str(tmp_path))
        assert numbers(lines) == 2
    os.mkfifo(tmp_path / "fifo")
    command = f"cat {game} > {tmp_path}/fifo & pkt-filter --protocols {tmp_path}/fifo GAME.TYPE==chat"
    assert numbers(out(command, FRAMES, XDG_RUNTIME_DIR="")) == 2


def test_our_own_descriptions_count(game, monkeypatch):
    before = origin(monkeypatch, game.parent)
    assert origin(monkeypatch, game.parent) == before
    game.write_text(GAME + "\n")
    assert origin(monkeypatch, game.parent) != before


# ---- numbers that are taken ----


@pytest.mark.parametrize(
    ("announced", "expression", "packets"),
    [
        ("after udp 4789", "MINE", 2), ("after udp 4789", "VXLAN", 0), ("after udp 4789 if A == 8", "MINE and not VXLAN", 1),
        ("after udp 4789 if A == 8", "VXLAN", 1), ("after ethertype 0x0800", "IP", 0), ("after ethertype 0x0800", "MINE", 2),
        ("after protocol4 17", "MINE and not UDP", 2), ("after linktype 1", "MINE and not ETHERNET", 2),
    ],
)  # fmt: skip
def test_the_user_has_it(tmp_path, backend, announced, expression, packets):
    """Where the user's own tests do not hold, ours are asked."""
    path = tmp_path / "mine.protocol"
    path.write_text(f"protocol MINE\n{announced}\nfield A 8\ndata\n")
    inside = vxlan(ethernet(0x88B6, bytes(46)))[8:]
    frames = [ethernet(0x0800, ipv4(17, to(4789, inside))), ethernet(0x0800, ipv4(17, to(4789, b"\x09" + inside[1:])))]
    assert numbers(out(f"pkt-filter --protocols {path} '{expression}'", frames, backend)) == packets


def test_what_the_user_does_not_follow_is_counted(tmp_path, backend):
    """By the name of a header, or the number of a space that has a form, or none."""
    path = tmp_path / "mine.protocol"
    path.write_text("""
space mine from 3
7 - "seven"
9 - leaf

space yours "your {:#x}" from 0

protocol MINE
after ethertype 0x88B6
field A 8
field B 8
next SECRET if A & 0x80
next mine A if B == 0
next yours B

unfollowed SECRET "secret {0}"
""")
    packets = [b"\x81\0x", b"\x81\0", b"\2\0x", b"\3\0x", b"\7\0x", b"\x09\0x", b"\1\x2ax", b"\1\x2a"]
    frames = [ethernet(0x88B6, packet) for packet in packets]
    said = shell(f"pkt-correct --protocols {path} --out /dev/null", text(frames), backend=backend).stderr.decode()
    names = "1 mine 3, 1 secret {0}, 1 seven, 1 your 0x0, 1 your 0x2a"
    assert said == f"pkt-correct: 5 packets with headers that are not followed: {names}\n"


@pytest.mark.parametrize(("net", "count", "whole"), [(1, 1, True), (1, 2, True), (2, 1, False)])
def test_fragments_in_a_tunnel_of_the_user(tmp_path, backend, net, count, whole):
    """What tells networks apart keeps them apart, and what counts packets does not."""
    path = tmp_path / "mine.protocol"
    path.write_text("protocol MINE\nis tunnel\nafter ethertype 0x88B6\nfield NET 16 apart\nfield - 8\nfield COUNT 8\nnext IP\n")
    pieces = [ipv4(17, to(53, bytes(8)), fragment=0x2000), ipv4(17, bytes(8), fragment=2)]
    fronts = [b"\0\1\0\1", bytes([0, net, 0, count])]
    frames = [ethernet(0x88B6, front + piece) for front, piece in zip(fronts, pieces, strict=True)]
    done = shell(f"pkt-defragment --protocols {path}", text(frames), backend=backend)
    assert numbers(shown(done.stdout)) == (1 if whole else 2)


# ---- what is wrong in a file ----


MISTAKES = [
    ("protocl X", 1, "no statement 'protocl'; there are protocol, "),
    ("protocol x", 1, "'x' is no name of a protocol: capital letters, digits and underscores"),
    ("protocol X\nafter udp 1\nfield A", 3, "wanted: field [PROTOCOL.]NAME|- BITS "),
    ("protocol X\nafter udp 1\nfield A 12", 1, "the fields of X make 12 bits, and no whole bytes"),
    ("protocol X\nafter udp 1\nfield A 8\nfield A 8", 4, "X has two fields A"),
    ("protocol X\nafter udp 1\nfield - 65528\nfield A 8", 4, "A lies more than 8191 bytes behind the start of X"),
    ("protocol X\nafter udq 1\nfield A 8", 2, "no space udq; there are "),
    ("protocol X\nafter udp 1\nfield A 8\nsize B", 4, "X has no field B; there are A"),
    ("protocol X\nfield A 8", 1, "nothing leads to X: `after` says what announces it"),
    ("protocol X\nafter udp 1\nfield A 8\nnext Y", 4, "no header Y; there are "),
    ("protocol X\nafter udp 1\nfield A 8 names Z", 3, "no names Z; there are "),
    ("protocol UDP\nafter udp 1\nfield A 8", 1, "there is a header UDP already ("),
    ('protocol X\nafter udp 1 "an open quote\nfield A 8', 2, "a quote is missing: "),
    ("field A 8", 1, "`field` belongs below `protocol`"),
    ("protocol X\nafter udp 1 1\nfield A 8", 2, "udp 1 is there already ("),
    ("protocol X\nafter udp 1\nfield A 16\nchecksum B internet", 4, "X has no field B; there are A"),
    ("protocol X\nafter udp 1\nfield A 8\nfield B 16\nchecksum B internet", 5, "B lies at an odd byte: "),
    ("protocol X\nafter udp 1\nfield A 32\nchecksum A crc32c pseudo", 4, "a CRC has no pseudo-header, "),
    ("protocol X\nafter udp 1\nfield - 2032\nfield A 16\nchecksum A internet", 5, "A lies more than 252 bytes behind the start"),
]


@pytest.mark.parametrize(("described", "line", "said"), MISTAKES, ids=lambda value: None if isinstance(value, int) else value[:30])
def test_what_is_wrong_is_said_with_its_line(tmp_path, described, line, said):
    path = tmp_path / "bad.protocol"
    path.write_text(described + "\n")
    done = shell(f"pkt-filter --protocols {path} UDP", text(FRAMES))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"pkt-filter: {path}:{line}: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_none(tmp_path):
    """One that cannot be read, as other files; no text, which is no description."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\0")
    for path, code, said in (
        (tmp_path / "no", 1, "No such file or directory"), (tmp_path, 1, "Is a directory"), (binary, 2, "it is no text"),
    ):  # fmt: skip
        done = shell(f"pkt-txt2txt --protocols '{path}'")
        assert (done.returncode, done.stderr.decode()) == (code, f"pkt-txt2txt: {path}: {said}\n")


def test_one_file_twice(game):
    done = shell(f"pkt-txt2txt --protocols {game} --protocols {game}")
    assert (done.returncode, done.stderr.decode()) == (2, f"pkt-txt2txt: {game}:2: there are names GAME_TYPE already ({game}:2)\n")


# ---- checksums ----


def folded(data: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


SUMMED = """
protocol SUMMED
after udp 7777
after protocol 253
after ethertype 0x88B5
field SIZE 8
field COVERED 8
field SUM 16
field A 16
data
size SIZE
checksum SUM {}
"""
OPTION = b"\xee\xff"  # behind the fields, inside of SIZE


def summed(data: bytes = b"seven b", total: int = 0, a: int = 0x1234, covered: int = 9) -> bytes:
    """The header, of 8 bytes, and data; of all that the first `covered` are covered where it says so."""
    return bytes([8, covered]) + total.to_bytes(2, "big") + a.to_bytes(2, "big") + OPTION + data


def pseudo(frame: bytes, protocol: int, size: int) -> bytes:
    """The pseudo-header of a frame: RFC 9293 section 3.1, RFC 8200 section 8.1."""
    if frame[12:14] == b"\x86\xdd":
        return frame[22:54] + size.to_bytes(4, "big") + bytes([0, 0, 0, protocol])
    return frame[26:34] + bytes([0, protocol]) + size.to_bytes(2, "big")


CARRIERS = {
    "udp": (lambda header: ethernet(0x0800, ipv4(17, to(7777, header))), 42, 17),
    "udp6": (lambda header: ethernet(0x86DD, ipv6(17, to(7777, header))), 62, 17),
    "ip": (lambda header: ethernet(0x0800, ipv4(253, header)), 34, 253),
    "ipv6": (lambda header: ethernet(0x86DD, ipv6(253, header)), 54, 253),
    "ethernet": (lambda header: ethernet(0x88B5, header), 14, 0),
    "in a tunnel": (lambda header: ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, ipv4(17, to(7777, header)))))), 92, 17),
    "tagged": (lambda header: ethernet(0x8100, b"\0\7\x08\0" + ipv4(17, to(7777, header))), 46, 17),
}
RULES = {  # what is covered, and whether with the pseudo-header of which versions
    "internet": (15, ""), "internet over header": (8, ""), "internet over COVERED": (9, ""), "internet pseudo": (15, "46"),
    "internet pseudo 4": (15, "4"), "internet over header pseudo 6": (8, "6"),
}  # fmt: skip


def value(frame: bytes, at: int, protocol: int, rule: str) -> int:
    """What the checksum of a header without one should be."""
    size, versions = RULES[rule]
    versions = versions if protocol else ""
    inner = frame[at - 42 :] if protocol == 17 and at in (46, 92) else frame
    version = "6" if inner[12:14] == b"\x86\xdd" else "4"
    return folded((pseudo(inner, protocol, size) if version in versions else b"") + frame[at : at + size])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_checksum_is_corrected_checked_and_kept(codec, carrier, rule):
    """By both codecs, and with it all that is around it."""
    given = described(SUMMED.format(rule))
    make, at, protocol = CARRIERS[carrier]
    plain = make(summed())
    wanted = value(plain, at, protocol, rule)
    codec.set_protocols(given.WALK)
    try:
        frame, row = bytearray(plain), rows(plain)
        assert codec.correct(frame, row, 0)[:1] == (1,)
        assert int.from_bytes(frame[at + 2 : at + 4], "big") == wanted
        assert codec.check(frame, row) == bytes([0])
        assert codec.verify(frame, row)[-1] == RIGHT
        assert codec.correct(bytearray(frame), row, 0)[5] == 0
        right = bytes(frame)
        for place in (at + 4, at + 5, at + 7, at + 12):  # of the last one some rules know nothing
            changed = bytearray(right)
            changed[place] ^= 0x41
            unknown = place >= at + RULES[rule][0]
            assert codec.verify(changed, row)[-1] == (RIGHT if unknown else BAD)
            wrong = codec.correct(changed, row, 0)[5]
            assert wrong == (0 if unknown and carrier in ("ethernet", "ip", "ipv6", "in a tunnel") else 1)
            assert codec.check(changed, row) == bytes([0])
            other = bytearray(plain)
            other[place] ^= 0x41
            assert int.from_bytes(changed[at + 2 : at + 4], "big") == value(bytes(other), at, protocol, rule)
    finally:
        codec.set_protocols(_walk.WALK)


@pytest.mark.parametrize("show", ["", 'show "sum" "{SUM:#06x} ({verdict})"'], ids=["all fields", "a line"])
def test_a_checksum_is_judged_whatever_its_name(tmp_path, backend, show):
    path = tmp_path / "summed.protocol"
    path.write_text(SUMMED.format("internet") + show)
    frame = ethernet(0x88B5, bytes([6, 0, 0x12, 0x34, 0, 1]) + b"data")
    (line,) = (line for line in out(f"pkt-analyze --protocols {path}", [frame], backend) if "sum :" in line)
    assert re.search(r"sum : 0x1234 \(0x[0-9a-f]{1,4}\)$", line), line


@pytest.mark.parametrize("rule", [*RULES, "crc32c", "crc32c over header"])
def test_a_checksum_follows_an_assignment(tmp_path, backend, rule):
    """What was right stays right: the same as to correct it. What was wrong stays wrong, and what the user sets stays."""
    path = tmp_path / "summed.protocol"
    crc = rule.startswith("crc")
    path.write_text(SUMMED.replace("SUM 16", f"SUM {32 if crc else 16}").format(rule))
    own = {"PKTTOOLS_PROTOCOLS": str(path), "backend": backend}
    plain = text([make(summed()[:2] + bytes(2 * crc) + summed()[2:]) for make, _, _ in CARRIERS.values()])
    right = shell("pkt-correct", plain, **own).stdout
    words = "SUMMED.A+=1 SUMMED.DATA=99 IP.DST_ADDR=192.0.2.99 IPV6.DST_ADDR=2001:db8::99"
    kept, mended = shell(f"pkt-change -u {words}", right, **own), shell(f"pkt-pipe 'change {words} | correct'", right, **own)
    assert (kept.stdout, kept.returncode) == (mended.stdout, 0)
    assert kept.stdout != right
    done = shell("pkt-pipe 'change -u SUMMED.SUM=0x1111 | change -u SUMMED.A=7 | check -cs'", right, **own)
    assert done.stderr == b"pkt-pipe: check: 7 packets not valid: 7 with a wrong checksum\n"


@pytest.mark.parametrize(("zero", "data", "stored"), [
    ("zero none", b"", 0), ("zero ffff", b"", 0), ("zero none if A == 1", b"", 0), ("if A == 2", b"", 0), ("", b"", None),
])  # fmt: skip
def test_where_there_is_none(codec, zero, data, stored):
    frame = bytearray(ethernet(0x88B5, summed(data)))
    codec.set_protocols(described(SUMMED.format(f"internet {zero}")).WALK)
    try:
        codec.correct(frame, rows(frame), 0)
        verdict = codec.verify(frame, rows(frame))[-1]
    finally:
        codec.set_protocols(_walk.WALK)
    found = int.from_bytes(frame[16:18], "big")
    assert (found, verdict) == ((0, NONE) if stored == 0 else (folded(summed(data)), RIGHT))


@pytest.mark.parametrize(("rule", "value"), [("internet zero ffff", 0xFFFF), ("internet zero none", 0), ("internet", 0)])
def test_a_sum_of_zero(codec, rule, value):
    """As UDP writes it, RFC 768, where that is said."""
    empty = summed(b"")
    frame = bytearray(ethernet(0x88B5, summed(b"", 1, folded(empty[:4] + bytes(2) + empty[6:]))))
    codec.set_protocols(described(SUMMED.format(rule)).WALK)
    try:
        codec.correct(frame, rows(frame), 0)
    finally:
        codec.set_protocols(_walk.WALK)
    assert int.from_bytes(frame[16:18], "big") == value


@pytest.mark.parametrize(
    ("size", "covered", "captured", "outcome", "verdict"),
    [
        (8, 9, 0, 3, UNCERTAIN), (8, 0, 0, 3, UNCERTAIN), (8, 3, 0, 3, UNCERTAIN), (8, 99, 0, 3, UNCERTAIN), (8, 15, 0, 0, RIGHT),
        (8, 4, 0, 0, RIGHT), (8, 15, 3, 1, UNCERTAIN),
    ],
)  # fmt: skip
def test_what_cannot_be_known(codec, size, covered, captured, outcome, verdict):
    """It covers more than there is, or not itself; not all of it was captured."""
    frame = bytearray(ethernet(0x0800, ipv4(17, to(7777, bytes([size, covered]) + summed()[2 : 15 if covered != 9 else 8]))))
    row = rows(frame[: len(frame) - captured], len(frame))
    codec.set_protocols(described(SUMMED.format("internet over COVERED")).WALK)
    try:
        del frame[len(frame) - captured :]
        codec.correct(frame, row, 0)
        found = codec.check(frame, row), codec.verify(frame, row)[-1]
    finally:
        codec.set_protocols(_walk.WALK)
    assert found == (bytes([outcome]), verdict)


RULED = """
protocol RULED
after protocol 253
field SIZE 4 * 4
field COUNT 4
field LENGTH 8
field SUM 16
field KEY 32
data
size SIZE
checksum SUM {}
"""
WORDS = {  # what is covered of a header of 8 bytes, an option of 4 and 11 bytes, as it says by its COUNT and LENGTH; pseudo-header
    "internet over header + COUNT * 4 - 4 or all pseudo whole": {(2, 0): (16, 23), (1, 0): (12, 23), (0, 0): (23, 23)},
    "internet over LENGTH + 1 or all without 4 at 4 pseudo": {(0, 21): (22, 22), (0, 0): (23, 23), (0, 8): (9, 9)},
    "internet over LENGTH or jumbo pseudo 6": {(0, 20): (20, 20)},
    "internet pseudo zero wrong if COUNT == 1": {(1, 0): (23, 23)},
    "internet over header or message": {(0, 0): (12, 0)},
    "internet pseudo 6 or 4 card": {(0, 0): (23, 23)},
    "internet pseudo zero missing": {(0, 0): (23, 23)},
}  # fmt: skip
AROUND = {
    "ipv4": lambda message: ethernet(0x0800, ipv4(253, message)),
    "ipv6": lambda message: ethernet(0x86DD, ipv6(253, message)),
    "behind options": lambda message: ethernet(0x86DD, ipv6(60, bytes([253, 0]) + bytes(6) + message)),
    "in a tunnel": lambda message: ethernet(0x0800, ipv4(47, gre(0x86DD, ipv6(253, message), 0x8000))),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("rule", WORDS)
def test_a_protocol_of_ip_is_one_file(codec, around, rule):
    """All that a line `checksum` can say, of ours as of a user's: corrected, checked, and not known where it is cut."""
    codec.set_protocols(of_ours(RULED.format(rule)).WALK)
    try:
        for (count, length), (covered, size) in WORDS[rule].items():
            message = bytes([0x30 | count, length, 0, 0]) + b"key.opt.eleven byte"
            plain = AROUND[around](message)
            at = len(plain) - len(message)
            v6 = around != "ipv4"
            ends = plain[at - (40 if around == "behind options" else 32) :][:32] if v6 else plain[at - 8 : at]
            with_ends = "pseudo" in rule and (v6 or "pseudo 6" not in rule)
            false_header = ends + size.to_bytes(4, "big") + bytes([0, 0, 0, 253]) if with_ends else b""
            whole = message[:covered]
            wanted = folded(false_header + (whole[:4] + whole[8:] if "without" in rule else whole))
            frame, row = bytearray(plain), rows(plain)
            codec.correct(frame, row, 0)
            assert int.from_bytes(frame[at + 2 : at + 4], "big") == wanted
            assert (codec.check(frame, row), codec.verify(frame, row)[-1]) == (bytes([0]), RIGHT)
            frame[at + covered - 1] ^= 0x41
            assert codec.verify(frame, row)[-1] == BAD
            assert codec.correct(frame, row, 0)[5] == 1
            assert (codec.check(frame, row), codec.verify(frame, row)[-1]) == (bytes([0]), RIGHT)
            cut = frame[:-1]
            assert codec.verify(cut, rows(cut, len(frame)))[-1] == UNCERTAIN
    finally:
        codec.set_protocols(_walk.WALK)


# ---- extension headers ----

EXTENSION = """
protocol EXTRA
is extension
after protocol6 200
field NEXT 8
field SIZE 8 + 1 * 8
field A 8
field B 8
field - 32
size SIZE
next protocol6 NEXT
"""


def extended(carried: bytes, behind: bytes = b"") -> bytes:
    """UDP behind an extension header that only the user knows, and that behind one of ours."""
    header = bytes([200, 0]) + bytes(6) + bytes([17, 0, 1, 2]) + bytes(4)
    return ethernet(0x86DD, ipv6(60, header + carried)) + behind


@pytest.mark.parametrize("what", [0, 1])
def test_sums_behind_an_extension_of_the_user(codec, what):
    frame = bytearray(extended(to(7777, b"what it carries")))
    row, wanted = rows(frame), folded(pseudo(frame, 17, 23) + frame[70:])
    codec.set_protocols(described(EXTENSION).WALK)
    try:
        found = codec.correct(frame, row, what), codec.check(frame, row), codec.verify(frame, row)[-1]
    finally:
        codec.set_protocols(_walk.WALK)
    assert found == ((1, *[0] * 4, 1, *[0] * 3), bytes([0]), RIGHT)
    assert int.from_bytes(frame[76:78], "big") == wanted


def test_lengths_behind_an_extension_of_the_user(codec):
    """That of UDP is one of those inside: what is behind it is none of the datagram, whose own is impossible."""
    frame = bytearray(extended(to(7777, b"what it carries"), b"a trailer"))
    row = rows(frame)
    frame[76:78] = folded(pseudo(frame, 17, 23) + frame[70:93]).to_bytes(2, "big")
    right = bytes(frame)
    frame[18:20] = b"\xff\xff"
    codec.set_protocols(described(EXTENSION).WALK)
    try:
        codec.correct(frame, row, 1)
    finally:
        codec.set_protocols(_walk.WALK)
    assert bytes(frame) == right


def test_fields_of_such_an_extension_are_exchanged(codec):
    """It is one of the outer headers, where a tunnel is behind it."""
    frame = bytearray(extended(vxlan(ethernet(0x0800, ipv4(17, udp())))))
    given = described(EXTENSION)
    kind = given.HEADERS.index("EXTRA")
    fields = struct.pack("=16H", kind, 16, 8, 0, 1, NUMBER, 0, 0, kind, 24, 8, 0, 1, NUMBER, 0, 0)
    program = fields, struct.pack("=10q", SWAP, 0, 1, 1, 0, 0, 0, 0, 1, 1), b""
    codec.set_protocols(given.WALK)
    try:
        assert codec.assign(frame, rows(frame), program, None, False)[:2] == (1, (1,))
    finally:
        codec.set_protocols(_walk.WALK)
    assert frame[62:66] == bytes([17, 0, 2, 1])


# ---- decode as ----


OVERLAY = ethernet(0x0800, ipv4(17, to(8473, vxlan(ethernet(0x0800, ipv4(17, udp(b"inside"))))[8:])))


@pytest.mark.parametrize(
    ("decoded", "expression", "packets"),
    [
        (["UDP.DST_PORT==8473=VXLAN"], "VXLAN.VNI==42 and UDP.SRC_PORT[2]", 1), ([], "VXLAN", 0),
        (["UDP.DST_PORT==0x2119=VXLAN"], "VXLAN", 1), ([" UDP.DST_PORT == 8473 = VXLAN "], "VXLAN", 1),
        (["UDP.DST_PORT==8473=GRE", "UDP.DST_PORT==1=VXLAN"], "GRE and not VXLAN", 1),
        (["IP.PROTOCOL==udp=TCP"], "TCP and not UDP", 1), (["ETHERNET.TYPE==ip=IPV6"], "IPV6 and not IP", 1),
    ],
)  # fmt: skip
def test_decoded_as(backend, decoded, expression, packets):
    options = " ".join(f"--decode '{one}'" for one in decoded)
    assert numbers(out(f"pkt-filter {options} '{expression}'", [OVERLAY], backend)) == packets


def test_decoded_from_a_port(backend):
    answer = ethernet(0x86DD, ipv6(17, (777).to_bytes(2, "big") + to(5, vxlan(ethernet(0x0800, ipv4(17, udp())))[8:])[2:]))
    assert numbers(out("pkt-filter --decode UDP.SRC_PORT==777=VXLAN VXLAN", [answer], backend)) == 1


def test_decoded_as_a_protocol_of_the_user(game, backend):
    """The command line comes before the file, and before ours."""
    frame = ethernet(0x0800, ipv4(17, to(4789, CHAT)))
    options = f"--protocols {game} --decode UDP.DST_PORT==4789=GAME"
    assert numbers(out(f"pkt-filter {options} 'GAME.TYPE==chat and not VXLAN'", [frame], backend)) == 1
    assert numbers(out(f"pkt-filter {options} --decode UDP.DST_PORT==7777=VXLAN 'VXLAN and not GAME'", FRAMES, backend)) == 1


@pytest.mark.parametrize(("decoded", "frame"), [
    ("IP.PROTOCOL==132=SCTP_ZERO", lambda chunks: ethernet(0x0800, ipv4(132, chunks))),
    ("IPV6.NEXT_HEADER==132=SCTP_ZERO", lambda chunks: ethernet(0x86DD, ipv6(132, chunks))),
    ("UDP.DST_PORT==9899=SCTP_ZERO", lambda chunks: ethernet(0x0800, ipv4(17, to(9899, chunks)))),
])  # fmt: skip
def test_a_checksum_of_zero_that_was_agreed_on(backend, decoded, frame):
    """RFC 9653: no packet says so. A checksum that is not 0 is one; without being told 0 is wrong, and is corrected."""
    zero, wrong = (frame(struct.pack("!HHII", 1, 2, 3, checksum) + b"\x0b\0\0\4") for checksum in (0, 7))
    right = "SCTP.CHECKSUM: 0xc866090e"
    for options, sums in ((f"--decode {decoded}", ["SCTP.CHECKSUM: 0x0", right]), ("", [right, right])):
        corrected = out(f"pkt-correct {options} | pkt-txt2txt -aa", [zero, wrong], backend)
        assert [line for line in corrected if "SCTP.CHECKSUM" in line] == sums
    command = f"pkt-correct --decode {decoded} | pkt-check -cs --decode {decoded} SCTP.CHUNK_TYPE==11"
    assert numbers(out(command, [zero], backend)) == 1


@pytest.mark.parametrize(
    ("decoded", "said"),
    [
        ("UDP.SIZE==8=VXLAN", "UDP.SIZE does not say what comes next; there are "),
        ("UDP.NOPE==8=VXLAN", "UDP.NOPE does not say what comes next; there are "),
        ("UDP.DST_PORT==8=NOPE", "no protocol NOPE; there are "), ("UDP.DST_PORT==8=UNKNOWN", "no protocol UNKNOWN; there are "),
        ("UDP.DST_PORT==65536=VXLAN", "'65536' is no value of UDP.DST_PORT"),
        ("UDP.DST_PORT==nope=VXLAN", "'nope' is no value of UDP.DST_PORT"),
        ("UDP.DST_PORT=8=VXLAN", "'UDP.DST_PORT=8=VXLAN' is no FIELD==VALUE=PROTOCOL, such as UDP.DST_PORT==8472=VXLAN"),
        ("", "'' is no FIELD==VALUE=PROTOCOL, such as UDP.DST_PORT==8472=VXLAN"),
    ],
)  # fmt: skip
def test_nothing_to_decode(decoded, said):
    done = shell(f"pkt-filter --decode '{decoded}' UDP", text(FRAMES))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"pkt-filter: --decode: {said}")
    if "there are" in said:
        assert ("UDP.DST_PORT" if "next" in said else "VXLAN") in done.stderr.decode().partition("there are")[2]


def test_one_number_decoded_twice():
    done = shell("pkt-filter --decode UDP.DST_PORT==8=VXLAN --decode UDP.DST_PORT==8=GRE UDP")
    assert done.returncode == 2
    assert done.stderr == b"pkt-filter: --decode 'UDP.DST_PORT==8=GRE': udp 8 is there already (--decode 'UDP.DST_PORT==8=VXLAN')\n"


def test_a_tunnel_of_the_user_keeps_its_zero(tmp_path, backend):
    """RFC 6935: the checksum of UDP around it, over IPv6 too; of what is only decoded as a tunnel likewise."""
    path = tmp_path / "tube.protocol"
    path.write_text("protocol TUBE\nis tunnel\nafter udp 7777\nfield A 32\nnext IP\n")
    inside = b"\0\0\0\7" + ipv4(17, udp())
    tube, overlay = ethernet(0x86DD, ipv6(17, to(7777, inside))), ethernet(0x86DD, ipv6(17, to(8473, vxlan(FRAMES[0])[8:])))
    for options, frame in ((f"--protocols {path}", tube), ("--decode UDP.DST_PORT==8473=VXLAN", overlay), ("", tube)):
        lines = out(f"pkt-pipe {options} 'correct | txt2txt -a'", [frame], backend)
        assert next(line for line in lines if line.startswith("UDP.CHECKSUM")).endswith(": 0x0") == bool(options)


def test_titles_in_any_script(tmp_path, backend):
    """In pages as they are; in ladders, which count columns, as other characters that are no ASCII."""
    lined = GAME.replace("Our game", "私のゲーム").replace("size      SIZE", 'line "é {ROOM}"\nsize SIZE')
    (tmp_path / "own.protocol").write_text(lined)
    (tmp_path / "game.txt").write_bytes(text([ethernet(0x0800, ipv4(17, to(7777, CHAT)))] * 2))
    ladder = f"pkt-analyze --protocols {tmp_path}/own.protocol {tmp_path}/game.txt --ladder"
    done = shell(f"{ladder} && {ladder} --svg=- && {ladder.removesuffix('--ladder')} --html={tmp_path}/page.html", backend=backend)
    assert (done.returncode, done.stderr) == (0, b"")
    title = rb"\u79c1\u306e\u30b2\u30fc\u30e0 "
    drawn, picture = done.stdout.split(b"<svg")
    assert [line.count(title) for line in drawn.splitlines() if b">7777" in line] == [1, 1]
    assert max(map(len, drawn.splitlines())) <= 80 and title in picture
    page = (tmp_path / "page.html").read_text()
    assert "私のゲーム" in page and "é 7" in page
