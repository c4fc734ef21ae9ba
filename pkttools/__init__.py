"""Packets as text, through pipes: pkt-recv | pkt-change --icmp-type 8 | pkt-correct | pkt-send

How packets flow, and where each thing is:

    commands/       one module a command: its options, and the stage that it is; pipe joins several
    main            the launcher: finds the command, turns errors into messages and exit codes
    command_line/   what every command is to a user: options, help, signals, how far it has come
    flow            source -> filter -> work -> assignments -> sink, the same for one command and several
    language/       filters and assignments: read, compiled to programs; values, as they are written and shown
    protocols/      what protocols are: a description each, and the tables of fields, names, layouts and of the walk made of them
    codec/          what is done to many packets at once, in C or in Python; does no I/O, knows no field names
    formats/        files: text, pcap, pcapng, bare bytes, text for people
    live/           the wire: receiving and sending, live/linux by packet(7) and BPF, live/libpcap elsewhere
    work/           what commands do to packets beyond the codec: fragments, reassembly, segments, answers, other link layers
    compare/        what differs between two packets, by field, and which belong to each other
    generator/      packets that are made; switch/: a bridge; lab/: hosts in namespaces; sockets/: bytes over TCP and UDP
    bpf/, libpcap/  programs of BPF and the library that compiles them
    kernel/         what Linux has beyond os and socket: packet rings, bursts, pages lent to pipes; in C or in Python
    batch, blocks   what all of the above hand to each other: packets, and what captures say of them
    errors          what went wrong, in words; whether C was built from the sources that are there
"""

__version__ = "2.0.0a2"
