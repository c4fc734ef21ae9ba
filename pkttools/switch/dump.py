"""What passes a switch, written as text by a thread: whoever reads it slowly must not hold frames up."""

from __future__ import annotations

import threading
from mmap import mmap

from .. import codec
from ..batch import COLUMNS, NOTES, NOTES_SIZE, OFFSET, ROW_BYTES, Batch
from ..blocks import iface
from ..command_line.options import OUTPUT, PICK, Values
from ..command_line.signals import PATIENCE, elsewhere
from ..errors import OutputError, counted
from ..formats import sink_of
from ..formats.files import Output, Sink, format_of
from .ports import NEEDS_CSUM, VIRTIO

ROOM = 16 << 20  # bytes of frames that may wait to be written; those beyond are dropped, and counted


class Dump:
    """A stream of what passes. Checksums that are left to a card are finished in it, not in what passes."""

    def __init__(self, output: Output) -> None:
        """Starts a thread. output: the ending of its name may say the format. Raises UsageError."""
        self.sink, self.name = sink_to(output), output.name
        self.waiting: list[tuple[str, bytearray, bytearray]] = []  # port, captured records, whether each checksum is finished
        self.used = self.dropped = 0
        self.error = ""
        self.ended = False
        self.more = threading.Condition()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @property
    def failed(self) -> bool:
        """Whether something could not be written."""
        return bool(self.error or self.dropped)

    def write(self, port: str, data: bytearray | mmap, rows: bytearray) -> None:
        """Takes a copy of frames that came by a port."""
        count = len(rows) // ROW_BYTES
        columns = memoryview(rows).cast("q")
        size = sum(columns[1::COLUMNS].tolist())
        if self.error or self.used + size > ROOM:
            self.dropped += count
            return
        unfinished = bytearray(data[at - VIRTIO.size] & NEEDS_CSUM for at in columns[OFFSET::COLUMNS].tolist())
        records, first = bytearray(), 0
        while first < count:
            part, first, _ = codec.pcap_encode(data, rows, first, False, True)
            records += part
        with self.more:
            self.waiting.append((port, records, unfinished))
            self.used += len(records)
            self.more.notify()

    def run(self) -> None:
        """The thread: writes what waits, until the end."""
        elsewhere()
        try:
            while True:
                with self.more:
                    while not self.waiting:
                        if self.ended:
                            return
                        self.more.wait()
                    port, records, unfinished = self.waiting[0]
                size = len(records)
                for batch in batches(port, records, unfinished):
                    self.sink.write(batch)
                with self.more:
                    del self.waiting[0]
                    self.used -= size
        except BrokenPipeError:
            self.error = f"{self.name}: nobody reads it any more"
        except OutputError as error:
            self.error = str(error)

    def close(self) -> list[str]:
        """Writes what still waits; gives what there is to say."""
        with self.more:
            self.ended = True
            self.more.notify()
        left = self.used + 1
        while self.thread.is_alive() and self.used < left:
            left = self.used
            self.thread.join(PATIENCE)
        if self.thread.is_alive():
            self.error = f"{self.name}: nobody reads it"
        elif not self.error:
            try:
                said = self.sink.close()
            except OutputError as error:
                self.error = str(error)
        if not self.error:
            slow = [f"{counted(self.dropped, 'frame')} not written: it was not read fast enough"] if self.dropped else []
            return [f"--dump: {line}" for line in said + slow]
        self.dropped += sum(len(unfinished) for _, _, unfinished in self.waiting)
        return [f"--dump: {self.error}", f"--dump: {counted(self.dropped, 'frame')} not written, or not in whole"]


def sink_to(output: Output) -> Sink:
    """What writes the stream, with times in nanoseconds in a capture. Raises UsageError."""
    values = Values([*OUTPUT, *PICK])
    values.nano, values.format = True, format_of(output.name)
    return sink_of(values, output)


def batches(port: str, records: bytearray, unfinished: bytearray) -> list[Batch]:
    """The packets of records, with the lines that say where they came in, and with finished checksums."""
    notes = iface(port) + b"WAY: in\n"
    end = len(records)
    records += notes
    made, start, first = [], 0, 0
    while start < end:
        start, rows, _ = codec.pcap_decode(records, start, end, True, False, True, 16, codec.IN_ORDER, 1)
        batch = Batch(records, rows)
        columns, count = batch.columns(), len(batch)
        for i in range(0, len(columns), COLUMNS):
            columns[i + NOTES], columns[i + NOTES_SIZE] = end, len(notes)
        open_ones = bytearray()
        for i in range(count):
            if unfinished[first + i]:
                open_ones += rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
        codec.correct(records, open_ones, codec.TRANSPORT)
        first += count
        made.append(batch)
    return made
