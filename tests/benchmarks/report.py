"""The rows of all measurements as one table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

HEAD = ("what", "packets", "wall s", "CPU s", "packets/s", "MB/s", "peak MiB", "remark")


@dataclass(frozen=True)
class Row:
    """A line of the table: cells that are not there stay empty."""

    what: str
    packets: str = ""
    wall: str = ""
    cpu: str = ""
    rate: str = ""
    volume: str = ""
    peak: str = ""
    remark: str = ""

    def cells(self) -> tuple[str, ...]:
        """The cells, in the order of HEAD."""
        return self.what, self.packets, self.wall, self.cpu, self.rate, self.volume, self.peak, self.remark


def spread(values: Sequence[float]) -> str:
    """Least, median and greatest of ratios."""
    return " / ".join(_short(value) for value in (min(values), median(values), max(values)))


def _short(value: float) -> str:
    """Three digits."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def seconds(values: Sequence[float]) -> str:
    """The median of times in seconds."""
    return f"{median(values):.3f}"


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, columns aligned."""
    lines = [HEAD, *(row.cells() for row in rows)]
    lines = [tuple(cell.replace("|", "\\|") for cell in line) for line in lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    rule = ["-" * width if _words(column) else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    lines.insert(1, tuple(rule))
    return "\n".join(_line(line, widths) for line in lines)


def _words(column: int) -> bool:
    """Whether a column has words, which stand on the left, and no numbers."""
    return column in (0, len(HEAD) - 1)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of the table."""
    pairs = enumerate(zip(cells, widths, strict=True))
    padded = (cell.ljust(width) if _words(column) else cell.rjust(width) for column, (cell, width) in pairs)
    return f"| {' | '.join(padded)} |"
