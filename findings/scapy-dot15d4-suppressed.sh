#!/bin/sh
# scapy 2.8.0 reads a sequence number in frames of IEEE 802.15.4 which have none: it is the first octet of the network's identifier, and all that
# follows is an octet late. tshark 4.0.17 reads them right.
# Bit 8 of the frame control says in frames of version 2 that the sequence number is left out (IEEE 802.15.4-2015 section 7.2.1, field Sequence Number Suppression).
. "$(dirname "$0")/common"
packages scapy==2.8.0
tool tshark 4.0.17
cd "$folder"
scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
from scapy.layers.dot15d4 import Dot15d4

frame = struct.pack("<HHHH", 0xA941, 0x1234, 2, 1) + b"data"
file = pcap((SECOND, frame))
open("file", "wb").write(file[:20] + struct.pack("<I", 230) + file[24:])
read = Dot15d4(frame)
print(read.seqnum, *(f"{getattr(read, name):04x}" for name in ("dest_panid", "dest_addr", "src_addr")))
END
)
tshark=$(tshark -nr file -T fields -E separator=/s -e wpan.seq_no -e wpan.dst_pan -e wpan.dst16 -e wpan.src16 2> log)
verdict "None 1234 0002 0001;  0x1234 0x0002 0x0001" "52 0212 0100 6400;  0x1234 0x0002 0x0001" "$scapy; $tshark"
