#!/bin/sh
# editcap (Wireshark) 4.0.17 -t, given a negative shift that leads to before 1970, writes times 580,000 years ahead into pcapng and of
# 2106 into pcap, and ends with 0.
# A time of pcapng counts up from 1970, and earlier ones are told by an offset of the interface (draft-ietf-opsawg-pcapng sections
# 4.3 and 4.2, if_tsoffset); pcap has no such times (draft-ietf-opsawg-pcap section 5): there is nothing right to be written.
. "$(dirname "$0")/common"
tool editcap 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap((10, FRAME)))
END
moved() {
    if editcap -F "$1" -t -20 file copy > /dev/null 2>&1; then
        python3 - "$1" << 'END'
import struct, sys
data = open("copy", "rb").read()
if sys.argv[1] == "pcap":
    print(struct.unpack_from("<I", data, 24)[0])
else:
    at = 0
    while struct.unpack_from("<I", data, at)[0] != 6:
        at += struct.unpack_from("<I", data, at + 4)[0]
    high, low = struct.unpack_from("<II", data, at + 12)
    print((high << 32 | low) // 1_000_000)
END
    else
        echo refused
    fi
}
verdict "pcapng refused, pcap refused" "pcapng 18446744073699, pcap 4294967286" "pcapng $(moved pcapng), pcap $(moved pcap)"
