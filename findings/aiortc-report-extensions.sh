#!/bin/sh
# aiortc 1.16.0 refuses RTCP's sender and receiver reports that have a profile's extensions behind their blocks.
# There may be such, and their length is what the packet's leaves (RFC 3550 section 6.4.3).
. "$(dirname "$0")/common"
packages aiortc==1.16.0
seen=$("$python" - 2> /dev/null << 'END'
import struct
from aiortc.rtp import RtcpPacket

def read(kind, body):
    try:
        return "read" if RtcpPacket.parse(struct.pack("!BBH", 0x80, kind, len(body) // 4) + body) else "nothing"
    except ValueError:
        return "refused"

sender = struct.pack("!IQIII", 1, 1 << 32, 2, 3, 4)
receiver = struct.pack("!I", 1)
print(", ".join(read(kind, body + rest) for kind, body in ((200, sender), (201, receiver)) for rest in (b"", b"more")))
END
)
verdict "read, read, read, read" "read, refused, read, refused" "$seen"
