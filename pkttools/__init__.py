"""Packets as text, through pipes: pkt-recv | pkt-change --icmp-type 8 | pkt-correct | pkt-send

How packets flow, and where each thing is:

    commands/*      one module a command: its options, and the stage that it is; pipe joins several
    main            the launcher: finds the command, turns errors into messages and exit codes; signals end it
    options         the options that commands share, and how a command line is read; help shows them
    flow            source -> filter -> work -> assignments -> sink, the same for one command and several; progress shows it
    formats/        sources and sinks: text, pcap, pcapng, bare bytes, text for people; files says which descriptors, lending
                    and write_behind how large pieces are written
    linux/          sources and sinks of live packets: AF_PACKET; pace says when to send
    work/           what commands do to packets beyond the codec: fragments, reassembly, answers, other link layers
    sockets/        TCP and UDP, apart from packets: bytes between a socket and standard input and output
    expression      filters and assignments, compiled by program to rows of the table
    values          what a field's value looks like, to read and to print
    fields, names   the field table, and the names of values
    batch, errors   what all of the above hand to each other: packets, and what went wrong
    kernel/         what Linux has beyond os and socket: packet rings, bursts, pages lent to pipes; in C or in Python
    codec/          what is done to many packets at once, in C or in Python; does no I/O, knows no field names
"""

__version__ = "2.0.0a1"
