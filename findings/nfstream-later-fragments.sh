#!/bin/sh
# nfstream 6.6.0: the later fragments of a datagram are in no flow, their packets and bytes are counted nowhere, and nothing is said.
# They are parts of the same datagram, and so of the same flow (RFC 791 section 3.2; RFC 7011 section 2, Flow).
. "$(dirname "$0")/common"
packages nfstream==6.6.0
cat > "$folder/flows.py" << 'END'
from nfstream import NFStreamer
import struct
import sys
from frames import *


def part(offset, more, data):
    """A fragment of a UDP datagram, in Ethernet."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 7, more << 13 | offset // 8, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    return FRAME[:14] + head[:10] + struct.pack("!H", internet(head)) + head[12:] + data


if __name__ == "__main__":
    datagram = struct.pack("!HHHH", 1000, 2000, 8 + 112, 0) + bytes(112)
    open(sys.argv[1], "wb").write(pcap((SECOND, part(0, 1, datagram[:72])), (SECOND, part(72, 0, datagram[72:]))))
    flows = NFStreamer(source=sys.argv[1], n_dissections=0, n_meters=1, accounting_mode=1)
    print("; ".join(f"{flow.bidirectional_packets} packets, {flow.bidirectional_bytes} bytes of IP" for flow in flows))
END
seen=$("$python" "$folder/flows.py" "$folder/in.pcap" 2> /dev/null)
verdict "2 packets, 160 bytes of IP" "1 packets, 92 bytes of IP" "$seen"
