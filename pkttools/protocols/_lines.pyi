"""What compile.py makes of the descriptions for lines of packets."""

LINES: tuple[bytes, bytes, bytes, bytes]  # of headers, of items, lines, tests: see lining.py
