"""Streams of pcap records (draft-ietf-opsawg-pcap): microseconds and nanoseconds, either byte order."""

from __future__ import annotations

from .. import codec
from ..batch import COLUMNS, LINKTYPE, MAX_FRAME, TIME, Batch, count_of, fcs_of, link_of, linktype_of
from ..errors import ANOTHER_CAPTURE, PktError, Unfit, counted, pcap_message
from . import KUZNETZOV, MAGICS, MICRO, NANO, PCAPNG, capture_format
from .files import Input, Output, Sink, no_ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Hashable
    from mmap import mmap
    from typing import Literal

    from ..command_line.options import Values

NOW = 2, 4  # the version that is written
HEADER, RECORD = 24, 16  # bytes of a file's header, and of what is in front of a packet
KUZNETZOV_RECORD = 24  # the same in Kuznetzov's variant
LINKTYPE_BITS, FCS_PRESENT, FCS_SHIFT = 0x03FFFFFF, 0x04000000, 28  # of the last word of the header
MICROS = 1_000_000  # of a second
FCS_UNIT, MAX_FCS = 2, 30  # octets that the four bits above FCS_SHIFT count, and how many they can say
ETHERNET, ETHERNET_FCS = 1, 4  # the link type, and the octets of its FCS (IEEE 802.3 clause 3.2.9)
# Bytes in front of a packet in files of other programs, which have the magic of tcpdump's or of Kuznetzov's, most likely first.
OTHERS = {MICRO: (24, 20), KUZNETZOV: (28,)}  # Red Hat 6.1, Nokia; SuSE 6.3
SOME = 8  # records by which they are told apart
DIGITAL_UNIX = 543, 0  # the version that its tcpdump writes
AIX = 2, 2  # the same; it has link types by their numbers in ifType (RFC 1573, now IANAifType-MIB), and nanoseconds
OF_AIX = {6: 1, 9: 6, 15: 10, 24: 0}  # Ethernet, Token Ring, FDDI and loopback, to what they are elsewhere


def packets(source: Input, buffer: bytearray, used: int, offset: int) -> Generator[Batch, None, tuple[int, int]]:
    """The packets of a pcap stream, of which `buffer` holds the first `used` bytes.

    offset: what stands in front of it in the whole stream, in bytes. Batches share the buffer. Returns the same two for another
    capture that follows, 0 and its end where none does. Raises PktError with the offset of what is wrong, after the packets
    before it.
    """
    place = f"{source.name}: at {source.byte(offset)}" if offset else source.name
    while used < HEADER:
        known, used = used, source.fill(buffer, used)
        if used == known:
            raise PktError(f"{place}: file is truncated: {used} of the file header's {HEADER} bytes")
    big_endian, nano, header, lengths, link = records_of(buffer, used, place)
    source.link = link if source.link is None else source.link
    source.nano = source.nano or nano
    start, front = HEADER, 0
    final = False
    data: bytearray | mmap = buffer
    while True:
        consumed, rows, error = codec.pcap_decode(data, start, used, final, big_endian, nano, header, lengths, link)
        if rows:
            yield Batch(data, rows)
        offset += consumed - front
        if rows and source.elsewhere and not error and not final:
            from .pcap_stretch import Records  # late: for pkt-pipe --jobs alone

            moved = source.elsewhere(used - consumed, Records(big_endian, nano, header, lengths, link))
            offset, consumed, used = (offset + moved, 0, 0) if moved else (offset, consumed, used)
        if error and error[0] != ANOTHER_CAPTURE:
            raise PktError(f"{source.name}: at {source.byte(offset)}: {pcap_message(*error)}")
        kept = data[consumed:used]
        onward = None if error or final or not rows else source.onward
        data, front = (onward and onward.ahead(len(rows), consumed - start, len(kept))) or (buffer, 0)
        start, used = front, front + len(kept)
        data[start:used] = kept
        if error or final:
            return used, offset
        if data is buffer and used == len(buffer):
            buffer.extend(bytes(used))
        known, used = used, source.fill(data, used)
        final = used == known


