#!/bin/sh
# tcprewrite 4.4.3 maps the addresses of an IPv6 packet with --pnat, and leaves ICMPv6's checksum as it was: it is wrong then, and
# whoever receives the packet drops it. UDP's and TCP's are right.
# ICMPv6's checksum covers both addresses (RFC 4443 section 2.3).
. "$(dirname "$0")/common"
tool tcprewrite 4.4.3
cd "$folder"
python3 - << 'END'
from frames import *

message = bytes.fromhex("80000000 00010001 61626364")
ends = bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002")
sum_ = internet(ends + struct.pack("!II", len(message), 58) + message)
packet = struct.pack("!IHBB", 0x60000000, len(message), 58, 64) + ends + message[:2] + struct.pack("!H", sum_) + message[4:]
open("file", "wb").write(pcap((SECOND, bytes.fromhex("020000000002 020000000001 86dd") + packet)))
END
tcprewrite --pnat='[2001:db8::/32]:[2001:db9::/32]' -i file -o copy > said 2>&1
seen=$(python3 - << 'END'
from frames import *

packet = open("copy", "rb").read()[40 + 14 :]
ends, message = packet[8:40], packet[40:]
mapped = ends[:4] == ends[16:20] == bytes.fromhex("20010db9")
right = internet(ends + struct.pack("!II", len(message), 58) + message) == 0
print(f"addresses {'mapped' if mapped else 'as they were'}, checksum {'right' if right else 'wrong'}")
END
)
verdict "addresses mapped, checksum right, 0 bytes said" "addresses mapped, checksum wrong, 0 bytes said" "$seen, $(wc -c < said) bytes said"
