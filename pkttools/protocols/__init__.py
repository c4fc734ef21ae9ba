"""What protocols are: a description each, the tables that are made of them, and what the rest of the program reads of these."""

try:
    from . import _tables
except ImportError:  # a checkout before `make ready`: the same, slower
    from .compile import tables

    _tables = tables()  # type: ignore[assignment]  # the same names
