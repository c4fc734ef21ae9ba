#!/bin/sh
# scapy 2.8.0: where a group record of IGMPv3 or MLDv2 has auxiliary data, the next record is read from among them: a report of two
# groups has a group that nobody joined, or one alone.
# Auxiliary data follow the sources, and Aux Data Len says how many 32-bit words they are (RFC 3376 sections 4.2.6 and 4.2.10, RFC
# 3810 sections 5.2.6 and 5.2.10: ignored, but passed over).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
import socket, struct
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3mr
from scapy.layers.inet6 import ICMPv6MLReport2


def report(kind, family, *groups):
    out = struct.pack("!BBHHH", kind, 0, 0, 0, len(groups))
    for group, data in groups:
        out += struct.pack("!BBH", 2, len(data) // 4, 0) + socket.inet_pton(family, group) + data
    return out


data = bytes([1, 2, 3, 4])
four = IGMPv3(report(0x22, socket.AF_INET, ("233.252.0.5", data), ("233.252.0.6", b"")))[IGMPv3mr]
six = ICMPv6MLReport2(report(143, socket.AF_INET6, ("ff02::1:5", data), ("ff02::1:6", b"")))
print(*(record.maddr for record in four.records), *(record.dst for record in six.records))
END
)
verdict "233.252.0.5 233.252.0.6 ff02::1:5 ff02::1:6" "233.252.0.5 2.0.0.0 ff02::1:5" "$seen"
