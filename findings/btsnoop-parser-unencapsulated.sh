#!/bin/sh
# btsnoop-parser 0.10.0 takes the first octet of packets that have no type for their type: a reset, 03 0c 00, is synchronous data.
# In files of the data link type 1001 packets have no encapsulation; the second bit of their flags says whether they are commands or events,
# or data, and the first one who sent them (Frontline's description of the format, sections on data links and packet flags). tshark 4.0.17
# reads them right.
. "$(dirname "$0")/common"
packages btsnoop-parser==0.10.0
tool tshark 4.0.17
cd "$folder"
parser=$("$python" - << 'END'
from frames import *
from btsnoop_parser import parse_btsnoop_file

records = (2, SECOND * 1_000_000, bytes.fromhex("030c00")), (3, SECOND * 1_000_000, bytes.fromhex("0e0401030c00"))
open("file", "wb").write(btsnoop(1001, *records))
print(", ".join(one["packet_type_name"] for one in parse_btsnoop_file("file")))
END
)
tshark=$(tshark -nr file -T fields -e _ws.col.Info 2> log | tr '\n' ';')
verdict "Command, Event; Sent Reset;Rcvd Command Complete (Reset);" "SCO Data, Unknown (0x0E); Sent Reset;Rcvd Command Complete (Reset);" "$parser; $tshark"
