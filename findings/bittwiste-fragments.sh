#!/bin/sh
# bittwiste 2.0, asked for another UDP source port, leaves it in the first fragment of a datagram, and writes it over the data of
# the last one.
# The port is in the UDP header, which the first fragment has (RFC 768, Format; RFC 791 section 3.2).
. "$(dirname "$0")/common"
tool bittwiste 2.0
cd "$folder"
python3 - << 'END'
from frames import *


def fragment(data, place):
    header = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(data), 1, place, 64, 17, 0, FRAME[26:34])
    return FRAME[:14] + header[:10] + struct.pack("!H", internet(header)) + header[12:] + data


datagram = struct.pack("!HHHH", 1000, 2000, 48, 0) + b"forty octets of data in one UDP datagram"
open("file", "wb").write(pcap((SECOND, fragment(datagram[:24], 0x2000)), (SECOND + 1, fragment(datagram[24:], 3))))
END
bittwiste -I file -O copy -T udp -s 7 > /dev/null 2>&1
seen=$(python3 - << 'END'
before, after = open("file", "rb").read(), open("copy", "rb").read()
assert len(before) == len(after) == 24 + 2 * (16 + 34 + 24)
first, last = (slice(40 + 34 + at, 40 + 36 + at) for at in (0, 16 + 34 + 24))
print(f"port {int.from_bytes(after[first], 'big')}, last fragment's data {'as they were' if after[last] == before[last] else 'changed'}")
END
)
verdict "port 7, last fragment's data as they were" "port 1000, last fragment's data changed" "$seen"
