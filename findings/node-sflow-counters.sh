#!/bin/sh
# node-sflow 0.0.3 (npm) passes over one counter of an interface, multicast packets sent: what it gives as packets discarded are
# broadcasts, as errors the discarded ones, and as promiscuous mode the errors.
# if_counters has ifOutMulticastPkts between ifOutUcastPkts and ifOutBroadcastPkts (sFlow version 5, section 5, Generic Interface
# Counters).
. "$(dirname "$0")/common"
node_packages node-sflow@0.0.3
seen=$(cd "$folder" && node - << 'END'
const Packet = require('node-sflow/lib/packet')
const words = (...numbers) => {
  const out = Buffer.alloc(4 * numbers.length)
  numbers.forEach((number, at) => out.writeUInt32BE(number, 4 * at))
  return out
}
const counted = (...parts) => { const body = Buffer.concat(parts); return Buffer.concat([words(body.length), body]) }
const sent = [21, 22, 23, 24, 25] // unicast, multicast, broadcast, discarded, errors
const interface = words(3, 6, 1e9, 1, 3, 0, 1000, 11, 12, 13, 14, 15, 16, 0, 2000, ...sent, 2)
const sample = counted(words(1, 3, 1), words(1), counted(interface))
new Packet(Buffer.concat([words(5, 1, 0xC0000201, 0, 1, 1000, 1), words(2), sample])).on('flow', flow => {
  const all = flow.counters[0]
  console.log(`${all.ifOutBroadcastPkts} broadcast, ${all.ifOutDiscards} discarded, ${all.ifOutErrors} errors`)
})
END
)
verdict "23 broadcast, 24 discarded, 25 errors" "22 broadcast, 23 discarded, 24 errors" "$seen"
