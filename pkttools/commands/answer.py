"""Answers packets by the rules of a file: ARP, pings, DNS, TCP, and others.

pkt-answer web.rules < requests.txt    pkt-answer web.rules -i eth0

Writes the answers alone; with -i it receives requests and sends answers there.
"""

from __future__ import annotations

import sys

from ..command_line.options import DURATION, REPORT, TEXT, USER, Option, Values, filter_briefly
from ..errors import UsageError, counted, need
from ..flow.stage import Source, Stage, program_of, without_fcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..formats.files import Sink

OPTIONS = [
    Option("-i --interface", TEXT, "receive requests and send answers by IFACE", "IFACE"),
    DURATION,
    REPORT,
    *USER,
    *filter_briefly(),
]
ARGUMENTS = "RULES"
OWN = 1
ARGUMENTS_HELP = "a file of rules, see pkt-answer(1); behind it filters: two are OR"


def place(values: Values) -> str:
    """Where in a pipe it stands."""
    return "alone" if values.interface else ""


def stage(values: Values) -> Stage:
    """Answers, and says how often. Raises UsageError, PktError."""
    need(values.arguments[:1] not in ([], [""]), "by which rules? A file of them comes first")
    from ..ask.answering import Answering
    from ..ask.rules import read
    from ..command_line.account import Account

    live = values.interface is not None
    need(live or values.duration is None, "--duration needs -i")
    answering = Answering(read(values.arguments.pop(0)))
    keep, assignments = program_of(values)

    def account() -> list[str]:
        said = f"{counted(answering.answered, 'packet')} answered, {answering.unanswered} not"
        said += f", {answering.refused} unsound or in a tunnel" if answering.refused else ""
        told = values.verbose or answering.refused or live or values.report == "json"
        counts = {"answered": answering.answered, "unanswered": answering.unanswered, "refused": answering.refused}
        return [Account(said, **counts)] if told else []

    if not live:
        return Stage(values, [without_fcs, answering], program=(keep, assignments), account=account, beyond=answering.beyond)
    need(sys.platform == "linux", "-i is for Linux")
    for option in values.given([*filter_briefly()]):
        if option.names[-1] in ("--in", "--out", "--format"):
            raise UsageError(f"{option.names[-1]} is not for -i")
    from ..ask.live import Requests, replies

    def sink(_: Source) -> Sink:
        return replies(values.interface)

    return Stage(values, [answering], program=(keep, assignments), source=lambda: Requests(values), sink=sink, account=account,
                 beyond=answering.beyond)  # fmt: skip
