"""Joins standard input and output to TCP or, with -u, UDP.

pkt-sock request 192.0.2.1 80 < question > answer

send and request connect to HOST PORT, request writes what comes back. recv and reply wait there, on an address of
this machine or - for any: recv writes what comes, reply sends it back.
"""

import signal

from ..command_line.options import ABOUT, FLAG, NUMBER, OCTETS, REAL, Option, Values
from ..command_line.signals import Interrupted, install
from ..errors import PktError, counted, need, say
from ..formats.files import Input, Output
from ..sockets import Account, Peer, Target, connect, listen, tcp, udp

MODES = ("send", "recv", "request", "reply")
OPTIONS = [
    Option("-u --udp", FLAG, "UDP instead of TCP"),
    Option("-6 --ipv6", FLAG, "IPv6 instead of IPv4"),
    Option("--timeout", REAL, "give up after SECONDS in which nothing moved", "SECONDS", least=0.001, most=86400),
    Option("--count", NUMBER, "end after N datagrams came; reply over TCP: N connections", "N", least=1),
    Option("--size", OCTETS, "send datagrams of BYTES each", "BYTES", least=1, most=udp.MAX_DATAGRAM),
    Option("--lines", FLAG, "send each line as a datagram"),
    Option("-v --verbose", FLAG, "say where it listens, and how much was sent and received"),
    *ABOUT,
]
ARGUMENTS = f"{'|'.join(MODES)} HOST PORT"
ARGUMENTS_HELP = "PORT is a number, or a service such as domain"


def run(values: Values) -> tuple[list[str], int]:
    """Opens the socket, and joins it to standard input and output."""
    mode, host, port = checked(values)
    listening = mode in ("recv", "reply")
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a handler of ours would have to wait for the resolver
    target = Target(host, port, udp=values.udp, ipv6=values.ipv6, listening=listening)
    install(drain=False)
    account, said, code = Account(), [], 0
    try:
        peer = listen(target, account) if listening else connect(target, values.timeout, account)
        if listening and (values.verbose or not target.port):
            tell(f"listening on {peer.name}")
        try:
            join(mode, peer, values)
        finally:
            if values.udp and mode != "send" and (dropped := udp.lost(peer)):
                said.append(f"{peer.name}: {counted(dropped, 'datagram')} dropped by the kernel")
    except PktError as error:
        said, code = [str(error), *said], 1
    except Interrupted:
        if not (mode == "reply" or (listening and values.udp)):  # these have no other end
            raise
    if mode == "send" and account.received:
        said.append(f"{counted(account.received, 'byte')} came back and went nowhere: request writes them")
    if values.verbose:
        said.append(f"{moved(account.sent, account.units_sent, values)} sent, "
                    f"{moved(account.received, account.units_received, values)} received")  # fmt: skip
    return said, int(code or account.failed > 0)


def checked(values: Values) -> tuple[str, str | None, str]:
    """Mode, host and port, when they and the options fit together; the host is None for any address."""
    need(len(values.arguments) == 3 and values.arguments[0] in MODES, f"wanted: {ARGUMENTS}")
    mode, host, port = values.arguments
    need(bool(host), "HOST is empty")
    need(host != "-" or mode in ("recv", "reply"), "HOST -, any address, is for recv and reply")
    need(values.count is None or mode == "reply" or (values.udp and mode != "send"),
         "--count is for reply, and with -u for recv and request")  # fmt: skip
    cut = values.size is not None or values.lines
    need(not cut or (values.udp and mode in ("send", "request")), "--size and --lines are for send and request with -u")
    need(not (values.lines and values.size is not None), "only one of --size and --lines")
    return mode, None if host == "-" else host, port


def join(mode: str, peer: Peer, values: Values) -> None:
    """Moves bytes until the end that the mode has. Raises PktError, and Interrupted at a signal."""
    timeout, count, answered = values.timeout, values.count, mode == "request"
    output = Output(None, None) if mode in ("recv", "request") else None
    write = output.write if output else None
    if mode in ("send", "request"):
        if values.udp:
            udp.talk(peer, Input(), udp.Cutter(values.size, values.lines), write, timeout, count, answered)
        else:
            tcp.talk(peer, Input(), write, timeout, answered)
    elif mode == "reply":
        (udp if values.udp else tcp).echo(peer, timeout, count, tell)
    elif values.udp:
        for data, _ in udp.datagrams(peer, timeout, count):
            write(data)  # type: ignore[misc]  # `recv` has an output
    else:
        tcp.receive(peer, write, timeout)  # type: ignore[arg-type]  # the same
    if output:
        output.close()


def tell(line: str) -> None:
    """Says a line on standard error, at once."""
    say(f"pkt-sock: {line}")


def moved(size: int, units: int, values: Values) -> str:
    """`3 bytes`, over UDP `3 bytes in 1 datagram`."""
    return counted(size, "byte") + (f" in {counted(units, 'datagram')}" if values.udp else "")
