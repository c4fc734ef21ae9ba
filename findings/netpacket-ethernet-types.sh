#!/bin/sh
# NetPacket 1.7.2 (Perl), asked to write the Ethernet frame that it has read, writes the type of IPv4 into it, whatever is in it: IPv6 of a
# frame is IPv4 then, and a tag of a VLAN is gone.
# The type says the protocol of what follows (IEEE 802.3-2018 section 3.2.6; 86dd is IPv6, RFC 2464 section 3).
. "$(dirname "$0")/common"
debian_packages libnetpacket-perl=1.7.2-2
seen=$(cd "$folder" && perl - << 'END'
use NetPacket::Ethernet;
print join ' ', map {
    my $frame = NetPacket::Ethernet->decode(pack 'H*', '020000000002' . '020000000001' . $_ . '6000000000003b40');
    unpack 'x12 H*', substr $frame->encode, 0, -8;
} '86dd', '8847', '8100600a86dd';
END
)
verdict "86dd 8847 8100600a86dd" "0800 0800 0800" "$seen"
