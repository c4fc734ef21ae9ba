#!/bin/sh
# scapy 2.8.0 counts Diameter's times from 1970: Event-Timestamp of November 2023 is of 2093 for it. tshark 4.0.17 reads 2023.
# A Time is the first four octets of NTP's, in seconds since 1900 (RFC 6733 section 4.3.1, RFC 5905 section 6).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
from scapy.contrib.diameter import DiamG

avps = struct.pack("!II8s", 264, 0x40 << 24 | 16, b"test.org") + struct.pack("!III", 55, 0x40 << 24 | 12, SECOND + 2_208_988_800)
message = struct.pack("!IIIII", 1 << 24 | 20 + len(avps), 0x80 << 24 | 271, 3, 1, 2) + avps
frame = segment("PA", 1, message)
open("file", "wb").write(pcap((SECOND, frame[:34] + struct.pack("!HH", 1000, 3868) + frame[38:])))
print(DiamG(message).avpList[1].sprintf("%val%"))
END
)
by_tshark=$(tshark -r file -T fields -e diameter.Event-Timestamp 2> /dev/null)
verdict "scapy: Tue Nov 14 22:13:20 2023; tshark: Nov 14, 2023 22:13:20.000000000 UTC" \
    "scapy: Fri Nov 13 22:13:20 2093; tshark: Nov 14, 2023 22:13:20.000000000 UTC" "scapy: $by_scapy; tshark: $by_tshark"
