"""The stages of the commands, in this process: what pkt-pipe joins, between packets that a program has and those that it gets."""

from __future__ import annotations

from ..command_line.signals import left_alone
from ..commands.pipe import split, stage_of
from ..errors import PktError
from ..flow import Got, until_error
from .said import tell
from .stream import Packets, batches_of, files_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..batch import Batch
    from ..flow.stage import Stage
    from .stream import Several


# What pkt-pipe says of what is in the wrong place, for programs.
SAID = (
    "brings packets itself, and takes none: pipe(commands), without packets",
    "gives no packets; run it as a command, with subprocess, or Lab.run in a lab; packets are written by pkttools.write",
    {
        "first": "a command that reads files: pipe(commands), without packets, or pkttools.read",
        "last": "what is written: pkttools.write takes it, and packets are read from what comes out",
        "once": "pkt-{} as a command: a stream is read once",
        "alone": "pkt-{} as a command",
        "process": "commands: pkttools.use_protocols, before anything else, lets a program know more protocols",
    },
)


def words_of(options: dict[str, object]) -> list[str]:
    """The words of a command line that options are: `lengths=True` is --lengths, `limit=3` is --limit=3; `if_`, and others that are
    words of Python's, have a `_` behind them. True is for those without a value, a list for those that may be repeated."""
    words: list[str] = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is True:
                words.append(option)
            elif one is not None and one is not False:
                words.append(f"{option}={one}")
    return words


def texts(words: tuple[str, ...]) -> tuple[str, ...]:
    """The same. Raises TypeError for what is no str."""
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{word!r:.40} is no filter or assignment, such as 'IP.TTL==64' or 'IP.TTL=64'")
    return words


def filter(packets: Several, *expressions: str, **options: object) -> Packets:
    """The packets that match an expression, as pkt-filter picks them; options are its own, such as `limit=10` or `bpf="port 53"`.

    Raises UsageError.
    """
    return through(packets, [["filter", *words_of(options), *texts(expressions)]])


def change(packets: Several, *words: str, **options: object) -> Packets:
    """The packets with changed fields, as pkt-change changes them; options are its own.

    words: `FIELD=value`, and filters. Fields are options, too: `ip_ttl=64`. Checksums stay, unless `update_checksums=True`. Raises
    UsageError.
    """
    return through(packets, [["change", *words_of(options), *texts(words)]])


def correct(packets: Several, **options: object) -> Packets:
    """The packets with right checksums, as pkt-correct corrects them, and with `lengths=True` lengths, too. Raises UsageError."""
    return through(packets, [["correct", *words_of(options)]])


def pipe(commands: str, packets: Several | None = None) -> Packets:
    """What comes out of commands, as pkt-pipe joins them: `change --icmp-type 8 | correct`.

    packets: what goes in; None: the first command makes or reads them, as `gen` does, or `filter --in FILE`. What is sent or
    written is for `send` and `write`. Raises UsageError.
    """
    return through(packets, split(*texts((commands,))))


def through(packets: Several | None, lines: list[list[str]]) -> Packets:
    """What comes out of stages. lines: their command lines. Raises UsageError."""

    def stages() -> list[Stage]:
        return [stage_of(words, packets is None and i == 0, False, SAID) for i, words in enumerate(lines)]

    def start(stream: Packets) -> Iterator[Batch]:
        made = stages()
        if packets is not None:
            return flow(batches_of(packets, stream.numbered), made, list, stream)
        source = left_alone(made[0].source)
        (round_,) = source.streams(None)
        return flow(round_, made, source.close, stream)

    stages()  # what is wrong is said at once
    return Packets(start, () if packets is None else files_of(packets))


def flow(source: Iterator[Batch], stages: list[Stage], close: Callable[[], list[str]], stream: Packets, *,
         judges: bool = True) -> Iterator[Batch]:  # fmt: skip
    """Lets batches flow; what stages have kept back comes before what broke the source off is raised.

    close: ends the source, and gives what there is to say of it. judges: whether a stage that fails raises PktError in the end.
    """
    ended: list[Exception] = []
    batches = filled(until_error(source, ended, Got()))
    for stage in stages:
        batches = stage.through(batches)
    lines: list[str] = []
    try:
        yield from batches
    finally:
        lines += close()
    for i, stage in enumerate(stages):
        said = stage.said(lines if i == 0 else [], [])
        if stage.failed and judges:
            stream.said += map(str, said)
            raise PktError("; ".join(said))
        tell(said, stream.said)
    if ended:
        raise ended[0]


def filled(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Those that are not empty."""
    return (batch for batch in batches if len(batch))
