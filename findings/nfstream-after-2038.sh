#!/bin/sh
# nfstream 6.6.0: a packet of 2096 was first seen some 584 million years from now.
# Seconds of pcap are unsigned, and last until 2106 (draft-ietf-opsawg-pcap section 5).
. "$(dirname "$0")/common"
packages nfstream==6.6.0
cat > "$folder/flows.py" << 'END'
from nfstream import NFStreamer
import sys
from frames import *

if __name__ == "__main__":
    open(sys.argv[1], "wb").write(pcap((4_000_000_000, FRAME)))
    print([flow.bidirectional_first_seen_ms for flow in NFStreamer(source=sys.argv[1], n_dissections=0, n_meters=1)])
END
seen=$("$python" "$folder/flows.py" "$folder/in.pcap" 2> /dev/null)
verdict "[4000000000000]" "[18446743778742255616]" "$seen"
