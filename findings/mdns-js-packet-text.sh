#!/bin/sh
# mdns-js-packet 0.2.0 (npm) writes strings of TXT records as names: at each dot a new string begins.
# A string is one length octet and that many octets, dots as any other (RFC 1035 section 3.3, RFC 6763 section 6.3).
. "$(dirname "$0")/common"
node_packages mdns-js-packet@0.2.0
seen=$(cd "$folder" && node - 2> /dev/null << 'END'
const { DNSPacket, DNSRecord } = require('mdns-js-packet')
const packet = new DNSPacket()
packet.answer.push(Object.assign(new DNSRecord('a.test', DNSRecord.Type.TXT, DNSRecord.Class.IN, 60), { data: { path: '/v1.2/x' } }))
const text = DNSPacket.toBuffer(packet).subarray(12 + 8 + 10)
for (var strings = [], at = 0; at < text.length; at += 1 + text[at]) strings.push(text.toString('latin1', at + 1, at + 1 + text[at]))
console.log(strings.join(' | '))
END
)
verdict "path=/v1.2/x" "path=/v1 | 2/x" "$seen"
