#!/bin/sh
# dhcp 0.2.20 (npm) reads the classless routes of option 121 as a list of addresses, and writes them so, too: a route to 198.51.100.0/24 by
# 192.0.2.1 is read as the addresses 24.198.51.100 and 192.0.2.1. It has a name for the option and this type.
# A route is the width of its destination, the destination's significant octets alone, and the router (RFC 3442, section on the option's
# format).
. "$(dirname "$0")/common"
node_packages dhcp@0.2.20
seen=$(cd "$folder" && node - << 'END'
const { parse } = require('dhcp/lib/protocol.js')
const message = Buffer.alloc(240)
message.write('02010600', 'hex')
message.write('63825363', 236, 'hex')
const route = Buffer.from('7908' + '18c63364' + 'c0000201' + 'ff', 'hex')
console.log(parse(Buffer.concat([message, route])).options[121].join(' '))
END
)
verdict "198.51.100.0/24 by 192.0.2.1" "24.198.51.100 192.0.2.1" "$seen"
