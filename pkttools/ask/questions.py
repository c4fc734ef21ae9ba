"""Questions, and what becomes of them: sent, answered, asked again, given up; and the account of all."""

from __future__ import annotations

from struct import pack

from ..batch import Packet
from ..command_line.account import Account
from ..errors import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .keys import Key

OPEN, ANSWERED, LOST, UNSENT = range(4)
MOST_TIMES = 1 << 20  # round-trip times that the median is of, about


class Question:
    """A packet that is to be answered.

    keys: of its answers. state: OPEN until it is settled. tries: how often it was sent. sent: when, in nanoseconds since 1970.
    """

    __slots__ = ("answer", "keys", "packet", "sent", "state", "tries")

    def __init__(self, packet: Packet, keys: Sequence[Key]) -> None:
        self.packet, self.keys = packet, keys
        self.state, self.tries, self.sent = OPEN, 0, 0
        self.answer: Packet | None = None


class Counts:
    """How many were sent, answered, asked again; answers that came twice or too late; and round-trip times in nanoseconds."""

    def __init__(self) -> None:
        self.sent = self.answered = self.unsent = self.retried = 0
        self.duplicates = self.late = self.open = 0
        self.reasons: dict[str, int] = {}
        self.times = bytearray()  # 8 bytes each; array takes as long to import as all of this
        self.total = self.timed = 0
        self.least = self.most = 0

    def time(self, took: list[int]) -> None:
        """Counts answers, with their round-trip times."""
        self.answered += len(took)
        self.least = min(self.least, *took) if self.timed else min(took)
        self.most = max(self.most, *took)
        self.total += sum(took)
        self.timed += len(took)
        if len(self.times) < 8 * MOST_TIMES:
            self.times += pack(f"{len(took)}q", *took)

    @property
    def median(self) -> float:
        """Of the round-trip times, as far as they are kept."""
        times = sorted(memoryview(self.times).cast("q").tolist())
        middle = len(times) // 2
        return times[middle] if len(times) % 2 else (times[middle - 1] + times[middle]) / 2

    @property
    def failed(self) -> bool:
        """Whether any question was not answered, or none was asked."""
        return self.answered < self.sent + self.unsent or not self.answered

    def account(self, name: str, dropped: int) -> Account:
        """What there is to say in the end, as ping does."""
        share = 100 * (self.sent - self.answered) / self.sent if self.sent else 0
        said = f"{name}: {self.sent} sent, {self.answered} answered, {self.sent - self.answered} lost ({share:.3g} %)"
        said += f", {counted(self.duplicates, 'duplicate')}"
        for number, words in ((self.late, "late"), (self.retried, "asked again"), (dropped, "dropped by the kernel")):
            said += f", {number} {words}" if number else ""
        if self.unsent:
            said += f"; {self.unsent} not sent ({', '.join(f'{n} {reason}' for reason, n in self.reasons.items())})"
        rtt = None
        if self.timed:
            shown = [of / 1e6 for of in (self.least, self.total / self.timed, self.median, self.most)]
            said += f"; rtt min/avg/median/max = {'/'.join(f'{time:.3f}' for time in shown)} ms"
            rtt = {word: time / 1000 for word, time in zip(("min", "avg", "median", "max"), shown, strict=True)}
        return Account(
            said, interface=name, sent=self.sent, answered=self.answered, lost=self.sent - self.answered, rtt=rtt,
            duplicates=self.duplicates, late=self.late, retried=self.retried, unsent=self.unsent, reasons=self.reasons,
            dropped=dropped,
        )  # fmt: skip
