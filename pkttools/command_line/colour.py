"""Colours of views, on terminals: by layer, the same in all of them.

They are of the sixteen that every terminal has, so that they follow what its user set.
"""

from __future__ import annotations

import os

from .options import TEXT, Option

CAPTURE, LINK, NETWORK, TRANSPORT, APPLICATION = "2", "33", "32", "36", "35"  # SGR parameters, ECMA-48 section 8.3.117
WRONG, UNFINISHED = "1;31", "34"
BY_FIELD = ("36", "33", "35", "32", "34")  # of the fields of a header, in turn
BY_LAYER = ("", CAPTURE, LINK, NETWORK, TRANSPORT, APPLICATION)  # by the numbers of protocols/showing.py

COLOUR = Option("--color", TEXT, "colours: auto (on terminals), always or never", "WHEN", default="auto",
                choices=("auto", "always", "never"), end="last")  # fmt: skip


def coloured(when: str, fd: int) -> bool:
    """Whether what is written to `fd` has colours: as the option says, else as the environment does, else if it is a terminal.

    NO_COLOR and FORCE_COLOR count where they are not empty; the first before the second.
    """
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (os.environ.get("TERM") != "dumb" and os.isatty(fd))


def paint(text: str, colour: str) -> str:
    """Text in a colour; as it is without one."""
    return f"\033[{colour}m{text}\033[m" if colour and text else text
