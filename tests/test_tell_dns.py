"""What is told of DNS messages. What is said of judges was noted from tshark 4.0.17, tcpdump 4.99.3."""

from __future__ import annotations

import struct

import pytest
from told import tell

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, OPT, DS, RRSIG, HTTPS, CAA = 1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 43, 46, 65, 257
ANSWER, QUERY = 0x8180, 0x0100
NAME = b"\1a\7example\0"  # of questions, at 12: pointers to it are 0xC00C
QUESTION = NAME + b"\0\1\0\1"


def message(flags: int, *sections: list[bytes], number: int = 7) -> bytes:
    """A message of questions, answers, authorities and more."""
    counts = [len(section) for section in sections] + [0] * (4 - len(sections))
    return struct.pack("!6H", number, flags, *counts) + b"".join(b"".join(section) for section in sections)


def record(kind: int, data: bytes, owner: bytes = b"\xc0\x0c", klass: int = 1, ttl: int = 300) -> bytes:
    return owner + struct.pack("!HHIH", kind, klass, ttl, len(data)) + data


def value(kind: int, data: bytes) -> str:
    """What is told of the value of a record."""
    line = tell("dns", message(ANSWER, [QUESTION], [record(kind, data)]))
    assert line is not None
    return line.removeprefix("7 A? a.example. 1/0/0 ")


def test_a_query_and_its_answer():
    """As tcpdump writes them, with the question of an answer, and the owner where it is another one."""
    assert tell("dns", message(QUERY, [QUESTION], number=28416)) == "28416+ A? a.example."
    edns = record(OPT, b"", b"\0", klass=1232, ttl=0)
    assert tell("dns", message(QUERY | 0x30, [QUESTION], [], [], [edns])) == "7+$% [1au] A? a.example."
    alias = record(CNAME, b"\3web\xc0\x0e")
    there = record(A, b"\xc0\0\2\1", b"\3WEB\xc0\x0e")
    other = record(AAAA, bytes(15) + b"\1", b"\1b\xc0\x0e")
    assert tell("dns", message(ANSWER | 0x400, [QUESTION], [alias, there, other])) == (
        "7* A? a.example. 3/0/0 CNAME web.example., A 192.0.2.1, b.example. AAAA ::1"
    )
    assert tell("dns", message(0x8183, [QUESTION], [], [record(SOA, bytes(22))])) == "7 NXDomain A? a.example. 0/1/0"
    assert tell("dns", message(0x8000 | 0x200, [QUESTION])) == "7-| A? a.example. 0/0/0"
    assert tell("dns", message(QUERY, [b"\7version\4bind\0\0\x10\0\3"])) == "7+ CH TXT? version.bind."
    assert tell("dns", message(QUERY, [b"\0" + struct.pack("!HH", 64999, 999)])) == "7+ CLASS999 TYPE64999? ."


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([b"a.b", b"example"], r"a\.b.example."),  # tshark, tcpdump: as a, b, example
        ([b"a\\b"], r"a\\b."),
        ([b"AbC"], "AbC."),
        ([], "."),
        ([b"a b\0\x1b[31m\xff"], r"a\032b\000\027[31m\255."),
        ([b"\xe2\x80\xae", b"x\x9b1m\x7f"], r"\226\128\174.x\1551m\127."),  # U+202E, C1, DEL
    ],
)
def test_names_are_octets(labels, told):
    """RFC 1035 section 5.1, RFC 4343 sections 2.1 and 4.1."""
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    assert tell("dns", message(QUERY, [name + b"\0\1\0\1"])) == f"7+ A? {told}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (b"\1b\xc0\x0e", "b.example."),  # back, to a name in front
        (b"\1b\xc0\x1b", "b. [bad pointer]"),  # to itself: at 27
        (b"\1b\xc0\x1d", "b. [bad pointer]"),  # to the pointer: a loop in other readers
        (b"\1b\xc0\x40", "b. [bad pointer]"),  # forward: tshark follows, tcpdump leaves the question out
        (b"\1b\xc0\x04", "b. [bad pointer]"),  # into the header: both follow
        (b"\1b\x41", "b. [bad label]"),
        (b"\1b\xc0", "b. [|]"),
        (b"\1b\5exa", "b. [|]"),
    ],
)
def test_pointers_lead_back_only(name, told):
    """RFC 1035 section 4.1.4."""
    whole = message(QUERY, [QUESTION, name + b"\0\1\0\1" * (name[-1] != 0xC0 and name[-1] != 0x41 and b"exa" not in name)])
    assert len(NAME) + 12 + 4 == 27
    line = tell("dns", whole)
    assert line in (f"7+ A? a.example., A? {told}", f"7+ A? a.example., {told}")


