#!/bin/sh
# os-ken 4.2.2: GRE's checksum covers the header alone, not the packet behind it.
# It is of all 16-bit words in the GRE header and the payload packet (RFC 2784 section 2.3).
. "$(dirname "$0")/common"
packages os-ken==4.2.2
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from frames import *
from os_ken.lib.packet import ethernet, gre, ipv4, packet

inner = FRAME[14:]
made = packet.Packet()
made.add_protocol(ethernet.ethernet(dst="02:00:00:00:00:02", src="02:00:00:00:00:01", ethertype=0x0800))
made.add_protocol(ipv4.ipv4(src="192.0.2.1", dst="192.0.2.2", proto=47))
made.add_protocol(gre.gre(protocol=0x0800, checksum=1))
made.add_protocol(inner)
made.serialize()
message = bytes(made.data)[34:]
assert message[8:] == inner
empty = message[:4] + bytes(4) + message[8:]
names = {internet(empty): "of header and payload", internet(empty[:8]): "of the header alone"}
print(names.get(int.from_bytes(message[4:6], "big"), "of something else"))
END
)
verdict "of header and payload" "of the header alone" "$seen"
