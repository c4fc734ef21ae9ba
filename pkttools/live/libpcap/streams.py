"""Where pcap_dump(3PCAP) writes packets, and what stands there is taken from, again and again."""

from __future__ import annotations

import ctypes
import os

from .handle import Handle

FILE_HEADER = 24  # bytes that a capture begins with


class Memory:
    """A stream in memory: open_memstream(3), of POSIX.

    address: the stream, for pcap_dump.
    """

    def __init__(self, handle: Handle) -> None:
        """Raises PktError."""
        self.pcap, self.system = handle.pcap, ctypes.CDLL(None)
        self.bytes, self.size = ctypes.c_void_p(), ctypes.c_size_t()
        self.system.open_memstream.restype = ctypes.c_void_p
        self.system.rewind.argtypes, self.system.rewind.restype = (ctypes.c_void_p,), None
        self.file = self.system.open_memstream(ctypes.byref(self.bytes), ctypes.byref(self.size))
        if not self.file:
            raise MemoryError
        self.address = handle.pcap.pcap_dump_fopen(handle.address, self.file)
        handle.must(0 if self.address else -1)
        self.system.rewind(self.file)  # the file's header is not wanted

    def taken(self) -> bytearray:
        """The records that were written since it was asked last."""
        self.pcap.pcap_dump_flush(self.address)
        data = bytearray(ctypes.string_at(self.bytes.value, self.size.value))  # type: ignore[arg-type]  # open_memstream has set it
        self.system.rewind(self.file)
        self.size.value = 0  # musl tells only what was written
        return data

    def close(self) -> None:
        """Ends it."""
        self.pcap.pcap_dump_close(self.address)


class File:
    """A file that is made anew each time: where there are no streams in memory."""

    def __init__(self, handle: Handle) -> None:
        """Raises PktError."""
        from tempfile import mkstemp  # late: for Windows alone

        self.handle = handle
        fd, self.path = mkstemp(suffix=".pcap")
        os.close(fd)
        self.open()

    def open(self) -> None:
        """Begins."""
        self.address = self.handle.pcap.pcap_dump_open(self.handle.address, os.fsencode(self.path))
        self.handle.must(0 if self.address else -1)

    def taken(self) -> bytearray:
        """The records that were written since it was asked last."""
        self.handle.pcap.pcap_dump_close(self.address)
        with open(self.path, "rb") as file:  # noqa: PTH123  pathlib is slow to import
            data = bytearray(file.read())
        self.open()
        return data[FILE_HEADER:]

    def close(self) -> None:
        """Ends it, and leaves nothing behind."""
        self.handle.pcap.pcap_dump_close(self.address)
        os.unlink(self.path)  # noqa: PTH108
