"""The end of a flow whose packets are expected: a clock, perhaps a command that runs meanwhile, and the report."""

from __future__ import annotations

import time

from ..batch import Batch
from ..command_line.signals import ALARM, Interrupted, alarm, at, check
from ..formats.files import Output, Sink
from . import saying
from .beside import Beside
from .judging import Judge
from .saying import FAILED, PASSED, Result

STEP = 0.01  # seconds between two looks at a command


class Shape:
    """How the report looks. Its files are opened here; without one it is said on standard error. Raises PktError."""

    def __init__(self, name: str, junit: str | None = None) -> None:
        """name: text, json, or tap; remarks: text on standard error; failures: the same of what is not as expected."""
        self.text = {"json": saying.as_json, "tap": saying.as_tap, "failures": saying.as_failures}.get(name, saying.as_text)
        self.output = Output(None, None) if name in ("text", "json", "tap") else None
        self.junit = Output(junit, None) if junit is not None else None


class Report(Sink):
    """Takes packets, and reports in the end what came of the expectations.

    The end of the time ends it as the end of the packets does, with its report.
    """

    def __init__(self, judge: Judge, shape: Shape, seconds: float | None, command: list[str], linger: float) -> None:
        """The time begins. seconds: until the end; None: the packets end by themselves, or the command ends them.

        linger: seconds after the end of a command, if there are no others.
        """
        self.judge, self.shape, self.command, self.linger = judge, shape, command, linger
        self.output = shape.output
        self.seconds, self.stopped = seconds, None if seconds is None else ""
        self.began = time.time()
        self.process = Beside(command) if command else None
        self.start_time = time.monotonic()
        self.found: list[Result] = []
        if seconds is not None:
            alarm(seconds)
        elif command:
            at(self.start_time + STEP, self.look)

    def look(self) -> None:
        """Looks whether the command has ended."""
        if self.process and self.process.ended():
            alarm(self.linger)
        else:
            at(time.monotonic() + STEP, self.look)

    def write(self, batch: Batch) -> None:
        """Takes a batch, which was looked at already."""

    def close(self) -> list[str]:
        """Waits for the command, and writes the report, or gives it."""
        self.found = saying.results(self.judge)
        seconds = time.monotonic() - self.start_time
        if self.process:
            self.found.append(self.of_command(self.process))
        facts = {"seconds": round(seconds, 6), "packets": self.judge.seen,
                 "began": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.began))}  # fmt: skip
        if self.shape.junit:
            self.shape.junit.write(saying.as_junit(self.found, facts).encode(errors="replace"))
            self.shape.junit.close()
        text = self.shape.text(self.found, facts)
        if not self.shape.output:
            return text.splitlines()
        self.shape.output.write(text.encode(errors="replace"))
        self.shape.output.close()
        return []

    def of_command(self, process: Beside) -> Result:
        """What came of the command, which is waited for; where its time is over, it is ended."""
        end = None if self.seconds is None else self.start_time + self.seconds
        while not process.ended() and not self.interrupted() and (end is None or time.monotonic() < end):
            time.sleep(STEP)
        name = f"command {' '.join(self.command)}"
        if process.code is None:
            process.end()
            return Result(name, FAILED, "it had not ended, and was told to", [])
        return Result(name, FAILED if process.code else PASSED, f"exit code {process.code}", [], exit_code=process.code)

    def interrupted(self) -> bool:
        """Whether a signal asks for the end."""
        try:
            check()
        except Interrupted as signal:
            return bool(signal.args[0] != ALARM)
        return self.hurried

    @property
    def failed(self) -> bool:
        """Whether something is not as it was expected, the command among it."""
        return not self.judge.passed or any(one.outcome == FAILED for one in self.found)
