"""Lists of items with a type and a length, such as options: their fields, on both codecs; malformed and truncated ones."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from conftest import shell
from samples import batch, ethernet, extension, ipv4, ipv6, row_of, tcp

from pkttools import codec as ours
from pkttools.errors import PktError
from pkttools.language import assigning, expression
from pkttools.protocols.compile import descriptions, our_files
from pkttools.protocols.fields import BY_HEADER, FIELDS, HEADERS, TABLE

FOLDER = Path(__file__).parent / "data/protocols"
MSS, SACK_PERMITTED, TIMES, NOP, END = b"\2\4\5\xb4", b"\4\2", b"\x08\x0a\0\0\0\7\0\0\0\x09", b"\1", b"\0"
SACK = b"\5\x12" + struct.pack("!4I", 10, 20, 30, 40)


def with_options(options: bytes, payload: bytes = b"\2\4\5\xb4\2\4\5\xb4") -> bytes:
    """A segment whose payload looks like options, too: they are none."""
    return ipv4(6, tcp(payload, options + bytes(-len(options) % 4)))


def values(codec, frame: bytes, name: str, linktype: int = 101) -> list[bytes]:
    """The bytes of all fields of a name, as far as they are in their item."""
    rows = {TABLE[index].header: TABLE[index] for index in FIELDS[name]}
    found = []
    for _, kind, start, data, end in codec.items(bytearray(frame), row_of(frame, linktype)):
        assert 0 <= start <= data <= end <= len(frame)
        field = rows.get(kind)
        if field and field.kind == "data":
            found += [frame[data:end]] if data < end else []
        elif field and start * 8 + field.bit + field.width <= end * 8:
            found.append(frame[start + field.bit // 8 : start + (field.bit + field.width + 7) // 8])
    return found


@pytest.mark.parametrize(("options", "kinds", "mss"), [
    (MSS, [2], 1), (NOP + MSS + NOP, [1, 2, 1, 0], 1), (MSS + MSS, [2, 2], 2), (END + MSS, [0], 0), (MSS + END + MSS, [2, 0], 1),
    (b"\2\0" + MSS, [], 0), (b"\2\1" + MSS, [], 0), (b"\2\2" + MSS, [2, 2, 0], 1), (b"\2\3\1" + MSS, [2, 2, 0], 1),
    (b"\2\5\1\1\1" + MSS, [2, 2, 0], 2),  # longer than it should be: what it has is read
    (MSS + b"\2\5\5\xb4", [2], 1), (MSS + b"\2\xff\5\xb4", [2], 1), (NOP * 3 + b"\2", [1, 1, 1], 0), (NOP * 40, [1] * 40, 0),
    (b"\xfa\2" + MSS, [250, 2, 0], 1), (b"", [], 0),
])  # fmt: skip
def test_where_a_list_ends(codec, options, kinds, mss):
    """RFC 9293 section 3.1: at 0; at a length that is less than 2, or more than there is. Never behind the header."""
    frame = with_options(options)
    assert values(codec, frame, "TCP.OPT_KIND") == [bytes([kind]) for kind in kinds]
    assert len(values(codec, frame, "TCP.OPT_MSS")) == mss


@pytest.mark.parametrize("offset", range(16))
def test_where_the_header_ends(codec, offset):
    """By its own words, but no further than the datagram; an impossible size has no options."""
    frame = bytearray(with_options(MSS * 5, b""))
    frame[32] = offset << 4
    assert len(values(codec, bytes(frame), "TCP.OPT_MSS")) == (min(offset - 5, 5) if offset >= 5 else 0)


def test_what_was_not_captured_is_no_value(codec):
    """At any length of what was captured: an option is there as a whole, or it is not."""
    frame = ethernet(0x0800, with_options(MSS + SACK_PERMITTED + TIMES + NOP + NOP + SACK, b""))
    ends = {"TCP.OPT_MSS": 58, "TCP.OPT_SACK_PERMITTED": 60, "TCP.OPT_TSVAL": 70, "TCP.OPT_TSECR": 70, "TCP.OPT_SACK": 90}
    for size in range(54, len(frame) + 1):
        for name, end in ends.items():
            assert len(values(codec, frame[:size], name, 1)) == (size >= end), (size, name)
        assert values(codec, frame[:size], "TCP.OPT_SACK_LEFT", 1) == ([frame[74:78], frame[82:86]] if size >= 90 else [])


def selected(codec, frame: bytes, text: str) -> bool:
    b = batch([(101, frame)])
    return bool(codec.select(b.data, bytes(b.rows), expression.compiled(expression.any_of([text]))))


@pytest.mark.parametrize(("text", "holds"), [
    ("TCP.OPT_MSS", True), ("TCP.OPT_MSS==1460", True), ("TCP.OPT_MSS[2]==536", True), ("TCP.OPT_MSS[-1]==536", True),
    ("TCP.OPT_MSS[-2]==1460", True), ("TCP.OPT_MSS[3]", False), ("TCP.OPT_MSS[-3]", False), ("TCP.OPT_MSS!=1460", False),
    ("TCP.OPT_SACK", True), ("TCP.OPT_SACK==0000000a000000140000001e00000028", True), ("TCP.OPT_SACK_LEFT[2]==30", True),
    ("TCP.OPT_SACK_RIGHT[-1] in 40-50", True), ("TCP.OPT_SACK_LEFT[3]", False), ("TCP.OPT_SACK_PERMITTED", False),
    ("not TCP.OPT_TSVAL", True), ("TCP.OPT_KIND[3]==sack", True), ("TCP.OPT_SIZE<4", False), ("TCP.OPT_WSCALE<99", False),
])  # fmt: skip
def test_filters(codec, text, holds):
    assert selected(codec, with_options(MSS + b"\2\4\2\x18" + SACK, b""), text) is holds


def test_options_of_every_header(codec):
    """Outermost first, as with fields of headers."""
    frame = ipv4(4, with_options(MSS, b"")) + bytes(3)
    outer = ipv4(47, b"\0\0\x08\0" + with_options(b"\2\4\0\1", b""))
    assert values(codec, frame, "TCP.OPT_MSS") == [b"\5\xb4"]
    assert values(codec, outer, "TCP.OPT_MSS") == [b"\0\1"]
    assert values(codec, ipv6(6, tcp(b"", MSS)), "TCP.OPT_MSS") == [b"\5\xb4"]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(("name", "value", "now"), [
    ("TCP.OPT_MSS", "536", [b"\2\x18", b"\5\xb4"]), ("TCP.OPT_MSS[2]", "536", [b"\5\xb4", b"\2\x18"]),
    ("TCP.OPT_SACK_LEFT[2]", "0xffffffff", [struct.pack("!I", 10), b"\xff" * 4]), ("TCP.OPT_SACK", "aabb", None),
    ("TCP.OPT_SACK", "ff " * 30, [b"\xff" * 16]),
])  # fmt: skip
def test_a_value_is_set_in_place(codec, version, name, value, now):
    """Nothing changes its length, what is too long is cut, and checksums follow."""
    segment = tcp(b"", MSS + MSS + SACK + NOP + NOP)
    frame = ipv4(6, segment) if version == 4 else ipv6(6, segment)
    b = batch([(101, frame)])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    size = len(b.data)
    program = assigning.assignments([(name, "=", value)])
    assert codec.assign(b.data, bytes(b.rows), program, None, True)[1:] == ((1,), (int(len(value) > 32),), 0, 0)
    assert values(codec, bytes(b.data), name.partition("[")[0]) == (now or [b"\xaa\xbb" + SACK[4:]])
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])
    assert len(b.data) == size


def test_what_an_earlier_assignment_made_of_a_list(codec):
    """Later ones meet it as it is then."""
    b = batch([(101, with_options(MSS + b"\2\4\2\x18", b""))])
    program = assigning.assignments([("TCP.OPT_SIZE", "=", "8"), ("TCP.OPT_MSS[2]", "=", "1"), ("TCP.OPT_MSS", "=", "2")])
    assert codec.assign(b.data, bytes(b.rows), program, None, False)[1] == (1, 0, 1)


def test_the_lines_of_a_packet_give_it_back(backend):
    """With `-aa`; `-a` has those of 1.16 alone. An edited option counts, though TCP.DATA has its bytes, too."""
    packet = with_options(MSS + NOP + NOP + SACK + b"\xfd\6\xac\xce\1\2" + b"\xfe\6\0\1\3\4")
    b = batch([(1, ethernet(0x0800, packet))])
    text = bytes(ours.text_encode(b.data, bytes(b.rows), 0, 1, 16, False, 0)[0])
    every = shell("pkt-txt2txt -aa", text, backend=backend).stdout
    assert b"TCP.OPT_MSS:\t\t0x5b4\n" in every
    assert b"TCP.OPT_EXP_VALUE[2]:\t03 04\n" in every
    assert b"OPT" not in shell("pkt-txt2txt -a", text, backend=backend).stdout
    lines = [line for line in every.splitlines() if b".OPT" in line]
    assert [line.split(b":")[0] for line in lines[:3]] == [b"TCP.OPT_KIND", b"TCP.OPT_SIZE", b"TCP.OPT_MSS"]
    bare = b"\n".join(line for line in every.splitlines() if not line[:6].isdigit()) + b"\n"
    assert shell("pkt-txt2txt -aa", bare, backend=backend).stdout == every
    edited = every.replace(b"OPT_SACK_LEFT:\t0x1e\n", b"OPT_SACK_LEFT:\t0x1d\n").replace(
        b"OPT_EXP_VALUE[2]:\t03", b"OPT_EXP_VALUE[2]:\t07"
    )
    again = shell("pkt-txt2txt -aa", edited, backend=backend)
    assert again.stderr == b""
    assert b"OPT_SACK_LEFT:\t0x1d\n" in again.stdout
    assert b"OPT_EXP_VALUE[2]:\t07 04\n" in again.stdout


def test_names_that_were_meant(backend):
    done = shell("pkt-filter TCP.OPT_MMS==1 < /dev/null", backend=backend)
    assert b"did you mean TCP.OPT_MSS?" in done.stderr
    assert b"TCP.OPT_TSVAL           32 bits" in shell("pkt-filter -k", backend=backend).stdout


def test_columns_of_the_list_of_fields(backend):
    """Blanks are between them, however long a name is."""
    lines = shell("pkt-filter -k", backend=backend).stdout.decode().splitlines()
    columns = [line.split("  ")[0] for line in lines if line.partition(".")[0].isupper()]
    assert columns == [*dict.fromkeys(row.name for row in TABLE)]


@pytest.mark.parametrize(("inner", "found"), [
    (b"\0\5\0\x18" + bytes(24), 1), (b"\0\5\0\x19" + bytes(24), 0),  # longer than what it is in
    (b"\0\5\0\x18" + bytes(23), 0), (b"\0\5\0\x20" + bytes(24) + b"\0\5\0\x18", 0),
    (b"\0\7\0\1\1\0\5\0\x18" + bytes(24), 1), (b"", 0),
    (b"\0\5\0\x3c" + bytes(24) + b"\0\3\0\x20" + bytes(12) + b"\0\3\0\x10" + bytes(12) + b"\0\7\0\0", 1), (b"\0\5\0\x18" * 7, 1),
])  # fmt: skip
def test_options_in_options(codec, inner, found):
    """RFC 8415 section 21.4: those of an IA lie in it, and never go beyond it; what is behind it is found if they are sound."""
    inside = b"\0\3" + struct.pack("!H", 12 + len(inner)) + bytes(12) + inner
    message = b"\1\1\2\3" + inside + b"\0\7\0\1\x09"
    frame = ipv6(17, struct.pack("!4H", 546, 547, 8 + len(message), 0) + message)
    assert len(values(codec, frame, "DHCPV6.OPT_ADDR")) == found
    sound = found or not inner
    assert values(codec, frame, "DHCPV6.OPT_PREFERENCE")[-1:] == ([b"\x09"] if sound else [])


def chunks(*of: bytes) -> bytes:
    """A packet of SCTP."""
    return ipv4(132, struct.pack("!HHII", 1, 2, 3, 0) + b"".join(of))


INIT = struct.pack("!IIHHI", 1, 2, 3, 4, 5)


@pytest.mark.parametrize(("inner", "found"), [
    (b"\0\5\0\x08\xc0\0\2\1" + b"\x80\x08\0\5\xc1\0\0\0" + b"\0\5\0\x08\xc0\0\2\2", 2),
    (b"\0\5\0\x09\xc0\0\2\1", 0), (b"\0\5\0\3\xc0\0\2\1", 0), (b"\0\5\0\x08\xc0\0\2\1\0\5", 1), (b"\0", 0), (b"", 0),
    (b"\xc0\1\0\x10\0\0\0\1" + b"\0\5\0\x08\xc0\0\2\1" + b"\0\5\0\x08\xc0\0\2\2", 2),  # RFC 5061: in a parameter
])  # fmt: skip
def test_another_list_in_an_item(codec, inner, found):
    """RFC 9260 section 3.2.1: parameters of a chunk. Where they are malformed, the chunk behind is found all the same."""
    init = b"\1\0" + struct.pack("!H", 20 + len(inner)) + INIT + inner + bytes(-len(inner) % 4)
    frame = chunks(init, b"\x0e\0\0\4")
    assert len(values(codec, frame, "SCTP.PARAMETER_IPV4")) == found
    assert values(codec, frame, "SCTP.CHUNK_TYPE") == [b"\1", b"\x0e"]


@pytest.mark.parametrize(("gaps", "twice", "left", "right"), [
    (0, 0, [], []), (2, 0, [2, 4], []), (1, 1, [2], [0x40005]), (0, 2, [], [0x20003, 0x40005]), (2, 9, [2, 4], []),
    (9, 1, [2, 4], []),     (0xFFFF, 0xFFFF, [2, 4], []), (3, 0, [2, 4], []),
])  # fmt: skip
def test_pieces_that_are_counted(codec, gaps, twice, left, right):
    """RFC 9260 section 3.3.4: so many blocks, and behind them so many chunks that arrived twice; no more than there are."""
    sack = b"\3\0\0\x18" + struct.pack("!IIHH", 1, 2, gaps, twice) + struct.pack("!HHHH", 2, 3, 4, 5)
    frame = chunks(sack, b"\x0e\0\0\4")
    assert [int.from_bytes(value) for value in values(codec, frame, "SCTP.SACK_GAP_START")] == left
    assert [int.from_bytes(value) for value in values(codec, frame, "SCTP.SACK_DUPLICATE")] == right


def overloaded(options: bytes, file: bytes = b"", name: bytes = b"") -> bytes:
    """A DHCP message with what stands in FILE and SNAME."""
    message = bytes(44) + name.ljust(64, b"\0") + file.ljust(128, b"\0") + b"\x63\x82\x53\x63" + options
    return ipv4(17, struct.pack("!4H", 67, 68, 8 + len(message), 0) + message)


LEASE, OTHER_LEASE = b"\x33\4\0\0\0\1", b"\x33\4\0\0\0\2"


@pytest.mark.parametrize(("options", "file", "name", "leases"), [
    (b"\x34\1\1\xff", LEASE, OTHER_LEASE, [1]), (b"\x34\1\2\xff", LEASE, OTHER_LEASE, [2]),
    (b"\x34\1\3\xff", LEASE, OTHER_LEASE, [1, 2]),  # RFC 2131 section 4.1: FILE comes first
    (b"\x34\1\0", LEASE, OTHER_LEASE, []), (b"", LEASE, OTHER_LEASE, []), (b"\xff\x34\1\3", LEASE, OTHER_LEASE, []),
    (b"\x34\0\3\1\0\xff", LEASE, OTHER_LEASE, []), (b"\x34\1", LEASE, OTHER_LEASE, []),  # it says nothing
    (b"\x34\2\1\0", LEASE, b"", [1]), (b"\x34\1\1", b"\x34\1\2" + LEASE, OTHER_LEASE, [1]),  # only options say it
    (b"\x34\1\3", LEASE + b"\xff" + LEASE, bytes(60) + LEASE[:4], [1]), (b"\x34\1\2", b"", bytes(58) + LEASE, [1]),
    (OTHER_LEASE + b"\x34\1\1", LEASE, b"", [2, 1]), (b"\x34\1\1\x34\1\2", LEASE, OTHER_LEASE, [1, 2]),
])  # fmt: skip
def test_options_in_other_fields(codec, options, file, name, leases):
    """RFC 2132 section 9.3: where an option says so, FILE and SNAME have some; each list ends where its field does."""
    frame = overloaded(options, file, name)
    assert values(codec, frame, "DHCP.OPT_LEASE") == [lease.to_bytes(4) for lease in leases]
    assert values(codec, frame.replace(b"\x63\x82", b"\0\0"), "DHCP.OPT_LEASE") == []
    b = batch([(101, frame)])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    sets = [("DHCP.OPT_LEASE[-1]", "=", "7"), ("DHCP.OPT_OVERLOAD", "=", "0")]
    placed = codec.assign(b.data, bytes(b.rows), assigning.assignments(sets), None, True)[1]
    assert placed[0] == bool(leases)
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])


def test_an_option_in_pieces(codec):
    """RFC 3396: each is reached by its number, in FILE and SNAME, too."""
    frame = overloaded(b"\x77\1a\x34\1\3\x77\2bc", b"\x77\1d", b"\x77\1e")
    assert values(codec, frame, "DHCP.OPT_SEARCH") == [b"a", b"bc", b"d", b"e"]
    assert selected(codec, frame, "DHCP.OPT_SEARCH[2]==6263")
    assert selected(codec, frame, "DHCP.OPT_SEARCH[-1]==65")


@pytest.mark.parametrize(("flag", "times", "addresses"), [
    (0, 4, 0), (1, 2, 2), (3, 2, 2), (2, 0, 0), (0xF3, 2, 2),
])  # fmt: skip
@pytest.mark.parametrize("odd", [0, 3])
def test_time_stamps_of_routers(codec, flag, times, addresses, odd):
    """RFC 791 section 3.1: alone, or each behind an address; a piece of one is none. One is set in place, and sums follow."""
    entries = struct.pack("!4I", 1, 2, 3, 4)
    stamps = bytes([68, 20 + odd, 5, flag]) + entries + bytes(odd)
    frame = ipv4(17, struct.pack("!4H", 9, 9, 8, 0), stamps + bytes(-len(stamps) % 4))
    assert len(values(codec, frame, "IP.OPT_TS_TIME")) == times
    assert len(values(codec, frame, "IP.OPT_TS_ADDR")) == addresses
    assert values(codec, frame, "IP.OPT_TS") == [entries + bytes(odd)]
    assert values(codec, ipv4(17, bytes(8), b"\x44\3\5\0"), "IP.OPT_TS_TIME") == []  # nothing says what they are
    b = batch([(101, frame)])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    sets = [("IP.OPT_TS_TIME[2]", "=", "9"), ("IP.OPT_TS_ADDR[-1]", "=", "192.0.2.9")]
    placed = codec.assign(b.data, bytes(b.rows), assigning.assignments(sets), None, True)[1]
    assert placed == (bool(times), bool(addresses))
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])


ALERT, ALERT6, ACK = b"\x94\4\0\0", b"\5\2\0\0", b"\x0b\0\0\4"


@pytest.mark.parametrize(("name", "items", "types"), [
    ("IP", ALERT, [148]), ("IP", b"\x94\0\0\0" + ALERT, []), ("IP", b"\x94\1\0\0" + ALERT, []), ("IP", b"\x94\x28\0\0" + ALERT, []),
    ("IP", b"\0" + ALERT, [0]), ("IP", b"\1\1" + ALERT + b"\1\1", [1, 1, 148, 1, 1]), ("IP", b"\1\1\1\x94", [1, 1, 1]),
    ("IP", b"\x94\2" + ALERT, [148, 148, 0]), ("IPV6", ALERT6 + b"\1\0", [5, 1]), ("IPV6", b"\5\0" + ALERT6, [5, 5]),
    ("IPV6", b"\5\xff" + ALERT6, []), ("IPV6", b"\0\0" + ALERT6, [0, 0, 5]), ("IPV6", b"\0\0\0\0\0\5", [0, 0, 0, 0, 0]),
    ("SCTP", ACK + ACK, [11, 11]), ("SCTP", b"\x0b\0\0\0" + ACK, []), ("SCTP", b"\x0b\0\0\3" + ACK, []),
    ("SCTP", b"\4\0\0\5x\0\0\0" + ACK, [4, 11]), ("SCTP", b"\4\0\0\5x", [4]), ("SCTP", b"\4\0\0\xff" + ACK, []),
    ("SCTP", ACK + b"\x0b\0\0", [11]),
])  # fmt: skip
def test_where_other_lists_end(codec, name, items, types):
    """At an end, and at a length that is too short, or more than there is; what is malformed passes, and is set as it stands."""
    frames = {
        "IP": lambda: ipv4(17, struct.pack("!4H", 9, 9, 8, 0), items + bytes(-len(items) % 4)),
        "IPV6": lambda: ipv6(0, extension(17, items) + struct.pack("!4H", 9, 9, 8, 0)),
        "SCTP": lambda: ipv4(132, struct.pack("!HHII", 1, 2, 3, 0) + items),
    }
    frame, field = frames[name](), "CHUNK_TYPE" if name == "SCTP" else "OPT_TYPE"
    assert [value[0] for value in values(codec, frame, f"{name}.{field}")] == types
    b = batch([(101, frame)])
    placed = codec.assign(b.data, bytes(b.rows), assigning.assignments([(f"{name}.{field}[-1]", "=", "7")]), None, False)[1]
    assert (placed, len(b.data)) == ((bool(types),), len(frame))


def option(kind: int, value: bytes) -> bytes:
    """Of DHCPv6."""
    return struct.pack("!HH", kind, len(value)) + value


def relayed(*options: bytes) -> bytes:
    """What a relay makes of a message."""
    return b"\x0c\0" + bytes(32) + b"".join(options)


def over_udp6(message: bytes) -> bytes:
    return ipv6(17, struct.pack("!4H", 547, 547, 8 + len(message), 0) + message)


SOLICIT = b"\1\x12\x34\x56" + option(8, b"\0\5")


@pytest.mark.parametrize(("message", "kinds"), [
    (relayed(option(9, SOLICIT)), "R1"), (relayed(option(18, b"eth0"), option(9, SOLICIT), option(37, b"\0\0\0\x09x")), "R1"),
    (relayed(option(9, relayed(option(0, b""), option(9, SOLICIT)))), "RR1"), (relayed(option(18, b"eth0")), "R"),
    (relayed(option(9, b"")), "R"), (relayed(option(9, SOLICIT[:3])), "R"), (relayed(option(9, SOLICIT[:4])), "R1"),
    (relayed(option(18, b"e")[:-1], option(9, SOLICIT)), "R"), (relayed(b"\0\x12\xff\xff", option(9, SOLICIT)), "R"),
    (relayed(b"\0\x09\xff\xff" + SOLICIT), "R1"),  # cut, as it may be; its end is that of the datagram
    (relayed(option(9, b"\x63" + SOLICIT[1:])), "R"), (relayed(b"\0\x09\0"), "R"), (relayed(), "R"),
    (relayed(option(9, relayed()[:-1])), "R"),
])  # fmt: skip
def test_a_relayed_message(codec, message, kinds):
    """RFC 8415 section 19: it is an option, and a message with a header of its own; both are found."""
    frame = over_udp6(message)
    found = [HEADERS[kind] for kind, *_ in codec.walk(bytearray(frame), row_of(frame, 101))][2:]
    assert "".join({"DHCPV6": "1", "DHCPV6_RELAY": "R"}[name] for name in found) == kinds


def test_messages_in_messages(codec):
    """As many as headers may be, an option in front of each; a value is set in the innermost one, and the sum follows."""
    message = SOLICIT
    for _ in range(40):
        message = relayed(option(18, b"eth0"), option(9, message))
    frame = over_udp6(message)
    assert len(codec.walk(bytearray(frame), row_of(frame, 101))) == 32
    b = batch([(101, over_udp6(relayed(option(9, relayed(option(9, SOLICIT))))))])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    sets = [("DHCPV6.XID", "=", "7"), ("DHCPV6.TYPE[-1]", "=", "reply"), ("DHCPV6.OPT_ELAPSED", "=", "9")]
    assert codec.assign(b.data, bytes(b.rows), assigning.assignments(sets), None, True)[1:] == ((1, 1, 1), (0, 0, 0), 0, 0)
    assert bytes(b.data).endswith(b"\7\0\0\7" + option(8, b"\0\x09"))
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])
    sets = [("DHCPV6.OPT_TYPE", "=", "0"), ("DHCPV6.XID", "=", "1"), ("DHCPV6.OPT_TYPE", "=", "9"), ("DHCPV6.XID", "=", "2")]
    assert codec.assign(b.data, bytes(b.rows), assigning.assignments(sets), None, True)[1] == (1, 0, 1, 1)


def test_a_route_is_followed_where_it_changes(codec):
    """The last address of a source route is whom the pseudo-header is about (RFC 1122 section 4.1.3.5)."""
    b = batch([(101, ipv4(6, tcp(), b"\x83\x0b\4\xc0\0\2\x09\xc0\0\2\x08\0"))])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    before = bytes(b.data)
    program = assigning.assignments([("IP.OPT_LSRR[-1]", "=", "198.51.100.9")])
    assert codec.assign(b.data, bytes(b.rows), program, None, True)[1:] == ((1,), (0,), 0, 0)
    assert bytes(b.data)[48:50] != before[48:50]
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])


def test_options_of_ipv6(codec):
    """Of hop-by-hop and destination options, in order; what only has their form, such as mobility, has none."""
    jumbo, alert = b"\xc2\4\0\1\0\0", b"\5\2\0\7\1\0"
    frame = ipv6(0, extension(60, jumbo) + extension(17, alert) + bytes(8))
    assert values(codec, frame, "IPV6.OPT_JUMBO") == [b"\0\1\0\0"]
    assert values(codec, frame, "IPV6.OPT_ROUTER_ALERT") == [b"\0\7"]
    assert values(codec, frame, "IPV6.OPT_TYPE") == [b"\xc2", b"\5", b"\1"]
    for kind in (43, 135, 139, 140):
        assert values(codec, ipv6(kind, extension(59, alert)), "IPV6.OPT_TYPE") == []


def test_the_home_address_is_in_the_sum(codec):
    """RFC 6275 section 6.3: in place of the source; checksums follow it."""
    home = b"\1\2\0\0\xc9\x10" + bytes.fromhex("20010db8000000000000000000000099")
    b = batch([(101, ipv6(60, extension(17, home) + struct.pack("!4H", 1, 2, 8, 0)))])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    before = bytes(b.data)
    program = assigning.assignments([("IPV6.OPT_HOME_ADDR", "=", "2001:db8::77")])
    assert codec.assign(b.data, bytes(b.rows), program, None, True)[1:] == ((1,), (0,), 0, 0)
    assert bytes(b.data)[-2:] != before[-2:]
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])


# ---- rows of values, and options that are headers ----


def nd(kind: int, value: bytes) -> bytes:
    """An option of neighbour discovery, padded."""
    return bytes([kind, (len(value) + 9) // 8]) + value + bytes(-(len(value) + 2) % 8)


def advertised(*options: bytes) -> bytes:
    """A router's advertisement."""
    return ipv6(58, b"\x86" + bytes(15) + b"".join(options))


