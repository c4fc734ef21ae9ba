"""The edit script between two sequences: which elements stay, in order. Patience first, then Myers.

What is there once on both sides, in the order of the longest run of these that both have, is fixed; what is between such is
compared by itself (Bram Cohen's patience diff). Where nothing is unique, the least number of edits is looked for (E. Myers, "An
O(ND) Difference Algorithm and Its Variations", 1986), up to MOST_EDITS.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
MOST_EDITS = 400


def kept(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """The elements that are the same on both sides, as pairs of places, both increasing."""
    found: list[tuple[int, int]] = []
    pending = [(0, len(a), 0, len(b))]
    while pending:
        low, high, other, end = pending.pop()
        while low < high and other < end and a[low] == b[other]:
            found.append((low, other))
            low, other = low + 1, other + 1
        while low < high and other < end and a[high - 1] == b[end - 1]:
            high, end = high - 1, end - 1
            found.append((high, end))
        if low == high or other == end:
            continue
        anchors = unique(a, b, low, high, other, end)
        if anchors:
            edges = [(low - 1, other - 1), *anchors, (high, end)]
            pending += [(i + 1, k, j + 1, m) for (i, j), (k, m) in pairwise(edges)]
            found += anchors
        else:
            found += [(low + i, other + j) for i, j in least(a[low:high], b[other:end])]
    return sorted(found)


def unique(a: Sequence[int], b: Sequence[int], low: int, high: int, other: int, end: int) -> list[tuple[int, int]]:
    """Of what is there once in either part the longest run that both have in order."""
    places: dict[int, int] = {}
    for i in range(low, high):
        places[a[i]] = -1 if a[i] in places else i
    seen: dict[int, int] = {}
    for j in range(other, end):
        if a_place := places.get(b[j], -1) + 1:
            seen[a_place - 1] = -1 if a_place - 1 in seen else j
    pairs = sorted((i, j) for i, j in seen.items() if j >= 0)
    tops: list[int] = []  # of the piles: the least j that ends a run of that length
    ends: list[int] = []  # which pair that is
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [j]
        ends[pile : pile + 1] = [number]
    run, at = [], ends[-1] if ends else -1
    while at >= 0:
        run.append(pairs[at])
        at = before[at]
    return run[::-1]


def least(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """What stays in the shortest edit script; nothing, where it has more than MOST_EDITS."""
    reach = {1: 0}  # of each diagonal i - j, how far i got
    traces: list[dict[int, int]] = []
    for edits in range(min(len(a) + len(b), MOST_EDITS) + 1):
        traces.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            i = reach[k + 1] if down else reach[k - 1] + 1
            while i < len(a) and i - k < len(b) and a[i] == b[i - k]:
                i += 1
            reach[k] = i
            if i >= len(a) and i - k >= len(b):
                return _back(traces, len(a), len(b))
    return []


def _back(traces: list[dict[int, int]], i: int, j: int) -> list[tuple[int, int]]:
    """What stayed on the way that `least` went."""
    found = []
    for edits in range(len(traces) - 1, -1, -1):
        reach, k = traces[edits], i - j
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        start = reach[k + 1] if down else reach[k - 1] + 1  # behind the edit
        while i > start:
            i, j = i - 1, j - 1
            found.append((i, j))
        i, j = (i, j - 1) if down else (i - 1, j)
    return found[::-1]
