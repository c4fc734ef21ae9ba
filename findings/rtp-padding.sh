#!/bin/sh
# rtp 0.0.4 gives the padding of a packet as the end of its payload.
# Padding octets are not part of the payload; the last one says how many they are (RFC 3550 section 5.1, padding).
. "$(dirname "$0")/common"
packages rtp==0.0.4
seen=$("$python" - << 'END'
import struct
from rtp import RTP
packet = RTP().fromBytes(struct.pack("!BBHII", 0xA0, 96, 1, 2, 3) + b"hello" + bytes([0, 0, 3]))
print(packet.padding, packet.payload.hex(" "))
END
)
verdict "True 68 65 6c 6c 6f" "True 68 65 6c 6c 6f 00 00 03" "$seen"
