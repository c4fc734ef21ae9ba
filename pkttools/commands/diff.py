"""Says in which packets two captures differ, and in which fields.

pkt-diff --ignore routing before.pcap after.pcap

Link type, TIME, sizes and bytes are compared; what checksums follow from is
told, and not they. Sets for --ignore: routing, nat, capture, checksums, mac.
"""

from time import time_ns

from ..command_line.colour import COLOUR, coloured
from ..command_line.options import FLAG, OCTETS, TEXT, UTC, Option, Values, general_briefly
from ..command_line.signals import install
from ..compare.ignoring import Ignored
from ..compare.pairing import MEMORY, Aligned, ByKey, Found, InOrder, Pairing
from ..errors import PktError, counted, need
from ..flow.stage import codec_said, watched
from ..formats import joined, packets
from ..formats.files import Input, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..batch import Batch
    from ..compare.saying import Json, People, Unified

OPTIONS = [
    Option("--ignore", TEXT, "what may differ: fields, headers, facts, or sets", "LIST", several=True),
    Option("--time-within", TEXT, "how far times may be apart: 2ms", "TIME"),
    Option("--notes", FLAG, "compare the lines IFACE, WAY and NOTE, too"),
    Option("--key", TEXT, "pair packets whose FIELDs are the same", "FIELD,..."),
    Option("--align", FLAG, "pair packets by an edit script, as diff pairs lines"),
    Option("--memory", OCTETS, "what may wait with these two (default 32 MiB)", "BYTES", default=MEMORY, least=1),
    Option("-q --brief", FLAG, "say only whether they differ"),
    Option("-u --unified", FLAG, "write a patch of A's text, for patch(1)"),
    Option("--json", FLAG, "write a line of JSON for each packet"),
    COLOUR,
    Option("--out", TEXT, "write FILE, not standard output", "FILE"),
    UTC,
    *general_briefly(),
]
ARGUMENTS = "A B"
ARGUMENTS_HELP = "texts or captures; - is standard input"
SAME, DIFFERENT, TROUBLE = range(3)  # exit codes, as diff(1) has them


class Counts:
    """How many packets differ, and how."""

    def __init__(self) -> None:
        self.differ = self.only_a = self.only_b = self.moved = self.by_time = 0

    def add(self, found: Found) -> None:
        """Counts one."""
        if found.b is None or found.a is None:
            self.only_a += found.b is None
            self.only_b += found.a is None
            return
        self.differ += bool(found.differences)
        self.moved += found.moved
        self.by_time += [one.field for one in found.differences] == ["TIME"]

    def said(self, pairing: Pairing) -> list[str]:
        """What there is to say at the end."""
        parts = [(self.differ, "{} differ"), (self.only_a, "{} only in A"), (self.only_b, "{} only in B"),
                 (self.moved, "{} in another order")]  # fmt: skip
        said = [f"{counted(pairing.same, 'packet')} the same, {', '.join(form.format(count) for count, form in parts if count)}"]
        if self.by_time > 1 and self.by_time == self.differ:
            said.append("those that differ do in TIME alone: --ignore TIME, or --time-within")
        return said


def run(values: Values) -> tuple[list[str], int]:
    """Compares them, and says how they differ."""
    need(len(values.arguments) == 2, "two files to compare: pkt-diff A B")
    need(bool(values.key is not None) + bool(values.align) < 2, "--key or --align: one way of pairing")
    need(bool(values.brief) + bool(values.unified) + bool(values.json) < 2, "only one of --brief, --unified and --json")
    need(not (values.unified and values.key is not None), "--unified follows the order of packets, and --key does not")
    need(values.memory == MEMORY or values.key is not None or bool(values.align), "--memory is for --key and --align")
    names = values.arguments[0], values.arguments[1]
    need("" not in names, "'' is the name of no file")
    need(names != ("-", "-"), "standard input is read once")
    if values.output is not None:
        from ..formats.guarded import guard  # late: most goes to standard output

        guard("--out", values.output, "text")
    now = time_ns() // 1000 * 1000
    ignore = ignored(values, now)
    columns = key_of(values.key) if values.key is not None else b""
    said: list[str] = []
    try:
        inputs = [Input([name], lane=True) for name in names]
        for one in inputs:
            one.now = now
        install(drain=any(one.flows for one in inputs))
        output = Output(values.output, *inputs)
        try:
            said, code = compared(values, ignore, columns, inputs, output)
        except PktError:
            output.finish()
            raise
        output.close()
    except PktError as error:
        return [*said, str(error)], TROUBLE
    return said, code


def ignored(values: Values, now: int) -> Ignored:
    """What may differ; now: the time of packets that say none. Raises UsageError."""
    within = 0
    if values.time_within is not None:
        from ..language.times import span  # late: seldom

        within = span("--time-within", values.time_within)
    return Ignored.of(",".join(values.ignore), notes=bool(values.notes), within=within, unsaid=now)


def key_of(text: str) -> bytes:
    """The fields of --key, as the codec takes them. Raises UsageError."""
    from ..views.fields import columns_of  # late: seldom

    return b"".join(column.code() for column in columns_of(text, "--key"))


def compared(values: Values, ignore: Ignored, columns: bytes, inputs: list[Input], output: Output) -> tuple[list[str], int]:
    """Does it; what there is to say, and the exit code."""
    names = inputs[0].name, inputs[1].name
    teller = Teller(values, output, names)
    pairing: Pairing
    if values.key is not None:
        pairing = ByKey(ignore, columns, values.memory)
    elif values.align:
        pairing = Aligned(ignore, teller.passed, values.memory, moves=not values.unified)
    else:
        pairing = InOrder(ignore, teller.passed)
    counts = Counts()
    code = SAME
    streams = [joined(one, packets) for one in inputs]
    largest = max((0, 1), key=lambda i: inputs[i].found[0].st_size if inputs[i].is_file else 0)
    streams[largest] = watched(streams[largest], inputs[largest], output)
    for found in pairing.found(*streams):
        code = DIFFERENT
        if values.brief:
            output.write(f"{names[0]} and {names[1]} differ\n".encode(errors="surrogateescape"))
            return [], code
        counts.add(found)
        teller.tell(found)
    said = [codec_said()] if values.verbose else []
    said += [line for one in inputs for line in one.said]
    if code == DIFFERENT:
        said += counts.said(pairing)
    elif values.verbose:
        said.append(f"{counted(pairing.same, 'packet')} the same")
    if pairing.bound:
        said.append(f"{pairing.bound}: --memory is {values.memory} bytes")
    return said, code


class Teller:
    """What says how packets differ, made with the first that does; passed: what has to know of all others."""

    passed: "Callable[[Batch, int, int], None] | None" = None
    says: "People | Json | Unified | None" = None

    def __init__(self, values: Values, output: Output, names: tuple[str, str]) -> None:
        self.values, self.output, self.names = values, output, names
        if values.unified:
            from ..compare.saying import Unified

            self.says = unified = Unified(output.write, names)
            self.passed = unified.passed

    def made(self) -> "People | Json":
        """The one that the options ask for."""
        from ..compare.saying import Json, People  # late: of what is the same nothing is said

        if self.values.json:
            return Json(self.output.write)
        return People(self.output.write, self.names, coloured(self.values.color, self.output.fd))

    def tell(self, found: Found) -> None:
        """Says how one differs."""
        self.says = self.says or self.made()
        self.says.tell(found)
