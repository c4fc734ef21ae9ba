"""What is told of TLS, and of QUIC without its keys. What is said of tshark was noted from 4.0.17."""

from __future__ import annotations

import struct

import pytest
from told import tell


def record(body: bytes, kind: int = 22, version: int = 0x0301) -> bytes:
    return struct.pack("!BHH", kind, version, len(body)) + body


def handshake(kind: int, body: bytes) -> bytes:
    return struct.pack("!I", kind << 24 | len(body)) + body


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!HH", kind, len(data)) + data


def vector(data: bytes, size: int = 2) -> bytes:
    return len(data).to_bytes(size, "big") + data


def names(*given: bytes) -> bytes:
    return extension(0, vector(b"".join(b"\0" + vector(name) for name in given)))


def client(*extensions: bytes, version: int = 0x0303, more: bytes | None = None) -> bytes:
    body = struct.pack("!H", version) + bytes(32) + b"\0" + vector(b"\x13\1") + b"\1\0"
    return handshake(1, body + (vector(b"".join(extensions)) if more is None else more))


def server(*extensions: bytes, version: int = 0x0303, cipher: int = 0x1301, random: bytes = bytes(32)) -> bytes:
    return handshake(
        2, struct.pack("!H", version) + random + b"\0" + struct.pack("!H", cipher) + b"\0" + vector(b"".join(extensions))
    )


RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
VERSIONS = extension(43, vector(b"\x7a\x7a\3\4\3\3", 1))


