#!/bin/sh
# lora-packet 0.9.3 (npm) reads the counter of LoRaWAN's rejoin requests of type 1 from the middle of the device's EUI.
# The counter RJcount1 is behind the EUI, in the octets 19 and 20 of the message, counted from 1 (LoRaWAN 1.1 specification, section 6.2.4.2).
. "$(dirname "$0")/common"
node_packages lora-packet@0.9.3
seen=$(node - << 'END'
const { fromWire } = require('lora-packet')
const shown = data => data.toString('hex')
const read = fromWire(Buffer.from('c0' + '01' + '0807060504030201' + '1817161514131211' + '2120' + '00000000', 'hex'))
console.log(shown(read.JoinEUI), shown(read.DevEUI), shown(read.RJCount1))
END
)
verdict "0102030405060708 1112131415161718 2021" "0102030405060708 1112131415161718 1415" "$seen"
