"""Descriptions of protocols: what is read of them, what is made of it, and the errors of bad ones."""

from __future__ import annotations

import importlib
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT
from samples import ethernet, ipv4, row_of, udp

from pkttools.codec.python import protocols
from pkttools.errors import PktError
from pkttools.protocols import _walk, model, tabulate, walking
from pkttools.protocols.checks import announced, check
from pkttools.protocols.compile import MODULES, announce, descriptions, kinds, made, our_files, rows_of, tables
from pkttools.protocols.fields import HEADERS
from pkttools.protocols.model import Descriptions
from pkttools.protocols.optional import expand
from pkttools.protocols.statements import FORMS, STATEMENTS, Reader

WRITTEN = {
    name: value
    for module in MODULES
    for name, value in vars(importlib.import_module(f"pkttools.protocols.{module}")).items()
    if name.isupper()
}
OURS = our_files()


def described(text: str) -> Reader:
    """What a file of that text says."""
    reader = Reader()
    reader.read(text, "mine.protocol")
    return reader


def compiled(text: str) -> Descriptions:
    """The same, checked."""
    found = described(text).found
    announce(found)
    check(found)
    return found


def rows(text: str) -> dict[str, tuple]:
    """The rows of fields of a file: bit, width, kind, bias, scale, and whether the walk goes by it."""
    found = described(text).found
    return {row[0]: row[2:8] for row in rows_of(found, kinds(found))}


def test_the_tables_are_those_of_the_descriptions():
    """Where not: make ready."""
    assert vars(tables()) == WRITTEN


START = "from pkttools.main import start; start('pkt-filter', sys.argv[1:])"
WITHOUT = f"sys.modules.update({{'pkttools.protocols.' + name: None for name in {[*MODULES]}}})"


@pytest.mark.parametrize("words", [["-d", "IP.PROTOCOL==udp and VXLAN"], ["-k"]])
def test_without_the_files_they_are_made_when_a_command_starts(words):
    """A checkout before `make ready`."""
    for code in (f"import sys; {START}", f"import sys; {WITHOUT}; {START}"):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, cwd=ROOT, text=True, check=False)
        assert (done.stderr, "udp" in done.stdout) == ("", True)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_file_names_its_sources_and_says_what_fields_mean(path):
    lines = [line.split() for line in path.read_text().splitlines()]
    assert ["source"] in [words[:1] for words in lines]
    reader = described(path.read_text())
    unsaid = [row.name for _, row in reader.found.rows if getattr(row, "meaning", " ") == ""]
    assert unsaid == []


def test_fields_follow_each_other():
    assert rows("protocol P\nfield A 4\nfield - 4\nfield B 16 + 1 * 4\nfield C 48 mac\ndata") == {
        "P.A": (0, 4, "int", 0, 1, False), "P.B": (8, 16, "int", 1, 4, False), "P.C": (24, 48, "mac", 0, 1, False),
        "P.DATA": (72, 0, "data", 0, 1, False),
    }  # fmt: skip


def test_parts_lie_in_the_field_before():
    assert rows("protocol P\nfield A 16\npart B 3\npart - 1\npart C 12 * 8\nfield D 8")["P.C"] == (4, 12, "int", 0, 8, False)
    assert rows("protocol P\nfield A 16\npart B 3\nfield D 8")["P.D"] == (16, 8, "int", 0, 1, False)


@pytest.mark.parametrize(
    ("order", "number", "bit"), [("big", 0, 31), ("big", 31, 0), ("little", 0, 7), ("little", 7, 0), ("little", 8, 15)]
)
def test_flags_are_counted_from_the_least_significant_bit(order, number, bit):
    assert rows(f"protocol P\norder {order}\nfield A 32\nflag B {number}")["P.B"][0] == bit


def test_a_header_like_another_in_another_byte_order():
    found = described("protocol P\norder little\nfield A 32\nflag B 0\nfield C 8 text\nheader Q like P big\n").found
    assert [(row.name, row.bit, row.form) for row in found.headers["Q"].rows] == [
        ("A", 0, "int"), ("B", 31, "int"), ("C", 32, "text")
    ]  # fmt: skip


