#!/bin/sh
# pypcapfile 0.12.0 takes a packet of which nothing was captured for the end of the file: it and all packets behind it are missing, and
# nothing is said.
# The captured length is any number up to the snap length (draft-ietf-opsawg-pcap, section 5); 0 is what capturing of headers alone
# gives where there is none.
. "$(dirname "$0")/common"
packages pypcapfile==0.12.0
cd "$folder"
seen=$("$python" - << 'END'
from frames import *
from pcapfile import savefile

open("file", "wb").write(pcap((SECOND, FRAME), (SECOND + 1, b"", len(FRAME)), (SECOND + 2, FRAME), (SECOND + 3, FRAME)))
with open("file", "rb") as file:
    print(len(savefile.load_savefile(file).packets), "packets")
END
)
verdict "4 packets" "1 packets" "$seen"
