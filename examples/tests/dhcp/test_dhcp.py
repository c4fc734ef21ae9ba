"""dnsmasq as a DHCP server: what it answers to the packets of client.txt, option by option, is in server.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from subprocess import DEVNULL, PIPE

import pytest

from pkttools import Lab
from pkttools.pytest_plugin import assert_packets

# Names no user, who is not there in a user namespace, and no file outside of the host's own.
SERVER = """
    exec dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=eth0 --dhcp-authoritative --no-ping
    --dhcp-range=192.0.2.100,192.0.2.109,255.255.255.0,1h --dhcp-option=option:router,192.0.2.254
    --dhcp-option=option:dns-server,192.0.2.53 --dhcp-host=02:00:00:00:00:07,192.0.2.7
    --leasefile-ro --pid-file= --user=root --group= --log-facility=-
""".replace("\n", " ")
pytestmark = pytest.mark.lab("""
    wire server 192.0.2.1/24 client
    mac server:eth0 02:00:00:00:00:01
    mac client:eth0 02:00:00:00:00:07
""")


@pytest.fixture(autouse=True)
def dnsmasq(lab: Lab, needs: Callable[..., None]) -> Iterator[None]:
    """The server runs."""
    needs("dnsmasq", "server", "dnsmasq --version")
    server = lab.start("server", SERVER, stdin=DEVNULL, stderr=PIPE)
    said = []
    while b"DHCP, IP range" not in (line := server.stderr.readline()):
        said.append(line)
        if not line:
            pytest.fail(f"dnsmasq: {b''.join(said).decode()}")
    yield
    server.terminate()


def answers(lab: Lab, capture: Callable, packet: object) -> list:
    """What the client gets for a packet."""
    with capture("client:eth0", "UDP.DST_PORT==68", receive_only=True, linger=0.5) as got:
        lab.send("client:eth0", packet)
    return got


def test_an_address_is_offered_and_given(lab: Lab, capture: Callable, packets: Callable, noted: Callable) -> None:
    """The one that is kept for this client, with router and name server."""
    sent, expected = packets("client.txt"), packets("server.txt")
    for question, answer in (("discover", "offer"), ("request: of what is offered", "acknowledgement")):
        assert_packets(answers(lab, capture, noted(sent, question)), noted(expected, answer), ignore="IP.ID,checksums")


def test_an_address_of_another_network_is_refused(lab: Lab, capture: Callable, packets: Callable, noted: Callable) -> None:
    (got,) = answers(lab, capture, noted(packets("client.txt"), "request: of an address of another"))
    assert (got["DHCP.OPT_MESSAGE"], got["DHCP.XID"], got["DHCP.YIADDR"]) == (6, 0x1002, "0.0.0.0")  # a NAK, RFC 2131 section 4.3.2


def test_another_client_gets_an_address_of_the_range(lab: Lab, capture: Callable, packets: Callable) -> None:
    discover = packets("client.txt")[0]
    discover["DHCP.CHADDR"] = discover["ETHERNET.SRC_ADDR"] = "02:00:00:00:00:99"
    discover["DHCP.FLAGS"] = 0x8000  # the answer is for all: the client is not there
    discover.correct()
    (got,) = answers(lab, capture, discover)
    assert got["DHCP.YIADDR"] in [f"192.0.2.{number}" for number in range(100, 110)]
    assert (got["DHCP.OPT_LEASE"], got["DHCP.OPT_ROUTER"], got["DHCP.OPT_DNS"]) == (3600, "192.0.2.254", "192.0.2.53")


def test_what_is_no_request_is_not_answered(lab: Lab, capture: Callable, packets: Callable) -> None:
    discover = packets("client.txt")[0]
    discover["DHCP.OP"] = "reply"
    discover.correct()
    assert answers(lab, capture, discover) == []
