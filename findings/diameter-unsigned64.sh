#!/bin/sh
# diameter 0.7.0 (npm) gives Diameter's Unsigned64 a sign: octet counts from 2 to the power of 63 on are negative, and cannot be written again.
# An Unsigned64 is a number of 64 bits without sign (RFC 6733 section 4.2).
. "$(dirname "$0")/common"
node_packages diameter@0.7.0
seen=$(cd "$folder" && node - 2> /dev/null << 'END'
const types = require('diameter/lib/diameter-types')
const read = types.decode('Unsigned64', Buffer.from('ffffffffffffffff', 'hex'))
let again
try { again = types.encode('Unsigned64', read).toString('hex') } catch { again = 'refused' }
console.log(`${read} ${again}`)
END
)
verdict "18446744073709551615 ffffffffffffffff" "-1 refused" "$seen"
