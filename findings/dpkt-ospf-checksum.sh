#!/bin/sh
# dpkt 1.9.8 sums OSPF's authentication field as well: with a password its checksum is wrong, and with a digest, where it
# is to be 0, dpkt computes one, which no value turns off. tshark 4.0.17 judges.
# The checksum is of the packet without the 64 bits of authentication (RFC 2328 sections A.3.1 and D.4.2), and 0 with a digest (section D.4.3).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages dpkt==1.9.8
cd "$folder"
digest=$("$python" - << 'END'
from frames import *
from dpkt.ospf import OSPF

hello = struct.pack("!4sHBBI4s4s", b"\xff\xff\xff\0", 10, 2, 1, 40, FRAME[26:30], bytes(4))
packets = []
for kind, secret in (0, b""), (1, b"password"), (2, b"\0\0\x01\x10\0\0\0\x01"):
    made = bytes(OSPF(v=2, type=1, len=24 + len(hello), router=1, area=0, atype=kind, auth=secret, data=hello))
    if kind == 2:
        print("with a digest:", "0" if made[12:14] == bytes(2) else "one")
        break
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(made), 1, 0, 1, 89, 0, FRAME[26:30], bytes([224, 0, 0, 5]))
    packets.append((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + made))
open("file", "wb").write(pcap(*packets))
END
)
seen=$(tshark -r file -V 2> /dev/null | grep -oE 'Checksum: 0x[0-9a-f]+ \[(in)?correct' | grep -oE '(in)?correct' | paste -sd ' ')
verdict "without, with a password: correct correct; with a digest: 0" "without, with a password: correct incorrect; with a digest: one" \
    "without, with a password: $seen; $digest"
