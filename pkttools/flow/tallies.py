"""What stages count, so that several processes can count for one: numbers that are taken from one and added in another.

What counts says by TALLIES which of its attributes do: numbers, lists and dictionaries of them, and what counts itself; None is
nothing, and of text, which says where the first of something was, the first stays. An attribute `first` is the number of a packet
among those that it has `met`, 0: of none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def taken(thing: Any) -> Any:  # noqa: ANN401  # numbers within anything
    """What something has counted, in the form that `added` takes, and in which it can be sent. It begins at 0 again.

    Numbers and text by themselves are as they were.
    """
    if thing is None or isinstance(thing, (int, str)):
        return thing
    if isinstance(thing, dict):
        found = {key: taken(count) for key, count in thing.items() if count}
        for key, count in found.items():
            thing[key] = thing[key] if isinstance(count, dict) else 0
        return found
    if isinstance(thing, list):
        if not any(thing):  # mostly: nothing is to be looked into after each piece
            return []
        parts = [one if isinstance(one, int) else taken(one) for one in thing]
        thing[:] = [0 if isinstance(one, int) else one for one in thing]
        return parts
    counted = {}
    for name in thing.TALLIES:
        value = getattr(thing, name)
        if value and (counts := value if isinstance(value, int) else taken(value)):
            counted[name] = counts
            if isinstance(value, (int, str)):
                setattr(thing, name, type(value)())
    return counted


def added(thing: Any, more: Any) -> Any:  # noqa: ANN401  # the same
    """Something to which was added what the same thing in another process has counted, of packets that come behind."""
    if thing is None or isinstance(thing, (int, str)):
        return thing + more if isinstance(thing, int) else thing or more
    if isinstance(thing, dict):
        for key, count in more.items():
            thing[key] = added(thing.get(key, {} if isinstance(count, dict) else 0), count)
    elif isinstance(thing, list):
        if len(thing) < len(more):
            thing += [0] * (len(more) - len(thing))  # one that has not met any packet
        for at, part in enumerate(more):
            if part:
                thing[at] = added(thing[at], part)
    else:
        if more.get("first") and not thing.first:
            thing.first = thing.met + more["first"]
        for name, part in more.items():
            if part and name != "first":  # mostly there is nothing
                setattr(thing, name, added(getattr(thing, name), part))
    return thing
