#!/bin/sh
# btsnoop-parser 0.10.0 writes pcap files in which the host has sent all packets, whoever did, and all are an octet longer than they were.
# The direction is a number of four octets in network byte order, whose lowest bit is set for what comes from the controller (the registry of
# pcap's link types, section on LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR). The original length of a record has the octet of the packet's type.
. "$(dirname "$0")/common"
packages btsnoop-parser==0.10.0
tool tshark 4.0.17
cd "$folder"
"$python" - << 'END'
from frames import *
from btsnoop_parser import parse_btsnoop_file, write_pcap

records = (2, SECOND * 1_000_000, bytes.fromhex("01030c00")), (3, SECOND * 1_000_000, bytes.fromhex("040e0401030c00"))
open("file", "wb").write(btsnoop(1002, *records))
write_pcap(parse_btsnoop_file("file"), "written")
END
seen=$(for name in file written; do tshark -nr $name -T fields -E separator=/s -e hci_h4.direction -e frame.len -e frame.cap_len 2> log; done)
verdict "0x00 4 4
0x01 7 7
0x00 4 4
0x01 7 7" "0x00 4 4
0x01 7 7
0x00 5 4
0x00 8 7" "$seen"
