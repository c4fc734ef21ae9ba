#!/bin/sh
# ntp-packet-parser 0.5.0 (npm) and dpkt 1.9.8 read NTP's precision as a number without sign: 2 to the power of -20 seconds, a microsecond, is
# 2 to that of 236. ntp-packet-parser also makes times of day in the year 1900 of the root's delay and dispersion. ntplib 0.4.0 reads -20.
# Poll and precision are signed exponents (RFC 5905 section 7.3), delay and dispersion lengths of time in the short format (sections 6 and 7.3).
. "$(dirname "$0")/common"
packages dpkt==1.9.8 ntplib==0.4.0
node_packages ntp-packet-parser@0.5.0
cd "$folder"
by_python=$("$python" - << 'END'
import struct
import dpkt.ntp, ntplib
message = struct.pack("!BBBbII4sQQQQ", 0x24, 1, 6, -20, 0x8000, 0x4000, b"GPS\0", 0, 0, 0, 3900000000 << 32)
open("message", "wb").write(message)
other = ntplib.NTPStats()
other.from_data(message)
print(f"ntplib: {other.precision}, dpkt: {dpkt.ntp.NTP(message).precision}")
END
)
by_node=$(node - << 'END'
const read = require('ntp-packet-parser').NtpPacketParser.parse(require('fs').readFileSync('message'))
console.log(`${read.precision}, delay ${read.rootDelay instanceof Date ? read.rootDelay.toISOString() : read.rootDelay}`)
END
)
verdict "ntplib: -20, dpkt: -20, ntp-packet-parser: -20, delay 0.5 s" "ntplib: -20, dpkt: 236, ntp-packet-parser: 236, delay 1900-01-01T00:00:00.500Z" \
    "$by_python, ntp-packet-parser: $by_node"
