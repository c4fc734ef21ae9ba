#!/bin/sh
# dpkt 1.9.8 has no options of TFTP: those of a request are nowhere, neither read nor written again.
# They follow the mode, each a name and a value, both ended by a zero (RFC 2347, section on packet formats).
. "$(dirname "$0")/common"
packages dpkt==1.9.8
seen=$("$python" - << 'END'
from dpkt.tftp import TFTP

request = b"\0\1file\0octet\0blksize\0001428\0"
read = TFTP(request)
print(len(request), "octets,", len(bytes(read)), "written,", "option" if b"blksize" in bytes(read) + read.data else "no option")
END
)
verdict "26 octets, 26 written, option" "26 octets, 13 written, no option" "$seen"
