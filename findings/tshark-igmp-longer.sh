#!/bin/sh
# tshark 4.0.17 sums only the first 8 octets of an IGMPv2 message, and calls the checksum of a longer one wrong.
# Messages may be longer, what is behind the group is ignored, and the checksum is always that of the whole IP payload
# (RFC 2236 sections 2.5 and 2.3).
. "$(dirname "$0")/common"
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *


def report(behind):
    group = bytes.fromhex("ef010203")
    message = bytes.fromhex("16000000") + group + behind
    message = message[:2] + struct.pack("!H", internet(message)) + message[4:]
    header = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(message), 1, 0, 1, 2, 0) + bytes.fromhex("c0000201") + group
    header = header[:10] + struct.pack("!H", internet(header)) + header[12:]
    return bytes.fromhex("01005e010203 020000000001 0800") + header + message


open("file", "wb").write(pcap((SECOND, report(b"")), (SECOND, report(b"abcd"))))
END
seen=$(tshark -r file -T fields -e igmp.checksum.status 2> said | tr '\n' ' ')
verdict "8 octets, 12 octets: 1 1 " "8 octets, 12 octets: 1 0 " "8 octets, 12 octets: $seen"
