#!/bin/sh
# tcpdump 4.99.3 prints the preference of a router in ICMP's router advertisements without its sign: one of -5, which is less than
# all others' 0, is the largest. tshark 4.0.17 reads -5.
# A preference level is a signed number in two's complement; the lowest one says that a router is never to be the default
# (RFC 1256 section 3).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
message = struct.pack("!BBHBBH4si", 9, 0, 0, 1, 2, 1800, FRAME[26:30], -5)
message = message[:2] + struct.pack("!H", internet(message)) + message[4:]
ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 1, 0, 1, 1, 0) + FRAME[26:30] + bytes([224, 0, 0, 1])
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + message)))
END
tcpdump=$(tcpdump -nr file 2> log | grep -o '{.*}')
tshark=$(tshark -nr file -T fields -e icmp.pref_level 2> log)
verdict "{192.0.2.1 -5} -5" "{192.0.2.1 4294967291} -5" "$tcpdump $tshark"
