"""Packets as text, through pipes: pkt-recv | pkt-change --icmp-type 8 | pkt-correct | pkt-send

In a program: for packet in pkttools.read("a.pcap"): packet["IP.TTL"]; see pkttools(3), and library/.

How packets flow, and where each thing is:

    commands/       one module a command: its options, and the stage that it is; pipe joins several
    main            the launcher: finds the command, turns errors into messages and exit codes
    library/        the same for programs: import pkttools; pytest_plugin for tests
    command_line/   what every command is to a user: options, help, signals, how far it has come
    flow            source -> filter -> work -> assignments -> sink, the same for one command and several
    language/       filters and assignments: read, compiled to programs; values, as they are written and shown
    protocols/      what protocols are: a description each, and the tables of fields, names, layouts and of the walk made of them
    codec/          what is done to many packets at once, in C or in Python; does no I/O, knows no field names
    formats/        files: text, pcap, pcapng, bare bytes, text for people
    live/           the wire: receiving and sending, live/linux by packet(7) and BPF, live/libpcap elsewhere
    work/           what commands do to packets beyond the codec: fragments, reassembly, segments, answers, other link layers
    compare/        what differs between two packets, by field, and which belong to each other
    ask/            which packet answers which; questions that wait for their answers, and rules that answer
    expect/         which packets are expected, what came instead, and how that is reported
    generator/      packets that are made; switch/: a bridge; lab/: hosts in namespaces; sockets/: bytes over TCP and UDP
    bpf/, libpcap/  programs of BPF and the library that compiles them
    kernel/         what Linux has beyond os and socket: packet rings, bursts, pages lent to pipes; in C or in Python
    batch, blocks   what all of the above hand to each other: packets, and what captures say of them
    errors          what went wrong, in words; whether C was built from the sources that are there
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .library import Differing as Differing
    from .library import Lab as Lab
    from .library import NoField as NoField
    from .library import Packet as Packet
    from .library import Packets as Packets
    from .library import PktError as PktError
    from .library import PktWarning as PktWarning
    from .library import UsageError as UsageError
    from .library import ask as ask
    from .library import change as change
    from .library import correct as correct
    from .library import diff as diff
    from .library import filter as filter
    from .library import parse as parse
    from .library import pipe as pipe
    from .library import read as read
    from .library import receive as receive
    from .library import send as send
    from .library import write as write

__version__ = "2.0.0a2"

LIBRARY = ("Differing", "Lab", "NoField", "Packet", "Packets", "PktError", "PktWarning", "UsageError", "ask", "change", "correct",
           "diff", "filter", "parse", "pipe", "read", "receive", "send", "write")  # fmt: skip
# Whoever reads tables of protocols has imported one of them.
READS_TABLES = ("library", "codec", "protocols.fields", "protocols.kinds", "protocols.names")


def use_protocols(*files: object) -> None:
    """Lets this program, and the commands that it starts, know the protocols that files describe, as --protocols does.

    files: paths. It is called once, before anything else of the library is used. Raises UsageError, for what is wrong in a file
    with its line; PktError for one that cannot be read.
    """
    import os
    import sys

    from .command_line.options import add_protocols
    from .errors import need

    late = any(f"{__name__}.{module}" in sys.modules for module in READS_TABLES)
    need(not late, "use_protocols comes before anything else of pkttools: its tables of protocols are in use")
    before = os.environ.get("PKTTOOLS_PROTOCOLS")
    paths = [os.path.abspath(os.fspath(file)) for file in files]  # type: ignore[call-overload]  # noqa: PTH100
    need(not any(":" in path for path in paths), "use_protocols: a ':' in a path is what stands between paths")
    os.environ["PKTTOOLS_PROTOCOLS"] = ":".join([*([before] if before else []), *paths])
    try:
        add_protocols([])
    except Exception:
        if before is None:
            del os.environ["PKTTOOLS_PROTOCOLS"]
        else:
            os.environ["PKTTOOLS_PROTOCOLS"] = before
        raise
    from . import library  # noqa: F401  now, so that nobody asks for others


def __getattr__(name: str) -> object:
    """The names of the library, and `live`, when they are first asked for: who runs a command has no use for them."""
    if name not in LIBRARY and name != "live":
        raise AttributeError(f"module 'pkttools' has no attribute '{name}'")
    found = __import__(f"{__name__}.library" if name in LIBRARY else f"{__name__}.live", fromlist=["*"])
    if name in LIBRARY:
        found = getattr(found, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *LIBRARY, "live"])
