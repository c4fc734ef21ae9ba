#!/bin/sh
# werift-rtp 0.8.9 (npm) reads the number of packets lost in RTCP's reports without its sign: one packet that came twice is 16777215 lost.
# It may be negative, where duplicates have come (RFC 3550 section 6.4.1), and has a sign in its 24 bits (section A.3).
. "$(dirname "$0")/common"
node_packages werift-rtp@0.8.9
seen=$(cd "$folder" && node - << 'END'
const { RtcpPacketConverter } = require('werift-rtp')
const report = '00000002' + '00' + 'ffffff' + '00000001' + '00000002' + '00000003' + '00000004'
console.log(RtcpPacketConverter.deSerialize(Buffer.from('81c90007' + '00000001' + report, 'hex'))[0].reports[0].packetsLost)
END
)
verdict "-1" "16777215" "$seen"
