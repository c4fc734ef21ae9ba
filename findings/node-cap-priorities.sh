#!/bin/sh
# cap 0.2.1 (npm): the priority of a VLAN's tag is always 0: the octet with it is shifted by 31 bits.
# The first three bits of the tag's control information are the priority (IEEE 802.1Q-2018 section 9.6).
. "$(dirname "$0")/common"
node_packages cap@0.2.1
seen=$(cd "$folder" && node - << 'END'
const { Ethernet } = require('cap/lib/Decoders')
const tagged = first => Buffer.from('020000000002' + '020000000001' + '8100' + first + '64' + '0800', 'hex')
console.log(['00', '60', 'e0'].map(first => Ethernet(tagged(first)).info.vlan.priority).join(' '))
END
)
verdict "0 3 7" "0 0 0" "$seen"
