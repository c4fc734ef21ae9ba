#!/bin/sh
# dpkt 1.9.8: pcapng.Reader gives times as floats, which have no room for nanoseconds of our days: another packet's time.
# if_tsresol 9 is nanoseconds, and times have 64 bits (draft-ietf-opsawg-pcapng sections 4.2 and 4.3).
. "$(dirname "$0")/common"
packages dpkt==1.9.8
seen=$("$python" - << 'END'
import io
import dpkt
from frames import *
raw = section() + interface((9, b"\x09")) + enhanced(SECOND * 10**9 + 123456789) + enhanced(SECOND * 10**9 + 123456790)
first, second = (time for time, _ in dpkt.pcapng.Reader(io.BytesIO(raw)))
print(f"{first:.9f}, and {'the same' if first == second else 'another'} a nanosecond later")
END
)
verdict "1700000000.123456789, and another a nanosecond later" "1700000000.123456717, and the same a nanosecond later" "$seen"
