#!/bin/sh
# pcap-anonymize 0.3.0 gives all packets the time at which it runs; of one of which not all was captured it says that it was as short on
# the wire, and lowers IP's total length to that, too.
# It is to hide addresses and what applications say. Each record has the time at which its packet was captured, and the length that it
# had on the network (draft-ietf-opsawg-pcap section 5).
. "$(dirname "$0")/common"
packages pcap-anonymize==0.3.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
from frames import *
from pcap_anonymize.pcap_anonymize import anonymize_pcap

open("file.pcap", "wb").write(pcap((SECOND, FRAME), (SECOND + 3600, FRAME[:40], len(FRAME))))
anonymize_pcap("file.pcap", "copy.pcap")
data, at, times = open("copy.pcap", "rb").read(), 24, []
while at < len(data):
    seconds, _, captured, size = struct.unpack_from("<IIII", data, at)
    times.append(seconds)
    total = struct.unpack_from("!H", data, at + 16 + 16)[0]
    at += 16 + captured
print(f"{(times[1] - times[0]) // 60} min apart, {'now' if times[0] > SECOND + 10**7 else 'then'}; {size} bytes on the wire, total length {total}")
END
)
verdict "60 min apart, then; 47 bytes on the wire, total length 33" "0 min apart, now; 40 bytes on the wire, total length 26" "$seen"
