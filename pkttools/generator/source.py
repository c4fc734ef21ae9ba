"""Packets that are made, as the source of a flow, and the interface that they go to."""

from __future__ import annotations

import os
import time
from array import array

from .. import codec
from ..command_line.signals import check, install
from ..errors import PktError, UsageError, counted, need
from ..flow.stage import Source
from ..formats.files import Input, Output
from ..language.series import Drawn, Turns, field_values, least, most, parse, seed_for
from ..protocols.fields import FIELDS
from ..protocols.values import field, rows_of
from .request import amount, begin_of, is_v6, payload_of, settings, size_of
from .stream import AT_ONCE, Column, Lengths, Stream, Template, last_set, stamped
from .templates import LEAST, build, headers_size, largest_size, lengths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from ..command_line.options import Values
    from ..live.sending import Sender

USUAL = 1514  # bytes of the longest frame where sizes are drawn from all there are
STAMPED_AT_ONCE = 64  # packets that are sent with the same time in them: 30 us, then
TEMPLATES = 16 << 20  # bytes of packets that are read as templates


class Generated(Source):
    """Packets that are made, as the source of a flow."""

    linktype = 1
    file: Input | None = None
    form = "text"
    needs = ()
    stream: Stream  # what is made, once it is laid out

    def __init__(self, values: Values, protocol: str) -> None:
        """Raises UsageError."""
        self.values, self.protocol = values, protocol
        self.seed = int.from_bytes(os.urandom(4), "big") if values.seed is None else values.seed
        self.lent = False
        self.lacking: list[str] = []  # which fields packets to begin with do not have, to say
        self.beyond: dict[int, int] = {}  # what packets to begin with carry that is not followed
        self.sink: Sender | None = None
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
        if protocol != "raw":
            self.built()

    def seed_of(self, name: str) -> int:
        """A seed for a field: others that come and go change nothing about it."""
        return seed_for(self.seed, name)

    def built(self) -> None:
        """Lays out the packet of a protocol. Raises UsageError."""
        values, protocol = self.values, self.protocol
        v6, tagged, payload = is_v6(protocol, self.settings), values.vlan is not None, payload_of(values)
        shortest = headers_size(protocol, v6, tagged) + len(payload)
        sizes = None
        room = largest_size(protocol, v6, tagged)
        need(shortest <= room, f"--payload: {len(payload)} bytes are too many: a packet of {protocol} has room for {room} bytes")
        longest = shortest if protocol == "tcp" else max(LEAST, shortest)  # a SYN has no data
        if values.size is not None:
            found = parse("--size", values.size, self.seed_of("--size"), size_of, shortest, max(USUAL, shortest))
            need(least(found) >= shortest, f"--size: {least(found)} is too short: headers and payload take {shortest} bytes")
            longest = most(found)
            need(longest <= room, f"--size: {longest} is too long: a packet of {protocol} has room for {room} bytes")
            sizes = Lengths(found, lengths(v6, tagged, protocol)) if found.period != 1 else None
        if values.nested:
            nest([*([sizes.values] if sizes else []), *(column.values for column in self.columns)])
        self.template = Template(build(protocol, v6, tagged, payload, longest), self.linktype).taking(self.columns)
        self.sizes = sizes
        self.make([self.template])

    def make(self, templates: list[Template]) -> None:
        """Makes the stream of packets. Raises UsageError."""
        values = self.values
        wanted = values.rate is not None or (not values.interface and not self.keeps_times)
        sizes = self.sizes if self.protocol != "raw" else None
        start = 0 if values.interface else begin_of(values)
        unit = 1 if values.interface or values.nano else 1000
        self.stream = Stream(
            templates, self.columns, sizes, stamp=bool(values.stamp), correct=not values.raw_checksums,
            schedule=self.schedule if wanted else None, start=start, unit=unit,
        )  # fmt: skip

    @property
    def keeps_times(self) -> bool:
        """Whether packets are of the times that their templates have: nothing says other ones."""
        values = self.values
        return self.protocol == "raw" and values.rate is None and values.duration is None and values.start is None

    def begin(self) -> Generated:
        """Opens what templates are read from, if there are any. Raises PktError."""
        install(drain=False)
        if self.protocol == "raw":
            self.file = Input(self.values.input, lane=True)
        return self

    def lay_out(self) -> None:
        """Reads templates, if there are any, for what is to be made. Raises PktError."""
        if self.file:
            if self.values.nested:
                nest([column.values for column in self.columns])
            templates = self.templates(self.file)
            self.count, self.schedule = amount(self.values, len(templates))
            self.make(templates)
            self.lacking = self.without(len(templates))
            if self.columns or self.stream.correct:
                batch = self.stream.laid_out(0, len(templates))
                codec.beyond(batch.data, batch.rows, self.beyond)
                for number, template in enumerate(templates):
                    codec.signed(batch.data, batch.part(number, number + 1).rows, *last_set(self.columns, template), self.beyond)
        sink = self.sink
        if sink and sink.longest > AT_ONCE:
            # Equal packets cost one call, others one each: between those signals and --duration are heard.
            self.stream.join(sink.longest if self.stream.period == 1 and not self.values.stamp else 1)
        if sink and self.values.stamp:
            sink.longest = STAMPED_AT_ONCE
            sink.about_to_send = self.clock

    def templates(self, file: Input) -> list[Template]:
        """The packets of a file. Raises PktError."""
        from ..formats import joined, packets

        templates, room = [], TEMPLATES
        for batch in joined(file, packets):
            for packet in map(batch.without_fcs().packet, range(len(batch))):
                room -= len(packet.frame)
                if room < 0:
                    raise PktError(f"{file.name}: templates are at most {TEMPLATES >> 20} MiB")
                templates.append(Template(packet.frame, packet.linktype, packet.time, packet.original, packet.notes))
        if not templates:
            raise PktError(f"{file.name}: no packet to begin with")
        self.linktype = templates[0].linktype
        return templates

    def interface(self, _: Source) -> Sender:
        """The interface that everything goes to. Raises PktError."""
        from ..live.linux.send import by_way
        from ..live.pace import Pace

        values = self.values
        pace = Pace(fast=values.rate is None)
        sink = by_way(values.interface, pace, values.xmit)
        sink.stopped = "" if self.count is None and values.duration is None else "stopped by a signal: the rest was not made"
        self.lent, self.sink = True, sink
        if self.protocol != "raw":
            self.come_from(sink)
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
        self.stream.clock(batch.part(first, first + count), self.at + first, array("Q", [stamped(time.time_ns())]) * count)

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """One round."""
        self.lay_out()
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
            if (end is not None and time.monotonic() >= end) or (self.sink and self.sink.gone):
                return

    def shown(self) -> Iterator[Batch]:
        """The same; who waits at a terminal sees how far it has come."""
        from ..command_line.progress import Progress

        progress = Progress()
        try:
            for batch in self.batches():
                yield batch
                if progress.due:
                    progress.show(f"{self.at} packets made")
        finally:
            progress.clear()

    def account(self) -> list[str]:
        """Fields that not all packets have that were read; the seed, where something was drawn."""
        values = [column.values for column in self.columns]
        if self.drawn_sizes and self.sizes:
            values.append(self.sizes.values)
        drawn = any(isinstance(each, Drawn) for each in values)
        return [*self.lacking, *([f"seed {self.seed}"] if self.values.verbose and drawn else [])]

    def without(self, total: int) -> list[str]:
        """What there is to say of fields that some packets do not have that were read: they take their turn, and no value."""
        said = []
        for column, parts in zip(self.columns, self.stream.parts, strict=True):
            if lacking := sum(not each for each in parts):
                lost = ": the values whose turn it was there come in none" if column.values.period != 1 else ""
                said.append(f"{column.name} is not in {lacking} of {counted(total, 'packet')}{lost}")
        return said

    @property
    def drawn_sizes(self) -> bool:
        """Whether sizes differ."""
        return self.protocol != "raw" and self.sizes is not None

    def close(self) -> list[str]:
        """Says nothing."""
        return []


def nest(values: list[Turns | Drawn]) -> None:
    """Lets values step when those before them have gone round; what is drawn is drawn for every packet."""
    each = 1
    for turns in values:
        if isinstance(turns, Turns):
            turns.each, each = each, each * turns.period
