#!/bin/sh
# asn1-ber 1.2.2 (npm), which net-snmp reads packets with: object identifiers under 2 are read as others from 2.40 on, 2.49 as 3.9.
# The first two numbers are one, 40 times the first plus the second; the first is 0, 1 or 2, and only under 0 and 1 is the second below 40
# (X.690 section 8.19.4).
. "$(dirname "$0")/common"
node_packages asn1-ber@1.2.2
seen=$(cd "$folder" && node - << 'END'
const { BerReader } = require('asn1-ber')
const read = (...octets) => new BerReader(Buffer.from([6, octets.length, ...octets])).readOID()
console.log(read(0x55, 4, 3), read(0x81, 0x01, 0), read(0x88, 0x37, 3))
END
)
verdict "2.5.4.3 2.49.0 2.999.3" "2.5.4.3 3.9.0 26.39.3" "$seen"
