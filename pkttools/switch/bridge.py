"""The switch itself: its ports, who is behind which of them, and what is done to frames on their way."""

from __future__ import annotations

import socket
import time

from .. import codec
from ..batch import Batch
from ..command_line.account import Account
from ..errors import PktError, counted
from ..live.linux.tap import PREFIX
from .ports import MOST, Gone, PacketPort, Port, wire_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from ..language.filters import Filter
    from .change import Change
    from .dump import Dump

MEMORY = 128 << 20  # bytes of the rings of all ports that it starts with
SHARES = (8 << 20, 32 << 20)  # of a port: at least, for those that come later, and at most


class Bridge:
    """A learning bridge (IEEE 802.1Q), without spanning tree.

    stations: addresses and where they were seen, `seconds << 8 | port`. age: seconds. room: stations that are learnt.
    keep, change, mirror, dump: what is done to frames on their way, None for what is not. say: tells what happens.
    """

    def __init__(self, say: Callable[[str], None], *, age: int, room: int) -> None:
        self.say, self.age, self.room = say, age, room
        self.ports: list[Port] = []
        self.mirror: Port | None = None
        self.keep: Filter | None = None
        self.change: Change | None = None
        self.dump: Dump | None = None
        self.stations: dict[bytes, int] = {}
        self.moved = self.unlearnt = 0
        self.numbers = b""
        self.now = int(time.monotonic())

    def add(self, name: str, memory: int = SHARES[0]) -> Port:
        """Opens a port. Raises PktError."""
        if len(self.ports) == MOST:
            raise PktError(f"{name}: a switch has at most {MOST} ports")
        port = self.opened(name, memory)
        port.number = min(set(range(MOST)).difference(port.number for port in self.ports))
        self.ports.append(port)
        self.numbers = bytes(port.number for port in self.ports)
        return port

    def opened(self, name: str, memory: int) -> Port:
        """Opens what is to be a port, or the mirror; an interface is one of them once. Raises PktError."""
        if name in (port.name for port in self.taking()):
            raise PktError(f"{name}: it is a port already")
        same = [port.name for port in self.taking() if port.index and port.index == number(name)]
        if same:
            raise PktError(f"{name}: it is a port already, as {same[0]}")
        made = opened(name, memory)
        for port in self.taking():
            if made.index and made.index == port.index:
                made.close()
                raise PktError(f"{name}: it is a port already, as {port.name}")
        return made

    def delete(self, port: Port) -> None:
        """Closes a port, and forgets who was behind it."""
        port.count()
        port.close()
        if port is self.mirror:
            self.mirror = None
            return
        self.ports.remove(port)
        self.numbers = bytes(port.number for port in self.ports)
        for mac in [mac for mac, seen in self.stations.items() if seen & 255 == port.number]:
            del self.stations[mac]

    def port(self, name: str) -> Port:
        """A port by its name. Raises PktError."""
        for port in self.ports:
            if port.name == name:
                return port
        raise PktError(f"{name}: no such port; there are {', '.join(port.name for port in self.ports) or 'none'}")

    def taking(self) -> list[Port]:
        """What frames come from, or would: the ports and the mirror."""
        return [*self.ports, self.mirror] if self.mirror else list(self.ports)

    def turn(self, port: Port) -> None:
        """Lets frames through that came by a port."""
        try:
            batch = port.take()
        except Gone as gone:
            self.lose(port, str(gone))
            return
        if batch is None:
            return
        if port is not self.mirror:
            self.forward(port, batch)  # never to itself: other ports may be lost, this one is still there
        port.give()

    def forward(self, port: Port, batch: Batch) -> None:
        """Sends frames where they are to go."""
        port.received += len(batch)
        port.received_bytes += wire_bytes(batch.rows)
        if self.keep:
            before = len(batch)
            batch.rows = self.keep.select(batch)
            port.unmatched += before - len(batch)
        if self.change:
            self.change(batch)
        outs, passed, counts = codec.forward(batch.data, batch.rows, self.stations, self.room, port.number, self.now, self.numbers)
        port.flooded += counts[0]
        port.filtered += counts[1]
        port.reserved += counts[2]
        port.short += counts[3]
        self.moved += counts[4]
        self.unlearnt += counts[5]
        if self.dump and passed:
            self.dump.write(port.name, batch.data, passed)
        for out, rows in zip(list(self.ports), outs, strict=True):
            if rows:
                self.send(out, batch.data, rows)
        if self.mirror and passed:
            self.send(self.mirror, batch.data, passed)

    def send(self, port: Port, data: bytearray | mmap, rows: bytearray) -> None:
        """Sends frames by a port; without it, if it is gone."""
        try:
            port.send(data, rows)
        except Gone as gone:
            self.lose(port, str(gone))

    def lose(self, port: Port, why: str) -> None:
        """Goes on without a port."""
        self.say(f"{port.name}: {why}: it is no port any more; {self.account(port)}")
        self.delete(port)

    def tick(self) -> None:
        """Once a second: forgets stations that were not seen for too long."""
        self.now = int(time.monotonic())
        oldest = self.now - self.age
        for mac in [mac for mac, seen in self.stations.items() if seen >> 8 <= oldest]:
            del self.stations[mac]

    def account(self, port: Port) -> str:
        """What went through a port."""
        lost = [
            f"{number} {what}"
            for number, what in (
                (port.unmatched, "filtered out"), (port.reserved, "for bridges alone"), (port.short, "too short"),
                (port.overrun, "lost for want of room"), (port.full, "lost in full queues"), (port.too_long, "too long"),
                (port.failed, "not sent"),
            )
            if number
        ]  # fmt: skip
        said = f"{counted(port.received, 'frame')} in, {port.sent} out"
        return f"{said} ({', '.join(lost)})" if lost else said

    def close(self) -> list[str]:
        """Closes all ports; gives the account."""
        said: list[str] = []
        for port in self.taking():
            port.count()
            line = f"{port.name}: {self.account(port)}" + (" (mirror)" if port is self.mirror else "")
            said.append(Account(line, interface=port.name, mirror=port is self.mirror, **port.counters()))
            port.close()
        if self.change:
            from ..protocols.names import not_followed  # late: seldom

            said += self.change.assignments.said(False, "frame") + not_followed(self.change.assignments.beyond, "frame")
        if self.unlearnt:
            said.append(f"{counted(self.unlearnt, 'time')} no room for an address: frames to it were flooded")
        return said


def opened(name: str, memory: int) -> Port:
    """Opens a port: an interface, or `tap:NAME`. Raises PktError."""
    if name.startswith(PREFIX):
        from .tap import TapPort  # late: most ports are none

        return TapPort(name.removeprefix(PREFIX))
    return PacketPort(name, memory)


def number(name: str) -> int:
    """The number of an interface; 0: there is none of that name."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def share(count: int) -> int:
    """Bytes of the ring of each of `count` ports."""
    return min(max(MEMORY // count, SHARES[0]), SHARES[1])
