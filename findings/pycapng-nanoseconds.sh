#!/bin/sh
# pycapng 0.19.7 takes the nanoseconds of a pcap file for microseconds: times are up to 999 seconds late.
# With the magic number A1B23C4D the second half of a time is in nanoseconds (draft-ietf-opsawg-pcap sections 4 and 5).
. "$(dirname "$0")/common"
packages pycapng==0.19.7
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
import pycapng

data = bytearray(pcap((SECOND, FRAME)))
struct.pack_into("<I", data, 0, 0xA1B23C4D)
struct.pack_into("<I", data, 28, 123_456_789)
open("file", "wb").write(data)
(packet,) = pycapng.read_packets("file")
print(packet.timestamp_ns)
END
)
verdict "1700000000123456789" "1700000123456789000" "$seen"
