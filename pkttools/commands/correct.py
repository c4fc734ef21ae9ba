"""Mends checksums: IPv4, ICMP, IGMP, TCP, UDP, ICMPv6.

What cannot be mended, because the packet was cut short or is a fragment, passes as it is and is counted.
"""

from .. import codec
from ..batch import Batch
from ..errors import counted
from ..flow import Stage, each
from ..options import FILTER, FLAG, Option, Values

OPTIONS = [Option("-L --lengths", FLAG, "mend IP total length, IPv6 payload length and UDP length too"), *FILTER]


def stage(values: Values) -> Stage:
    """Corrects, and says what it could not correct."""
    counts = [0, 0, 0, 0]
    what = codec.LENGTHS if values.lengths else codec.ALL

    def corrected(batch: Batch) -> Batch:
        for i, count in enumerate(codec.correct(batch.data, batch.rows, what)):
            counts[i] += count
        return batch

    def account() -> list[str]:
        reasons = zip(counts[1:], ("cut short", "fragments", "malformed"), strict=True)
        parts = [f"{count} {reason}" for count, reason in reasons if count]
        return [f"{counted(sum(counts[1:]), 'packet')} not corrected in full: {', '.join(parts)}"] if parts else []

    return Stage(values, [each(corrected)], account=account)
