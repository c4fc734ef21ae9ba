"""The language of filters and assignments: what is understood, and what is refused with which words."""

from __future__ import annotations

import time
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import ipv4, udp

from pkttools.batch import Packet, gathered
from pkttools.errors import UsageError
from pkttools.language import assigning, comparing, expression
from pkttools.language.arguments import split_assignment
from pkttools.language.assigning import assignments
from pkttools.language.expression import Parser, any_of, compiled, tokens
from pkttools.protocols.fields import FIELDS, LAYERS, TABLE
from pkttools.protocols.values import field, unknown_name

TEST = "UDP.DST_PORT==53"


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        compiled(any_of([text]))
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---- words ----


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("IP.TTL==64", ["IP.TTL", "==", "64"]), ("IP.TTL >= 64", ["IP.TTL", ">=", "64"]), ("a<b", ["a", "<", "b"]),
        ("a<=b", ["a", "<=", "b"]),
        ("!(a&&b||!c)", ["not", "(", "a", "and", "b", "or", "not", "c", ")"]), ("a!=b", ["a", "!=", "b"]), ("", []), ("  ", []),
        ("IP.SRC_ADDR==10.0.0.0/8", ["IP.SRC_ADDR", "==", "10.0.0.0/8"]), ("a in 1,2-3", ["a", "in", "1,2-3"]),
        ("a=1", ["a", "=", "1"]),
        ("IPV6.SRC_ADDR==::1", ["IPV6.SRC_ADDR", "==", "::1"]), ("ETHERNET.TYPE[-1]==1", ["ETHERNET.TYPE[-1]", "==", "1"]),
    ],
)  # fmt: skip
def test_tokens(text, words):
    assert tokens(text) == words


# ---- trees ----


def tree(text: str) -> object:
    """The shape of an expression: layers as their names."""

    def shape(node: tuple) -> object:
        match node:
            case ("layer", name):
                return name
            case ("not", inner):
                return ("not", shape(inner))
            case (how, parts):
                return (how, *map(shape, parts))

    return shape(Parser(text).parse())


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("ip", "IP"), ("not IP", ("not", "IP")), ("IP and UDP or ARP", ("or", ("and", "IP", "UDP"), "ARP")),
        ("ARP or IP and UDP", ("or", "ARP", ("and", "IP", "UDP"))), ("(ARP or IP) and UDP", ("and", ("or", "ARP", "IP"), "UDP")),
        ("not IP and UDP", ("and", ("not", "IP"), "UDP")), ("not (IP and UDP)", ("not", ("and", "IP", "UDP"))), ("((IP))", "IP"),
        ("IP UDP", ("or", "IP", "UDP")), ("IP UDP and ARP", ("or", "IP", ("and", "UDP", "ARP"))),
        ("(IP UDP) and ARP", ("and", ("or", "IP", "UDP"), "ARP")),
        ("IP or UDP ARP", ("or", ("or", "IP", "UDP"), "ARP")), ("not not IP", ("not", ("not", "IP"))),
        ("IP AND NOT UDP", ("and", "IP", ("not", "UDP"))),
    ],
)  # fmt: skip
def test_trees(text, shape):
    assert tree(text) == shape


def test_every_name_in_any_case():
    for name in (*FIELDS, *LAYERS):
        assert compiled(any_of([name.lower()])) == compiled(any_of([name])), name


@pytest.mark.parametrize("spelling", ["UDP.DST_PORT == 53", "udp.dst_port==0x35", " UDP.DST_PORT[1]==053 ", "(UDP.DST_PORT==53)"])
def test_spellings_of_one_test(spelling):
    assert compiled(any_of([spelling])) == compiled(any_of([TEST]))


