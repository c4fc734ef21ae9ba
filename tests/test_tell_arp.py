"""What is told of ARP. tcpdump 4.99.3, as was noted, has no words for probes and announcements."""

from __future__ import annotations

import struct

import pytest
from told import tell

HERE, THERE = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
ONE, TWO, NONE = b"\xc0\0\2\1", b"\xc0\0\2\2", bytes(4)


def arp(operation: int, sender: bytes, source: bytes, target: bytes, destination: bytes) -> bytes:
    head = struct.pack("!HHBBH", 1, 0x0800, len(sender), len(source), operation)
    return head + sender + source + target + destination


@pytest.mark.parametrize(
    ("whole", "told"),
    [
        (arp(1, HERE, ONE, bytes(6), TWO), "who-has 192.0.2.2 tell 192.0.2.1"),
        (arp(1, HERE, ONE, THERE, TWO), "who-has 192.0.2.2 tell 192.0.2.1"),
        (arp(2, THERE, TWO, HERE, ONE), "192.0.2.2 is-at 02:00:00:00:00:02"),
        # RFC 5227 sections 1.1, 2.1.1 and 3
        (arp(1, HERE, NONE, bytes(6), TWO), "probe who-has 192.0.2.2 tell 02:00:00:00:00:01"),
        (arp(1, HERE, ONE, bytes(6), ONE), "announcement 192.0.2.1 is-at 02:00:00:00:00:01"),
        (arp(2, HERE, ONE, HERE, ONE), "192.0.2.1 is-at 02:00:00:00:00:01, gratuitous"),
        (arp(2, HERE, NONE, HERE, ONE), "0.0.0.0 is-at 02:00:00:00:00:01"),
        (arp(3, HERE, NONE, HERE, NONE), "who-is 02:00:00:00:00:01 tell 02:00:00:00:00:01"),
        (arp(4, THERE, TWO, HERE, ONE), "02:00:00:00:00:01 at 192.0.2.1"),
        (arp(8, HERE, ONE, THERE, NONE), "who-is 02:00:00:00:00:02 tell 02:00:00:00:00:01"),
        (arp(9, THERE, TWO, HERE, ONE), "02:00:00:00:00:02 at 192.0.2.2"),
        # addresses of other sizes; padding behind them is no part of it
        (arp(1, HERE + b"\0\1", ONE, bytes(8), TWO) + bytes(9), "who-has 192.0.2.2 tell 192.0.2.1"),
        (arp(2, b"\7", b"\1\2", b"\0", b"\3\4"), "01:02 is-at 07"),
        (arp(1, b"", b"", b"", b""), "probe who-has  tell "),
        (arp(7, HERE, ONE, HERE, ONE), "operation 7"),
        (arp(1, HERE, ONE, HERE, ONE)[:-1], "operation 1 [|]"),
        (arp(1, HERE, ONE, HERE, ONE)[:7], None),
    ],
)  # fmt: skip
def test_arp(whole, told):
    """RFC 826, RFC 903, RFC 2390."""
    assert tell("arp", whole) == told
