"""Compressed streams: what decompresses and compresses each kind, of Python's own library or of an extra, imported late.

unpacking.py: from a stream of members, or frames, to what they hold. beside.py: the thread that does it while packets are worked
on. Of which kind a stream is say its first octets, `compression_in` of `formats`; what is written, a name's ending or --compress.
"""

from __future__ import annotations

from ...errors import PktError, installs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Decompressor(Protocol):
        """What decompresses one member, as Python's own do."""

        @property
        def eof(self) -> bool:
            """Whether its end was met."""

        @property
        def needs_input(self) -> bool:
            """Whether nothing more comes of what it was given."""

        @property
        def unused_data(self) -> bytes | None:
            """What was given to it that stands behind its end."""

        def decompress(self, data: bytes, max_length: int) -> bytes:
            """At most so many octets of what `data`, behind what was given before, holds. Raises what it likes."""


WINDOW = 27  # binary logarithm of the memory that a stream may ask for, as zstd and others have it: --long=28 and more are refused
MEMORY = (1 << WINDOW) + (1 << 24)  # octets of the same for xz, with what it needs besides; xz -9 asks for half of it


def imported(name: str) -> Any:  # noqa: ANN401  the module of one of several libraries
    """The library of a kind of compression. Raises PktError where it is missing."""
    try:
        if name == "gzip":
            import zlib

            return zlib
        if name == "bzip2":
            import bz2

            return bz2
        if name == "xz":
            import lzma

            return lzma
        if name == "lz4":
            import lz4.frame

            return lz4.frame
    except ImportError as error:
        raise missing(name, "lz4" if name == "lz4" else "", error) from None
    try:
        from compression import zstd  # from Python 3.14 on
    except ImportError:
        try:
            from backports import zstd
        except ImportError as error:
            raise missing(name, "backports.zstd", error) from None
    return zstd


def missing(name: str, package: str, error: ImportError) -> PktError:
    """What is said where a library cannot be imported."""
    if package:
        return PktError(f"{name} takes {package} ({error}): {installs(package)}")
    return PktError(f"{name} is not in this Python: {error}")


class Inflating:
    """gzip (RFC 1952) with the interface of the others; sums and sizes at the end are checked."""

    def __init__(self, zlib: Any) -> None:  # noqa: ANN401  the module
        self.stream, self.rest, self.needs_input = zlib.decompressobj(zlib.MAX_WBITS | 16), b"", True

    @property
    def eof(self) -> bool:
        """Whether its end was met."""
        return bool(self.stream.eof)

    @property
    def unused_data(self) -> bytes:
        """What stands behind it."""
        return bytes(self.stream.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many octets. Raises zlib.error."""
        found: bytes = self.stream.decompress(self.rest + data if self.rest else data, max_length)
        self.rest = self.stream.unconsumed_tail
        self.needs_input = not self.rest and len(found) < max_length
        return found


def decompressor(name: str) -> Decompressor:
    """What decompresses a member. Raises PktError where its library is missing."""
    library = imported(name)
    made: Decompressor
    if name == "gzip":
        made = Inflating(library)
    elif name == "bzip2":
        made = library.BZ2Decompressor()
    elif name == "xz":
        made = library.LZMADecompressor(library.FORMAT_XZ, memlimit=MEMORY)
    elif name == "lz4":
        made = library.LZ4FrameDecompressor()
    else:
        made = library.ZstdDecompressor(options={library.DecompressionParameter.window_log_max: WINDOW})
    return made


class Packer:
    """Compresses one stream, as the program of that name does without options, sums included.

    prompts: whether it can write at once all that was put in.
    """

    def __init__(self, name: str) -> None:
        """Raises PktError where its library is missing."""
        self.name, self.library = name, imported(name)
        self.prompts = name not in ("xz", "bzip2")
        self.stream: Any = None  # with the first octet

    @property
    def begun(self) -> bool:
        """Whether anything was put in."""
        return self.stream is not None

    def made(self, prompt: bool) -> Any:  # noqa: ANN401  a compressor of its library
        """The compressor. prompt: whether it keeps nothing back."""
        library = self.library
        if self.name == "gzip":
            return library.compressobj(wbits=library.MAX_WBITS | 16)
        if self.name == "bzip2":
            return library.BZ2Compressor()
        if self.name == "xz":
            return library.LZMACompressor()
        if self.name == "lz4":
            return library.LZ4FrameCompressor(content_checksum=True, auto_flush=prompt)
        return library.ZstdCompressor(options={library.CompressionParameter.checksum_flag: 1})

    def pack(self, data: bytes | bytearray | memoryview, prompt: bool = False) -> bytes:
        """What there is to write once `data` is put in. prompt: all of it, as far as this kind can do that: xz and bzip2 cannot."""
        front = b""
        if self.stream is None:
            self.stream = self.made(prompt)
            front = self.stream.begin() if self.name == "lz4" else b""
        packed: bytes = front + self.stream.compress(data)
        if prompt and self.name == "gzip":
            packed += self.stream.flush(self.library.Z_SYNC_FLUSH)
        elif prompt and self.name == "zstd":
            packed += self.stream.flush(self.stream.FLUSH_BLOCK)
        return packed

    def end(self) -> bytes:
        """What there is to write in the end."""
        packed: list[bytes] = [self.pack(b""), self.stream.flush()]
        return b"".join(packed)
