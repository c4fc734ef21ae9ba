#!/bin/sh
# pktcap 0.1.3 gives a simple packet of pcapng that was cut to the snap length with the padding of its block as the end of its data.
# What was captured is the lesser of the original length and the snap length; padding to 32 bits follows, and is none of it
# (draft-ietf-opsawg-pcapng section 4.4).
. "$(dirname "$0")/common"
packages pktcap==0.1.3
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
from pktcap import read_frames

cut = block(3, struct.pack("<I", 1500) + FRAME[:45] + b"\xaa\xbb\xcc")
open("file.pcapng", "wb").write(section() + interface(snap_length=45) + cut)
(frame,) = read_frames("file.pcapng")
print(len(frame.data), "octets, ending with", frame.data[-2:].hex(" "))
END
)
verdict "45 octets, ending with 6c 6c" "48 octets, ending with bb cc" "$seen"
