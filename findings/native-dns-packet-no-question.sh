#!/bin/sh
# native-dns-packet 0.1.1 (npm) always reads a question: in a message without one, as each answer of multicast DNS is, it takes the first
# record's name for that, and refuses the rest. dns-packet 5.6.1 (npm) reads it.
# There are as many questions as QDCOUNT says (RFC 1035 section 4.1.1); multicast DNS responses must not have any (RFC 6762 section 6).
. "$(dirname "$0")/common"
node_packages native-dns-packet@0.1.1 dns-packet@5.6.1
seen=$(cd "$folder" && node - 2> /dev/null << 'END'
const message = Buffer.from('0000' + '8400' + '0000' + '0001' + '0000' + '0000' + '0161056c6f63616c00' + '0001' + '8001' + '00000078' +
  '0004' + 'c0000201', 'hex')
const read = parse => { try { return parse(message) } catch { return 'refused' } }
console.log('dns-packet: ' + read(data => require('dns-packet').decode(data).answers[0].data) +
  ', native-dns-packet: ' + read(data => require('native-dns-packet').parse(data).answer[0].address))
END
)
verdict "dns-packet: 192.0.2.1, native-dns-packet: 192.0.2.1" "dns-packet: 192.0.2.1, native-dns-packet: refused" "$seen"
