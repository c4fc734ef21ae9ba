"""What a command lets through: field expressions, broadcast and other group addresses, and --bpf.

An expression of libpcap's means another program for each link type, so there is a program for each that comes.
"""

from __future__ import annotations

from .. import codec
from ..batch import CAPTURED, LINKTYPE, ORIGINAL, ROW_BYTES, TIME, Batch, Program, marked
from ..errors import PktError, UsageError
from .expression import any_of, asked_in, broadcast_and_groups, compiled, joined, leaves, patterns_in
from .program import FACTS, NOTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from ..bpf.classic import Instruction
    from .expression import Tree
    from .part import Part
    from .pcap_filters import Expression, Fixed

    Select = Callable[[bytearray | mmap, bytes | bytearray, int], bytearray]


UNREAD: dict[int, int] = {}  # by link type, what `unread` found


def selector(tree: Tree) -> Select:
    """What gives, for packets and the number of the first one, the rows of those for which a tree holds."""
    if patterns_in(tree):
        from .patterns import Patterns  # late: seldom

        return Patterns(tree).select
    tests = compiled(tree)
    return lambda data, rows, first: codec.select(data, rows, tests, first)


def unread(linktype: int) -> int:
    """The code, as `codec.beyond` counts, of a link type that is not followed, in whose packets no header is found; 0: it is."""
    if linktype not in UNREAD:
        row = bytearray(ROW_BYTES)
        counts: dict[int, int] = {}
        columns = memoryview(row).cast("q")
        columns[CAPTURED], columns[ORIGINAL], columns[LINKTYPE] = 1, 1, linktype
        codec.beyond(bytearray(1), row, counts)
        UNREAD[linktype] = 0
        if counts:
            from ..protocols.names import is_link_type  # late: most are followed

            UNREAD[linktype] = next((code for code in counts if is_link_type(code)), 0)
    return UNREAD[linktype]


class Filter:
    """A filter of packets.

    expressions: in our language; any one that holds lets a packet through. every: all have to hold. reverse: what --bpf and
    expressions would drop passes instead, or what part says; the addresses are dropped in any case. part: which packets by their
    numbers and times.
    """

    def __init__(self, expressions: list[str], *, every: bool = False, reverse: bool = False, no_broadcast: bool = False,
                 no_multicast: bool = False, bpf: Expression | Fixed | None = None,
                 part: Part | None = None) -> None:  # fmt: skip
        """Raises UsageError for what is no expression."""
        self.bpf, self.reverse, self.part = bpf, reverse, part
        self.own = any_of(expressions, every) if expressions else None
        self.addresses = broadcast_and_groups(no_broadcast, no_multicast)
        self.met = 0  # packets that were asked about
        self.programs: dict[int, Tree] = {}  # by link type
        self.selectors: dict[int, Select] = {}
        self.tree: Tree | None = None
        self.same: Select | None = None
        self.begun = False
        if not (part and part.waits):
            self.begin()

    def begin(self) -> None:
        """Makes the program, unless there is one for each link type."""
        self.begun = True
        if not self.bpf:
            self.tree = self.tree_with(())
            self.same = selector(self.tree)

    @property
    def chooses(self) -> bool:
        """Whether there is anything that `reverse` turns around."""
        return bool(self.own or self.bpf or self.part)

    @property
    def asks_number(self) -> bool:
        """Whether an expression asks for the number of a packet."""
        return self.own is not None and "NUMBER" in asked_in(self.own)

    def notes(self) -> list[str]:
        """Which lines that packets come with it asks for: IFACE, WAY, NOTE."""
        return sorted(asked_in(self.own) & NOTES.keys()) if self.own else []

    @property
    def asks_headers(self) -> bool:
        """Whether it asks for what is found in headers, of link types that are followed alone."""
        tests = [test for tree in (self.own, *self.addresses) if tree for test in leaves(tree)]
        return any(test[0] == "layer" for test in tests) or any(
            not fact.startswith("UNKNOWN.") for fact in asked_in(joined("and", tests)) - FACTS.keys()
        )

    def tree_with(self, bpf: Tree) -> Tree:
        """What has to hold, with a test for BPF in front if there is one."""
        part = self.part.trees() if self.part else []
        chosen = [*part, *(tree for tree in (bpf, self.own) if tree)]
        trees = list(self.addresses)
        if chosen:
            tree = joined("and", chosen)
            trees.insert(0, ("not", tree) if self.reverse else tree)
        return joined("and", trees)

    def program(self, linktype: int) -> Program:
        """The program for packets of a link type, for people. Raises UsageError where libpcap has none for it, PktError."""
        return compiled(self.tree_for(linktype))

    def program_of_all(self) -> Program | None:
        """The program for packets of all link types, where there is one and nothing else is asked; None: there is more to it."""
        return None if self.tree is None or self.part or patterns_in(self.tree) else compiled(self.tree)

    def tree_for(self, linktype: int) -> Tree:
        """What has to hold of packets of a link type. Raises UsageError where libpcap has no program for it, PktError."""
        if self.tree is not None:
            return self.tree
        if linktype not in self.programs:
            from ..bpf.classic import packed

            self.programs[linktype] = self.tree_with(("bpf", packed(self.instructions(linktype))))
        return self.programs[linktype]

    def instructions(self, linktype: int) -> list[Instruction]:
        """What --bpf or --bpf-file say for packets of a link type; nothing without them. Raises UsageError, PktError."""
        return self.bpf.instructions(linktype) if self.bpf else []

    def select(self, batch: Batch) -> bytearray:
        """The rows of the packets that pass. Each packet is asked about once, in their order: they are counted, for NUMBER."""
        rows = self.passing(batch)
        self.met += len(batch)
        return rows

    def verdicts(self, batch: Batch) -> bytearray:
        """Whether each packet passes: a byte for each, 1 or 0."""
        return marked(batch.rows, self.select(batch))

    def passing(self, batch: Batch) -> bytearray:
        """The rows of the packets that would pass if they came next."""
        first = self.met + 1
        if self.part and not self.begun and len(batch):
            if self.part.waits:
                self.part.origin = batch.columns()[TIME]
            self.begin()
        if self.same:
            return self.same(batch.data, batch.rows, first)
        rows = bytearray()
        for start, stop, linktype in batch.runs():
            rows += self.for_packets(linktype)(batch.data, batch.part(start, stop).rows, first + start)
        return rows

    def for_packets(self, linktype: int) -> Select:
        """What selects of packets that have come. Raises PktError: it is they that do not go with the command line's words."""
        if linktype not in self.selectors:
            self.selectors[linktype] = selector(self.tree_for_packets(linktype))
        return self.selectors[linktype]

    def tree_for_packets(self, linktype: int) -> Tree:
        """What has to hold of packets that have come. Raises PktError."""
        try:
            return self.tree_for(linktype)
        except UsageError as error:
            if "rejects all packets" in str(error):  # ARP, over raw IP: no fault where there are packets of other link types
                from ..bpf.classic import RET_K, packed

                self.programs[linktype] = self.tree_with(("bpf", packed([(RET_K, 0, 0, 0)])))
                return self.programs[linktype]
            from ..protocols.names import linktype_name

            hint = "; pkt-change --unwrap gives what is in them" if linktype_name(linktype) == "PKTAP" else ""
            raise PktError(f"packets of link type {linktype} ({linktype_name(linktype)}): {error}{hint}") from None
