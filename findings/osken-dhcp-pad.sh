#!/bin/sh
# os-ken 4.2.2 reads DHCP's options up to the first pad alone: a lease time behind one is gone. scapy 2.8.0 reads it.
# A pad has one octet, can be used to align the options behind it, and ends nothing (RFC 2132 section 3.1).
. "$(dirname "$0")/common"
packages os-ken==4.2.2 scapy==2.8.0
seen=$("$python" - 2> /dev/null << 'END'
import struct
from os_ken.lib.packet import dhcp
from scapy.layers.dhcp import BOOTP, DHCP

offer = struct.pack("!BBBBI20x6s10x192x4s", 2, 1, 6, 0, 1, b"\2\0\0\0\0\1", bytes.fromhex("63825363"))
offer += bytes.fromhex("350102 00 330400000e10 ff")
print("os-ken", *(one.tag for one in dhcp.dhcp.parser(offer)[0].options.option_list), end="; ")
print("scapy", *(one[0] for one in BOOTP(offer)[DHCP].options if len(one) > 1 and isinstance(one, tuple)))
END
)
verdict "os-ken 53 51; scapy message-type lease_time" "os-ken 53; scapy message-type lease_time" "$seen"
