"""Writes blocks of pcapng (draft-ietf-opsawg-pcapng): a section of its own, or those that were read, with all that they say."""

from __future__ import annotations

import struct

from .. import blocks, codec
from ..batch import CAPTURED, COLUMNS, LINKTYPE, MAX_FRAME, NOTES, NOTES_SIZE, ROW_BYTES, TIME, Batch, fcs_of, linktype_of
from ..errors import Unfit, counted
from .files import Input, Output, Sink
from .pcapng import BITS, MAX_INTERFACES, MAX_KINDS, MAX_LINKTYPE, MICRO, NAMES, NANO, ORDER_MAGIC, ORDERS, several
from .sections import LASTING, PASSING, SECRETS, STATISTICS, Block, Interface, Options, Section, Sections
from .turned import turned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from ..command_line.options import Values

MAX_FLAGGED = 15  # octets of a frame check sequence that the flags of a packet can say
FLAGGED = 5  # where they stand there
CHANGED = "packets were changed, added or left out"  # why something is not kept
ORDER = "the byte order is another one"
ASKED = "--no-secrets asks for it"
RESOLUTION = "the times of their interface are of another resolution, or without its offset"
TWICE = "their interface is described twice"
LATE = "they came behind the packets of other files"


class PcapngSink(Sink):
    """Writes packets as enhanced packet blocks, each batch at once: a section of its own, or those that were read.

    linktype: of a section that stays empty. nano: nanoseconds everywhere, else only where there are any. order: the byte order that
    is asked for, `<` or `>`; None: that of what is read. secrets: whether decryption secrets go along. retyped: the link type that
    was asked for.
    """

    output: Output
    STATE = ()
    TALLIES = ("lost", "written", "timed", "dropped")

    def __init__(self, output: Output, linktype: int, order: str | None, nano: bool, *, secrets: bool = True,
                 retyped: int | None = None) -> None:  # fmt: skip
        self.output, self.linktype, self.asked, self.nano, self.secrets = output, linktype, order, nano, secrets
        self.retyped = retyped
        self.order = order or "<"
        self.source: Input | None = None
        self.without = False  # whether `linktype` was read, and no option or default
        self.sections: Sections | None = None
        self.section = Section("", [])  # how far they are written
        self.begun = False  # whether its header is
        self.whole = True  # whether all packets go into one file
        self.closing = False  # whether no packet comes any more
        self.lasting = 0  # what is written of it
        self.became: dict[int, int] = {}  # what the link type of an interface has become on the way
        self.interfaces: dict[Key, Described] = {}
        self.samples: dict[Key, bytes] = {}  # notes of one of their packets
        self.turns: list[Known] | None = None  # the same, as the codec takes them
        self.numbers: dict[int, int | str] = {}  # here, of interfaces that were read; or why what is told of them does not hold
        self.late: list[Block] = []  # of which it is known at the end whether they are true
        self.dropped: dict[str, dict[str, int]] = {}  # what is not kept, by the reason
        self.count = self.lost = self.written = 0  # interfaces that were described; lines that could not be written; packets
        self.timed = 0  # packets without a time that are not of interface 0, or say more than a simple packet block can

    @classmethod
    def by_options(cls, output: Output, values: Values, linktype: int) -> Sink:
        """One that writes as the options ask for it."""
        orders = ("little_endian", "big_endian", "native_endian")
        asked = any(getattr(values, order, False) for order in orders)
        order = (">" if values.big_endian else "<") if asked else None
        secrets = not getattr(values, "no_secrets", False)
        return cls(output, linktype, order, bool(values.nano), secrets=secrets, retyped=getattr(values, "link_type", None))

    def beside(self, source: Input) -> None:
        """What a pcapng input says beside its packets goes along."""
        self.source = source
        source.sections = source.sections or Sections()
        self.go_on(source.sections)

    def go_on(self, sections: Sections) -> None:
        """Begins with a section like the one that is being read, and with all that holds there."""
        self.sections, self.section = sections, sections.latest
        sections.forward = self.forward

    def forward(self) -> None:
        """Writes what came beside packets. Raises OutputError."""
        out = bytearray()
        self.proceed(out)
        if out:
            self.output.write(out)

    def write(self, batch: Batch) -> None:
        """Writes a batch. Raises PktError at a packet that this section cannot hold, after those before it."""
        rows, columns = memoryview(batch.rows), batch.columns()
        out = bytearray()
        first, ahead = 0, 1
        try:
            while first < len(batch):
                row = columns[first * COLUMNS : (first + 1) * COLUMNS]
                notes = bytes(batch.data[row[NOTES] : row[NOTES] + row[NOTES_SIZE]])
                source = self.sections.interface_of(notes) if self.sections else None
                if not first:
                    if source and row[LINKTYPE] != source.link and not flagged(row[LINKTYPE], source):
                        self.became[source.link] = row[LINKTYPE]
                    self.proceed(out)
                name, fine = interface_name(notes), row[TIME] % 1000 != 0
                known = self.interface(out, row[LINKTYPE], name, source, fine=fine, captured=row[CAPTURED])
                same_order = not source or source.section.order == self.order
                interfaces = [(notes, row[LINKTYPE], *known)]
                if same_order:
                    interfaces += self.taking_turns((source.number if source else None, row[LINKTYPE], name), notes)
                # All rows of a call are checked: it gets few where very many interfaces take turns, and more with every full run.
                some = rows[first * ROW_BYTES : (first + ahead) * ROW_BYTES]
                written, stop, lost, outdated, timed = codec.pcapng_encode(batch.data, some, 0, self.order == ">", interfaces)
                if not stop:
                    raise Unfit(f"{self.output.name}: a pcapng file cannot hold this packet's time or size")
                out += written
                self.lost += lost
                self.timed += timed
                self.written += stop
                if outdated:
                    self.drop("packet option", CHANGED if same_order else ORDER, outdated)
                first, ahead = first + stop, 2 * ahead if stop == ahead else 1
        except Unfit as error:
            error.fitting = first
            raise
        finally:
            order = self.order
            self.output.write(out, first, lambda out: ends(out, order))

    def taking_turns(self, key: Key, notes: bytes) -> list[Known]:
        """The interfaces whose packets may come next, as the codec takes them; none where they are too many.

        key, notes: of the one that comes first, which is described.
        """
        if key not in self.samples and len(self.samples) < blocks.MOST_KNOWN:
            self.samples[key], self.turns = notes, None
        if self.turns is None:
            few = self.samples if len(self.samples) < blocks.MOST_KNOWN else {}
            self.turns = [(some, key[1], *self.interfaces[key]) for key, some in few.items()]
        return self.turns

    def interface(self, out: bytearray, link: int, name: bytes | None, source: Interface | None, *, fine: bool = False,
                  captured: int = 0) -> Described:  # fmt: skip
        """An interface for packets of this link type, IFACE and origin; described in `out` when it is new.

        fine: its times have to be nanoseconds. captured: bytes it has to keep of a packet. One that is known without is described
        once more.
        """
        key = source.number if source else None, link, name
        known = self.interfaces.get(key)
        if known and (known[1] or not fine) and captured <= known[2]:
            return known
        if source and flagged(link, source):
            known = self.interface(out, source.link, name, source, fine=fine, captured=captured)
            known = (*known[:3], (fcs_of(link) or 0) << FLAGGED, known[4])
        else:
            known = self.describe(out, link, name, source, fine=fine, captured=captured)
        self.interfaces[key], self.turns = known, None
        return known

    def describe(self, out: bytearray, link: int, name: bytes | None, source: Interface | None, *, fine: bool,
                 captured: int) -> Described:  # fmt: skip
        """Writes an interface description, and before the first one the section header. See `interface`."""
        linktype, fcs = linktype_of(link), fcs_of(link)
        if linktype > MAX_LINKTYPE:
            raise Unfit(f"{self.output.name}: link type {linktype} does not fit in a pcapng file")
        if self.count == MAX_INTERFACES:
            raise Unfit(f"{self.output.name}: a pcapng section has at most {MAX_INTERFACES} interfaces")
        if not self.begun:
            self.header(out, [])
        nano = self.nano or fine or (source is not None and source.resolution != MICRO)
        snaplen = source.snaplen if source and (not source.snaplen or source.snaplen >= captured) else MAX_FRAME
        now = {blocks.NAME: name, blocks.RESOLUTION: bytes([NANO]) if nano else None, blocks.TIME_OFFSET: None,
               blocks.FCS: None if fcs is None else bytes([fcs * BITS])}  # fmt: skip
        options = self.of_source(source, name, fcs, now) if source else []
        known = [code for code, _ in options]
        options += [(code, value) for code, value in now.items() if value is not None and code not in known]
        body = struct.pack(self.order + "HHI", linktype, 0, snaplen)
        out += blocks.block(blocks.INTERFACE, body + blocks.listed(options, self.order), self.order)
        self.count += 1
        keeps = 0
        if source and source.section.order != self.order:
            keeps = blocks.KEEPS_TURNED
        elif source:
            keeps = blocks.KEEPS_ALL if self.sections and self.sections.passes else blocks.KEEPS_SOME
        if source:
            same = nano == (source.resolution == NANO) and not source.offset
            twice = source.number in self.numbers
            self.numbers[source.number] = TWICE if twice else self.count - 1 if same else RESOLUTION
        return self.count - 1, nano, snaplen or MAX_FRAME, 0, keeps

    def of_source(self, source: Interface, name: bytes | None, fcs: int | None, now: dict[int, bytes | None]) -> Options:
        """The options of an interface that was read, as far as they hold here; what is new of them is in `now`."""
        line = b"" if name is None else blocks.note(b"IFACE:", name)
        same = {blocks.NAME: line == source.line, blocks.FCS: fcs == fcs_of(source.link),
                blocks.RESOLUTION: now[blocks.RESOLUTION] is None and source.resolution == MICRO}  # fmt: skip
        options: Options = []
        for code, value in self.lasting_options(source.options):
            turned = value
            if source.section.order != self.order and code not in now:
                if code in blocks.NUMBERS:
                    turned = value[::-1]
                elif code > blocks.MAX_KNOWN:
                    self.drop("interface option", ORDER)
                    continue
            new = turned if same.get(code, code not in now) else now[code]
            if new is not None:
                options.append((code, new))
        return options

    def lasting_options(self, options: Options) -> Options:
        """Options of a section or an interface without those that are for another file than this."""
        only_here = [code | blocks.ONLY_HERE for code in blocks.CUSTOM]
        if self.sections and self.sections.passes:
            return options
        self.drop("custom option", CHANGED, sum(code in only_here for code, _ in options))
        return [(code, value) for code, value in options if code not in only_here]

    def header(self, out: bytearray, options: Options) -> None:
        """Writes the header of a section."""
        self.begun = True
        fixed = struct.pack(self.order + "IHHq", ORDER_MAGIC, 1, 0, -1)
        out += blocks.block(blocks.SECTION, fixed + blocks.listed(options, self.order), self.order)

    # ---- what was read beside packets ----

    def proceed(self, out: bytearray) -> None:
        """Writes what was read beside packets, up to where the reader is."""
        while self.sections:
            if self.section.order and not self.begun:
                self.order = self.asked or self.section.order
                self.header(out, self.lasting_options(self.section.options))
                self.sections.begun = True
            if self.section.order:
                self.catch_up(out)
            if not self.section.next:
                return
            self.drop_late()
            self.section = self.section.next if self.whole else self.sections.latest
            self.begun, self.lasting, self.count = False, 0, 0
            self.interfaces, self.numbers, self.samples, self.turns = {}, {}, {}, None

    def catch_up(self, out: bytearray) -> None:
        """Writes what has been read of a section."""
        passing, self.section.passing[:] = self.section.passing[:], []
        for place, other in passing:
            self.hold_for_all(out, place)
            self.put(out, other)
        self.hold_for_all(out, len(self.section.lasting))

    def hold_for_all(self, out: bytearray, stop: int) -> None:
        """Writes what holds from there on, up to a number of it."""
        while self.lasting < stop:
            known = self.section.lasting[self.lasting]
            self.lasting += 1
            if isinstance(known, Block):
                self.put(out, known)
                continue
            link = self.became.get(known.link, known.link)
            name = blocks.value_of(known.line.removesuffix(b"\n")) if known.line else None
            self.interface(out, link, name, known)

    def put(self, out: bytearray, other: Block, *, ended: bool = False) -> None:
        """Writes a block, if it holds. ended: no packet comes any more."""
        passes = self.sections is not None and self.sections.passes
        true = self.sections is not None and self.whole and self.written == (self.sections.came if ended else other.came)
        what = NAMES.get(other.kind, f"type {other.kind:#x} block")
        octets, records, options = other.octets, 0, 0
        if other.order != self.order:
            octets, records, options = turned(other.kind, octets, other.order, self.order)
        if other.kind == SECRETS and not self.secrets:
            self.drop(what, ASKED)
        elif not octets:
            self.drop(what, ORDER)
        elif other.kind == STATISTICS and other.interface:
            number = self.numbers.get(other.interface.number)
            if isinstance(number, str):
                self.drop(what, number)
            elif number is not None and true:
                out += octets[:8] + struct.pack(self.order + "I", number) + octets[12:]
                self.drop(f"{what} option", ORDER, options)
            elif number is not None and self.whole and not ended:
                self.late.append(other)
            else:
                self.drop(what, CHANGED)
        elif other.kind in (*LASTING, *PASSING) or passes:
            out += octets
            self.drop(f"{what} record", ORDER, records)
            self.drop(f"{what} option", ORDER, options)
        else:
            self.drop(what, CHANGED)

    def drop_late(self) -> None:
        """Drops what would be true only now, and is of a section that is over."""
        self.drop(NAMES[STATISTICS], CHANGED, len(self.late))
        self.late = []

    def drop(self, what: str, why: str, number: int = 1) -> None:
        """Counts what is not kept."""
        if number:
            kinds = self.dropped.setdefault(why, {})
            what = what if what in kinds or len(kinds) < MAX_KINDS else "other block"
            kinds[what] = kinds.get(what, 0) + number

    # ---- the end ----

    def without_packets(self, link: int) -> None:
        """Learns of what link type the section is when it stays empty."""
        self.linktype, self.without = link, True

    def settled(self) -> Hashable:
        """How far the section is written, and what packets have made of interfaces."""
        return self.leave(), tuple(self.became.items())

    def leave(self) -> State:
        """How far the section is written, and what it describes."""
        described = tuple(self.interfaces.items()), tuple(self.numbers.items())
        return self.section, self.begun, self.order, self.lasting, self.count, described

    def enter(self, output: Output, known: State | None = None) -> None:
        """Goes on in another file: a new one begins with what holds in the section that is being read."""
        self.output, self.whole = output, False
        section = self.sections.latest if self.sections else Section("", [])
        state = known or (section, False, self.asked or "<", 0, 0, ((), ()))
        self.section, self.begun, self.order, self.lasting, self.count, (interfaces, numbers) = state
        self.interfaces, self.numbers, self.samples, self.turns = dict(interfaces), dict(numbers), {}, None

    def end_output(self) -> None:
        """Ends the section; one of its own describes an interface also where no packet came."""
        out = bytearray()
        if self.sections and not self.written and self.retyped is not None:
            self.became = {known.link: self.retyped for known in self.sections.known.values()}
        self.proceed(out)
        if self.closing:
            late, self.late = self.late, []
            for other in late:
                self.put(out, other, ended=True)
        for link, name in self.source.unused if self.source and self.whole else ():
            self.interface(out, link if self.retyped is None else self.retyped, name, None)
        none = not self.written and self.sections is not None and not self.sections.count
        if not self.count and (not self.section.order or (none and self.without)):
            self.describe(out, self.linktype, None, None, fine=False, captured=0)
        if out:
            self.output.write(out)
        self.output.close()

    def close(self) -> list[str]:
        """Ends the section; gives what there is to say about it, on standard error."""
        self.closing = True
        self.end_output()
        if self.sections:
            self.drop("section comment", LATE, self.sections.unsaid)
        said = [f"not kept, since {why}: {several(kinds)}" for why, kinds in self.dropped.items()]
        if self.timed:
            said.append(f"times: {self.timed} missing, taken for 0")
        if self.lost:
            said.append(
                f"{counted(self.lost, 'line')} not written: pcapng has one IFACE, one WAY (in or out) and one LOST (a number) for "
                f"a packet, and {blocks.MAX_OPTION} bytes for a text"
            )
        return said


