"""Shows and decides on frames in front of the kernel's stack (XDP).

pkt-xdp -i eth0 'icmp or icmp6' --match pass --else drop

EXPR is a pcap-filter expression, as tcpdump has them; without one every frame matches.
Frames that match are written. Ends as pkt-recv does; the program goes with the process.
"""

from __future__ import annotations

import sys

from ..command_line.account import reported
from ..command_line.options import (
    DURATION,
    FLAG,
    FORMATS,
    OCTETS,
    PICK,
    REAL,
    REPORT,
    TEXT,
    USER,
    USUAL,
    Option,
    Values,
    general_briefly,
    received,
)
from ..errors import UsageError, Whole, need, say
from ..flow.capture import Capture
from ..flow.stage import Stage
from ..live.linux.bpf import to_go_on
from ..live.linux.samples import LONGEST
from ..live.linux.xdp import EVERYTHING, VERDICTS, Xdp, XdpOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..batch import Batch
    from ..bpf.classic import Instruction
    from ..formats.files import Output

PLACE = "first"
OPTIONS = [
    Option("-i --interface", TEXT, "attach the program to IFACE", "IFACE"),
    Option("--match", TEXT, "frames that match: pass (default), drop, tx (send back)", "DO", default="pass", choices=(*VERDICTS,)),
    Option("--else", TEXT, "all others: pass (default), drop, tx", "DO", default="pass", choices=(*VERDICTS,)),
    Option("--allow-arp", FLAG, "ARP passes in any case (default with --match pass --else drop or tx)"),
    Option("--no-allow-arp", FLAG, "ARP is a frame like others"),
    Option("--mode", TEXT, "native, generic or auto (default): native where it works", "MODE", default="auto",
           choices=("native", "generic", "auto")),
    Option("--sample", OCTETS, "keep at most BYTES of each frame (default 1024)", "BYTES", default=1024, least=1,
           most=LONGEST["ring"]),
    Option("--bpf", TEXT, "the expression, as other commands have it", "EXPR", hidden=True),
    Option("--bpf-file", TEXT, "the expression, compiled", "FILE", hidden=True),
    Option("--perf", FLAG, "a perf buffer (cookie 0xdead, length) instead of the ring buffer"),
    Option("--stats", REAL, "say the account every SECONDS", "SECONDS", least=0.01, most=86400),
    DURATION,
    *received(),
    *(option for option in PICK if option.attribute == "limit"),
    *(option.unshown() for option in PICK if option.attribute in ("fail_empty", "fail_if")),
    REPORT.unshown(),
    *USER,
    *general_briefly(),
]  # fmt: skip
ARGUMENTS = "[EXPR]..."
ARGUMENTS_HELP = "such as 'icmp or icmp6'; its words may be arguments of their own"


def stage(values: Values) -> Stage:
    """Receives until the end, and says what became of the frames."""
    need(sys.platform == "linux", "XDP is Linux's")
    need(not (values.allow_arp and values.no_allow_arp), "only one of --allow-arp and --no-allow-arp")
    given = values.arguments or values.bpf is not None or values.bpf_file is not None
    need(bool(given) or values.otherwise == "pass", "--else is for what does not match: without EXPR all does")
    need(not values.perf or values.sample <= LONGEST["perf"], f"--sample: at most {LONGEST['perf']} with --perf")
    values.skip, values.link_type = 0, None  # what only filters have
    instructions = wanted(values)
    return Stage(values, program=(None, None), source=lambda: Interface(values, instructions))


def wanted(values: Values) -> list[Instruction]:
    """The filter, in whatever way it is given. Raises UsageError, PktError."""
    if values.bpf is None and values.bpf_file is None:
        return compiled(" ".join(values.arguments))
    need(not values.arguments, "an expression as arguments, or --bpf, or --bpf-file")
    from ..language.pcap_filters import bpf_of

    return bpf_of(values).instructions(1)


def compiled(expression: str) -> list[Instruction]:
    """The filter. Raises UsageError, PktError without libpcap."""
    if not expression.strip():
        return EVERYTHING
    from ..libpcap import compile_filter  # late: it takes its time

    try:
        return compile_filter(expression, 1)
    except UsageError as error:
        raise UsageError(f"{error}; EXPR is of pcap-filter(7), tcpdump's language{ours(expression)}") from None


def ours(expression: str) -> str:
    """What to say of an expression that is one of our own language, and nothing that XDP could run."""
    from ..language.expression import any_of, asked_in

    try:
        names = sorted(asked_in(any_of([expression])))
    except UsageError:
        return ""
    return f"; {', '.join(names) or 'what pkt-filter knows'} cannot be asked in XDP, but by pkt-filter behind it"


class Interface(Capture):
    """An interface with an XDP program, as the source of a flow."""

    receiver: Xdp

    def __init__(self, values: Values, instructions: list[Instruction]) -> None:
        super().__init__()
        self.needs = to_go_on()
        cut_off = values.match == "pass" and values.otherwise != "pass" and not (values.allow_arp or values.no_allow_arp)
        options = XdpOptions()
        options.match, options.other, options.allow_arp = values.match, values.otherwise, values.allow_arp or cut_off
        options.mode, options.sample, options.perf, options.every = values.mode, values.sample, values.perf, values.stats
        options.nano, options.seconds = bool(values.nano), values.duration
        options.notes = bool(values.verbose) or FORMATS[values.format or USUAL].notes
        self.receiver = Xdp(values.interface, instructions, options, lambda line: tell(*reported([line], values.report)))
        if cut_off:
            tell("ARP passes too, or IPv4 would be cut off; --no-allow-arp takes it like other frames")

        self.tell(bool(values.verbose))

    def streams(self, output: Output | None) -> Iterator[Iterator[Batch]]:
        """As others; who reads the output is looked after."""
        self.receiver.reader = output.fd if output else None
        return super().streams(output)

    def close(self) -> list[str]:
        """Returns what became of the frames."""
        return [self.receiver.close()]


def tell(line: str) -> None:
    """Says a line on standard error, at once."""
    say(line if isinstance(line, Whole) else f"pkt-xdp: {line}")
