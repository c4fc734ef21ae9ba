#!/bin/sh
# dhcplib 0.1.1 does not read the options that are in the fields of file and server name, which it can write.
# With option 52 the file field, the server name or both hold options, too (RFC 2131 section 4.1, RFC 2132 section 9.3).
. "$(dirname "$0")/common"
packages dhcplib==0.1.1
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
import struct
from dhcplib.packet import DHCPPacket

head = struct.pack("!BBBBIHH16x16s", 2, 1, 6, 0, 7, 0, 0, bytes.fromhex("020000000001"))
name, file = bytes(64), bytes([66, 6]) + b"server" + b"\xff"
options = bytes([53, 1, 5, 52, 1, 1, 255])
packet = DHCPPacket(head + name + file.ljust(128, b"\0") + bytes.fromhex("63825363") + options)
print("message type", packet.get_option(53), "overload", packet.get_option(52), "TFTP server", packet.get_option(66, convert=True))
END
)
verdict "message type [5] overload [1] TFTP server server" "message type [5] overload [1] TFTP server None" "$seen"
