#!/bin/sh
# python-diameter 0.9.0 has the times of Diameter an hour early from 7 February 2036 on, where their seconds begin at 0 again, and writes those
# of the hour before as times behind it.
# 0 is 06:28:16 UTC on that day then (RFC 6733 section 4.3.1, by the rules of RFC 5905 section 6 for its 32 bits of seconds: an era has 2^32 of
# them, from 1900 on).
. "$(dirname "$0")/common"
packages python-diameter==0.9.0
seen=$(cd "$folder" && "$python" - << 'END'
from datetime import datetime
from diameter.message.avp import AvpTime

time = AvpTime(55)
time.payload = bytes(4)
print("0 is", time.value)
time.value = datetime(2036, 2, 7, 6, 28, 14)
print("two seconds before it is", time.payload.hex())
END
)
verdict "0 is 2036-02-07 06:28:16
two seconds before it is fffffffe" "0 is 2036-02-07 05:28:16
two seconds before it is 00000e0e" "$seen"
