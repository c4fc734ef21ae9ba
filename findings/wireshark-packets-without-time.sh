#!/bin/sh
# editcap, mergecap and reordercap 4.0.17 write packets that have no time as of 1970, reordercap as of 2.147483 s behind its begin, and
# first in the file; nothing is said. tshark 4.0.17 has the whole time since 1970 as the one between such a packet and the next.
# Simple packets of pcapng have no time (draft-ietf-opsawg-pcapng section 4.4); that of an enhanced one is when it was captured (section 4.3).
. "$(dirname "$0")/common"
tool editcap 4.0.17
tool mergecap 4.0.17
tool reordercap 4.0.17
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(section() + interface() + enhanced(SECOND * 1_000_000) + simple() + enhanced((SECOND + 1) * 1_000_000))
END
editcap file edited 2> log
mergecap -w merged file 2> log
reordercap file ordered > log 2>&1
seen=$(for name in file edited merged ordered; do echo "$name" $(tshark -nr $name -T fields -e frame.time_epoch 2> log | sed 's/^$/none/; s/000$//'); done
    echo "between" $(tshark -nr file -T fields -e frame.time_delta 2> log | sed 's/^$/none/; s/000$//'))
verdict "file 1700000000.000000 none 1700000001.000000
edited 1700000000.000000 none 1700000001.000000
merged 1700000000.000000 none 1700000001.000000
ordered 1700000000.000000 none 1700000001.000000
between 0.000000 none none" "file 1700000000.000000 none 1700000001.000000
edited 1700000000.000000 0.000000 1700000001.000000
merged 1700000000.000000 0.000000 1700000001.000000
ordered 2.147483 1700000000.000000 1700000001.000000
between 0.000000 none 1700000001.000000" "$seen"
