#!/bin/sh
# tcpdump 4.99.3 says of a whole binding update with options that it was cut off, and prints neither its last option, the alternate
# care-of address, nor padding alone.
# "[|proto]" is for "packets truncated because of a limited snapshot" (tcpdump(1), -s); options end with the message, whose length is in
# its header (RFC 6275 sections 6.1.1 and 6.1.7).
. "$(dirname "$0")/common"
tool tcpdump 4.99.3
cd "$folder"
python3 - << 'END'
from frames import *

source, target, care_of = (bytes.fromhex("20010db8" + 22 * "0" + last) for last in ("01", "02", "77"))


def update(options):
    data = struct.pack("!BBBBHHHH", 59, (12 + len(options)) // 8 - 1, 5, 0, 0, 1, 0x8000, 10) + options
    data = data[:4] + struct.pack("!H", internet(source + target + struct.pack("!II", len(data), 135) + data)) + data[6:]
    return FRAME[:12] + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(data), 135, 64) + source + target + data


padding, alternate = bytes([1, 2, 0, 0]), bytes([1, 0, 3, 16]) + care_of
open("file", "wb").write(pcap((SECOND, update(padding)), (SECOND + 1, update(alternate))))
END
seen=$(tcpdump -vnr file 2> /dev/null | grep -oE 'lifetime=.*' | paste -sd ';' | sed 's/;/; /')
verdict "lifetime=40(padn); lifetime=40(padn)(alt-CoA: 2001:db8::77)" "lifetime=40 [|mobility]; lifetime=40(padn) [|mobility]" "$seen"
