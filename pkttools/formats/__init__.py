"""Sources and sinks of packet streams; which format comes in is seen from its first bytes."""

from __future__ import annotations

from itertools import chain

from ..batch import LANE_MARK, Batch
from ..command_line.options import FORMATS, USUAL, Values
from ..errors import PktError, UsageError, counted
from .files import Input, Output, Sink, format_of, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

# Of pcap, and the byte order that each says.
MICRO, NANO, KUZNETZOV = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
MAGICS = {
    magic.to_bytes(4, "big" if big_endian else "little"): (big_endian, magic)
    for magic in (MICRO, NANO, KUZNETZOV)
    for big_endian in (True, False)
}
PCAPNG = b"\n\r\r\n"  # the type of a section header, in either byte order
SNOOP = b"snoop\0\0\0"
SOME = 4096  # bytes among which a capture without magic has one that is no text
LIKE = {"snoop": "pcap", "erf": "pcapng"}  # what is written where it is as what was read, of formats that are not written
COMPRESSED = {  # the kinds of COMPRESSIONS by the first octets of a member
    b"\x1f\x8b": "gzip",  # RFC 1952 section 2.3.1
    b"\x28\xb5\x2f\xfd": "zstd",  # RFC 8878 section 3.1.1
    b"\xfd7zXZ\0": "xz",  # its format, 2.1.1.1
    b"\x04\x22\x4d\x18": "lz4",  # its frame format
    b"BZh": "bzip2",
    **{bytes((0x50 + i,)) + b"\x2a\x4d\x18": "zstd" for i in range(16)},  # frames to be skipped, which lz4 has, too
}
TAR, TAR_AT = b"ustar", 257  # its magic, and where it stands in the header of the first file (POSIX.1-2017 pax, ustar)
FOREIGN = {
    b"\x1f\x9d": "compressed by compress: put zcat in front",
    b"\x02\x21\x4c\x18": "lz4 of the old format: put lz4 -dc in front",
    b"\x5d\0\0": "LZMA of before xz: put xz -dc in front",
    b"PK\3\4": "a ZIP archive: put unzip -p in front",
}
CONVERTED = {  # other programs' captures, by their magic; Wireshark's wiretap reads them
    b"GMBU": "Microsoft's Network Monitor",
    b"RTSS": "Microsoft's Network Monitor 1",
    b"TRSNIFF data    \x1a": "the Sniffer",
    b"XCP\0": "NetXRay or the Sniffer",
    b"VL\0\0": "NetXRay",
    b"\xaa\xaa\xaa\xaa": "5View",
    b"\x00\x00\x02\x00\x12\x05\x00\x10": "a K12xx (.rf5)",
    b"+---------+---------------+": "a K12xx, as text",
    b"\x01\x10\x4c\x00\x01\x05": "LANalyzer",
    b"TR\0d": "HP-UX's nettl",
    b"iptrace ": "AIX's iptrace",
    b"\x05VNF": "Visual Networks",
    b"ObserverPktBuffe": "Observer",
    b"btsnoop\0": "a Bluetooth stack (btsnoop)",
    b"EyeSDN": "EyeSDN",
    b"\x42\xd2\x00\x34\x12\x66\x22\x88": "RADCOM",
    b"\x7fver": "EtherPeek or OmniPeek",
    b"LOGG": "Vector's tools (.blf)",
}


def joined(source: Input, read: Callable[[Input], Iterator[Batch]]) -> Iterator[Batch]:
    """What `read` reads of an input, then of the next one, and so on; each as if it were alone. Raises PktError."""
    return chain.from_iterable(streams(source, read))


def streams(source: Input, read: Callable[[Input], Iterator[Batch]]) -> Iterator[Iterator[Batch]]:
    """The same, a stream for each."""
    yield read(source)
    while source.next():
        yield read(source)


def packets(source: Input) -> Iterator[Batch]:
    """The packets of a stream, text, pcap or pcapng, batch by batch; a batch is good until the next one is asked for.

    Raises PktError at what cannot be read.
    """
    buffer = bytearray(source.at_once)
    if source.is_pipe:  # late: only what is used; not so late that the first packet of a live pipe waits for it
        from . import pcap, text  # noqa: F401
    return by_content(source, buffer, begun(source, buffer))


def begun(source: Input, buffer: bytearray, least: int = 4) -> int:
    """Reads the first bytes of an input, of a compressed one those of what it holds; gives how many. Raises PktError.

    least: as many, if there are; a pipe may bring less at first.
    """
    used = filled(source, buffer, 0, least)
    if compression := compression_in(buffer, used):
        source.unpack(compression, bytes(buffer[:used]))
        used = filled(source, buffer, 0, least)
        if compression_in(buffer, used):
            raise PktError(f"{source.name}: compressed twice: what the {compression} data holds is compressed, too")
    return used


