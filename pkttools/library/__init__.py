"""The package for programs: `import pkttools`. A thin face over the flows that the commands are; see pkttools(3).

    stream      packets as they come: read, or given; batches inside, which go through stages as they are
    packet      one of them: a view on a row of a batch, made when it is asked for
    sheet       such a batch, and the columns of fields that were asked for: read for all its packets at once
    given       files that Python has open, in place of descriptors
    stages      filter, change, correct, pipe: the stages of the commands, in this process
    writing     packets to files
    differences what differs between packets
    wire        packets from and to interfaces
    asking      questions, and their answers
    lab         hosts in namespaces, and commands in them

Names of `pkttools` are found here when they are first asked for, so that its import takes no time.
"""

from sys import modules

from .. import ask as _ask  # noqa: F401  now, so that it does not come later in place of the function
from ..command_line.options import add_protocols
from ..errors import PktError, UsageError

add_protocols([])  # PKTTOOLS_PROTOCOLS, before anything looks at tables

from .asking import ask  # noqa: E402
from .differences import Differing, diff  # noqa: E402
from .lab import Lab  # noqa: E402
from .packet import NoField, Packet  # noqa: E402
from .said import PktWarning  # noqa: E402
from .stages import change, correct, filter, pipe  # noqa: E402
from .stream import Packets, parse, read  # noqa: E402
from .wire import receive, send  # noqa: E402
from .writing import write  # noqa: E402

__all__ = [
    "Differing", "Lab", "NoField", "Packet", "Packets", "PktError", "PktWarning", "UsageError", "ask", "change", "correct",
    "diff", "filter", "parse", "pipe", "read", "receive", "send", "write",
]  # fmt: skip

# There is a package of that name, too, for commands, which is there once something has imported it: programs mean the function.
modules[__package__.rpartition(".")[0]].ask = ask  # type: ignore[attr-defined]  # a module has what it is given
