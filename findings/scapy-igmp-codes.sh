#!/bin/sh
# scapy 2.8.0 gives IGMPv3's Max Resp Code as tenths of a second also from 128 on, where it is a floating-point number: 0x91 is 14.5 s
# for it, and 27.2 s for tcpdump 4.99.3 and tshark 4.0.17.
# From 128 on it is (mant | 0x10) << (exp + 3), with exp its middle three bits and mant the last four (RFC 3376 section 4.1.1).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
tool tshark 4.0.17
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
message = struct.pack("!BBH4sBBH", 0x11, 0x91, 0, bytes(4), 2, 125, 0)
message = message[:2] + struct.pack("!H", internet(message)) + message[4:]
ip = struct.pack("!BBHHHBBH4s4s4s", 0x46, 0xC0, 24 + len(message), 1, 0, 1, 2, 0, FRAME[26:30], bytes([224, 0, 0, 1]), b"\x94\x04\0\0")
ip = ip[:10] + struct.pack("!H", internet(ip)) + ip[12:]
open("file", "wb").write(pcap((SECOND, bytes.fromhex("01005e000001") + FRAME[6:14] + ip + message)))
from scapy.contrib.igmpv3 import IGMPv3
print(IGMPv3(message).sprintf("%mrcode%"))
END
)
by_tcpdump=$(tcpdump -v -n -r file 2> /dev/null | grep -oE 'max resp time [0-9.]+s')
by_tshark=$(tshark -r file -T fields -e igmp.max_resp 2> /dev/null)
verdict "scapy: 272 1/10sec, tcpdump: max resp time 27.2s, tshark: 272" "scapy: 145 1/10sec, tcpdump: max resp time 27.2s, tshark: 272" \
    "scapy: $by_scapy, tcpdump: $by_tcpdump, tshark: $by_tshark"