# ---- what is refused ----


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("IP.TLL==5", "no field 'IP.TLL': did you mean IP.TTL?"),
        ("udp.dstport==5", "no field 'UDP.DSTPORT': did you mean UDP.DST_PORT?"),
        ("UPD", "no layer 'UPD': did you mean UDP?"), ("IP.XYZZY_PLUGH", "no field 'IP.XYZZY_PLUGH' (-k lists the fields)"),
        ("", "filter '': a field expected, not the end"), ("()", "filter '()': a field expected, not ')'"),
        ("(IP", "filter '(IP': ')' expected, not the end"), ("IP)", "filter 'IP)': an expression expected, not ')'"),
        ("IP and", "filter 'IP and': a field expected, not the end"),
        ("IP or or UDP", "filter 'IP or or UDP': a field expected, not 'or'"),
        ("and IP", "filter 'and IP': a field expected, not 'and'"), ("not", "filter 'not': a field expected, not the end"),
        ("==5", "filter '==5': a field expected, not '=='"), ("IP.TTL==", "filter 'IP.TTL==': a value expected, not the end"),
        ("IP.TTL====5", "filter 'IP.TTL====5': a value expected, not '=='"),
        ("IP.TTL in", "filter 'IP.TTL in': a value expected, not the end"),
        ("IP.TTL=5", "filter 'IP.TTL=5': to compare, write IP.TTL==..."), ("IP==5", "filter 'IP==5': a field expected, not '=='"),
        ("IP.TTL==300", "IP.TTL: 300 does not fit: at most 255"), ("IP.TTL in 1,300", "IP.TTL: 300 does not fit: at most 255"),
        ("IP.TTL in 5-300", "IP.TTL: 300 does not fit: at most 255"), ("IP.TTL in 5-3", "IP.TTL: 5-3: the range is empty"),
        ("IP.TTL in 1,,2", "IP.TTL: an item is missing in '1,,2'"), ("IP.TTL==udp", "IP.TTL: 'udp' is not a number"),
        ("IP.TTL==IP.TLL", "IP.TTL: 'IP.TLL' is not a number, and there is no field 'IP.TLL': did you mean IP.TTL?"),
        ("IP.SRC_ADDR==1.2.3", "IP.SRC_ADDR: '1.2.3' is not an IPv4 address"),
        ("IP.SRC_ADDR==1.2.3.4/33", "IP.SRC_ADDR: '/33' is not a prefix length up to 32"),
        ("IP.SRC_ADDR==1.2.3.4/x", "IP.SRC_ADDR: '/x' is not a prefix length up to 32"),
        ("IP.SRC_ADDR==1.2.3.4/", "IP.SRC_ADDR: '/' is not a prefix length up to 32"),
        ("IPV6.SRC_ADDR==::/129", "IPV6.SRC_ADDR: '/129' is not a prefix length up to 128"),
        ("IP.SRC_ADDR<10.0.0.0/8", "IP.SRC_ADDR: an address with /bits goes with == and !="),
        ("UDP.DATA in 61,62", "UDP.DATA: data can be compared, not looked up in a set"),
        ("UDP.DATA==xyz", "UDP.DATA: bad hex digit 'xyz'"),
        ("ETHERNET.TYPE[0]==1", "'ETHERNET.TYPE[0]': an occurrence is [1], [2] ... or [-1] for the last"),
        ("ETHERNET.TYPE[x]==1", "'ETHERNET.TYPE[x]': an occurrence is [1], [2] ... or [-1] for the last"),
        ("ETHERNET.TYPE[1==1", "'ETHERNET.TYPE[1': an occurrence is [1], [2] ... or [-1] for the last"),
        ("ETHERNET.TYPE[]", "'ETHERNET.TYPE[]': an occurrence is [1], [2] ... or [-1] for the last"),
        ("(" * 300 + "IP" + ")" * 300, "filter: nested too deeply"), ("not " * 300 + "IP", "filter: nested too deeply"),
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_refused(text, said):
    assert refused(text) == said


@pytest.mark.parametrize("value", ["9" * 30, "9" * 100_000, "0x" + "f" * 100_000])
def test_huge_numbers_are_refused_at_once(value):
    begun = time.perf_counter()
    refused(f"IP.TTL=={value}")
    refused(f"IP.TTL in 1-{value}")
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize("index", ["9" * 5000, "99999999999999999999", "-99999999999999999999"])
def test_huge_occurrences_are_of_no_packet(codec, index):
    frame = ipv4(17, udp())
    assert not passes(codec, f"IP.TTL[{index}]", frame)
    assert not passes(codec, f"IP.TTL[{index}]!=1", frame)
    assert passes(codec, f"not IP.TTL[{index}]==64", frame)
    batch = gathered([Packet(frame, len(frame), 0, 101)])
    codec.assign(batch.data, batch.rows, assignments([(f"IP.TTL[{index}]", "=", "1")]), None, False)
    assert batch.frame(0) == frame


