"""Packets into the receive path of an interface, as if they had come in there: a TAP device's own way, or XDP's live frames.

See tap.py and Documentation/bpf/bpf_prog_run.rst.
"""

from __future__ import annotations

import errno
import os
import signal

from ...batch import CAPTURED, COLUMNS, OFFSET, Batch
from ...errors import UsageError
from .. import sending
from ..pace import Pace
from .interface import asking, check_name, ethernet, mac_address, mtu, names
from .tap import PREFIX, NoTap, attach, set_up

ETHERNET = 1  # link type
HEADER = 14  # bytes of an Ethernet header


class Injector(sending.Sender):
    """An interface that receives what is written; a sink."""

    def reason(self, error: int) -> str:
        """Why a packet was not received, by its errno."""
        if error == errno.EBADFD:  # the descriptor of a TAP device that was deleted
            return sending.GONE
        return sending.REASONS[errno.ENETDOWN] if error == errno.EIO else super().reason(error)

    @property
    def mtu(self) -> int:
        """The largest payload of a frame, in bytes. Raises PktError."""
        with asking() as sock:
            return mtu(sock, self.name)

    @property
    def mac_address(self) -> str:
        """The interface's own MAC address. Raises PktError."""
        with asking() as sock:
            return mac_address(sock, self.name).hex(":")


class Tap(Injector):
    """A TAP device: what is written to it is received there. One that is not there exists as long as this does, and is up."""

    def __init__(self, name: str, pace: Pace) -> None:
        """Raises PktError."""
        self.fd, new = attach(name)
        super().__init__(name, ETHERNET, pace)
        if new:
            set_up(name)

    def some(self, batch: Batch, first: int, count: int) -> tuple[int, int, int]:
        """Writes packets of a batch, up to the first that fails."""
        columns = batch.columns()[first * COLUMNS : (first + count) * COLUMNS]
        done = size = 0
        with memoryview(batch.data) as data:
            for offset, captured in zip(columns[OFFSET::COLUMNS].tolist(), columns[CAPTURED::COLUMNS].tolist(), strict=True):
                try:
                    size += os.write(self.fd, data[offset : offset + captured])
                except OSError as error:
                    return done, size, error.errno or errno.EIO
                done += 1
        return done, size, 0

    def close(self) -> list[str]:
        """Ends; gives the account."""
        os.close(self.fd)
        return super().close()


class Live(Injector):
    """An Ethernet interface, with frames that the kernel makes and lets it receive; equal ones in one call.

    A call takes up to 30 ms, however few they are: the kernel makes a pool of pages for it, and waits until all are back.
    """

    fd = -1
    many = 1 << 16  # packets that are best handed over together

    def __init__(self, name: str, pace: Pace) -> None:
        """Raises PktError."""
        from ...bpf.assembler import R0, assemble, leave, mov
        from . import bpf
        from .live_frames import AT_ONCE

        name, self.ifindex = ethernet(name)
        self.program = bpf.XdpProgram(assemble([mov(R0, bpf.XDP_PASS), leave()]), "pkt_gen")
        self.at_once = AT_ONCE
        super().__init__(name, ETHERNET, pace)
        self.burst = self.longest = self.many

    def some(self, batch: Batch, first: int, count: int) -> tuple[int, int, int]:
        """Lets packets of a batch be received, up to the first that fails."""
        frames = [bytes(batch.frame(i)) for i in range(first, first + count)]
        done = size = 0
        while done < count:
            frame, run = frames[done], 1
            while done + run < count and frames[done + run] == frame:
                run += 1
            waiting = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # else it cannot say how far it came
            try:
                self.program.run_live(frame, run, self.ifindex, self.at_once)
            except OSError as error:
                return done, size, error.errno or errno.EIO
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
            done += run
            size += run * len(frame)
        return done, size, 0

    def reason(self, error: int) -> str:
        """Why a packet was not received, by its errno."""
        return "of a size that no frame can be made of" if error == errno.EINVAL else super().reason(error)

    def close(self) -> list[str]:
        """Ends; gives the account."""
        self.program.close()
        return super().close()


def injector(name: str | None, pace: Pace) -> Injector:
    """What lets an interface receive packets: `tap:NAME` is a TAP device, made if need be. Raises UsageError, PktError."""
    if not name:
        raise UsageError(f"no interface given: -i IFACE, one of {', '.join(names())}")
    if name.startswith(PREFIX):
        return Tap(name.removeprefix(PREFIX), pace)
    check_name(name)
    try:
        return Tap(name, pace)
    except NoTap:
        return Live(name, pace)
