#!/bin/sh
# tcpdump 4.99.3 takes BFD from source port 49152 for a shim of Broadcom's, and calls it invalid; from 49153 on it is BFD.
# The source port of BFD is any from 49152 to 65535, and the destination port is 3784 (RFC 5881 section 4); 49152 is nobody's (RFC 6335
# section 6).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
cd "$folder"
python3 - << 'END'
from frames import *
control = struct.pack("!BBBBIIIII", 0x20, 0xC0, 3, 24, 1, 2, 1_000_000, 1_000_000, 50_000)
open("file", "wb").write(pcap(*((SECOND, datagram(3784, control, sent=port)) for port in (49152, 49153))))
END
verdict "BFDv1 BFDv1" "BCM-LI-SHIM BFDv1" "$(echo $(tcpdump -nvr file 2> log | grep -oE 'BFDv1|BCM-LI-SHIM'))"
