#!/bin/sh
# scapy 2.8.0: a CONNECT of MQTT 5, its default, has no properties: their length is read as the first half of the client id's, so that
# the id is empty and without what follows; and what it writes no broker can read.
# The properties, with their length first, end the variable header, also where there are none (MQTT 5.0 section 3.1.2.11).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$(cd "$folder" && "$python" - 2> /dev/null << 'END'
import struct
from scapy.contrib.mqtt import MQTT, MQTTConnect

body = struct.pack("!H4sBBHB", 4, b"MQTT", 5, 2, 60, 0) + struct.pack("!H5s", 5, b"meter")
read = MQTT(bytes([0x10, len(body)]) + body)[MQTTConnect]
written = bytes(MQTTConnect(protoname="MQTT", clientId="meter", cleansess=1, klive=60))
print(f"v5 is {read.protolevel}, id {read.clientId.decode() or 'empty'}; {len(written)} octets of {len(body)} written")
END
)
verdict "v5 is 5, id meter; 18 octets of 18 written" "v5 is 5, id empty; 17 octets of 18 written" "$seen"
