#!/bin/sh
# btsnoop-parser 0.10.0 reads times 378 days late: it counts from the year 1. It calls that a fault of some Android versions, and mends it in
# captures whose first packet would else be later than the file, so that times of a capture that is older than 378 days stay wrong.
# tshark 4.0.17 reads them right.
# 0x00E03AB44A676000 is midnight of 1 January 2000 (Frontline's description of the format, section on packet records, timestamp).
. "$(dirname "$0")/common"
packages btsnoop-parser==0.10.0
tool tshark 4.0.17
cd "$folder"
parser=$("$python" - << 'END'
from frames import *
from btsnoop_parser import parse_btsnoop_file

open("file", "wb").write(btsnoop(1002, (2, SECOND * 1_000_000, bytes.fromhex("01030c00"))))
print(parse_btsnoop_file("file")[0]["timestamp"].date())
END
)
tshark=$(tshark -nr file -T fields -e frame.time_epoch 2> log | cut -d. -f1)
verdict "2023-11-14 1700000000" "2024-11-26 1700000000" "$parser $tshark"
