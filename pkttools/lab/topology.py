"""The language of topologies: one statement a line, `#` begins a comment.

    wire alice 10.0.0.1/24 bob 10.0.0.2/24
    route alice default via 10.0.0.2

Everything is checked here, before anything is built; what only the kernel can know it says when it is built.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable
from pathlib import Path

from ..errors import PktError, UsageError

FORMS: dict[str, str] = {}  # what each statement takes, as its error message says it
STATEMENTS: dict[str, Callable[[Topology, Line, list[str]], None]] = {}
HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
INTERFACE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")  # IFNAMSIZ is 16, with a zero at the end
RESERVED = {"lo", "all", "default"}  # the last two are folders beside interfaces under /proc/sys/net
MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
LEAST_MTU, MOST_MTU = 68, 65535
MOST_INTERFACES = 255

Address = ipaddress.IPv4Interface | ipaddress.IPv6Interface


class Line:
    """A statement: its words, and where it stands; `argument` when that is the command line."""

    def __init__(self, words: list[str], place: str, argument: bool = False) -> None:
        self.words, self.place, self.argument = words, place, argument

    def wrong(self, message: str) -> PktError | UsageError:
        """The error that says what is wrong with it."""
        return (UsageError if self.argument else PktError)(f"{self.place}: {message}")


class Interface:
    """An interface of a host: an end of a wire, or a bridge with `ports`."""

    def __init__(self, name: str, line: Line) -> None:
        self.name, self.line = name, line
        self.mac = ""
        self.index = 0  # one of its own in the whole topology
        self.mtu: int | None = None
        self.addresses: list[tuple[Address, Line]] = []
        self.neighbours: list[tuple[str, str, Line]] = []  # IP address and MAC address
        self.offload = True
        self.ports: list[str] | None = None
        self.peer: tuple[str, str] | None = None  # host and interface at the other end of the wire

    @property
    def ipv6(self) -> bool:
        """Whether it has an IPv6 address."""
        return any(address.version == 6 for address, _ in self.addresses)


class Host:
    """A host, with its interfaces in the order of the file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.interfaces: dict[str, Interface] = {}
        self.routes: list[tuple[str, str, Line]] = []  # network, or default, and gateway
        self.forward = False

    @property
    def ipv6(self) -> bool:
        """Whether it has an IPv6 address."""
        return any(one.ipv6 for one in self.interfaces.values())


