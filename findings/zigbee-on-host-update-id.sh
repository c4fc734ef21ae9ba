#!/bin/sh
# zigbee-on-host 0.3.0 (npm) reads a Zigbee beacon's update id as 0, whatever it is. tshark 4.0.17 reads it right.
# The update id is the last octet of the beacon's payload, behind three of the transmission's offset (Zigbee specification 05-3474-23,
# section 3.6.7).
. "$(dirname "$0")/common"
node_packages zigbee-on-host@0.3.0
tool tshark 4.0.17
cd "$folder"
beacon=002284efcdab8967452301ffffff2a
node=$(node - << END
const { decodeMACZigbeeBeacon } = require('zigbee-on-host/dist/zigbee/mac.js')
const beacon = decodeMACZigbeeBeacon(Buffer.from('$beacon', 'hex'), 0)
console.log(beacon.txOffset.toString(16), beacon.updateId)
END
)
python3 - $beacon << 'END'
import sys
from frames import *
frame = bytes.fromhex("0080 01 3412 0000 ffcf 00 00") + bytes.fromhex(sys.argv[1])
open("file", "wb").write(pcap((SECOND, frame))[:20] + struct.pack("<I", 230) + pcap((SECOND, frame))[24:])
END
tshark=$(tshark -r file -T fields -e zbee_beacon.tx_offset -e zbee_beacon.update_id 2> log | tr '\t' ' ')
verdict "ffffff 42; 16777215 42" "ffffff 0; 16777215 42" "$node; $tshark"
