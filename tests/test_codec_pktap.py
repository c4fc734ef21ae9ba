"""Where the headers of PKTAP and of what it holds are found, and its fields; captures are built byte by byte, on both codecs."""

from __future__ import annotations

import struct
from types import ModuleType

import pytest
from samples import ARP, batch, ethernet, ipv4, ipv6, pktap, row_of, tcp, udp

from pkttools.codec import WRONG
from pkttools.errors import UsageError
from pkttools.language import assigning, expression
from pkttools.language.arguments import split_assignment
from pkttools.protocols.fields import DATA, HEADERS, TABLE
from pkttools.protocols.shown import format_text, read_field
from pkttools.protocols.values import parse_text

INNER = {
    # name: (DLT, frame, headers as if it stood alone)
    "ethernet": (1, ethernet(0x0800, ipv4(17, udp())), [("ETHERNET", 0, 47, 47), ("IP", 14, 47, 47), ("UDP", 34, 42, 47)]),
    "null": (0, b"\x1e\0\0\0" + ipv6(17, udp()), [("LOOPBACK", 0, 57, 57), ("IPV6", 4, 57, 57), ("UDP", 44, 52, 57)]),
    "null, big-endian": (0, b"\0\0\0\x1e" + ipv6(59, b""), [("LOOPBACK", 0, 44, 44), ("IPV6", 4, 44, 44)]),
    "loop": (108, b"\0\0\0\2" + ipv4(17, udp()), [("LOOP", 0, 37, 37), ("IP", 4, 37, 37), ("UDP", 24, 32, 37)]),
    "raw": (12, ipv4(17, udp()), [("IP", 0, 33, 33), ("UDP", 20, 28, 33)]),
    "raw 6": (14, ipv6(17, udp()), [("IPV6", 0, 53, 53), ("UDP", 40, 48, 53)]),
    "raw by its link type": (101, ipv6(59, b""), [("IPV6", 0, 40, 40)]),
    "arp": (1, ethernet(0x0806, ARP), [("ETHERNET", 0, 42, 42), ("ARP", 14, 42, 42)]),
    "no link type that is known": (147, b"user0", []),
}
SHAPES = pytest.mark.parametrize(("order", "size"), [("<", 108), ("<", 156), (">", 108), (">", 156), ("<", 200)])
KIND = {"<": "PKTAP", ">": "PKTAP_BE"}


def header(order: str, size: int) -> bytes:
    """As `pktap`, with more behind it than any version of it has so far."""
    return pktap(1, b"", order, min(size, 156), length=size) + b"\xcc" * (size - 156)


def walked(codec: ModuleType, frame: bytes, linktype: int = 258, original: int | None = None) -> list[tuple[str, int, int, int]]:
    row = row_of(frame, linktype, original)
    return [(HEADERS[kind], *places) for kind, *places in codec.walk(bytearray(frame), row)]


def checked(codec: ModuleType, frame: bytes, original: int | None = None, linktype: int = 258) -> int:
    b = batch([(linktype, frame)], original)
    return codec.check(b.data, bytes(b.rows))[0]


# ---- headers ----


@SHAPES
@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("linktype", [258, 149])
def test_the_inner_frame_follows(codec, name, order, size, linktype):
    dlt, frame, headers = INNER[name]
    head = bytearray(header(order, size))
    struct.pack_into(order + "I", head, 8, dlt)
    whole = len(head) + len(frame)
    assert walked(codec, bytes(head) + frame, linktype) == [
        (KIND[order], 0, size, whole), *((kind, *(at + size for at in places)) for kind, *places in headers)
    ]  # fmt: skip


