"""Sends questions to an interface and waits for the answer that belongs to each, several at a time; a stage of a flow.

A question whose answer could be that of another one waits until that one is settled. Round-trip times are the kernel's: it shows
questions when they leave, beside what comes in. Questions and answers come out in the order of the questions.
"""

from __future__ import annotations

import time
from _collections import deque  # type: ignore[import-not-found]  # collections is dear

from .. import codec
from ..batch import CAPTURED, OFFSET, TIME, Batch, Packet, gathered
from ..command_line.signals import Interrupted, hold, ready
from .keys import answered, asked
from .matching import Matcher
from .questions import ANSWERED, LOST, OPEN, UNSENT, Counts, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..live.linux.prompt import Prompt
    from ..live.sending import Sender
    from .keys import Key

MOST_HELD = 1 << 16  # settled questions that wait for an earlier one before they are written
AT_ONCE = 1024  # questions that are made of packets at once
TURN = 64  # questions that are sent at once; each may have to wait for one in front of it, and those behind it are taken in vain
OUT, IN = b"\0\1" + bytes(254), b"\1" + bytes(255)  # of ways, as codec.pick takes them
STOPPED = "stopped by a signal: no more was asked, and {} not waited for"


class Wire:
    """An interface: what sends, and what shows all that comes and leaves."""

    def __init__(self, ring: Prompt, sender: Sender) -> None:
        self.ring, self.sender = ring, sender


