#!/bin/sh
# nfpcapd (nfdump) 1.7.1: UDP behind destination options of IPv6 is a flow of protocol 60 without ports.
# The protocol of a flow is the next header of the last extension header (RFC 7012, as IANA's protocolIdentifier has it; RFC 8200
# section 4.1).
. "$(dirname "$0")/common"
tool nfpcapd 1.7.1
cd "$folder"
python3 - << 'END'
from frames import *

source, target = bytes.fromhex("20010db8" + 22 * "0" + "01"), bytes.fromhex("20010db8" + 22 * "0" + "02")
udp = struct.pack("!HHHH", 1000, 2000, 8, 0)
udp = udp[:6] + struct.pack("!H", internet(source + target + struct.pack("!II", 8, 17) + udp))


def frame(first, data):
    return FRAME[:12] + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(data), first, 64) + source + target + data


padding = bytes([17, 0, 1, 4, 0, 0, 0, 0])
open("file", "wb").write(pcap((SECOND, frame(17, udp)), (SECOND + 1, frame(60, padding + udp))))
END
mkdir flows
nfpcapd -r file -w flows > nfpcapd.log 2>&1
seen=$(nfdump -R flows -q -O tstart -o "fmt:%pr %dp" 2> /dev/null | tr -s ' ' | sed 's/^ //; s/ $//' | grep . | paste -sd ';' | sed 's/;/; /')
verdict "UDP 2000; UDP 2000" "UDP 2000; OPTS6 0" "$seen"
