#!/bin/sh
# scapy 2.8.0 knows no values of variable length in IPFIX: a set with two records that have one is a set without records, and their octets are
# another one behind it, whose template is the address 192.0. Of a name in 5 octets it reads both. tshark 4.0.17 reads the names.
# The length 65535 in a template says that each value begins with its own length, of one or three octets (RFC 7011 section 7).
. "$(dirname "$0")/common"
packages scapy==2.8.0
tool tshark 4.0.17
cd "$folder"
scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
from scapy.layers.inet import UDP
from scapy.layers.l2 import Ether
from scapy.layers.netflow import NetflowDataflowsetV9, NetflowHeader, netflowv9_defragment
from scapy.packet import bind_layers

bind_layers(UDP, NetflowHeader, dport=2055)
for number, length, names in (256, 5, (b"wlan0", b"wlan1")), (257, 65535, (b"\4eth0", b"\5wlan0")):
    template = ipfix_message(2, struct.pack("!HHHHHH", number, 2, 8, 4, 82, length))
    records = ipfix_message(number, FRAME[26:30] + names[0] + FRAME[30:34] + names[1])
    frames = [datagram(2055, data) for data in (template, records)]
    open("file", "wb").write(pcap(*((SECOND, frame) for frame in frames)))
    read = netflowv9_defragment([Ether(frame) for frame in frames])[1][NetflowDataflowsetV9]
    behind = read.getlayer(NetflowDataflowsetV9, 2)
    print(len(read.records), "records,", f"then a set of {behind.templateID:04x}" if behind else "nothing else", end=", ")
END
)
tshark=$(tshark -nr file -d udp.port==2055,cflow -T fields -e cflow.if_name 2> log | tail -1)
verdict "2 records, nothing else, 2 records, nothing else, eth0,wlan0" \
    "2 records, nothing else, 0 records, then a set of c000, eth0,wlan0" "${scapy}$tshark"
