"""Changes fields of packets, and nothing else.

pkt-change --icmp-type 8 --if 'ICMP.TYPE==0'    pkt-change IP.TTL-=1 UDP.DST_PORT+=1000

Every field of -k is an option: --ip-ttl 64 is IP.TTL=64. Checksums stay, unless -u is given; pkt-correct mends them.
"""

from ..errors import counted
from ..expression import any_of, compiled, split_assignment
from ..fields import FIELDS
from ..flow import Stage
from ..options import FILTER, FLAG, TEXT, Option, Values
from ..work.ethernet import Converter

OPTIONS = [
    Option("--if", TEXT, "change only what matches EXPR; the rest passes as it is", "EXPR"),
    Option("--swap", FLAG, "exchange source and destination of outer headers"),
    Option("-u --update-checksums", FLAG, "let checksums follow; right ones stay right, even in cut packets"),
    Option("--to-ethernet", FLAG, "put raw IP, loopback, Linux cooked packets under an Ethernet header"),
    *FILTER,
]

PAIRS = tuple(
    (f"{layer}.SRC_{what}", f"{layer}.DST_{what}")
    for layer, what in (("ETHERNET", "ADDR"), ("IP", "ADDR"), ("IPV6", "ADDR"), ("TCP", "PORT"), ("UDP", "PORT"), ("SCTP", "PORT"))
)


def more_options() -> dict[str, str]:
    """An option for every field: `--ip-ttl` for `IP.TTL=`."""
    return {"--" + name.lower().replace(".", "-").replace("_", "-"): name + "=" for name in FIELDS}


def stage(values: Values) -> Stage:
    """Converts, swaps, then assigns; all only where --if holds."""
    guard = compiled(any_of([values.condition])) if values.condition is not None else None
    converter = Converter(guard)

    def account() -> list[str]:
        said = []
        if converter.failed:
            said.append(f"{counted(converter.failed, 'packet')} not converted: nothing is known of what they carry")
        if not (values.swap or values.to_ethernet or any(split_assignment(word) for word in values.arguments)):
            said.append("nothing was changed: FIELD=value assigns, FIELD==value filters")
        return said

    return Stage(
        values, [converter] if values.to_ethernet else [], account=account,
        guard=guard, swapped=PAIRS if values.swap else (), follow=bool(values.update_checksums),
    )  # fmt: skip
