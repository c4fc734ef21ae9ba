#!/bin/sh
# scapy 2.8.0 computes twice the time of an Ethernet PAUSE frame at 1 Gb/s: 1024 ns for one quantum.
# A quantum is 512 bit times (IEEE 802.3-2018 section 31B.2): 51.2, 5.12 and 0.512 microseconds at 10, 100 and 1000 Mb/s.
. "$(dirname "$0")/common"
packages scapy==2.8.0
seen=$("$python" - 2> /dev/null << 'END'
from scapy.contrib import mac_control as control
frame = control.MACControlPause(pause_time=1)
speeds = control.ETHER_SPEED_MBIT_10, control.ETHER_SPEED_MBIT_100, control.ETHER_SPEED_MBIT_1000
print(*(f"{frame.get_pause_time(speed) * 1e6:g}" for speed in speeds))
END
)
verdict "51.2 5.12 0.512" "51.2 5.12 1.024" "$seen"
