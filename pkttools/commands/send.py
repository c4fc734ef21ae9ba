"""Sends packets to an interface, at the times they were captured.

pkt-send -i eth0 < packets.txt

At the end it says what was sent, what failed and why, and how late packets were.
"""

from ..batch import Batch
from ..errors import PktError
from ..flow import Work, arguments, each, need
from ..flow import run as flow
from ..formats import packets
from ..formats.files import Input, Sink
from ..options import BUFFER, FLAG, GENERAL, INPUT, NUMBER, PICK, REAL, TEXT, Option, Values
from ..pace import Pace
from ..signals import Interrupted, install

OPTIONS = [
    Option("-i --interface", TEXT, "send to IFACE", "IFACE"),
    Option("-f --fast", FLAG, "send as fast as possible"),
    Option("-w --wait", NUMBER, "wait USEC more between packets", "USEC", default=0),
    Option("-j --just-before", FLAG, "count gaps from when the packet before was really sent"),
    Option("--speed", REAL, "X times the original speed", "X", least=1e-6),
    Option("--pps", REAL, "send N packets a second", "N", least=1e-6),
    Option("--mbps", REAL, "send N megabits a second", "N", least=1e-6),
    Option("--loop", NUMBER, "send everything N times (-s, -l count in each)", "N", default=1, least=1),
    Option("-c --complete", FLAG, "set the sender's MAC address to the interface's own"),
    Option("--dry-run", FLAG, "say what would be sent, and when, and send nothing"),
    *INPUT,
    *PICK,
    *BUFFER,
    *GENERAL,
]


def run(values: Values) -> tuple[list[str], int]:
    """Sends, and gives the account; exit code 1 if anything failed."""
    need(sum((values.fast, values.speed is not None, values.pps is not None, values.mbps is not None)) <= 1,
         "only one of -f, --speed, --pps and --mbps")  # fmt: skip
    pace = Pace(
        speed=values.speed or 1, pps=values.pps or 0, mbps=values.mbps or 0, fast=values.fast,
        after_previous=values.just_before, wait=values.wait * 1000,
    )  # fmt: skip
    program = arguments(values)
    from ..linux.send import Rehearsal, Sender

    sink: Sink = Rehearsal(values.interface, pace) if values.dry_run else Sender(values.interface, pace)
    work = [own_address(sink.mac_address)] if values.complete and isinstance(sink, Sender) else []
    source = Input(values.input)
    install(drain=False)
    said: list[str] = []
    stopped = False
    try:
        if values.loop > 1:
            source.keep()
        for round_ in range(values.loop):
            if round_:
                source.rewind()
                pace.restart()
            said += flow(packets(source), sink, values, program, work)
    except PktError as error:  # what went out before it is still accounted for
        stopped = True
        said.append(str(error))
    except Interrupted:
        stopped = True
        said.append("stopped by a signal: the rest was not attempted")
    return [*said, *source.said, *sink.close()], int(stopped or sink.failed)


def own_address(address: str) -> Work:
    """The stage that sets the sender's MAC address."""
    from .. import codec
    from ..expression import assignments

    program = assignments([("ETHERNET.SRC_ADDR", "=", address)])

    def stage(batch: Batch) -> Batch:
        codec.assign(batch.data, batch.rows, program, None, False)
        return batch

    return each(stage)
