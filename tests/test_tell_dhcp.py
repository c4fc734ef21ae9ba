"""What is told of DHCP, BOOTP and DHCPv6. What is said of judges was noted from tshark 4.0.17, tcpdump 4.99.3."""

from __future__ import annotations

import struct

import pytest
from told import tell

MAC = bytes.fromhex("020000000001")


def message(options: bytes, op: int = 1, addresses: tuple[int, ...] = (0, 0, 0, 0), sname: bytes = b"", file: bytes = b"",
            cookie: bytes = b"\x63\x82\x53\x63") -> bytes:  # fmt: skip
    head = bytes([op, 1, 6, 0]) + bytes(8) + struct.pack("!4I", *addresses) + MAC + bytes(10)
    return head + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + cookie + options


def option(code: int, data: bytes) -> bytes:
    return bytes([code, len(data)]) + data


ADDRESS = 0xC0000201
REQUEST = option(53, b"\3")


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (message(option(53, b"\1") + option(61, b"\1" + MAC)), "Discover from 02:00:00:00:00:01"),
        (message(REQUEST + option(50, b"\xc0\0\2\5") + option(54, b"\xc0\0\2\1") + option(12, b"pc1\0\0")),
         'Request from 02:00:00:00:00:01 requested 192.0.2.5 server 192.0.2.1 host "pc1"'),
        (message(option(53, b"\5") + option(51, b"\xff" * 4), op=2, addresses=(0, ADDRESS, 0, ADDRESS + 1)),
         "ACK to 02:00:00:00:00:01 your 192.0.2.1 relay 192.0.2.2 lease infinite"),
        (message(option(53, b"\5") + option(51, b"\0\0\x0e\x10"), op=2), "ACK to 02:00:00:00:00:01 lease 3600 s"),
        (message(option(53, b"\6") + option(56, b"no \x1b[1m\xe2\x80\xae"), op=2),
         r'NAK to 02:00:00:00:00:01 "no \x1b[1m\xe2\x80\xae"'),
        (message(option(53, b"\7"), addresses=(ADDRESS, 0, 0, 0)), "Release from 02:00:00:00:00:01 client 192.0.2.1"),
        (message(option(53, b"\x63")), "type 99 from 02:00:00:00:00:01"),
        # RFC 4702 section 2.3: labels with E, which need no end; else text
        (message(REQUEST + option(81, b"\5\0\0\2pc\7example\0")), "Request from 02:00:00:00:00:01 fqdn pc.example."),
        (message(REQUEST + option(81, b"\4\0\0\2p.")), r"Request from 02:00:00:00:00:01 fqdn p\."),
        (message(REQUEST + option(81, b"\0\0\0pc.example")), 'Request from 02:00:00:00:00:01 fqdn "pc.example"'),
        # RFC 4361 section 6.1 (tcpdump prints a MAC address), RFC 2132 section 9.14
        (message(REQUEST + option(61, b"\xff\0\0\0\7\0\1\0\1" + bytes(4) + MAC)),
         "Request from 02:00:00:00:00:01 id iaid 00000007 duid 0001000100000000020000000001"),
        (message(REQUEST + option(61, b"\0modem\0")), 'Request from 02:00:00:00:00:01 id "modem"'),
        (message(REQUEST + option(61, b"\1" + MAC[::-1])), "Request from 02:00:00:00:00:01 id 1/01:00:00:00:00:02"),
        (message(REQUEST + option(50, b"\xc0\0")), "Request from 02:00:00:00:00:01 requested [bad length]"),
    ],
)  # fmt: skip
def test_messages(whole, told):
    """With an end, without one, and with octets that say nothing between options: RFC 2131 section 4.1."""
    for end in (b"\xff", b"", bytes(3) + b"\xff" + option(12, b"behind")):
        assert tell("dhcp", whole + end) == told


def test_options_in_pieces():
    """RFC 3396: joined in their order before they are read.

    Of this 119 tshark shows both; a 121 that is cut inside of a route it calls malformed, and tcpdump makes another one of it.
    """
    routes = bytes([24, 198, 51, 100, 192, 0, 2, 1, 0, 192, 0, 2, 254])
    search = b"\3eng\5apple\3com\0\2mk\xc0\x04"
    for at in range(1, len(routes)):
        parts = option(121, routes[:at]) + option(12, b"pc") + option(121, routes[at:])
        assert tell("dhcp", message(REQUEST + parts + b"\xff")) == (
            'Request from 02:00:00:00:00:01 host "pc" routes 198.51.100.0/24 via 192.0.2.1 0.0.0.0/0 via 192.0.2.254'
        )
    for at in range(1, len(search)):
        parts = option(119, search[:at]) + b"\0" + option(119, search[at:])
        assert tell("dhcp", message(REQUEST + parts + b"\xff")) == (
            "Request from 02:00:00:00:00:01 search eng.apple.com. mk.apple.com."
        )
    line = tell("dhcp", message(REQUEST + option(119, b"\1a\xc0\x02") + b"\xff"))
    assert line == "Request from 02:00:00:00:00:01 search a. [bad pointer]"
    assert tell("dhcp", message(REQUEST + option(121, b"\x21" + bytes(9)))) == (
        "Request from 02:00:00:00:00:01 routes [bad length]"
    )


