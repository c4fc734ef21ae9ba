#!/bin/sh
# aiortc 1.16.0 finds no extension, and werift-rtp 0.8.9 (npm) one with all octets in it, in RTP's extensions of the two-octet form whose four
# application bits are not 0. tshark 4.0.17 reads both extensions.
# The form is told by 0x100 and these bits, which a receiver has to ignore where nothing else was agreed (RFC 8285 section 4.3).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages aiortc==1.16.0
node_packages werift-rtp@0.8.9
cd "$folder"
by_aiortc=$("$python" - 2> /dev/null << 'END'
from frames import *
from aiortc.rtp import unpack_header_extensions
extensions = bytes.fromhex("0101aa 00 0202bbcc")
message = struct.pack("!BBHIIHH", 0x90, 96, 1, 2, 3, 0x1001, 2) + extensions + b"data"
datagram = struct.pack("!HHHH", 5004, 5004, 8 + len(message), 0) + message
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
open("message", "wb").write(message)
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
print(*(f"{number}:{value.hex()}" for number, value in unpack_header_extensions(0x1001, extensions)))
END
)
by_werift=$(node -e "console.log(require('werift-rtp').RtpPacket.deSerialize(require('fs').readFileSync('message')).header.extensions
  .map(({ id, payload }) => id + ':' + payload.toString('hex')).join(' '))")
by_tshark=$(tshark -r file -d udp.port==5004,rtp -T fields -E aggregator=' ' -e rtp.ext.rfc5285.id -e rtp.ext.rfc5285.data 2> /dev/null | tr '\t' ' ')
verdict "aiortc: 1:aa 2:bbcc, werift-rtp: 1:aa 2:bbcc, tshark: 1 2 aa bbcc" \
    "aiortc: , werift-rtp: 0:0101aa000202bbcc, tshark: 1 2 aa bbcc" "aiortc: $by_aiortc, werift-rtp: $by_werift, tshark: $by_tshark"
