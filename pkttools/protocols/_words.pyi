"""What compile.py makes of the descriptions, and few commands ask for."""

LAYOUTS: tuple[tuple[str, str, str], ...]  # of each kind of header: title, category, and its checksum
LETTERS: dict[str, dict[str, str]]  # of flags, each with its letter, by protocol
NAMES: dict[str, dict[int, str]]  # names of values, by table
SPACES: dict[int, tuple[str, dict[int, str]]]  # how numbers that are not followed are shown, and those with a title
SIGNED: int  # the first of them that is of a signature, and not of what is not followed