def test_what_the_walk_goes_by_is_what_rules_ask_for():
    """By the bits that they ask for: a flag beside them is free."""
    text = (
        "protocol P\nfield A 8\npart B 1\npart C 1\nfield D 8\nfield E 8\nfield F 8\ndata\nsize D\nnext P if A & 0x40 and E == 3\n"
    )
    assert [name for name, row in rows(text).items() if row[-1]] == ["P.A", "P.C", "P.D", "P.E", "P.DATA"]


def test_what_announces_a_header_from_its_own_beginning_is_gone_by():
    """The first bits of the headers that a rule finds by what is behind its own."""
    text = "space s\nprotocol P\nfield A 8\nnext s behind 4\nheader Q\nafter s 1\nfield B 4\nfield C 4\n"
    assert [name for name, row in rows(text).items() if row[-1]] == ["P.B"]


def test_fields_that_are_not_always_there():
    """Each combination is a kind of header with the same name; a field stands where it does without those in front of it."""
    reader = described(
        'protocol P\nfield A 8\noptional if A & 1\nfield B 8\nalways\nfield C 8\noptional if A & 2\nfield D 8\nshow "{B}"'
    )
    expand(reader)
    names = kinds(reader.found)
    places: dict[str, dict[str, int]] = {}
    for name, kind, bit, *_ in rows_of(reader.found, names):
        places.setdefault(names[kind], {})[name] = bit
    assert places == {
        "P+B+D": {"P.A": 0, "P.B": 8, "P.C": 16, "P.D": 24}, "P+B": {"P.A": 0, "P.B": 8, "P.C": 16},
        "P+D": {"P.A": 0, "P.C": 8, "P.D": 16}, "P": {"P.A": 0, "P.C": 8},
    }  # fmt: skip
    assert [name for name in names if reader.found.headers[name].show] == ["P+B+D", "P+B"]
    assert {reader.found.headers[name].kind_of for name in names} == {"P"}


def test_comments_and_text():
    header = described('protocol P "a # b" # "c"\nshow "x" "\\t{A} \\"q\\""\n').found.headers["P"]
    assert header.title == "a # b"
    assert header.show[0][:2] == ("x", '\t{A} "q"')


