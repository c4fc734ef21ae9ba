#!/bin/sh
# pypacker 5.4: when the TTL of a later IPv4 fragment is changed, four bytes of its data become the length and the checksum of UDP.
# Only the first fragment has the header of what it carries (RFC 791 section 3.2, An Example Fragmentation Procedure).
. "$(dirname "$0")/common"
packages pypacker==5.4
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from frames import *
from pypacker.layer3 import ip
from pypacker.layer12 import ethernet

data = b"data of the second part."
header = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(data), 1, 3, 64, 17, 0, FRAME[26:34])
header = header[:10] + struct.pack("!H", internet(header)) + header[12:]
frame = ethernet.Ethernet(FRAME[:14] + header + data)
frame[ip.IP].ttl = 9
changed = frame.bin()
assert changed[22] == 9 and len(changed) == 34 + len(data)
print(", ".join(str(i) for i in range(len(data)) if changed[34 + i] != data[i]) or "none")
END
)
verdict "none" "4, 5, 6, 7" "$seen"
