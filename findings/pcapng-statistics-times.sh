#!/bin/sh
# python-pcapng 2.1.1 reads the times in an interface's statistics as one number of 64 bits: where the section has its least
# significant byte first, as nearly all have, both halves change places.
# isb_starttime and isb_endtime have the form of an enhanced packet's time: the upper 32 bits first, then the lower ones, each in
# the section's byte order (draft-ietf-opsawg-pcapng, sections 4.6 and 4.3).
. "$(dirname "$0")/common"
packages python-pcapng==2.1.1
cd "$folder"
seen=$("$python" - << 'END'
from frames import *
from pcapng import FileScanner
from pcapng.blocks import InterfaceStatistics

microseconds = SECOND * 1_000_000
time = struct.pack("<II", microseconds >> 32, microseconds & 0xFFFFFFFF)
statistics = block(5, struct.pack("<I", 0) + time + options((2, time), (3, time), (4, struct.pack("<Q", 1))))
open("file", "wb").write(section() + interface() + enhanced(microseconds) + statistics)
with open("file", "rb") as file:
    (found,) = (one for one in FileScanner(file) if isinstance(one, InterfaceStatistics))
print(f"block {round(found.timestamp)}, start {found.options['isb_starttime'] // 1_000_000}")
END
)
verdict "block 1700000000, start 1700000000" "block 1700000000, start 1737896874956" "$seen"
