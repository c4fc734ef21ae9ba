"""What compile.py makes of the descriptions for lines of packets."""

LINES: tuple[bytes, bytes, bytes, bytes]  # kinds, lines, tests, titles: see lining.py
