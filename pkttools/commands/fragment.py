"""Fragments IP datagrams that are larger than an MTU.

pkt-fragment -fm 576 < packets.txt

What fits passes as it is; so does what must not be fragmented, and is counted.
"""

from ..command_line.options import FLAG, NUMBER, OCTETS, TEXT, Option, Values, filter_briefly
from ..errors import passed_by_reason
from ..flow.stage import Stage, without_fcs
from ..work.fragments import OUTERMOST, Fragmenter, layer_of

OPTIONS = [
    Option("-fm --mtu", OCTETS, "bytes of an IP packet (default 1500, IPv6 1280)", "MTU", least=28, most=65535),
    Option("-fc --force-cut", FLAG, "fragment what says Don't Fragment too"),
    Option("--id", NUMBER, "id of the first of IPv6 that is cut (default 1)", "N", default=1, most=(1 << 32) - 1),
    Option("--layer", TEXT, "of this IP header: IP[2], IPV6[-1]", "IP"),
    *filter_briefly(),
]


def stage(values: Values) -> Stage:
    """Fragments, and says what it could not."""
    layer = layer_of(values.layer) if values.layer is not None else OUTERMOST
    fragmenter = Fragmenter(values.mtu, bool(values.force_cut), values.id, layer)

    def account() -> list[str]:
        return passed_by_reason(fragmenter.passed, which=" above the MTU")

    return Stage(values, [without_fcs, fragmenter], account=account, beyond=fragmenter.beyond, tallies=[fragmenter])
