#!/bin/sh
# scapy 2.8.0 reads one sub-attribute of RADIUS's Vendor-Specific: the second one in it is an attribute of the standard for it, here the
# vendor's number 2 User-Password. tshark 4.0.17 reads both as the vendor's.
# Several may be in one attribute (RFC 2865 section 5.26), which ends where its Length says (section 5).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
attribute = bytes([26, 18]) + struct.pack("!I", 9) + b"\x01\x06abcd" + b"\x02\x06efgh"
message = struct.pack("!BBH16s", 2, 1, 20 + len(attribute), bytes(16)) + attribute
datagram = struct.pack("!HHHH", 1812, 1000, 8 + len(message), 0) + message
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
from scapy.layers.radius import Radius
print(*(found.type for found in Radius(message).attributes))
END
)
by_tshark=$(tshark -r file -T fields -E aggregator=' ' -e radius.avp.type -e radius.avp.vendor_type 2> /dev/null | tr '\t' ' ')
verdict "scapy 26; tshark 26 with 1 2" "scapy 26 2; tshark 26 with 1 2" "scapy $by_scapy; tshark ${by_tshark%% *} with ${by_tshark#* }"
