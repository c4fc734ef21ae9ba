"""Makes packets: arp, icmp, icmp6, udp, tcp, or raw, after those it reads.

pkt-gen udp --dport 1..99 --size 64..1500 --count 1000 IP.TTL=random

VALUES: 5  1..9/2  1,5,7  random  random:1..9; also addresses and names.
"""

from __future__ import annotations

import os
import sys
import time

from ..errors import PktError, UsageError
from ..expression import field, rows_of, split_assignment
from ..fields import FIELDS
from ..flow import Source, Stage, need
from ..formats.files import Input, Output, Sink
from ..generator.schedule import Schedule
from ..generator.stream import AT_ONCE, STAMP, Column, Lengths, Stream, Template
from ..generator.templates import LARGEST, LEAST, PROTOCOLS, build, headers_size, largest_size, lengths
from ..generator.values import Drawn, Turns, field_values, least, most, parse
from ..options import FLAG as YES
from ..options import GENERAL, INPUT, NUMBER, OUTPUT, REAL, Option, Values
from ..options import TEXT as WORD
from ..signals import check, install
from ..values import parse_number

TYPE_CHECKING = False  # typing's own is dear at start-up, as collections is
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from ..sending import Sender

XMIT = ("queue", "direct", "receive")
USUAL = 1514  # bytes of the longest frame where sizes are drawn from all there are
RATE = 1000  # packets a second in text, unless --rate says something else
STAMPED_AT_ONCE = 64  # packets that are sent with the same time in them: 30 us, then
TEMPLATES = 16 << 20  # bytes of packets that are read as templates
FLAGS = {letter: 1 << i for i, letter in enumerate("FSRPAUEC")}  # of TCP, as tcpdump names them; RFC 9293 section 3.1
OPTIONS = [
    Option("-i --interface", WORD, "send to IFACE instead of writing", "IFACE"),
    Option("--xmit", WORD, "way into the kernel: queue, direct, receive", "WAY", default="queue", choices=XMIT),
    Option("--count", NUMBER, "make N packets (default 1); 0: without end", "N"),
    Option("--rate", WORD, "N packets a second, or a ramp N..N", "N"),
    Option("--duration", REAL, "make packets for SECONDS", "SECONDS"),
    Option("--src", WORD, "source IP address; IPv6 is made of IPv6 ones", "VALUES"),
    Option("--dst", WORD, "destination IP address", "VALUES"),
    Option("--src-mac", WORD, "source MAC address (default: IFACE's own)", "VALUES"),
    Option("--dst-mac", WORD, "destination MAC address (default: broadcast)", "VALUES"),
    Option("--sport", WORD, "source port (default 9)", "VALUES"),
    Option("--dport", WORD, "destination port (default 9)", "VALUES"),
    Option("--flags", WORD, "TCP flags, letters of FSRPAUEC (default S)", "VALUES"),
    Option("--vlan", WORD, "add a VLAN tag with this ID", "VALUES"),
    Option("--size", WORD, "bytes of the frame without FCS (default 60)", "VALUES"),
    Option("--payload", WORD, "begin the payload with TEXT, or with 0xBYTES", "TEXT"),
    Option("--stamp", YES, "put a number and the time into the payload"),
    Option("--seed", NUMBER, "seed of random values; TIME begins at 0", "N"),
    Option("--start", REAL, "TIME of the first packet", "SECONDS", most=9e9),
    Option("--nested", YES, "a field steps when the one before has gone round"),
    Option("--raw-checksums", YES, "compute no checksums"),
    Option("--pktgen", YES, "write a script for the kernel's pktgen instead"),
    Option("--trafgen", YES, "write a configuration for trafgen instead"),
    Option("--expect", NUMBER, "pkt-gen check: N packets were sent", "N"),
    *INPUT,
    *(option if option.attribute in ("output", "format") else option.unshown() for option in OUTPUT),
    *GENERAL,
]
ARGUMENTS = "PROTOCOL|check..."
ARGUMENTS_HELP = "and FIELD=VALUES"
OF_CHECK = ("expect", "input", "output", "verbose")
OF_BUILT = ("src", "dst", "src_mac", "dst_mac", "sport", "dport", "flags", "vlan", "size", "payload")
PORTS = {"udp": "UDP", "tcp": "TCP"}


