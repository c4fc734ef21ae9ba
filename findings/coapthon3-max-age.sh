#!/bin/sh
# CoAPthon3 1.0.2 reads a Max-Age of 0, do not use this again, as 60 seconds: an empty value is none for it.
# Only a response without the option is fresh for 60 seconds (RFC 7252 section 5.10.5), and 0 is written as an empty value (section 3.2).
. "$(dirname "$0")/common"
packages CoAPthon3==1.0.2
seen=$("$python" - << 'END'
from coapthon.serializer import Serializer

def read(options):
    return Serializer.deserialize(bytes.fromhex("60450001") + options + b"\xffdata", ("192.0.2.1", 5683)).max_age

print(f"1: {read(bytes.fromhex('d10101'))}, 0: {read(bytes.fromhex('d001'))}, no option: {read(b'')}")
END
)
verdict "1: 1, 0: 0, no option: 60" "1: 1, 0: 60, no option: 60" "$seen"
