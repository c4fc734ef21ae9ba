"""A NAT of nftables: what leaves has its address, answers and errors find back, and what they quote is translated, too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import pkttools
from pkttools import Lab
from pkttools.pytest_plugin import assert_packets

pytestmark = pytest.mark.lab("""
    wire client 10.0.0.2/24  nat 10.0.0.1/24
    wire server 192.0.2.1/24 nat 192.0.2.2/24
    forward nat
    route client default via 10.0.0.1
    mac client:eth0 02:00:00:00:00:02
    mac server:eth0 02:00:00:00:00:01
    mac nat:eth0    02:00:00:00:00:f0
    mac nat:eth1    02:00:00:00:00:f1
""")


@pytest.fixture(autouse=True)
def rules(nft: Callable[[str, str], None]) -> None:
    """The NAT has its rules."""
    nft("nat", "rules.nft")


def test_what_leaves_has_the_address_of_the_nat(lab: Lab, capture: Callable, packets: Callable) -> None:
    with capture("server:eth0", "IP.DST_ADDR==192.0.2.1", receive_only=True) as got:
        lab.send("client:eth0", packets("inside.txt"))
    assert_packets(got, packets("outside.txt"))


def test_answers_and_errors_of_the_server_find_back(lab: Lab, capture: Callable, packets: Callable) -> None:
    """Its kernel answers the ping; nobody listens at the port, which it says, too, and quotes what it got."""
    with capture("client:eth0", "ICMP", receive_only=True) as got:
        lab.send("client:eth0", packets("inside.txt"))
    error, reply = sorted(got, key=lambda packet: -packet["ICMP.TYPE"])
    assert (reply["ICMP.TYPE"], reply["ICMP.ID"], reply["IP.DST_ADDR"]) == (0, 77, "10.0.0.2")
    assert (error["ICMP.TYPE"], error["ICMP.CODE"], error["IP.DST_ADDR"]) == (3, 3, "10.0.0.2")
    assert (error["IP.SRC_ADDR[2]"], error["UDP.SRC_PORT"]) == ("10.0.0.2", 5000)
    assert len(list(pkttools.pipe("check -cs", got))) == len(got)  # their checksums are right


def test_an_error_on_the_way_is_translated_in_what_it_quotes(lab: Lab, capture: Callable, packets: Callable) -> None:
    with capture("client:eth0", "ICMP.TYPE==11", receive_only=True) as got:
        lab.send("client:eth0", packets("inside.txt")[0])
        lab.send("server:eth0", packets("error-outside.txt"))
    assert_packets(got, packets("error-inside.txt"))


def test_two_with_the_same_port_are_told_apart(lab: Lab, capture: Callable, packets: Callable) -> None:
    one = packets("inside.txt")[0]
    other = one.copy()
    other["IP.SRC_ADDR"] = "10.0.0.3"
    other.correct()
    with capture("server:eth0", "UDP", receive_only=True) as got:
        lab.send("client:eth0", [one, other])
    assert [packet["IP.SRC_ADDR"] for packet in got] == ["192.0.2.2"] * 2
    assert got[0]["UDP.SRC_PORT"] == 5000 != got[1]["UDP.SRC_PORT"]


def test_what_nobody_asked_for_stays_outside(lab: Lab, capture: Callable, packets: Callable) -> None:
    question = packets("outside.txt")[0]
    (guess,) = pkttools.change(question, "UDP.DST_PORT=5000", swap=True, update_checksums=True)
    with capture("client:eth0", "IP.SRC_ADDR==192.0.2.1") as got:
        lab.send("server:eth0", [guess, *packets("error-outside.txt")])
    assert list(got) == []