@pytest.mark.parametrize(("text", "line", "message"), [
    ("protocol P\nfeld A 8", 2, "no statement 'feld'"),
    ("field A 8", 1, "`field` belongs below `protocol`"),
    ("protocol p", 1, "'p' is no name of a protocol"),
    ("protocol P\nprotocol P", 2, "there is a header P already (mine.protocol:1)"),
    ("protocol P\nfield A 8\nfield A 8", 3, "P has two fields A"),
    ("protocol P\nfield A 8\npart A 8", 3, "P has two fields A"),
    ("protocol P\nfield Q.A 8\nfield Q.A 8", 3, "P has two fields Q.A"),
    ("protocol P\nafter udp 9 if A==2\nfield A 8", 2, "'A==2' is no name of a field: blanks stand around =="),
    ("protocol P\nafter udp 9 if A&1 == 1\nfield A 8", 2, "'A&1' is no name of a field: blanks stand around &"),
    ("protocol P\nafter udp 9 if A== 2\nfield A 8", 2, "'A==' is no name of a field: blanks stand around =="),
    ("protocol P\nfield A 8\nflag Q.B 1", 3, "'Q.B' is no name of a field"),
    ("protocol P\nfield A eight", 2, "bad width 'eight'"),
    ("protocol P\nfield A 0x", 2, "bad width '0x'"),
    ("protocol P\nfield A -8", 2, "bad width '-8'"),
    ("protocol P\nfield A 999999999", 2, "bad width '999999999': at most 524280"),
    ("protocol P\nfield A 65", 2, "A has 65 bits: a number has at most 64 there"),
    ("protocol P\nfield A 1\nfield B 64", 3, "B has 64 bits: a number has at most 63 there"),
    ("protocol P\nfield A 49 * 2", 2, "A has 49 bits: one with a unit has at most 48"),
    ("protocol P\nuntil 1 2 3 4 5", 2, "at most 4 bytes"), ("protocol P\nuntil 256", 2, "bad number '256': at most 255"),
    ("protocol P\nfield A 0", 2, "A has no bits"),
    ("protocol P\nfield A 40 mac", 2, "A has 40 bits, but mac has 48"),
    ("protocol P\nfield - 4\nfield A 48 mac", 3, "A: mac is of whole bytes"),
    ("protocol P\nfield A 8 * 0", 2, "A is 0 times something"),
    ("protocol P\nfield A 48 mac * 2", 2, "A: mac has no unit"),
    ("protocol P\nfield A 8 soon", 2, "'soon' is too much here"),
    ("protocol P\nfield A", 2, "wanted: field [PROTOCOL.]NAME|- BITS"),
    ("protocol P\nfield A 8\npart B 4\npart C 5", 4, "parts of A go beyond its 8 bits"),
    ("protocol P\npart B 4", 2, "`part` belongs below a field"),
    ("protocol P\nfield - 8\npart B 4", 3, "`part` belongs below a field"),
    ("protocol P\nfield A 8\nflag B 8", 3, "A has 8 bits: no bit 8"),
    ("protocol P\nfield A 8\nflag B 3\nflag C 3", 4, "bit 3 of A has a name already"),
    ('protocol P "a', 1, "a quote is missing"),
    ("protocol P\n7 a", 2, "a value belongs below `names` or `space`"),
    ("names N\n7 a\n7 b", 3, "7 has a name already: a"),
    ("names N\n7 a\n8 a", 3, "'a' is the name of two values"),
    ("names N\n7", 2, "wanted: NUMBER NAME"),
    ("names N\n7 a b", 2, "'b' is too much here"),
    ("protocol P\nexception MINE", 2, "wanted: exception COOKED_TAGS"),
    ('""', 1, "no statement ''"),
    ("names N\n7 And", 2, "'And' is no name of a value"),
    ("names N\n7 and", 2, "'and' is no name of a value"),
    ("names N\nnames N", 2, "there are names N already (mine.protocol:1)"),
    ("space s\nspace s", 2, "there is a space s already (mine.protocol:1)"),
    ("space s\n7 a\n7 b", 3, "s 7 is there already (mine.protocol:2)"),
    ("protocol P\nis thing", 2, "no 'thing'; there are link, tag"),
    ("protocol P\nsize 8\nsize 9", 3, "P has a size already (mine.protocol:2)"),
    ("protocol P\nend A\nend B", 3, "P has two ends"),
    ("protocol P\nsignature P", 2, 'wanted: signature "TITLE"'),
    ("protocol P\nsignature \"P\"\nsignature \"Q\"", 3, "P has a signature already"),
    ("protocol P\nwhole A", 2, "wanted: whole if TEST"),
    ("protocol P\nline aside", 2, "wanted: line [aside]"),
    ('protocol P\nline "x" if A == "b"', 2, "bad number"),
    ("protocol P\nline reader mine", 2, "no reader mine; there are dns"),
    ("protocol P\nbetween A", 2, "wanted: between FIELD FIELD"),
    ("protocol P\nbetween A B\nbetween A B", 3, "P is between others already (mine.protocol:2)"),
    ("protocol P\nanswers P if A == 1 by a", 2, "wanted: answers HEADER"),
    ("protocol P\nletters A", 2, "wanted: letters FIELD LETTER"),
    ("protocol P\nnext Q if", 2, "wanted: next HEADER"),
    ("protocol P\nnext Q if A == B", 2, "bad number 'B'"),
    ("protocol P\nsize A or some", 2, "wanted: size BYTES"),
    ("protocol P\nsize A if B", 2, "a size is always so"),
    ("protocol P\nnext Q unless A", 2, "'unless' is too much here"),
    ("protocol P\nheader Q like R big", 2, "no header R of P stands above"),
    ("protocol P\nheader Q like P sideways", 2, "wanted: header NAME"),
    ('protocol P\nbrief "x"', 2, "no line 'x' is shown of P"),
    ("protocol P\nafter udp 1 2 both", 2, "a name is that of one number"),
    ("protocol P\nfield A 8\noptional A", 3, "wanted: optional if TEST"),
    ("protocol P\nfront A 8", 2, "P is a header: `front` is for `hidden` ones"),
    ("protocol P\nfield a.B 8", 2, "'a.B' is no name of a field"),
])  # fmt: skip
def test_a_bad_statement(text, line, message):
    with pytest.raises(PktError) as error:
        described(text)
    assert str(error.value).startswith(f"mine.protocol:{line}: {message}")


