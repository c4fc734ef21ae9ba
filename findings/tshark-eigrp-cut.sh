#!/bin/sh
# tshark 4.0.17 judges EIGRP's checksum in packets of which not all was captured, over what there is, and calls right ones wrong. For
# UDP, ICMP and others it says that it cannot know.
# The checksum covers the whole packet but for the IP header (RFC 7868 section 6.4), which is then not there.
. "$(dirname "$0")/common"
tool tshark 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *

hello = bytes.fromhex("02050000 00000000 00000000 00000000 00000001 0001000c 010001000000000f 00040008 0c040102")
hello = hello[:2] + struct.pack("!H", internet(hello)) + hello[4:]
header = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(hello), 1, 0, 2, 88, 0) + bytes.fromhex("c0000201 e000000a")
header = header[:10] + struct.pack("!H", internet(header)) + header[12:]
frame = bytes.fromhex("01005e00000a 020000000001 0800") + header + hello
open("file", "wb").write(pcap((SECOND, frame), (SECOND, frame[:60], len(frame)), (SECOND, FRAME[:44], len(FRAME))))
END
seen=$(tshark -o udp.check_checksum:TRUE -r file -T fields -e eigrp.checksum.status -e udp.checksum.status 2> said | tr '\t\n' '  ')
verdict "whole EIGRP, cut EIGRP, cut UDP: 1 2 2" "whole EIGRP, cut EIGRP, cut UDP: 1 0 2" "whole EIGRP, cut EIGRP, cut UDP: $(echo $seen)"
