#!/bin/sh
# nfpcapd 1.7.1 counts the fragments of an IPv4 datagram, which it reassembles (nfpcapd(1)), as one packet with one header: two packets with 64
# octets are one with 44 in its flow. softflowd 1.1.0 counts both.
# The counters are of the packets that came, with their IP headers (RFC 7012 section 7.1, IANA's IPFIX elements 1 and 2).
. "$(dirname "$0")/common"
tool nfpcapd 1.7.1
tool softflowd 1.1.0
cd "$folder"
python3 - << 'END'
from frames import *
whole = struct.pack("!HHHH", 1000, 2000, 24, 0) + b"sixteen octets.."
def fragment(field, data):
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, field, 64, 17, 0) + FRAME[26:34]
    return FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + data
open("file", "wb").write(pcap((SECOND, fragment(0x2000, whole[:16])), (SECOND, fragment(2, whole[16:]))))
END
mkdir flows
nfpcapd -r file -l flows > log 2>&1
nfpcapd=$(nfdump -q -R flows -o 'fmt:%pkt %byt' 2> log | tr -s ' ')
softflowd=$(softflowd -r file 2> log | awk '/udp \(17\)/ { print $4, $3 }')
verdict "nfpcapd 2 64, softflowd 2 64" "nfpcapd 1 44, softflowd 2 64" "nfpcapd $(echo $nfpcapd), softflowd $softflowd"
