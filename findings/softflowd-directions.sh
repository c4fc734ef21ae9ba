#!/bin/sh
# softflowd 1.1.0 exports the order of a flow's addresses as its direction: who has the lower one sends ingress flows, who has the higher one
# egress flows, wherever they are seen.
# flowDirection is the flow's at the point where it is observed, into the domain or out of it (IANA's IPFIX element 61, RFC 7012 section 7.1).
. "$(dirname "$0")/common"
tool softflowd 1.1.0
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND, datagram(53, b"hello", source)) for source in (1, 3, 4))))
END
exported
seen=$(tshark -nr messages -T fields -E separator=/s -e cflow.srcaddr -e cflow.direction 2> log)
verdict "192.0.2.1,192.0.2.3,192.0.2.4 with one direction" "192.0.2.1,192.0.2.3,192.0.2.4 0,1,1" "$seen"