def test_every_statement_is_explained():
    assert all(form.split()[0] == name for name, form in FORMS.items())
    assert all(STATEMENTS[name].__doc__ for name in FORMS)


GOOD = """space linktype "{}"
protocol P
after linktype 7
field A 8
part A1 4
field B 16 * 4
field C 32 + 2
field D 48 mac
field - 3
field E 5
"""


@pytest.mark.parametrize(("text", "line", "message"), [
    ("next Q", 11, "no header Q; there are P"),
    ("next port A", 11, "no space port; there are linktype"),
    ("next linktype X", 11, "P has no field X; there are A, A1, B, C, D, E"),
    ("next P if X", 11, "P has no field X"),
    ("next P if D == 1", 11, "D is no number of at most 32 bits"),
    ("next P if A == 256", 11, "A cannot be 256"),
    ("next P if A & 0x100", 11, "A has 8 bits: a bit of the mask, or of the value, is never there"),
    ("next P if A & 2 == 1", 11, "A has 8 bits: a bit of the mask"),
    ("next P if B == 3", 11, "B cannot be 3"),
    ("next P if C == 1", 11, "C cannot be 1"),
    ("next P if B & 1", 11, "B has a unit: no mask"),
    ("size X", 11, "P has no field X"),
    ("size 8", 11, "P has 14 bytes at least: a size of 8 cannot be"),
    ("fixed 300\nsize A", 12, "P has 300 bytes at least: a size of 255 cannot be"),
    ("fixed 6\nend C", 12, "C lies behind the 6 bytes that have to be there"),
    ("fixed 2\nnext linktype B", 12, "B lies behind the 2 bytes"),
    ("whole if X", 11, "P has no field X"),
    ("field - 1", 2, "the fields of P make 113 bits, and no whole bytes"),
    ("field F 8 names N", 11, "no names N; there are linktype"),
    ("field F 8 at 8", 11, "F lies where B does (mine.protocol:6)"),
    ("after port 7", 11, "no space port; there are linktype"),
    ("protocol Q\nafter linktype 7", 12, "linktype 7 is there already (mine.protocol:3)"),
    ("space port of linktype\n7 -", 12, "linktype 7 is there already (mine.protocol:3)"),
    ("space port of nowhere", 11, "no space nowhere; there are linktype, port"),
    ("protocol Q\nfield A 8", 11, "nothing leads to Q"),
    ("protocol Q\nfield A 8\nspace port\nprotocol R\nfield A 8\nafter port 1", 11, "nothing leads to Q"),
    ("next Q\nhidden Q\nnext Q", 13, "Q leads to itself, and there is no byte on the way"),
    ("next Q\nhidden Q\nnext R\nhidden R\nnext Q", 13, "Q leads to itself, and there is no byte on the way"),
    ("header Q\nfield A 48 mac\nafter linktype 8", 12, "A is another kind of field in P (mine.protocol:4)"),
    ('show "x" "{X}"', 11, "P has no field X"),
    ('show "x" "{A"', 11, "'{A': expected '}' before end of string"),
    ('show "x" "{flags}"', 11, "`flags` says what {flags} names"),
    ('line "{X}"', 11, "P has no field X"),
    ('line "{letters}"', 11, "`letters` says what {letters} stands for"),
    ('line "x" if X == 1', 11, "P has no field X"),
    ('line "x" if A == X', 11, "P has no field X"),
    ("between A X", 11, "P has no field X"),
    ("answers Q", 11, "no header Q that P could answer"),
    ("answers P by X", 11, "P has no field X"),
    ("answers P if A == 256", 11, "A cannot be 256"),
    ("answers P to A == 1 by A=D", 11, "A and D are not of one size"),
    ("answers P by D=D+1", 11, "D is no number that something could be added to"),
    ("letters X x", 11, "P has no field X"),
    ("flags X", 11, "P has no field X"),
    ("checksum X internet", 11, "P has no field X"),
    ("checksum A internet", 11, "A is no field of 2 bytes, as internet has"),
    ("checksum C internet", 11, "C is no field of 2 bytes, as internet has"),
    ("checksum B internet over X", 11, "P has no field X"),
    ('signature "P" if X', 11, "P has no field X"),
    ('signature "P" if D == 1', 11, "D is no number of at most 32 bits"),
    ('signature "P" if A == 256', 11, "A cannot be 256"),
    ("protocol UNKNOWN\nafter linktype 8", 11, "UNKNOWN is where nothing is known"),
    ("next UNKNOWN\nprotocol UNKNOWN", 11, "UNKNOWN is where nothing is known"),
    ("protocol Q\nafter linktype 8", 11, "Q has no bytes"),
    ("field F 8 was A", 11, "P.A is another field"),
    ("field F 8 was OLD\nfield G 8 was OLD", 12, "P.OLD is another field"),
    ("next P if A >= 256", 11, "A cannot be 256, or always is"),
    ("next P if A < 0", 11, "A cannot be 0, or always is"),
    ("next P if A & 0", 11, "A has 8 bits: a bit of the mask"),
    ("next P if B fits", 11, "B counts no bytes: nothing fits"),
    ("next P if A fits 1", 11, "'1' is too much here"),
    ("size 14\nmore A if A fits", 12, "`fits` is asked of what comes next alone"),
    ("whole if A fills", 11, "`fills` is asked of what comes next alone"),
    ("next P if A == 1" + " and A == 1" * 32, 11, "more than 32 tests"),
    ("next P if A == 1\n" * 33, 43, "P has more than 32 rules"),
    ("size 14\n" + "more 4 if A == 1\n" * 32, 43, "P has more than 32 sizes"),
    ("align 4", 2, "`align` of P rounds a size, and none is said"),
    ("end B * 65535", 11, "B counts more than 65535 bytes"),
    ("next linktype last 120", 11, "bad number '120': at most 32"),
    ("fixed 2\nnext linktype last 32", 12, "P has 2 bytes at least: no last 32 bits"),
    ('space port "number {x}"', 11, "'number {x}' is no form for a number"),
    ("space port as nowhere", 11, "no space nowhere"),
    ("field - 65528\nfield FAR 8", 12, "FAR lies more than 8191 bytes behind the start of P"),
    ("protocol Q\nafter linktype 8\nfield - 65536\ndata", 14, "DATA lies more than 8191 bytes behind the start of Q"),
    ("after linktype 0x100000000", 11, "bad number '0x100000000': at most 4294967295"),
])  # fmt: skip
def test_what_descriptions_say_of_each_other(text, line, message):
    with pytest.raises(PktError) as error:
        compiled(GOOD + text)
    assert str(error.value).startswith(f"mine.protocol:{line}: {message}")


