#!/bin/sh
# tcpdump 4.99.3 and werift-rtp 0.8.9 (npm) read the number of packets lost in RTCP's reports without its sign: one packet that came twice
# is 16777215 lost. tshark 4.0.17 reads -1.
# It may be negative, where duplicates have come (RFC 3550 section 6.4.1), and has a sign in its 24 bits (section A.3).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
tool tshark 4.0.17
node_packages werift-rtp@0.8.9
cd "$folder"
python3 - << 'END'
from frames import *
message = struct.pack("!BBHIII4I", 0x81, 201, 7, 1, 2, 0x00FFFFFF, 1, 2, 3, 4)
datagram = struct.pack("!HHHH", 5005, 5005, 8 + len(message), 0) + message
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
open("report", "wb").write(message)
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
END
by_werift=$(node -e "console.log(require('werift-rtp').RtcpPacketConverter.deSerialize(require('fs').readFileSync('report'))[0].reports[0].packetsLost)")
by_tcpdump=$(tcpdump -T rtcp -v -n -r file 2> /dev/null | grep -oE '[0-9-]+l' | tr -d l)
by_tshark=$(tshark -r file -d udp.port==5005,rtcp -T fields -e rtcp.ssrc.cum_nr 2> /dev/null)
verdict "tcpdump: -1, werift-rtp: -1, tshark: -1" "tcpdump: 16777215, werift-rtp: 16777215, tshark: -1" \
    "tcpdump: $by_tcpdump, werift-rtp: $by_werift, tshark: $by_tshark"
