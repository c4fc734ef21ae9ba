#!/bin/sh
# tcpdump 4.99.3 (with libpcap) cannot read a pcapng file whose second section is of the other byte order: it reads the length of the section's
# header in the order of the first one, and finds it too large. tshark 4.0.17 reads both.
# The byte order is that of a section, and a file may have sections of both (draft-ietf-opsawg-pcapng section 4.1).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *

def big(kind, body):
    return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

little = section() + interface() + enhanced(SECOND * 1_000_000)
head = struct.pack(">IIIII", 0, SECOND * 1_000_000 >> 32, SECOND * 1_000_000 & 0xFFFFFFFF, len(FRAME), len(FRAME))
other = big(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1)) + big(1, struct.pack(">HHI", 1, 0, 262144))
other += big(6, head + FRAME + bytes(-len(FRAME) % 4))
for name, data in ("little", little), ("big", other), ("both", little + other):
    open(name, "wb").write(data)
END
seen=$(for name in little big both; do echo $name $(tcpdump -nr $name 2> log | wc -l) $(tshark -nr $name 2> log | wc -l); done)
verdict "little 1 1
big 1 1
both 2 2" "little 1 1
big 1 1
both 1 2" "$seen"
