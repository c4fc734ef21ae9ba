#!/bin/sh
# os-ken 4.2.2 writes the times of a spanning tree's BPDU in whole seconds, rounded down: of a message age of half a second there is none. It
# takes such an age, and reads it out of others' BPDUs.
# The four times are in units of 1/256 of a second (IEEE 802.1D-2004 sections 9.2.8 and 9.3.1).
. "$(dirname "$0")/common"
packages os-ken==4.2.2
seen=$("$python" - 2> /dev/null << 'END'
from os_ken.lib.packet.bpdu import ConfigurationBPDUs, bpdu

written = bytes(ConfigurationBPDUs(message_age=0.5, hello_time=1.5).serialize(b"", None))
half = written[:27] + b"\0\x80" + written[29:31] + b"\1\x80" + written[33:]
print(written[27:].hex(" ", 2), "read", *((read := bpdu.parser(half)[0]) and (read.message_age, read.hello_time)))
END
)
verdict "0080 1400 0180 0f00 read 0.5 1.5" "0000 1400 0100 0f00 read 0.5 1.5" "$seen"
