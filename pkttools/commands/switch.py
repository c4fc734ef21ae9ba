"""A learning Ethernet switch in user space, over any interfaces.

pkt-switch run p1 p2 tap:t0    pkt-switch show    pkt-switch fdb

run forwards until ^C; the others ask a running switch or change it: show its ports and counters, fdb where stations
are, add and delete a PORT. PORT is an interface, or tap:NAME.
"""

from __future__ import annotations

import sys

from ..command_line.account import reported
from ..command_line.options import ABOUT, FLAG, NUMBER, PROTOCOLS, REAL, REPORT, TEXT, USER, UTC, Option, Values
from ..command_line.signals import Interrupted, install
from ..errors import PktError, need, say, visible

TAPS = 64  # TAP devices that may be added where /dev/net/tun is root's alone
MODES = ("run", "show", "fdb", "add", "delete")
OPTIONS = [
    Option("--name", TEXT, "the switch's name (default: switch, or the only one)", "NAME"),
    # IEEE 802.1Q table 8-6
    Option("--age", NUMBER, "forget stations after SECONDS (default 300)", "SECONDS", default=300, least=1, most=1_000_000),
    Option("--fdb-size", NUMBER, "learn at most N stations (default 8192)", "N", default=8192, least=0, most=1_000_000),
    Option("--filter", TEXT, "let through only what matches EXPR", "EXPR"),
    Option("--change", TEXT, "change fields of what passes, as pkt-change does", "ASSIGNMENT"),
    Option("-u --update-checksums", FLAG, "let checksums follow; right ones stay right"),
    Option("--mirror", TEXT, "copy what passes to PORT", "PORT"),
    Option("--dump", TEXT, "write what passes to FILE, - for standard output", "FILE"),
    UTC,
    Option("--duration", REAL, "end after SECONDS", "SECONDS"),
    REPORT,
    *USER,
    *PROTOCOLS,
    Option("-k --keys", FLAG, "list the fields and end"),
    *ABOUT,
]
ARGUMENTS = f"{'|'.join(MODES)} [PORT]..."
ARGUMENTS_HELP = "PORT is an interface, or tap:NAME"


def run(values: Values) -> tuple[list[str], int]:
    """Runs a switch, or asks one that runs."""
    if sys.platform != "linux":
        raise PktError("this command is only for Linux")
    mode, *ports = values.arguments or [""]
    need(mode in MODES, f"wanted: {ARGUMENTS}")
    if mode == "run":
        need(bool(ports), "run needs at least one PORT")
        return switch(values, ports)
    given = [option.names[-1] for option in values.given(OPTIONS)]
    asks = {"--name", "--report"} if mode in ("show", "fdb") else {"--name"}
    wrong = [name for name in given if name not in asks]
    need(not wrong, f"{wrong[0] if wrong else ''} is for run")
    need(len(ports) == (mode in ("add", "delete")), f"{mode} takes {'one PORT' if mode in ('add', 'delete') else 'no PORT'}")
    from ..formats.files import write_lines
    from ..switch.remote import ask, chosen

    said = ask(chosen(values.name), {"do": mode, **({"port": ports[0]} if ports else {})})
    if values.report == "json":
        import json

        write_lines([json.dumps(said)])
    elif mode in ("show", "fdb"):
        write_lines({"show": shown, "fdb": stations}[mode](said))
    return [], 0


def switch(values: Values, ports: list[str]) -> tuple[list[str], int]:
    """Runs a switch; gives its account and the exit code. Raises PktError, UsageError."""
    from ..formats.files import Output, format_of
    from ..live.linux import control, privileges, tap
    from ..switch import loop
    from ..switch.bridge import Bridge, share
    from ..switch.remote import KIND

    bridge = Bridge(tell, age=values.age, room=values.fdb_size)
    if values.filter is not None:
        from ..language.filters import Filter

        bridge.keep = Filter([values.filter])
        notes = bridge.keep.notes()
        need(not notes, f"--filter: {', '.join(notes)}: frames in a switch come with no such line")
    if values.change is not None:
        from ..switch.change import Change

        bridge.change = Change(values.change, bool(values.update_checksums))
    if values.user is not None:
        privileges.user_of(values.user)
    listener = control.listen(KIND, values.name or "switch")
    install(drain=False)
    said, going = [], False
    try:
        for name in ports:
            bridge.add(name, share(len(ports)))
        if values.mirror is not None:
            bridge.mirror = bridge.opened(values.mirror, share(len(ports)))
        format_of(values.dump)  # a name that says what is not written is an error before it is opened
        output = Output(values.dump, None) if values.dump is not None else None
        if output:
            from ..switch.dump import Dump
        # What `add` needs is kept: a packet socket, its buffers, TAP devices.
        tap.reserve(TAPS)
        privileges.drop(values.user, (privileges.CAP_NET_RAW, privileges.CAP_NET_ADMIN), ["pkttools.switch.tap"])
        if output:
            bridge.dump = Dump(output)  # starts a thread
        tell(f"{values.name or 'switch'}: {', '.join(ports)}: forwarding")
        going = loop.run(bridge, listener, values.duration)
        if not going:
            said.append("no port is left")
    except Interrupted:
        going = True
    finally:
        listener.close()
        account = bridge.close()
    said += account
    if bridge.dump:
        said += bridge.dump.close()
    return reported(said, values.report), int(not going or bool(bridge.dump and bridge.dump.failed))


HEADS = {
    "port": "port", "state": "state", "received": "in", "received_bytes": "in-bytes", "sent": "out", "sent_bytes": "out-bytes",
    "flooded": "flooded", "filtered": "same-port", "reserved": "reserved", "short": "short", "unmatched": "filter",
    "overrun": "overrun", "full": "full", "too_long": "too-long", "failed": "failed",
}  # fmt: skip


def shown(said: dict) -> list[str]:
    """The ports and their counters, a line each, and a line about stations."""
    lines = aligned([list(HEADS.values()), *([visible(str(port[name])) for name in HEADS] for port in said["ports"])])
    return [*lines, f"stations: {said['stations']}, moved: {said['moved']}, not learnt: {said['unlearnt']}"]


def stations(said: dict) -> list[str]:
    """The stations: address, port, seconds since they were seen."""
    return aligned([["address", "port", "age"], *([mac, visible(port), str(age)] for mac, port, age in said["stations"])])


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows of words in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def tell(line: str) -> None:
    """Says a line on standard error, at once."""
    say(f"pkt-switch: {line}")
