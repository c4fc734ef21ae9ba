#!/bin/sh
# tracemerge (libtrace) 3.0.22 writes packets of another link type than the first file's into a pcap file as if they were of that one,
# and says nothing: IP's first octets are then Ethernet's addresses.
# The link type in the header is that of all packets in the file (draft-ietf-opsawg-pcap section 4, LinkType).
. "$(dirname "$0")/common"
tool tracemerge 3.0.22
cd "$folder"
python3 - << 'END'
from frames import *
bare = bytearray(pcap((SECOND + 1, FRAME[14:])))
bare[20] = 101
open("ethernet", "wb").write(pcap((SECOND, FRAME)))
open("bare", "wb").write(bare)
END
tracemerge pcapfile:both pcapfile:ethernet pcapfile:bare > said 2>&1 || echo refused >> said
seen=$(python3 - << 'END'
from frames import *
data = open("both", "rb").read()
(link,) = struct.unpack_from("<I", data, 20)
print(f"link type {link}, IP from octet {data[40:].index(FRAME[14:])} and {data[40 + len(FRAME) + 16:].index(FRAME[14:])} of a packet")
END
)
verdict "link type 1, IP from octet 14 in all packets, or a word" "link type 1, IP from octet 14 and 0 of a packet; 0 octets said" \
    "$seen; $(wc -c < said) octets said"
