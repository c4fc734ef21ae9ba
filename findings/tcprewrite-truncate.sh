#!/bin/sh
# tcprewrite 4.4.3 --mtu-trunc, for a packet of which 64 of 234 bytes were captured, writes more than that and says that they were captured:
# zeros that nobody sent.
# The captured length is what of the packet stands in the file (draft-ietf-opsawg-pcap section 5); tcprewrite(1): the option is to
# "truncate data in packets from the end to be no larger than the specified MTU".
. "$(dirname "$0")/common"
tool tcprewrite 4.4.3
cd "$folder"
python3 - << 'END'
from frames import *
data = bytes(range(1, 201))
header = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(data), 1, 0, 64, 253, 0, FRAME[26:34])
frame = FRAME[:14] + header[:10] + struct.pack("!H", internet(header)) + header[12:] + data
open("file", "wb").write(pcap((SECOND, frame[:64], len(frame))))
END
tcprewrite --mtu=100 --mtu-trunc -i file -o copy > /dev/null 2>&1
seen=$(python3 - << 'END'
import struct
before, after = open("file", "rb").read()[40:], open("copy", "rb").read()
captured, size = struct.unpack_from("<II", after, 32)
assert len(after) == 40 + captured and after[40 + 34 :][:30] == before[34:]
print(f"{captured} captured of {size}, bytes behind the 64: {sorted(set(after[40 + 64 :])) or 'none'}")
END
)
verdict "64 captured of 114, bytes behind the 64: none" "114 captured of 114, bytes behind the 64: [0]" "$seen"
