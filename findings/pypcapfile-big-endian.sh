#!/bin/sh
# pypcapfile 0.12.0 finds no packet in a capture whose numbers have their most significant byte first, and says nothing: it compares
# the byte order that it found in the file's header with text, which under Python 3 is never equal to bytes.
# Both orders are pcap: the reader swaps where the magic number reads swapped (draft-ietf-opsawg-pcap section 4).
. "$(dirname "$0")/common"
packages pypcapfile==0.12.0
cd "$folder"
seen=$("$python" - << 'END'
from frames import *
from pcapfile import savefile

record = struct.pack(">IIII", SECOND, 0, len(FRAME), len(FRAME)) + FRAME
big = struct.pack(">IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + record
counts = []
for name, content in (("little", pcap((SECOND, FRAME))), ("big", big)):
    open(name, "wb").write(content)
    with open(name, "rb") as file:
        counts.append(f"{name}: {len(savefile.load_savefile(file).packets)}")
print(*counts, sep=", ")
END
)
verdict "little: 1, big: 1" "little: 1, big: 0" "$seen"