def test_options_in_file_and_sname():
    """RFC 2131 section 4.1: those of the options come first, then the file's, then the others; a name of a file is none then."""
    parts = {"options": REQUEST + option(12, b"a"), "file": option(12, b"b") + b"\xff", "sname": b"\0" + option(12, b"c") + b"\xff"}
    for overload, host in ((1, "ab"), (2, "ac"), (3, "abc")):
        whole = message(parts["options"] + option(52, bytes([overload])), sname=parts["sname"], file=parts["file"])
        line = tell("dhcp", whole)
        assert line is not None
        assert line.endswith(f' host "{host}"')
        assert (" file " in line) == (overload == 2)
    assert tell("dhcp", message(REQUEST, file=b"boot.img")) == 'Request from 02:00:00:00:00:01 file "boot.img"'


def test_bootp():
    """Without the cookie there are no options, and without option 53 it is no DHCP, RFC 1534: not a Discover."""
    assert tell("dhcp", message(REQUEST, cookie=bytes(4))) == "BOOTP Request from 02:00:00:00:00:01"
    assert tell("dhcp", message(option(12, b"pc"), op=2, file=b"x")) == 'BOOTP Reply to 02:00:00:00:00:01 file "x" host "pc"'
    assert tell("dhcp", message(b"", op=9)) == "BOOTP op 9 from 02:00:00:00:00:01"
    whole = message(REQUEST)
    assert tell("dhcp", whole[:230]) == "BOOTP Request from 02:00:00:00:00:01 [|]"
    assert tell("dhcp", whole[:43]) is None
    assert tell("dhcp", message(REQUEST + b"\x0c\x05pc")) == 'Request from 02:00:00:00:00:01 host "pc" [|]'


def option6(code: int, data: bytes) -> bytes:
    return struct.pack("!HH", code, len(data)) + data


PREFIX = bytes.fromhex("20010db8") + bytes(12)
TIMES = bytes(8)


def relayed(kind: int, inner: bytes) -> bytes:
    return bytes([kind, 0]) + PREFIX + bytes.fromhex("fe80") + bytes(13) + b"\1" + option6(18, b"eth0") + option6(9, inner)


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (b"\1\0\0\7", "Solicit"),
        (b"\7\0\0\7" + option6(3, b"\0\0\0\1" + TIMES + option6(5, PREFIX[:15] + b"\5" + TIMES)), "Reply 2001:db8::5"),
        (b"\2\0\0\7" + option6(25, b"\0\0\0\1" + TIMES + option6(26, TIMES + b"\x38" + PREFIX)), "Advertise 2001:db8::/56"),
        (b"\7\0\0\7" + option6(4, b"\0\0\0\1" + option6(5, PREFIX + TIMES)) + option6(13, b"\0\0"), "Reply 2001:db8:: Success"),
        (b"\7\0\0\7" + option6(3, b"\0\0\0\1" + TIMES + option6(13, b"\0\2none")), 'Reply NoAddrsAvail "none"'),
        (b"\3\0\0\7" + option6(39, b"\1\2pc\7example\0"), "Request fqdn pc.example."),
        (b"\x3f\0\0\7", "type 63"),
        (b"\7\0\0\7" + option6(5, PREFIX), "Reply [bad length]"),
        (b"\7\0\0\7" + option6(5, PREFIX + TIMES)[:-1], "Reply [|]"),
        (relayed(12, b"\1\0\0\7" + option6(5, PREFIX + TIMES)),
         "Relay-forward link 2001:db8:: peer fe80::1 > Solicit 2001:db8::"),
        (relayed(13, relayed(13, b"\7\0\0\7")), "Relay-reply link 2001:db8:: peer fe80::1 > Relay-reply > Reply"),
        (relayed(12, b""), "Relay-forward link 2001:db8:: peer fe80::1 [bad length]"),
        (relayed(12, b"\1\0\0\7")[:-2], "Relay-forward link 2001:db8:: peer fe80::1 > Solicit [|]"),
        (b"\x0c\0" + PREFIX, "Relay-forward [|]"),
    ],
)  # fmt: skip
def test_version_6(whole, told):
    """RFC 8415 sections 8, 9 and 21: the relay, and the innermost message."""
    assert tell("dhcpv6", whole) == told


def test_many_relays():
    """However deep they are."""
    inner = b"\1\0\0\7"
    for _ in range(60):
        inner = relayed(12, inner)
    line = tell("dhcpv6", inner)
    assert line is not None
    assert line.endswith(" > ...")