@SHAPES
def test_truncated_at_every_length(codec, order, size):
    """Cut short, every length: what is there of the header, and of what is behind it."""
    frame = header(order, size) + INNER["ethernet"][1]
    for cut in range(len(frame)):
        found = walked(codec, frame[:cut], original=len(frame))
        if cut < 108:
            assert found == [("UNKNOWN", 0, 0, cut)]
        elif cut < size:
            assert found == [(KIND[order], 0, 108, cut)]
        else:
            kinds = ["ETHERNET"] * (cut - size >= 14) + ["IP"] * (cut - size >= 34) + ["UDP"] * (cut - size >= 42)
            assert found[0] == (KIND[order], 0, size, cut)
            assert [kind for kind, *_ in found[1:]] == kinds
        assert checked(codec, frame[:cut], len(frame)) == 1  # truncated
        whole = 0 if cut in (size + 47,) else 3  # an IP header that says more than there is; a header that is not there
        assert checked(codec, frame[:cut]) == whole


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("length", [0, 1, 107, 156 + 48, 157 + 47, 0xFFFF, 0x10000000, 0xFFFFFFFF])
def test_a_length_that_lies_stops_the_walk(codec, order, length):
    """It is data from the end of the fixed part on; nothing behind it is guessed."""
    frame = pktap(1, INNER["ethernet"][1], order, length=length)
    kind = "PKTAP" if order == "<" or length in (0, 0xFFFFFFFF) else "PKTAP_BE"
    if length == 0x10000000:
        kind = {"<": "PKTAP_BE", ">": "PKTAP"}[order]  # 16 the other way round: both lie
    assert walked(codec, frame) == [(kind, 0, 108, 203)]
    assert checked(codec, frame) == 3
    assert checked(codec, frame, 300) == 1


def test_what_comes_next(codec):
    """Type 0 announces nothing, others nothing that we know; neither is unsound. An inner header that is missing is."""
    for following in (0, 2, 99):
        frame = pktap(1, INNER["ethernet"][1], next=following)
        assert walked(codec, frame) == [("PKTAP", 0, 156, 203)]
        assert checked(codec, frame) == 0
    assert checked(codec, pktap(1, b"", next=0)) == 0
    for dlt, frame, outcome in ((1, b"", 3), (1, bytes(13), 3), (0, bytes(3), 3), (12, b"", 3), (12, b"\x50" * 30, 3),
                                (147, b"", 0), (113, bytes(15), 3), (276, bytes(19), 3), (258, bytes(107), 3), (228, bytes(19),
                                3)):  # fmt: skip
        assert walked(codec, pktap(dlt, frame)) == [("PKTAP", 0, 156, 156 + len(frame))]
        assert checked(codec, pktap(dlt, frame)) == outcome, dlt
        b = batch([(258, pktap(dlt, frame))])
        assert codec.correct(b.data, bytes(b.rows), 0)[3] == (outcome == 3)


def test_pktap_in_pktap_ends(codec):
    frame = ipv4(17, udp())
    dlt = 12
    for i in range(40):
        frame = pktap(dlt, frame, "<>"[i % 2], 108)
        dlt = (258, 149)[i % 2]
    assert [kind for kind, *_ in walked(codec, frame)] == ["PKTAP_BE", "PKTAP"] * 16
    assert checked(codec, frame) == 3  # deeper than we look


def test_checksums_of_the_inner_frame(codec):
    """Mended, judged and followed where they are, behind headers of any kind."""
    for order in "<>":
        frame = ethernet(0x0800, ipv4(6, tcp()))
        alone, packed = batch([(1, frame)]), batch([(258, pktap(1, frame, order))])
        for b in (alone, packed):
            assert codec.check(b.data, bytes(b.rows))[0] == WRONG
            assert codec.correct(b.data, bytes(b.rows), 1)[:4] == (1, 0, 0, 0)
            assert codec.check(b.data, bytes(b.rows))[0] == 0
        assert packed.data[156:] == alone.data
        assert codec.verify(packed.data, bytes(packed.rows)) == [0, 0, 1, 1]
        program = assigning.assignments([("IP.SRC_ADDR", "=", "198.51.100.9"), ("PKTAP.PID", "=", "7")])
        assert codec.assign(packed.data, bytes(packed.rows), program, None, True) == (1, (1, 1), (0, 0), 0, 0)
        assert codec.check(packed.data, bytes(packed.rows))[0] == 0


def test_padding_of_the_inner_frame_stays_padding(codec):
    frame = ethernet(0x0800, ipv4(17, udp()))
    b = batch([(258, pktap(1, frame + bytes(60 - len(frame))))])
    codec.correct(b.data, bytes(b.rows), 1)
    assert b.data[156 + 16 : 156 + 18] == b"\0\x21"


