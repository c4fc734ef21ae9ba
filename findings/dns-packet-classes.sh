#!/bin/sh
# dns-packet 5.6.1 (npm) does not know class NONE, and writes class 0 for it: an UPDATE that is read and written again does no
# longer delete the records that it was to.
# Class 254 is NONE, and deletes one record (RFC 2136 sections 1.3 and 2.5.4).
. "$(dirname "$0")/common"
node_packages dns-packet@5.6.1
seen=$(cd "$folder" && node - << 'END'
const { decode, encode } = require('dns-packet')
const update = Buffer.from(
  '000128000001000000010000' + '076578616d706c6500' + '00060001' + // zone: example
  '0161c00c' + '0001' + '00fe' + '00000000' + '0004' + 'c0000201', 'hex') // delete a.example 192.0.2.1
const again = encode(decode(update))
const record = again.indexOf(Buffer.from([0, 0, 0, 0, 0, 4, 192, 0, 2, 1]))
console.log(decode(update).authorities[0].class, again.readUInt16BE(record - 2))
END
)
verdict "NONE 254" "UNKNOWN_254 0" "$seen"
