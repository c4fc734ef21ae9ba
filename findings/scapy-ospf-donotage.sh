#!/bin/sh
# scapy 2.8.0 makes OSPF's DoNotAge part of an LSA's age: of 1 second it makes 32769, though ages end at 3600. tshark 4.0.17 has both.
# The upper bit of the age says DoNotAge, and the age is what is left (RFC 1793 section 2.2; MaxAge is one hour, RFC 2328 appendix B).
. "$(dirname "$0")/common"
packages scapy==2.8.0
tool tshark 4.0.17
cd "$folder"
scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
from scapy.contrib.ospf import OSPF_Hdr, OSPF_LSAck, OSPF_LSA_Hdr

lsa = bytes.fromhex("8001 02 01 c0000201 c0000201 80000001 0000 0018")
message = struct.pack("!BBH4sIHHQ", 2, 5, 44, FRAME[26:30], 0, 0, 0, 0) + lsa
message = message[:12] + struct.pack("!H", internet(message)) + message[14:]
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 64, 1, 0, 1, 89, 0, FRAME[26:34])
packet = ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + message
open("file", "wb").write(pcap((SECOND, FRAME[:14] + packet)))
print(OSPF_Hdr(message)[OSPF_LSAck].lsaheaders[0].age)
END
)
tshark=$(tshark -nr file -T fields -e ospf.lsa.donotage -e ospf.lsa.age 2> log | tr '\t' ' ')
verdict "1; 1 1" "32769; 1 1" "$scapy; $tshark"