def test_there_are_not_more_fields_than_can_be_numbered(monkeypatch):
    monkeypatch.setattr("pkttools.protocols.checks.MOST_FIELDS", 2)
    with pytest.raises(PktError, match="is one field more than the 2 that there may be"):
        compiled(GOOD)


MANY = """space linktype "{}"
space port "{}"
protocol P
is network
after linktype 7
field A 8
size 1
next port A
holds L at 1 to end
holds M at 1 to end
list L type 8 length 8
item 1
field B 8
item 2
field C 8
list M type 8 length 8
item 1
field D 8
protocol Q
is application
after port 1
after port 2
after port 3
field A 8
"""


@pytest.mark.parametrize(("most", "said"), [
    (1, "19: with this, there are more than the 1 kinds of headers, or of items, that there may be"),
    (2, "17: with this, there are more than the 2 kinds of headers, or of items, that there may be"),
])  # fmt: skip
def test_there_are_not_more_kinds_than_can_be_numbered(monkeypatch, most, said):
    """Kinds of headers come first. Tables have columns of 16 bits for them, and the codec as many rows."""
    monkeypatch.setattr("pkttools.protocols.checks.MOST_KINDS", most)
    with pytest.raises(PktError) as error:
        compiled(MANY)
    assert str(error.value) == f"mine.protocol:{said}"


