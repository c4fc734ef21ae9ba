#!/bin/sh
# softflowd 1.1.0's sequence numbers of IPFIX leave out the record of options that it sends, and have the flows of the message itself in them, so
# that a collector (tshark 4.0.17, too) takes records for lost.
# The number counts all data records sent; templates alone do not increase it (RFC 7011 section 3.1). What options templates describe are data
# records (section 2, "Data Record"; section 3.4.2.2).
. "$(dirname "$0")/common"
tool softflowd 1.1.0
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND + number, datagram(53, b"hello", sent=1000 + number)) for number in range(60))))
END
exported
tshark -nr messages -V 2> log > text
numbers=$(sed -n 's/.*FlowSequence: \([0-9]*\).*/\1/p' text)
flows=$(grep -c '^ *Flow [0-9]' text)
verdict "0 25 57 of 61 records" "24 56 60 of 61 records" "$(echo $numbers) of $flows records"
