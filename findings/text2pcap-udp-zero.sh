#!/bin/sh
# text2pcap 4.0.17 writes a UDP checksum of 0, which means none, where the sum of the packet that it makes is 0: over IPv6
# tshark 4.0.17 calls it illegal.
# A sum of zero is sent as all ones (RFC 768); over IPv6 a checksum of 0 is not allowed (RFC 8200 section 8.1).
. "$(dirname "$0")/common"
tool text2pcap 4.0.17
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
addresses = [FRAME[26:34], bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002")]
for version, both in zip((4, 6), addresses):
    data = internet(both + struct.pack("!HHHHHH", 17, 10, 1000, 2000, 10, 0))
    open(f"text{version}", "w").write(f"0000 {data >> 8:02x} {data & 255:02x}\n")
END
text2pcap -q -u 1000,2000 -4 192.0.2.1,192.0.2.2 text4 file4 > log 2>&1
text2pcap -q -u 1000,2000 -6 2001:db8::1,2001:db8::2 text6 file6 > log 2>&1
seen=$(for version in 4 6; do
    echo $(tshark -nr file$version -T fields -e udp.checksum 2> log; tshark -nr file$version -T fields -e _ws.expert.message 2> log)
done)
verdict "0xffff
0xffff" "0x0000
0x0000 Illegal checksum value (0)" "$seen"
