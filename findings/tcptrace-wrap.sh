#!/bin/sh
# tcptrace 6.6.7 -e leaves out the data behind the sequence number's return to 0, and says nothing of it.
# Sequence numbers run from 0 to 2**32 - 1, and all arithmetic with them is modulo 2**32 (RFC 9293 section 3.4).
. "$(dirname "$0")/common"
tool tcptrace 6.6.7
cd "$folder"
for first in 1000 4294967285; do
    python3 - $first << 'END'
import sys
from frames import *
first = int(sys.argv[1])
sent = (("S", first, b""), ("AP", first + 1, b"0123456789"), ("AP", first + 11, b"abcdef"), ("FA", first + 17, b""))
open("file", "wb").write(pcap(*((SECOND + number, segment(*one)) for number, one in enumerate(sent))))
END
    tcptrace -n -e file > log 2>&1
    seen="${seen:+$seen; }$first: $(cat a2b_contents.dat)"
done
verdict "1000: 0123456789abcdef; 4294967285: 0123456789abcdef" "1000: 0123456789abcdef; 4294967285: 0123456789" "$seen"
