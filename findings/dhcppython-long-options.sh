#!/bin/sh
# dhcppython 0.1.4 has of an option in two pieces, as is one with more than 255 octets, only the last, and says nothing of the first.
# Who receives more than one option of a code puts their values together, in their order (RFC 3396 section 1; RFC 2131 section 4.1).
. "$(dirname "$0")/common"
packages dhcppython==0.1.4
seen=$("$python" - << 'END'
import struct
from dhcppython.packet import DHCPPacket

routes = b"".join(bytes([24, 198, 51, number, 192, 0, 2, 1]) for number in range(40))
head = struct.pack("!BBBBIHH", 2, 1, 6, 0, 1, 0, 0) + bytes(16) + bytes.fromhex("020000000001").ljust(16, b"\0") + bytes(192)
options = bytes([53, 1, 5, 121, 255]) + routes[:255] + bytes([121, len(routes) - 255]) + routes[255:] + b"\xff"
packet = DHCPPacket.from_bytes(head + bytes.fromhex("63825363") + options)
print(*(len(option.data) for option in packet.options if option.code == 121), "octets of routes")
END
)
verdict "320 octets of routes" "65 octets of routes" "$seen"
