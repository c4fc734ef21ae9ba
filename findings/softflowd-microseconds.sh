#!/bin/sh
# softflowd 1.1.0 exports times in micro- and nanoseconds 999 nanoseconds late, and those of the last microsecond of a second as its begin.
# Their second half is the fraction of the second in units of 2^-32 s (RFC 7011 sections 6.1.9 and 6.1.10).
. "$(dirname "$0")/common"
tool softflowd 1.1.0
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap(*((SECOND + late, datagram(53, b"hello", sent=1000 + at)) for at, late in enumerate((0, 0.5, 0.999999)))))
END
exported -A nano
seen=$(tshark -nr messages -T fields -e cflow.abstimestart 2> log | grep -oE '[0-9]{2}\.[0-9]{9}')
verdict "20.000000000
20.500000000
20.999999000" "20.000000999
20.500000999
20.000000000" "$seen"