MTU, SERVERS = nd(5, b"\0\0\0\0\5\xdc"), nd(25, bytes(6) + bytes(15) + b"\1" + bytes(15) + b"\2")


@pytest.mark.parametrize(("options", "text", "holds"), [
    (MTU, "ICMPV6.MTU==1500", True), (MTU, "ICMPV6.OPT_TYPE==mtu", True), (MTU, "ICMPV6.RDNSS", False),
    (SERVERS, "ICMPV6.MTU", False),
    (SERVERS + MTU, "ICMPV6.RDNSS[2]==::2 and ICMPV6.MTU", True), (nd(200, b"") + MTU, "ICMPV6.MTU", True),
    (nd(0, b"") + MTU, "ICMPV6.MTU", True), (b"\xc8\0" + bytes(6) + MTU, "ICMPV6.MTU", False),
    (b"\5\0" + MTU[2:], "ICMPV6.OPT_SIZE==0", True),
    (b"\x0e\xff" + MTU, "ICMPV6.OPT_TYPE==mtu", False), (SERVERS[:-16] + MTU, "ICMPV6.RDNSS[2]", False),
    (MTU[:7], "ICMPV6.MTU", False),
    (b"\x19\1" + bytes(6) + MTU, "ICMPV6.RDNSS_LIFETIME and ICMPV6.MTU and not ICMPV6.RDNSS", True),
    (b"\x19", "ICMPV6.OPT_TYPE", False),
    (nd(24, b"\x38\x08" + bytes(4)) + MTU, "ICMPV6.ROUTE_PREFERENCE==1 and ICMPV6.ROUTE_LENGTH==56 and ICMPV6.MTU", True),
    (nd(37, b"https://a.example/"), "ICMPV6.CAPTIVE==68747470733a2f2f612e6578616d706c652f00000000", True),
    (b"", "ICMPV6.OPT_TYPE", False),
])  # fmt: skip
def test_options_of_neighbour_discovery(codec, options, text, holds):
    """RFC 4861 section 4.6: they are headers; one of a type that nobody knows is skipped, and none goes on behind a size of 0."""
    assert selected(codec, advertised(options), text) is holds


