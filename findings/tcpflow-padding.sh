#!/bin/sh
# tcpflow 1.6.1 takes the zeros that fill a short Ethernet frame for data of the TCP connection; they overwrite what is there.
# Padding is no part of the IP packet, and not in its total length (RFC 894, Frame Format).
. "$(dirname "$0")/common"
tool tcpflow 1.6.1
cd "$folder"
python3 - << 'END'
from frames import *
sent = (("S", 1000, b""), ("AP", 1001, b"abc"), ("AP", 1004, b"def"), ("AP", 1001, b"abc"))
open("file", "wb").write(pcap(*((SECOND + number, segment(*one).ljust(60, b"\0")) for number, one in enumerate(sent))))
END
mkdir streams
tcpflow -q -r file -X report -o streams > log 2>&1
verdict "abcdef" "abc000000" "$(cat streams/192*00080 | tr '\0' 0)"
