#!/bin/sh
# tshark 4.0.17 -z io,stat with an interval leaves out packets whose time is before that of the first one in the file, without a word.
# Packets need not be in the order of their times (draft-ietf-opsawg-pcapng section 4.3); tshark(1): io,stat is to
# "collect packet/bytes statistics for the capture in intervals".
. "$(dirname "$0")/common"
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND + late, FRAME) for late in (5, 1, 6))))
END
count() { tshark -q -r file -z "io,stat,$1" 2> /dev/null | awk -F '|' '/<>/ {n += $3} END {print n + 0}'; }
verdict "3 frames in one interval, 3 by seconds" "3 frames in one interval, 2 by seconds" "$(count 0) frames in one interval, $(count 1) by seconds"
