#!/bin/sh
# node-bacnet 0.2.4 (npm) counts the months of BACnet's dates from 0: it reads each date one month late, and writes it one month early, so
# that January is written as month 0, which there is not. @bacnet-js/client 3.3.2 reads and writes them right.
# Month 1 is January, 12 is December (ANSI/ASHRAE 135-2016 section 20.2.12).
. "$(dirname "$0")/common"
node_packages node-bacnet@0.2.4 @bacnet-js/client@3.3.2
cat > "$folder/dates.js" << 'END'
const codec = require(process.argv[2])
const day = date => [date.getFullYear(), date.getMonth() + 1, date.getDate()].join('-')
const buffer = { buffer: Buffer.alloc(4), offset: 0 }
codec.encodeBacnetDate(buffer, new Date(2024, 0, 15))
console.log(day(codec.decodeDate(Buffer.from([124, 1, 15, 1]), 0).value), 'and', buffer.buffer.toString('hex'))
END
seen=$(for file in node-bacnet/lib/asn1.js @bacnet-js/client/dist/lib/asn1.js; do node "$folder/dates.js" "$NODE_PATH/$file"; done)
verdict "2024-1-15 and 7c010f01
2024-1-15 and 7c010f01" "2024-2-15 and 7c000f01
2024-1-15 and 7c010f01" "$seen"
