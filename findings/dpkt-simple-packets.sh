#!/bin/sh
# dpkt 1.9.8: pcapng.Reader passes over simple packet blocks, without an error or a count.
# They are packets as any other (draft-ietf-opsawg-pcapng section 4.4).
. "$(dirname "$0")/common"
packages dpkt==1.9.8
seen=$("$python" - << 'END'
import io
import dpkt
from frames import *
raw = section() + interface() + simple() + enhanced(SECOND * 10**6) + simple()
print(len(list(dpkt.pcapng.Reader(io.BytesIO(raw)))), "of 3 packets")
END
)
verdict "3 of 3 packets" "1 of 3 packets" "$seen"
