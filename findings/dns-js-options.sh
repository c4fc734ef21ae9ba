#!/bin/sh
# dns-js 0.3.1 (npm) reads one option of EDNS, whatever the record's length says: a second one is read as the next message, and
# where there is no option, but a record behind it, four bytes of that record are taken for one. Both messages are refused so.
# The options are as many as RDLEN has room for, also none (RFC 6891 section 6.1.2), and the OPT record may stand anywhere in the
# additional section (section 6.1.1).
. "$(dirname "$0")/common"
node_packages dns-js@0.3.1
seen=$(cd "$folder" && node - 2> /dev/null << 'END'
const { DNSPacket } = require('dns-js')
const cookie = '000a' + '0008' + '0102030405060708'
const record = options => '00' + '0029' + '04d0' + '00000000' + (options.length / 2).toString(16).padStart(4, '0') + options
const address = '016200' + '0001' + '0001' + '0000003c' + '0004' + 'c0000201'
const read = (count, additional) => {
  const message = '1234' + '0100' + '0001' + '0000' + '0000' + `000${count}` + '01610474657374000001' + '0001' + additional
  try {
    const { additional } = DNSPacket.parse(Buffer.from(message, 'hex'))
    return `${additional.length} records`
  } catch { return 'refused' }
}
console.log(`one option: ${read(1, record(cookie))}, two: ${read(1, record(cookie + cookie))}, none: ${read(2, record('') + address)}`)
END
)
verdict "one option: 1 records, two: 1 records, none: 2 records" "one option: 1 records, two: refused, none: refused" "$seen"