def more_options() -> dict[str, str]:
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
        return Stage(values, program=(None, None), source=source.begin, account=source.account)
    need(sys.platform == "linux", "-i is for Linux")
    for option in OUTPUT:
        need(getattr(values, option.attribute) == option.default, f"{option.names[-1]} is for packets that are written")
    need(values.start is None, "--start is for packets that are written")
    stopped = "" if source.count is None and values.duration is None else "stopped by a signal: the rest was not made"
    return Stage(values, program=(None, None), source=source.begin, sink=source.interface, account=source.account, stopped=stopped)


def checking(values: Values) -> Stage:
    """Reads packets, and says what became of them on their way."""
    for option in OPTIONS:
        asked = getattr(values, option.attribute) != option.default
        need(not asked or option.attribute in OF_CHECK, f"{option.names[-1]} is not for check")
    need(len(values.arguments) == 1, f"check takes no '{''.join(values.arguments[1:2])[:40]}': pkt-filter picks packets")

    def sink(source: Source) -> Sink:
        from ..generator.report import Report

        return Report(Output(values.output, source.file), values.expect)

    return Stage(values, program=(None, None), sink=sink, stopped="")  # what came until then is reported


class Generated(Source):
    """Packets that are made, as the source of a flow."""

    linktype = 1
    file = None
    form = "text"

    def __init__(self, values: Values, protocol: str) -> None:
        """Raises UsageError."""
        self.values, self.protocol = values, protocol
        self.seed = int.from_bytes(os.urandom(4), "big") if values.seed is None else values.seed
        self.lent = False
        self.count, self.schedule = amount(values)
        self.settings = settings(values, protocol)
        names = [(field(name)[0], field(name)[2] or 1) for name, _ in self.settings]
        for name, text in self.settings:
            need(names.count((field(name)[0], field(name)[2] or 1)) == 1, f"{name}: it is set twice")
            if field(name)[0].startswith(("UNKNOWN",)) or not text:
                raise UsageError(f"{name}: a value is missing")
        self.columns = [
            Column(name, field_values(name, rows_of(field(name)[1]), text, self.seed_of(name))) for name, text in self.settings
        ]
        self.stream: Stream | None = None
        if protocol == "raw":
            for option in OPTIONS:
                if option.attribute in OF_BUILT:
                    need(
                        getattr(values, option.attribute) is None,
                        f"{option.names[-1]} is not for raw: fields are, such as IP.TTL=9",
                    )
        else:
            need(values.input is None, "--in is for raw and check")
            self.built()

    def seed_of(self, name: str) -> int:
        """A seed for a field: others that come and go change nothing about it."""
        return int.from_bytes(f"{self.seed} {name.upper()}".encode(), "big")

    def built(self) -> None:
        """Lays out the packet of a protocol. Raises UsageError."""
        values, protocol = self.values, self.protocol
        v6, tagged, payload = is_v6(protocol, self.settings), values.vlan is not None, payload_of(values)
        shortest = headers_size(protocol, v6, tagged) + len(payload)
        sizes = None
        room = largest_size(protocol, v6, tagged)
        need(shortest <= room, f"--payload: {len(payload)} bytes are too many: a packet of {protocol} has room for {room} bytes")
        longest = max(LEAST, shortest)
        if values.size is not None:
            found = parse("--size", values.size, self.seed_of("--size"), size_of, shortest, max(USUAL, shortest))
            need(least(found) >= shortest, f"--size: {least(found)} is too short: headers and payload take {shortest} bytes")
            longest = most(found)
            need(longest <= room, f"--size: {longest} is too long: a packet of {protocol} has room for {room} bytes")
            sizes = Lengths(found, lengths(v6, tagged, protocol)) if found.period != 1 else None
        if values.nested:
            nest([*([sizes.values] if sizes else []), *(column.values for column in self.columns)])
        self.template = Template(build(protocol, v6, tagged, payload, longest), self.linktype)
        self.sizes = sizes
        self.make([self.template])

    def make(self, templates: list[Template]) -> None:
        """Makes the stream of packets. Raises UsageError."""
        values = self.values
        wanted = not values.interface or values.rate is not None
        sizes = self.sizes if self.protocol != "raw" else None
        start = 0 if values.interface else begin_of(values)
        self.stream = Stream(
            templates, self.columns, sizes, stamp=bool(values.stamp), mend=not values.raw_checksums,
            schedule=self.schedule if wanted else None, start=start,
        )  # fmt: skip

    def begin(self) -> Generated:
        """Begins: templates are read, if there are any to read. Raises PktError."""
        install(drain=False)
        if self.protocol == "raw":
            if self.values.nested:
                nest([column.values for column in self.columns])
            self.make(self.read())
        return self

    def read(self) -> list[Template]:
        """The packets on standard input. Raises PktError."""
        from ..formats import packets

        file = Input(self.values.input)
        templates, room = [], TEMPLATES
        for batch in packets(file):
            for packet in map(batch.packet, range(len(batch))):
                room -= len(packet.frame)
                if room < 0:
                    raise PktError(f"{file.name}: templates are at most {TEMPLATES >> 20} MiB")
                templates.append(Template(packet.frame, packet.linktype, packet.time, packet.original))
        if not templates:
            raise PktError(f"{file.name}: no packet to begin with")
        self.linktype = templates[0].linktype
        return templates

    def interface(self, _: Source) -> Sender:
        """The interface that everything goes to. Raises PktError."""
        from ..pace import Pace

        values = self.values
        pace = Pace(fast=values.rate is None)
        if values.xmit == "receive":
            from ..linux.inject import injector

            sink: Sender = injector(values.interface, pace)
        else:
            from ..linux.send import Sender

            sink = Sender(values.interface, pace, direct=values.xmit == "direct")
        self.lent = True
        if sink.longest > AT_ONCE:  # equal packets cost one call, others one each: between those signals and --duration are heard
            self.stream.join(sink.longest if self.stream.period == 1 and not values.stamp else 1)
        if self.protocol != "raw":
            self.come_from(sink)
        if values.stamp:
            sink.longest = STAMPED_AT_ONCE
            sink.about_to_send = self.clock  # type: ignore[method-assign]
        return sink

    def come_from(self, sink: Sender) -> None:
        """Lets packets come from the interface's own MAC address, where the user set no other."""
        if sink.linktype != 1:
            return
        address = bytes.fromhex(sink.mac_address.replace(":", ""))
        given = {field(name)[0] for name, _ in self.settings}
        frame = bytearray(self.template.frame)
        for name in ("ETHERNET.SRC_ADDR", "ARP.SENDER_MACADDR"):
            place = self.template.place(FIELDS[name], 1)
            if place and name not in given:
                at = place[1] // 8
                frame[at : at + 6] = address
        self.template.frame = bytes(frame)

    def clock(self, batch: Batch, first: int, count: int) -> None:
        """Writes the time into packets that are about to be sent."""
        self.stream.clock(batch.part(first, first + count), self.at + first, [time.time_ns()] * count)

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """One round."""
        seen = output is None or os.isatty(output.fd)  # a sender shows by itself how far it came
        yield self.batches() if seen else self.shown()

    def batches(self) -> Iterator[Batch]:
        """The packets, as many as are wanted, or until the time is over."""
        end = None
        if self.values.interface and self.values.duration is not None and self.values.rate is None:
            end = time.monotonic() + self.values.duration
        self.at = 0
        for batch in self.stream.batches(0 if self.values.duration == 0 else self.count, self.lent):
            check()
            yield batch
            self.at += len(batch)
            if end is not None and time.monotonic() >= end:
                return

    def shown(self) -> Iterator[Batch]:
        """The same; who waits at a terminal sees how far it has come."""
        from ..progress import Progress

        progress = Progress()
        try:
            for batch in self.batches():
                yield batch
                if progress.due:
                    progress.show(f"{self.at} packets made")
        finally:
            progress.clear()

    def account(self) -> list[str]:
        """The seed, where something was drawn."""
        drawn = any(
            isinstance(v, Drawn) for v in [*(c.values for c in self.columns), *([self.sizes.values] if self.drawn_sizes else [])]
        )
        return [f"seed {self.seed}"] if self.values.verbose and drawn else []

    @property
    def drawn_sizes(self) -> bool:
        """Whether sizes differ."""
        return self.protocol != "raw" and self.sizes is not None

    def close(self) -> list[str]:
        """Says nothing."""
        return []


