#!/bin/sh
# dnslib 0.9.26: a quote in a TXT record is printed as it is, so that its own reader of zone files finds another text.
# In a text a quote is written with a backslash in front (RFC 1035 section 5.1).
. "$(dirname "$0")/common"
packages dnslib==0.9.26
seen=$("$python" - << 'END'
import struct
from dnslib import RR, DNSRecord
text = b'a" "b'
answer = struct.pack("!6H", 1, 0x8000, 0, 1, 0, 0) + b"\1x\0" + struct.pack("!HHIHB", 16, 1, 5, len(text) + 1, len(text)) + text
record = DNSRecord.parse(answer).rr[0]
print(record.rdata, "is read as", len(RR.fromZone(str(record))[0].rdata.data), "strings")
END
)
verdict '"a\" \"b" is read as 1 strings' '"a" "b" is read as 2 strings' "$seen"
