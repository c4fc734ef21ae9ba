#!/bin/sh
# dpkt 1.9.8 takes BGP paths of six octets for one AS number of four: two numbers of two octets are one large number for it, whatever
# the segment's own count says. Paths of more than one number of four octets are refused.
# A segment has as many numbers as its length says, of two octets each (RFC 4271 section 4.3), or of four where both sides have announced
# that (RFC 6793 section 4.1).
. "$(dirname "$0")/common"
packages dpkt==1.9.8
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
from dpkt import UnpackError
from dpkt.bgp import BGP

for form, numbers in ("H", [64500]), ("H", [64500, 64501]), ("I", [64500]), ("I", [64500, 64501]):
    path = struct.pack(f"!BB{len(numbers)}{form}", 2, len(numbers), *numbers)
    attributes = attribute(1, b"\0") + attribute(2, path) + attribute(3, FRAME[26:30])
    try:
        update = BGP(bgp(2, struct.pack("!HH", 0, len(attributes)) + attributes + b"\x18\xc6\x33\x64")).update
        read = ", ".join(str(number) for segment in update.attributes[1].as_path.segments for number in segment.path)
    except UnpackError:
        read = "refused"
    print(f"{'four' if form == 'I' else 'two'} octets: {read}", end="; ")
END
)
verdict "two octets: 64500; two octets: 64500, 64501; four octets: 64500; four octets: 64500, 64501; " \
    "two octets: 64500; two octets: 4227136501; four octets: 64500; four octets: refused; " "$seen"
