#!/bin/sh
# ntplib 0.4.0: times of a server's answer from February 2036 on are of 1900, and a clock that was never set was so on its first day.
# A time whose first bit is 0 is of 2036 to 2104 (RFC 4330 section 3); 0 is none at all (RFC 5905 section 6).
. "$(dirname "$0")/common"
packages ntplib==0.4.0
seen=$("$python" - << 'END'
import struct
from datetime import datetime, timedelta
import ntplib
answer = ntplib.NTPStats()
answer.from_data(struct.pack("!BBBbIIIQQQQ", 0x24, 1, 6, -20, 0, 0, 0x47505300, 0, 20 << 32, 30 << 32, 40 << 32))
sent, reference = (datetime(1970, 1, 1) + timedelta(seconds=time) for time in (answer.tx_time, answer.ref_time))
print(f"sent {sent}, set {reference}")
END
)
verdict "sent 2036-02-07 06:28:56, set: not known" "sent 1900-01-01 00:00:40, set 1900-01-01 00:00:00" "$seen"
