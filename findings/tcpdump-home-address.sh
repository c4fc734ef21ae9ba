#!/bin/sh
# tcpdump 4.99.3 -vv prints the home address of a packet from a mobile node, and computes the checksum without it: it calls right ones bad.
# The pseudo-header has the home address as its source where there is the option (RFC 6275 section 11.3.1).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
cd "$folder"
python3 - << 'END'
from frames import *

care_of, home, target = (bytes.fromhex("20010db8" + 22 * "0" + last) for last in ("01", "77", "02"))
udp = struct.pack("!HHHH", 1000, 2000, 13, 0) + b"hello"
udp = udp[:6] + struct.pack("!H", internet(home + target + struct.pack("!II", len(udp), 17) + udp)) + udp[8:]
data = bytes([17, 2, 1, 2, 0, 0, 201, 16]) + home + udp  # PadN, home address (section 6.3)
open("file", "wb").write(pcap((SECOND, FRAME[:12] + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(data), 60, 64) + care_of + target + data)))
END
seen=$(tcpdump -vvnr file 2> /dev/null | grep -oE 'homeaddr: [0-9a-f:]+|\[.*(ok|!)\]' | paste -sd ' ')
verdict "homeaddr: 2001:db8::77 [udp sum ok]" "homeaddr: 2001:db8::77 [bad udp cksum 0x545f -> 0x54d5!]" "$seen"
