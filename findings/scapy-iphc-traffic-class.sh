#!/bin/sh
# scapy 2.8.0 has the octet of the traffic class in a compressed IPv6 header (6LoWPAN) as the traffic class itself, read and written: what is
# DSCP 46 with ECN 1 is read as 6e for b9. Where the octet has ECN alone, ECN 1 is read as 40. tshark 4.0.17 reads the same packets right.
# ECN is the upper two bits there, and the DSCP the lower six (RFC 6282 section 3.2.1); in the IPv6 header it is the other way round.
. "$(dirname "$0")/common"
packages scapy==2.8.0
tool tshark 4.0.17
cd "$folder"
scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
from scapy.layers.inet6 import IPv6
from scapy.layers.sixlowpan import LoWPAN_IPHC

addresses = bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002")
compressed = [bytes.fromhex(head) + b"\x3b\x40" + addresses for head in ("6000 6e012345", "6800 412345", "7000 6e")]
mac = struct.pack("<HBHHH", 0x8841, 1, 0x1234, 2, 1)
file = pcap(*((SECOND, mac + data) for data in compressed))
open("file", "wb").write(file[:20] + struct.pack("<I", 230) + file[24:])
read = [f"{LoWPAN_IPHC(data)[IPv6].tc:02x}" for data in compressed]
written = bytes(LoWPAN_IPHC(tf=2) / IPv6(tc=0xB9, nh=59, src="2001:db8::1", dst="2001:db8::2"))[2]
print(*read, f"written {written:02x}")
END
)
tshark=$(echo $(tshark -nr file -T fields -e ipv6.tclass 2> log))
verdict "b9 01 b9 written 6e; 0x000000b9 0x00000001 0x000000b9" "6e 40 6e written b9; 0x000000b9 0x00000001 0x000000b9" "$scapy; $tshark"
