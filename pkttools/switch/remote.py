"""What a running switch does for those who ask: show, fdb, add and delete, over control sockets."""

from __future__ import annotations

from ..errors import PktError, UsageError
from ..live.linux import control
from .bridge import Bridge

KIND = "switch"


def answer(bridge: Bridge, line: bytes) -> bytes:
    """Does what a line asks for; gives the line that says what came of it."""
    try:
        said = done(bridge, control.decode(line))
    except (PktError, UsageError) as error:
        said = {"error": str(error)}
    except UnicodeError:
        said = {"error": "a port's name cannot be written"}
    return control.encode(said)


def done(bridge: Bridge, request: dict[str, object]) -> dict[str, object]:
    """Does what is asked for. Raises PktError, UsageError."""
    what, port = request.get("do"), request.get("port")
    if what == "show":
        return {"ports": shown(bridge), "stations": len(bridge.stations), "moved": bridge.moved, "unlearnt": bridge.unlearnt}
    if what == "fdb":
        bridge.tick()
        names = {port.number: port.name for port in bridge.ports}
        return {"stations": [
            [mac.hex(":"), names[seen & 255], bridge.now - (seen >> 8)] for mac, seen in sorted(bridge.stations.items())
        ]}  # fmt: skip
    if what == "add" and isinstance(port, str):
        bridge.add(port)
    elif what == "delete" and isinstance(port, str):
        bridge.delete(bridge.port(port))
    else:
        raise PktError("no such request")
    return {}


def shown(bridge: Bridge) -> list[dict[str, object]]:
    """The ports with their counters."""
    rows = []
    for port in bridge.taking():
        port.count()
        state = "mirror" if port is bridge.mirror else "forwarding"
        rows.append({"port": port.name, "state": state, **port.counters()})
    return rows


def chosen(name: str | None) -> str:
    """The switch that is meant: the one that runs where none is named. Raises PktError."""
    if name is not None:
        return name
    running = control.names(KIND)
    if len(running) != 1:
        raise PktError(f"there are {', '.join(running)}: --name says which" if running else "no switch is running here")
    return running[0]


def ask(name: str, request: dict[str, object]) -> dict[str, object]:
    """Asks a running switch for something; gives its answer. Raises PktError."""
    with control.connect(KIND, name) as sock:
        try:
            control.send(sock, request)
        except OSError as error:
            raise PktError(f"switch {name}: {error.strerror}") from None
        said, _ = control.receive(sock)
    if "error" in said:
        raise PktError(str(said["error"]))
    return said
