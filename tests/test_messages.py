"""Readers of messages, all of them: both codecs say the same of anything, within their limits, in characters that are seen."""

from __future__ import annotations

import random
import re
import struct
import time

import pytest
from captured import captured
from conftest import ROOT, load
from messages import SAMPLES
from samples import ethernet, ipv4, ipv6, row_of, tcp
from test_line import one
from told import tell

from pkttools.batch import LINKTYPE
from pkttools.codec import MOST_TOLD
from pkttools.protocols.model import READERS


def test_the_readers_are_those_of_the_codec():
    """READERS is the order of `enum reader`, and each of them tells something of its sample."""
    text = (ROOT / "pkttools/codec/c/codec.h").read_text()
    found = re.search(r"enum reader \{[^}]*?READ_DNS(.*?)READERS\n?\s*\}", text, re.DOTALL)
    assert found is not None
    assert re.findall(r"READ_(\w+)", "READ_DNS" + found[1]) == [name.upper() for name in READERS]
    assert int(re.search(r"MOST_TOLD = (\d+)", text)[1]) == MOST_TOLD
    for reader, sample in SAMPLES.items():
        assert tell(reader, bytes.fromhex(sample)) is not None


def test_what_cannot_be_told(codec):
    """A range outside of the frame and a reader that is none are the caller's mistakes; nothing says nothing."""
    for reader, at, end in ((-1, 0, 1), (len(READERS), 0, 1), (0, -1, 1), (0, 2, 1), (0, 0, 14)):
        with pytest.raises(ValueError, match="no such reader" if reader else "range lies outside of the buffer"):
            codec.tell(reader, b"hello, world!", at, end)
    assert [codec.tell(reader, b"hello", 5, 5) for reader in range(len(READERS))] == [None] * len(READERS)


@pytest.mark.parametrize("reader", SAMPLES)
def test_both_say_the_same_of_anything(reader):
    """Of every truncation, of octets changed, put in and left out, and of noise; behind something that is not theirs."""
    chance, sample = random.Random(reader), bytes.fromhex(SAMPLES[reader])
    for size in range(len(sample)):
        tell(reader, sample[:size], b"front")
        tell(reader, sample + b"behind", b"front", 5 + size)
    for _ in range(400):
        message = bytearray(sample)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(message))
            how = chance.randrange(4)
            if how == 0:
                del message[at : at + chance.randrange(1, 4)]
            elif how == 1:
                message[at:at] = chance.randbytes(chance.randrange(1, 4))
            elif how == 2:
                message[at:at] = message[at:]  # twice, from here on
            else:
                message[at] = chance.choice((0, 1, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF, 0x1B, 0x9B, chance.randrange(256)))
            message = message[:3000] or bytearray(1)
        tell(reader, bytes(message), chance.randbytes(9))
    for size in (1, 3, 50, 3000):
        tell(reader, chance.randbytes(size))


def test_what_is_too_long_is_cut():
    """At MOST_TOLD, with dots: never within an octet that has been escaped."""
    label = b"\x3f" + b"\xff" * 63
    question = label * 3 + b"\0\0\1\0\1"
    line = tell("dns", bytes.fromhex("0007 0100 0002 0000 0000 0000") + question * 2)
    assert line is not None
    assert MOST_TOLD - 4 <= len(line) <= MOST_TOLD
    assert re.fullmatch(r"7\+ A\? (\\255|\.)+, A\? (\\255|\.)+\.\.\.", line)


@pytest.mark.parametrize(
    ("reader", "message"),
    [
        ("dns", b"\0\7\x81\x80" + b"\xff" * 8 + (b"\1x" * 120 + b"\0\0\1\0\1") * 270),  # long names
        ("dns", b"\0\7\x81\x80" + b"\xff" * 8 + b"\0\0\1\0\1" * 10000 + b"\xc0\x0c\0\1"),
        ("dns_tcp", b"\0\x0c\0\7\1\0" * 20000),
        ("dhcp", b"\1\1\6" + bytes(233) + b"\x63\x82\x53\x63" + b"\0" * 65000),
        ("dhcp", b"\1\1\6" + bytes(233) + b"\x63\x82\x53\x63" + b"\x0c\0" * 32000),
        ("dhcpv6", (b"\x0c\0" + bytes(32) + b"\0\x09\xff\xff") * 1700),
        ("dhcpv6", b"\7\0\0\1" + b"\0\3\0\x0c" * 16000),
        ("tls", b"\x16\3\1\0\0" * 13000),
        ("tls", (b"\x16\3\1\0\1\1" * 5 + b"\x16\3\1\0\0" * 100) * 128),
        ("http", b"GET / HTTP/1.1\n\n" * 4000),
        ("http", b"HTTP/1.1 200 OK\n" + b"a: b\n c\n" * 8000),
        ("http", b"HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n" + b"1\na\n" * 13000),
        ("http", (b"HTTP/1.1 200 OK\ncontent-length: 1\n\n" + b"\n") * 1700 + b"x" * 5000),
        ("http", b"x" * 65000 + b" "),
        ("sip", b"\r\n" * 32000),
        ("quic", bytes.fromhex("c3 00000001 00 00 00 00") * 7000),
        ("media", b"\1\1\xff\xfc\x21\x12\xa4\x42" + bytes(12) + b"\x80\0\0\0" * 16000),
        ("media", bytes.fromhex("80c80000") * 16000),
        ("media", (b"\x16\xfe\xfd" + bytes(10)) * 5000),
    ],
    ids=range(19),
)  # fmt: skip
def test_time_is_bounded(reader, message):
    """Of the largest messages, of what is told again and again, in Python, too: a second is many times what they take."""
    begun = time.process_time()
    tell(reader, message)
    assert time.process_time() - begun < 1


SSDP = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (ethernet(0x0800, ipv4(17, struct.pack("!4H", 9, 1900, 8 + len(SSDP), 0) + SSDP)), "M-SEARCH * HTTP/1.1"),
        (ethernet(0x86DD, ipv6(17, struct.pack("!4H", 5060, 5060, 33, 0) + b"WAVE sip:bob@b SIP/2.0\r\n\r\n"[:25])),
         "WAVE sip:bob@b SIP/2.0"),
        (ethernet(0x0800, ipv4(6, tcp(b"PURGE /a HTTP/1.1\r\n\r\n"))), ": PURGE /a HTTP/1.1"),
        (ethernet(0x0806, bytes.fromhex("0001 0800 08 04 0002 0200000000000001 c0000201 0200000000000002 c0000202")),
         "192.0.2.1 is-at 02:00:00:00:00:00:00:01"),
        (ethernet(0x0800, ipv4(17, struct.pack("!4H", 9, 1900, 13, 0) + b"hello")), "UDP 5"),
    ],
)  # fmt: skip
def test_lines_of_packets(codec, frame, words):
    """Messages that no description announces are known by their form, and ARP's addresses by their sizes."""
    assert one(codec, frame).partition(" (")[0].endswith(words)


def test_real_captures():
    """Of the payloads of captures beside the project each reader says the same in both codecs."""
    codec = load("c")
    for _, b in captured(3):
        for i in range(min(3, len(b))):
            frame = bytes(b.frame(i))
            headers = codec.walk(frame, row_of(frame, b.column(LINKTYPE)[i]))
            for start in {header[1] for header in headers[-2:]} | {header[2] for header in headers[-1:]}:
                for reader in SAMPLES:
                    tell(reader, frame[start:], frame[:start])
