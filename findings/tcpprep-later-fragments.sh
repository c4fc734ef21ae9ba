#!/bin/sh
# tcpprep 4.4.3 divides packets by port with what later fragments have where the first one has its ports: data. Of one datagram the first fragment
# leaves by one interface, and the other one by the other.
# The ports are in the first fragment alone, and fragments belong together by identification, addresses and protocol (RFC 791 section 3.2;
# RFC 768).
. "$(dirname "$0")/common"
tool tcpprep 4.4.3
cd "$folder"
python3 - << 'END'
from frames import *
whole = struct.pack("!HHHH", 50000, 53, 24, 0) + b"8 octets" + struct.pack("!HH", 53, 50000) + b"data"
def fragment(field, data):
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, field, 64, 17, 0) + FRAME[26:34]
    return FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + data
open("file", "wb").write(pcap((SECOND, fragment(0x2000, whole[:16])), (SECOND, fragment(2, whole[16:]))))
END
tcpprep --port -i file -o cache > log 2>&1
verdict "Primary Primary" "Primary Secondary" "$(echo $(tcpprep --print-info cache 2>&1 | grep -oE 'Primary|Secondary'))"
