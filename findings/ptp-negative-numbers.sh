#!/bin/sh
# tcpdump 4.99.3 and scapy 2.8.0 read PTP's correction and interval as numbers that cannot be negative: -1 ns is 281474976710655 ns, and
# eight messages a second, 2 to the power of -3 s between them, are 2 to that of 253. tshark 4.0.17 reads the signs, but the correction's
# only in its tree: its field ptp.v2.correction.ns is 18446744073709551615.
# The correction is a TimeInterval, an Integer64 in units of 2 to the power of -16 ns, and the interval an Integer8: they have signs
# (IEEE 1588-2008 sections 13.3.2.7, 13.3.2.11, 5.2 and 5.3.2).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
tool tshark 4.0.17
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
message = bytes.fromhex("0002 002c 0000 0000") + struct.pack("!q4x8sHHBbHII", -1 << 16, bytes(8), 1, 1, 0, -3, 0, SECOND, 0)
datagram = struct.pack("!HHHH", 319, 319, 8 + len(message), 0) + message
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
from scapy.contrib.ptp_v2 import PTP
read = PTP(message)
print(read.correctionField // 65536, read.logMessageInterval)
END
)
by_tcpdump=$(tcpdump -vv -n -r file 2> /dev/null | sed -n 's/.*NS correction : \([0-9-]*\), sub.*interval : \([0-9-]*\),.*/\1 \2/p')
by_tshark=$(tshark -r file -T fields -e ptp.v2.correction.ns -e ptp.v2.logmessageperiod 2> /dev/null | tr '\t' ' ')
verdict "scapy: -1 -3, tcpdump: -1 -3, tshark: -1 -3" \
    "scapy: 281474976710655 253, tcpdump: 281474976710655 253, tshark: 18446744073709551615 -3" \
    "scapy: $by_scapy, tcpdump: $by_tcpdump, tshark: $by_tshark"