@pytest.mark.parametrize(
    ("hello", "told"),
    [
        (client(names(b"example.com"), VERSIONS), "ClientHello TLS 1.3 example.com"),
        (client(VERSIONS, names(b"example.com"), extension(16, vector(b"\2\x0a\x0a\2h2\x08http/1.1"))),
         "ClientHello TLS 1.3 example.com alpn h2,http/1.1"),
        (client(names(b"a")), "ClientHello TLS 1.2 a"),
        (client(more=b"", version=0x0301), "ClientHello TLS 1.0"),
        (client(extension(43, vector(b"\x7f\x1c\3\3", 1))), "ClientHello TLS 1.3 draft 28"),
        (client(extension(43, vector(b"\x7f\x1c\3\4", 1))), "ClientHello TLS 1.3"),
        (client(extension(43, vector(b"\x0a\x0a", 1))), "ClientHello TLS 1.2"),
        (client(version=0x0909), "ClientHello version 0x0909"),
        # RFC 6066 section 3: what is not allowed there is shown as it is
        (client(names(b"192.0.2.1")), "ClientHello TLS 1.2 192.0.2.1"),
        (client(names(b"example.com.", b"second")), "ClientHello TLS 1.2 example.com. second"),
        (client(names()), "ClientHello TLS 1.2"),
        (client(extension(0, b"")), "ClientHello TLS 1.2"),
        (client(extension(0, vector(b"\5\0\2ab\0\0\1c"))), "ClientHello TLS 1.2 [name of type 5] c"),
        (client(names(b"a b\x1b[1m\xe2\x80\xae")), r"ClientHello TLS 1.2 a\ b\x1b[1m\xe2\x80\xae"),
        # RFC 9849: the name is the outer one
        (client(names(b"public.example"), VERSIONS, extension(0xFE0D, bytes(9))), "ClientHello TLS 1.3 public.example (outer) ech"),
        (server(extension(43, b"\3\4")), "ServerHello TLS 1.3 TLS_AES_128_GCM_SHA256"),
        (server(cipher=0xC02F), "ServerHello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (server(extension(16, vector(b"\2h2")), cipher=0x9999), "ServerHello TLS 1.2 cipher 0x9999 alpn h2"),
        (server(extension(43, b"\3\4"), random=RETRY),
         "HelloRetryRequest TLS 1.3 TLS_AES_128_GCM_SHA256"),  # RFC 8446 section 4.1.3
    ],
)  # fmt: skip
def test_hellos(hello, told):
    """Whatever version the records name (of 0x0304 tshark shows no hello), and however small they are: RFC 8446 section 5.1."""
    for version in (0x0301, 0x0304, 0x0300):
        assert tell("tls", record(hello, version=version)) == told
    for size in (1, 2, 7, 100):
        assert tell("tls", b"".join(record(hello[at : at + size]) for at in range(0, len(hello), size))) == told
    assert tell("tls", record(b"") + record(hello[:9]) + record(b"") + record(hello[9:])) == told
    assert tell("stream", record(hello)) == f"TLS {told}"
    line = tell("tls", record(hello)[:-1])
    assert line is not None
    assert line.endswith(" [|]")


@pytest.mark.parametrize(
    ("segment", "told"),
    [
        (record(server(extension(43, b"\3\4"))) + record(b"\1", 20) + record(bytes(40), 23) + record(bytes(9), 23),
         "ServerHello TLS 1.3 TLS_AES_128_GCM_SHA256, ChangeCipherSpec, Application Data x2"),
        (record(server(cipher=0x2F) + handshake(11, bytes(700)) + handshake(14, b"")),
         "ServerHello TLS 1.2 TLS_RSA_WITH_AES_128_CBC_SHA, Certificate, ServerHelloDone"),
        (record(handshake(16, bytes(66))) + record(b"\1", 20) + record(bytes(40)),
         "ClientKeyExchange, ChangeCipherSpec, Encrypted Handshake"),
        (record(b"\1", 20) + record(client(VERSIONS)), "ChangeCipherSpec, ClientHello TLS 1.3"),  # after a HelloRetryRequest
        (record(bytes(40)), "Encrypted Handshake"),  # an explicit nonce of 0 is no HelloRequest
        (record(bytes(4)), "HelloRequest"),
        (record(b"\x63" * 40), "Encrypted Handshake"),
        (record(b"\2\x28", 21), "Alert fatal handshake_failure"),
        (record(b"\1\0", 21), "Alert warning close_notify"),
        (record(bytes(26), 21), "Encrypted Alert"),
        (record(b"\2\x28", 21)[:6], "Alert [|]"),
        (record(bytes(9), 24), "Heartbeat"),
        (record(bytes(9), 23)[:-2], "Application Data [|]"),
        (record(bytes(9), 23) + b"\x17\3", "Application Data [|]"),
        (record(handshake(11, bytes(70))[:30]) + record(b"\1\0", 21), "Certificate [|], Alert warning close_notify"),
        (record(handshake(1, bytes(9))), "ClientHello version 0x0000 [|]"),
        (record(b"\1\0\0\x09" + bytes(90)) + record(b"\1\0", 21),
         "ClientHello version 0x0000 [bad length], Alert warning close_notify"),
        (b"\x80\x2e\1\3\1\0\x15\0\0\0\x10" + bytes(37), "SSLv2 ClientHello TLS 1.0"),
        (b"hello, world", None),
        (record(b"", 30), None),
    ],
)  # fmt: skip
def test_records(segment, told):
    assert tell("tls", segment) == told


CLIENT_ID = "08 8394c8f03e515708"


@pytest.mark.parametrize(
    ("datagram", "told"),
    [
        (f"c3 00000001 {CLIENT_ID} 00 00 4004 00000000", "Initial v1 dcid 8394c8f03e515708 scid -"),
        (f"d3 6b3343cf {CLIENT_ID} 01 07 00 4004 00000000", "Initial v2 dcid 8394c8f03e515708 scid 07"),
        (f"c3 6b3343cf {CLIENT_ID} 01 07 0000", "Retry v2 dcid 8394c8f03e515708 scid 07"),
        (f"f3 00000001 {CLIENT_ID} 01 07 0000", "Retry v1 dcid 8394c8f03e515708 scid 07"),
        (f"c3 ff00001d {CLIENT_ID} 00 00 4004 00000000", "Initial draft-29 dcid 8394c8f03e515708 scid -"),
        (f"c3 00000001 {CLIENT_ID} 00 02 abcd 02 0000 e3 00000001 {CLIENT_ID} 00 02 0000 40 99",  # RFC 9000 section 12.2
         "Initial v1 dcid 8394c8f03e515708 scid -, Handshake v1 dcid 8394c8f03e515708 scid -, 1-RTT"),
        (f"c3 00000001 {CLIENT_ID} 00 00 02 0000 00000000", "Initial v1 dcid 8394c8f03e515708 scid -"),
        (f"80 00000000 00 {CLIENT_ID} 00000001 0a1a2a3a", "Version Negotiation dcid - scid 8394c8f03e515708 of v1,0x0a1a2a3a"),
        (f"c3 0a1a2a3a {CLIENT_ID} 16 {'07' * 22} 0000", f"version 0x0a1a2a3a dcid 8394c8f03e515708 scid {'07' * 22}"),
        (f"c3 00000001 {CLIENT_ID} 16 {'07' * 22} 0000", f"Initial v1 dcid 8394c8f03e515708 scid {'07' * 22} [bad length]"),
        (f"c3 00000001 {CLIENT_ID} 00 00 4009 00000000", "Initial v1 dcid 8394c8f03e515708 scid - [|]"),
        (f"c3 51303436 {CLIENT_ID} 00", "version Q046"),  # its header is another one
        (f"c3 ff000012 {CLIENT_ID} 00", "version draft-18"),
        ("c3 00000001 08 8394", "Initial v1 dcid 8394 [|]"),
        ("40 00000001 08 8394", None),
    ],
)  # fmt: skip
def test_quic(datagram, told):
    """RFC 9001 section 5.2 needs keys to read more: version and IDs are told, and nothing is guessed."""
    assert tell("quic", bytes.fromhex(datagram)) == told
