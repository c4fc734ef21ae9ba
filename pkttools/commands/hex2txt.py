"""Reads hex dumps of other programs: tcpdump -x, tshark -x, xxd...

tcpdump -xx -r ping.pcap | pkt-hex2txt

echo 68656c6c6f21 | pkt-hex2txt --udp 1000,53
"""

from ..command_line.options import TEXT, Option, Values, filter_briefly
from ..errors import need
from ..flow.stage import Source, Stage

PLACE = "first"
OFFSETS = {"hex": 16, "octal": 8, "decimal": 10}
OPTIONS = [
    Option("--dump", TEXT, "read as KIND, not as what it looks like; ?: a list", "KIND"),
    Option("--words", TEXT, "order of bytes in words", "big|little", choices=("big", "little")),
    Option("--offsets", TEXT, "base of offsets: hex, octal or decimal", "BASE", choices=tuple(OFFSETS)),
    Option("--lines", TEXT, "a line of bare hex is: row, packet", "WHAT", choices=("row", "packet")),
    Option("--date", TEXT, "the day of times that say none (today)", "DATE"),
    Option("-e --eth", TEXT, "payloads: put Ethernet around, of TYPE (in hex)", "TYPE"),
    Option("-i --ip", TEXT, "the same with IP of PROTOCOL, under Ethernet", "PROTOCOL"),
    Option("-u --udp", TEXT, "and UDP: PORT,PORT or ADDR:PORT-ADDR:PORT", "ENDS"),
    Option("-T --tcp", TEXT, "or TCP; with -lt 101 without Ethernet", "ENDS"),
    Option("-4 -6 --addresses", TEXT, "from, to: ADDR,ADDR (192.0.2.1,192.0.2.2)", "ADDRS"),
    *filter_briefly(),
]


def instead(values: Values) -> list[str] | None:
    """The kinds of dumps, where they are asked for."""
    if values.dump != "?":
        return None
    from ..formats.dumps import KINDS

    return [f"{kind.name:<10} {kind.what}" for kind in KINDS]


def stage(values: Values) -> Stage:
    """Reads dumps, and puts headers around payloads."""
    from ..formats.dumps import NAMES, packets
    from ..formats.dumps.reading import Asked
    from ..language.times import moment

    need(values.dump is None or values.dump in NAMES, f"--dump: '{values.dump}' is not one of {', '.join(NAMES)}")
    day = None if values.date is None else moment("--date", values.date)
    around = (values.eth, values.ip, values.udp, values.tcp, values.addresses)
    bare = any(option is not None for option in around)
    asked = Asked(values.dump, values.words, OFFSETS.get(values.offsets), values.lines, day, values.link_type, bare)
    if not bare:
        return Stage(values, source=lambda: Source(values, lambda source: packets(source, asked)), writes="text", apart=True)
    from ..work.bare import Around

    headers = Around(*around, values.link_type)
    values.link_type = None  # of what comes of it
    return Stage(values, source=lambda: Source(values, lambda source: headers(packets(source, asked))), writes="text", apart=True)
