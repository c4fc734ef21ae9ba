"""Which question a packet answers, of those that are open: a table of their keys, of as many questions as there may be."""

from __future__ import annotations

from _collections import OrderedDict  # type: ignore[import-not-found]  # collections is dear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from .keys import Key

MOST = 1 << 16  # questions that are open


class Matcher:
    """Questions that are open, and what answers them. Of several questions with the same key the last one has it.

    most: how many are open; the oldest ones are forgotten.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.by_key: dict[Key, Any] = {}
        self.open: OrderedDict[Any, Sequence[Key]] = OrderedDict()

    def ask(self, number: Any, keys: Sequence[Key]) -> None:  # noqa: ANN401  by what the caller knows it
        """Opens a question, by a number of the caller's, or whatever it is known by; keys: as `asked` gives them."""
        self.open[number] = keys
        for key in keys:
            self.by_key[key] = number
        if len(self.open) > self.most:
            self.close(next(iter(self.open)))

    def close(self, number: Any) -> None:  # noqa: ANN401  by what the caller knows it
        """Forgets a question."""
        for key in self.open.pop(number, ()):
            if self.by_key.get(key) == number:
                del self.by_key[key]

    def question(self, keys: Iterable[Key]) -> Any:  # noqa: ANN401  by what the caller knows it
        """The number of the question that a packet with these keys answers, as `answered` gives them; None: it is none of these."""
        for key in keys:
            number = self.by_key.get(key)
            if number is not None:
                return number
        return None
