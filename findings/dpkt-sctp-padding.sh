#!/bin/sh
# dpkt 1.9.8 knows padding behind SCTP's DATA chunks alone: where another one's length is no multiple of four, as that of COOKIE ECHO with
# a cookie of 21 octets, it reads the next chunk from the padding on.
# All chunks are padded to four octets, and their length does not count it (RFC 9260 section 3.2).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages dpkt==1.9.8
cd "$folder"
by_dpkt=$("$python" - << 'END'
from frames import *
from dpkt.crc32c import add, done
from dpkt.sctp import SCTP

cookie = struct.pack("!BBH", 10, 0, 25) + b"c" * 21 + bytes(3)
data = struct.pack("!BBHIHHI", 0, 3, 20, 1, 0, 0, 0) + b"data"
message = struct.pack("!HHII", 1000, 2000, 1, 0) + cookie + data
message = message[:8] + struct.pack(">I", done(add(0xFFFFFFFF, message))) + message[12:]
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(message), 1, 0, 64, 132, 0, FRAME[26:34])
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + message)))
chunks = SCTP(message).chunks
print(*(",".join(str(getattr(chunk, name)) for chunk in chunks) for name in ("type", "len")))
END
)
by_tshark=$(tshark -r file -T fields -e sctp.chunk_type -e sctp.chunk_length 2> /dev/null | tr '\t' ' ')
verdict "dpkt: 10,0 25,20; tshark: 10,0 25,20" "dpkt: 10,0 25,0; tshark: 10,0 25,20" \
    "dpkt: $by_dpkt; tshark: $by_tshark"