@pytest.mark.parametrize(("frame", "name", "value"), [
    (advertised(SERVERS, MTU), "ICMPV6.RDNSS[-1]", "2001:db8::9"), (advertised(nd(99, b""), MTU), "ICMPV6.MTU", "1280"),
    (advertised(nd(38, b"\7\x08" + bytes(12))), "ICMPV6.PREF64_LIFETIME", "8"),
    (advertised(MTU, nd(99, b"")), "ICMPV6.OPT_VALUE", "ff"),
    (ipv4(2, b"\x22" + bytes(6) + b"\1\1\0\0\2" + bytes(12)), "IGMP.SOURCE[2]", "192.0.2.1"),
    (ipv6(58, b"\x8f" + bytes(6) + b"\1\1\0\0\2" + bytes(48)), "ICMPV6.SOURCE[2]", "2001:db8::1"),
    (ipv6(58, b"\x82" + bytes(26) + b"\1" + bytes(16)), "ICMPV6.SOURCE", "2001:db8::1"),
    (ipv4(17, struct.pack("!4H", 2152, 2152, 24, 0) + b"\x34\xff\0\x08\0\0\0\1\0\0\0\x85\1\0\x09\0"), "GTP.QFI", "5"),
])  # fmt: skip
def test_one_of_them_is_set_in_place(codec, frame, name, value):
    """And checksums follow."""
    b = batch([(101, frame)])
    ours.correct(b.data, bytes(b.rows), ours.ALL)
    before = bytes(b.data)
    assert codec.assign(b.data, bytes(b.rows), assigning.assignments([(name, "=", value)]), None, True)[1:] == ((1,), (0,), 0, 0)
    assert bytes(b.data) != before
    assert len(b.data) == len(before)
    assert codec.check(b.data, bytes(b.rows)) == bytes([ours.CORRECTED])


