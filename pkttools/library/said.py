"""What a command would say on standard error, in a program: warnings, where something is amiss; and kept, to be read."""

from __future__ import annotations

from warnings import warn

from ..command_line.account import Account

LOSSES = ("dropped", "unfinished", "failed", "kernel_times")  # facts of accounts that nobody may miss


class PktWarning(UserWarning):
    """Something was not done, or is not there, that the caller may count on."""


def tell(lines: list[str], said: list[str]) -> None:
    """Adds lines to what was said before, and warns of what is amiss: all but accounts of what went well."""
    said += map(str, lines)
    for line in lines:
        if not isinstance(line, Account) or any(line.facts.get(loss) for loss in LOSSES):
            warn(line, PktWarning, stacklevel=3)
