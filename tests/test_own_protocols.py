"""Protocols that a user describes, and what is decoded as what: on every command, with both codecs, nothing rebuilt."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import shell
from samples import batch, ethernet, gre, ipv4, ipv6, udp, vxlan

from pkttools.codec import text_encode
from pkttools.commands import commands, find

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
    return bytes(text_encode(made.data, bytes(made.rows), 0, 1, 16, False, None)[0]) if frames else b""


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
    assert shell("pkt-txt2txt", PKTTOOLS_PROTOCOLS="/nothing").returncode == 2


@pytest.mark.parametrize("name", [name for name in commands() if name not in ("pkt-lab", "pkt-sock")])
def test_every_command_knows_it(game, name):
    assert {"protocols", "decode"} <= {option.attribute for option in find(name).OPTIONS}
    done = shell(f"{name} -k --protocols {game}")
    assert (done.returncode, b"GAME.ROOM" in done.stdout) == (0, True)


def test_generated_packets_have_its_fields(game, backend):
    done = shell(f"pkt-gen raw --protocols {game} --count 4 GAME.ROOM=1..2 -aa", text(FRAMES[:1]), backend=backend)
    rooms = [line for line in shown(done.stdout) if line.startswith("GAME.ROOM")]
    assert rooms == ["GAME.ROOM: 0x1", "GAME.ROOM: 0x2"] * 2


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


# ---- what is wrong in a file ----


BAD = [
    ("protocl X", 1, "no statement 'protocl'; there are protocol, "),
    ("protocol x", 1, "'x' is no name of a protocol: capital letters, digits and underscores"),
    ("protocol X\nafter udp 1\nfield A", 3, "wanted: field NAME|- BITS "),
    ("protocol X\nafter udp 1\nfield A 12", 1, "the fields of X make 12 bits, and no whole bytes"),
    ("protocol X\nafter udp 1\nfield A 8\nfield A 8", 4, "X has two fields A"),
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
]


@pytest.mark.parametrize(("described", "line", "said"), BAD, ids=lambda value: None if isinstance(value, int) else value[:30])
def test_what_is_wrong_is_said_with_its_line(tmp_path, described, line, said):
    path = tmp_path / "bad.protocol"
    path.write_text(described + "\n")
    done = shell(f"pkt-filter --protocols {path} UDP", text(FRAMES))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"pkt-filter: {path}:{line}: {said}")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_none(tmp_path):
    """Not there; a folder; no text."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\0")
    for path, said in ((tmp_path / "no", "No such file or directory"), (tmp_path, "Is a directory"), (binary, "it is no text")):
        done = shell(f"pkt-txt2txt --protocols '{path}'")
        assert (done.returncode, done.stderr.decode()) == (2, f"pkt-txt2txt: {path}: {said}\n")


def test_one_file_twice(game):
    done = shell(f"pkt-txt2txt --protocols {game} --protocols {game}")
    assert (done.returncode, done.stderr.decode()) == (2, f"pkt-txt2txt: {game}:2: there are names GAME_TYPE already ({game}:2)\n")


# ---- decode as ----


OVERLAY = ethernet(0x0800, ipv4(17, to(8472, vxlan(ethernet(0x0800, ipv4(17, udp(b"inside"))))[8:])))


@pytest.mark.parametrize(
    ("decoded", "expression", "packets"),
    [
        (["UDP.DST_PORT==8472=VXLAN"], "VXLAN.VNI==42 and UDP.SRC_PORT[2]", 1), ([], "VXLAN", 0),
        (["UDP.DST_PORT==0x2118=VXLAN"], "VXLAN", 1), ([" UDP.DST_PORT == 8472 = VXLAN "], "VXLAN", 1),
        (["UDP.DST_PORT==8472=GRE", "UDP.DST_PORT==1=VXLAN"], "GRE and not VXLAN", 1),
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
