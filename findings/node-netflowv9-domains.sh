#!/bin/sh
# node-netflowv9 0.2.16 (npm) keeps one template a number for all source ids of an exporter: records of one source are read with what
# another one said that they are. Here packets are bytes.
# Template ids are of the observation domain, which the header's Source ID tells (RFC 3954 sections 5.1 and 5.2).
. "$(dirname "$0")/common"
node_packages node-netflowv9@0.2.16
seen=$(cd "$folder" && node - << 'END' 2> /dev/null
const { nf9PktDecode, nfInfoTemplates } = require('node-netflowv9').prototype
const { nfTypes, nfScope } = require('node-netflowv9/js/nf9/nftypes')
const collector = { templates: {}, nfTypes, nfScope, nfInfoTemplates }
const exporter = { address: '192.0.2.1', port: 2055 }
const message = (source, set, ...numbers) => {
  const out = Buffer.alloc(20 + 4 + 4 * numbers.length)
  out.writeUInt16BE(9, 0)
  out.writeUInt16BE(1, 2)
  out.writeUInt32BE(source, 16)
  out.writeUInt16BE(set, 20)
  out.writeUInt16BE(out.length - 20, 22)
  numbers.forEach((number, at) => out.writeUInt32BE(number, 24 + 4 * at))
  return nf9PktDecode.call(collector, out, exporter)
}
const [bytes, packets] = [1, 2].map(field => field * 65536 + 4) // of four octets each
message(1, 0, 256 * 65536 + 2, bytes, packets)
message(2, 0, 256 * 65536 + 2, packets, bytes)
const [flow] = message(1, 256, 1500, 3).flows
console.log(`${flow.in_bytes} bytes in ${flow.in_pkts} packets`)
END
)
verdict "1500 bytes in 3 packets" "3 bytes in 1500 packets" "$seen"
