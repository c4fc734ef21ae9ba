#!/bin/sh
# py-pcapplusplus 1.0.12 divides where it should multiply: 0.75 s of a pcapng interface with microseconds are 750 nanoseconds. Only
# interfaces with nanoseconds have their times.
# if_tsresol is the negative power of 10 or 2 in which times are counted, and 6 without it (draft-ietf-opsawg-pcapng section 4.2).
. "$(dirname "$0")/common"
packages py-pcapplusplus==1.0.12
cd "$folder"
for digits in 9 6; do
    "$python" - $digits >> times 2> log << 'END'
import os
import sys
from frames import *
from py_pcapplusplus import Reader

digits = int(sys.argv[1])
open("file.pcapng", "wb").write(section() + interface((9, bytes([digits]))) + enhanced(SECOND * 10**digits + 3 * 10**digits // 4))
reader = Reader("file.pcapng")
packets = list(reader)
print(repr(packets[0]), flush=True)
os._exit(0)
END
done
verdict "22:13:20.750000000 22:13:20.750000000" "22:13:20.750000000 22:13:20.000000750" "$(grep -oE '[0-9:]+\.[0-9]{9}' times | paste -sd ' ')"
