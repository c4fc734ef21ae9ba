"""What stays between two sequences: checked against difflib and by what an edit script has to be."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from itertools import pairwise

from pkttools.compare.script import kept, least, unique


def longest(a: list[int], b: list[int]) -> int:
    """The length of the longest common subsequence, by the table."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def test_what_stays_is_there_and_in_order():
    draw = random.Random(3)
    for _ in range(300):
        values = draw.choice((2, 5, 50))
        a, b = ([draw.randrange(values) for _ in range(draw.randrange(30))] for _ in range(2))
        if draw.random() < 0.5:
            b = [x for x in a if draw.random() < 0.8]
        for pairs in (kept(a, b), least(a, b), unique(a, b, 0, len(a), 0, len(b))):
            assert all(a[i] == b[j] for i, j in pairs)
            assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
        assert len(least(a, b)) == longest(a, b)
        same = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
        assert len(kept(a, b)) >= sum(size for *_, size in same) // 2


def test_losses_of_what_is_unique_are_found_exactly():
    a = list(range(5000))
    b = [x for x in a if x % 7]
    assert kept(a, b) == [(x, j) for j, x in enumerate(b)]


def test_too_many_edits_are_none():
    assert least([1] * 900, [2] * 900) == []
    assert kept([1] * 900 + [3], [2] * 900 + [3]) == [(900, 900)]
