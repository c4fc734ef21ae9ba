"""The language of protocols: one statement a line, `#` begins a comment; text stands in double quotes.

    protocol  VXLAN  "VXLAN"
    is        tunnel
    after     udp 4789
    field     FLAGS  8   "bit 3: the VNI counts"
    field     -     24
    field     VNI   24   "the virtual network"
    field     -      8
    next      ETHERNET if FLAGS & 0x08
    show      "VNI" "{VNI}"

A description is read and never executed. Here each statement is checked by itself; what they say of each other, over all files,
is checked in ../checks.py.

words.py: names, numbers, tests. reader.py: what a statement is said of. described.py, fields.py, sizes.py, sums.py, lists.py,
shown.py: the statements, each with its form and a line of what it does.
"""

from . import described, fields, sizes, sums, lists, shown  # noqa: F401, I001  statements are told of in this order
from .reader import STATEMENTS, Reader, add_entry, read_content, read_file
from .words import COMPARISONS, FORMS, Words

__all__ = ["COMPARISONS", "FORMS", "STATEMENTS", "Reader", "Words", "add_entry", "read_content", "read_file"]
