"""Runs several commands as one process, without text in between.

pkt-pipe 'change --icmp-type 8 | correct' < in.pcap > out.pcap

pkt-pipe --each *.pcap --out-dir sent 'change IP.TTL=9 | correct'

Commands stand with or without pkt-, with their options and arguments, as in a shell.
Unless the last one says a format, what is read is what is written.
"""

from __future__ import annotations

import os
import sys

from ..batch import Batch
from ..command_line.options import FLAG, GENERAL, INPUT, NUMBER, OUTPUT, TEXT, UTC, Option, Values, choose_zone, format_option
from ..errors import UsageError, need
from ..flow import run as flow
from ..flow.stage import Source, Stage, Written
from ..formats import refuse_terminal, sink_of
from ..formats.files import Output, Sink, to_file
from ..formats.sections import Sections
from . import find, read

MOST_JOBS = 256  # select(2) knows 1,024 descriptors, and each takes two

OPTIONS = [
    *INPUT,
    *(option for option in OUTPUT if option.attribute in ("output", "compress")),
    format_option("what is read"),
    Option("--each", FLAG, "run for each FILE in front of the pipe"),
    Option("--out-dir", TEXT, "with --each: write each there, under its name", "DIR"),
    Option("--jobs", NUMBER, "N processes work (1); 0, and with --each: one a core", "N", most=MOST_JOBS),
    UTC,
    *GENERAL,
]
ARGUMENTS = "[FILE...] 'COMMAND | COMMAND...'"
ARGUMENTS_HELP = "one argument, such as 'recv -i a | change IP.TTL-=1 | correct | send -i b'"

MOST = 500  # commands of a pipe
DEPTH = 10  # calls within each other that a stage takes, at most

# What options are for that are not for every command of a pipe, by their `end`.
PLACES = {
    "first": "the first command of the pipe",
    "last": "the last command of the pipe",
    "once": "pkt-{} alone: a pipe reads once",
    "alone": "pkt-{} alone",
    "process": "pkt-pipe itself: all of the pipe goes by it",
}
FIRST, LAST = "has to be the first command of the pipe", "has to be the last command of the pipe"


def run(values: Values) -> tuple[list[str], int]:
    """Joins the stages of the commands, and runs them: once, or for each file."""
    *files, pipe = values.arguments or [""]
    if values.each:
        return run_each(values, files, pipe)
    there = f"; to read a file: --in {pipe}" if files and os.path.exists(pipe) else ""  # noqa: PTH110  pathlib is slow to import
    need(len(values.arguments) == 1, f"the pipe is one argument, such as 'change IP.TTL=9 | correct'{there}")
    need(values.out_dir is None, "--out-dir goes with --each")
    return flow(joined(values, pipe), 1 if values.jobs is None else jobs(values))


def run_each(values: Values, files: list[str], pipe: str) -> tuple[list[str], int]:
    """Runs the pipe for each of the files. Raises UsageError, PktError, Interrupted."""
    need(bool(files), "--each FILE... --out-dir DIR 'COMMAND | COMMAND...': which files?")
    need(not values.input and values.output is None, "--each reads its files, and writes into --out-dir: no --in, no --out")
    from ..flow.each import run_each  # late: most run once

    return run_each(joined(values, pipe), files, values.out_dir, jobs(values))


def jobs(values: Values) -> int:
    """How many processes are to work: as said, else one for each core."""
    from ..flow.forked import cores  # late: the same

    return values.jobs or min(cores(), MOST_JOBS)


def joined(values: Values, pipe: str) -> list[Stage]:
    """The stages of a pipe, as its options say. Raises UsageError, PktError."""
    lines = [[words[0], *(["-v"] if values.verbose else []), *words[1:]] for words in split(pipe)]
    of_last = (("--out", values.output), ("--compress", values.compress), ("-F", values.format))
    for line, option, given in ((0, "--in", values.input), *((-1, option, [value]) for option, value in of_last)):
        lines[line][1:1] = [word for value in given if value is not None for word in (option, value)]
    last = len(lines) - 1
    need(last < MOST, f"{len(lines)} commands: a pipe has at most {MOST}")
    sys.setrecursionlimit(max(sys.getrecursionlimit(), DEPTH * len(lines)))  # each asks the one before it
    stages = [stage_of(words, i == 0, i == last) for i, words in enumerate(lines)]
    for place, made in enumerate(stages, 1):
        made.place = place
    first, end = stages[0].values, stages[last]
    first.awaited = end.name == "send" or not to_file(end.values.output)
    if first is not end.values:
        first.format = getattr(end.sink, "form", None)  # what pkt-recv has to say of a packet depends on it
    first.noted = any(made.asks_notes for made in stages)
    return stages


