"""What compile.py makes of the descriptions, and those commands ask for that are told names of fields."""

HEADERS: tuple[str, ...]  # names of kinds of headers, by number; several may have one
ROWS: bytes  # what the codec asks of fields, and
TRAITS: bytes  # what it does not: see ROW and TRAITS in __init__.py
FIELDS: str  # their names, a line each; an empty one is the first and the last
RENAMED: dict[str, str]  # names that fields had, which are still read, to those that they have
LAYERS: dict[str, tuple[int, ...]]  # name of a layer to kinds of headers
