"""What compile.py makes of the descriptions, and few commands ask for."""

# of each kind of header: title, category, the flags that `{flags}` names, and its checksum
LAYOUTS: tuple[tuple[str, str, tuple[str, ...], str], ...]
NAMES: dict[str, dict[int, str]]  # names of values, by table
SPACES: dict[int, tuple[str, dict[int, str]]]  # how numbers that are not followed are shown, and those with a title
SIGNED: int  # the first of them that is of a signature, and not of what is not followed
