#!/bin/sh
# dnslib 0.9.26: an answer with BADVERS is printed as NOERROR.
# With EDNS a response code has 12 bits, the upper eight of them in the OPT record (RFC 6891 section 6.1.3); 16 is BADVERS (section 9).
. "$(dirname "$0")/common"
packages dnslib==0.9.26
seen=$("$python" - << 'END'
import re
import struct
from dnslib import DNSRecord
answer = struct.pack("!6H", 1, 0x8000, 0, 0, 0, 1) + b"\0" + struct.pack("!HHBBHH", 41, 1232, 1, 0, 0, 0)
print(re.search("status: ([A-Z]+)", str(DNSRecord.parse(answer)))[1])
END
)
verdict "BADVERS" "NOERROR" "$seen"
