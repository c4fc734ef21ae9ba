#!/bin/sh
# mrtparse 2.2.0 takes all 24 bits of a label of MPLS in a route for the label.
# Its first 20 bits are; 3 bits and the bottom of the stack follow (RFC 8277 section 2.2).
. "$(dirname "$0")/common"
packages mrtparse==2.2.0
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
import mrtparse

label = struct.pack("!I", 100 << 4 | 1)[1:]
open("file", "wb").write(mrt(vpn_route(label, struct.pack("!HHI", 0, 64500, 1))))
(message,) = mrtparse.Reader("file")
(route,) = message.data["bgp_message"]["path_attributes"][-1]["value"]["nlri"]
print("labels", *route["label"])
END
)
verdict "labels 100" "labels 1601" "$seen"
