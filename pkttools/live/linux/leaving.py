"""A packet socket is given back without waiting for it.

To close one, the kernel waits until no processor looks at it any more, some 10 ms, and once more for a ring: synchronize_net() in
net/packet/af_packet.c. The end of a process waits for it, too. So it is left in the queue of a Unix socket that nobody has but
this queue itself: what nobody can reach any more the kernel finds by itself, and closes it beside us (net/unix/garbage.c; since
Linux 6.9, and before that while the process ends, as ever).

It closes one after the other, and each receives until then: who leaves them faster than that waits, as ever.
"""

from __future__ import annotations

import _socket as socket  # as in interface.py
import struct
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

TAKES = 0.02  # seconds that closing one takes the kernel, about
BEHIND = 0.5  # seconds of that at most
_done = [0.0]  # when those that were left should be closed


def leave(sock: socket.socket, ring: mmap | None = None) -> None:
    """Closes a socket, some time soon; at once where many were left. ring: its memory, which keeps it open."""
    if ring is not None:
        try:
            ring.close()
        except BufferError:
            pass  # somebody still looks at it; it goes with the process
    now = monotonic()
    try:
        pair = socket.socketpair() if _done[0] < now + BEHIND else None
    except OSError:  # no descriptor is free
        pair = None
    if pair is None:
        sock.close()
        return
    _done[0] = max(_done[0], now) + TAKES
    there, back = pair
    try:
        there.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("2i", sock.fileno(), back.fileno()))])
    except OSError:
        pass  # too many are under way
    sock.close()
    back.close()
    there.close()  # last: that a Unix socket is closed lets the kernel look whom nobody can reach, and soon
