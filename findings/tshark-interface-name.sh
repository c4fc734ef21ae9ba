#!/bin/sh
# tshark 4.0.17: the name of an interface in an ICMP error is left out where it ends its object; the same name is shown before an MTU.
# Name and MTU are each there or not, by a bit of the C-Type; the name is last where the MTU is not there (RFC 5837 section 4.1).
. "$(dirname "$0")/common"
tool tshark 4.0.17
(cd "$folder" && "$python" - << 'END'
from frames import *


def summed(message, at):
    return message[:at] + internet(message).to_bytes(2, "big") + message[at + 2 :]


def error(ctype, value):
    """Time exceeded, with 128 octets of a datagram and one object of class 2 (RFC 4884 sections 4.1, 7 and 8)."""
    extension = summed(bytes.fromhex("20000000") + struct.pack("!HBB", 4 + len(value), 2, ctype) + value, 2)
    message = summed(bytes.fromhex("0b000000 00200000") + FRAME[14:] + bytes(128 - len(FRAME[14:])) + extension, 2)
    header = struct.pack("!BBHIBBH8s", 0x45, 0, 20 + len(message), 0x10000, 64, 1, 0, bytes.fromhex("c0000201c0000202"))
    return FRAME[:14] + summed(header, 10) + message


name, mtu = b"\x08eth0\0\0\0", (1500).to_bytes(4, "big")
open("errors.pcap", "wb").write(pcap((SECOND, error(3, name + mtu)), (SECOND, error(2, name))))
END
)
seen=$(tshark -r "$folder/errors.pcap" -T fields -e icmp.int_info.name 2> /dev/null | sed 's/^$/none/' | paste -sd ' ' -)
verdict "eth0 eth0" "eth0 none" "$seen"
