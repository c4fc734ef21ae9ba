#!/bin/sh
# pyasn1 0.6.5 reads BER's NOT-A-NUMBER as infinity, and minus zero as minus infinity.
# Special values of REAL have the contents octet 40 for plus infinity, 41 for minus infinity, 42 for NOT-A-NUMBER and 43 for minus zero
# (X.690, 2008 and later, section 8.5.9).
. "$(dirname "$0")/common"
packages pyasn1==0.6.5
seen=$("$python" - << 'END'
from pyasn1.codec.ber import decoder
for content in range(0x40, 0x44):
    value, rest = decoder.decode(bytes([9, 1, content]))
    print(float(value))
END
)
verdict "inf -inf nan -0.0" "inf -inf inf -inf" "$(echo $seen)"
