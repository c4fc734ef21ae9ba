#!/bin/sh
# tcprewrite 4.4.3 -C writes 0 where UDP's checksum is computed to be 0: that says that there is none.
# A computed 0 is sent as all ones (RFC 768, Checksum).
. "$(dirname "$0")/common"
tool tcprewrite 4.4.3
cd "$folder"
python3 - << 'END'
from frames import *
for word in range(1 << 16):
    data = struct.pack("!HHHHH", 1000, 2000, 10, 0, word)
    if internet(FRAME[26:34] + struct.pack("!HH", 17, 10) + data) == 0:
        break
head = FRAME[14:16] + struct.pack("!H", 30) + FRAME[18:24] + bytes(2) + FRAME[26:34]
packet = head[:10] + struct.pack("!H", internet(head)) + head[12:] + data[:6] + b"\xff\xff" + data[8:]
open("file", "wb").write(pcap((SECOND, FRAME[:14] + packet)))
END
tcprewrite -C -i file -o copy > /dev/null 2>&1
verdict "ffff" "0000" "$(python3 -c 'print(open("copy", "rb").read()[80:82].hex())')"
