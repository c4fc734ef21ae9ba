#!/bin/sh
# itamae 0.1.1 reads 9 of the 12 octets that radiotap has about VHT, three rates of users for four and no coding: the partial identifier 257 is
# 16128, which is the group, 63, with the octet before it. tshark 4.0.17 reads both.
# VHT has 2 octets known, 1 of flags, 1 bandwidth, 4 rates, 1 coding, 1 group, 2 of the partial identifier (radiotap's defined fields, section VHT).
. "$(dirname "$0")/common"
packages itamae==0.1.1
tool tshark 4.0.17
cd "$folder"
itamae=$("$python" - << 'END'
from frames import *
from itamae import radiotap

vht = struct.pack("<HBB4BBBH", 0x1FF, 0, 4, 0x11, 0x12, 0x13, 0x03, 0, 63, 257)
head = struct.pack("<BBHI", 0, 0, 20, 1 << 21) + vht
file = pcap((SECOND, head + bytes.fromhex("d4000000 020000000001")))
open("file", "wb").write(file[:20] + struct.pack("<I", 127) + file[24:])
print(radiotap.parse(head)["vht"][-1])
END
)
tshark=$(tshark -nr file -T fields -e radiotap.vht.paid -e radiotap.vht.gid 2> log | tr '\t' ' ')
verdict "257; 257 63" "16128; 257 63" "$itamae; $tshark"