def records_of(head: bytes | bytearray, used: int, place: str) -> tuple[bool, bool, int, int, int]:
    """What the first `used` bytes of a file say of its records: byte order and unit of times, as the codec takes them, bytes in
    front of each packet, the order of lengths, and the link type of a row. Raises PktError for a version that is not read.

    A file of version 2.2 is AIX's by its link type: 15 and 24 were no others then; for 6 and 9 it is taken to be, as those of
    Token Ring and PPP in this version are older than what reads them.
    """
    big_endian, magic = MAGICS[bytes(head[:4])]
    major, minor, linktype = number_at(head, 4, big_endian, 2), number_at(head, 6, big_endian, 2), number_at(head, 20, big_endian)
    if (major, minor) != DIGITAL_UNIX and not (major == 2 and minor <= 4):
        raise PktError(f"{place}: version {major}.{minor} of pcap is not supported, only 2.0 to 2.4 and {DIGITAL_UNIX[0]}.0")
    if (major, minor) == AIX and magic == MICRO and linktype in OF_AIX:
        return big_endian, True, RECORD, codec.IN_ORDER_OR_SWAPPED, OF_AIX[linktype]
    header = KUZNETZOV_RECORD if magic == KUZNETZOV else RECORD
    if (major, minor) == NOW and magic in OTHERS and not plausible(head, used, header, big_endian)[0]:
        header = next((other for other in OTHERS[magic] if plausible(head, used, other, big_endian)[1]), header)
    return big_endian, magic == NANO, header, order_of_lengths(major, minor), link_of_word(linktype)


def number_at(data: bytes | bytearray, at: int, big_endian: bool, size: int = 4) -> int:
    """A number of a header; struct takes longer to import than to read the few of a file."""
    return int.from_bytes(data[at : at + size], "big" if big_endian else "little")


def plausible(buffer: bytes | bytearray, used: int, header: int, big_endian: bool) -> tuple[bool, bool]:
    """Whether records with a header of so many bytes may follow that of a file, by the first ones, as far as they are there.

    And whether they surely do: there are some, and they are all, or many.
    """
    at, count = HEADER, 0
    while used - at >= header and count < SOME and not capture_format(buffer[at : at + len(PCAPNG)], len(PCAPNG)):
        fraction, captured, original = (number_at(buffer, at + place, big_endian) for place in (4, 8, 12))
        if fraction >= MICROS or captured > min(original, MAX_FRAME):
            return False, False
        at, count = at + header + captured, count + 1
    return True, count == SOME or (count > 1 and at == used)


def link_of_word(word: int) -> int:
    """What the last word of a header says of link type and frame check sequence, as a row has it.

    Ethernet has an FCS of four octets: where that many pairs are counted, the writer took them for octets.
    """
    linktype, count = word & LINKTYPE_BITS, word >> FCS_SHIFT
    octets = ETHERNET_FCS if linktype == ETHERNET and count == ETHERNET_FCS else count * FCS_UNIT
    return link_of(linktype, octets, count) if word & FCS_PRESENT else linktype


