#!/bin/sh
# editcap (Wireshark) 4.0.17 writes the option epb_verdict of a packet under the number of epb_queue, and then refuses to read it.
# epb_verdict is 7, epb_queue 6 and always of 4 octets (draft-ietf-opsawg-pcapng section 4.3).
. "$(dirname "$0")/common"
tool editcap 4.0.17
cd "$folder"
python3 - << 'END'
from frames import *
verdict = b"\1" + struct.pack("<Q", 2)  # type 1: by eBPF TC; TC_ACT_SHOT
open("file", "wb").write(section() + interface() + enhanced(SECOND * 10**6, (7, verdict)))
END
editcap file copy 2> /dev/null
option=$(python3 - << 'END'
import struct
raw = open("copy", "rb").read()
place = raw.rindex(b"\x09\0\1\2") - 2
print(struct.unpack_from("<H", raw, place)[0])
END
)
again=$(editcap copy again 2>&1 | grep -o 'option length 9 is not 4' || echo read)
verdict "option 7, read again: read" "option 6, read again: option length 9 is not 4" "option $option, read again: $again"
