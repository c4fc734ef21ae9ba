#!/bin/sh
# editcap 4.0.17 writes packets of which not all was captured into 5Views' files with the length that they had on the wire alone: the reader
# takes as much from the file, the following packets with it, and finds the file cut short. Nothing is said.
# What editcap cannot keep in a format it is to refuse, as it does with link types; -F chooses the format of the output (editcap(1)).
. "$(dirname "$0")/common"
tool editcap 4.0.17
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("whole", "wb").write(pcap(*((SECOND + n, FRAME) for n in range(3))))
open("cut", "wb").write(pcap(*((SECOND + n, FRAME, 1000) for n in range(3))))
END
seen=$(for name in whole cut; do
    editcap -F 5views $name $name.5views 2>&1 && echo "$name written, read" $(tshark -nr $name.5views -T fields -e frame.cap_len 2> log)
    grep -o 'cut short' log || true
done)
verdict "whole written, read 47 47 47
cut written, read 47 47 47" "whole written, read 47 47 47
cut written, read
cut short" "$seen"
