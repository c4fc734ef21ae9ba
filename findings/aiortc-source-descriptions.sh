#!/bin/sh
# aiortc 1.16.0 takes the octet that ends a source's descriptions in RTCP for the first of two, and does not go on to the next four: it
# refuses packets of several sources, and writes such, of which tshark 4.0.17 reads the second source as 0.
# No length follows the null octet, and each chunk begins at a multiple of four octets (RFC 3550 section 6.5).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages aiortc==1.16.0
cd "$folder"
by_aiortc=$("$python" - 2> /dev/null << 'END'
from frames import *
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSourceInfo

def names(*pairs):
    return [RtcpSourceInfo(ssrc=source, items=[(1, name)]) for source, name in pairs]

chunks = struct.pack("!IBB2s", 1, 1, 1, b"a\0") + struct.pack("!IBB6s", 2, 1, 4, b"abcd\0\0")
report = struct.pack("!BBHI", 0x80, 201, 1, 1)
message = struct.pack("!BBH", 0x82, 202, len(chunks) // 4) + chunks
try:
    read = " ".join(f"{chunk.ssrc} {chunk.items[0][1].decode()}" for chunk in RtcpPacket.parse(message)[0].chunks)
except ValueError:
    read = "refused"
print("read:", read)
for file, message in ("right", message), ("made", bytes(RtcpSdesPacket(chunks=names((1, b"a"), (2, b"abcd"))))):
    message = report + message
    datagram = struct.pack("!HHHH", 5005, 5005, 8 + len(message), 0) + message
    ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
    open(file, "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
END
)
by_tshark() { tshark -r "$1" -d udp.port==5005,rtcp -T fields -E aggregator=' ' -e rtcp.ssrc.identifier 2> /dev/null; }
verdict "read: 1 a 2 abcd; sources tshark reads in right ones: 0x00000001 0x00000002, in those made: 0x00000001 0x00000002" \
    "read: refused; sources tshark reads in right ones: 0x00000001 0x00000002, in those made: 0x00000001 0x00000000" \
    "$by_aiortc; sources tshark reads in right ones: $(by_tshark right), in those made: $(by_tshark made)"
