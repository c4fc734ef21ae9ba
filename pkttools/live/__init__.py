"""The wire: receiving and sending, by Linux's own means or by libpcap, and what both share."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def __getattr__(name: str) -> Callable[..., Any]:
    """`receive` and `send` for programs, by the name that they look for here: they are the library's, which is above us."""
    if name not in ("receive", "send"):
        raise AttributeError(f"module 'pkttools.live' has no attribute '{name}'")
    from sys import modules

    found: Callable[..., Any] = getattr(modules["pkttools"], name)
    return found
