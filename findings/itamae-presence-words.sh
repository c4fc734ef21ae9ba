#!/bin/sh
# itamae 0.1.1 takes the second word of radiotap's presence for the first field: with one for all antennas and one for antenna 1, as Linux
# writes it, the signal of -40 dBm is 32 dBm. tshark 4.0.17 reads both signals.
# Bit 31 of a word says that another one follows, before the fields (radiotap's introduction, section on the header's it_present).
. "$(dirname "$0")/common"
packages itamae==0.1.1
tool tshark 4.0.17
cd "$folder"
itamae=$("$python" - << 'END'
from frames import *
from itamae import radiotap

words = struct.pack("<II", 1 << 5 | 1 << 29 | 1 << 31, 1 << 5 | 1 << 11)
head = struct.pack("<BBH", 0, 0, 15) + words + struct.pack("<bbB", -40, -41, 1)
file = pcap((SECOND, head + bytes.fromhex("d4000000 020000000001")))
open("file", "wb").write(file[:20] + struct.pack("<I", 127) + file[24:])
print(radiotap.parse(head).rss)
END
)
verdict "-40; -40,-41" "32; -40,-41" "$itamae; $(tshark -nr file -T fields -e radiotap.dbm_antsignal 2> log)"
