"""Makes packets: arp, icmp, icmp6, udp, tcp, or after others: raw.

pkt-gen udp --dport 1..99 --size 64..1500 --count 1000 IP.TTL=random

VALUES: 5  1..9/2  1,5,7  random  random:1..9; also addresses and names.
"""

from __future__ import annotations

import sys

from ..command_line.options import (
    FLAG,
    INPUT,
    NUMBER,
    OUTPUT,
    REAL,
    REPORT,
    SECRETS,
    TEXT,
    USER,
    XMIT,
    Option,
    Values,
    general_briefly,
)
from ..errors import UsageError, need
from ..flow.stage import Source, Stage
from ..formats.files import Output, Sink
from ..generator.request import rate_of
from ..generator.source import Generated
from ..generator.templates import PROTOCOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..command_line.options import More

MAKING = [
    Option("-i --interface", TEXT, "send to IFACE instead of writing", "IFACE"),
    XMIT,
    Option("--count", NUMBER, "make N packets (default 1; raw: all); 0: no end", "N"),
    Option("--rate", TEXT, "N packets a second, or a ramp N..N", "N"),
    Option("--duration", REAL, "make packets for SECONDS", "SECONDS"),
    Option("--src", TEXT, "source IP address; IPv6 is made of IPv6 ones", "VALUES", unless="raw"),
    Option("--dst", TEXT, "destination IP address", "VALUES", unless="raw"),
    Option("--src-mac", TEXT, "source MAC address (default: IFACE's own)", "VALUES", unless="raw"),
    Option("--dst-mac", TEXT, "destination MAC address (default: broadcast)", "VALUES", unless="raw"),
    Option("--sport", TEXT, "source port (default 9)", "VALUES", unless="raw"),
    Option("--dport", TEXT, "destination port (default 9)", "VALUES", unless="raw"),
    Option("--flags", TEXT, "TCP flags, letters of FSRPAUEC (default S)", "VALUES", unless="raw"),
    Option("--vlan", TEXT, "add a VLAN tag with this ID", "VALUES", unless="raw"),
    Option("--size", TEXT, "bytes of the frame, no FCS (default 60; tcp 54)", "VALUES", unless="raw"),
    Option("--payload", TEXT, "begin the payload with TEXT, or with 0xBYTES", "TEXT", unless="raw"),
    Option("--stamp", FLAG, "put a number and the time into the payload"),
    Option("--seed", NUMBER, "seed of random values; TIME begins at 0", "N"),
    Option("--start", REAL, "TIME of the first packet", "SECONDS", most=9e9, hidden=True),
    Option("--nested", FLAG, "a field steps when the one before has gone round"),
    Option("--raw-checksums", FLAG, "compute no checksums"),
    Option("--pktgen", FLAG, "write a script for the kernel's pktgen instead"),
    Option("--trafgen", FLAG, "write a configuration for trafgen instead"),
]
WRITING = [option for option in OUTPUT if option is not SECRETS and option.attribute != "output"]
OPTIONS = [
    *MAKING,
    Option("--expect", NUMBER, "pkt-gen check: N packets were sent", "N"),
    *INPUT,
    *(option for option in OUTPUT if option.attribute == "output"),
    *(option if option.attribute == "format" else option.unshown() for option in WRITING),
    REPORT.unshown(),
    *USER,
    *general_briefly(),
]
ARGUMENTS = "PROTOCOL|check..."
ARGUMENTS_HELP = "and FIELD=VALUES"


def more_options() -> More:
    """An option for every field: `--ip-ttl` for `IP.TTL=`."""
    from .change import more_options

    return more_options()


def place(values: Values) -> str:
    """Where in a pipe it stands."""
    if values.arguments[:1] == ["check"]:
        return "last"
    return "alone" if values.interface else "first"


def instead(values: Values) -> list[str] | None:
    """What other generators are to do, if that is asked for. Raises UsageError, PktError."""
    if not (values.pktgen or values.trafgen):
        return None
    need(not (values.pktgen and values.trafgen), "only one of --pktgen and --trafgen")
    source = generated(values)
    source.begin()
    source.lay_out()
    if values.trafgen:
        from ..generator.scripts import trafgen

        return trafgen(source.stream)
    from ..generator.scripts import pktgen

    need(values.rate is None or ".." not in values.rate, "--pktgen: the kernel's pktgen has no ramps")
    rate = None if values.rate is None else rate_of(values.rate)
    count = source.count if values.duration is None or values.rate is not None else values.count  # no end by time
    return pktgen(source.stream, values.interface, values.xmit, count, rate, not values.raw_checksums, bool(values.nested))


def generated(values: Values) -> Generated:
    """The packets that a command line asks for. Raises UsageError."""
    known = ", ".join((*PROTOCOLS, "raw", "check"))
    need(bool(values.arguments), f"make what? One of {known}")
    protocol = values.arguments[0]
    need(protocol in (*PROTOCOLS, "raw"), f"'{protocol[:40]}' is not one of {known}")
    need(values.expect is None, "--expect is for check")
    need(protocol == "raw" or not values.input, "--in is for raw and check")
    for option in values.given(OPTIONS):
        need(option.unless != protocol, f"{option.names[-1]} is not for raw: fields are, such as IP.TTL=9")
    return Generated(values, protocol)


def stage(values: Values) -> Stage:
    """Makes packets and writes or sends them, or checks them."""
    need(not (values.pktgen or values.trafgen), "--pktgen and --trafgen are for pkt-gen alone")
    values.limit, values.skip, values.link_type = None, 0, None  # what only filters have
    if values.arguments[:1] == ["check"]:
        return checking(values)
    source = generated(values)
    if not values.interface:
        need(values.xmit == "queue", "--xmit needs -i")
        need(values.report == "text", "--report needs -i, or check")
        return Stage(values, program=(None, None), source=source.begin, account=source.account, beyond=source.beyond)
    need(sys.platform == "linux", "-i is for Linux")
    for option in values.given([option for option in OUTPUT if option in OPTIONS]):
        raise UsageError(f"{option.names[-1]} is for packets that are written")
    need(values.start is None, "--start is for packets that are written")
    return Stage(values, program=(None, None), source=source.begin, sink=source.interface, account=source.account,
                 beyond=source.beyond)  # fmt: skip


def checking(values: Values) -> Stage:
    """Reads packets, and says what became of them on their way."""
    need(not values.interface, "--interface is not for check: it reads what pkt-recv -i has received, and takes no conditions")
    for option in values.given([*MAKING, *WRITING]):
        raise UsageError(f"{option.names[-1]} is not for check")
    need(len(values.arguments) == 1, f"check takes no '{''.join(values.arguments[1:2])[:40]}': pkt-filter picks packets")

    def sink(source: Source) -> Sink:
        from ..generator.report import Report

        return Report(Output(values.output, source.file), values.expect, values.report == "json")

    return Stage(values, program=(None, None), sink=sink)
