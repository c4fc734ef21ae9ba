#!/bin/sh
# tshark 4.0.17: Shim6's checksum is of one byte, and what follows it is read a byte early: the context tag, the nonce.
# It is of two (RFC 5533 section 5.3); the tag is the 47 bits behind it, the nonce the 32 behind that (section 5.4).
. "$(dirname "$0")/common"
tool tshark 4.0.17
(cd "$folder" && "$python" - << 'END'
from frames import *

message = bytearray.fromhex("3b010100 0000 000012345678 9abcdef0")
message[4:6] = internet(bytes(message)).to_bytes(2, "big")
assert message[4:6].hex() == "e1a4"
header = bytes.fromhex("60000000 0010 8c 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
open("i1.pcap", "wb").write(pcap((SECOND, FRAME[:12] + b"\x86\xdd" + header + message)))
END
)
seen=$(tshark -r "$folder/i1.pcap" -T fields -E separator=' ' -e shim6.checksum -e shim6.inonce 2> /dev/null)
verdict "0xe1a4 $((0x9abcdef0))" "0x00e1 $((0x789abcde))" "$seen"