@pytest.mark.parametrize(("most", "said"), [
    (1, "19: with this, there are more than the 1 kinds that there may be"),
    (2, "21: with this, there are more than the 2 entries that there may be"),
    (3, "21: with this, there are more than the 3 entries that there may be"),
])  # fmt: skip
def test_tables_have_no_more_rows_than_the_codec_takes(monkeypatch, most, said):
    found = compiled(MANY)
    monkeypatch.setattr("pkttools.protocols.tabulate.MOST_KINDS", most)
    with pytest.raises(PktError) as error:
        tabulate.tables(found, kinds(found), dict.fromkeys([*found.spaces, *found.headers], 0))
    assert str(error.value) == f"mine.protocol:{said}"


def test_the_codec_takes_as_many_rows():
    assert model.MOST_KINDS == protocols.MAX_ROWS == walking.FIRST_ITEM
    codec_h = (ROOT / "pkttools/codec/c/protocols.h").read_text()
    assert f"MAX_ROWS = {model.MOST_KINDS}," in codec_h


def test_what_is_said_without_a_fault():
    compiled(
        GOOD + "size B + 14\nend C if C >= 16\nnext P if A & 0x80 and B == 8 and E != 31\nwhole if A == 0\nfield F 16\n"
        "checksum F internet over header + B * 4 - 4 or all without 8 at 18 pseudo 6 or 4 whole zero wrong card cut if A == 0"
    )


# ---- what is described is what both codecs find ----


@pytest.fixture
def walked(codec: ModuleType, tmp_path: Path) -> Iterator[Callable[[str, bytes], list[tuple[str, int, int, int]]]]:
    """The headers of a frame of link type 147, which a description announces beside ours."""

    def walk(text: str, frame: bytes) -> list[tuple[str, int, int, int]]:
        mine = tmp_path / "mine.protocol"
        mine.write_text(text)
        given = made(descriptions([*OURS, mine]))
        codec.set_protocols(given.WALK)
        row = row_of(frame, 147)
        return [(given.HEADERS[kind], *places) for kind, *places in codec.walk(bytearray(frame), row)]

    yield walk
    codec.set_protocols(_walk.WALK)


