#!/bin/sh
# scapy 2.8.0: times of a pcapng interface with if_tsoffset are not moved by it.
# The option's seconds are added to each time (draft-ietf-opsawg-pcapng section 4.2, if_tsoffset).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
import struct
from frames import *
open("file", "wb").write(section() + interface((14, struct.pack("<q", 3600))) + enhanced(SECOND * 10**6))
from scapy.utils import rdpcap
print(rdpcap("file")[0].time)
END
)
verdict "1700003600" "1700000000" "$seen"
