#!/bin/sh
# rtp-parser 1.0.0 (npm) reads the contributing sources of a packet three octets early, from the synchronization source on.
# They follow the 12 octets of the fixed header (RFC 3550 section 5.1).
. "$(dirname "$0")/common"
node_packages rtp-parser@1.0.0
seen=$(cd "$folder" && node - << 'END'
const { parseRtpPacket } = require('rtp-parser')
const words = [0x82600001, 160, 0x0A0B0C0D, 0x11111111, 0x22222222]
const packet = Buffer.alloc(4 * words.length)
words.forEach((word, at) => packet.writeUInt32BE(word, 4 * at))
console.log(parseRtpPacket(packet).csrc.map(source => '0x' + source.toString(16).padStart(8, '0')).join(' '))
END
)
verdict "0x11111111 0x22222222" "0x0b0c0d11 0x11111122" "$seen"
