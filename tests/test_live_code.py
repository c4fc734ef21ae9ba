"""Command lines of pkt-code, run by the program that they are for: it sends the packets, but for what is said to be not said."""

from __future__ import annotations

import shutil

import pytest
from conftest import shell
from netns import IP, MAC, finish, frames_of
from netns import lab as _lab

lab = _lab
ENDS = f"--src {IP['a']} --dst {IP['b']} --src-mac {MAC['a']} --dst-mac {MAC['b']}"
MADE = (  # UDP and TCP come as they are, ICMP but for identifier, number and, with them, the checksum
    "udp --size 300 --payload 0x00ff0a275c25732122 --sport 1000 --dport 53 IP.ID=7",
    "udp --size 42 --sport 1 --dport 65535 IP.TTL=1 IP.TOS=0xb8 IP.FRAGMENT=0 IP.ID=65535",
    "tcp --flags SA TCP.SEQ_NUMBER=5 TCP.ACK_NUMBER=4000000000 TCP.WINDOW=77 --sport 9 --dport 65000",
    "tcp --flags FRPUEC --size 70 --payload x TCP.WINDOW=0",
    "icmp --size 42 IP.TTL=9",
    "icmp --size 62 --payload abcdefgh ICMP.TYPE=0 ICMP.CODE=3",
)


@pytest.mark.skipif(not shutil.which("hping3"), reason="hping3 is not installed")
def test_hping3_sends_the_same_packets(lab):
    """But for Ethernet's addresses, which follow from the route. All at once: it waits a second for each answer."""
    texts = [shell(f"pkt-gen {ENDS} {made}").stdout for made in MADE]
    codes = [shell("pkt-code --as hping3", text).stdout.decode() for text in texts]
    capture = lab.capture("b", f"pkt-recv -i eth0 -ro -l {len(MADE)} --duration 9 -F pcap 'IP.SRC_ADDR=={IP['a']}'")
    lab.run("a", "\n".join(f"timeout 5 sh > /dev/null 2>&1 <<'CODE' &\n{code}\nCODE" for code in codes) + "\nwait")
    _, out, said = finish(capture)
    wanted = [frames_of(shell("pkt-txt2pcap", text).stdout)[0] for text in texts]
    assert sorted(map(known, frames_of(out))) == sorted(map(known, wanted)), (codes, said)


def known(frame: bytes) -> bytes:
    """What is the same of a frame: hping3 chooses identifier and number of ICMP, and the checksum is over them."""
    return frame[:36] + bytes(6) + frame[42:] if frame[23] == 1 else frame