# ---- fields ----

VALUES = {
    "LENGTH": 156, "NEXT_TYPE": 1, "DLT": 1, "IFNAME": b"en0", "FLAGS": 0x18002, "IN": 0, "OUT": 1, "PROC_DELEGATED": 0,
    "IF_DELEGATED": 0, "NEW_FLOW": 0, "REXMIT": 1, "KEEP_ALIVE": 1, "SOCKET": 0, "NEXUS_CHAN": 0, "FAMILY": 30, "PRE_SIZE": 14,
    "POST_SIZE": 4, "PID": 70000, "COMM": b"Google Chrome", "SVC": 700, "IFTYPE": 6, "IFUNIT": 258, "EPID": 0xFFFFFFFF,
    "ECOMM": b"",
}  # fmt: skip


def sample(order: str) -> bytes:
    return pktap(1, ethernet(0x0806, ARP), order, flags=0x18002, family=30, post=4, pid=70000, ifunit=258)


@pytest.mark.parametrize("order", "<>")
def test_values(order):
    frame = sample(order)
    rows = [row for row in TABLE if row.header == HEADERS.index(KIND[order]) and row.kind != DATA]
    assert {row.name.partition(".")[2]: read_field(row, frame, 0, 156, len(frame)) for row in rows} == VALUES


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("PKTAP", True), ("not PKTAP", False), ("PKTAP.COMM", True), ("PKTAP.COMM==ssh", False),
        ('PKTAP.COMM=="Google Chrome"', True), ('PKTAP.COMM == "Google Chrome" and ARP', True),
        (r'PKTAP.COMM==Google\x20Chrome', True), ('PKTAP.COMM==Google', False),
        ('PKTAP.COMM!=Google', True), ('PKTAP.COMM>=Google', True), ('PKTAP.COMM<Googlf', True), ('PKTAP.COMM<Google', False),
        ('PKTAP.COMM in ssh,"Google Chrome",curl', True), ('PKTAP.COMM in ssh, "a, b" ,curl', False), ('PKTAP.ECOMM==""', True),
        ('PKTAP.COMM==""', False), ("PKTAP.IFNAME in en0,en1", True), ("PKTAP.IFNAME==en0 ARP", True), ("PKTAP.IFNAME==EN0", False),
        ("PKTAP.PID==70000", True), ("PKTAP.PID in 60000-80000", True), ("PKTAP.EPID==none", True),
        ("PKTAP.EPID==0xffffffff", True), ("PKTAP.PID>255 and PKTAP.PID<100000", True), ("PKTAP.SVC==vi", True),
        ("PKTAP.SVC in be,bk-sys,ctl", False),
        ("PKTAP.OUT==1 and PKTAP.IN==0", True), ("PKTAP.FAMILY==inet6", True), ("PKTAP.DLT==en10mb", True),
        ("PKTAP.NEXT_TYPE==packet", True), ("PKTAP.IFTYPE==ether and PKTAP.IFUNIT==258", True), ("PKTAP.FLAGS==0x18002", True),
        ("ETHERNET.TYPE==arp and PKTAP.DATA>02", True), ("PKTAP.LENGTH==156", True),
    ],
)  # fmt: skip
def test_filters(codec, order, text, holds):
    b = batch([(258, sample(order))])
    assert bool(codec.select(b.data, bytes(b.rows), expression.compiled(expression.any_of([text])))) == holds


def assigned(codec: ModuleType, frame: bytes, *texts: str) -> bytes:
    b = batch([(258, frame)])
    program = assigning.assignments([split_assignment(text) for text in texts])
    codec.assign(b.data, bytes(b.rows), program, None, False)
    return bytes(b.data)


