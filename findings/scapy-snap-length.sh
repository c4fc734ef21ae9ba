#!/bin/sh
# scapy 2.8.0: of a simple packet block no byte is read where the interface's snap length is 0, and no error is raised.
# A snap length of 0 means no limit (draft-ietf-opsawg-pcapng section 4.2, SnapLen), and the block's data are the lesser of
# the original length and that (section 4.4).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from frames import *
open("file", "wb").write(section() + interface(snap_length=0) + simple())
from scapy.utils import RawPcapNgReader
print(*(len(data) for data, _ in RawPcapNgReader("file")), "of 47 bytes")
END
)
verdict "47 of 47 bytes" "0 of 47 bytes" "$seen"
