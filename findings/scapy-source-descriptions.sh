#!/bin/sh
# scapy 2.8.0: of a description of two sources in RTCP it has the first alone. The null octets that end its items are read as one more
# item with a length, and the second source, and all reports behind it, are left as bytes without a name.
# The list of items is ended by one or more null octets, the first of which is no item with a length, up to the next 32 bits; then the
# next chunk follows (RFC 3550 section 6.5).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
import struct
from scapy.contrib.rtcp import RTCP


def chunk(source, name):
    out = struct.pack("!IBB", source, 1, len(name)) + name
    return out + bytes(4 - len(out) % 4)


chunks = chunk(1, b"ann@example") + chunk(2, b"bob@example")
packet = RTCP(struct.pack("!BBH", 0x82, 202, len(chunks) // 4) + chunks)
print(*(f"{c.sourcesync} {c.items[0].value.decode()}" for c in packet.sdes_chunks if hasattr(c, "sourcesync")), sep=", ")
END
)
verdict "1 ann@example, 2 bob@example" "1 ann@example" "$seen"
