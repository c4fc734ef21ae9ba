#!/bin/sh
# pcap 3.1.0 (npm) counts the Ethernet header as data of TCP over IPv6: an acknowledgement without data has 14 octets of them, where as a
# packet of IPv4 it has none.
# What follows the IPv6 header is as long as its Payload Length says (RFC 8200 section 3).
. "$(dirname "$0")/common"
node_packages pcap@3.1.0
cd "$folder"
python3 - << 'END'
from frames import *

four = segment("A", 1000)
source, target = bytes.fromhex("20010db8" + 22 * "0" + "01"), bytes.fromhex("20010db8" + 22 * "0" + "02")
tcp = four[34:50] + bytes(2) + four[52:]
tcp = tcp[:16] + struct.pack("!H", internet(source + target + struct.pack("!II", 20, 6) + tcp)) + tcp[18:]
open("4", "wb").write(four)
open("6", "wb").write(four[:12] + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, 20, 6, 64) + source + target + tcp)
END
seen=$(node - << 'END'
const Ethernet = require('pcap/decode/ethernet_packet')
const read = name => new Ethernet().decode(require('fs').readFileSync(name), 0).payload.payload.dataLength
console.log(`IPv4 ${read('4')}, IPv6 ${read('6')}`)
END
)
verdict "IPv4 0, IPv6 0" "IPv4 0, IPv6 14" "$seen"
