#!/bin/sh
# dpkt 1.9.8 reads the ages and delays of a spanning tree's BPDU in whole seconds: an age of half a second is 0. tshark 4.0.17 reads 0.5.
# They are in units of 1/256 of a second (IEEE 802.1D-2004 sections 9.2.8 and 9.3.1); a bridge may add less than a second to the age.
. "$(dirname "$0")/common"
packages dpkt==1.9.8
tool tshark 4.0.17
cd "$folder"
dpkt=$("$python" - << 'END'
from frames import *
from dpkt.stp import STP

bridge = bytes.fromhex("8000020000000001")
bpdu = struct.pack("!HBBB8sI8sH4H", 0, 0, 0, 0, bridge, 0, bridge, 0x8001, 0x80, 0x1400, 0x180, 0xF00)
open("file", "wb").write(pcap((SECOND, bytes.fromhex("0180c2000000 020000000001 0026 424203") + bpdu + bytes(8))))
read = STP(bpdu)
print(read.age, read.max_age, read.hello, read.fd)
END
)
tshark=$(tshark -nr file -T fields -e stp.msg_age -e stp.max_age -e stp.hello -e stp.forward 2> log | tr '\t' ' ')
verdict "0.5 20 1.5 15; 0.5 20 1.5 15" "0 20 1 15; 0.5 20 1.5 15" "$dpkt; $tshark"
