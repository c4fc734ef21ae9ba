#!/bin/sh
# python-can 4.6.1 writes remote frames without their length into candump's logs, where it reads one: a frame that asks for 4 bytes asks for
# none when it is read again.
# The length follows the R: 123#R4 (can-utils, lib.h, section on the compact format of CAN frames; candump(1) writes it, but for 0).
. "$(dirname "$0")/common"
packages python-can==4.6.1
seen=$(cd "$folder" && "$python" - << 'END'
from can import Message
from can.io import CanutilsLogReader, CanutilsLogWriter

with open("read.log", "w") as file:
    print("(1700000000.000000) can0 123#R4", file=file)
(message,) = CanutilsLogReader("read.log")
with CanutilsLogWriter("written.log") as writer:
    writer.on_message_received(message)
print(message.dlc, "asked for,", open("written.log").read().split()[2], "written")
END
)
verdict "4 asked for, 123#R4 written" "4 asked for, 123#R written" "$seen"
