"""Merges captures by the times of their packets, or puts them one after the other.

pkt-merge left.pcap right.pcap --out both.pcapng

At equal times the order is that of the command line; each file is to be in order already. Where several
are merged, packets without IFACE are given the name of their file there, if what is written has a place.
"""

from ..command_line.options import FLAG, TEXT, Option, Values, filter_briefly
from ..errors import need
from ..flow.merging import Merged, Merging
from ..flow.stage import Stage

OPTIONS = [
    Option("--append", FLAG, "one file after the other, whatever the times say"),
    Option("--unsorted", TEXT, "files that are not in order: keep theirs, or sort", "HOW", choices=("keep", "sort")),
    Option("--no-iface", FLAG, "packets without IFACE are given none"),
    *filter_briefly(),
]
PLACE = "first"


def stage(values: Values) -> Stage:
    """Merges, then filters and assigns."""
    need(not (values.append and values.unsorted), "--unsorted is for files that are merged by time, not for --append")
    made: list[Merging] = []

    def source() -> Merging:
        made.append(Merging(values))
        return made[0]

    def account() -> list[str]:
        return [line for one in made for line in one.unsorted()]

    def fails() -> bool:
        return not values.unsorted and bool(account())

    merging = Stage(values, source=source, sink=Merged(values, None), account=account, fails=fails)
    merging.joins = True
    return merging
