"""Which files there are, and how many packets each of them got."""

from __future__ import annotations

from array import array

from ..errors import counted
from ..formats.files import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .names import Names


class Listing:
    """Files in the order of their numbers. paths: an empty one where no file is there yet. counts: of packets."""

    def __init__(self, names: Names) -> None:
        self.names, self.paths, self.counts = names, list[str](), array("Q")

    def add(self) -> None:
        """One more file, which is not there yet."""
        self.paths.append("")
        self.counts.append(0)

    def count(self, which: int, packets: int) -> None:
        """Packets went into a file."""
        self.counts[which] += packets

    def stopped(self, came: int) -> str:
        """What there is to say where a signal has ended it, of so many packets that came."""
        lost = came - sum(self.counts)
        what = f"{counted(lost, 'packet')} not written" if lost else "what came until then is written"
        return f"stopped by a signal: {what}"

    def said(self, listed: bool) -> list[str]:
        """What there is to say in the end. listed: all of it, on standard output, a line a file: packets, tab, path."""
        paths = [path for path in self.paths if path]
        if listed:
            output = Output(None, None)
            lines = (f"{count}\t{path}\n" for count, path in zip(self.counts, self.paths, strict=True) if path)
            output.write("".join(lines).encode(errors="surrogateescape"))
            output.close()
        if not paths:
            return [] if self.paths else ["no packets: no file is written"]
        span = paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1]}"
        said = [f"{counted(sum(self.counts), 'packet')} in {counted(len(paths), 'file')}: {span}"]
        if self.names.alike:
            said.append(f"{counted(self.names.alike, 'file')} with a number behind the name, which another one has")
        if self.names.overwritten:
            said.append(f"{counted(self.names.overwritten, 'file')} that existed overwritten")
        return said
