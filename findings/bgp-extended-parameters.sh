#!/bin/sh
# tshark 4.0.17, tcpdump 4.99.3 and scapy 2.8.0 read the parameters of an OPEN in the extended form of 2021 as in the old one: they find no
# capability, but parameters of kinds that there are not, and tshark a malformed message.
# Where the first parameter's kind is 255, a length of two octets follows, and each parameter has such a one (RFC 9072 section 2).
. "$(dirname "$0")/common"
tool tshark 4.0.17
tool tcpdump 4.99.3
packages scapy==2.8.0
cd "$folder"
by_scapy=$("$python" - 2> /dev/null << 'END'
from frames import *
capability = struct.pack("!BBI", 65, 4, 64500)  # AS numbers of four octets
head = struct.pack("!BHH4s", 4, 64500, 180, bytes([192, 0, 2, 1]))
old = bgp(1, head + struct.pack("!BBB", 8, 2, 6) + capability)
new = bgp(1, head + struct.pack("!BBHBH", 255, 255, 9, 2, 6) + capability)
for name, message in ("old", old), ("new", new):
    frame = segment("PA", 1, message)
    open(name, "wb").write(pcap((SECOND, frame[:34] + struct.pack("!HH", 1000, 179) + frame[38:])))
from scapy.contrib.bgp import BGPHeader, BGPOpen
for message in old, new:
    print(*(parameter.param_type for parameter in BGPHeader(message)[BGPOpen].opt_params), end="; ")
END
)
by_tshark() { tshark -r "$1" -T fields -e bgp.open.opt.param.type 2> /dev/null; }
by_tcpdump() { tcpdump -vv -n -r "$1" 2> /dev/null | grep -oE 'Option [^(]*\([0-9]+\)' | grep -oE '[0-9]+' | paste -sd ' '; }
verdict "old, new form: scapy 2; 2; tshark 2; 2; tcpdump 2; 2" \
    "old, new form: scapy 2; 255 9 65; tshark 2; 255,9,0,65,0,251; tcpdump 2; 255 9 65" \
    "old, new form: scapy ${by_scapy}tshark $(by_tshark old); $(by_tshark new); tcpdump $(by_tcpdump old); $(by_tcpdump new)"