@pytest.mark.parametrize(("count", "there", "found"), [(0, 3, 0), (2, 3, 2), (3, 3, 3), (4, 3, 3), (0xFFFF, 3, 3), (1, 0, 0)])
def test_sources_of_a_query(codec, count, there, found):
    """As many as it says, and no more than are there."""
    query = b"\x11\0\0\0\xe8\0\0\1\2\x7d" + struct.pack("!H", count) + bytes(4 * there)
    assert len(values(codec, ipv4(2, query), "IGMP.SOURCE")) == found
    assert len(values(codec, ipv4(2, query + b"\1\2\3"), "IGMP.SOURCE")) == found  # a piece is none


# ---- a user's own ----

OWN = """
protocol  OWN
is        application
after     udp 9000
field     COUNT 8
field     SIZE  8
data
size      SIZE
{holds}
{list}
item      any
field     OPT_TYPE 16
item      0x0102
field     OPT_WORD 16
item      0x0103 each 2 at 5
field     OPT_PAIR 16
item      other
data      OPT_REST
"""
HOLDS, LIST = "holds OWN_OPTIONS at 2", "list OWN_OPTIONS type 16 length 8 * 2 + 3 align 4 end 0xffff pad 0"


def own(tmp_path, text: str) -> str:
    path = tmp_path / "own.protocol"
    path.write_text(text)
    return str(path)


