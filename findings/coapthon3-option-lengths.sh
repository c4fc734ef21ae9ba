#!/bin/sh
# CoAPthon3 1.0.2 counts an option's characters for its length, and writes its octets: behind a letter of two octets the next option begins
# an octet early, and is another one. tshark 4.0.17 reads it so, one option of 4.
# The length is that of the value in octets (RFC 7252 section 3.1), which is text in UTF-8 (section 3.2).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages CoAPthon3==1.0.2
cd "$folder"
made=$("$python" - << 'END'
from frames import *
from coapthon.messages.request import Request
from coapthon.serializer import Serializer

request = Request()
request.type, request.code, request.mid, request.uri_path = 0, 1, 1, "caf\N{LATIN SMALL LETTER E WITH ACUTE}/menu"
message = bytes(Serializer.serialize(request).raw)
datagram = struct.pack("!HHHH", 1000, 5683, 8 + len(message), 0) + message
ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, FRAME[26:34])
open("file", "wb").write(pcap((SECOND, FRAME[:14] + ip[:10] + struct.pack("!H", internet(ip)) + ip[12:] + datagram)))
print(message[4:].hex(" "))
END
)
by_tshark=$(tshark -r file -T fields -e coap.opt.length 2> /dev/null)
verdict "b5 63 61 66 c3 a9 04 6d 65 6e 75, read as options of 5,4" "b4 63 61 66 c3 a9 04 6d 65 6e 75, read as options of 4" \
    "$made, read as options of $by_tshark"
