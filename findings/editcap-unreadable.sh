#!/bin/sh
# editcap 4.0.17 writes files of Observer and of CommView NCFX that neither it nor tshark can read: the one has a time whose length counts its
# head, the other the heads of the older format, NCF. Nothing is said.
# editcap reads the formats that it writes (editcap(1), section on the description: it detects, reads and writes the same capture files).
. "$(dirname "$0")/common"
tool editcap 4.0.17
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap((SECOND, FRAME), (SECOND + 1, FRAME)))
END
seen=$(for format in commview-ncf commview-ncfx observer; do
    editcap -F $format file $format 2>&1 && echo "$format written, read" $(tshark -nr $format -T fields -e frame.len 2> log)
    grep -o 'damaged or corrupt' log || true
done)
verdict "commview-ncf written, read 47 47
commview-ncfx written, read 47 47
observer written, read 47 47" "commview-ncf written, read 47 47
commview-ncfx written, read 27
damaged or corrupt
observer written, read
damaged or corrupt" "$seen"