class Topology:
    """Hosts in the order of the file, and wires: pairs of a host's name and an interface's."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.wires: list[tuple[tuple[str, str], tuple[str, str], Line]] = []
        self.root = False
        self.optional = False

    def host(self, name: str, line: Line) -> Host:
        """The host of that name, a new one if there was none."""
        if not HOST_NAME.fullmatch(name):
            raise line.wrong(f"'{name}' is no name of a host: letters, digits and dashes, up to 63")
        return self.hosts.setdefault(name, Host(name))

    def known(self, name: str, line: Line) -> Host:
        """The host of that name."""
        if name not in self.hosts:
            raise line.wrong(f"no host {name}; there are {', '.join(self.hosts) or 'none'}")
        return self.hosts[name]

    def interface(self, end: str, line: Line) -> Interface:
        """The interface that HOST:INTERFACE names."""
        name, _, interface = end.partition(":")
        host = self.known(name, line)
        if interface not in host.interfaces:
            raise line.wrong(f"no interface {interface or '(HOST:INTERFACE is wanted)'} in {name}; "
                             f"there are {', '.join(host.interfaces) or 'none'}")  # fmt: skip
        return host.interfaces[interface]


def lines(arguments: list[str]) -> list[Line]:
    """The statements of arguments: each is one, if it begins with a statement's word, or a file; `-` is standard input.

    Raises PktError for a file that cannot be read.
    """
    found = []
    for argument in arguments:
        if re.match(rf"\s*({'|'.join(FORMS)})\s", argument):
            found += [Line(words, f"'{' '.join(words)}'", True) for words in split(argument) if words]
            continue
        name = "<stdin>" if argument == "-" else argument
        if argument != "-" and not Path(argument).exists():
            check_file(argument)
        try:
            text = sys.stdin.read() if argument == "-" else Path(argument).read_text()
        except OSError as error:
            raise PktError(f"{name}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise PktError(f"{name}: it is no text") from None
        found += [Line(words, f"{name}:{number}") for number, words in enumerate(split(text), 1) if words]
    return found


def check_file(argument: str) -> None:
    """Raises UsageError for what is no file, and looks like a statement."""
    first, *others = argument.split() or [""]
    if first in FORMS:
        raise UsageError(f"{first}: a statement is one argument, in quotes: '{FORMS[first]}'")
    if others and "/" not in first:
        raise UsageError(f"'{argument[:80]}': no statement '{first[:40]}'; there are {', '.join(FORMS)}")


def split(text: str) -> list[list[str]]:
    """The words of each line, without comments."""
    return [re.sub(r"(^|\s)#.*", "", line).split() for line in text.splitlines()]


def read(statements: list[Line]) -> Topology:
    """The topology of statements. A statement may use what a later one names. Raises PktError, UsageError."""
    topology = Topology()
    for line in statements:
        if line.words[0] not in FORMS:
            raise line.wrong(f"no statement '{line.words[0]}'; there are {', '.join(FORMS)}")
    # First what makes hosts and interfaces, in the order of the file, so that numbers and names are given in it.
    for word in (("host", "wire", "bridge"), FORMS.keys() - {"host", "wire", "bridge"}):
        for line in statements:
            if line.words[0] in word:
                STATEMENTS[line.words[0]](topology, line, line.words[1:])
    if not topology.hosts:
        raise PktError("the topology has no hosts")
    for host in topology.hosts.values():
        for interface in host.interfaces.values():
            for port in interface.ports or ():
                check_port(host, interface, port)
    number(topology)
    return topology


def statement(form: str) -> Callable:
    """Makes a function the one that reads the statement of that form."""

    def known(function: Callable[[Topology, Line, list[str]], None]) -> Callable:
        name = form.split()[0]
        FORMS[name], STATEMENTS[name] = form, function
        return function

    return known


def operands(line: Line, given: bool) -> None:
    """Raises the error that says what the statement takes, unless `given`."""
    if not given:
        raise line.wrong(f"wanted: {FORMS[line.words[0]]}")


def add_interface(host: Host, name: str, line: Line) -> Interface:
    """A new interface; without a name the next free of eth0, eth1, ..."""
    if not name:
        name = next(f"eth{i}" for i in range(MOST_INTERFACES + 1) if f"eth{i}" not in host.interfaces)
    if not INTERFACE_NAME.fullmatch(name) or name in RESERVED:
        raise line.wrong(f"'{name}' is no name for an interface: up to 15 letters, digits, dots, dashes and underscores")
    if name in host.interfaces:
        raise line.wrong(f"{host.name}:{name} is in use already ({host.interfaces[name].line.place})")
    if len(host.interfaces) == MOST_INTERFACES:
        raise line.wrong(f"{host.name} has more than {MOST_INTERFACES} interfaces")
    host.interfaces[name] = Interface(name, line)
    return host.interfaces[name]


def address_of(word: str, line: Line) -> Address:
    """ADDRESS/LENGTH."""
    try:
        if "/" not in word:
            raise ValueError(f"'{word}' has no /LENGTH")
        without_scope(word)
        return ipaddress.ip_interface(word)
    except ValueError as error:
        raise line.wrong(f"bad address: {error}") from None


def without_scope(word: str) -> str:
    """The word, unless it is an address with a scope, `fe80::1%eth0`, which `ip` takes nowhere. Raises ValueError."""
    if "%" in word:
        raise ValueError(f"'{word}' has a scope")
    return word


def mac_of(word: str, line: Line) -> str:
    """A MAC address that an interface can have."""
    if not MAC.fullmatch(word):
        raise line.wrong(f"bad MAC address '{word}': such as 02:00:00:00:00:01")
    return word.lower()


@statement("host NAME...")
def _host(topology: Topology, line: Line, words: list[str]) -> None:
    """Hosts, which need no wire."""
    operands(line, bool(words))
    for name in words:
        topology.host(name, line)


@statement("wire HOST[:INTERFACE] [ADDRESS/LENGTH]... HOST[:INTERFACE] [ADDRESS/LENGTH]...")
def _wire(topology: Topology, line: Line, words: list[str]) -> None:
    """A veth pair, with hosts that were not there yet."""
    ends: list[tuple[str, list[str]]] = []
    for word in words:
        if "/" not in word:
            ends.append((word, []))
        else:
            operands(line, bool(ends))
            ends[-1][1].append(word)
    operands(line, len(ends) == 2)
    made = []
    for end, addresses in ends:
        name, colon, interface = end.partition(":")
        operands(line, bool(interface or not colon))
        added = add_interface(topology.host(name, line), interface, line)
        added.addresses += [(address_of(word, line), line) for word in addresses]
        made.append((name, added))
    (first, one), (second, other) = made
    one.peer, other.peer = (second, other.name), (first, one.name)
    topology.wires.append(((first, one.name), (second, other.name), line))


@statement("bridge HOST:NAME PORT...")
def _bridge(topology: Topology, line: Line, words: list[str]) -> None:
    """The kernel's bridge, with interfaces of the host as ports."""
    name, _, bridge = words[0].partition(":") if words else ("", "", "")
    operands(line, len(words) > 1 and bool(bridge))
    add_interface(topology.host(name, line), bridge, line).ports = words[1:]


