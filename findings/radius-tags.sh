#!/bin/sh
# radius 1.1.4 (npm) puts the second one of several attributes with tags behind the value of the first one, instead of beside it: the first
# tunnel's type is a list then, whose third element is the second tunnel's.
# Attributes of the same kind for several tunnels are told apart by their tags (RFC 2868 sections 3 and 3.1); where there are several without
# tags the package gives a list of them.
. "$(dirname "$0")/common"
node_packages radius@1.1.4
seen=$(cd "$folder" && node --no-deprecation - << 'END'
const radius = require('radius')
const read = attributes => {
  const packet = Buffer.from('0201' + (20 + attributes.length / 2).toString(16).padStart(4, '0') + '00'.repeat(16) + attributes, 'hex')
  return JSON.stringify(Object.values(radius.decode({ packet, no_secret: true }).attributes)[0])
}
console.log(read('0806c0000201' + '0806c0000202'), read('5105013130' + '5105023230'))
END
)
verdict '["192.0.2.1","192.0.2.2"] [[1,"10"],[2,"20"]]' '["192.0.2.1","192.0.2.2"] [1,"10",[2,"20"]]' "$seen"
