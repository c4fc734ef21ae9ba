#!/bin/sh
# nfstream 6.6.0: frames with a service tag (EtherType 0x88A8) are in no flow, and nothing is said; with a customer tag they are.
# Both are tags of VLANs, and the same kinds of packets follow (IEEE 802.1Q-2018 sections 9.4 to 9.6, table 9-1).
. "$(dirname "$0")/common"
packages nfstream==6.6.0
cat > "$folder/flows.py" << 'END'
from nfstream import NFStreamer
import sys
from frames import *

if __name__ == "__main__":
    for type in ("8100", "88a8"):
        tagged = FRAME[:12] + bytes.fromhex(type + "000a") + FRAME[12:]
        open(sys.argv[1], "wb").write(pcap((SECOND, tagged)))
        flows = list(NFStreamer(source=sys.argv[1], n_dissections=0, n_meters=1))
        print(f"{type}: {len(flows)}", end="; " if type == "8100" else "")
END
seen=$("$python" "$folder/flows.py" "$folder/in.pcap" 2> /dev/null)
verdict "8100: 1; 88a8: 1" "8100: 1; 88a8: 0" "$seen"
