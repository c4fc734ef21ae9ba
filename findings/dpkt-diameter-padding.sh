#!/bin/sh
# dpkt 1.9.8 does not know the padding between Diameter's AVPs: behind one whose length is no multiple of four it reads the next from the
# padding on.
# AVPs are padded to four octets, and their length does not count it (RFC 6733 section 4.1).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages dpkt==1.9.8
cd "$folder"
by_dpkt=$("$python" - << 'END'
from frames import *
from dpkt.diameter import Diameter

def avp(code, data):
    return struct.pack("!II", code, 0x40 << 24 | 8 + len(data)) + data + bytes(-len(data) % 4)

avps = avp(264, b"a.test") + avp(296, b"test") + avp(278, struct.pack("!I", 1))
message = struct.pack("!IIIII", 1 << 24 | 20 + len(avps), 0x80 << 24 | 280, 0, 1, 2) + avps
frame = segment("PA", 1, message)
open("file", "wb").write(pcap((SECOND, frame[:34] + struct.pack("!HH", 1000, 3868) + frame[38:])))
print(*(avp.code for avp in Diameter(message).avps))
END
)
by_tshark=$(tshark -r file -T fields -E aggregator=' ' -e diameter.avp.code 2> /dev/null)
verdict "dpkt: 264 296 278; tshark: 264 296 278" "dpkt: 264 0; tshark: 264 296 278" "dpkt: $by_dpkt; tshark: $by_tshark"
