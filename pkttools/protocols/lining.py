"""Tables of what packets say as lines: the columns of what compile.py makes for codec/c/line.c and its twin, eight bytes each.

Of each kind of header, and in a second table of each item: its category; its two ends, of each the bit, the width (0: there is
none) and the form; whether items of its lists say something, too; and what it says: the first of LINES, and how many. Titles,
layers and templates are those of showing.py.

A line: whether it is said aside; the reader that reads it, -1: the template of the same place says it; and its tests, all of which
hold: a number's first bit and width, the mask of its bits, how it is compared, with what, or the bits from `other`; -1: none.
"""

KINDS = (
    "category",
    "first_bit",
    "first_width",
    "first_form",
    "second_bit",
    "second_width",
    "second_form",
    "listed",
    "line",
    "lines",
)
LINES = ("aside", "reader", "test", "tests")
TESTS = ("bit", "width", "mask", "comparison", "value", "other")
CATEGORIES = ("", "link", "tag", "network", "extension", "transport", "tunnel", "application")
NONE, LINK, TAG, NETWORK, EXTENSION, TRANSPORT, TUNNEL, APPLICATION = range(8)
EQUAL, UNEQUAL, BELOW, FROM = range(4)
