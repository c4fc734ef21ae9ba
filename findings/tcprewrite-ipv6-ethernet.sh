#!/bin/sh
# tcprewrite 4.4.3, asked to map IPv6 addresses of two hosts with --pnat, makes both Ethernet addresses begin with 33:33: they are of
# groups then, the source, too. With IPv4 it leaves them alone.
# 33:33 is for packets to IPv6 groups, whose addresses begin with ff (RFC 2464 section 7); a source is never a group's (IEEE 802-2014
# section 8.2.2).
. "$(dirname "$0")/common"
tool tcprewrite 4.4.3
cd "$folder"
python3 - << 'END'
from frames import *

datagram = FRAME[34:40]
ends = bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002")
data = b"hello"
sum_ = internet(ends + struct.pack("!II", 8 + len(data), 17) + datagram + bytes(2) + data)
packet = struct.pack("!IHBB", 0x60000000, 8 + len(data), 17, 64) + ends + datagram + struct.pack("!H", sum_) + data
open("file", "wb").write(pcap((SECOND, bytes.fromhex("020000000002 020000000001 86dd") + packet)))
END
tcprewrite --pnat='[2001:db8::/32]:[2001:db9::/32]' -i file -o copy > said 2>&1
seen=$(python3 -c 'frame = open("copy", "rb").read()[40:]; print("to", frame[:6].hex(":"), "from", frame[6:12].hex(":"))')
verdict "to 02:00:00:00:00:02 from 02:00:00:00:00:01, 0 bytes said" "to 33:33:00:00:00:02 from 33:33:00:00:00:01, 0 bytes said" \
    "$seen, $(wc -c < said) bytes said"
