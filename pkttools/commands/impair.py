"""Loses, duplicates, corrupts and delays packets, as networks do.

pkt-impair --loss 5% --delay 20ms --jitter 5ms --seed 7 < packets.txt

SHARE is 5% or 1/20. What comes from an interface is held until its new TIME.
"""

from __future__ import annotations

import os

from ..command_line.options import BUFFER, INPUT, NUMBER, OUTPUT, TEXT, Option, Values, general_briefly, pick_briefly
from ..errors import UsageError, need
from ..flow.guard import CONDITION, conditions
from ..flow.stage import Source, Stage
from ..formats.files import Sink
from ..language.arguments import arguments
from ..language.times import share, span
from ..work.holding import Departure
from ..work.impairments import Bursts, Impairment, Independent

OPTIONS = [
    Option("--loss", TEXT, "lose packets, each by itself", "SHARE"),
    Option("--loss-bursts", TEXT, "in bursts: P,R,BAD,GOOD as netem's gemodel", "SHARES"),
    Option("--duplicate", TEXT, "let packets come twice", "SHARE"),
    Option("--corrupt", TEXT, "turn one bit over in packets", "SHARE"),
    Option("--delay", TEXT, "delay packets by TIME: 20ms, 1.5s", "TIME"),
    Option("--jitter", TEXT, "by up to TIME more or less", "TIME"),
    Option("--reorder", TEXT, "do not delay these: they overtake others", "SHARE"),
    Option("--seed", NUMBER, "the same seed, the same packets", "N"),
    CONDITION,
    *INPUT,
    *OUTPUT,
    *(option for option in pick_briefly() if option.names != ("--seed",)),
    *BUFFER,
    *general_briefly(),
]
NONE, ALL = (0, 1), (1, 1)  # shares


def shares(text: str) -> list[tuple[int, int]]:
    """P, R, BAD and GOOD of --loss-bursts; without them R is all but P, BAD all and GOOD none. Raises UsageError."""
    found = [share("--loss-bursts", word.strip()) for word in text.split(",")]
    if len(found) > 4:
        raise UsageError(f"--loss-bursts: '{text[:40]}' has more than P,R,BAD,GOOD")
    above, below = found[0]
    return [*found, *[(below - above, below), ALL, NONE][len(found) - 1 :]]


def loss(values: Values, seed: int) -> Bursts | Independent | None:
    """What loses packets. Raises UsageError."""
    need(values.loss is None or values.loss_bursts is None, "only one of --loss and --loss-bursts")
    if values.loss_bursts is not None:
        return Bursts(seed, shares(values.loss_bursts))
    return None if values.loss is None else Independent(seed, share("--loss", values.loss))


def stage(values: Values) -> Stage:
    """Impairs packets, and says what it did."""
    ways = (values.loss, values.loss_bursts, values.duplicate, values.corrupt, values.delay, values.jitter, values.reorder)
    need(any(way is not None for way in ways),
         "impair how? One of --loss, --loss-bursts, --duplicate, --corrupt, --delay")  # fmt: skip
    for option, value in (("--jitter", values.jitter), ("--reorder", values.reorder)):
        need(value is None or values.delay is not None, f"{option} needs --delay")
    chosen, beside = conditions(values)
    seed = int.from_bytes(os.urandom(4), "big") if values.seed is None else values.seed
    impairment = Impairment(
        seed, loss=loss(values, seed), delay=span("--delay", values.delay or "0"), jitter=span("--jitter", values.jitter or "0"),
        double=share("--duplicate", values.duplicate or "0"), damage=share("--corrupt", values.corrupt or "0"),
        ahead=share("--reorder", values.reorder or "0"), chosen=chosen.verdicts if chosen else None,
    )  # fmt: skip
    departure = Departure(impairment.spread, impairment.delay + impairment.jitter)

    def account() -> list[str]:
        said = impairment.said(departure.behind)
        return [f"{said[0]}; seed {seed}", *said[1:]] if said else []

    def hold(source: Source, sink: Sink) -> Sink:
        flows = source.file is None or source.file.flows
        held = departure.sink(sink, flows)
        source.hands_on = source.hands_on and held is sink
        return held

    program = arguments(values, (), beside)
    made = Stage(values, [departure.look, impairment, departure.order], program=program, account=account)
    made.hold = hold
    return made
