#!/bin/sh
# editcap 4.0.17 writes Ethernet packets into Visual's files so that they are read with 4 octets less than they had, and than are there: 47 octets
# of 43. In netmon2's files, for one, they have their length.
# Whatever the format is that -F chose, the packets are to be the input's (editcap(1)); the reader takes off a frame check sequence that the
# writer did not count.
. "$(dirname "$0")/common"
tool editcap 4.0.17
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap((SECOND, FRAME)))
END
seen=$(for format in netmon2 visual; do
    editcap -F $format file $format 2> log
    echo "$format" $(tshark -nr $format -T fields -e frame.len -e frame.cap_len 2> log)
done)
verdict "netmon2 47 47
visual 47 47" "netmon2 47 47
visual 43 47" "$seen"
