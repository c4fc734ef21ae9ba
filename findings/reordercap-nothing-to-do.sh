#!/bin/sh
# reordercap (Wireshark) 4.0.17 -n, given a file that is in order, says that it does not write the output file, and leaves one
# without packets, also where there was one with packets.
# reordercap(1): with -n "reordercap will not write out the output file if the input file is already in order".
. "$(dirname "$0")/common"
tool reordercap 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
raw = pcap((SECOND, FRAME), (SECOND + 1, FRAME))
open("file", "wb").write(raw)
open("out", "wb").write(raw)
END
said=$(reordercap -n file out 2>&1 | tail -1)
verdict "Not writing output file because input file is already in order. 150 bytes" \
    "Not writing output file because input file is already in order. 24 bytes" "$said $(wc -c < out) bytes"
