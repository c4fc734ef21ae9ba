"""Answers and fragments on a wire, with the other host's kernel and its ping as judges."""

from netns import IP6, MAC, finish
from netns import lab as _lab
from netns import labs as _labs
from test_live_pipe import snmp

lab, labs = _lab, _labs

# In a, hosts that are not there; the kernel of b does not know them either, so nobody but us answers.
SILENT = "ip addr flush dev eth0 && ip neigh flush dev eth0"


def test_a_ping_of_hosts_that_are_not_there(labs):
    """ARP, then echo: both answered for an address that nobody has, and for no other."""
    labs.must("b", SILENT)
    answering = labs.capture("b", "pkt-recv -i eth0 -ro --duration 12 | pkt-pingrep --addr 10.0.0.64/28 | pkt-send -i eth0 -f")
    said = labs.must("a", "ping -c 2 -i 0.2 -W 2 -s 800 10.0.0.70").decode()
    assert "2 received" in said
    assert "ttl=255" in said
    assert "00:11:0a:00:00:46" in labs.must("a", "ip neigh show 10.0.0.70").decode()
    assert labs.run("a", "ping -c 1 -W 1 10.0.0.90").returncode != 0
    assert snmp(labs, "a", "InCsumErrors") == 0
    answering.terminate()


def test_a_ping6_of_hosts_that_are_not_there(labs):
    labs.ipv6()
    labs.must("b", "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6")
    answering = labs.capture("b", "pkt-recv -i eth0 -ro --duration 12 | pkt-pingrep --addr fd00::70/124 | pkt-send -i eth0 -f")
    said = labs.must("a", "ping -6 -c 2 -i 0.2 -W 2 fd00::77").decode()
    assert "2 received" in said
    assert "ttl=255" in said
    assert "00:11:00:00:00:77" in labs.must("a", "ip -6 neigh show fd00::77").decode()
    assert labs.run("a", "ping -6 -c 1 -W 1 fd00::90").returncode != 0
    answering.terminate()


def test_the_kernel_puts_our_fragments_together(labs):
    """A ping of 3,000 bytes, cut to 576: the other kernel answers it, and we put its answer together."""
    request = labs.capture("a", "pkt-recv -i eth0 -so -l 3 | pkt-defragment")
    labs.must("a", "ping -c 1 -W 2 -s 3000 -M dont 10.0.0.2")
    code, text, err = finish(request)
    assert code == 0, err
    assert text.count(b"\n==") == 1
    pieces = labs.must("a", "pkt-fragment -fm 576", text)
    assert pieces.count(b"\n==") == 6
    answers = labs.capture("a", "pkt-recv -i eth0 -ro -l 3 | pkt-defragment | pkt-check -cs | pkt-filter ICMP.TYPE==0")
    labs.must("a", "pkt-send -i eth0 -f", pieces)
    code, got, err = finish(answers)
    assert code == 0, err
    assert got.count(b"\n==") == 1
    assert labs.must("a", "pkt-txt2bin", got)[42:] == labs.must("a", "pkt-txt2bin", text)[42:]
    assert MAC["a"].replace(":", " ").upper()[:8] in got.decode()


def test_fragments_of_ipv6(labs):
    labs.ipv6()
    request = labs.capture("a", "pkt-recv -i eth0 -so -l 3 IPV6.FRAGMENT_ID | pkt-defragment")
    labs.must("a", f"ping -6 -c 1 -W 2 -s 3000 {IP6['b']}")
    code, text, err = finish(request)
    assert code == 0, err
    answers = labs.capture(
        "a", "pkt-recv -i eth0 -ro -l 3 IPV6.FRAGMENT_ID | pkt-defragment | pkt-check -cs | pkt-filter ICMPV6.TYPE==129"
    )
    labs.must("a", "pkt-fragment --id 77 | pkt-send -i eth0 -f", text)
    code, got, err = finish(answers)
    assert code == 0, err
    assert got.count(b"\n==") == 1
    assert labs.must("a", "pkt-txt2bin", got)[62:] == labs.must("a", "pkt-txt2bin", text)[62:]
