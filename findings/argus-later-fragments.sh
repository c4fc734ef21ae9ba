#!/bin/sh
# argus 3.0.8.2: the later fragments of an IPv6 datagram are a flow of UDP whose ports are the two halves of their identification, each
# with its octets in the wrong order.
# Only the first fragment has the header of what it carries (RFC 8200 section 4.5); as for IPv4, whose fragments argus puts together,
# all are of the same datagram and so of the same flow (RFC 7011 section 2, Flow).
. "$(dirname "$0")/common"
tool argus 3.0.8.2
tool ra 3.0.8.2
cd "$folder"
python3 - << 'END'
from frames import *

source, target = bytes.fromhex("20010db8" + 22 * "0" + "01"), bytes.fromhex("20010db8" + 22 * "0" + "02")
udp = struct.pack("!HHHH", 1000, 2000, 72, 0) + bytes(64)
udp = udp[:6] + struct.pack("!H", internet(source + target + struct.pack("!II", 72, 17) + udp)) + udp[8:]


def fragment(first, last, more):
    data = struct.pack("!BBHI", 17, 0, first | more, 0x11223344) + udp[first:last]
    return FRAME[:12] + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(data), 44, 64) + source + target + data


open("file", "wb").write(pcap((SECOND, fragment(0, 24, 1)), (SECOND + 1, fragment(24, 48, 1)), (SECOND + 2, fragment(48, 72, 0))))
END
argus -X -r file -w flows > argus.log 2>&1
seen=$(ra -F /dev/null -r flows -n -L -1 -c ' ' -s proto sport dport spkts - not man 2> /dev/null | paste -sd ';' | sed 's/;/; /')
verdict "udp 1000 2000 3" "udp 1000 2000 1; udp 8721 17459 2" "$seen"