@pytest.mark.parametrize("order", "<>")
def test_assignments(codec, order):
    frame = sample(order)
    wanted = pktap(1, ethernet(0x0806, ARP), order, flags=0x18001, family=2, post=4, pid=-1, ifunit=1, ifname=b"utun12",
                   comm=b"x y", ecomm=b"a" * 17, svc=900)  # fmt: skip
    assert assigned(
        codec, frame, "PKTAP.IN=1", "PKTAP.OUT=0", "PKTAP.FAMILY=inet", "PKTAP.PID=none", "PKTAP.IFUNIT-=257",
        "PKTAP.IFNAME=utun12", "PKTAP.COMM=x y", "PKTAP.ECOMM=" + "a" * 17, "PKTAP.SVC=ctl",
    ) == wanted  # fmt: skip
    assert assigned(codec, wanted, 'PKTAP.ECOMM="b"', 'PKTAP.COMM=""')[88:105] == b"b" + bytes(16)
    assert assigned(codec, frame, "PKTAP.PID+=0xffffffff", "PKTAP.IFUNIT+=65535")[52:56] == struct.pack(order + "I", 69999)
    shorter = assigned(codec, frame, "PKTAP.LENGTH=170", "PKTAP.DLT=raw", "IP.TTL=9")  # the walk follows; there is no IP
    assert shorter[:12] == struct.pack(order + "III", 170, 1, 12)
    assert shorter[12:] == frame[12:]


def test_a_text_that_is_there_stays_with_what_stands_behind_its_end(codec):
    """So that what is printed gives the same bytes again; another text leaves nothing of it."""
    frame = pktap(1, b"", comm=b"ssh\0left over\0\0")
    assert assigned(codec, frame, "PKTAP.COMM=ssh") == frame
    assert assigned(codec, frame, "PKTAP.COMM=sshd")[56:73] == b"sshd" + bytes(13)
    assert assigned(codec, frame, "PKTAP.COMM=ss")[56:73] == b"ss" + bytes(15)


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"ssh", "ssh"), (b"Google Chrome", '"Google Chrome"'), (b"", '""'), (b'a"b', r'a\x22b'), (b"a\\b", r"a\x5cb"),
     (b"\x1b[2J", r'"\x1b[2J"'), (b"\xc3\xbcber", r"\xc3\xbcber"), (b" x ", '" x "'), (b"and", "and"),
     (b"com.apple.WebKi", "com.apple.WebKi"),
     (b"a,b", '"a,b"'), (b"(x)", '"(x)"'), (b"\x7f", r"\x7f"), (b"a\nb", r"a\x0ab"), (b"\\x41", r"\x5cx41")],
)  # fmt: skip
def test_how_text_is_written_and_read(value, text):
    assert format_text(value) == text
    assert parse_text("X", text, 24) == value


def test_every_byte_of_text_comes_back(codec):
    for i in range(1, 256):
        value = bytes([65, i, 66])
        frame = pktap(1, b"", comm=value, ecomm=bytes([i]))
        shown = format_text(value)
        assert shown.isascii()
        assert shown.isprintable()
        b = batch([(258, frame)])
        assert codec.select(b.data, bytes(b.rows), expression.compiled(expression.any_of([f"PKTAP.COMM=={shown} and PKTAP"])))
        other = pktap(1, b"", comm=b"", ecomm=b"?" * 17)
        assert assigned(codec, other, f"PKTAP.COMM={shown}", f"PKTAP.ECOMM={format_text(bytes([i]))}") == frame


@pytest.mark.parametrize(
    ("text", "said"),
    [("a" * 25, f"X: '{'a' * 25}' does not fit: at most 24 bytes"), ('"abc', 'X: "abc: a quote is missing'),
     ('"a"b"', "X: 'a\"b': a quote in quotes is written as \\x22"),
     ('"', 'X: ": a quote is missing'), (r"\x4", r"X: '\x4': two hex digits follow, of a byte that is not zero"),
     (r"\x00", r"X: '\x00': two hex digits follow, of a byte that is not zero"),
     (r"a\xzz", r"X: '\xzz': two hex digits follow, of a byte that is not zero"),
     ("\u00fc", "X: '\u00fc' is not printable ASCII; other bytes are written as \\x and two hex digits"),
     ("a\x1b", "X: 'a\x1b' is not printable ASCII; other bytes are written as \\x and two hex digits")],
)  # fmt: skip
def test_what_is_no_text_is_refused(text, said):
    with pytest.raises(UsageError) as caught:
        parse_text("X", text, 24)
    assert str(caught.value) == said