def test_a_set_of_ten_thousand_and_long_chains(codec):
    frame = ipv4(17, udp())  # to port 53
    items = ",".join(map(str, range(10_000)))
    assert passes(codec, f"UDP.DST_PORT in {items}", frame)
    assert not passes(codec, f"UDP.SRC_PORT in {items.replace('1024,', '')}", frame)
    assert not passes(codec, f"not UDP.DST_PORT in {items.replace(',', ' , ')}", frame)
    assert passes(codec, " or ".join([*["UDP.DST_PORT==54"] * 9_999, "UDP.DST_PORT==53"]), frame)
    assert not passes(codec, " and ".join([*["UDP.DST_PORT==53"] * 9_999, "UDP.DST_PORT==54"]), frame)
    assert passes(codec, " and ".join(["UDP.DST_PORT==53"] * 10_000), frame)


WORDS = ["IP", "UDP.DST_PORT", "ETHERNET.TYPE[2]", "IP.SRC_ADDR", "UDP.DATA", "==", "!=", "<", "=", "in", "and", "or", "not", "(",
    ")", "53", "1,2",
         "10.0.0.0/8", "61", "x", ",", "[", "-1", "::1", "IP.TTL=="]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join) | st.text(max_size=20))
def test_whatever_is_written_is_understood_or_refused(text):
    try:
        compiled(any_of([text]))
    except UsageError as error:
        assert str(error)


# ---- assignments ----


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("IP.TTL=64", ("IP.TTL", "=", "64")), ("IP.TTL+=1", ("IP.TTL", "+=", "1")), ("IP.TTL-=1", ("IP.TTL", "-=", "1")),
        ("ip.ttl = 64", ("ip.ttl", "=", " 64")), ("ETHERNET.TYPE[2]=1", ("ETHERNET.TYPE[2]", "=", "1")),
        ("ETHERNET.TYPE[-1]=1", ("ETHERNET.TYPE[-1]", "=", "1")), ("UDP.DATA=", ("UDP.DATA", "=", "")),
        ("UDP.DATA=61 62", ("UDP.DATA", "=", "61 62")),
        ("IP.TTL==64", None), ("IP.TTL!=64", None), ("IP.TTL<=64", None), ("IP.TTL>=64", None), ("IP.TTL", None), ("IP", None),
        ("TTL=5", None),
        ("IP.TTL==1 or IP.ID=5", None), ("(IP.TTL=5)", None), ("", None), ("=", None), ("not IP.TTL=5", None),
        ("NO.FIELD=5", ("NO.FIELD", "=", "5")),
    ],
)  # fmt: skip
def test_split_assignment(text, parts):
    assert split_assignment(text) == parts


def test_steps_are_of_the_least_unit():
    """4 bytes, of the authentication header; the other extension headers count 8."""
    assert assigning.assignments([split_assignment("IPV6.EXT_SIZE+=4")])


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (("IP.TLL", "=", "5"), "no field 'IP.TLL': did you mean IP.TTL?"),
        (("IP.TTL", "=", "300"), "IP.TTL: 300 does not fit: at most 255"),
        (("IP.SRC_ADDR", "=", "1.2.3"), "IP.SRC_ADDR: '1.2.3' is not an IPv4 address"),
        (("IP.TTL", "=", ""), "IP.TTL: '' is not a number"),
        (("IP.SRC_ADDR", "=", "Q.R[2]"),
         "IP.SRC_ADDR: 'Q.R[2]' is not an IPv4 address, and there is no field 'Q.R' (-k lists the fields)"),
        (("IP.HEADER_SIZE", "=", "21"), "IP.HEADER_SIZE: 21 is not a multiple of 4 bytes that fits"),
        (("IP.OFFSET", "=", "12"), "IP.OFFSET: 12 is not a multiple of 8 bytes that fits"),
        (("IPV6.EXT_SIZE", "=", "6"), "IPV6.EXT_SIZE: 6 is not a multiple of 4 bytes that fits"),
        (("UDP.DATA", "+=", "1"), "UDP.DATA: data can be set, not counted"),
        (("IP.TTL", "+=", "x"), "IP.TTL: 'x' is not a number to count by"),
        (("IP.SRC_ADDR", "=", "10.0.0.0/8"), "IP.SRC_ADDR: '10.0.0.0/8' is not an IPv4 address"),
        (("ETHERNET.TYPE[0]", "=", "1"), "'ETHERNET.TYPE[0]': an occurrence is [1], [2] ... or [-1] for the last"),
    ],
)  # fmt: skip
def test_assignments_that_are_refused(item, said):
    with pytest.raises(UsageError) as caught:
        assignments([item])
    assert str(caught.value) == said