def check_port(host: Host, bridge: Interface, port: str) -> None:
    """Raises the error of a port that is none."""
    assert bridge.ports is not None
    if port not in host.interfaces or host.interfaces[port].ports is not None:
        raise bridge.line.wrong(f"no interface {port} in {host.name} that could be a port; write `wire {host.name}:{port} ...`")
    uses = [one.name for one in host.interfaces.values() for name in one.ports or () if name == port]
    if len(uses) > 1:
        raise bridge.line.wrong(f"{host.name}:{port} is a port twice")


@statement("address HOST:INTERFACE ADDRESS/LENGTH...")
def _address(topology: Topology, line: Line, words: list[str]) -> None:
    """Addresses, beside those that a wire gives."""
    operands(line, len(words) > 1)
    topology.interface(words[0], line).addresses += [(address_of(word, line), line) for word in words[1:]]


@statement("route HOST default|NETWORK/LENGTH via ADDRESS")
def _route(topology: Topology, line: Line, words: list[str]) -> None:
    """A route, as `ip route` has it."""
    operands(line, len(words) == 4 and words[2] == "via")
    host = topology.known(words[0], line)
    try:
        gateway = ipaddress.ip_address(without_scope(words[3]))
        network = None if words[1] == "default" else ipaddress.ip_network(without_scope(words[1]))
    except ValueError as error:
        raise line.wrong(f"bad address: {error}") from None
    if network and network.version != gateway.version:
        raise line.wrong(f"{network} and {gateway} are not of one family")
    host.routes.append((str(network or "default"), str(gateway), line))


@statement("forward HOST...")
def _forward(topology: Topology, line: Line, words: list[str]) -> None:
    """The host is a router."""
    operands(line, bool(words))
    for name in words:
        topology.known(name, line).forward = True


@statement("mac HOST:INTERFACE MAC")
def _mac(topology: Topology, line: Line, words: list[str]) -> None:
    """A MAC address instead of the one that is given by number."""
    operands(line, len(words) == 2)
    mac = mac_of(words[1], line)
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise line.wrong(f"bad MAC address '{words[1]}': an interface has none of a group, and not zero")
    topology.interface(words[0], line).mac = mac


@statement("mtu HOST:INTERFACE BYTES")
def _mtu(topology: Topology, line: Line, words: list[str]) -> None:
    """The longest packet that is sent."""
    operands(line, len(words) == 2)
    if not (words[1].isascii() and words[1].isdigit() and len(words[1]) < 9 and LEAST_MTU <= int(words[1]) <= MOST_MTU):
        raise line.wrong(f"bad MTU '{words[1]}': from {LEAST_MTU} to {MOST_MTU} bytes")
    topology.interface(words[0], line).mtu = int(words[1])


@statement("offload HOST:INTERFACE off")
def _offload(topology: Topology, line: Line, words: list[str]) -> None:
    """The stack computes checksums and cuts packets by itself."""
    operands(line, len(words) == 2 and words[1] == "off")
    topology.interface(words[0], line).offload = False


@statement("neighbour HOST:INTERFACE ADDRESS MAC")
def _neighbour(topology: Topology, line: Line, words: list[str]) -> None:
    """A neighbour that needs no ARP."""
    operands(line, len(words) == 3)
    try:
        address = str(ipaddress.ip_address(without_scope(words[1])))
    except ValueError as error:
        raise line.wrong(f"bad address: {error}") from None
    topology.interface(words[0], line).neighbours.append((address, mac_of(words[2], line), line))


@statement("root")
def _root(topology: Topology, line: Line, words: list[str]) -> None:
    """It takes the privilege of the whole machine, no user namespace."""
    operands(line, not words)
    topology.root = True


@statement("optional")
def _optional(topology: Topology, line: Line, words: list[str]) -> None:
    """A demonstration has something to show without it, too."""
    operands(line, not words)
    topology.optional = True


def number(topology: Topology) -> None:
    """Gives interfaces their numbers, and the MAC addresses 02:00:00:00:HOST:INTERFACE, both counted from 1.

    Where both ends of a veth pair have the same number, the kernel does not see that they are a pair (`linkwatch_urgent_event`),
    and takes up to a second to notice that the link is up.
    """
    for count, host in enumerate(topology.hosts.values(), 1):
        for place, interface in enumerate(host.interfaces.values(), 1):
            interface.index = count << 8 | place
            interface.mac = interface.mac or f"02:00:00:{count >> 8 & 255:02x}:{count & 255:02x}:{place:02x}"
