#!/bin/sh
# impacket 0.13.1: IP.fragment_by_size() counts 20 bytes of header in the Total Length of each fragment, also where options make the
# header longer: the last bytes of every fragment are behind the datagram, and a receiver drops them as padding.
# Total Length covers header and data (RFC 791 section 3.1).
. "$(dirname "$0")/common"
packages impacket==0.13.1
cd "$folder"
seen=$("$python" - << 'END'
from impacket import ImpactPacket

said = []
for name in ("without options", "record route"):
    datagram = ImpactPacket.IP()
    datagram.set_ip_src("192.0.2.1")
    datagram.set_ip_dst("192.0.2.2")
    if name == "record route":
        datagram.add_option(ImpactPacket.IPOption(ImpactPacket.IPOption.IPOPT_RR, 11))  # room for two addresses
    datagram.contains(ImpactPacket.Data(bytes(48)))
    datagram.set_ip_p(253)
    datagram.get_packet()  # header and options become bytes
    fragments = [fragment.get_packet() for fragment in datagram.fragment_by_size(24)]
    lengths = ["%d of %d" % (int.from_bytes(one[2:4], "big"), len(one)) for one in fragments]
    said.append(f"{name}: {', '.join(lengths)}")
print(*said, sep="; ")
END
)
verdict "without options: 44 of 44, 44 of 44; record route: 56 of 56, 56 of 56" "without options: 44 of 44, 44 of 44; record route: 44 of 56, 44 of 56" "$seen"
