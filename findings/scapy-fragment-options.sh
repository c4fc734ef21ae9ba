#!/bin/sh
# scapy 2.8.0: fragment() puts every IP option into every fragment, Record Route as well.
# Only options with the copied flag are in the later ones; Record Route has none, and "goes in first fragment only"
# (RFC 791 section 3.1, Record Route).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert, IPOption_RR, fragment
from scapy.packet import Raw
options = [IPOption_RR(routers=["0.0.0.0"]), IPOption_Router_Alert()]
whole = IP(src="192.0.2.1", dst="192.0.2.2", id=1, options=options) / UDP(sport=1000, dport=2000) / Raw(bytes(64))
pieces = [IP(bytes(piece)) for piece in fragment(whole, 40)]
assert [piece.frag for piece in pieces] == [0, 5]
print("; ".join(" ".join(str(option.copy_flag << 7 | option.option) for option in piece.options if option.option) for piece in pieces))
END
)
verdict "7 148; 148" "7 148; 7 148" "$seen"
