#!/bin/sh
# werift-rtp 0.8.9 (npm) puts the 32 bits of an NTP time's fraction, as a decimal number, behind the point: half a second is 0.2147483648 s,
# a quarter 0.1073741824 s, and a second less a quarter 0.3221225472 s.
# The fraction is in units of 2 to the power of -32 s (RFC 3550 section 4, RFC 5905 section 6).
. "$(dirname "$0")/common"
node_packages werift-rtp@0.8.9
seen=$(cd "$folder" && node - << 'END'
const { ntpTime2Sec } = require('werift-rtp')
console.log([0x100000000n, 0x80000000n, 0x40000000n, 0xc0000000n].map(ntpTime2Sec).join(' '))
END
)
verdict "1 0.5 0.25 0.75" "1 0.2147483648 0.1073741824 0.3221225472" "$seen"