MPLS = """
space labelled of version
protocol M
after linktype 147
field LABEL 20
field TC 3
field S 1
field TTL 8
next M if S == 0
next labelled behind 4
header CONTROL
after labelled 0
field - 32
next ETHERNET
"""
GTP = """
space gtp
protocol G
after linktype 147
field VERSION 3
field - 2
field E 1
field S 1
field PN 1
field TYPE 8
field LENGTH 16
field TEID 32
more 4 if E == 1
more 4 if E == 0 and S == 1
end LENGTH + 8
next gtp last 8 if TYPE == 255 and E == 1
next version behind 4 if TYPE == 255
header G_EXTENSION
after gtp 0x85
field SIZE 8 * 4
field - 24
size SIZE
next gtp last 8
next version behind 4
"""
PPP = """
space mine
protocol P
after linktype 147
field VERSION 8
field CODE 8
field SESSION 16
field LENGTH 16
end LENGTH + 6
next START
hidden START
field FIRST 16
part ODD 8
fixed 0
next ADDRESSED if FIRST == 0xFF03
next SHORT if ODD & 1
next LONG
header ADDRESSED
field - 16
next START
header SHORT
field PROTOCOL 8
next mine PROTOCOL
header LONG
field PROTOCOL 16
next mine PROTOCOL
header INNER
after mine 0x21
field - 8
"""
OPTIONAL = """
protocol P
after linktype 147 if FLAGS & 0x80 == 0
field FLAGS 8
optional if FLAGS & 1
field A 16 names ethertype
always
field B 8
optional if FLAGS & 2
field C 8
part D 4
optional if FLAGS & 6 == 6
field SIZE 8
more SIZE
next version behind 4 if FLAGS & 8
header Q
after linktype 147
field R 8
next P if R == 0x81
"""
FRONT = """
protocol P
after linktype 147
field SIZE 16
next INSIDE
hidden INSIDE
front LENGTH 16
end LENGTH
next Q
header Q
field R 8
"""
HERE = """
protocol P
after linktype 147
field FLAGS 8
field SIZE 8
optional if FLAGS & 1
field MORE 16
end here SIZE
next Q
header Q
field R 8
"""
FITTING = """
protocol P
after linktype 147
field SIZE 8
end SIZE
next WAY
hidden WAY
field SIZE 8 + 3
fixed 0
next Q if SIZE fills
next R if SIZE fits
header Q
fixed 5
header R
field R 8
"""
INNER = ipv4(17, udp())


@pytest.mark.parametrize(("text", "frame", "headers"), [
    (MPLS, bytes(4) + b"\0\0\1\0" + INNER, [("M", 0, 4, 41), ("M", 4, 8, 41), ("IP", 8, 41, 41), ("UDP", 28, 36, 41)]),
    (MPLS, b"\0\0\1\0" + bytes(4) + ethernet(0x0800, INNER),
     [("M", 0, 4, 55), ("CONTROL", 4, 8, 55), ("ETHERNET", 8, 55, 55), ("IP", 22, 55, 55), ("UDP", 42, 50, 55)]),
    (GTP, b"\x30\xff\0\x21" + bytes(4) + INNER + b"more", [("G", 0, 8, 41), ("IP", 8, 41, 41), ("UDP", 28, 36, 41)]),
    (GTP, b"\x32\xff\0\x25" + bytes(8) + INNER, [("G", 0, 12, 45), ("IP", 12, 45, 45), ("UDP", 32, 40, 45)]),
    (GTP, b"\x34\xff\0\x2d" + bytes(7) + b"\x85\2\0\0\0\0\0\0\0" + INNER,
     [("G", 0, 12, 53), ("G_EXTENSION", 12, 20, 53), ("IP", 20, 53, 53), ("UDP", 40, 48, 53)]),
    (GTP, b"\x30\1\0\x21" + bytes(4) + INNER, [("G", 0, 8, 41)]),
    (PPP, b"\x11\0\0\0\0\5\xff\3\0\x21xyz", [("P", 0, 6, 11), ("ADDRESSED", 6, 8, 11), ("LONG", 8, 10, 11), ("INNER", 10, 11, 11)]),
    (PPP, b"\x11\0\0\0\0\2\x21xyz", [("P", 0, 6, 8), ("SHORT", 6, 7, 8), ("INNER", 7, 8, 8)]),
    ("protocol P\nafter linktype 147\norder little\nfield SIZE 16\nfield T 16\nsize SIZE + 2\nalign 4\ndata at 1\n"
     "next version behind 4 if T >= 0x100",
     b"\3\0\0\1" + bytes(4) + INNER, [("P", 0, 1, 41), ("IP", 8, 41, 41), ("UDP", 28, 36, 41)]),
    ("protocol P\nafter linktype 147\nfield SIZE 8\nend inside SIZE\ntrailer 2\nnext Q\nheader Q\nfield A 8\nend size",
     b"\4abcdef", [("P", 0, 1, 7), ("Q", 1, 2, 2)]),
    (OPTIONAL, b"\0b", [("P", 0, 2, 2)]),
    (OPTIONAL, b"\1aab" + INNER, [("P", 0, 4, 37)]),
    (OPTIONAL, b"\x0aBc" + INNER, [("P", 0, 3, 36), ("IP", 3, 36, 36), ("UDP", 23, 31, 36)]),
    (OPTIONAL, b"\x0faaBc\2**" + INNER, [("P", 0, 8, 41), ("IP", 8, 41, 41), ("UDP", 28, 36, 41)]),
    (OPTIONAL, b"\x0cB" + INNER, [("P", 0, 2, 35), ("IP", 2, 35, 35), ("UDP", 22, 30, 35)]),
    (OPTIONAL, b"\3aa", [("P", 0, 2, 3)]),  # its fixed part is there
    (OPTIONAL, b"\x81\2bc", [("Q", 0, 1, 4), ("P", 1, 4, 4)]),
    (FRONT, b"\0\2abcd", [("P", 0, 2, 6), ("Q", 2, 3, 4)]),
    (HERE, b"\0\2abcd", [("P", 0, 2, 4), ("Q", 2, 3, 4)]),
    (HERE, b"\1\2abcdef", [("P", 0, 4, 6), ("Q", 4, 5, 6)]),
    (FITTING, b"\6\2abcd?", [("P", 0, 1, 6), ("Q", 1, 6, 6)]),
    (FITTING, b"\6\1abcd?", [("P", 0, 1, 6), ("R", 1, 2, 6)]),
    (FITTING, b"\6\3abcd?", [("P", 0, 1, 6)]),
    (FITTING, b"\1", [("P", 0, 1, 1)]),
])  # fmt: skip
def test_what_is_described_is_walked(walked, text, frame, headers):
    assert walked(text, frame) == headers


