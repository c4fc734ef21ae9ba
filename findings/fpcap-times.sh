#!/bin/sh
# fpcap 0.2.0 reads packets of a second section of pcapng with the interfaces of the first one: here their milliseconds as nanoseconds,
# which makes them of 1970. And where an interface counts nanoseconds, they are what it calls microseconds, without a division.
# Interfaces are numbered anew, and are of their section alone (draft-ietf-opsawg-pcapng sections 4.1 and 4.2); if_tsresol is the negative
# power of 10 or 2 in which times are counted (section 4.2).
. "$(dirname "$0")/common"
packages fpcap==0.2.0
seen=$(cd "$folder" && "$python" - << 'END'
from frames import *
from fpcap import PacketReader

nanoseconds = section() + interface((9, b"\x09")) + enhanced(SECOND * 10**9 + 750_000_000)
milliseconds = section() + interface((9, b"\x03")) + enhanced(SECOND * 10**3 + 750)
open("file.pcapng", "wb").write(nanoseconds + milliseconds)
print(*(f"{packet.timestamp_seconds} s {packet.timestamp_microseconds} us" for packet in PacketReader("file.pcapng")), sep=", ")
END
)
verdict "1700000000 s 750000 us, 1700000000 s 750000 us" "1700000000 s 750000000 us, 1700 s 750 us" "$seen"
