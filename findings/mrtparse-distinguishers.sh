#!/bin/sh
# mrtparse 2.2.0 prints route distinguishers of all types as those of type 0, and the type as part of the number.
# Type 0 is an AS number of 2 octets and a number of 4, type 1 an IPv4 address and a number of 2, type 2 an AS number of 4 octets and
# a number of 2 (RFC 4364 section 4.2).
. "$(dirname "$0")/common"
packages mrtparse==2.2.0
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
import mrtparse

distinguishers = struct.pack("!HHI", 0, 64500, 7), struct.pack("!H4sH", 1, FRAME[26:30], 7), struct.pack("!HIH", 2, 64500, 7)
open("file", "wb").write(b"".join(mrt(vpn_route(bytes([0, 6, 0x41]), one)) for one in distinguishers))
for message in mrtparse.Reader("file"):
    (route,) = message.data["bgp_message"]["path_attributes"][-1]["value"]["nlri"]
    print(route["route_distinguisher"])
END
)
verdict "64500:7 192.0.2.1:7 64500:7" "64500:7 114688:33619975 131072:4227072007" "$(echo $seen)"
