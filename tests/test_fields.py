"""The field table: sound in itself, and with the names of the specification."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from conftest import shell
from samples import ipv4, tcp

from pkttools.codec import program
from pkttools.command_line.options import FILTER
from pkttools.protocols import CODEC_FORMS, FORMS, names
from pkttools.protocols.compile import descriptions, kinds, our_files
from pkttools.protocols.fields import DATA, FAMILY, FIELDS, HEADERS, INT, IPV4, IPV6, LAYERS, LITTLE, MAC, TABLE, TEXT
from pkttools.protocols.walking import FIRST_ITEM

# As the specification spells them: those of 1.16.
SPECIFIED = {
    "UNKNOWN": "DATA",
    "LOOPBACK": "FAMILY DATA",
    "ETHERNET": "DST_ADDR SRC_ADDR TYPE VLAN_TAG DATA",
    "ARP": "HARDWARE PROTOCOL HARDWARE_SIZE PROTOCOL_SIZE OPERATION SENDER_MACADDR SENDER_IPADDR TARGET_MACADDR TARGET_IPADDR",
    "IP": "VERSION HEADER_SIZE TOS TOTAL_SIZE ID FRAGMENT TTL PROTOCOL CHECKSUM SRC_ADDR DST_ADDR DATA",
    "ICMP": "TYPE CODE CHECKSUM DATA",
    "IGMP": "TYPE CODE CHECKSUM GROUP DATA",
    "TCP": "SRC_PORT DST_PORT SEQ_NUMBER ACK_NUMBER OFFSET FLAGS WINDOW CHECKSUM URGENT DATA",
    "UDP": "SRC_PORT DST_PORT SIZE CHECKSUM DATA",
    "IPV6": "VERSION FLOWID PAYLOAD_SIZE NEXT_HEADER HOP_LIMIT SRC_ADDR DST_ADDR EXT_SIZE EXT_DATA DATA",
    "ICMPV6": "TYPE CODE CHECKSUM DATA",
}
# Bytes of the fixed part of headers; of those that are not here their descriptions say it.
FIXED = {
    "UNKNOWN": 0, "LOOPBACK": 4, "LOOP": 4, "SLL": 16, "SLL2": 20, "PKTAP": 108, "PKTAP_BE": 108,
    "ETHERNET": 14, "VLAN": 4, "ARP": 28, "IP": 20, "IPV6": 40,
    "IPV6_OPTIONS": 8, "IPV6_ROUTING": 8, "IPV6_FRAGMENT": 8, "ICMP": 8, "IGMP": 8, "TCP": 20, "UDP": 8, "ICMPV6": 8,
    "SCTP": 12, "GRE": 4, "VXLAN": 8,
}  # fmt: skip
FOUND = descriptions(our_files())
DESCRIBED = dict(enumerate(FOUND.headers[name] for name in kinds(FOUND)))  # by kind
DESCRIBED |= dict(enumerate((item for one in FOUND.lists.values() for item in one.items), FIRST_ITEM))
WIDTHS = {MAC: 48, IPV4: 32, IPV6: 128, FAMILY: 32, DATA: 0}


@pytest.mark.parametrize("layer", SPECIFIED)
def test_names_of_the_specification(layer):
    wanted = {f"{layer}.{field}" for field in SPECIFIED[layer].split()}
    assert {row.name for row in TABLE if row.name.startswith(layer + ".") and not row.new} == wanted


def test_nothing_else_counts_as_old():
    assert {row.name.partition(".")[0] for row in TABLE if not row.new} == set(SPECIFIED)


def test_rows():
    for row in TABLE:
        header = DESCRIBED[row.header]
        fixed = FIXED.get(header.name, -(-header.bits // 8)) * 8
        assert row.kind in (INT, LITTLE, TEXT, *WIDTHS)
        assert row.width == WIDTHS.get(row.kind, row.width)
        assert row.bit % 8 + row.width <= 64 or (row.width == 128 and row.bit % 8 == 0) or row.kind == TEXT
        assert row.kind not in (LITTLE, TEXT) or row.bit % 8 == row.width % 8 == 0
        if row.kind == DATA or (row.kind == TEXT and row.width == 0):
            walked = (
                bool(header.next) if row.header < FIRST_ITEM else header.list.name == "DHCPV6_OPTIONS"
            )  # the walk goes through it
            assert row.shapes == (walked or header.name == "UNKNOWN")
        else:
            assert 0 <= row.bit <= row.bit + row.width <= fixed
            assert row.width > 0 or row.header >= FIRST_ITEM or (row.name, header.name) == ("IPV6.EXT_SIZE", "IPV6_FRAGMENT")
        assert row.scale >= 1
        assert row.bias >= 0
        assert (row.bias, row.scale) == (0, 1) or row.kind == INT
        assert row.name == row.name.upper()


def test_every_header_has_fields():
    """Or else a signature, of which nothing can be set."""
    assert {row.header for row in TABLE} == {kind for kind, header in DESCRIBED.items() if header.rows or not header.signature}
    assert {kind for kind in DESCRIBED if kind < FIRST_ITEM} == set(range(len(HEADERS)))
    assert set(FIXED) <= set(HEADERS)


def test_a_name_comes_once_in_a_header():
    assert not [key for key, count in Counter((row.name, row.header) for row in TABLE).items() if count > 1]


def test_rows_of_one_name_are_of_one_kind():
    for name, indexes in FIELDS.items():
        kinds = {INT if TABLE[i].kind in (FAMILY, LITTLE) else TABLE[i].kind for i in indexes}  # an order each
        assert len(kinds) == 1, name
        assert len({id(TABLE[i].names) for i in indexes}) == 1, name


def test_known_places():
    """A few by hand: header, bit, width, and how bits become the value."""
    places = {(row.name, DESCRIBED[row.header].name): (row.bit, row.width, row.bias, row.scale) for row in TABLE}
    for key, place in {
        ("IP.HEADER_SIZE", "IP"): (4, 4, 0, 4), ("IP.FRAGMENT", "IP"): (48, 16, 0, 1), ("IP.OFFSET", "IP"): (51, 13, 0, 8),
        ("TCP.OFFSET", "TCP"): (96, 4, 0, 4), ("TCP.FLAGS", "TCP"): (104, 8, 0, 1), ("TCP.CWR", "TCP"): (104, 1, 0, 1),
        ("TCP.FIN", "TCP"): (111, 1, 0, 1), ("TCP.SYN", "TCP"): (110, 1, 0, 1), ("TCP.AE", "TCP"): (103, 1, 0, 1),
        ("TCP.DATA", "TCP"): (160, 0, 0, 1), ("IPV6.EXT_SIZE", "IPV6_OPTIONS"): (8, 8, 1, 8),
        ("IPV6.EXT_SIZE", "IPV6_AH"): (8, 8, 2, 4),
        ("IPV6.FLOWID", "IPV6"): (12, 20, 0, 1), ("ETHERNET.VLAN_ID", "VLAN"): (4, 12, 0, 1),
        ("ICMPV6.DATA", "ICMPV6"): (32, 32, 0, 1),
        ("PKTAP.IN", "PKTAP"): (295, 1, 0, 1), ("PKTAP.OUT", "PKTAP_BE"): (318, 1, 0, 1),
        ("PKTAP.IFUNIT", "PKTAP"): (656, 16, 0, 1),
        ("PKTAP.KEEP_ALIVE", "PKTAP"): (311, 1, 0, 1), ("PKTAP.KEEP_ALIVE", "PKTAP_BE"): (303, 1, 0, 1),
        ("PKTAP.ECOMM", "PKTAP_BE"): (704, 136, 0, 1), ("PKTAP.DATA", "PKTAP"): (864, 0, 0, 1),
        ("IPV6.FRAGMENT", "IPV6_FRAGMENT"): (16, 16, 0, 1), ("IPV6.FRAGMENT_ID", "IPV6_FRAGMENT"): (32, 32, 0, 1),
    }.items():  # fmt: skip
        assert places[key] == place, key


def test_layers():
    assert set(LAYERS["VLAN"]) == {HEADERS.index("VLAN")}
    assert set(LAYERS["PKTAP"]) == {HEADERS.index("PKTAP"), HEADERS.index("PKTAP_BE")}
    assert set(LAYERS["LOOPBACK"]) == {HEADERS.index("LOOPBACK"), HEADERS.index("LOOP")}
    assert HEADERS.index("IPV6_AH") in LAYERS["IPV6"]
    assert set(LAYERS) == {row.name.partition(".")[0] for row in TABLE} | {"VLAN"}


@pytest.mark.parametrize("table", [
    "ETHERTYPE", "PROTOCOL", "ARP_OPERATION", "ICMP_TYPE", "ICMPV6_TYPE", "IGMP_TYPE", "PKTAP_NEXT", "DLT", "PROTOCOL_FAMILY",
    "PROCESS", "SERVICE_CLASS", "INTERFACE_TYPE",
])  # fmt: skip
def test_names_of_values(table):
    """Used both ways: each name once, in lower case; none looks like a number or ends a word of a filter."""
    words = list(getattr(names, table).values())
    assert len(set(words)) == len(words)
    assert all(word == word.lower() and not word[0].isdigit() and not set(word) & set(" ,()<>!=/&|") for word in words)
    assert not set(words) & {"and", "or", "not", "in"}


def test_link_types():
    assert [names.linktype_name(n) for n in (0, 1, 101, 113, 149, 258, 228, 147)] == [
        "Loopback", "Ethernet", "Raw IP", "Linux SLL", "PKTAP", "PKTAP", "Raw IPv4", "Unknown"
    ]  # fmt: skip
    assert all(name.isprintable() and "\n" not in name and ")" not in name for name in names.LINKTYPE.values())


def test_field_options_hide_no_other_option():
    """pkt-change has an option for every field: none may be an option of its own."""
    own = {name for option in FILTER for name in option.names}
    assert not own & {"--" + name.lower().replace(".", "-").replace("_", "-") for name in FIELDS}
    assert len({name.replace(".", "-").replace("_", "-") for name in FIELDS}) == len(FIELDS)


def test_forms_have_the_numbers_of_the_codec():
    numbers = (program.NUMBER, program.DATA, program.FAMILY, program.LITTLE, program.TEXT)
    assert FORMS[:CODEC_FORMS] == (INT, DATA, FAMILY, LITTLE, TEXT)
    assert numbers == tuple(range(CODEC_FORMS))


def test_names_lead_to_their_rows():
    names_of = [row.name for row in TABLE]
    assert len(FIELDS) == len(set(names_of)) == len([*FIELDS])
    assert {name: [i for i, one in enumerate(names_of) if one == name] for name in FIELDS} == dict(FIELDS.items())


@pytest.mark.parametrize("name", ["IP.TT", "P.TTL", "", "\n", "IP.TTL\n", "IP.TTL\nIP.PROTOCOL", "ip.ttl"])
def test_what_is_no_name(name):
    assert name not in FIELDS
    with pytest.raises(KeyError):
        FIELDS[name]


# ---- names that fields had ----


def test_the_bit_that_was_ns(backend):
    """RFC 9768 has given TCP.NS to accurate ECN: it is TCP.AE, and whoever writes the old name is understood."""
    assert FIELDS["TCP.NS"] == FIELDS["TCP.AE"]
    assert "TCP.NS" in FIELDS
    assert "TCP.NS" not in list(FIELDS)
    bits = ipv4(6, tcp()).hex(" ")
    text = f"LINKTYPE: 101\n-- 1 --\nTIME: 1.0\n0000: {bits}\nTCP.NS: 1\n==\n".encode()
    whole = shell("pkt-txt2txt", text, backend=backend).stdout
    for name in ("tcp.ns", "TCP.AE"):
        assert shell(f"pkt-filter {name}==1", text, backend=backend).stdout == whole
        for words in (f"{name}=0", f"--tcp-{name[-2:].lower()} 0"):
            done = shell(f"pkt-change {words} | pkt-txt2txt -aa", text, backend=backend)
            assert (re.findall(r"TCP\.(?:AE|NS): *\t*.*", done.stdout.decode()), done.stderr) == (["TCP.AE:\t\t\t0x0"], b"")
