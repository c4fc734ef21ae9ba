#!/bin/sh
# snmp-native 1.2.0 (npm) writes some negative integers in an octet less than they need, and so as others: -129 as 127, -32769 as 32767.
# An integer has as many octets as its two's complement needs, the first bit of which is the sign (X.690 section 8.3, for SNMP RFC 3417
# section 8).
. "$(dirname "$0")/common"
node_packages snmp-native@1.2.0
seen=$(cd "$folder" && node - << 'END'
const { encodeInteger } = require('snmp-native/lib/asn1ber')
const read = data => data.readIntBE(2, data[1])
console.log([129, -128, -129, -1000, -32769].map(number => `${number}: ${read(encodeInteger(number))}`).join(', '))
END
)
verdict "129: 129, -128: -128, -129: -129, -1000: -1000, -32769: -32769" "129: 129, -128: -128, -129: 127, -1000: -1000, -32769: 32767" "$seen"
