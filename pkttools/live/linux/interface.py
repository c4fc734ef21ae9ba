"""Network interfaces, as packet(7) and netdevice(7) show them."""

from __future__ import annotations

import _socket as socket  # socket takes as long to import as all of this
import os
import struct

from ...errors import PktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as whole

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15  # linux/if_packet.h; Python's socket module has none of its options
SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCGIFMTU = 0x8913, 0x8927, 0x8921
IFF_UP = 1
RECEIVED, REFUSED, SENT, NO_ROOM = 1, 3, 9, 11  # columns of `counters`: packets received, dropped of these, sent, dropped instead
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; Python's socket module does not have it

# Hardware types of interfaces (linux/if_arp.h) and the link type of their frames, as libpcap has them; but of PPP and modems,
# where libpcap has Linux cooked capture.
ARPHRD_ETHER, ARPHRD_LOOPBACK, ARPHRD_CAN = 1, 772, 280
BARE_IP = (65534, 512, 519, 768, 776, 256, 257, 258, 259, 264, 518)  # of TUN, PPP, modems, IPIP, SIT, SLIP, Cisco's
LINKTYPES = {
    ARPHRD_ETHER: 1, ARPHRD_LOOPBACK: 1, **dict.fromkeys(BARE_IP, 101),
    801: 105, 802: 119, 803: 127, 804: 230,  # IEEE 802.11, with Prism's and Radiotap's header; IEEE 802.15.4
    3: 202, 6: 6, 7: 129, 513: 104, 770: 107, 773: 114, 774: 10, 800: 6, 826: 271,  # AX.25, Token Ring, ARCNET ... vsockmon
    **dict.fromkeys(range(784, 788), 224),  # Fibre Channel
}  # fmt: skip
# What all others have is not known, or not always there, as with GRE and IPv6 tunnels: the kernel takes it off, and says of each
# packet what LINKTYPE_LINUX_SLL says. Two link types are like it: IrDA's, Netlink's. CAN's would need its bytes in another order.
COOKED, COOKED_ALIKE = 113, {783: 144, 824: 253}


def names() -> list[str]:
    """The interfaces there are."""
    return [name for _, name in socket.if_nameindex()]


def check_name(name: str) -> None:
    """Raises PktError unless there is an interface of that name that a socket can be bound to."""
    if name not in names():
        hint = "; --libpcap receives from all of them" if name == "any" else ""
        raise PktError(f"{name}: no such interface; there are {', '.join(names())}{hint}")
    try:
        name.encode()
    except UnicodeEncodeError:  # Python's bind() takes no other
        raise PktError(f"{name}: interfaces are known by names in UTF-8 here; --libpcap takes any") from None


def ask(sock: socket.socket, name: str, request: int) -> bytes:
    """The answer to a netdevice(7) request, behind the name. Raises PktError."""
    import fcntl  # late: there are systems without it, where this module only gives names

    try:
        return fcntl.ioctl(sock, request, struct.pack("16s24x", os.fsencode(name)))[16:]
    except OSError as error:
        raise PktError(f"{name}: {error.strerror}") from None


def asking() -> whole.socket:
    """A socket for requests alone; anybody may have one."""
    import socket as whole  # late: its sockets know what `with` is

    return whole.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)


def is_up(sock: socket.socket, name: str) -> bool:
    """Whether an interface is up. Raises PktError when there is none."""
    (flags,) = struct.unpack_from("H", ask(sock, name, SIOCGIFFLAGS))
    return bool(flags & IFF_UP)


def ethernet(name: str | None) -> tuple[str, int]:
    """Name and number of an interface for XDP: it is up and has Ethernet's frames. Raises UsageError, PktError."""
    if not name:
        raise UsageError(f"no interface given: -i IFACE, one of {', '.join(names())}")
    check_name(name)
    with asking() as sock:
        (hardware,) = struct.unpack_from("H", ask(sock, name, SIOCGIFHWADDR))
        if LINKTYPES.get(hardware) != LINKTYPES[ARPHRD_ETHER]:
            raise PktError(f"{name}: XDP is for Ethernet, and this interface is of hardware type {hardware}")
        if not is_up(sock, name):
            raise PktError(f"{name}: interface is down")
    return name, socket.if_nametoindex(name)


def open_socket(name: str | None, what: str, kind: int = socket.SOCK_RAW) -> socket.socket:
    """A packet socket that is not bound yet, so that nothing foreign slips in; the interface exists and is up.

    what: what the socket is for, for the message when it may not be had. kind: SOCK_RAW, or SOCK_DGRAM for packets without their
    link header. Raises PktError.
    """
    if not name:
        raise UsageError(f"no interface given: -i IFACE, one of {', '.join(names())}")
    check_name(name)
    try:
        sock = socket.socket(socket.AF_PACKET, kind | socket.SOCK_CLOEXEC, 0)
    except PermissionError:
        raise PktError(f"{name}: not allowed to {what}: run it as root, with CAP_NET_RAW, or under 'unshare -Urn'") from None
    except OSError as error:
        raise PktError(f"{name}: {error.strerror}") from None
    if not is_up(sock, name):
        sock.close()
        raise PktError(f"{name}: interface is down")
    return sock


def bind(sock: socket.socket, name: str, protocol: int) -> int:
    """Binds a socket to an interface; gives its hardware type. Raises PktError."""
    try:
        sock.bind((name, protocol))
    except OSError as error:
        raise PktError(f"{name}: {error.strerror}") from None
    return sock.getsockname()[3]


def linktype(name: str) -> int:
    """The link type of the frames of an interface, without opening it. Raises PktError."""
    check_name(name)
    with asking() as sock:
        return linktype_of(name, hardware_type(sock, name))


def linktype_of(name: str, hardware: int) -> int:
    """The link type of the frames that an interface with that hardware type takes. Raises PktError."""
    if hardware not in LINKTYPES:
        raise PktError(f"{name}: nothing can be sent to interfaces of hardware type {hardware}")
    return LINKTYPES[hardware]


def received(hardware: int) -> tuple[int | None, bool]:
    """The link type of what is received from interfaces of a hardware type, None where that is not supported; and whether the
    kernel has to take the link header off.
    """
    if hardware in LINKTYPES:
        return LINKTYPES[hardware], False
    return None if hardware == ARPHRD_CAN else COOKED_ALIKE.get(hardware, COOKED), True


def grow(sock: socket.socket, size: int) -> None:
    """Asks for a receive buffer of `size` bytes in the kernel: beyond the system's limit as root, up to it otherwise."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def mac_address(sock: socket.socket, name: str) -> bytes:
    """The six bytes of an interface's own address."""
    return ask(sock, name, SIOCGIFHWADDR)[2:8]


def hardware_type(sock: socket.socket, name: str) -> int:
    """The hardware type of an interface, before the socket is bound to it."""
    return struct.unpack_from("H", ask(sock, name, SIOCGIFHWADDR))[0]


def counters(name: str) -> list[int] | None:
    """What the kernel has counted at an interface, the columns of /proc/net/dev; None when there is none of that name.

    That file is of our network namespace, which /sys need not be.
    """
    with open("/proc/net/dev", errors="surrogateescape") as file:  # noqa: PTH123  pathlib is slow to import
        for line in file:
            found, colon, numbers = line.rpartition(":")
            if colon and found.strip() == name:
                return [int(word) for word in numbers.split()]
    return None


def mtu(sock: socket.socket, name: str) -> int:
    """The largest payload of a frame, in bytes."""
    return struct.unpack_from("i", ask(sock, name, SIOCGIFMTU))[0]
