"""What compile.py makes of templates and names of values, which few commands ask for."""

TEMPLATES: tuple[bytes, ...]  # see showing.py
