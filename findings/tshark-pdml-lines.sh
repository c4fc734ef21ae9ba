#!/bin/sh
# tshark 4.0.17 writes line feeds and tabs of a field as they are into the attributes of PDML: whoever reads it has spaces.
# In attributes they are read as spaces, unless they are written as &#10; and &#9; (XML 1.0 section 3.3.3).
. "$(dirname "$0")/common"
tool tshark 4.0.17
cd "$folder"
seen=$(python3 - << 'END'
import subprocess
import xml.etree.ElementTree as xml
from frames import *
text = b"a\nb\tc"
answer = struct.pack("!HHIHB", 16, 1, 60, 1 + len(text), len(text)) + text
message = struct.pack("!HHHHHH", 1, 0x8400, 0, 1, 0, 0) + b"\1a\0" + answer
open("file", "wb").write(pcap((SECOND, datagram(1000, message, sent=53))))
pdml = subprocess.run(["tshark", "-nr", "file", "-T", "pdml"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
print(next(repr(one.get("show")) for one in xml.fromstring(pdml).iter("field") if one.get("name") == "dns.txt"))
END
)
verdict "'a\\nb\\tc'" "'a b c'" "$seen"
