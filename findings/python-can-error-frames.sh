#!/bin/sh
# python-can 4.6.1 reads the error frames of a candump log as data frames, but for those of the class bus error: lost arbitration is a frame
# with the identifier 2, a problem of the controller one with the identifier 4, both extended.
# 0x20000000 in the number says that it is an error frame, of whatever class (Linux's linux/can.h and linux/can/error.h, and the section on
# network problem notifications in its documentation of SocketCAN).
. "$(dirname "$0")/common"
packages python-can==4.6.1
seen=$(cd "$folder" && "$python" - << 'END'
from can.io import CanutilsLogReader

with open("file.log", "w") as file:
    for number in 0x20000002, 0x20000004, 0x20000080:
        print(f"(1700000000.000000) can0 {number:08X}#0001000000000000", file=file)
print(", ".join("error" if one.is_error_frame else f"data of {one.arbitration_id}" for one in CanutilsLogReader("file.log")))
END
)
verdict "error, error, error" "data of 2, data of 4, error" "$seen"
