#!/bin/sh
# scapy 2.8.0 has the names of PTP's flags in the wrong octet: twoStepFlag is leap59 for it, and timeTraceable one of a profile; asked to write
# twoStepFlag it sets the bit of leap59. tshark 4.0.17 reads them right.
# twoStepFlag is bit 1 of the first octet of flagField, leap59 bit 1 of the second (IEEE 1588-2008 section 13.3.2.6, table 20).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
message = bytes.fromhex("0002 002c 0000 0200") + bytes(12) + struct.pack("!8sHHBbHII", bytes(8), 1, 1, 0, 0, 0, SECOND, 0)
datagram = struct.pack("!HHHH", 319, 319, 8 + len(message), 0) + message
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
from scapy.contrib.ptp_v2 import PTP
print(f"02 00 read as {PTP(message).flags}, twoStepFlag written as {bytes(PTP(flags='twoStepFlag'))[6:8].hex(' ')}")
END
)
by_tshark=$(tshark -r file -T fields -e ptp.v2.flags.twostep -e ptp.v2.flags.li59 2> /dev/null | tr '\t' ' ')
verdict "scapy: 02 00 read as twoStepFlag, twoStepFlag written as 02 00; tshark: two steps 1, leap 0" \
    "scapy: 02 00 read as leap59, twoStepFlag written as 00 02; tshark: two steps 1, leap 0" \
    "scapy: $by_scapy; tshark: two steps ${by_tshark% *}, leap ${by_tshark#* }"
