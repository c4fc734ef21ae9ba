#!/bin/sh
# aiortp 0.8.0 writes two of the three octets of a packet's transmission offset: whoever reads it finds another length, and no offset.
# The offset is a signed number of 24 bits (RFC 5450 section 3).
. "$(dirname "$0")/common"
packages aiortp==0.8.0
seen=$(cd "$folder" && "$python" - << 'END'
from aiortp.packet import HeaderExtensions, HeaderExtensionsMap

names = HeaderExtensionsMap()
names.configure([(1, "urn:ietf:params:rtp-hdrext:toffset")])
print(names.set(HeaderExtensions(transmission_offset=0x012345))[1].hex(" "))
END
)
verdict "12 01 23 45" "11 01 23 00" "$seen"
