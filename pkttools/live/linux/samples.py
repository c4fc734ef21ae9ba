"""What an XDP program hands over: a ring buffer that all processors share, or a perf buffer for each."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import struct
import time

from ...batch import Batch
from ...bpf import assembler as ebpf
from ...bpf.assembler import R0, R1, R2, R3, R4, R5, R7, R8, R10, Code, Register, add, call, jump_if, load, map_fd, mov, store
from ...kernel import perf_read, ringbuf_read
from . import bpf

PAGE = mmap.PAGESIZE
RING = 32 << 20  # bytes, as pkt-recv's: 100 ms of a million small frames a second
ROOM = 512 << 10  # bytes of samples in a batch
# To wake us takes a processor 5 us, thirty times as long as all the rest: it does so once in a while, and we look again by
# ourselves, later than that, before we sleep.
WAKE, LOOK = 1_000_000, 0.002  # nanoseconds; seconds
HEAD = 16  # bytes in front of a frame in the ring buffer: when, bytes on the wire
WOKEN, SAMPLE = 0, 8  # what a processor has of its own: when it woke us last; what it hands over, head and frame
NO_WAKEUP, FORCE_WAKEUP = 1, 2  # flags of bpf_ringbuf_output
COOKIE = 0xDEAD  # in front of a frame in a perf buffer, with the bytes on the wire
LARGEST = 0xFFFF  # that can be said there
LONGEST = {"ring": 262_144, "perf": 65_000}  # bytes of a sample: a record of perf has 64 KiB

# struct perf_event_attr and its values, <linux/perf_event.h>
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319}
SOFTWARE, BPF_OUTPUT = 1, 10
SAMPLE_TIME, SAMPLE_RAW = 1 << 2, 1 << 10
WATERMARK, USE_CLOCKID = 1 << 14, 1 << 25
CLOSE_ON_EXEC = 8
ENABLE = 0x2400
CURRENT_PROCESSOR = 0xFFFFFFFF
MUCH = 64 << 10  # bytes in a buffer
SMALL = 512 << 10  # bytes of a perf buffer that all may have, unless kernel.perf_event_mlock_kb says otherwise


class RingBuffer:
    """A BPF ring buffer: frames in the order in which they came. idle: seconds to sleep when nothing comes."""

    idle = 0.1

    def __init__(self, sample: int) -> None:
        """sample: bytes of a frame, at most. Raises PktError."""
        self.sample = sample
        self.ring = bpf.Map(bpf.RINGBUF, 0, RING)
        # A frame may lie in several pieces: it is put together here first, with what stands before it, once a processor.
        self.scratch = bpf.Map(bpf.ARRAY, SAMPLE + HEAD + (sample + 7 & ~7), bpf.possible_processors())
        self.consumer = mmap.mmap(self.ring.fd, PAGE)
        self.producer = mmap.mmap(self.ring.fd, PAGE + 2 * RING, prot=mmap.PROT_READ, offset=PAGE)
        self.fds = [self.ring.fd]

    def output(self, context: Register, size_at: int, key_at: int, failed: str) -> Code:
        """Instructions that hand over the frame, or go to a label where there is no room.

        size_at: where on the stack its size is. key_at: where four bytes are free.
        """
        return [
            load(8, R7, R10, size_at), jump_if(ebpf.JLE, R7, self.sample, "whole"), mov(R7, self.sample),
            "whole", jump_if(ebpf.JLT, R7, 1, failed),
            call(bpf.PROCESSOR), store(4, R10, key_at, R0),
            mov(R2, R10), add(R2, key_at), map_fd(R1, self.scratch.fd), call(bpf.LOOKUP),
            jump_if(ebpf.JEQ, R0, 0, failed), mov(R8, R0),
            call(bpf.TIME), store(8, R8, SAMPLE, R0),
            load(8, R1, R10, size_at), store(8, R8, SAMPLE + 8, R1),
            mov(R1, context), mov(R2, 0), mov(R3, R8), add(R3, SAMPLE + HEAD), mov(R4, R7), call(bpf.LOAD_BYTES),
            jump_if(ebpf.JNE, R0, 0, failed),
            load(8, R1, R8, SAMPLE), load(8, R2, R8, WOKEN), ebpf.alu(ebpf.SUB, R1, R2),
            mov(R4, NO_WAKEUP), jump_if(ebpf.JLT, R1, WAKE, "quiet"),
            load(8, R1, R8, SAMPLE), store(8, R8, WOKEN, R1), mov(R4, FORCE_WAKEUP),
            "quiet", map_fd(R1, self.ring.fd), mov(R2, R8), add(R2, SAMPLE), mov(R3, R7), add(R3, HEAD), call(bpf.RING_OUTPUT),
            jump_if(ebpf.JNE, R0, 0, failed),
        ]  # fmt: skip

    def read(self, clock: int, nano: bool, notes: bytes) -> Batch | None:
        """A batch of what has come, if anything has. clock: what is added to times. Raises OSError."""
        data, rows = ringbuf_read(self.consumer, self.producer, 1, clock, nano, ROOM, notes)
        return Batch(data, rows) if rows else None

    def close(self) -> None:
        """Gives the memory back."""
        for each in (self.consumer, self.producer, self.ring, self.scratch):
            each.close()


class PerfBuffers:
    """Perf buffers, with what the classic example has in front of a frame: a cookie, 0xdead, and its size, 16 bits each.

    The kernel wakes us when there is much in one; else we look by ourselves.
    """

    idle = 0.005

    def __init__(self, sample: int) -> None:
        """sample: bytes of a frame, at most. Raises PktError."""
        self.sample, self.next = sample, 0
        self.map = bpf.Map(bpf.PERF_EVENT_ARRAY, 4, bpf.possible_processors())
        processors = online_processors()
        size = 2 * MUCH
        while size * 2 * len(processors) <= RING:
            size *= 2
        self.fds: list[int] = []
        self.buffers: list[mmap.mmap] = []
        try:
            for processor in processors:
                self.fds.append(perf_event(processor))
                self.buffers.append(mapped(self.fds[-1], size))
                self.map[processor] = struct.pack("=I", self.fds[-1])
                fcntl.ioctl(self.fds[-1], ENABLE, 0)
        except OSError as error:
            raise bpf.refused(error, "make a perf buffer") from None

    def output(self, context: Register, size_at: int, key_at: int, failed: str) -> Code:
        """As `RingBuffer.output`."""
        return [
            load(8, R7, R10, size_at), mov(R1, R7), jump_if(ebpf.JLE, R1, LARGEST, "short"), mov(R1, LARGEST),
            "short", store(2, R10, key_at, COOKIE), store(2, R10, key_at + 2, R1),
            jump_if(ebpf.JLE, R7, self.sample, "whole"), mov(R7, self.sample),
            "whole", mov(R3, R7), ebpf.alu(ebpf.LSH, R3, 32),
            ebpf.alu(ebpf.MOV, R1, CURRENT_PROCESSOR, 32), ebpf.alu(ebpf.OR, R3, R1),
            mov(R1, context), map_fd(R2, self.map.fd), mov(R4, R10), add(R4, key_at), mov(R5, 4), call(bpf.PERF_OUTPUT),
            jump_if(ebpf.JNE, R0, 0, failed),
        ]  # fmt: skip

    def read(self, clock: int, nano: bool, notes: bytes) -> Batch | None:
        """A batch of what has come to one of the processors, each in its turn. Raises OSError."""
        for _ in self.buffers:
            buffer, self.next = self.buffers[self.next], (self.next + 1) % len(self.buffers)
            data, rows = perf_read(buffer, PAGE, self.sample, 1, clock, nano, ROOM, notes)
            if rows:
                return Batch(data, rows)
        return None

    def close(self) -> None:
        """Gives the memory back."""
        for buffer in self.buffers:
            buffer.close()
        for fd in self.fds:
            os.close(fd)
        self.map.close()


def perf_event(processor: int) -> int:
    """Opens what a program on a processor writes samples to, perf_event_open(2). Raises OSError."""
    kind, flags = SAMPLE_TIME | SAMPLE_RAW, WATERMARK | USE_CLOCKID
    attributes = struct.pack("=IIQQQQQI40xi16x", SOFTWARE, 112, BPF_OUTPUT, 1, kind, 0, flags, MUCH, time.CLOCK_MONOTONIC)
    number = PERF_EVENT_OPEN.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes = (ctypes.c_long, ctypes.c_char_p, ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_ulong)
    fd = call(number, attributes, -1, processor, -1, CLOSE_ON_EXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def mapped(fd: int, size: int) -> mmap.mmap:
    """A perf buffer, behind its page with the positions; a small one for those who may not lock more memory. Raises OSError."""
    try:
        return mmap.mmap(fd, PAGE + size)
    except PermissionError:
        return mmap.mmap(fd, PAGE + SMALL)


def online_processors() -> list[int]:
    """The processors that run."""
    with open("/sys/devices/system/cpu/online") as file:  # noqa: PTH123  pathlib is slow to import
        spans = [part.split("-") for part in file.read().strip().split(",")]
    return [number for span in spans for number in range(int(span[0]), int(span[-1]) + 1)]
