#!/bin/sh
# cap 0.2.1 (npm) takes the first half of SCTP's verification tag for the checksum, and begins with chunks in the second half: none of
# those that it gives is in the packet.
# The common header has ports, a verification tag of four octets and a checksum of four; chunks follow (RFC 9260 section 3.1), and a
# chunk's length is with its header (section 3.2).
. "$(dirname "$0")/common"
node_packages cap@0.2.1
seen=$(cd "$folder" && node - << 'END'
const { SCTP } = require('cap/lib/Decoders')
const packet = Buffer.from('03e807d0' + '0a0b0c0d' + 'daa98c1d' + '0b000004' + '0400000800010004', 'hex')
const { checksum, chunks } = SCTP(packet, packet.length).info
console.log(`checksum 0x${checksum.toString(16)}, chunks of type ${chunks.map(chunk => chunk.type).join(' ')}`)
END
)
verdict "checksum 0xdaa98c1d, chunks of type 11 4" "checksum 0xa0b, chunks of type 12" "$seen"