def test_every_field_can_be_assigned():
    values = {"mac": "1:2:3:4:5:6", "ipv4": "1.2.3.4", "ipv6": "::1", "data": "61"}
    for name, indexes in FIELDS.items():
        row = TABLE[indexes[0]]
        _, code, constants = assignments([(name, "=", values.get(row.kind, str(max(row.bias, 1) * row.scale)))])
        operation, at, occurrence, _, high, low, *_ = array("q", code)
        assert (operation, TABLE[at].name, occurrence, high) == (0, name, 1, 0)
        wanted = {"mac": 0x010203040506, "ipv4": 0x01020304, "ipv6": 1, "data": 0, "text": 0}.get(
            row.kind, max(row.bias, 1) * row.scale
        )
        assert (low, constants) == (wanted, {"data": b"a", "text": b"1"}.get(row.kind, b"")), name


def test_programs_have_no_address_of_their_own():
    """Equal texts give equal programs: they are cached by their bytes."""
    assert assignments([("ip.ttl", "=", "0x40")]) == assignments([("IP.TTL", "=", "64")])
    assert field("IP.TTL")[1] == FIELDS["IP.TTL"]
    assert unknown_name("X" * 100, ["IP"], "layer") == f"no layer '{'X' * 40}' (-k lists the fields)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('A.B=="x y" and C', ["A.B", "==", '"x y"', "and", "C"]),
        ('A.B in a,"b, c",d', ["A.B", "in", 'a,"b, c",d']),
        ('A.B=="(and)"or C', ["A.B", "==", '"(and)"or', "C"]),
        ('A.B=="&&" && C', ["A.B", "==", '"&&"', "and", "C"]),
        ('A.B=="x y', ["A.B", "==", '"x y']),
        ('A.B==""', ["A.B", "==", '""']),
        ('A.B=="', ["A.B", "==", '"']),
    ],
)
def test_words_in_quotes(text, words):
    assert expression.tokens(text) == words


@pytest.mark.parametrize(
    ("text", "items"),
    [("a,b", ["a", "b"]), ('"a,b",c', ['"a,b"', "c"]), ('a,"b', ["a", '"b']), ("", [""]), ('"",","', ['""', '","'])],
)
def test_items_of_a_set(text, items):
    assert comparing.set_items(text) == items


def test_a_range_of_one(codec):
    assert passes(codec, "IP.TTL in 64-64", ipv4(17, udp()))
    assert not passes(codec, "IP.TTL in 63-63", ipv4(17, udp()))


def test_an_occurrence_with_a_range_asks_that_occurrence_for_both_ends(codec):
    inner = bytearray(ipv4(17, udp()))
    inner[8] = 5
    frame = ipv4(4, bytes(inner))  # 64 outside, 5 inside
    assert passes(codec, "IP.TTL[2] in 1-9", frame)
    assert not passes(codec, "IP.TTL[2] in 6-99", frame)
    assert not passes(codec, "IP.TTL[2] in 1-4", frame)


def passes(codec, expression: str, frame: bytes) -> bool:
    """Whether an expression lets a frame of raw IP through."""
    batch = gathered([Packet(frame, len(frame), 0, 101)])
    return bool(codec.select(batch.data, batch.rows, compiled(any_of([expression]))))
