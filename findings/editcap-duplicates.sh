#!/bin/sh
# editcap (Wireshark) 4.0.17 -d takes packets for duplicates that were of 100, 200 and 300 bytes on the wire, where the same 42
# bytes were captured of each: the original length is not compared.
# editcap(1): "the length and MD5 hash of the current packet are compared"; the length of a packet that was cut is on the wire
# (draft-ietf-opsawg-pcapng section 4.3, Original Packet Length), and these were three.
. "$(dirname "$0")/common"
tool editcap 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND, FRAME[:42], size) for size in (100, 200, 300))))
END
verdict "3 packets seen, 0 packets skipped" "3 packets seen, 2 packets skipped" \
    "$(editcap -d file copy 2>&1 | grep -o '3 packets seen, [0-9]* packets skipped')"
