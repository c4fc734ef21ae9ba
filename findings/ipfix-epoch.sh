#!/bin/sh
# ipfix 0.9.7 reads times in micro- and nanoseconds 70 years late.
# Both have NTP's form, whose seconds are counted from 1900 (RFC 7011 sections 6.1.9 and 6.1.10), not from 1970 as those in milliseconds.
. "$(dirname "$0")/common"
packages ipfix==0.9.7
seen=$("$python" - << 'END'
import io
from frames import *
import ipfix.ie
import ipfix.reader

ipfix.ie.use_iana_default()

template = struct.pack("!8H", 256, 3, 152, 8, 154, 8, 156, 8)
ntp = struct.pack("!II", SECOND + 2_208_988_800, 0)
stream = ipfix_message(2, template) + ipfix_message(256, struct.pack("!Q", SECOND * 1000) + ntp + ntp)
(record,) = ipfix.reader.MessageStreamReader(io.BytesIO(stream)).namedict_iterator()
print(*(record[f"flowStart{unit}seconds"].year for unit in ("Milli", "Micro", "Nano")))
END
)
verdict "2023 2023 2023" "2023 2093 2093" "$seen"