class Asker:
    """Asks.

    in_flight: questions that are open at a time. retries: how often each is asked again. timeout, interval: seconds that an answer
    is waited for, and between questions. both: questions come out, too. times, change: how many questions each packet is, and what
    makes them differ.
    """

    wire: Wire  # once it is open

    def __init__(self, *, in_flight: int = 64, retries: int = 0, timeout: float = 1, interval: float = 0, both: bool = False,
                 times: int = 1, change: Callable[[Batch], None] | None = None) -> None:  # fmt: skip
        self.in_flight, self.retries, self.timeout, self.interval, self.both = in_flight, retries, timeout, interval, both
        self.times, self.change = times, change
        self.complete: Callable[[Batch], object] | None = None  # what sets the sender's own address
        self.counts, self.matcher = Counts(), Matcher()
        self.line: deque[Question] = deque()  # those that were not written yet
        self.waiting: deque[tuple[float, Question, int]] = deque()  # until when, for which try
        self.leaving: dict[bytes, Question] = {}  # by their bytes
        self.sending: list[Question] = []
        self.next = 0.0  # when the next question may be sent, once one was
        self.waits_for: Callable[[], list[int]] = list  # what questions come from, where more of them may be a long time coming
        self.more = False  # whether some have come there
        self.dropped, self.closed = 0, False
        self.base = 0  # packets attempted before those that are sent
        self.stopped = False  # whether a signal did that
        self.said: list[str] = []  # of that

    def open(self, wire: Wire) -> None:
        """Asks by an interface."""
        self.wire = wire
        fail = wire.sender.fail

        def unsent(reason: str, count: int = 1) -> None:
            first = wire.sender.attempted - self.base
            fail(reason, count)
            for question in self.sending[first : first + count]:
                self.settle(question, UNSENT)
                self.counts.reasons[reason] = self.counts.reasons.get(reason, 0) + 1

        wire.sender.fail = unsent  # type: ignore[method-assign]  # which question it was

    def __call__(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """Passes answers."""
        try:
            for batch in stream:
                for questions in self.made(batch.without_fcs()):
                    yield from self.ask(questions)
                yield from self.written()
                self.more = False
                while self.counts.open and not self.more and (fds := self.waits_for()):  # before more is waited for
                    self.turn(None, fds)
                    yield from self.written()
            while self.counts.open and not self.stopped:
                self.turn()
                yield from self.written()
        except Interrupted:
            self.stop()
        if self.stopped:
            self.take()
            self.said = [STOPPED.format(self.counts.open)]
        for question in self.line:
            if question.state == OPEN:
                self.settle(question, LOST)
        self.close()
        yield from self.written()

    def stop(self) -> None:
        """A signal has come: no more is asked, and no answer waited for. What came is written."""
        hold(True)
        self.stopped = True

    def made(self, batch: Batch) -> Iterator[Batch]:
        """The questions that packets are."""
        if self.complete:
            self.complete(batch)
        if self.times == 1:
            if self.change:
                self.change(batch)
            yield batch
            return
        for i in range(len(batch)):
            packet = batch.packet(i)
            for first in range(0, self.times, AT_ONCE):
                questions = gathered([packet] * min(AT_ONCE, self.times - first))
                if self.change:
                    self.change(questions)
                yield questions

    def ask(self, batch: Batch) -> Iterator[Batch]:
        """Sends the questions of a batch, as soon as there is room for them; all else is done while answers are on their way."""
        first = 0
        keys: list[Sequence[Key]] = []
        while first < len(batch):
            room = self.in_flight - self.counts.open if len(self.line) < MOST_HELD else 0
            now = time.monotonic()
            interval = 0 if self.wire.sender.gone else self.interval  # where nothing can be asked, nothing is waited for
            if interval and room > 0:
                room = 0 if now < self.next else 1
            keys += asked(batch.part(len(keys), first + room))
            questions: list[Question] = []
            stop = min(first + max(room, 0), first + TURN, len(batch))
            for packet, own in zip(batch.packets(first, stop), keys[first:stop], strict=True):
                if self.blocked(own):
                    break
                question = Question(packet, own)
                self.matcher.ask(question, own)
                questions.append(question)
            if questions:
                self.next = max((self.next or now) + interval, now)
                self.line += questions
                self.counts.open += len(questions)
                self.counts.sent += len(questions)
                self.send(batch, first, first + len(questions), questions)
                first += len(questions)
                if self.counts.open < self.in_flight and not interval:
                    continue
            if first < len(batch):
                keys += asked(batch.part(len(keys), first + self.in_flight))
                yield from self.written()
                self.turn(self.next - now if interval and self.counts.open < self.in_flight else None)

    def blocked(self, keys: Sequence[Key]) -> bool:
        """Whether an answer would be that of another question that is open."""
        open_ones = self.matcher.by_key
        return not open_ones.keys().isdisjoint(keys) and any(key in open_ones and open_ones[key].state == OPEN for key in keys)

    def send(self, batch: Batch, first: int, stop: int, questions: list[Question]) -> None:
        """Sends questions, the packets of a batch from `first` up to `stop`."""
        wire, now = self.wire, time.time_ns()
        until = time.monotonic() + self.timeout
        for question in questions:
            question.tries += 1
            question.sent = now
            self.leaving[question.packet.frame] = question
            self.waiting.append((until, question, question.tries))
        self.sending, self.base = questions, wire.sender.attempted
        wire.sender.send(batch, first, stop)
        self.sending = []

    def turn(self, seconds: float | None = None, fds: list[int] | None = None) -> None:
        """Waits for answers, at most so long; takes what came, and gives up what was not answered.

        fds: of questions, which end the waiting, too.
        """
        if self.waiting:
            left = self.waiting[0][0] - time.monotonic()
            seconds = left if seconds is None else min(seconds, left)
        found, _ = ready([self.wire.ring.fd, *(fds or ())], [], None if seconds is None else max(0.0, seconds))
        self.more = bool(fds) and not set(found).isdisjoint(fds or ())
        self.take()
        self.expire()

    def take(self) -> None:
        """Takes what came."""
        ring = self.wire.ring
        while (batch := ring.take()) is not None:
            ways = bytes(ring.outgoing(batch))
            self.left(Batch(batch.data, codec.pick(batch.rows, ways, OUT)))
            incoming = Batch(batch.data, codec.pick(batch.rows, ways, IN))
            if len(incoming):
                ring.finish(incoming)
                self.come([self.matcher.question(keys) for keys in answered(incoming)], incoming.packets())
            ring.give()

    def left(self, batch: Batch) -> None:
        """Questions left: that is when."""
        data = memoryview(batch.data)
        for at, size, moment in zip(batch.column(OFFSET), batch.column(CAPTURED), batch.column(TIME), strict=True):
            question = self.leaving.get(bytes(data[at : at + size]))
            if question:
                question.sent = moment or question.sent

    def come(self, questions: list[Question | None], answers: list[Packet]) -> None:
        """Packets came, each of which is the answer to a question or to none."""
        took = []
        for question, answer in zip(questions, answers, strict=True):
            if question is None:
                continue
            if question.state == OPEN:
                question.answer, question.state = answer, ANSWERED
                took.append(max(answer.time - question.sent, 0))
                self.leaving.pop(question.packet.frame, None)
            elif question.state == ANSWERED:
                self.counts.duplicates += 1
            elif question.state == LOST:
                self.counts.late += 1
        if took:
            self.counts.open -= len(took)
            self.counts.time(took)

    def settle(self, question: Question, state: int) -> None:
        """Nothing is waited for any more: it is LOST, or UNSENT."""
        question.state = state
        self.counts.open -= 1
        self.counts.unsent += state == UNSENT
        self.counts.sent -= state == UNSENT
        self.leaving.pop(question.packet.frame, None)

    def expire(self) -> None:
        """Asks again, or gives up, what was not answered in time."""
        now, again = time.monotonic(), []
        while self.waiting and (self.waiting[0][0] <= now or self.waiting[0][1].state != OPEN):
            _, question, tries = self.waiting.popleft()
            if question.state != OPEN or question.tries != tries:
                continue
            if tries > self.retries:
                self.settle(question, LOST)
            else:
                again.append(question)
        if again:
            self.counts.retried += len(again)
            self.send(gathered([question.packet for question in again]), 0, len(again), again)

    def written(self) -> Iterator[Batch]:
        """What is settled, in the order of the questions."""
        found = []
        while self.line and self.line[0].state != OPEN:
            question = self.line.popleft()
            if self.both:
                packet = question.packet
                found.append(Packet(packet.frame, packet.original, question.sent, packet.linktype, packet.notes))
            if question.answer:
                found.append(question.answer)
                question.answer = None
        if found:
            yield gathered(found)

    def close(self) -> None:
        """Nothing is asked any more, and nothing waited for."""
        if not self.closed:
            self.dropped, self.closed = self.wire.ring.close(), True

    def account(self) -> list[str]:
        """What there is to say in the end."""
        wire = self.wire
        self.close()
        wire.sender.close()
        return [*self.said, self.counts.account(wire.ring.name, self.dropped)]
