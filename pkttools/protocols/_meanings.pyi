"""What compile.py makes of the descriptions for views that explain."""

MEANINGS: dict[
    int, tuple[str, ...]
]  # of each kind of header and item: a few words of each of its fields, in the order of the table
SOURCES: dict[int, str]  # of each kind of header and item: where it is specified
