#!/bin/sh
# mrtparse 2.2.0 passes over two octets less than it should of a BGP capability whose value it does not read: they are another parameter.
# A parameter's length is that of its value, of which a capability's code and length are the first two (RFC 4271 section 4.2;
# RFC 5492 section 4).
. "$(dirname "$0")/common"
packages mrtparse==2.2.0
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
import mrtparse

next_hop = struct.pack("!BBHHH", 5, 6, 1, 1, 2)  # IPv4 with next hops of IPv6, RFC 8950
parameters = struct.pack("!BB", 2, len(next_hop)) + next_hop
start = struct.pack("!BHH4sB", 4, 64500, 180, FRAME[26:30], len(parameters)) + parameters
open("file", "wb").write(mrt(bgp(1, start)))
(message,) = mrtparse.Reader("file")
print(*(f"{code} of {one['length']}" for one in message.data["bgp_message"]["optional_parameters"] for code in one["type"]), sep=", ")
END
)
verdict "5 of 6" "5 of 6, 0 of 2" "$seen"