Described = tuple[int, bool, int, int, int]  # number, nanoseconds, bytes of a packet at most, flags of all its packets, keeps
Known = tuple[bytes, int, int, bool, int, int, int]  # the same for the codec, behind notes and link type of one of its packets
Key = tuple[int | None, int, bytes | None]  # of an interface: where it was read, link type, name
State = tuple[Section, bool, str, int, int, tuple[tuple[tuple[Key, Described], ...], tuple[tuple[int, int | str], ...]]]


def flagged(link: int, source: Interface) -> bool:
    """Whether packets have a frame check sequence by their flags, and not as their interface says."""
    return link != source.link and linktype_of(link) == linktype_of(source.link) and 0 < (fcs_of(link) or 0) <= MAX_FLAGGED


def ends(out: bytearray, order: str) -> list[int]:
    """Where packets end in what was written. order: in which it began, unless a section header says so."""
    found, at = [], 0
    while at < len(out):
        if out.startswith(b"\n\r\r\n", at):
            order = ORDERS[bytes(out[at + 8 : at + 12])]
        kind, size = struct.unpack_from(order + "II", out, at)
        at += size
        if kind in blocks.PACKETS:
            found.append(at)
    return found


def interface_name(notes: bytes) -> bytes | None:
    """What the first line IFACE of a packet's notes names; None when there is none, or none that pcapng can hold."""
    for line in notes.split(b"\n") if notes else ():
        if line.startswith(b"IFACE:"):
            name = blocks.value_of(line)
            return name if len(name) <= blocks.MAX_OPTION else None
    return None
