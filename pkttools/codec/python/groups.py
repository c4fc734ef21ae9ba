"""A table that counts packets by a key, however many keys there are: its memory is bounded; twin of ../c/groups.c."""

from __future__ import annotations

from itertools import islice

GROUP_COST = 88  # bytes that a group counts for besides those of its key


class Groups:
    """Counts of groups: packets and bytes from it, and to it where it has two sides; `others` are those that had no room."""

    def __init__(self, memory: int) -> None:
        """memory: bytes that groups may count for."""
        self.memory, self.held = memory, 0
        self.known: dict[bytes, list[int]] = {}
        self.others = [0, 0, 0, 0]

    def counts(self, key: bytes) -> list[int]:
        """What is counted of a key: of its group, or of all others where there is no room for one more."""
        found = self.known.get(key)
        if found is None:
            if self.held + GROUP_COST + len(key) > self.memory:
                return self.others
            self.held += GROUP_COST + len(key)
            found = self.known[key] = [0, 0, 0, 0]
        return found

    def add(self, key: bytes, size: int, packets: int = 0) -> None:
        """Counts a packet of so many bytes; packets: where among the counts."""
        counts = self.counts(key)
        counts[packets] += 1
        counts[packets + 1] += size

    def sorted(self, most: int, by_bytes: bool) -> list[tuple[bytes, int, int, int, int]]:
        """The `most` groups with the most packets, or bytes, both ways, equal ones in order of their keys; 0: all."""
        found = sorted(self.known.items(), key=lambda item: (-(item[1][by_bytes] + item[1][2 + by_bytes]), item[0]))
        return [(key, *counts) for key, counts in islice(found, most or None)]  # type: ignore[misc]  # four of them
