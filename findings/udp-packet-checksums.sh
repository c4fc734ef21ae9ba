#!/bin/sh
# udp-packet 2.0.0 (npm) writes a checksum of ffff, which the receiver checks, where it is given no addresses to compute one with, and 0,
# which says that there is none, where that is what comes out.
# It is the other way round: no checksum is 0, and one that comes out as 0 is written as ffff (RFC 768).
. "$(dirname "$0")/common"
node_packages udp-packet@2.0.0
seen=$(cd "$folder" && node - 2> /dev/null << 'END'
const { encode } = require('udp-packet')
const addresses = { sourceIp: '192.0.2.1', destinationIp: '192.0.2.2' }
const datagram = data => ({ sourcePort: 1000, destinationPort: 2000, data: Buffer.from(data, 'hex') })
const sum = packet => encode(packet).toString('hex', 6, 8)
const rest = sum({ ...datagram('0000'), ...addresses })  // as data it completes the sum to ffff
console.log(`without addresses ${sum(datagram('0000'))}, with ${rest}; where 0 comes out ${sum({ ...datagram(rest), ...addresses })}`)
END
)
verdict "without addresses 0000, with 701e; where 0 comes out ffff" "without addresses ffff, with 701e; where 0 comes out 0000" "$seen"
