#!/bin/sh
# pyrad 2.6.0 leaves out the tags of the attributes that it reads: of two tunnels' types and one address nobody knows which tunnel has it.
# The tag is what groups the attributes of one tunnel (RFC 2868 section 3).
. "$(dirname "$0")/common"
packages pyrad==2.6.0
cd "$folder"
seen=$("$python" - << 'END'
import struct
from pyrad.dictionary import Dictionary
from pyrad.packet import Packet

open("tunnels", "w").write("ATTRIBUTE Tunnel-Type 64 integer has_tag\nATTRIBUTE Tunnel-Server-Endpoint 67 string has_tag\n")
known = {"dict": Dictionary("tunnels"), "secret": b"secret"}
attributes = bytes.fromhex("4006 01 000003 4006 02 00000d 430c 02") + b"192.0.2.2"
read = Packet(packet=struct.pack("!BBH16x", 2, 1, 20 + len(attributes)) + attributes, **known)
print(*(f"{name} {read[name]}" for name in read.keys()), sep=", ")
END
)
verdict "Tunnel-Type:1 [3], Tunnel-Type:2 [13], Tunnel-Server-Endpoint:2 ['192.0.2.2']" \
    "Tunnel-Type [3, 13], Tunnel-Server-Endpoint ['192.0.2.2']" "$seen"
