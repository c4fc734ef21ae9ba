#!/bin/sh
# dpkt 1.9.8 reads radiotap's transmit power without its sign: -1 dBm is 255 dBm, where the signal's strength beside it has one. tshark
# 4.0.17 reads -1.
# The power is a signed octet, in dBm (radiotap's defined fields, section dBm TX power: s8).
. "$(dirname "$0")/common"
tool tshark 4.0.17
packages dpkt==1.9.8
cd "$folder"
by_dpkt=$("$python" - << 'END'
from frames import *
from dpkt.radiotap import Radiotap

packet = struct.pack("<BBHIbb", 0, 0, 10, 1 << 5 | 1 << 10, -1, -1) + bytes.fromhex("d4000000 020000000001")
file = pcap((SECOND, packet))
open("file", "wb").write(file[:20] + struct.pack("<I", 127) + file[24:])
read = Radiotap(packet)
print(f"signal {read.ant_sig.db}, power {read.dbm_tx_power.dbm}")
END
)
by_tshark=$(tshark -r file -T fields -e radiotap.dbm_antsignal -e radiotap.txpower 2> /dev/null | tr '\t' ' ')
verdict "dpkt: signal -1, power -1; tshark: -1 -1" "dpkt: signal -1, power 255; tshark: -1 -1" "dpkt: $by_dpkt; tshark: $by_tshark"
