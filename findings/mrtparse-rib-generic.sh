#!/bin/sh
# mrtparse 2.2.0 reads the address family of a RIB_GENERIC record from three octets, and so refuses all of them.
# It has two octets, and its subsequent identifier one (RFC 6396 section 4.3.3).
. "$(dirname "$0")/common"
packages mrtparse==2.2.0
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
import mrtparse

peers = struct.pack("!4sHHB4s4sI", FRAME[26:30], 0, 1, 2, FRAME[26:30], FRAME[26:30], 64500)
attributes = ORIGIN_AND_PATH + attribute(3, FRAME[26:30])
route = struct.pack("!IHB4s", 0, 1, 1, bytes([24, 198, 51, 100])) + struct.pack("!HHIH", 1, 0, SECOND, len(attributes)) + attributes
open("file", "wb").write(mrt(peers, 13, 1) + mrt(route, 13, 6))
_, message = mrtparse.Reader("file")
print(message.err_msg or message.data["rib_entries"])
END
)
verdict "a route of AFI 1, SAFI 1" "Unsupported AFI 257(Unknown)" "$seen"