def test_a_list_of_the_user(backend, tmp_path):
    """Length in words without type and length, padded to four bytes: as written."""
    name = own(tmp_path, OWN.format(holds=HOLDS, list=LIST))
    items = (
        b"\1\2\1\xab\xcd"
        + bytes(3)
        + b"\0\0\0\0"
        + b"\1\3\3\1\2\3\4\5\6"
        + bytes(3)
        + b"\0\x09\1\x77\x88"
        + bytes(3)
        + b"\xff\xff\0\0\1\2\1\xab\xcd\0"
    )
    payload = bytes([9, 2 + len(items)]) + items
    frame = ipv4(17, struct.pack("!HHHH", 1, 9000, 8 + len(payload), 0) + payload)
    b = batch([(101, frame)])
    text = b"LINKTYPE: 101\n" + bytes(ours.text_encode(b.data, bytes(b.rows), 0, 1, 16, False, 0)[0])
    done = shell(f"pkt-txt2txt --protocols {name} -aa OWN.OPT_PAIR[2]=7 OWN.OPT_WORD==0xabcd", text, backend=backend)
    assert b"OWN.OPT_REST:\t\t77 88\n" in done.stdout
    lines = [line.split() for line in done.stdout.decode().splitlines() if "OPT_" in line and "REST" not in line]
    found = [("OPT_TYPE", 0x102), ("OPT_WORD", 0xABCD), ("OPT_TYPE", 0), ("OPT_TYPE", 0x103), ("OPT_PAIR", 0x304), ("OPT_PAIR", 7),
             ("OPT_TYPE", 9), ("OPT_TYPE", 0xFFFF)]  # fmt: skip
    assert lines == [[f"OWN.{name}:", f"{value:#x}"] for name, value in found]