def test_the_example_of_contributing(codec):
    """It is the file, and all tables have it."""
    lines = (ROOT / "CONTRIBUTING.md").read_text().partition("## A protocol")[2].partition("\n## ")[0].splitlines()
    shown = "\n".join(line[4:] for line in lines if not line or line.startswith("    ")).strip("\n")
    chat = ROOT / "examples/protocols/chat.protocol"
    assert chat.read_text() == shown + "\n"
    assert len(shown.splitlines()) <= 30
    given = made(descriptions(OURS, [chat]))
    frame = ethernet(0x0800, ipv4(17, struct.pack("!4H", 1234, 9000, 21, 0) + b"\x12\2\0\0\x80\0\0\0hello"))
    row = row_of(frame)
    codec.set_protocols(given.WALK)
    try:
        headers = [(given.HEADERS[kind], *places) for kind, *places in codec.walk(bytearray(frame), row)]
    finally:
        codec.set_protocols(_walk.WALK)
    assert headers[-2:] == [("UDP", 34, 42, 55), ("CHAT", 42, 50, 55)]
    assert given.NAMES["CHAT_TYPE"] == {1: "hello", 2: "text", 3: "bye"}
    assert "\nCHAT.URGENT\n" in given.FIELDS
    assert given.LAYOUTS[given.HEADERS.index("CHAT")][0] == "Chat"


def test_tunnels_over_udp():
    """Those whose checksum may be left out: L2TP, GTP-U, Teredo, LISP, GRE, VXLAN, VXLAN-GPE, GUE, Geneve, MPLS, VXLAN of Linux."""
    known = {1701, 2152, 3544, 4341, 4754, 4789, 4790, 6080, 6081, 6635, 8472}
    entries = announced(descriptions(OURS), descriptions(OURS).spaces["udp"])
    assert {number for number, entry in entries if entry.tunnel} == known
    assert protocols.known().kinds[HEADERS.index("UDP")].rules[0][2].tunnels == known