def word_of_link(link: int) -> int:
    """The last word of a header; without the frame check sequence where it cannot say its length."""
    linktype, fcs, count = linktype_of(link), fcs_of(link), count_of(link)
    if fcs is None or not sayable(link):
        return linktype
    return linktype | FCS_PRESENT | (fcs // FCS_UNIT if count is None else count) << FCS_SHIFT


def sayable(link: int) -> bool:
    """Whether a header can say the length of the frame check sequence."""
    fcs = fcs_of(link) or 0
    return count_of(link) is not None or (fcs % FCS_UNIT == 0 and fcs <= MAX_FCS)


def named(link: int) -> str:
    """A link type in a message, with what is known of the frame check sequence."""
    fcs = fcs_of(link)
    return f"{linktype_of(link)}" if fcs is None else f"{linktype_of(link)} with an FCS of {fcs} octets"


def order_of_lengths(major: int, minor: int) -> int:
    """How the two lengths of a record stand, as libpcap has it: in version 2.3 they changed places, in some of its files."""
    if (major, minor) == DIGITAL_UNIX or minor < 3:
        return codec.SWAPPED
    return codec.IN_ORDER_OR_SWAPPED if minor == 3 else codec.IN_ORDER


class PcapSink(Sink):
    """Writes packets as pcap records, each batch at once.

    linktype: of a file that stays empty. nano: nanoseconds; None lets the first packet's time decide.
    """

    output: Output
    STATE = ()
    TALLIES = ("lost", "notes")

    def __init__(self, output: Output, linktype: int, big_endian: bool, nano: bool | None) -> None:
        self.output, self.link, self.big_endian, self.nano = output, linktype, big_endian, nano
        self.wanted, self.started = nano, False
        self.header, self.headed = b"", (-1, False)  # of the last file, and what it says: link type, nanoseconds
        self.fine = False  # whether what is read says already that its times may have more than microseconds
        self.lost = self.notes = 0

    @classmethod
    def by_options(cls, output: Output, values: Values, linktype: int) -> Sink:
        """One that writes as the options ask for it."""
        return cls(output, linktype, values.big_endian, True if values.nano else None)

    def beside(self, source: Input) -> None:
        """What is read may have nanoseconds later on."""
        self.fine = source.fine

    def start(self, link: int, time: int) -> None:
        """Writes the file's header."""
        if linktype_of(link) > LINKTYPE_BITS:
            raise PktError(f"{self.output.name}: link type {linktype_of(link)} does not fit in a pcap file")
        self.started, self.link = True, link
        if self.nano is None:
            self.nano = self.fine or time % 1000 != 0
        if self.headed != (link, self.nano):  # of many files, nearly all have the same
            numbers = (NANO if self.nano else MICRO, 4), (2, 2), (4, 2), (0, 4), (0, 4), (MAX_FRAME, 4), (word_of_link(link), 4)
            order: Literal["big", "little"] = "big" if self.big_endian else "little"
            self.header = b"".join(number.to_bytes(size, order) for number, size in numbers)
            self.headed = link, self.nano
        self.output.write(self.header, 0, no_ends)

    def without_packets(self, link: int) -> None:
        """Learns of what link type the file is when it stays empty."""
        if not self.started:
            self.link = link

    def write(self, batch: Batch) -> None:
        """Writes a batch. Raises PktError at a packet that this file cannot hold, after those before it."""
        columns = batch.columns()
        first = 0
        while first < len(batch):
            link, time = columns[first * COLUMNS + LINKTYPE], columns[first * COLUMNS + TIME]
            if not self.started:
                self.start(link, time)
            if link != self.link:
                other = linktype_of(link) != linktype_of(self.link)  # else it is the FCS alone, which --by LINKTYPE does not know
                raise Unfit(
                    f"{self.output.name}: a pcap file has one link type, {named(self.link)}, and here is a packet of type "
                    f"{named(link)}: write pcapng{', or one file a type' if other else ', which says that of each packet'}", first
                )  # fmt: skip
            records, stop, lost = codec.pcap_encode(batch.data, batch.rows, first, self.big_endian, bool(self.nano))
            if stop == first:
                raise Unfit(f"{self.output.name}: a pcap file holds times up to 2106, not {time // 1_000_000_000}", first)
            self.output.write(records, stop - first, self.ends)
            self.lost += lost
            first = stop
        self.notes += batch.noted()

    def ends(self, records: bytes | bytearray | memoryview) -> list[int]:
        """Where packets end in what was written."""
        found, at = [], 0
        while at < len(records):
            at += RECORD + int.from_bytes(records[at + 8 : at + 12], "big" if self.big_endian else "little")
            found.append(at)
        return found

    def settled(self) -> Hashable:
        """What the header says, once it is there."""
        return self.started, self.link, self.nano

    def leave(self) -> tuple[int, bool]:
        """What the header says: link type, and whether times are in nanoseconds."""
        return self.link, bool(self.nano)

    def enter(self, output: Output, known: tuple[int, bool] | None = None) -> None:
        """Goes on in another file."""
        self.output, self.started = output, known is not None
        self.link, self.nano = known or (self.link, self.wanted)

    def end_output(self) -> None:
        """Ends the file, which has its header also where no packet came."""
        if not self.started:
            self.start(self.link, 0)
        self.output.close()

    def close(self) -> list[str]:
        """Ends the file; gives what there is to say about it, on standard error."""
        self.end_output()
        said = []
        if not sayable(self.link):
            said.append(f"an FCS of {fcs_of(self.link)} octets is not said: pcap counts them in pairs, up to {MAX_FCS}")
        if self.lost:
            said.append(f"{counted(self.lost, 'time')} lost the digits below a microsecond: --nano keeps them")
        if self.notes:
            said.append(f"{counted(self.notes, 'packet')} lost the lines IFACE, WAY, NOTE, LOST: pcap has no place for them")
        return said

    @property
    def failed(self) -> bool:
        """Whether something was lost that the packets themselves had."""
        return self.lost > 0