@pytest.mark.parametrize(("old", "new", "message"), [
    (HOLDS, "holds OTHERS at 2", "9: no list OTHERS"), (HOLDS, "", "10: nothing holds OWN_OPTIONS"),
    (HOLDS, "holds OWN_OPTIONS at 3", "9: byte 3 lies behind the 2 bytes"), (HOLDS, "holds OWN_OPTIONS", "9: wanted: holds"),
    (HOLDS, "holds OWN_OPTIONS at 2 to OTHER", "9: OWN has no field OTHER"),
    (HOLDS, "holds TCP_OPTIONS at 2", "9: TCP_OPTIONS is a list"),
    (HOLDS, HOLDS + " if SIZE == 999", "9: SIZE cannot be 999"), ("size      SIZE\n", "", "has no `size` up to which"),
    (LIST, "list OWN_OPTIONS type 16", "10: wanted: list"), (LIST, LIST + " pad", "10: 'pad' is too much here; wanted: list"),
    (LIST, "list OWN_OPTIONS type 16 length 8 at 8", "10: the length lies in the type"),
    (LIST, LIST.replace("type 16", "type 0"), "10: bad number"),
    (LIST, LIST.replace("* 2", "* 0"), "10: bad number"), (LIST, LIST.replace("0xffff", "0x10000"), "10: bad number '0x10000'"),
    (LIST, "", "11: `item` belongs below `list`"), (LIST, LIST + "\n" + LIST, "11: there is a list OWN_OPTIONS already"),
    ("item      0x0102", "item", "13: wanted: item"), ("item      0x0102", "item 0x10000", "13: bad number"),
    ("item      0x0102", "field X 8\nend size", "14: `end` is not said of an item"),
    ("item      0x0102", "item 1\nitem 2", "13: an item without fields"),
    ("each 2 at 5", "each 0", "15: bad number"), ("each 2 at 5", "each 1", "15: the fields have more than 1 bytes"),
    ("OPT_WORD 16", "SIZE 8", "14: SIZE is a field of a header, too"),
    ("OPT_PAIR 16", "OPT_WORD 16 text", "16: OPT_WORD is another kind of field"),
    ("OPT_WORD 16", "OPT_WORD 65", "14: OPT_WORD has 65 bits"),
    ("OPT_WORD 16", "OPT_WORD 16 names NOTHING", "14: no names NOTHING"),
    ("field     OPT_WORD 16", "field OPT_WORD 3\ndata OPT_BITS", "15: data begin at a whole byte"),
    ("each 2 at 5", "inside 6 of NOTHING", "15: no list NOTHING"),
    ("each 2 at 5", "inside 6 of TCP_OPTIONS", "15: TCP_OPTIONS is a list of TCP"),
    ("each 2 at 5", "each 2 at 5 count SIZE", "15: no item of OWN_OPTIONS has a field SIZE that counts pieces"),
    ("each 2 at 5", "each 2 at 5 behind OPT_PAIR", "15: no item of OWN_OPTIONS has a field OPT_PAIR"),
    ("each 2 at 5", "each 2 count", "15: wanted: item"),
    ("each 2 at 5", "inside 2", "15: byte 2 lies in its type and length"), ("item      other", "item others", "17: bad number"),
    (LIST, LIST + "\nfield X 8", "11: `field` belongs below `item`"),
    (LIST, "list OWN_OPTIONS each 2", "13: the values of OWN_OPTIONS have no types"),
    (LIST, "list OWN_OPTIONS each 0", "10: bad number '0'"), (LIST, "list OWN_OPTIONS each 2 * 2", "10: '*' is too much"),
    (HOLDS, HOLDS + " to 2", "9: the list ends at byte 2, where it has not begun"),
    (HOLDS, HOLDS + " if OPT_WORD == 1 and SIZE == 1", "9: the tests are of the header, or of one item"),
    (HOLDS, HOLDS + " if OPT_PAIR == 1", "9: OWN has no field OPT_PAIR"),
    (HOLDS, HOLDS + " if OPT_REST", "9: OWN has no field OPT_REST"),
    (HOLDS, HOLDS + " if OPT_WORD == 65536", "9: OPT_WORD cannot be 65536"),
    (HOLDS, HOLDS + " if OPT_WORD fits", "9: `fits` is asked"),
    ("each 2 at 5", "if OTHER == 1", "15: no other item of OWN_OPTIONS has a field OTHER"),
    ("each 2 at 5", "if OPT_PAIR == 1", "15: no other item of OWN_OPTIONS has a field OPT_PAIR"),
    ("each 2 at 5", "if OPT_WORD == 65536", "15: OPT_WORD cannot be 65536"),
    ("each 2 at 5", "if OPT_WORD fits", "15: `fits` is asked"),
])  # fmt: skip
def test_bad_descriptions(tmp_path, old, new, message):
    """Each is said with its file and line."""
    text = OWN.format(holds=HOLDS, list=LIST)
    assert old in text
    name = own(tmp_path, text.replace(old, new))
    with pytest.raises(PktError) as error:
        descriptions(our_files(), [tmp_path / "own.protocol"])
    assert str(error.value).startswith(f"{name}:")
    assert message in str(error.value)


def test_items_are_no_layers():
    """They make no packet one of their protocol's: TCP is where there is a header."""
    assert all(kind < 16384 for kinds in expression.LAYERS.values() for kind in kinds)
    assert {row.name.partition(".")[0] for kind in (16384, 16385) for row in BY_HEADER[kind]}


@pytest.mark.parametrize(("sample", "lines"), [
    ("dhcp-options", ["message\t\t: discover", "requested\t: 192.0.2.77", "host name\t: host1", "message\t\t: offer",
                      "lease\t\t: 3600 s"]),
    ("dhcpv6-options", ["address\t\t: 2001:db8::5", "prefix\t\t: 2001:db8::/56", "status\t\t: 0 ok"]),
])  # fmt: skip
def test_what_is_shown_of_options(backend, sample, lines):
    """A line whose option is not there is left out."""
    shown = shell(f"pkt-analyze -lh 5 < '{FOLDER / sample}.txt'", backend=backend).stdout.decode()
    assert [line for line in lines if f"\t{line}\n" in shown] == lines
    assert shown.count("\tlease\t") + shown.count("\tprefix\t") == 1
