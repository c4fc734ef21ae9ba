#!/bin/sh
# py-pcapplusplus 1.0.12 divides where it should multiply: 0.75 s of a pcapng interface with microseconds are 750 nanoseconds. Only
# interfaces with nanoseconds have their times.
# if_tsresol is the negative power of 10 or 2 in which times are counted, and 6 without it (draft-ietf-opsawg-pcapng section 4.2).
. "$(dirname "$0")/common"
packages py-pcapplusplus==1.0.12
seen=$(cd "$folder" && "$python" - << 'END' | grep -oE '[0-9:]+\.[0-9]{9}'
import os
from frames import *
from py_pcapplusplus import Reader

for digits in 9, 6:
    open("file.pcapng", "wb").write(section() + interface((9, bytes([digits]))) + enhanced(SECOND * 10**digits + 3 * 10**digits // 4))
    (packet,) = Reader("file.pcapng")
    print(packet, flush=True)
os._exit(0)  # what the package does at the end of Python, also where it is only imported, is no part of this
END
)
verdict "22:13:20.750000000 22:13:20.750000000" "22:13:20.750000000 22:13:20.000000750" "$(echo $seen)"
