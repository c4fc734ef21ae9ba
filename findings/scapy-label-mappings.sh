#!/bin/sh
# scapy 2.8.0 writes all four octets of each prefix into LDP's label mappings, however short it is: 0 begins the next element then.
# A prefix has as many octets as its length in bits needs, and no more (RFC 5036 section 3.4.1).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from scapy.contrib.ldp import LDPLabelMM

message = bytes(LDPLabelMM(fec=[("198.51.100.0", 24), ("203.0.0.0", 8)], label=16))
size = int.from_bytes(message[10:12], "big")
print(message[12:12 + size].hex(" "))
END
)
verdict "02 00 01 18 c6 33 64 02 00 01 08 cb" "02 00 01 18 c6 33 64 00 02 00 01 08 cb 00 00 00" "$seen"