def stage_of(words: list[str], first: bool, last: bool, said: tuple[str, str, dict[str, str]] = (FIRST, LAST, PLACES)) -> Stage:
    """The stage of a command line. Raises UsageError, also where the place in the pipe is wrong.

    said: in which words that is, of commands that have to be the first or the last one, and of options.
    """
    has_to_be_first, has_to_be_last, places = said
    name = words[0].removeprefix("pkt-")
    try:
        command = find(f"pkt-{name}")
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    need(hasattr(command, "stage"), f"{name} runs only as a process of its own")
    try:
        values = read(command, words[1:])
        values.takes_files = values.takes_files and first
        place = command.place(values) if hasattr(command, "place") else getattr(command, "PLACE", "")
        need(place != "alone", "is its own pipe with these options")
        need(first or place != "first", has_to_be_first)
        need(last or place != "last", has_to_be_last)
        need(first or not values.files, f"{''.join(values.files[:1])}: a file is read by the first command of the pipe")
        given = values.given(command.OPTIONS)
        fits = {"": True, "first": first, "last": last, "once": first, "alone": False, "process": False}
        for option in given:
            need(fits[option.end], f"{option.names[-1]} is for {places.get(option.end, '').format(name)}")
        choose_zone(values)
        made = command.stage(values)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    made.name = name
    usual = made.sink
    if isinstance(usual, Written) and not (usual.named or usual.writes or any(option.form for option in given)):
        made.sink = lambda source: AsRead(values, source)
        made.as_read = True
    return made


class AsRead(Sink):
    """Writes the format that is read; which one that is, is known when the first packets come."""

    output: Output

    def __init__(self, values: Values, source: Source) -> None:
        self.values, self.source = values, source
        self.output = Output(values.output, source.file, compress=values.compress)
        self.sink: Sink | None = None
        if source.file:
            source.file.sections = sections = Sections(form="pcapng")
            sections.forward = self.forward

    def write(self, batch: Batch) -> None:
        """Writes a batch."""
        self.written_by.write(batch)

    def forward(self) -> None:
        """Writes what came beside packets."""
        self.written_by.forward()

    def without_packets(self, linktype: int) -> None:
        """The link type of a stream that has no packets."""
        self.written_by.without_packets(linktype)

    def chosen(self) -> Sink:
        """The sink of the format. Raises UsageError: what is read is nothing for a terminal."""
        refuse_terminal(self.source.form, self.values.output)
        sink = sink_of(self.values, self.output, self.source.form, self.source.linktype)
        if self.source.file:
            sink.beside(self.source.file)
        return sink

    def close(self) -> list[str]:
        """Ends the stream; gives what there is to say about it, on standard error."""
        return self.written_by.close()

    @property
    def written_by(self) -> Sink:
        """The sink of the format, which is known once something was read."""
        self.sink = self.sink or self.chosen()
        return self.sink

    @property
    def failed(self) -> bool:
        """Whether something was lost that the packets themselves had."""
        return self.sink is not None and self.sink.failed


def split(text: str) -> list[list[str]]:
    """The words of each command: as a shell splits them, and ends a command at a `|` outside of quotes.

    Raises UsageError where a quote stays open or a command has no words.
    """
    lines: list[list[str]] = [[]]
    word: str | None = None
    quote = ""
    characters = iter(text)
    for c in characters:
        if c == quote:
            quote = ""
        elif c == "\\" and quote != "'":
            escaped = next(characters, "")
            need(bool(escaped), "nothing stands behind the last backslash")
            word = (word or "") + (escaped if not quote or escaped in '"\\' else c + escaped)
        elif quote:
            word = (word or "") + c
        elif c in ("'", '"'):
            quote, word = c, word or ""
        elif c in " \t\r\n|":
            if word is not None:
                lines[-1].append(word)
                word = None
            if c == "|":
                lines.append([])
        else:
            word = (word or "") + c
    need(not quote, f"a quote stays open: {quote}")
    if word is not None:
        lines[-1].append(word)
    need(all(lines), "a command is missing: each | stands between two")
    return lines
