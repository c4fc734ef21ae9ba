"""Cuts super-frames of TSO, GSO and GRO as the card would have.

pkt-segment --mtu 1500 < packets.txt
"""

from ..command_line.options import FLAG, OCTETS, TEXT, Option, Values, filter_briefly
from ..errors import counted, need, passed_by_reason
from ..flow.guard import CONDITION, conditions
from ..flow.stage import Source, Stage, without_fcs
from ..formats.files import Sink
from ..language.arguments import arguments
from ..work.segments import Merger, Segmenter

OPTIONS = [
    Option("--mtu", OCTETS, "bytes of an IP packet (by the handshake, or 1500)", "MTU", least=28, most=262144, unless="--merge"),
    Option("--size", OCTETS, "bytes of data in each piece", "N", least=1, most=262144, unless="--merge"),
    Option(
        "--ids",
        TEXT,
        "of IPv4: increment (default), or same",
        "HOW",
        default="increment",
        choices=("increment", "same"),
        unless="--merge",
    ),
    Option(
        "--udp",
        TEXT,
        "becomes segments (default), or fragments",
        "HOW",
        default="segments",
        choices=("segments", "fragments"),
        unless="--merge",
    ),
    Option("--merge", FLAG, "the other way: merge segments of TCP, as GRO does"),
    Option("--merge-udp", FLAG, "the same, and datagrams of UDP, of one size"),
    CONDITION,
    Option("--keep", FLAG, "leave lengths and checksums as they are", unless="--merge"),
    *filter_briefly(),
]


def stage(values: Values) -> Stage:
    """Cuts, and says what it could not; or merges."""
    chosen, beside = conditions(values)
    program = arguments(values, (), beside)
    if values.merge or values.merge_udp:
        for option in values.given(OPTIONS):
            need(option.unless != "--merge", f"{option.names[-1]} is not for --merge")
        merger = Merger(chosen, bool(values.merge_udp))

        def hold(source: Source, sink: Sink) -> Sink:
            merger.able = source.file is None or source.file.flows
            return sink

        made = Stage(values, [without_fcs, merger], program=program)
        made.hold = hold
        return made
    segmenter = Segmenter(
        values.mtu or 0, values.size or 0, same_ids=values.ids == "same", keep=bool(values.keep),
        apart=values.udp == "fragments", guard=chosen,
    )  # fmt: skip

    def account() -> list[str]:
        said = passed_by_reason(segmenter.passed, which=" above the size")
        if segmenter.urgent:
            said.append(f"{counted(segmenter.urgent, 'packet')} with an urgent pointer, which each segment has as it was")
        return said

    return Stage(values, [without_fcs, segmenter], program=program, account=account, beyond=segmenter.beyond,
                 tallies=[segmenter])  # fmt: skip
