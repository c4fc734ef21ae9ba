#!/bin/sh
# scapy 2.8.0 and dhcplib 0.1.1 read the time offset of a DHCP message without its sign: five hours west of UTC are 4294949296 seconds east of
# it. dhcppython 0.1.4 reads -18000.
# The offset is a two's complement number of 32 bits (RFC 2132 section 3.4).
. "$(dirname "$0")/common"
packages scapy==2.8.0 dhcplib==0.1.1 dhcppython==0.1.4
seen=$(cd "$folder" && "$python" - << 'END'
import struct
from dhcplib.packet import DHCPPacket
from dhcppython.packet import DHCPPacket as Packet
from scapy.layers.dhcp import BOOTP, DHCP

options = bytes.fromhex("350102 0204") + struct.pack("!i", -18000) + b"\xff"
message = struct.pack("!BBBBIHH 16s 16s 192s I", 2, 1, 6, 0, 1, 0, 0, b"", bytes.fromhex("020000000001"), b"", 0x63825363) + options
print("scapy", dict(option for option in BOOTP(message)[DHCP].options if len(option) == 2)["time_zone"])
print("dhcplib", str(DHCPPacket(data=message)).split("time_offset: ")[1].split()[0])
print("dhcppython", next(one.value["time_offset_s"] for one in Packet.from_bytes(message).options if one.code == 2))
END
)
verdict "scapy -18000
dhcplib -18000
dhcppython -18000" "scapy 4294949296
dhcplib 4294949296
dhcppython -18000" "$seen"
