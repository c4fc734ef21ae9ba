"""Applications: at which ports they are found, and that all commands meet their fields."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from conftest import shell
from samples import ipv4, row_of

from pkttools.protocols.fields import HEADERS

FOLDER = Path(__file__).parent / "data/protocols"
APPLICATIONS = ("BFD", "COAP", "DHCP", "DHCPV6", "DNS", "HTTP", "MODBUS", "MQTT", "NTP", "QUIC", "RTCP", "RTP", "SIP", "TLS",
                "VXLAN", "WIREGUARD")  # fmt: skip
DNS, NTP, RTP = b"\x12\x34\1\0\0\1\0\0\0\0\0\0", b"\x23" + bytes(47), b"\x80\0" + bytes(10)


def over_udp(source: int, destination: int, payload: bytes) -> bytes:
    return ipv4(17, struct.pack("!HHHH", source, destination, 8 + len(payload), 0) + payload)


def over_tcp(source: int, destination: int, payload: bytes, options: bytes = b"") -> bytes:
    words = 5 + len(options) // 4
    return ipv4(6, struct.pack("!HHIIBBHHH", source, destination, 1, 1, words << 4, 0x18, 8192, 0, 0) + options + payload)


def headers(codec, frame: bytes, linktype: int = 101) -> list[str]:
    row = row_of(frame, linktype)
    return [HEADERS[kind] for kind, *_ in codec.walk(bytearray(frame), row)]


@pytest.mark.parametrize(("source", "destination", "payload", "found"), [
    (40000, 53, DNS, ["DNS"]), (53, 40000, DNS, ["DNS"]), (40000, 54, DNS, []), (53, 123, NTP, ["NTP"]), (123, 53, DNS, ["DNS"]),
    (5353, 5353, DNS, ["DNS"]), (49152, 3784, bytes(24), ["BFD"]), (3784, 49152, bytes(24), []),
    (53, 4789, bytes(8), ["VXLAN"]), (4789, 53, DNS, ["DNS"]), (4789, 40000, bytes(8), []), (40000, 53, DNS[:11], []),
    (40000, 5004, RTP, ["RTP"]), (40000, 5004, b"\x40" + RTP[1:], []), (40000, 443, b"\xc0\0\0\0\1\0\0", ["QUIC", "QUIC_SOURCE"]),
    (40000, 5060, b"INVITE sip:a SIP/2.0\r\n\r\n", ["SIP", "SIP_URI", "SIP_VERSION", "SIP_LINES"]),
    (40000, 5060, b"INVITE sip:a\nx", ["SIP", "SIP_URI", "SIP_LINES_LF"]), (40000, 5060, b"INVITE sip:a", ["SIP", "SIP_URI"]),
    (5060, 40000, b"SIP/2.0 200 OK\r\n", ["SIP_RESPONSE", "SIP_STATUS", "SIP_REASON", "SIP_LINES"]),
    (40000, 5060, b"INVITED sip:a SIP/2.0\r\n", []), (40000, 5060, b"SIP", []), (40000, 5060, b"\r\n\r\n", []),
    (40000, 443, b"\x40\0\0\0\1\0\0", []), (40000, 5683, b"\x40\1\0\1", ["COAP"]), (40000, 5683, b"\x80\1\0\1", []),
    (40000, 51820, b"\4" + bytes(15), ["WIREGUARD", "WIREGUARD_DATA"]), (40000, 51820, b"\5" + bytes(15), ["WIREGUARD"]),
    (5005, 5005, b"\x80\xc9\0\1" + bytes(4) + b"\x81\xcb\0\1" + bytes(4), ["RTCP", "RTCP"]),
    (5005, 5005, b"\x80\xc9\0\1" + bytes(4) + b"\x81\xcb\0\7" + bytes(4), ["RTCP", "RTCP"]),
    (546, 547, b"\1\0\0\1", ["DHCPV6"]), (547, 547, b"\x0c" + bytes(33), ["DHCPV6_RELAY"]), (547, 547, b"\x0c" + bytes(32), []),
])  # fmt: skip
def test_the_port_of_the_destination_is_asked_first(codec, source, destination, payload, found):
    """And what stands there has to look like it, as far as it can be told."""
    assert headers(codec, over_udp(source, destination, payload)) == ["IP", "UDP", *found]


@pytest.mark.parametrize(("source", "destination", "payload", "found"), [
    (40000, 80, b"GET / HTTP/1.1\r\n\r\n", ["HTTP", "HTTP_URI", "HTTP_VERSION", "HTTP_LINES"]),
    (40000, 80, b"GETS / HTTP/1.1\r\n", []),
    (8080, 40000, b"HTTP/1.0 200 OK\n", ["HTTP_RESPONSE", "HTTP_STATUS", "HTTP_REASON", "HTTP_LINES_LF"]), (40000, 80, b"", []),
    (40000, 80, b"\0" * 30, []), (40000, 81, b"GET / HTTP/1.1\r\n\r\n", []), (40000, 443, b"GET / HTTP/1.1\r\n\r\n", []),
    (40000, 443, b"\x17\3\3\0\2ab\x15\3\3\0\2cd", ["TLS", "TLS"]), (40000, 443, b"\x17\3\3\0\2a", ["TLS"]),
    (443, 40000, b"\x16\3\3\0\4\x14\0\0\0", ["TLS"]), (40000, 443, b"\x19\3\3\0\2ab", []), (40000, 443, b"\x17\2\3\0\2ab", []),
    (40000, 1883, b"\xc0\0\x30\x80\1" + bytes(128) + b"\xd0\0", ["MQTT", "MQTT_2", "MQTT"]), (40000, 1883, b"\0\0", []),
    (40000, 502, b"\0\1\0\0\0\2\1\3", ["MODBUS"]), (40000, 502, b"\0\1\0\1\0\2\1\3", []),
    (502, 40000, b"\0\1\0\0\0\1\1", []),
    (40000, 53, b"\0\x0c" + DNS, ["DNS_TCP", "DNS"]), (53, 40000, b"\0\x0b" + DNS, []),
    (40000, 53, b"\0\x0c" + DNS[:11], ["DNS_TCP"]),
])  # fmt: skip
def test_what_a_segment_begins_with(codec, source, destination, payload, found):
    """Behind options, too; what does not look like it is none."""
    for options in (b"", b"\1\1\1\1"):
        assert headers(codec, over_tcp(source, destination, payload, options)) == ["IP", "TCP", *found]


def test_a_segment_whose_header_cannot_be_told_has_none(codec):
    frame = bytearray(over_tcp(40000, 80, b"GET / HTTP/1.1\r\n\r\n"))
    for offset in (0, 4, 15):
        frame[32] = offset << 4
        assert headers(codec, bytes(frame)) == ["IP", "TCP"]


def test_a_checksum_over_tcp_is_corrected(backend, tmp_path):
    """What has one is walked to by those who only correct, who leave other applications out."""
    (tmp_path / "own").write_text(
        "protocol OWN\nsource mine\nis application\nafter tcp 9000\nfield KIND 16\nfield SUM 16\nchecksum SUM internet\n"
        "next HTTP if KIND == 1\n"
    )
    row = over_tcp(40000, 9000, b"\0\1\0\0abcd")
    text = f"LINKTYPE: 101\n-- 1 --\nTIME: 1.0\nSIZE: {len(row)}/{len(row)}\n{row.hex(' ')}\n==\n"
    own = f"--protocols {tmp_path}/own"
    pipe = f"pkt-correct {own} | pkt-check {own} -cs | pkt-filter {own} 'OWN.SUM==0x3b38 and HTTP.METHOD==abcd'"
    done = shell(pipe, text.encode(), backend=backend)
    assert done.stdout.count(b"\n==\n") == 1, done.stderr


@pytest.mark.parametrize(("sample", "words", "count"), [
    ("dns", "DNS.ID==0x1234", 2), ("dns", "DNS", 4), ("dns-response", "DNS.RCODE==nxdomain", 1), ("dns", "DNS.QR==0", 2),
    ("dhcp", "DHCP.CHADDR==02:00:00:00:00:01", 3), ("dhcp", "DHCP.SNAME==boot.example.org", 1), ("ntp", "NTP.MODE==client", 2),
    ("dhcpv6-relay", "DHCPV6.LINK_ADDR==2001:db8:1::/48", 1), ("bfd", "BFD.STATE==up and not BFD.POLL==1", 1),
    ("rtp", "RTP.PAYLOAD_TYPE in 96-127", 1), ("rtcp", "RTCP.TYPE[2]==bye", 1),
    ("sip", "SIP.METHOD==INVITE", 1), ("sip", 'SIP.REASON=="Busy Here"', 1),
    ("sip", "SIP.STATUS in 180,486,999", 2), ("sip", "SIP.URI==sip:bob", 0),
    ("quic", "QUIC.DCID==64657374 and QUIC.SCID==736f7572", 1), ("wireguard", "WIREGUARD.COUNTER==9", 1),
    ("ntp", "NTP.TRANSMIT_TIME>=0xe5f1b2c342000000", 1),
    ("wireguard", "WIREGUARD.SENDER==0x11223344", 1),
    ("http", "HTTP.METHOD==GET", 1), ("http", "HTTP.STATUS==404", 1), ("http", "HTTP", 5), ("http", "not HTTP", 0),
    ("tls", "TLS.SNI==www.example.org", 1), ("tls", "TLS.TYPE[2]>0", 1), ("mqtt", "MQTT.TYPE==publish", 4),
    ("modbus", "MODBUS.FUNCTION==read-holding and MODBUS.ERROR==1", 1), ("dns-tcp", "DNS.LENGTH>=12 and DNS.QR==1", 1),
])  # fmt: skip
def test_filters(backend, sample, words, count):
    done = shell(f"pkt-filter '{words}' < '{FOLDER / sample}.txt'", backend=backend)
    assert (done.stdout.count(b"\n==\n"), done.stderr) == (count, b"")


@pytest.mark.parametrize(("sample", "field", "value"), [
    ("dns", "DNS.ID", "0x9999"), ("dns", "DNS.RD", "0x1"), ("dhcp", "DHCP.YIADDR", "198.51.100.9"), ("ntp", "NTP.STRATUM", "0x7"),
    ("wireguard", "WIREGUARD.RECEIVER", "0x1"), ("rtp", "RTP.SEQ_NUMBER", "0xffff"),
    ("dhcpv6-relay", "DHCPV6.PEER_ADDR", "fe80::9"), ("ntp", "NTP.TRANSMIT_TIME", "0xfedcba9876543210"),
    ("wireguard", "WIREGUARD.COUNTER", "0xfedcba9876543210"), ("sip", "SIP.STATUS", "999"),
    ("http", "HTTP.STATUS", "999"), ("tls", "TLS.HELLO_VERSION", "0x304"), ("modbus", "MODBUS.UNIT", "0x9"),
])  # fmt: skip
def test_assignments_and_checksums_that_follow(backend, sample, field, value):
    done = shell(f"pkt-change -u {field}={value} < '{FOLDER / sample}.txt' | pkt-check -cs | pkt-txt2txt -aa", backend=backend)
    values = [line.split()[1] for line in done.stdout.decode().splitlines() if line.startswith(f"{field}:")]
    assert set(values) == {value}
    assert not done.stderr or sample == "wireguard"  # what that encrypts is not followed, which is said
    assert done.stdout.count(b"\n==\n") == (FOLDER / f"{sample}.txt").read_bytes().count(b"\n==\n")


def test_numbers_of_64_bits_wrap_around(backend):
    """And are compared without a sign."""
    pipe = ["pkt-change WIREGUARD.COUNTER=0xffffffffffffffff", "pkt-filter 'WIREGUARD.COUNTER>0x7fffffffffffffff'",
            "pkt-change WIREGUARD.COUNTER+=3", "pkt-txt2txt -aa"]  # fmt: skip
    done = shell(" | ".join(pipe), (FOLDER / "wireguard.txt").read_bytes(), backend=backend)
    assert [line.split()[1] for line in done.stdout.decode().splitlines() if "COUNTER:" in line] == ["0x2"]


@pytest.mark.parametrize("value", ["20", "2000", '""'])
def test_words_of_a_line_keep_their_length(backend, value):
    """What is longer or shorter would need other bytes to move."""
    text = (FOLDER / "sip.txt").read_bytes()
    done = shell(f"pkt-change 'SIP.STATUS={value}'", text, backend=backend)
    assert (done.stdout, done.returncode) == (text, 0)
    assert done.stderr.decode() == f"pkt-change: SIP.STATUS={value} does not fit into the field in 2 packets: left as it was\n"


def test_words_never_go_beyond_their_datagram(codec):
    """Whatever of it was captured, and what stands behind it."""
    whole = over_udp(40000, 5060, b"INVITE sip:a")
    for size in range(28, len(whole) + 1):
        frame = whole[:size] + b"bc SIP/2.0\r\n" * (size == len(whole))
        row = row_of(frame, 101)
        assert all(end <= size for _, _, _, end in codec.walk(bytearray(frame), row)), size


def test_the_lines_of_1_16_are_what_they_were(backend):
    """Nothing of a payload is claimed."""
    done = shell(f"pkt-txt2txt -a -l 1 < '{FOLDER}/dns.txt'", backend=backend)
    lines = [line for line in done.stdout.decode().splitlines() if line[:3] in ("UDP", "DNS")]
    assert [line.split(":")[0] for line in lines] == ["UDP.SRC_PORT", "UDP.DST_PORT", "UDP.SIZE", "UDP.CHECKSUM"] + ["UDP.DATA"] * 3
    assert lines[4].split("\t")[-1] == "12 34 01 00  00 01 00 00  00 00 00 00  03 77 77 77"


def test_analysis(backend):
    text = (FOLDER / "dns.txt").read_bytes()
    plain = shell("pkt-analyze -lv 5 -l 1", text, backend=backend).stdout.decode()
    assert "\nDNS" not in plain
    assert "DATA\tUDP\t\t: 12 34 01 00" in plain
    shown = shell("pkt-analyze -lv 5 -lh 5 -l 1", text, backend=backend).stdout.decode()
    assert "\nDNS\tID/flags\t: 0x1234 / 0x0100 ( RD )\n\topcode/rcode\t: query / noerror\n\trecords\t\t: 1 / 0 / 0 / 0\n" in shown
    assert "DATA\tDNS\t\t: 03 77 77 77" in shown
    assert "DATA\tUDP" not in shown
    brief = shell("pkt-analyze -lv 2 -ll 5 -l 1", text, backend=backend).stdout
    assert brief.endswith(b"-- 1 --\nDNS\tID/flags\t: 0x1234 / 0x0100 ( RD )\n")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_each_is_a_layer(name):
    done = shell("pkt-filter -k")
    assert f"{name}." in done.stdout.decode()


def test_an_element_that_is_cut_has_what_is_there(backend):
    """It says 80 bytes, of which there are two: no byte of it is lost."""
    frame = bytes.fromhex("0180c200000e02000000000188cc 0207040200000000010450 0561")
    lines = [frame[i : i + 16].hex(" ") for i in range(0, len(frame), 16)]
    text = "\n".join(["LINKTYPE: 1", "-- 1 --", "TIME: 1.0", f"SIZE: {len(frame)}/{len(frame)}", *lines, "==", ""])
    shown = shell("pkt-txt2txt -aa", text.encode(), backend=backend).stdout.decode()
    assert [line.split(":\t")[1].strip() for line in shown.splitlines() if line.startswith("LLDP.VALUE")] == [
        "05 61", "04 02 00 00  00 00 01",
    ]  # fmt: skip
