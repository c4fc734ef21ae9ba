#!/bin/sh
# NetPacket 1.7.2 (Perl) sums ICMPv6's checksum over a length that is 28 octets larger than the message, so that all that it writes are wrong.
# The pseudo-header has the length of the ICMPv6 message (RFC 4443 section 2.3, RFC 8200 section 8.1).
. "$(dirname "$0")/common"
debian_packages libnetpacket-perl=1.7.2-2
cd "$folder"
right=$(python3 - << 'END'
from frames import *
ends = bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002")
message = bytes.fromhex("8000 0000 00010001")
print(f"{internet(ends + struct.pack('!II', len(message), 58) + message):04x}")
open("packet", "wb").write(struct.pack("!IHBB", 6 << 28, len(message), 58, 64) + ends + message)
END
)
seen=$(perl - << 'END'
use NetPacket::IPv6;
use NetPacket::ICMPv6;
local $/;
open(my $file, '<:raw', 'packet');
my $packet = NetPacket::IPv6->decode(<$file>);
my $message = NetPacket::ICMPv6->decode($packet->{data});
print unpack 'x2 H4', $message->encode($packet);
END
)
verdict "$right" "f429" "$seen"
