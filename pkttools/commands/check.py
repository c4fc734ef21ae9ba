"""Lets sound packets through: whole, with sizes that fit each other.

pkt-check -cs < packets.txt

What it drops is counted on standard error, by reason. Fragments are sound by themselves.
"""

from .. import codec
from ..batch import ROW_BYTES, Batch
from ..codec import CORRECTED, CUT_SHORT, MALFORMED, WRONG
from ..errors import counted
from ..flow import Stage, each
from ..options import FILTER, FLAG, Option, Values

OPTIONS = [
    Option("-cs --checksums", FLAG, "checksums must be right, too"),
    Option("-rc --reverse-check", FLAG, "let the unsound ones through instead"),
    *FILTER,
]
REASONS = {CUT_SHORT: "cut short", MALFORMED: "malformed", WRONG: "with a wrong checksum"}


def stage(values: Values) -> Stage:
    """Checks, and says what was found."""
    counts = dict.fromkeys(REASONS, 0)

    def checked(batch: Batch) -> Batch:
        kept = bytearray()
        for i, outcome in enumerate(codec.check(batch.data, batch.rows)):
            if outcome == WRONG and not values.checksums:
                outcome = CORRECTED
            if outcome != CORRECTED:
                counts[outcome] += 1
            if (outcome == CORRECTED) != values.reverse_check:
                kept += batch.rows[i * ROW_BYTES : (i + 1) * ROW_BYTES]
        return Batch(batch.data, kept)

    def account() -> list[str]:
        parts = [f"{counts[outcome]} {reason}" for outcome, reason in REASONS.items() if counts[outcome]]
        return [f"{counted(sum(counts.values()), 'packet')} not sound: {', '.join(parts)}"] if parts else []

    return Stage(values, [each(checked)], account=account, slip=True)