def size_of(text: str) -> int:
    """Reads a size in bytes. Raises UsageError."""
    size = parse_number(text.strip())
    if size is None or size > LARGEST:
        raise UsageError(f"--size: '{text[:40]}' is not a number of bytes up to {LARGEST}")
    return size


def amount(values: Values) -> tuple[int | None, Schedule]:
    """How many packets, None: without end; and when they are due. Raises UsageError."""
    count = None if values.count == 0 else values.count
    if values.count is None and values.duration is None:
        count = 1
    low, dots, high = (values.rate or str(RATE)).partition("..")
    rates = [rate_of(low), rate_of(high) if dots else rate_of(low)]
    ramp = 0.0
    if rates[0] != rates[1]:
        need(bool(values.duration or count), "--rate: a ramp needs --duration or --count")
        ramp = values.duration or 2 * (count or 0) / (rates[0] + rates[1])
    schedule = Schedule(rates[0], rates[1], ramp)
    if values.duration is not None and not (values.interface and values.rate is None):
        within = schedule.before(values.duration)
        count = within if count is None else min(count, within)
    return count, schedule


def rate_of(text: str) -> float:
    """Reads packets a second. Raises UsageError."""
    return float(Option("--rate", REAL, "", least=1e-6, most=1e9).value(text))  # type: ignore[arg-type]


