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
from ..work.impairments import Bursts, Impairment, Independent, States

OPTIONS = [
    Option("--loss", TEXT, "lose packets, each by itself", "SHARE"),
    Option("--loss-bursts", TEXT, "in bursts: P,R,BAD,GOOD as netem's gemodel", "SHARES"),
    Option("--loss-states", TEXT, "P13,P31,P32,P23,P14 as netem's state", "SHARES"),
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


def shares(option: str, text: str, names: str) -> list[tuple[int, int]]:
    """What a list says. Raises UsageError."""
    found = [share(option, word.strip()) for word in text.split(",")]
    if len(found) > names.count(",") + 1:
        raise UsageError(f"{option}: '{text[:40]}' has more than {names}")
    return found


def bursts(text: str, seed: int) -> Bursts:
    """P, R, BAD and GOOD of --loss-bursts; without them R is all but P, BAD all and GOOD none. Raises UsageError."""
    found = shares("--loss-bursts", text, "P,R,BAD,GOOD")
    above, below = found[0]
    return Bursts(seed, [*found, *[(below - above, below), ALL, NONE][len(found) - 1 :]])


def states(text: str, seed: int) -> States:
    """Those of --loss-states; what is left out is netem's: P31 is all but P13, P32 none, P23 all, P14 none. Raises UsageError."""
    found = shares("--loss-states", text, "P13,P31,P32,P23,P14")
    above, below = found[0]
    found += [(below - above, below), NONE, ALL, NONE][len(found) - 1 :]
    for one, other in ((0, 4), (1, 2)):
        (a, b), (c, d) = found[one], found[other]
        need(a * d + c * b <= b * d, f"--loss-states: '{text[:40]}': P13 and P14, or P31 and P32, are more than all together")
    return States(seed, found)


def loss(values: Values, seed: int) -> Bursts | States | Independent | None:
    """What loses packets. Raises UsageError."""
    wanted = [way for way in (values.loss, values.loss_bursts, values.loss_states) if way is not None]
    need(len(wanted) < 2, "only one of --loss, --loss-bursts and --loss-states")
    if values.loss_bursts is not None:
        return bursts(values.loss_bursts, seed)
    if values.loss_states is not None:
        return states(values.loss_states, seed)
    return None if values.loss is None else Independent(seed, share("--loss", values.loss))


def stage(values: Values) -> Stage:
    """Impairs packets, and says what it did."""
    ways = (values.loss, values.loss_bursts, values.loss_states, values.duplicate, values.corrupt, values.delay, values.jitter,
            values.reorder)  # fmt: skip
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
