#!/bin/sh
# tcptrace 6.6.7 -e puts zeros where data came with the SYN, though it counts them, and says nothing.
# A segment with SYN may have data, which is of the stream as any other (RFC 9293 section 3.10.7.2; RFC 7413 section 2).
. "$(dirname "$0")/common"
tool tcptrace 6.6.7
cd "$folder"
python3 - << 'END'
from frames import *
sent = (("S", 1000, b"abcdef"), ("AP", 1007, b"ghi"), ("FA", 1010, b""))
open("file", "wb").write(pcap(*((SECOND + number, segment(*one)) for number, one in enumerate(sent))))
END
tcptrace -n -l -e file > log 2>&1
verdict "9 data bytes: abcdefghi" "9 data bytes: 000000ghi" \
    "$(grep -oE 'actual data bytes: +[0-9]+' log | head -1 | grep -oE '[0-9]+') data bytes: $(tr '\0' 0 < a2b_contents.dat)"