def test_a_name_has_255_octets_at_most():
    """And a chain of pointers, each of which leads back, ends by itself, as does one that is as long as a message may be."""
    label = b"\x3f" + b"x" * 63
    for labels, told in (
        (label * 3 + b"\x3d" + b"y" * 61 + b"\0", "y."),
        (label * 3 + b"\x3e" + b"y" * 62 + b"\0", " [long name]"),
    ):
        line = tell("dns", message(QUERY, [labels + b"\0\1\0\1"]))
        assert line is not None
        assert line.endswith(told)
    chain = [b"\0\0\1\0\1"] + [b"\1x" + struct.pack("!H", 0xC000 | at) + b"\0\1\0\1" for at in (12, *range(17, 9000, 8))]
    line = tell("dns", message(QUERY, chain))
    assert line is not None
    assert line.endswith("...")


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (NS, b"\2ns\xc0\x0e", "NS ns.example."),
        (PTR, b"\xc0\x0c", "PTR a.example."),
        (MX, b"\0\x0a\2mx\xc0\x0e", "MX 10 mx.example."),
        (SOA, b"\xc0\x0c\1h\xc0\x0e" + struct.pack("!5I", 2026, 1, 2, 3, 4), "SOA a.example. h.example. 2026 1 2 3 4"),
        (SRV, b"\0\1\0\2\x13\xc4\xc0\x0c", "SRV 1 2 5060 a.example."),
        (TXT, b"\3a b\0\5\"\\\x1b\xc3\xa9", r'TXT "a b" "" "\"\\\x1b\xc3\xa9"'),  # tcpdump: neither escaped
        (CAA, b"\x80\5issueca.example", 'CAA 128 issue "ca.example"'),
        (DS, b"\x12\x34\x0d\2" + b"\xab" * 32, "DS 4660 13 2 " + "ab" * 32),
        (RRSIG, struct.pack("!HBBIIIH", A, 13, 2, 300, 1767225599, 2**32 - 1, 5) + NAME + bytes(64),
         "RRSIG A 13 2 300 20251231235959 21060207062815 5 a.example."),
        (HTTPS, b"\0\1\0" + b"\0\1\0\7\2h2\3h,3" + b"\0\3\0\2\1\xbb" + b"\0\4\0\4\xc0\0\2\1" + b"\0\6\0\x10" + bytes(15) + b"\1",
         r"HTTPS 1 . alpn=h2,h\,3 port=443 ipv4hint=192.0.2.1 ipv6hint=::1"),
        (64, b"\0\0\xc0\x0c", "SVCB 0 a.example."),
        (64, b"\0\1\0\0\0\0\4\0\1\2\x9b\0\2\0\0\2\x9b\0\1\xff", "SVCB 1 . mandatory=alpn,key667 no-default-alpn key667=ff"),
        (65280, b"\x0a\0\0\1", r"TYPE65280 \# 4 0a000001"),  # RFC 3597 section 5
        (35, b"", "NAPTR"),
        (48, bytes(70), rf"DNSKEY \# 70 {'00' * 64}..."),
        (A, b"\xc0\0\2", "A [bad length]"),
        (AAAA, bytes(17), "AAAA [bad length]"),
        (MX, b"\0\x0a", "MX [bad length]"),
        (NS, b"\xc0\x0c\0", "NS a.example. [bad length]"),
        (TXT, b"\5abc", 'TXT "abc" [bad length]'),
        (CAA, b"\0\7issue", "CAA [bad length]"),
        (HTTPS, b"\0\1\0\0\1\0\7\2h2", "HTTPS 1 . [bad length]"),
        (64, b"\0\1\0\0\3\0\1\0", "SVCB 1 . port= [bad length]"),
        (CNAME, b"\xc0\x80", "CNAME [bad pointer]"),
    ],
)  # fmt: skip
def test_values(kind, data, told):
    """By RDLENGTH, whatever the type: one that is not known, or is wrong, hides nothing behind it."""
    assert value(kind, data) == told
    line = tell("dns", message(ANSWER, [QUESTION], [record(kind, data), record(A, b"\xc0\0\2\1", NAME)]))
    assert line is not None
    assert line.endswith(", A 192.0.2.1") or (kind == CNAME and line.endswith(", a.example. A 192.0.2.1"))


