#!/bin/sh
# libbgp 0.2.0: of an UPDATE that announces routes and withdraws others, the withdrawals are not written, and nothing is said.
# One message may do both (RFC 4271 section 4.3).
. "$(dirname "$0")/common"
packages libbgp==0.2.0
seen=$(cd "$folder" && "$python" - << 'END'
from libbgp.bgp.update import Update

routes = {"attr": {1: 0, 2: [(2, [64500])], 3: "192.0.2.1"}, "nlri": ["198.51.100.0/24"], "withdraw": ["203.0.113.0/24"]}
written = Update.pack(routes, {"asn4": True}).hex_value
print(int.from_bytes(written[:2], "big"), "octets of withdrawn routes,", written[-4:].hex(" "))
END
)
verdict "4 octets of withdrawn routes, 18 c6 33 64" "0 octets of withdrawn routes, 18 c6 33 64" "$seen"
