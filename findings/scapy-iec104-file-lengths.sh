#!/bin/sh
# scapy 2.8.0 reads and writes the length of a file in IEC 60870-5-104 in network byte order: of 1000 octets there are 15205120. The name of the
# file before it and the address of the object are in the right order.
# UI24[1..24], the least significant octet first (IEC 60870-5-101 section 7.2.6.35; mode 1 of IEC 60870-5-4, as all numbers there).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$("$python" - 2> /dev/null << 'END'
from scapy.contrib.scada.iec104 import IEC104_I_Message_SingleIOA

file_ready = bytes.fromhex("68 13 0000 0000 78 01 0d 00 0100 010000 0200 e80300 00")
read = IEC104_I_Message_SingleIOA(file_ready).io[0]
print("object", read.information_object_address, "file", read.file_name, "length", read.file_length)
END
)
verdict "object 1 file 2 length 1000" "object 1 file 2 length 15205120" "$seen"
