#!/bin/sh
# mqtt-packet 9.0.2 (npm) puts user properties of MQTT 5 with the same name next to each other: read and written again, a message has them
# in another order.
# Their order is to be kept when a message is passed on (MQTT 5.0 section 3.3.2.3.7).
. "$(dirname "$0")/common"
node_packages mqtt-packet@9.0.2
seen=$(cd "$folder" && node - << 'END'
const mqtt = require('mqtt-packet')
const text = string => Buffer.from([0, string.length, ...Buffer.from(string)])
const counted = (...parts) => { const body = Buffer.concat(parts); return Buffer.concat([Buffer.from([body.length]), body]) }
const properties = ['b1', 'a2', 'b3'].map(([name, value]) => Buffer.concat([Buffer.from([0x26]), text(name), text(value)]))
const message = Buffer.concat([Buffer.from([0x30]), counted(text('topic'), counted(...properties))])
const parser = mqtt.parser({ protocolVersion: 5 })
parser.on('packet', packet => {
  const again = mqtt.generate(packet, { protocolVersion: 5 }).toString('latin1')
  console.log([...again.matchAll(/&\0\x01(.)\0\x01(.)/g)].map(found => found[1] + found[2]).join(' '))
})
parser.parse(message)
END
)
verdict "b1 a2 b3" "b1 b3 a2" "$seen"
