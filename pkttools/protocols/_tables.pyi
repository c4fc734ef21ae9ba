"""What compile.py makes of the descriptions."""

LINKTYPE: dict[int, str]
WALK: tuple[bytes, ...]  # see walking.py
