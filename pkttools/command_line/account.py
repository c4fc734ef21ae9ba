"""The accounts that commands give in the end: lines for people or, with --report json, an object for programs."""

from __future__ import annotations

import os
import sys

from ..errors import Whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Account(str):
    """A line of an account. facts: what it says, by name; sizes in bytes, durations in seconds."""

    facts: dict[str, Any]

    def __new__(cls, line: str, /, **facts: object) -> Self:
        """The line, with its facts; those that are None are not known."""
        self = super().__new__(cls, line)
        self.facts = {name: fact for name, fact in facts.items() if fact is not None}
        return self


def reported(lines: list[str], how: str | None, command: str = "") -> list[str]:
    """What is said in the end, in the way that --report asks for: an object instead of the accounts, if there is any.

    command: who says it; else this process.
    """
    accounts = [line.facts for line in lines if isinstance(line, Account)]
    if how != "json" or not accounts:
        return lines
    import json  # late: seldom

    said = {"command": command or os.path.basename(sys.argv[0]), "accounts": accounts}  # noqa: PTH119  pathlib is slow to import
    return [*(line for line in lines if not isinstance(line, Account)), Whole(json.dumps(said))]
