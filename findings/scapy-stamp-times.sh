#!/bin/sh
# scapy 2.8.0 takes all 64 bits of STAMP's timestamps in the format of PTP for seconds, and cannot print the packet then.
# With Z set in the error estimate they are 32 bits of seconds and 32 of nanoseconds (RFC 8762 section 4.2.1, RFC 8186 section 2.3).
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$("$python" - 2> /dev/null << 'END'
import struct
from scapy.contrib.stamp import STAMPSessionSenderTestUnauthenticated as Sender

def shown(packet):
    try:
        return "printed" if packet.show(dump=True) else ""
    except OverflowError:
        return "not printed"

ntp, ptp = (Sender(struct.pack("!IIIBBH28x", 1, 1_700_000_000 + epoch, fraction, z << 6, 1, 0))
            for epoch, fraction, z in ((2_208_988_800, 1 << 31, 0), (0, 500_000_000, 1)))
print(f"NTP: {shown(ntp)}, PTP: {ptp.ts >> 32} s in the upper half, {shown(ptp)}")
END
)
verdict "NTP: printed, PTP: 1700000000 s in the upper half, printed" "NTP: printed, PTP: 1700000000 s in the upper half, not printed" "$seen"