def filled(source: Input, buffer: bytearray, used: int, least: int) -> int:
    """Reads until there are so many bytes, or all; gives how many there are."""
    while used < least and (now := source.fill(buffer, used)) > used:
        used = now
    return used


def compression_in(head: bytes | bytearray, used: int | None = None) -> str:
    """How a stream is compressed that begins with these bytes, the first `used` of them; empty: it is not."""
    return next((name for magic, name in COMPRESSED.items() if head.startswith(magic, 0, used)), "")


def by_content(source: Input, buffer: bytearray, used: int) -> Iterator[Batch]:
    """The packets of a stream of which `used` bytes were read, in the format that these begin with. Raises PktError."""
    for magic, what in FOREIGN.items():
        if buffer.startswith(magic, 0, used):
            raise PktError(f"{source.name}: this is {what}")
    for magic, whose in CONVERTED.items():
        if buffer.startswith(magic, 0, used):
            raise PktError(f"{source.name}: this is a capture of {whose}: editcap -F pcapng converts it")
    if buffer.startswith(TAR, TAR_AT, used) and not capture_format(buffer, used):
        how = f", compressed by {source.compression}" if source.compression else ""
        raise PktError(f"{source.name}: this is a tar archive{how}: tar -xOf gives what its files hold")
    if capture_format(buffer, used) or (buffer.find(b"\0", 0, min(used, SOME)) >= 0 and has_erf(buffer, used)):
        return captures(source, buffer, used)
    from . import text

    return text.packets(source, buffer, used)


def capture_format(buffer: bytes | bytearray, used: int) -> str:
    """The format of the capture that begins here; empty: of none that is read."""
    if buffer.startswith(PCAPNG, 0, used):
        return "pcapng"
    if buffer.startswith(SNOOP, 0, used):
        return "snoop"
    return "pcap" if bytes(buffer[:4]) in MAGICS else ""


def has_erf(buffer: bytearray, used: int) -> bool:
    """Whether records of ERF begin here: they have no magic."""
    if buffer.startswith(LANE_MARK, 0, used):
        return False
    from .erf import is_erf  # late: seldom

    return is_erf(buffer, used)


def captures(source: Input, buffer: bytearray, used: int, offset: int = 0) -> Iterator[Batch]:
    """The packets of a capture, and of those behind it: `cat` joins files that each have a header of their own.

    offset: what stands in front of the buffer's first byte.
    """
    more = first = 0  # captures behind the first one, and where they begin
    while used:
        form = capture_format(buffer, used) or "erf"
        if not source.at:
            source.form = LIKE.get(form, form)
        used, offset = yield from reader(form).packets(source, buffer, used, offset)
        if used:
            more, first = more + 1, first or offset
    if more:
        source.joined.append(f"{source.name}: {counted(more, 'capture')} behind the first, from {source.byte(first)} on")


def sink_of(values: Values, output: Output, default: str = USUAL, linktype: int = 1) -> Sink:
    """The sink that the options ask for. linktype: of a stream without packets."""
    form = values.format or default
    sink: type[Sink] = getattr(module(form), FORMATS[form].sink)
    return sink.by_options(output, values, linktype if values.link_type is None else values.link_type)


def named_format(values: Values, writes: str | None) -> str | None:
    """The format that --format says, or else the ending of --out's FILE; None: neither says one.

    writes: what the command's name says. Text is only what is usual. Raises UsageError where a name says another capture,
    or one that is not written.
    """
    named = values.format or format_of(values.output, "; -F says what is")
    if not values.format and named and writes not in (None, USUAL, named):
        nouns = FORMATS[named].noun, FORMATS[writes].noun
        raise UsageError(f"--out {values.output}: that is the name of {nouns[0]}, and {nouns[1]} is written; -F says which")
    return named


def refuse_terminal(form: str, path: str | None) -> None:
    """Raises UsageError where binary data would be written to a terminal."""
    if FORMATS[form].binary and is_terminal(path):
        noun = FORMATS[form].noun
        raise UsageError(f"{noun} is binary, and not written to a terminal: --out FILE, or a pipe; -F text shows packets")


def module(form: str) -> ModuleType:
    """What writes a format; imported late: only what is used."""
    return __import__(f"{__name__}.{FORMATS[form].module}", fromlist=["packets"])


def reader(form: str) -> ModuleType:
    """What reads a capture; imported late as well."""
    return __import__(f"{__name__}.{form}", fromlist=["packets"])
