#!/bin/sh
# tcpslice 1.5, asked for packets from the last time in the file, gives one of those that have this time, and not the others.
# tcpslice(1): "all ranges are inclusive"; asked for an earlier time, it gives all that have it.
. "$(dirname "$0")/common"
tool tcpslice 1.5
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND + late, FRAME[:-1] + bytes([48 + number])) for number, late in enumerate((0, 0, 1, 1, 1)))))
END
count() { tcpslice -w copy $1 file 2> log; tcpdump -nr copy 2> log | wc -l; }
verdict "2 of 2, 3 of 3" "2 of 2, 1 of 3" "$(count '1700000000 1700000000') of 2, $(count '1700000001 1700000001') of 3"
