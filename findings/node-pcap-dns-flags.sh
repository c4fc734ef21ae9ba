#!/bin/sh
# pcap 3.1.0 (npm) reads no flag and no code of a DNS message: all are queries without an error, answers that a name does not exist, too.
# The first bit of the flags says whether a message is a query or a response, the last four are the response code (RFC 1035 section
# 4.1.1).
. "$(dirname "$0")/common"
node_packages pcap@3.1.0
seen=$(cd "$folder" && node - << 'END'
const DNS = require('pcap/decode/dns')
const message = Buffer.from('000185830001000000000000' + '076578616d706c6500' + '00010001', 'hex')
const { header, question } = new DNS().decode(message, 0)
console.log(`${question.rrs[0].name}: ${header.isResponse ? 'response' : 'query'}, code ${header.responseCode}`)
END
)
verdict "example: response, code 3" "example: query, code 0" "$seen"
