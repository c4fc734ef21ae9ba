#!/bin/sh
# stun 2.1.0 (npm) multiplies the class of an error with all that it should add to its hundreds: it reads the error 401, Unauthenticated, as 404.
# The class is the hundreds digit of the code, and the number is the code modulo 100 (RFC 8489 section 14.8).
. "$(dirname "$0")/common"
node_packages stun@2.1.0
seen=$(cd "$folder" && node - << 'END'
const { decode } = require('stun')
const read = (group, number) => {
  const message = Buffer.from('0111000c2112a442' + '0102030405060708090a0b0c' + '00090008' + '00000000' + '41414141', 'hex')
  message[26] = group
  message[27] = number
  return decode(message).getAttribute(0x0009).value.code
}
console.log(read(3, 0), read(4, 0), read(4, 1), read(4, 20), read(4, 38), read(5, 0))
END
)
verdict "300 400 401 420 438 500" "300 400 404 480 552 500" "$seen"
