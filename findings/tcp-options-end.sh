#!/bin/sh
# dpkt 1.9.8 and os-ken 4.2.2 read TCP options behind the end of the options: of padding they make a window scale. scapy 2.8.0 and impacket
# 0.13.1 stop there.
# The option of kind 0 says that there are no more options; what is behind it is padding (RFC 9293 sections 3.1 and 3.2).
. "$(dirname "$0")/common"
packages dpkt==1.9.8 os-ken==4.2.2 scapy==2.8.0 impacket==0.13.1
cd "$folder"
seen=$("$python" - 2> /dev/null << 'END'
from frames import *
import dpkt.tcp
from impacket.ImpactPacket import TCP as ImpacketTCP
from os_ken.lib.packet import tcp
from scapy.layers.inet import TCP

segment = struct.pack("!HHIIBBHHH", 1000, 80, 1, 0, 7 << 4, 2, 8192, 0, 0) + bytes.fromhex("020405b4 00 030307")
print("dpkt", *(kind for kind, _ in dpkt.tcp.parse_opts(dpkt.tcp.TCP(segment).opts)), end="; ")
print("os-ken", *(one.kind for one in tcp.tcp.parser(segment)[0].option), end="; ")
print("scapy", *(name for name, _ in TCP(segment).options), end="; ")
print("impacket", *(one.get_kind() for one in ImpacketTCP(segment).get_options()))
END
)
verdict "dpkt 2 0; os-ken 2 0; scapy MSS EOL; impacket 2 0" "dpkt 2 0 3; os-ken 2 0 3; scapy MSS EOL; impacket 2 0" "$seen"
