#!/bin/sh
# scapy 2.8.0 takes the partial name of a DHCPv6 client for a whole one, and writes whole ones alone: of "host" it makes "host.".
# A partial name is not ended by the zero-length label that ends a whole one (RFC 4704 section 4.2).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$("$python" - 2> /dev/null << 'END'
from scapy.layers.dhcp6 import DHCP6OptClientFQDN

for option in "0027000600 04686f7374", "0027000700 04686f737400":
    read = DHCP6OptClientFQDN(bytes.fromhex(option))
    print(read.fqdn.decode(), bytes(DHCP6OptClientFQDN(fqdn=read.fqdn))[5:].hex(), end="; ")
END
)
verdict "host 04686f7374; host. 04686f737400; " "host. 04686f737400; host. 04686f737400; " "$seen"
