#!/bin/sh
# pcaptoparquet 0.2.20260924: in its table the last fragment of a datagram is no fragment; it has neither ports nor a transport.
# A fragment is one with More Fragments set, or with an offset other than 0 (RFC 791 section 3.2; RFC 8200 section 4.5); the last has no
# more behind it.
. "$(dirname "$0")/common"
packages pcaptoparquet==0.2.20260924
cd "$folder"
python3 - << 'END'
from frames import *


def fragment(data, offset, more):
    ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(data), 1, more << 13 | offset // 8, 64, 17, 0, FRAME[26:34])
    return FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + data


data = struct.pack("!HHHH", 1000, 2000, 24, 0) + b"data" * 4
open("file.pcap", "wb").write(pcap((SECOND, fragment(data[:16], 0, 1)), (SECOND + 1, fragment(data[16:], 16, 0))))
END
venv/bin/pcaptoparquet -i file.pcap -o table -f txt > log 2>&1
seen=$(python3 - << 'END'
import csv
print(*(f"{row['ip_len']} octets: {row['ip_frag'] or 'no fragment'}" for row in csv.DictReader(open("table"), delimiter="|")), sep=", ")
END
)
verdict "16 octets: True, 8 octets: True" "16 octets: True, 8 octets: no fragment" "$seen"
