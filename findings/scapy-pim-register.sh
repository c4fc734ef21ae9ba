#!/bin/sh
# scapy 2.8.0: the checksum of a PIM register covers the packet that is registered.
# What is sent covers the first 8 octets alone; one over the whole message should still be accepted (RFC 7761 section 4.9, Checksum).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from frames import *
from scapy.contrib.pim import PIMv2Hdr
from scapy.layers.inet import IP
from scapy.packet import Raw
inner = FRAME[14:]
message = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=103) / PIMv2Hdr(type=1) / Raw(bytes(4) + inner))[20:]
print(f"0x{message[2:4].hex()}")
END
)
verdict "0xdeff" "0x6322" "$seen"
