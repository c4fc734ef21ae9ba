#!/bin/sh
# tcpdump 4.99.3 and scapy 2.8.0 compute UDP's checksum with the last address of an IPv4 source route also where
# the route is used up and the datagram has come to where it was to go: they call the right checksum wrong.
# The destination is that of the header then (RFC 791 section 3.1, Loose Source and Record Route: the pointer is greater than the
# length, and what the option holds are recorded addresses; RFC 1122 section 4.1.3.5: the pseudo-header has the ultimate destination).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
source, destination = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
route = bytes([131, 11, 12, 198, 51, 100, 1, 203, 0, 113, 9, 0])  # recorded: 198.51.100.1, 203.0.113.9
data = struct.pack("!HHHH", 1000, 2000, 12, 0) + b"lsrr"
sum_ = internet(source + destination + struct.pack("!HH", 17, 12) + data)
data = data[:6] + struct.pack("!H", sum_) + data[8:]
head = struct.pack("!BBHHHBBH", 0x48, 0, 44, 1, 0, 64, 17, 0) + source + destination + route
packet = head[:10] + struct.pack("!H", internet(head)) + head[12:] + data
open("file", "wb").write(pcap((SECOND, FRAME[:14] + packet)))
from scapy.layers.inet import IP, UDP
read = IP(packet)
del read[UDP].chksum
print("right" if IP(bytes(read))[UDP].chksum == sum_ else "wrong")
END
)
by_tcpdump=$(tcpdump -vv -n -r file 2> /dev/null | grep -oE 'bad udp cksum|udp sum ok' || true)
verdict "tcpdump: udp sum ok, scapy: right" "tcpdump: bad udp cksum, scapy: wrong" "tcpdump: $by_tcpdump, scapy: $by_scapy"
