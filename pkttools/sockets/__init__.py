"""TCP and UDP sockets: names and ports, connecting and listening, and what goes wrong, in words.

`tcp` and `udp` move bytes between these sockets and standard input and output.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable

from ..command_line.options import NUMBER, Option
from ..command_line.signals import ready
from ..errors import PktError, UsageError, counted

Write = Callable[[bytes], object]  # what is done with what comes

BUFFER = 256 << 10  # bytes that are moved at once
BACKLOG = 128  # connections that the kernel may keep while one is served
REASONS = {
    errno.EPIPE: "Connection closed by the peer",
    errno.EMSGSIZE: "Message too long for a datagram: --size or --lines cuts it",
}


class Account:
    """What moved, and what went wrong without ending anything."""

    def __init__(self) -> None:
        self.sent = self.received = 0  # bytes
        self.units_sent = self.units_received = 0  # datagrams
        self.served = self.failed = 0  # connections or datagrams that were answered, and those that could not be


class Target:
    """HOST and PORT of a command line, with the addresses that they mean.

    host: a name, an address, or None for any address of this machine. port: a number or the name of a service; to
    listen on, 0 lets the kernel choose. Raises UsageError for a port there cannot be, PktError for a host not known.
    """

    def __init__(self, host: str | None, port: str, *, udp: bool, ipv6: bool, listening: bool) -> None:
        self.udp, self.ipv6 = udp, ipv6
        self.port = port_number(port, "udp" if udp else "tcp", 0 if listening else 1)
        self.name = f"{host or ('::' if ipv6 else '0.0.0.0')} port {self.port}"
        self.family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self.kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
        try:
            found = socket.getaddrinfo(host, self.port, self.family, self.kind, 0, 0 if host else socket.AI_PASSIVE)
        except (socket.gaierror, UnicodeError) as error:  # UnicodeError: no name that DNS could carry
            reason = error.strerror if isinstance(error, OSError) else "Name or service not known"
            hint = "; -6 is for IPv6" if host and ":" in host and not ipv6 else ""
            raise PktError(f"{host}: {reason}{hint}") from None
        self.addresses = [address for *_, address in found]

    def open(self) -> socket.socket:
        """A socket of its kind that does not block. Raises PktError."""
        try:
            return socket.socket(self.family, self.kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError as error:
            raise failure(self.name, error) from None


class Peer:
    """A socket that does not block, the name under which its errors are told, and the account of what it moves.

    Its errors are PktErrors, never OSErrors: a BrokenPipeError is standard output's.
    """

    def __init__(self, sock: socket.socket, name: str, account: Account) -> None:
        self.sock, self.name, self.account = sock, name, account
        self.fd = sock.fileno()
        sock.setblocking(False)

    def receive(self) -> tuple[bytes, tuple] | None:
        """What has come, up to BUFFER bytes or a datagram, and from which address; None when there is nothing after all."""
        try:
            data, address = self.sock.recvfrom(BUFFER)
        except BlockingIOError:
            return None
        except OSError as error:
            raise failure(self.name, error) from None
        self.account.received += len(data)
        return data, address

    def send(self, data: bytes | memoryview, address: tuple | None = None) -> int | None:
        """Sends what there is room for; gives the bytes, None when there is no room after all.

        address: whom to, where the socket is not connected.
        """
        try:
            sent = self.sock.sendto(data, address) if address else self.sock.send(data)
        except BlockingIOError:
            return None
        except OSError as error:
            raise failure(endpoint(address) if address else self.name, error) from None
        self.account.sent += sent
        return sent

    def is_over(self) -> bool:
        """Whether nothing has come, and nothing will; of a stream that can be read."""
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def check(self) -> None:
        """Raises what the network has reported since the last call."""
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise failure(self.name, OSError(code, os.strerror(code)))

    def silent(self, seconds: float | None) -> PktError:
        """The error when nothing moved for so many seconds."""
        return PktError(f"{self.name}: nothing moved for {seconds:g} s")

    def vain(self, seconds: float | None, noun: str, came: int = 0, count: int | None = None) -> PktError:
        """The error when less came within so many seconds than was waited for."""
        if came:
            return PktError(f"{self.name}: {came} of {counted(count or came, noun)} came, and no more for {seconds:g} s")
        return PktError(f"{self.name}: no {noun} within {seconds:g} s")


def failure(name: str, error: OSError) -> PktError:
    """The error for what the kernel says about a socket."""
    return PktError(f"{name}: {REASONS.get(error.errno or 0, error.strerror)}")


def port_number(text: str, protocol: str, least: int) -> int:
    """The number of a port, from `least` on, or of a service that is named. Raises UsageError."""
    if text.isascii() and text.isdigit():
        return int(Option("PORT", NUMBER, "", least=least, most=65535).value(text))  # type: ignore[call-overload]  # of a NUMBER
    try:
        return socket.getservbyname(text, protocol)
    except (OSError, UnicodeError):
        raise UsageError(f"PORT: no {protocol} service '{text}'") from None


def endpoint(address: tuple) -> str:
    """`127.0.0.1 port 53`, of a socket address."""
    return f"{address[0]} port {address[1]}"


def connect(target: Target, timeout: float | None, account: Account) -> Peer:
    """A socket that is connected to the first address that answers; each has `timeout` seconds to. Raises PktError."""
    error = PktError(f"{target.name}: no address")
    for address in target.addresses:
        peer = Peer(target.open(), target.name, account)
        try:
            if target.udp:
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # who names such an address wants it
            peer.sock.connect(address)
            return peer
        except BlockingIOError:  # under way
            try:
                if not ready([], [peer.fd], timeout)[1]:
                    raise PktError(f"{target.name}: no connection within {timeout:g} s")
                peer.check()
                return peer
            except PktError as reason:
                error = reason
        except OSError as reason:
            error = failure(target.name, reason)
        peer.sock.close()
    raise error


def listen(target: Target, account: Account) -> Peer:
    """A socket bound to the first address that can be had, and listening if it is TCP's. Raises PktError."""
    error = PktError(f"{target.name}: no address")
    for address in target.addresses:
        sock = target.open()
        try:
            if target.ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # the same port of IPv4 is another one's
            if not target.udp:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port rests a minute after each use
            sock.bind(address)
            if not target.udp:
                sock.listen(BACKLOG)
            return Peer(sock, endpoint(sock.getsockname()), account)
        except OSError as reason:
            error = failure(target.name, reason)
            sock.close()
    raise error
