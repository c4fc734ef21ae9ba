"""Says how long packets took through this host: python -m tests.benchmarks.probe COUNT SECONDS

From the kernel's times of the numbered frames that came in on eth0 and went out on eth1: microseconds each, in their order.
Ends when COUNT have gone out, or after SECONDS.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time

from .flood import number

SO_TIMESTAMPNS, ETH_P_ALL, OUTGOING = 35, 3, 4
WAYS = {"eth0": False, "eth1": True}


def probe(count: int, seconds: float) -> list[float]:
    """Watches; gives the microseconds."""
    socks = {}
    for name, outgoing in WAYS.items():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.bind((name, ETH_P_ALL))
        socks[sock] = outgoing
    times: dict[bool, dict[int, int]] = {False: {}, True: {}}
    deadline = time.monotonic() + seconds
    while len(times[True]) < count and (left := deadline - time.monotonic()) > 0:
        for sock in select.select(list(socks), [], [], left)[0]:
            data, ((_, _, stamp),), _, address = sock.recvmsg(2048, 64)
            if (address[2] == OUTGOING) == socks[sock]:
                whole, part = struct.unpack("qq", stamp)
                times[socks[sock]][number(data)] = whole * 1_000_000_000 + part
    came, went = times[False], times[True]
    return [(went[i] - came[i]) / 1000 for i in came if i in went]


if __name__ == "__main__":
    print(*probe(int(sys.argv[1]), float(sys.argv[2])))
