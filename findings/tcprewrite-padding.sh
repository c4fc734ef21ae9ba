#!/bin/sh
# tcprewrite 4.4.3, asked for another TTL and nothing else, raises IP's total length over the padding of a short Ethernet frame: 13
# octets of padding become data of the datagram. UDP's checksum does not fit afterwards.
# Padding is no part of the IP packet, and not in its total length (RFC 894, Frame Format).
. "$(dirname "$0")/common"
tool tcprewrite 4.4.3
cd "$folder"
python3 - << 'END'
from frames import *
open("file", "wb").write(pcap((SECOND, FRAME + bytes(60 - len(FRAME)))))
END
tcprewrite --ttl=9 -i file -o copy > /dev/null 2>&1
seen=$(python3 - << 'END'
from frames import internet, struct
frame = open("copy", "rb").read()[40:]
size, data = struct.unpack_from("!H", frame, 16)[0], frame[34:]
length = struct.unpack_from("!H", data, 4)[0]
right = internet(frame[26:34] + struct.pack("!HH", 17, length) + data[:length]) == 0
print(f"total length {size}, UDP length {length}, its checksum {'right' if right else 'wrong'}")
END
)
verdict "total length 33, UDP length 13, its checksum right" "total length 46, UDP length 13, its checksum wrong" "$seen"
