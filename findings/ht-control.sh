#!/bin/sh
# tcpdump 4.99.3 and scapy 2.8.0 read the HT Control field of an 802.11 QoS frame as the LLC header that comes behind it. tshark 4.0.17 does not.
# With +HTC/Order set, the header of a QoS data frame ends with four octets of HT Control (IEEE 802.11-2016 sections 9.2.4.1.10 and 9.2.4.6).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
tool tshark 4.0.17
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
addresses = bytes.fromhex("020000000001 020000000002 020000000003")
frame = bytes.fromhex("8881 0000") + addresses + bytes(2) + bytes(2) + bytes.fromhex("03000000") + bytes.fromhex("aaaa03 000000 0800") + FRAME[14:]
file = pcap((SECOND, frame))
open("file", "wb").write(file[:20] + struct.pack("<I", 105) + file[24:])
from scapy.layers.dot11 import LLC, Dot11
print(f"{Dot11(frame)[LLC].dsap:02x}")
END
)
by_tcpdump=$(tcpdump -n -r file 2> /dev/null | grep -qF '192.0.2.1.1000 > 192.0.2.2.2000: UDP' && echo UDP || echo no UDP)
by_tshark=$(tshark -r file -T fields -e llc.dsap -e udp.dstport 2> /dev/null | tr '\t' ' ')
verdict "LLC's first address by scapy: aa, tcpdump: UDP, tshark: 0xaa 2000" \
    "LLC's first address by scapy: 03, tcpdump: no UDP, tshark: 0xaa 2000" \
    "LLC's first address by scapy: $by_scapy, tcpdump: $by_tcpdump, tshark: $by_tshark"
