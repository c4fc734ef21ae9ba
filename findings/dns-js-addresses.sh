#!/bin/sh
# dns-js 0.3.1 (npm) writes records of type AAAA and MX without their data: the length is 0, and nothing is said.
# The data of AAAA is an address of 128 bits (RFC 3596 section 2.2), that of MX a preference and a name (RFC 1035 section 3.3.9).
. "$(dirname "$0")/common"
node_packages dns-js@0.3.1
seen=$(cd "$folder" && node - 2> /dev/null << 'END'
const { DNSPacket, DNSRecord } = require('dns-js')
const size = (type, data) => {
  const packet = new DNSPacket()
  packet.answer.push(Object.assign(new DNSRecord('a.test', DNSRecord.Type[type], DNSRecord.Class.IN, 60), data))
  return `${type}: ${DNSPacket.toBuffer(packet).readUInt16BE(12 + 8 + 8)}`
}
console.log([size('A', { address: '192.0.2.1' }), size('AAAA', { address: '2001:db8:0:0:0:0:0:1' }),
  size('MX', { priority: 10, exchange: 'b.test' })].join(', '))
END
)
verdict "A: 4, AAAA: 16, MX: at least 4" "A: 4, AAAA: 0, MX: 0" "$seen"