def test_response_codes_have_twelve_bits():
    """RFC 6891 section 6.1.3: tshark's header says "No error"; the record may stand anywhere, and its class is a size."""
    extended = record(OPT, b"", b"\0", klass=0x8400, ttl=1 << 24)
    more = record(A, b"\xc0\0\2\1")
    for additional in ([extended], [more, extended, more]):
        line = tell("dns", message(ANSWER, [QUESTION], [more], [], additional))
        assert line == f"7 BADVERS A? a.example. 1/0/{len(additional)} A 192.0.2.1"
    assert tell("dns", message(ANSWER | 7, [QUESTION], [], [], [extended])) == "7 BADCOOKIE A? a.example. 0/0/1"
    assert tell("dns", message(ANSWER | 12, [QUESTION])) == "7 rcode12 A? a.example. 0/0/0"


def test_several_over_tcp():
    """RFC 1035 section 4.2.2, RFC 7766 section 8. tcpdump prints none, tshark's line names the last one only."""
    one, two = message(QUERY, [QUESTION]), message(QUERY, [b"\1b\0\0\x1c\0\1"], number=8)
    both = b"".join(struct.pack("!H", len(m)) + m for m in (one, two))
    assert tell("dns_tcp", both) == "7+ A? a.example.; 8+ AAAA? b."
    assert tell("dns_tcp", both[:-1]) == "7+ A? a.example.; 8+ b. [|]"
    assert tell("dns_tcp", both[: len(one) + 10]) == "7+ A? a.example.; [|]"
    assert tell("dns_tcp", both[: len(one) + 3]) == "7+ A? a.example.; [|]"
    assert tell("dns_tcp", both[: len(one) + 2] + b"\0\5hello") == "7+ A? a.example.; [bad length]"
    assert tell("dns_tcp", b"\0\5hello, world, this is none") is None
    assert tell("dns_tcp", both, end=len(one) + 2) == "7+ A? a.example."


def test_multicast():
    """RFC 6762 sections 5.4 and 10.2: the top bit of a class, but of an OPT, where it is part of a size."""
    question = b"\4_ipp\4_tcp\5local\0"
    assert tell("dns", message(0, [question + b"\0\x0c\x80\1"], number=0)) == "0 PTR (QU)? _ipp._tcp.local."
    opt = record(OPT, b"", b"\0", klass=0x8584, ttl=0)
    answers = [record(PTR, b"\2my\xc0\x0c", question), record(A, b"\xc0\0\2\1", b"\2my\xc0\x0c", klass=0x8001), opt]
    assert tell("dns", message(0x8400, [], answers, number=0)) == (
        "0*- 3/0/0 _ipp._tcp.local. PTR my._ipp._tcp.local., my._ipp._tcp.local. (flush) A 192.0.2.1, . OPT"
    )


def test_link_local():
    """RFC 4795 section 2.1.1: its flags mean something else, by the port."""
    ports = struct.pack("!HHHH", 50000, 5355, 0, 0)
    assert tell("dns", message(0x8500, [QUESTION]), ports) == "7 conflict tentative A? a.example. 0/0/0"
    assert tell("dns", message(0x8500, [QUESTION]), bytes(8)) == "7*- A? a.example. 0/0/0"


def test_updates():
    """RFC 2136 section 2.5.2: records without data delete; the next name is not theirs."""
    zone = NAME + b"\0\6\0\1"
    gone, added = record(A, b"", b"\1b\xc0\x0e", klass=255), record(A, b"\xc0\0\2\1", b"\1b\xc0\x0e")
    assert tell("dns", message(0x2800, [zone], [], [gone, added])) == (
        "7 update [2n] SOA? a.example. b.example. ANY A, A 192.0.2.1"
    )


def test_cut_messages():
    """Every truncation says so; with less than a header there is nothing to tell."""
    whole = message(ANSWER, [QUESTION], [record(A, b"\xc0\0\2\1"), record(NS, b"\2ns\xc0\x0e")])
    for size in range(len(whole)):
        line = tell("dns", whole[:size])
        assert (line is None) if size < 12 else (line is not None and " [|]" in line)
