"""Sources and sinks of packet streams; which format comes in is seen from its first bytes."""

from __future__ import annotations

from ..batch import Batch
from ..command_line.options import FORMATS, USUAL, Values
from ..errors import PktError, UsageError
from .files import BUFFER, Input, Output, Sink, format_of, is_terminal

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
FOREIGN = {
    b"\x1f\x8b": "compressed: put zcat in front",
    b"\x28\xb5\x2f\xfd": "compressed: put zstdcat in front",
    b"\xfd7zXZ": "compressed: put xzcat in front",
    b"BZh": "compressed: put bzcat in front",
}


def joined(source: Input, read: Callable[[Input], Iterator[Batch]]) -> Iterator[Batch]:
    """What `read` reads of an input, then of the next one, and so on; each as if it were alone. Raises PktError."""
    yield from read(source)
    while source.next():
        yield from read(source)


def packets(source: Input) -> Iterator[Batch]:
    """The packets of a stream, text, pcap or pcapng, batch by batch; a batch is good until the next one is asked for.

    Raises PktError at what cannot be read.
    """
    buffer, used = bytearray(BUFFER), 0
    if source.is_pipe:  # late: only what is used; not so late that the first packet of a live pipe waits for it
        from . import pcap, text  # noqa: F401
    while used < 4 and (now := source.fill(buffer, used)) > used:  # a pipe may bring less at first
        used = now
    return by_content(source, buffer, used)


def by_content(source: Input, buffer: bytearray, used: int) -> Iterator[Batch]:
    """The packets of a stream of which `used` bytes were read, in the format that these begin with. Raises PktError."""
    for magic, what in FOREIGN.items():
        if buffer.startswith(magic, 0, used):
            raise PktError(f"{source.name}: this is {what}")
    if capture_format(buffer, used):
        return captures(source, buffer, used)
    from . import text

    return text.packets(source, buffer, used)


def capture_format(buffer: bytes | bytearray, used: int) -> str:
    """The format of the capture that begins here; empty: of none that is read."""
    if buffer.startswith(PCAPNG, 0, used):
        return "pcapng"
    return "pcap" if bytes(buffer[:4]) in MAGICS else ""


def captures(source: Input, buffer: bytearray, used: int) -> Iterator[Batch]:
    """The packets of a capture, and of those behind it: `cat` joins files that each have a header of their own."""
    offset = 0
    while used:
        form = capture_format(buffer, used)
        if not source.at:
            source.form = form
        used, offset = yield from reader(form).packets(source, buffer, used, offset)


def sink_of(values: Values, output: Output, default: str = USUAL, linktype: int = 1) -> Sink:
    """The sink that the options ask for. linktype: of a stream without packets."""
    form = values.format or default
    sink: type[Sink] = getattr(module(form), FORMATS[form].sink)
    return sink.by_options(output, values, linktype if values.link_type is None else values.link_type)


def named_format(values: Values, writes: str | None) -> str | None:
    """The format that --format says, or else the ending of --out's FILE; None: neither says one.

    writes: what the command's name says. Text is only what is usual. Raises UsageError where a name says another capture.
    """
    named = values.format or format_of(values.output)
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
