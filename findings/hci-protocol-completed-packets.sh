#!/bin/sh
# hci-protocol 0.0.5 reads a Bluetooth controller's numbers of completed packets as all handles and then all numbers: handle 1 with 3 packets and
# handle 2 with 4 are handles 1 and 3, with 2 and 4. tshark 4.0.17 reads the event right.
# Where a parameter comes several times along with another they alternate, each handle with its number (Bluetooth Core 5.4 volume 4 part E,
# sections 5.2 and 7.7.19).
. "$(dirname "$0")/common"
packages hci-protocol==0.0.5 construct==2.8.22
tool tshark 4.0.17
cd "$folder"
hci=$("$python" - << 'END'
from frames import *
from hci_protocol.hci_protocol import HciPacket

event = bytes.fromhex("04 13 09 02 0100 0300 0200 0400")
file = pcap((SECOND, event))
open("file", "wb").write(file[:20] + struct.pack("<I", 187) + file[24:])
read = HciPacket.parse(event).payload.payload
print(*map(int, read.connection_handles), "with", *map(int, read.number_of_completed_packets))
END
)
tshark=$(tshark -nr file -T fields -e bthci_evt.connection_handle -e bthci_evt.num_compl_packets 2> log | tr '\t' ' ')
verdict "1 2 with 3 4; 0x0001,0x0002 3,4" "1 3 with 2 4; 0x0001,0x0002 3,4" "$hci; $tshark"
