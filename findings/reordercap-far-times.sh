#!/bin/sh
# reordercap 4.0.17 orders packets whose times are more than 68 years apart the wrong way round: it takes 32 bits of their difference. capinfos
# 4.0.17 calls a file in order out of order, and the other way round.
# Reordercap writes the frames in order of their timestamps (reordercap(1)); capinfos -o says whether each is later than or as late as the one
# before (capinfos(1)).
. "$(dirname "$0")/common"
tool reordercap 4.0.17
tool capinfos 4.0.17
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap((SECOND, FRAME), (100, FRAME)))
open("apart", "wb").write(pcap((100, FRAME), (3_000_000_000, FRAME)))
END
shown() { echo $(tshark -nr "$1" -T fields -e frame.time_epoch 2> log | cut -d. -f1) "$(capinfos -o "$1" 2> log | grep -oE 'True|False')"; }
reordercap apart ordered > log 2>&1
verdict "1700000000 100 False; 100 3000000000 True, ordered 100 3000000000 True" \
    "1700000000 100 False; 100 3000000000 False, ordered 3000000000 100 True" "$(shown file); $(shown apart), ordered $(shown ordered)"
