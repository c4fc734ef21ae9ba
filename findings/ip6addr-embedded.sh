#!/bin/sh
# ip6addr 0.2.5 (npm) refuses IPv6 addresses that end as an IPv4 address does, but for those mapped (::ffff:192.0.2.1), and it writes :: for
# a single group of zeros.
# The last 32 bits of any address may be written so (RFC 4291 section 2.2, form 3), as those of NAT64 are (RFC 6052 section 2.4);
# :: must not stand for one group alone (RFC 5952 section 4.2.2).
. "$(dirname "$0")/common"
node_packages ip6addr@0.2.5
seen=$(cd "$folder" && node - << 'END'
const { parse } = require('ip6addr')
const read = text => { try { return parse(text).toString() } catch { return 'refused' } }
console.log(['::ffff:192.0.2.1', '64:ff9b::192.0.2.33', '2001:db8:0:1:1:1:1:1'].map(read).join(' '))
END
)
verdict "::ffff:192.0.2.1 64:ff9b::c000:221 2001:db8:0:1:1:1:1:1" "::ffff:192.0.2.1 refused 2001:db8::1:1:1:1:1" "$seen"
