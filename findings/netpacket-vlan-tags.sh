#!/bin/sh
# NetPacket 1.7.2 (Perl) takes the lowest three bits of a VLAN's number for the priority of the tag, and its last bit for the drop eligible
# one, so that frames of VLAN 10 have priority 2, whatever theirs is.
# The priority is the upper three bits of the tag's 16, the bit for the drop eligible ones comes next, the VLAN's number has the lower 12
# (IEEE 802.1Q-2018 section 9.6).
. "$(dirname "$0")/common"
debian_packages libnetpacket-perl=1.7.2-2
python3 -c 'from frames import *; open("'"$folder"'/frame", "wb").write(FRAME[:12] + bytes.fromhex("8100 b00a") + FRAME[12:])'
seen=$(cd "$folder" && perl - << 'END'
use NetPacket::Ethernet;
local $/;
open(my $file, '<:raw', 'frame');
my $frame = NetPacket::Ethernet->decode(<$file>);
print "priority $frame->{pcp}, eligible $frame->{cfi}, VLAN $frame->{vid}";
END
)
verdict "priority 5, eligible 1, VLAN 10" "priority 2, eligible 0, VLAN 10" "$seen"
