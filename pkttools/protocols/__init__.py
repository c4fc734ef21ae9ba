"""What protocols are: a description each, the tables that are made of them, and what the rest of the program reads of these."""

import _thread  # threading is dear
import sys

from ..errors import outdated

INT, DATA, FAMILY, LITTLE, TEXT, MAC, IPV4, IPV6 = FORMS = ("int", "data", "family", "little", "text", "mac", "ipv4", "ipv6")
CODEC_FORMS = 5  # the first ones are the kinds of fields of codec/c/program.c; there the others are INT
# Rows of fields, as they are packed. The first is `struct field` of codec/c/codec.h: header, bit, width, bias, scale, form, shapes,
# next row of the same name, or 0. The second: form, what holds of it, names (their place in NAMES from 1 on, 0: none).
# NEW: not in 1.16. HEX: people read it in hexadecimal. LAST: where fields are printed, it is the last one of its header. IN_PLACE:
# of DATA, which are printed where the others of the header are; usually those of all headers come behind the other fields, the
# innermost first. APART: packets where it differs are of different networks; ONEWAY: each direction has its own.
# shapes: 1: the walk depends on it; MUTABLE: no signature behind it covers it.
ROW_SIZE = 8  # numbers in a row
ROW, TRAITS = f"{ROW_SIZE}H", "=BBH"
NEW, HEX, LAST, IN_PLACE, APART, ONEWAY = 1, 2, 4, 8, 16, 32
MUTABLE = 2
# Where the tables are: what every command needs, what those do that look into packets, or name fields, and what few ask for.
MODULES = {
    "_tables": ("LINKTYPE",),
    "_walk": ("WALK",),
    "_rows": ("HEADERS", "ROWS", "TRAITS", "FIELDS", "RENAMED", "LAYERS"),
    "_lines": ("LINES",),
    "_answers": ("ANSWERS",),
    "_words": ("LAYOUTS", "LETTERS", "NAMES", "SPACES", "SIGNED"),
    "_meanings": ("MEANINGS", "SOURCES"),
    "_templates": ("TEMPLATES",),
}

try:
    from . import _tables

    if outdated(_tables.__file__, "codec"):  # they are laid out for what the C code was, and so the code that reads them here
        raise ImportError
except ImportError:  # a checkout before `make ready`: the same, slower
    from .compile import tables

    _tables = tables()  # type: ignore[assignment]  # the same names
    for _late in MODULES:  # all names, those that not all commands ask for too
        sys.modules[f"{__name__}.{_late}"] = globals()[_late] = _tables

_ONE = _thread.allocate_lock()


def walk() -> tuple[bytes, ...]:
    """The tables of the walk, for a backend, which lays them out. Nobody else may need them: of ours no module is kept, 160 KiB.

    Where kinds.py is loaded they are there.
    """
    with _ONE:  # at a time: a module that another thread takes away is not there to import
        kinds = sys.modules.get(f"{__name__}.kinds")
        if hasattr(kinds, "WALK") and f"{__name__}._walk" not in sys.modules:  # which is there with a user's protocols
            return kinds.WALK  # type: ignore[union-attr, no-any-return]  # it is there
        from . import _walk

        if hasattr(_walk, "__spec__"):  # not made anew, and of no user's protocols
            del sys.modules[_walk.__name__], globals()["_walk"]
        return _walk.WALK
