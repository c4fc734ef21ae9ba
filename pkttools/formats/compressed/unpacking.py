"""What a compressed stream holds: its members one behind the other, of one kind or of several, whatever stands between them."""

from __future__ import annotations

import os
import select
import struct

from ...errors import PktError
from .. import compression_in
from ..files import RAW
from . import decompressor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 384 << 10  # octets handed on at once, as one read takes them; of a damaged stream so many may be lost
HEAD = 8  # octets by which it is known what comes
SKIPPABLE = b"\x2a\x4d\x18"  # of zstd and lz4, behind an octet from 0x50 to 0x5F (RFC 8878 section 3.1.2)


def reader(fd: int, name: str) -> Callable[[], bytes]:
    """What reads a descriptor for a thread, which no signal wakes. name: in messages."""

    def read() -> bytes:
        try:
            if hasattr(os, "get_blocking") and not os.get_blocking(fd):
                select.select([fd], [], [])
            return os.read(fd, RAW)
        except OSError as error:
            raise PktError(f"{name}: {error.strerror}") from None

    return read


class Members:
    """A compressed stream, piece by piece. name: in messages. read: gives more of it, nothing at its end.

    rest: what was read and not taken.
    """

    def __init__(self, name: str, head: bytes, read: Callable[[], bytes]) -> None:
        self.name, self.rest, self.read = name, head, read

    def wrong(self, what: str) -> PktError:
        """An error in it."""
        return PktError(f"{self.name}: {what}")

    def more(self) -> bool:
        """Reads on; whether there was more."""
        some = self.read()
        self.rest += some
        return bool(some)

    def pieces(self) -> Iterator[bytes]:
        """What it holds; none is empty. Raises PktError at what is wrong, behind what is in front of it."""
        kind = ""
        while self.at_member(kind):
            kind = compression_in(self.rest)
            if not kind:
                raise self.wrong("what stands behind the compressed data is none: it was not read")
            yield from self.member(kind)

    def at_member(self, before: str) -> bool:
        """Goes to where the next member begins, behind padding and frames to be skipped; whether there is one. Raises PktError.

        before: of what kind the last one was: behind gzip's zeros are taken for the padding of tapes, behind xz's in fours (its
        format, 2.2).
        """
        zeros = 0
        while True:
            while len(self.rest) < HEAD and self.more():
                pass
            if before in ("gzip", "xz") and self.rest[:1] == b"\0":
                left = self.rest.lstrip(b"\0")
                zeros, self.rest = zeros + len(self.rest) - len(left), left
            elif self.rest[1:4] == SKIPPABLE and self.rest[0] >> 4 == 5:
                self.skip()
            else:
                break
        if before == "xz" and zeros % 4:
            raise self.wrong(f"xz: padding of {zeros} octets, which is no multiple of 4")
        return bool(self.rest)

    def skip(self) -> None:
        """Passes over a frame that is to be skipped. Raises PktError."""
        size = 8 + struct.unpack_from("<I", self.rest, 4)[0] if len(self.rest) >= 8 else 8
        while len(self.rest) < size:
            size -= len(self.rest)
            self.rest = b""
            if not self.more():
                raise self.truncated("zstd")
        self.rest = self.rest[size:]

    def truncated(self, kind: str) -> PktError:
        """The error of a stream that ends early."""
        return self.wrong(f"file is truncated: the end of the {kind} data is missing")

    def member(self, kind: str) -> Iterator[bytes]:
        """What the next member holds. Raises PktError."""
        one = decompressor(kind)
        given, self.rest = self.rest, b""
        while not one.eof:
            if one.needs_input and not given:
                given = self.read()
                if not given:
                    raise self.truncated(kind)
            try:
                piece, given = one.decompress(given, PIECE), b""
            except Exception as error:  # each library has its own, lz4 RuntimeError
                raise self.wrong(f"{kind} data is damaged, or asks for too much memory: {error}") from None
            if piece:
                yield piece
        self.rest = one.unused_data or b""