def begin_of(values: Values) -> int:
    """The time of the first packet, in nanoseconds since 1970."""
    if values.start is not None:
        return round(values.start * 1_000_000) * 1000  # a float of today has no nanoseconds
    return time.time_ns() // 1000 * 1000 if values.seed is None else 0  # what 1.16 reads, too


def settings(values: Values, protocol: str) -> list[tuple[str, str]]:
    """What is set: fields, and what the user wrote for them; those of options first. Raises UsageError."""
    found = []
    v6 = protocol == "icmp6" or any(":" in (text or "").lower().removeprefix("random:") for text in (values.src, values.dst))
    layer = "IPV6" if v6 else "IP"
    if protocol == "arp":
        found += [("ARP.SENDER_IPADDR", values.src), ("ARP.TARGET_IPADDR", values.dst), ("ARP.SENDER_MACADDR", values.src_mac)]
    else:
        found += [(f"{layer}.SRC_ADDR", values.src), (f"{layer}.DST_ADDR", values.dst)]
    found += [("ETHERNET.SRC_ADDR", values.src_mac), ("ETHERNET.DST_ADDR", values.dst_mac), ("ETHERNET.VLAN_ID", values.vlan)]
    for option, name, text in (("--sport", "SRC_PORT", values.sport), ("--dport", "DST_PORT", values.dport)):
        need(text is None or protocol in PORTS, f"{option} is for udp and tcp")
        found.append((f"{PORTS.get(protocol, 'UDP')}.{name}", text))
    need(not (values.stamp and protocol == "arp"), "--stamp is not for arp: it has no payload")
    need(values.flags is None or protocol == "tcp", "--flags is for tcp")
    found.append(("TCP.FLAGS", values.flags and ",".join(map(flags_of, values.flags.split(",")))))
    given = [(name, text) for name, text in found if text is not None]
    for word in values.arguments[1:]:
        item = split_assignment(word)
        need(item is not None, f"'{word[:40]}' is no assignment: FIELD=VALUES")
        name, operator, text = item  # type: ignore[misc]
        need(operator == "=", f"'{word[:40]}': values are set with =")
        given.append((name, text))
    return given


def flags_of(word: str) -> str:
    """An item of a list of TCP flags, its letters as numbers."""
    first, colon, letters = word.rpartition(":")  # random:S
    low, dots, high = letters.partition("..")
    return first + colon + dots.join(map(number_of_flags, [low, high] if dots else [low]))


def number_of_flags(word: str) -> str:
    """Letters of TCP flags as a number, or what else is written there."""
    letters = word.strip().upper()
    return str(sum(FLAGS[letter] for letter in set(letters))) if letters and not letters.strip("".join(FLAGS)) else word


def is_v6(protocol: str, settings: list[tuple[str, str]]) -> bool:
    """Whether the packets are of IPv6: fields of IPv6 or ICMPv6 are set. Raises UsageError where both are."""
    layers = {field(name)[0].partition(".")[0] for name, _ in settings}
    v6 = protocol == "icmp6" or bool(layers & {"IPV6", "ICMPV6"})
    need(not (v6 and "IP" in layers), "IPv4 and IPv6 do not go together here")
    need(not (v6 and protocol in ("icmp", "arp")), f"{protocol} is of IPv4" + (": icmp6 is of IPv6" if protocol == "icmp" else ""))
    return v6


def payload_of(values: Values) -> bytes:
    """What the payload begins with. Raises UsageError."""
    stamp, text = bytes(STAMP * bool(values.stamp)), values.payload or ""
    if text[:2].lower() != "0x":
        return stamp + text.encode(errors="surrogateescape")
    try:
        return stamp + bytes.fromhex(text[2:])
    except ValueError:
        raise UsageError(f"--payload: '{text[:40]}' is not hexadecimal, two digits a byte") from None


def nest(values: list[Turns | Drawn]) -> None:
    """Lets values step when those before them have gone round; what is drawn is drawn for every packet."""
    each = 1
    for turns in values:
        if isinstance(turns, Turns):
            turns.each, each = each, each * turns.period
