"""Lets valid packets through: whole, with sizes that fit.

pkt-check -cs < packets.txt

What it drops is counted on standard error, by reason. Fragments are valid by themselves.
"""

from .. import codec
from ..batch import Batch
from ..codec import CORRECTED, MALFORMED, OBSCURE, TRUNCATED, UNFINISHED, WRONG
from ..command_line.options import FILTER, FLAG, Option, Values
from ..errors import counted, judged
from ..flow.stage import Stage, each

OPTIONS = [
    Option("-cs --checksums", FLAG, "checksums must be right, too"),
    Option("-rc --reverse-check", FLAG, "let the invalid ones through instead"),
    *FILTER,
]
REASONS = {
    TRUNCATED: "truncated",
    MALFORMED: "malformed",
    WRONG: "with a wrong checksum",
}
UNKNOWN = "whose checksum is not known: it covers the end of an unknown route"


def stage(values: Values) -> Stage:
    """Checks, and says what was found."""
    beyond: dict[int, int] = {}
    counts = dict.fromkeys((*REASONS, UNFINISHED, OBSCURE), 0)
    invalid = {*REASONS, UNFINISHED} if values.checksums else {TRUNCATED, MALFORMED}
    passes = bytes((outcome not in invalid) != bool(values.reverse_check) for outcome in range(256))

    def checked(batch: Batch) -> Batch:
        outcomes = codec.check(batch.data, batch.rows, beyond)
        if outcomes.count(CORRECTED) < len(outcomes):
            for outcome in counts:
                counts[outcome] += outcomes.count(outcome)
        rows = codec.pick(batch.rows, outcomes, passes)
        return batch if len(rows) == len(batch.rows) else Batch(batch.data, rows, batch.chosen)

    def account() -> list[str]:
        reasons = {outcome: f"{counts[outcome]} {reason}" for outcome, reason in REASONS.items()}
        if counts[UNFINISHED]:
            reasons[WRONG] = judged(counts[WRONG], counts[UNFINISHED])
        parts, passed = ([reason for outcome, reason in reasons.items()
                          if (counts[outcome] or (outcome == WRONG and counts[UNFINISHED])) and (outcome in invalid) == dropped]
                         for dropped in (True, False))  # fmt: skip
        said = [f"{counted(sum(counts[outcome] for outcome in invalid), 'packet')} not valid: {', '.join(parts)}"] if parts else []
        if passed and values.verbose:
            said.append(f"valid without -cs: {', '.join(passed)}")
        if counts[OBSCURE] and values.checksums:
            said.append(f"{counted(counts[OBSCURE], 'packet')} {UNKNOWN}")
        return said

    return Stage(values, [each(checked)], account=account, beyond=beyond, slip=True)
