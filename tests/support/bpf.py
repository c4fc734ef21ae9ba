"""Classic BPF for tests: expressions, and libpcap itself as the judge of programs."""

from __future__ import annotations

import ctypes
import random

import pytest

from pkttools.batch import ORIGINAL, Batch
from pkttools.bpf.classic import CODES, Instruction, packed
from pkttools.errors import PktError
from pkttools.libpcap import system

# For Ethernet; of every kind that pcap-filter(7) has.
EXPRESSIONS = (
    "", "ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6", "igmp", "sctp", "vrrp", "carp", "ah", "esp", "pim",
    "decnet", "host 10.0.0.1", "src host 192.168.1.1", "dst 10.0.0.2", "net 10", "src net 172.16.0.0/12",
    "dst net 192.168.0.0 mask 255.255.0.0", "host fe80::1", "net fd00::/8", "ip6 src ::1", "port 53", "src port 80",
    "tcp port 80", "udp dst port 67", "portrange 1000-2000", "tcp src portrange 20-21", "ether host 02:00:00:00:00:0a",
    "ether src ff:ff:ff:ff:ff:ff", "ether broadcast", "ether multicast", "broadcast", "multicast", "ip multicast",
    "ip6 multicast", "ip broadcast", "ether proto 0x88b5", "ip proto 6", "ip proto \\icmp", "ip6 proto 58", "less 100",
    "greater 1000", "len > 60 and len < 600", "vlan", "vlan 42", "vlan and tcp", "vlan 7 and vlan 8 and ip", "not vlan",
    "mpls", "mpls 100 and host 10.0.0.1", "pppoes", "pppoes and ip", "geneve", "stp", "iso", "ipx", "atalk", "llc",
    "icmp[icmptype] = icmp-echo and not vlan", "icmp[icmptype] != icmp-echo and icmp[0] != icmp-echoreply",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13] == 2", "ip[0] & 0xf != 5", "ip[6:2] & 0x1fff = 0",
    "ether[0] & 1 = 0 and ip[16] >= 224", "ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) != 0",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "ip[8] * 2 / 3 % 7 = 1", "ip[9] ^ 6 = 0", "ether[12:2] >> 3 << 2 > 77",
    "ip[ip[0] & 15] = 1 or ether[len - 1] = 0", "udp[8:4] = 0x01020304 or udp[4:2] > 100",
    "tcp port 22 or tcp port 80 or udp port 53 or icmp or arp", "not (tcp port 22) and not arp and (net 10 or net 192.168)",
    "ip6[6] = 58 and ip6[40] = 128", "ip protochain 17", "ip6 protochain 58", "ether[1000000] = 1", "1 = 1",
)  # fmt: skip


def libpcap() -> ctypes.CDLL:
    """The system's libpcap; what needs it is skipped without."""
    try:
        library = system.library()
    except PktError as error:
        pytest.skip(str(error))
    library.bpf_filter.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, ctypes.c_uint)
    library.bpf_filter.restype = ctypes.c_uint
    library.bpf_validate.argtypes = (ctypes.c_char_p, ctypes.c_int)
    return library


def judged(instructions: list[Instruction], frame: bytes, wire: int) -> int:
    """What libpcap's own interpreter returns."""
    return libpcap().bpf_filter(packed(instructions), frame, wire, len(frame))


def frames_of(batch: Batch) -> list[tuple[bytes, int]]:
    """The packets of a batch: bytes, and size on the wire."""
    return [(bytes(batch.frame(i)), wire) for i, wire in enumerate(batch.column(ORIGINAL))]


def any_program(dice: random.Random) -> list[Instruction]:
    """A sound program of anything."""
    size = dice.randrange(1, 30)
    program = []
    for left in range(size, 0, -1):
        code = dice.choice(sorted(CODES - {0x06, 0x16})) if dice.random() < 0.97 else 0x16
        k = dice.choice((0, 1, 2, 5, 12, 14, 31, 32, 40, 59, 60, 61, 0x0800, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF))
        if code in (0x60, 0x61, 0x02, 0x03):
            k = dice.randrange(16)
        elif code in (0x34, 0x94):
            k = k or 3
        elif code in (0x64, 0x74):
            k %= 32
        elif code == 0x05:
            k = dice.randrange(left)
        program.append((code, dice.randrange(left), dice.randrange(left), k))
    return [*program, (dice.choice((0x06, 0x16)), 0, 0, dice.randrange(2))]


def open_dead(linktype: int, snaplen: int = 262144) -> int:
    """A handle of libpcap's for neither an interface nor a file; declared, as ctypes cuts one of 64 bits to 32 else."""
    function = system.library().pcap_open_dead
    function.restype, function.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_int)
    return function(linktype, snaplen)
