"""A firewall of nftables between two networks: what of outside.txt comes through, and that answers do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import pkttools
from pkttools import Lab
from pkttools.pytest_plugin import assert_packets

pytestmark = pytest.mark.lab("""
    wire outside 192.0.2.1/24    fw 192.0.2.254/24
    wire inside  198.51.100.1/24 fw 198.51.100.254/24
    forward fw
    route outside default via 192.0.2.254
    route inside  default via 198.51.100.254
    mac outside:eth0 02:00:00:00:00:01
    mac inside:eth0  02:00:00:00:00:02
    mac fw:eth0      02:00:00:00:00:f0
    mac fw:eth1      02:00:00:00:00:f1
""")


@pytest.fixture(autouse=True)
def rules(nft: Callable[[str, str], None]) -> None:
    """The firewall has its rules."""
    nft("fw", "rules.nft")


@pytest.fixture
def quiet(nft: Callable[[str, str], None]) -> None:
    """The kernel outside does not answer by itself."""
    nft("outside", "quiet.nft")


def test_what_comes_through_from_outside(lab: Lab, capture: Callable, packets: Callable, noted: Callable) -> None:
    sent = packets("outside.txt")
    with capture("inside:eth0", "IP.SRC_ADDR==192.0.2.1", receive_only=True) as got:
        lab.send("outside:eth0", sent)
    assert_packets(got, noted(sent, "passes"), ignore="routing")


def test_what_is_sent_from_inside_comes_through_as_it_is(lab: Lab, capture: Callable, packets: Callable) -> None:
    """The same packets the other way round."""
    sent = list(pkttools.change(packets("outside.txt"), swap=True))
    sent = [packet for packet in sent if packet.get("TCP.FLAGS") in (None, 2)]  # state invalid goes nowhere
    for packet in sent:
        packet["ETHERNET.DST_ADDR"] = "02:00:00:00:00:f1"
    with capture("outside:eth0", "IP.SRC_ADDR==198.51.100.1 and not ICMP.TYPE==3", receive_only=True) as got:
        lab.send("inside:eth0", sent)
    assert_packets(got, [packet for packet in sent if packet.get("ICMP.TYPE") != 0], ignore="routing")


@pytest.mark.usefixtures("quiet")
def test_an_answer_comes_through_and_a_guess_does_not(lab: Lab, capture: Callable, packets: Callable) -> None:
    question, answer = packets("answer.txt")
    guess = answer.copy()
    guess["TCP.DST_PORT"] = 50002
    guess.correct()
    with capture("inside:eth0", "TCP", receive_only=True) as got:
        lab.send("outside:eth0", [answer, guess])
        lab.send("inside:eth0", question)
        lab.send("outside:eth0", [answer, guess])
    assert_packets(got, answer, ignore="routing")


@pytest.mark.usefixtures("quiet")
def test_errors_about_a_connection_come_through_and_no_others(lab: Lab, capture: Callable, packets: Callable) -> None:
    question, _ = packets("answer.txt")
    error = packets("error.txt")[0]
    other = error.copy()
    other["TCP.DST_PORT"] = 81  # of what it quotes
    other.correct()
    with capture("inside:eth0", "ICMP", receive_only=True) as got:
        lab.send("inside:eth0", question)
        lab.send("outside:eth0", [other, error])
    assert_packets(got, error, ignore="routing")
