"""What compile.py makes of the descriptions."""

HEADERS: tuple[str, ...]  # kinds of headers, by number
ROWS: bytes  # what the codec asks of fields, and
TRAITS: bytes  # what it does not: see ROW and TRAITS in fields.py
FIELDS: str  # their names, a line each; an empty one is the first and the last
LAYERS: dict[str, list[int]]  # name of a layer to kinds of headers
# name of a header to title, category, lines (label and template), brief line, and the flags that `{flags}` names
LAYOUTS: dict[str, tuple[str, str, tuple[tuple[str, str], ...], tuple[str, str] | None, tuple[str, ...]]]
NAMES: dict[str, dict[int, str]]  # names of values, by table
LINKTYPE: dict[int, str]
WALK: tuple[bytes, ...]  # see walking.py
SPACES: dict[int, tuple[str, dict[int, str]]]  # how numbers that are not followed are shown, and those with a title
